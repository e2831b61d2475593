#!/usr/bin/env bash
# Runs the tests marked soak alone, whole, and keeps what they tell in docs/figures/soak.txt.
set -euo pipefail
cd "$(dirname "$0")/.."
log=docs/figures/soak.txt
{
    date -u '+soak of %Y-%m-%d %H:%M UTC'
    .venv/bin/python --version
    .venv/bin/python -m pytest -m soak -p no:randomly -p no:cacheprovider --no-header -q -s -n 0 "$@"
} 2>&1 | sed "s#$PWD/##g" | tee "$log"
