#!/usr/bin/env bash
# Installs the programs that tests talk to, where this user may. Prints the markers of those that are still missing, one a line.
set -euo pipefail
cd "$(dirname "$0")/.."

rights() { [ "$(id -u)" -eq 0 ] || { command -v sudo >/dev/null && sudo -n true 2>/dev/null; }; }

have() {
    case $1 in
        postgresql) compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null ;;
        mariadb) command -v mariadbd >/dev/null || [ -x /usr/sbin/mariadbd ] ;;
        swaks | sipp) command -v "$1" >/dev/null ;;
        postfix) { command -v postfix >/dev/null || [ -x /usr/sbin/postfix ]; } && rights ;;  # it starts as root alone
        dovecot) command -v dovecot >/dev/null || [ -x /usr/sbin/dovecot ] ;;
        rsyslog) command -v rsyslogd >/dev/null || [ -x /usr/sbin/rsyslogd ] ;;
    esac
}

declare -A package=([postgresql]=postgresql [mariadb]=mariadb-server [swaks]=swaks [sipp]=sip-tester)
package+=([dovecot]=dovecot-imapd [rsyslog]=rsyslog [postfix]=postfix)
wanted=()
for marker in "${!package[@]}"; do
    have "$marker" || wanted+=("${package[$marker]}")
done
if [ ${#wanted[@]} -gt 0 ] && ! scripts/apt.sh "${wanted[@]}" && [ ${#wanted[@]} -gt 1 ]; then
    for one in "${wanted[@]}"; do scripts/apt.sh "$one" || true; done  # one that cannot be had keeps no other away
fi
for marker in "${!package[@]}"; do
    have "$marker" || echo "$marker"
done
