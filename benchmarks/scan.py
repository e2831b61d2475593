"""How fast a scan reads: MB per CPU second of innocent tables, fast engine and plain, by how many were issued.

python benchmarks/scan.py [--megabytes 20] [--issued 1000 100000 1000000]
"""

from __future__ import annotations

import argparse
import io
import json
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from canary.keys import Keys
from canary.scan.budget import Budget, Spent
from canary.scan.engine import scan_stream
from canary.scan.fast import FastScan
from canary.scan.index import ArrayIndex
from canary.scan.parts import Place
from canary.scan.search import Scan

KEYS = Keys(bytes(range(32)))


class Nobody:
    """Opens no canary: innocent text has none."""

    def open_canaries(self, _serials: object) -> list[object]:
        return []


def innocent(megabytes: float) -> bytes:
    """Make a table of waybills that nobody issued."""
    rng = random.Random(1)
    rows = [
        f"YT{rng.randrange(10**13):013d},139{rng.randrange(10**8):08d},u{rng.randrange(10**7)}@163.com,"
        f"{rng.randrange(1, 999) / 10},2024-0{rng.randrange(1, 10)}-1{rng.randrange(10)} "
        f"12:{rng.randrange(10, 60)}:00\n"
        for _ in range(20_000)
    ]
    data = "".join(rows).encode()
    return b"no,phone,mail,weight,time\n" + data * max(1, round(megabytes * 1e6 / len(data)))


def phones(count: int) -> list[str]:
    rng = random.Random(2)
    return [f"14{rng.randrange(10**9):09d}" for _ in range(count)]


def cpu(work: Callable[[], object]) -> float:
    """Measure the least CPU time of three runs."""
    times = []
    for _ in range(3):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times)


def scan(kind: type[Scan], data: bytes, index: ArrayIndex) -> None:
    made = kind(index, Nobody(), KEYS)  # type: ignore[arg-type]
    if isinstance(made, FastScan):
        made.slowly = 0
    scan_stream(io.BytesIO(data), Place("innocent", packed=len(data)), made, Spent(Budget()))


def ripgrep(data: bytes, patterns: list[str]) -> float | None:
    """Measure ripgrep with the same patterns, None where it is not installed."""
    program = shutil.which("rg")
    if program is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "data").write_bytes(data)
        Path(folder, "patterns").write_text("\n".join(patterns))
        import resource

        began = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        subprocess.run([program, "-F", "-c", "-f", f"{folder}/patterns", f"{folder}/data"], check=False)
        return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - began


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--megabytes", type=float, default=20)
    parser.add_argument("--issued", type=int, nargs="*", default=[1000, 100_000, 1_000_000])
    asked = parser.parse_args()
    data = innocent(asked.megabytes)
    few = data[: 1 << 20]
    for count in asked.issued:
        values = phones(count)
        keys = KEYS.scan_keys("phone", values)
        rows = [(int(key), serial, "phone", 20.0) for serial, key in enumerate(keys.tolist(), 1)]
        rows += [(-serial, serial, form, 40.0) for serial, form in ((1, "code"), (2, "email"))]
        build = cpu(partial(ArrayIndex.build, rows))
        index = ArrayIndex.build(rows)
        index.holds(np.zeros(1, np.int64))
        scan(FastScan, data[:2000], index)
        fast = cpu(partial(scan, FastScan, data, index))
        plain = cpu(partial(scan, Scan, few, index))
        other = ripgrep(data, values) if count <= 100_000 else None
        print(json.dumps({
            "issued": count, "fast_mb_s": round(len(data) / fast / 1e6, 1),
            "plain_mb_s": round(len(few) / plain / 1e6, 2), "index_cpu_s_a_million": round(build / count * 1e6, 2),
            "ripgrep_mb_s": None if not other else round(len(data) / other / 1e6, 1),
        }))  # fmt: skip


if __name__ == "__main__":
    main()
