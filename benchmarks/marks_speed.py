"""Measures marking in memory, and scoring of 100,000 recipients on the marks of 5,000 rows; CPU seconds, no files.

python -m benchmarks.marks_speed [--rows 200000] [--recipients 100000]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from canary.fingerprint.decode import read_marks
from canary.fingerprint.embed import mark, prepare
from canary.fingerprint.learn import Seen
from canary.fingerprint.score import score
from tests.markslab import keys_of, lab, parcels, rows_of

BATCH = 65_536


def cpu(work: Callable[[], Any]) -> tuple[float, Any]:
    begun = time.process_time()
    found = work()
    return time.process_time() - begun, found


def marking(rows: int) -> list[str]:
    made = lab(rows=2000)
    table = {
        name: pa.array(cells.tolist()) for name, cells in parcels(rows, np.random.default_rng(2)).items()
    }
    batches = [
        {name: cells[at : at + BATCH] for name, cells in table.items()} for at in range(0, rows, BATCH)
    ]
    seen = Seen(made.plan, made.keys)
    learnt, _ = cpu(lambda: [seen.add(batch) for batch in batches])
    prepared_in, prepared = cpu(lambda: [prepare(seen, batch) for batch in batches])
    marked, _ = cpu(lambda: [mark(batch, b"k" * 16) for batch in prepared])
    channels = len(made.plan.channels)
    return [
        f"| {what} | {seconds / rows * 1e6:.2f} µs a row |"
        for what, seconds in (
            ("first pass: counting the values of three anchors", learnt),
            ("second pass: reading", prepared_in),
            (f"second pass: writing {channels} marks for one recipient", marked),
        )
    ]


def scoring(recipients: int) -> list[str]:
    made, keys = lab(rows=6000), keys_of(recipients)
    leaks = {"somebody is named": made.copy(keys[5]), "nobody is": made.table}
    told = []
    for what, table in leaks.items():
        leak = rows_of(table, np.arange(5000))
        begun = time.perf_counter()
        seconds, _ = cpu(lambda leak=leak: score(read_marks(made.plan, made.keys, leak), keys))
        wall = time.perf_counter() - begun
        told.append(
            f"| 5,000 rows against {recipients:,} recipients, {what} | {seconds:.1f} s of CPU, {wall:.1f} s |"
        )
    return told


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--recipients", type=int, default=100_000)
    given = parser.parse_args(arguments)
    marking(2000)
    print("## Marks: speed in memory\n\n| what | measured |\n| --- | --- |")
    print("\n".join([*marking(given.rows), *scoring(given.recipients)]), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
