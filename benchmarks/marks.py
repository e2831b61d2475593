"""Runs the benchmarks of marks, each in a process of its own, and keeps what they tell in docs/figures/marks.md.

    python -m benchmarks.marks [--whole]

Without --whole in sizes that take a quarter of an hour on a machine of one's own.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REPORT = ROOT / "docs" / "figures" / "marks.md"
HEAD = """# Marks in real rows, measured

Made by `python -m benchmarks.marks`; each part says its sizes and can be made alone. ε = 1e-6 in all; what the columns
mean, and why the bound holds, is in [fingerprint.md](../fingerprint.md). N is what the bar counts; `--recipients` hold
a copy and are scored in each trace, so an innocent could be named in each of them. Intervals are Wilson's of 95 %.
"""
SOME = (
    ("marks_files", "--recipients 100 --trials 20 --large 0 --attacks 0"),
    ("marks_files", "--trials 0 --attacks 0"),
    ("marks_files", "--recipients 50 --trials 0 --large 0 --attacks 3"),
    ("marks_trace", "--recipients 20000"),
    ("marks_validity", "--recipients 20000"),
    ("marks_clean", "--tables 6000"),
    ("marks_speed", ""),
)
WHOLE = tuple(
    (module, "") for module in ("marks_files", "marks_trace", "marks_validity", "marks_clean", "marks_speed")
)


def part(module: str, arguments: str, told: str) -> str:
    """Give one part of the report: what was told, and how to make it again."""
    command = f"python -m benchmarks.{module} {arguments}".rstrip()
    heading, _, rest = told.strip().partition("\n")
    return f"{heading}\n\n`{command}`\n{rest}\n"


def measured(module: str, arguments: str) -> tuple[str, bool]:
    """Run one benchmark, telling what it tells as it goes; gives its part and whether its limits are kept."""
    words = [sys.executable, "-m", f"benchmarks.{module}", *arguments.split()]
    process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    lines = []
    for line in process.stdout or ():
        print(line, end="", flush=True)
        lines.append(line)
    return part(module, arguments, "".join(lines)), process.wait() == 0


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--whole", action="store_true", help="100,000 keys and tables: some hours")
    given = parser.parse_args(arguments)
    parts = [measured(*one) for one in (WHOLE if given.whole else SOME)]
    REPORT.write_text("\n".join([HEAD, *(told for told, _ in parts)]), "utf-8")
    return 0 if all(kept for _, kept in parts) else 1


if __name__ == "__main__":
    sys.exit(main())
