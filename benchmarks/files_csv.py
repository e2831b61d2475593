"""CPU time of one learning pass and one rewriting of a CSV file, against pyarrow reading and writing it.

Run: python benchmarks/files_csv.py [ROWS]
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
from pyarrow import csv

from canary.files import AtomicFile, Insertion, Sink, open_table, sha256_file

HEADINGS = ("waybill", "sender", "phone", "city", "address", "weight", "time", "fee", "status", "note")


def make(path: Path, rows: int, quoted: bool) -> None:
    rng = random.Random(1)
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(HEADINGS) + "\n")
        for number in range(rows):
            note = f'"签收, 本人 {number % 7}"' if quoted else f"签收 {number % 7}"
            file.write(
                f"SF{10**12 + number * 7},张三{number % 1000},138{rng.randrange(10**8):08d},上海市,"
                f"上海市浦东新区世纪大道{rng.randrange(3000)}号{rng.randrange(30)}室,{rng.random() * 20:.2f},"
                f"2024-05-{rng.randrange(1, 29):02d} {rng.randrange(24):02d}:{rng.randrange(60):02d}:00,"
                f"{rng.randrange(500) / 10},ok,{note}\n"
            )


def reference(path: Path, out: Path) -> None:
    options = csv.ConvertOptions(column_types=dict.fromkeys(HEADINGS, pa.string()))
    table = csv.read_csv(path, csv.ReadOptions(use_threads=False), None, options)
    csv.write_csv(table, out)


def learn(path: Path) -> None:
    assert sum(batch.rows.num_rows for batch in open_table(path).batches())


def rewrite(path: Path, out: Path, canaries: list[Insertion]) -> None:
    sha256_file(path)
    with AtomicFile(out) as file:
        open_table(path).rewrite([Sink(file, canaries)])
        file.commit()


def timed(what: Callable[[], None]) -> float:
    best = 1e9
    for _ in range(3):
        start = time.process_time()
        what()
        best = min(best, time.process_time() - start)
    return best


def main(rows: int) -> None:
    pa.set_cpu_count(1)
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder, "in.csv"), Path(folder, "out.csv")
        for quoted in (False, True):
            make(path, rows, quoted)
            row = dict.fromkeys(HEADINGS, "1")
            canaries = [Insertion(place, row) for place in range(0, rows, 500)]
            base = timed(lambda: reference(path, out))
            first = timed(lambda: learn(path))
            second = timed(lambda c=canaries: rewrite(path, out, c))
            print(
                f"quoted={quoted} {path.stat().st_size >> 20} MB: pyarrow {base:.2f} s, learn {first:.2f} s, "
                f"rewrite with digests {second:.2f} s, together {(first + second) / base:.2f} x"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
