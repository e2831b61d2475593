"""Runs the benchmarks of marks, each in a process of its own, and keeps what they tell in docs/figures/marks.md.

    python -m benchmarks.marks [PART]

With a part of a command's text those parts alone are made again, and the others stay as they are.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REPORT = ROOT / "docs" / "figures" / "marks.md"
HEAD = """# Marks in real rows, measured

Made by `python -m benchmarks.marks`; each part says its sizes and can be made alone. ε = 1e-6 in all; what the columns
mean, and why the bound holds, is in [fingerprint.md](../fingerprint.md). N is what the bar counts; `--recipients` hold
a copy and are scored in each trace, so an innocent could be named in each of them. Intervals are Wilson's of 95 %.
"""
PARTS = (
    ("marks_files", "--tables waybills --large 0 --attacks 0"),
    ("marks_files", "--tables flights --large 0 --attacks 0"),
    ("marks_files", "--trials 0 --attacks 0"),
    ("marks_files", "--recipients 50 --trials 0 --large 0"),
    ("marks_trace", ""),
    ("marks_clean", ""),
    ("marks_speed", ""),
)


def part(module: str, arguments: str, told: str) -> str:
    """Give one part of the report: what was told, and how to make it again."""
    command = f"python -m benchmarks.{module} {arguments}".rstrip()
    heading, _, rest = told.strip().partition("\n")
    return f"{heading}\n\n`{command}`, {time.strftime('%Y-%m-%d', time.gmtime())}\n{rest}\n"


def measured(module: str, arguments: str) -> tuple[str, bool]:
    """Run one benchmark, telling what it tells as it goes; gives its part and whether its limits are kept."""
    words = [sys.executable, "-m", f"benchmarks.{module}", *arguments.split()]
    process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    lines = []
    for line in process.stdout or ():
        print(line, end="", flush=True)
        lines.append(line)
    return part(module, arguments, "".join(lines)), process.wait() == 0


def known() -> dict[str, str]:
    """Give the parts of the report as it is, by what they were made with."""
    text = REPORT.read_text("utf-8") if REPORT.exists() else ""
    pieces = re.split(r"<!-- (.+) -->\n", text)
    return dict(zip(pieces[1::2], (piece.strip() + "\n" for piece in pieces[2::2]), strict=True))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="?", default="", help="only the parts whose command holds this")
    only = parser.parse_args(arguments).only
    names = [" ".join(one).rstrip() for one in PARTS]
    told, all_kept = known(), True
    for name, one in zip(names, PARTS, strict=True):
        if only in name:
            told[name], kept = measured(*one)
            all_kept = all_kept and kept
        pieces = [f"<!-- {each} -->\n{told[each]}" for each in names if each in told]
        REPORT.write_text("\n".join([HEAD, *pieces]), "utf-8")
    return 0 if all_kept else 1


if __name__ == "__main__":
    sys.exit(main())
