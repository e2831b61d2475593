"""Decodes tables that nobody's copy went into, many in one process: clean, foreign, and marked under other keys.

    python -m benchmarks.marks_clean [--tables 100000] [--files 1000] [--recipients 20]

The tables have 20 to 200 rows in a hundred shapes: columns left out, moved and renamed, rows shuffled, sorted,
repeated. The first of them are files that `trace` concludes on; all others are handed to its decoding as they would be
read, which spares scan and verdict: whose marks are not at the bar there (an E of N/ε) cannot be named.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import log2
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks.marks_home import hold_all, home_of
from benchmarks.marks_symbols import interval
from benchmarks.marks_trace import HEAD, Rows, host, read, tagged, write
from canary.steps.decoding import Bar, Known, MarksFound, marks_by
from canary.steps.leaktables import LeakTable
from canary.steps.tools import Tools
from canary.steps.trace import trace

LIMIT = 1e-6
ROWS = 3_000
SHAPES = 100
NAMES = ("id", "name", "tel", "addr", "t", "kg", "fee", "x", "y", "col_1", "col_2", "备用")


@dataclass(frozen=True)
class Shape:
    """What a table looks like: which columns in which order, their headings, rows, repeats, order."""

    columns: tuple[int, ...]
    headings: tuple[str, ...]
    rows: int
    repeats: int
    order: str

    def of(self, source: Rows, rng: random.Random) -> Rows:
        """Take rows of this shape from a table."""
        at = sorted(rng.sample(range(len(source)), max(1, self.rows // self.repeats))) * self.repeats
        if self.order == "shuffled":
            rng.shuffle(at)
        made = [[source[one][column] for column in self.columns] for one in at]
        return sorted(made) if self.order == "sorted" else made


def shapes(rng: random.Random) -> list[Shape]:
    """Draw a hundred shapes; two thirds of them keep their headings."""
    made = []
    for _ in range(SHAPES):
        columns = rng.sample(range(len(HEAD)), rng.randint(2, len(HEAD)))
        kept = rng.random() < 2 / 3
        headings = [HEAD[one] for one in columns] if kept else rng.sample(NAMES, len(columns))
        order, repeats = rng.choice(["as it was", "shuffled", "sorted"]), rng.choice([1, 1, 1, 2, 4])
        made.append(Shape(tuple(columns), tuple(headings), rng.randint(20, 200), repeats, order))
    return made


class Sheet:
    """A table in memory, as far as a leak's table is read."""

    def __init__(self, headings: Sequence[str], rows: Rows) -> None:
        self.headings, self.rows = tuple(headings), rows

    def head(self) -> Rows:
        return self.rows[:500]

    def batches(self) -> Iterator[Any]:
        import pyarrow as pa

        columns = [pa.array(column, pa.string()) for column in zip(*self.rows, strict=True)]
        yield SimpleNamespace(rows=pa.RecordBatch.from_arrays(columns, names=list(self.headings)))


def strangers(folder: Path, original: Rows) -> Rows:
    """Give copies of the same table that another home marked for its own recipients, in the same way."""
    folder.mkdir()
    names = [f"s{number}" for number in range(6)]
    tools = home_of(folder, names)
    tagged(tools, write(folder / "w.csv", HEAD, original), names, folder / "out")
    tools.registry.close()
    return [row for name in names for row in read(folder / "out" / f"{name}.csv")]


class Bench:
    """A home with recipients who all hold a copy, everything that its traces look up, and tables of nobody's copy."""

    def __init__(self, folder: Path, count: int) -> None:
        rng = random.Random(23)
        self.folder, self.rng, self.shapes = folder, random.Random(29), shapes(rng)
        names = [f"r{number:03d}" for number in range(count)]
        self.tools: Tools = home_of(folder, names)
        original = host(rng, ROWS)
        tagged(self.tools, write(folder / "w.csv", HEAD, original), names[:4], folder / "out")
        tagged(self.tools, write(folder / "later.csv", HEAD, later(original, rng)), names[:2], folder / "two")
        hold_all(self.tools, names)
        self.known = Known(self.tools)
        self.bar = Bar(LIMIT, len(self.known.keys))
        self.sources = {
            "clean": original,
            "foreign": host(random.Random(77), ROWS),
            "differently keyed": strangers(folder / "other", original),
        }

    def table(self, name: str) -> tuple[Shape, Rows]:
        shape = self.rng.choice(self.shapes)
        return shape, shape.of(self.sources[name], self.rng)

    def decoded(self, name: str) -> MarksFound:
        """Read and score one table, as trace does."""
        shape, rows = self.table(name)
        table = LeakTable(Sheet(shape.headings, rows), shape.headings)  # type: ignore[arg-type]
        return marks_by(self.known, [table], self.bar)

    def most(self, name: str) -> tuple[float, bool]:
        """Decode one table; gives the largest log2 E, and whether somebody is at the bar."""
        best = max((one.log2_m for one in self.decoded(name).scores.values()), default=0.0)
        return best, best >= log2(len(self.known.keys) / LIMIT)

    def concluded(self, name: str) -> tuple[float, bool]:
        """Trace one table as a file; gives the largest log2 E, and whether somebody is named."""
        shape, rows = self.table(name)
        answer = trace(self.tools, [str(write(self.folder / "leak.csv", shape.headings, rows))])
        return max(answer.log2_e.values()), answer.outcome == "named"


def later(original: Rows, rng: random.Random) -> Rows:
    """Give the next export: half of the rows again, half new."""
    return [*original[ROWS // 2 :], *host(random.Random(rng.random()), ROWS // 2)]


def measured(work: Callable[[str], tuple[float, bool]], name: str, how: str, count: int) -> tuple[str, int]:
    """Do so many tables of a kind; gives a line of the report, and in how many somebody is named."""
    began, named, best = time.process_time(), 0, []
    for _ in range(count):
        most, wrong = work(name)
        named += wrong
        best.append(most)
    _, high = interval(named, count)
    spent = time.process_time() - began
    passing = " | ".join(str(int((np.array(best) >= bits).sum())) for bits in (5, 10, 15))
    line = f"| {name} | {how} | {count:,} | {named} (at most {high:.1e}) | {passing} | {max(best):.1f} | {spent:.0f} |"
    return line, named


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=100_000)
    parser.add_argument(
        "--files", type=int, default=1_000, help="of them as files, through the whole of trace"
    )
    parser.add_argument("--recipients", type=int, default=20)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="canary-marks-clean-") as name:
        bench = Bench(Path(name), given.recipients)
        many = len(bench.known.keys)
        print(
            f"## Marks: {given.tables:,} tables that nobody's copy went into, one process, {many} recipients "
            f"(ghosts among them), bar {log2(many / LIMIT):.1f} bits\n"
        )
        heads = [
            "tables",
            "how",
            "count",
            "somebody named (95 %)",
            "log2 E ≥ 5",
            "≥ 10",
            "≥ 15",
            "largest",
            "CPU s",
        ]
        print("| " + " | ".join(heads) + " |")
        print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
        total = 0
        for work, how, count in (
            (bench.concluded, "file, trace", given.files),
            (bench.most, "decoded", given.tables - given.files),
        ):
            for at, kind in enumerate(bench.sources):
                share = count // 3 + (at < count % 3)
                if share:
                    line, named = measured(work, kind, how, share)
                    print(line, flush=True)
                    total += named
        bench.tools.registry.close()
    return int(total > 0)


if __name__ == "__main__":
    sys.exit(main())
