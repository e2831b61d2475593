"""Measures tagging with marks from CSV to CSV against reading and writing the same file with pyarrow, in pairs.

python -m benchmarks.tag_marks [--rows 1000000]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import data
from benchmarks.tag import Cost, canary, copy_with_pyarrow, cost, peak_mib, prepare

ROWS = 1_000_000
PAIRS = 3
MANY = 8
LIMIT = 4.0
LEAST = 400_000  # rows a CPU second
ANCHORS = '[["运单号"], ["收件人电话"]]'
NUMBERS = "".join(
    f'[columns."{name}"]\nrole = "measure"\nmark = "number"\ntolerance = 0.3\n' for name in ("重量kg", "运费")
)
ADDRESS = '[columns."收件地址"]\nrole = "address"\nmark = "text"\ngrammar = "cn_address"\n'
KEYS = '[columns."运单号"]\nrole = "waybill_no"\n[columns."收件人电话"]\nrole = "phone"\n'


@dataclass(frozen=True)
class Case:
    """One policy to tag under; `bound` where the limits are about it."""

    name: str
    columns: str
    canaries: float
    bound: bool = False

    def policy(self) -> str:
        head = f'[dataset]\nname = "{self.name}"\nanchors = {ANCHORS}\ncanaries = {self.canaries}\n'
        return head + KEYS + self.columns


CASES = (
    Case("4 marks a row (two numbers of two scales)", NUMBERS, 0, bound=True),
    Case("4 marks a row, and canaries (.002)", NUMBERS, 0.002),
    Case("4 marks a row and an address", NUMBERS + ADDRESS, 0),
)


def tag(source: Path, target: Path, policy: Path, recipients: Sequence[str]) -> object:
    each = [part for name in recipients for part in ("--recipient", name)]
    return canary("tag", str(source), *each, "--output", str(target), "--policy", str(policy), "--force")


def pairs(folder: Path, policy: Path, first: int) -> list[tuple[Cost, Cost]]:
    """Measure pyarrow and canary alternately, after both have run once on a small file."""
    big, out = folder / "big.csv", folder / "out.csv"
    copy_with_pyarrow(folder / "small.csv", out)
    tag(folder / "small.csv", out, policy, ["r0"])
    found = []
    for number in range(first, first + PAIRS):
        base = cost(lambda: copy_with_pyarrow(big, out))
        found.append((base, cost(lambda name=f"r{number}": tag(big, out, policy, [name]))))  # type: ignore[misc]
    return found


def measure(rows: int) -> tuple[list[str], bool]:
    """Give the lines of the report and whether the limits are kept."""
    told, kept = [], True
    with tempfile.TemporaryDirectory(prefix="canary-benchmark-") as name:
        folder = Path(name)
        prepare(folder, rows)
        data.write_csv(folder / "quarter.csv", rows // 4)
        for number, case in enumerate(CASES):
            policy = folder / f"policy{number}.toml"
            policy.write_text(case.policy(), "utf-8")
            found = pairs(folder, policy, 1 + number * PAIRS)
            own = statistics.median(two.cpu for _, two in found)
            ratio = statistics.median(two.cpu / one.cpu for one, two in found)
            told.append(f"| {case.name} | {own:.2f} s | {rows / own:,.0f} | {ratio:.2f} |")
            kept = kept and (not case.bound or (ratio <= LIMIT and rows / own >= LEAST))
        fresh = folder / "fresh.toml"
        fresh.write_text(replace(CASES[0], name="never tagged before").policy(), "utf-8")
        first = cost(lambda: tag(folder / "big.csv", folder / "out.csv", fresh, ["r29"]))
        policy = folder / "policy0.toml"
        names = [f"r{number}" for number in range(30, 30 + MANY)]
        many = cost(lambda: tag(folder / "big.csv", folder / "many", policy, names))
        single = (
            "--recipient",
            "r63",
            "--policy",
            str(policy),
            "--force",
            "--output",
            str(folder / "one.csv"),
        )
        peaks = [peak_mib("tag", str(folder / file), *single) for file in ("quarter.csv", "big.csv")]
    return [
        f"## Tagging {rows:,} CSV rows with marks ({data.HEADINGS.count(',') + 1} columns)",
        "",
        f"To reach: {LEAST:,} rows a CPU second and at most {LIMIT:g} times pyarrow's reading as strings and writing.",
        "",
        "| marks | CPU | rows a CPU second | times pyarrow (median of pairs) |",
        "| --- | --- | --- | --- |",
        *told,
        "",
        f"The first copy of a dataset, 4 marks a row, its plan made and its ghosts' controls drawn on the way: "
        f"{first.cpu:.2f} s of CPU.",
        f"{MANY} recipients in one reading, 4 marks a row: {many.cpu:.1f} s of CPU, {many.wall:.1f} s.",
        f"Peak memory: {peaks[0]:.0f} MiB for {rows // 4:,} rows, {peaks[1]:.0f} MiB for {rows:,}.",
        "",
    ], kept


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=ROWS)
    lines, kept = measure(parser.parse_args(arguments).rows)
    print("\n".join(lines), flush=True)
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
