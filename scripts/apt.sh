#!/usr/bin/env bash
# Installs Debian packages where this user may (root, or sudo without a password); fails quietly where not. Starts no service.
set -euo pipefail
command -v apt-get >/dev/null || exit 1
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null && sudo -n true 2>/dev/null || exit 1
    as_root=(sudo -n)
fi
apt() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" >&2
}
echo "installing $* from Debian's packages …" >&2
# the lists of a fresh machine are empty or old: one update, then a second try
install() { apt install --no-install-recommends --no-remove -y "$@"; }  # another mail server, say, stays
install "$@" 2>/dev/null || { apt update && install "$@"; }
