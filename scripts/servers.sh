#!/usr/bin/env bash
# Installs the programs that tests talk to, where this user may. Prints the markers of those that are still missing, one a line.
set -euo pipefail
cd "$(dirname "$0")/.."

have() {
    case $1 in
        postgresql) compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null ;;
        mariadb) command -v mariadbd >/dev/null || [ -x /usr/sbin/mariadbd ] ;;
        swaks) command -v swaks >/dev/null ;;
    esac
}

declare -A package=([postgresql]=postgresql [mariadb]=mariadb-server [swaks]=swaks)
wanted=()
for marker in postgresql mariadb swaks; do
    have "$marker" || wanted+=("${package[$marker]}")
done
if [ ${#wanted[@]} -gt 0 ]; then scripts/apt.sh "${wanted[@]}" || true; fi
for marker in postgresql mariadb swaks; do
    have "$marker" || echo "$marker"
done
