#!/usr/bin/env bash
# Makes .venv and installs what requirements/$1.lock pins, then the project itself. Usage: scripts/install.sh run|dev
set -euo pipefail
cd "$(dirname "$0")/.."
lock="requirements/$1.lock"
venv=.venv

fail() { printf 'error: %s\nhint: %s\n' "$1" "$2" >&2; exit 3; }

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    local name
    for name in ${PYTHON:+"$PYTHON"} python3 python3.13 python3.12 python3.11; do
        if new_enough "$name"; then echo "$name"; return; fi
    done
    fail "no Python 3.11 or later on this machine" "install python3, or name one: make PYTHON=/path/to/python3 …"
}

make_venv() {
    local python
    python=$(find_python)
    rm -rf "$venv"
    "$python" -m venv "$venv" && return
    # Debian keeps venv's pip in a package of its own
    rm -rf "$venv"
    scripts/apt.sh python3-venv && "$python" -m venv "$venv" && return
    rm -rf "$venv"
    fail "$python cannot make a virtual environment" "install its venv module (Debian: apt-get install python3-venv)"
}

# a .venv that was moved, or whose Python has gone, is made anew
if ! new_enough "$venv/bin/python" || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then make_venv; fi

pip=("$venv/bin/python" -m pip --disable-pip-version-check --no-input)
echo "installing what $lock pins into $venv …"
"${pip[@]}" install -qq --no-deps --require-hashes --requirement "$lock"  # the lock is whole
"${pip[@]}" install -qq --no-deps --no-build-isolation --editable .
echo "compiling kernels, once …"
"$venv/bin/python" scripts/warm.py || echo "warning: kernels are compiled at their first use instead" >&2
