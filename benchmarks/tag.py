"""Measures tagging against reading and writing the same file with pyarrow, in pairs, in one process."""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import data

ROWS = 1_000_000
PAIRS = 9
LIMIT = 3.0
MANY = 16


@dataclass(frozen=True)
class Cost:
    """What a piece of work took: CPU seconds of the process and its children, and seconds on the clock."""

    cpu: float
    wall: float


def cost(work: Callable[[], object]) -> Cost:
    wall, cpu = time.perf_counter(), cpu_seconds()
    work()
    return Cost(cpu_seconds() - cpu, time.perf_counter() - wall)


def cpu_seconds() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def copy_with_pyarrow(source: Path, target: Path) -> None:
    """Read a CSV file as strings and write it, streaming and on one thread."""
    import pyarrow as pa
    from pyarrow import csv

    strings = dict.fromkeys(data.HEADINGS.split(","), pa.string())
    reader = csv.open_csv(
        source,
        read_options=csv.ReadOptions(use_threads=False),
        convert_options=csv.ConvertOptions(column_types=strings),
    )
    with csv.CSVWriter(target, reader.schema) as writer:
        for batch in reader:
            writer.write_batch(batch)


def canary(*arguments: str) -> object:
    """Run one `canary … --json` in this process."""
    from canary.cli.main import run

    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        status = run([*arguments, "--json"])
    if status != 0:
        raise SystemExit(f"canary {' '.join(arguments)} ended with {status}")
    return json.loads(out.getvalue())


def tag(source: Path, target: Path, recipients: list[str]) -> None:
    each = [part for name in recipients for part in ("--recipient", name)]
    canary("tag", str(source), *each, "--output", str(target), "--no-marks", "--force")


def prepare(folder: Path, rows: int) -> None:
    """Make the home, its recipients and the two tables: one to warm up, one to measure."""
    os.environ["CANARY_HOME"] = str(folder / "home")
    canary("init")
    (folder / "recipients.csv").write_text("id,kind\n" + "".join(f"r{n},partner\n" for n in range(64)))
    canary("recipient", "import", str(folder / "recipients.csv"))
    canary("contact", "add", "email-domain", "alias.example.com")
    data.write_csv(folder / "small.csv", 2_000)
    data.write_csv(folder / "big.csv", rows)


def pairs(folder: Path) -> list[tuple[Cost, Cost]]:
    """Measure pyarrow and canary alternately, after both have run once on a small file."""
    small, big, out = folder / "small.csv", folder / "big.csv", folder / "out.csv"
    copy_with_pyarrow(small, out)
    tag(small, out, ["r0"])
    found = []
    for number in range(PAIRS):
        base = cost(lambda: copy_with_pyarrow(big, out))
        found.append((base, cost(partial(tag, big, out, [f"r{number + 1}"]))))
    return found


def peak_mib(*arguments: str) -> float:
    """Give the peak memory of one `canary …` in a process of its own."""
    process = subprocess.Popen([sys.executable, "-m", "canary", *arguments], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"canary {' '.join(arguments)} ended with {process.returncode}")
    return used.ru_maxrss / 1024


def measure(rows: int) -> tuple[list[str], bool]:
    """Give the lines of the report and whether the limit is kept."""
    with tempfile.TemporaryDirectory(prefix="canary-benchmark-") as name:
        folder = Path(name)
        prepare(folder, rows)
        size = (folder / "big.csv").stat().st_size / 1e6
        found = pairs(folder)
        many = cost(lambda: tag(folder / "big.csv", folder / "many", [f"r{n}" for n in range(20, 20 + MANY)]))
        single = ["tag", str(folder / "big.csv"), "--recipient", "r63", "--output", str(folder / "one.csv")]
        peak = peak_mib(*single)
    base = statistics.median(one.cpu for one, _ in found)
    own = statistics.median(two.cpu for _, two in found)
    ratio = statistics.median(two.cpu / one.cpu for one, two in found)
    wall = statistics.median(two.wall for _, two in found)
    return [
        f"## Tagging {rows:,} CSV rows of {data.HEADINGS.count(',') + 1} columns ({size:.0f} MB)",
        "",
        "| what | measured |",
        "| --- | --- |",
        f"| pyarrow, read as strings and write, one thread | {base:.2f} s of CPU |",
        f"| canary tag, canaries alone | {own:.2f} s of CPU, {wall:.2f} s on the clock |",
        f"| ratio (median of {len(found)} pairs; limit {LIMIT:g}) | {ratio:.2f} |",
        f"| canary tag for {MANY} recipients in one reading | {many.cpu:.1f} s of CPU, {many.wall:.1f} s |",
        f"| peak memory of canary tag | {peak:.0f} MiB |",
        "",
    ], ratio <= LIMIT


def main() -> None:
    lines, kept = measure(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
    print("\n".join(lines), flush=True)
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()
