"""Decodes tables that nobody's copy went into, many in one process: clean, foreign, and marked under other keys.

python -m benchmarks.marks_clean [--tables 100000] [--recipients 20]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from math import log2

import numpy as np

from canary.fingerprint.embed import mark, prepare
from canary.fingerprint.learn import Seen
from canary.fingerprint.prf import dataset_keys
from canary.fingerprint.score import score
from tests.markslab import Lab, keys_of, lab, parcels, rows_of

ROWS = 3000
LIMIT = 1e-6


def sources(made: Lab) -> dict[str, dict]:
    """Tables to take rows from: the original, other people's, a copy marked by a stranger's keys of the same plan."""
    seen = Seen(made.plan, dataset_keys(b"a stranger's secret, 32 bytes...", made.plan.dataset))
    seen.add(made.table)
    stranger = mark(prepare(seen, made.table), b"a stranger's key").columns
    return {
        "clean": made.table,
        "foreign": parcels(ROWS, np.random.default_rng(77)),
        "differently keyed": {**made.table, **stranger},
    }


def named_in(
    made: Lab, table: dict, count: int, keys: Sequence[bytes], rng: np.random.Generator
) -> tuple[int, float]:
    """Decode so many tables of 5 to 40 rows; gives in how many somebody is named, and the largest log2 M."""
    named, most = 0, -np.inf
    for _ in range(count):
        leak = rows_of(table, rng.choice(ROWS, int(rng.integers(5, 41)), replace=False))
        best = score(made.read(leak), keys, LIMIT).log2_m.max()
        named += bool(best >= log2(len(keys) / LIMIT))
        most = max(most, float(best))
    return named, most


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=100_000)
    parser.add_argument("--recipients", type=int, default=20)
    given = parser.parse_args(arguments)
    made, keys, rng = lab(rows=ROWS), keys_of(given.recipients), np.random.default_rng(3)
    tables = sources(made)
    bar = log2(len(keys) / LIMIT)
    print(
        f"## Marks: tables that nobody's copy went into, {given.recipients} recipients, bar {bar:.1f} bits\n"
    )
    print("| tables | decoded | somebody named | largest log2 M | CPU s |\n| --- | --- | --- | --- | --- |")
    total = 0
    for name, table in tables.items():
        count = given.tables // len(tables) + (name == "clean") * (given.tables % len(tables))
        began = time.process_time()
        named, most = named_in(made, table, count, keys, rng)
        print(
            f"| {name} | {count:,} | {named} | {most:.1f} | {time.process_time() - began:.0f} |", flush=True
        )
        total += named
    return int(total > 0)


if __name__ == "__main__":
    sys.exit(main())
