"""Measures marking in memory, and 100,000 recipients traced by a file of 5,000 rows; CPU seconds.

python -m benchmarks.marks_speed [--rows 200000] [--recipients 100000]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.data import write_csv
from benchmarks.marks_home import hold_all, home_of
from canary.fields.policy import parse_policy
from canary.fingerprint.embed import mark, prepare
from canary.fingerprint.learn import Seen
from canary.steps.inspect import inspect
from canary.steps.tag import tag
from canary.steps.tagging import TagRequest
from canary.steps.trace import trace
from tests.markslab import lab, parcels

BATCH = 65_536
ROWS = 40_000
LEAKED = 5_000


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
    """Trace files of 5,000 rows in a registry whose recipients all hold a copy."""
    names = [f"r{number:06d}" for number in range(recipients)]
    told = []
    with tempfile.TemporaryDirectory(prefix="canary-marks-speed-") as name:
        folder = Path(name)
        write_csv(folder / "w.csv", ROWS)
        tools = home_of(folder, names)
        policy = parse_policy(inspect(str(folder / "w.csv"), None).policy)
        tag(
            tools,
            TagRequest(
                str(folder / "w.csv"), (names[5],), str(folder / "copy.csv"), policy=policy, canaries=0
            ),
        )
        hold_all(tools, names)
        for what, source in (("somebody is named", "copy.csv"), ("nobody is", "w.csv")):
            head, *rows = (folder / source).read_text("utf-8").splitlines(keepends=True)
            leak = folder / "leak.csv"
            leak.write_text(head + "".join(rows[::6][:LEAKED]), "utf-8")
            trace(tools, [str(leak)])  # what is compiled and read for the first time is off
            begun = time.perf_counter()
            seconds, answer = cpu(lambda leak=leak: trace(tools, [str(leak)]))
            wall = time.perf_counter() - begun
            told.append(
                f"| a file of {LEAKED:,} rows traced among {recipients:,} recipients who all hold a copy, {what} "
                f"({answer.outcome}) | {seconds:.1f} s of CPU, {wall:.1f} s |"
            )
        tools.registry.close()
    return told


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--recipients", type=int, default=100_000)
    given = parser.parse_args(arguments)
    marking(2000)
    print("## Marks: speed\n\n| what | measured |\n| --- | --- |")
    print("\n".join([*marking(given.rows), *scoring(given.recipients)]), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
