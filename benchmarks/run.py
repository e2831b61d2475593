"""Runs every benchmark, each in a process of its own, and keeps what they tell in docs/figures/bench.md.

    python benchmarks/run.py [MODULE …]

With modules, those sections alone are measured again and the others stay as they are.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REPORT = ROOT / "docs" / "figures" / "bench.md"


@dataclass(frozen=True)
class Section:
    """One section of the report: a module that can be run alone, and how; a title where it tells plain lines."""

    module: str
    arguments: tuple[str, ...] = ()
    title: str = ""


SECTIONS = (
    Section("benchmarks.tag"),
    Section("benchmarks.tag_marks", ("--rows", "500000")),
    Section("benchmarks.marks_speed"),
    Section("benchmarks.marks"),
    Section("benchmarks.registry", title="Registry: issuing and look-ups (SQLite)"),
    Section(
        "benchmarks.scan", ("--megabytes", "50"), title="Scan: GB a CPU second by identifiers and by text"
    ),
    Section("benchmarks.watch", title="Watch: mails, sources, alerts"),
)


def processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def head() -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in ("pyarrow", "numpy", "sqlalchemy"))
    return (
        "# Benchmarks\n\n"
        f"Made by `make bench` with Python {platform.python_version()}, {packages}; each section names its machine.\n"
        "Start-up is off both sides; CPU seconds are those of the process and its children."
    )


def benchmark(section: Section) -> tuple[str, bool]:
    """Run one benchmark, telling what it tells as it goes; gives its section and whether its limits are kept."""
    busy = os.getloadavg()[0]
    process = subprocess.Popen(
        [sys.executable, "-m", section.module, *section.arguments],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    lines = []
    for line in process.stdout or ():
        print(line, end="", flush=True)
        lines.append(line)
    kept = process.wait() == 0
    told = "".join(lines).strip()
    if section.title:
        told = f"## {section.title}\n\n```text\n{told}\n```"
    command = " ".join([f"python -m {section.module}", *section.arguments])
    day, cores = time.strftime("%Y-%m-%d", time.gmtime()), f"{os.cpu_count()} cores of {processor()}"
    made = f"`{command}`, {day}, on {cores}, {busy:.1f} processes at work before it began"
    return f"{told}\n\n{made}{'' if kept else '; **a limit was not kept**'}", kept


def known() -> dict[str, str]:
    """Give the sections of the report as it is, by module."""
    text = REPORT.read_text("utf-8") if REPORT.exists() else ""
    parts = re.split(r"<!-- ([\w.]+) -->\n", text)
    return dict(zip(parts[1::2], (part.strip() for part in parts[2::2]), strict=True))


def main(asked: Sequence[str]) -> int:
    names = [section.module for section in SECTIONS]
    if unknown := [name for name in asked if name not in names]:
        print(f"error: no benchmark {unknown[0]}\nhint: there are {', '.join(names)}", file=sys.stderr)
        return 2
    told, all_kept = known() if asked else {}, True
    for section in SECTIONS:
        if not asked or section.module in asked:
            told[section.module], kept = benchmark(section)
            all_kept = all_kept and kept
        parts = [f"<!-- {name} -->\n{told[name]}" for name in names if name in told]
        REPORT.write_text("\n\n".join([head(), *parts]) + "\n", "utf-8")
    if not all_kept:
        print("error: a limit was not kept\nhint: see docs/figures/bench.md", file=sys.stderr)
    return 0 if all_kept else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
