"""Runs every benchmark, each in a process of its own, and keeps what they tell in docs/figures/bench.md."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REPORT = ROOT / "docs" / "figures" / "bench.md"


def processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def head() -> list[str]:
    packages = ", ".join(f"{name} {version(name)}" for name in ("pyarrow", "numpy", "sqlalchemy"))
    return [
        "# Benchmarks",
        "",
        f"Made by `make bench` on {time.strftime('%Y-%m-%d', time.gmtime())}: {os.cpu_count()} cores of {processor()}, "
        f"Python {platform.python_version()}, {packages}.",
        "Start-up is off both sides; CPU seconds are those of the process and its children.",
        "",
    ]


def benchmark(module: str, *arguments: str) -> tuple[str, bool]:
    """Run one benchmark, telling what it tells as it goes."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    lines = []
    for line in process.stdout or ():
        print(line, end="", flush=True)
        lines.append(line)
    return "".join(lines), process.wait() == 0


def section(title: str, told: str) -> str:
    return f"## {title}\n\n```text\n{told.rstrip()}\n```\n"


def main() -> int:
    tagging, tagged = benchmark("benchmarks.tag")
    registry, looked = benchmark("benchmarks.registry")
    watching, watched = benchmark("benchmarks.watch")
    parts = [
        section("Registry: issuing and look-ups (SQLite)", registry),
        section("Watch: mails, sources, alerts", watching),
    ]
    REPORT.write_text("\n".join([*head(), tagging.rstrip(), "", *parts]), "utf-8")
    kept = tagged and looked and watched
    if not kept:
        print("error: a limit was not kept\nhint: see docs/figures/bench.md", file=sys.stderr)
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
