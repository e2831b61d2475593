#!/usr/bin/env bash
# Runs the suite with coverage, in one process more than a small machine has cores, since some always wait. Tests whose server
# is missing and cannot be installed are left out by marker, and named; under CI that fails.
set -euo pipefail
cd "$(dirname "$0")/.."
python=.venv/bin/python
marks="not soak"
for marker in $(scripts/servers.sh); do
    if [ "${CI:-}" = true ]; then
        printf 'error: %s is missing on this machine and could not be installed\nhint: CI runs every test: install it\n' "$marker" >&2
        exit 3
    fi
    echo "left out: $marker is not on this machine and may not be installed here, so these tests do not run:"
    "$python" -m pytest --collect-only -qq --no-header -m "$marker and not soak" | sed 's/^/  /' || true
    marks="$marks and not $marker"
done
unset PYTHONDONTWRITEBYTECODE  # the tests start hundreds of processes: compile the code once, not in each
rm -f .coverage .coverage.*
ran=0
"$python" -m coverage run -m pytest -n "${WORKERS:-3}" -m "$marks" "$@" || ran=$?
"$python" -m coverage combine -q
"$python" -m coverage report || exit $((ran ? ran : $?))
exit "$ran"
