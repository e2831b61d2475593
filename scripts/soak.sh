#!/usr/bin/env bash
# Runs the tests marked soak alone, whole or those that are asked for, and keeps what they tell in docs/figures/soak.txt.
set -euo pipefail
cd "$(dirname "$0")/.."
log=docs/figures/soak.txt
{
    printf 'soak of %s, of %s\n' "$(date -u '+%Y-%m-%d %H:%M UTC')" "${*:-all}"
    .venv/bin/python --version
    .venv/bin/python -m pytest -m soak -p no:randomly -p no:cacheprovider --no-header -q -s -n 0 "$@"
} 2>&1 | sed "s#$PWD/##g" | tee "$log"
