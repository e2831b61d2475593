"""How fast a scan reads: GB per CPU second of innocent tables by how many identifiers were issued, beside its peers.

python benchmarks/scan.py [--megabytes 100] [--issued 1000 100000 1000000 10000000] [--peers PYTHON] [--plot FILE]

Peers search the same file for as many phone numbers: ripgrep where `rg` is installed (--fixed-strings, --count), and
ahocorasick_rs, daachorse and polars where the Python of --peers has them. CPU time of the search alone, without
start-up and the building of automata; the least of some runs.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from canary.keys import Keys
from canary.model.canary import Canary
from canary.model.evidence import Findings
from canary.native import code_of
from canary.scan.budget import Budget, Spent
from canary.scan.engine import scan_stream
from canary.scan.fast import FastScan
from canary.scan.findings import joined
from canary.scan.identifiers import Rows, rows_of
from canary.scan.index import ArrayIndex
from canary.scan.indexfile import IndexFile, Stored
from canary.scan.kernel import Sweeper
from canary.scan.parts import Place
from canary.scan.pieces import pieces
from canary.scan.records import LINES_OF_TABLE
from canary.scan.sweepviews import enter
from canary.scan.sweepwork import key_table
from canary.scan.units import SHARED, Shared, Unit, read_all, units_of
from canary.scan.watched import UNWATCHED
from canary.steps.index import batches
from canary.store.registry import Registry

START = """
import sys, time, json, types
from canary.keys import Keys
from canary.scan.engine import scan_stream
from canary.scan.budget import Budget, Spent
from canary.scan.fast import FastScan
from canary.scan.index import ArrayIndex
from canary.scan.parts import Place
index = ArrayIndex.build([(number, number, 'phone', 40.0) for number in range(10)])
nobody = types.SimpleNamespace(open_canaries=lambda serials: [])
times = [time.process_time()]
for _ in range(2):
    made = FastScan(index, nobody, Keys(bytes(32)), slowly=-1)
    with open(sys.argv[1], 'rb') as stream:
        scan_stream(stream, Place('small', packed=18), made, Spent(Budget()))
    times.append(time.process_time())
print(json.dumps([times[0], times[1] - times[0], times[2] - times[1]]))
"""
STARTS = 8
KEYS = Keys(bytes(range(32)))
FORMS = ("phone", "code", "email")
SHAPES = frozenset({"phone:mobile", "code:15", "email"})  # of what `issued` makes: mobiles, waybills, aliases
INVISIBLE = "\u200b"
PEERS_UP_TO = 1_000_000
PEER = """
import sys, time, json
data = open(sys.argv[2], 'rb').read()
words = open(sys.argv[3], 'rb').read().split()
def least(work):
    times = []
    for _ in range(2):
        began = time.process_time(); work(); times.append(time.process_time() - began)
    return min(times)
if sys.argv[1] == 'ahocorasick_rs':
    import ahocorasick_rs
    made = ahocorasick_rs.BytesAhoCorasick(words)
    print(least(lambda: made.find_matches_as_indexes(data)))
elif sys.argv[1] == 'daachorse':
    import daachorse
    made = daachorse.DoubleArrayAhoCorasick(sorted(set(words)))
    print(least(lambda: made.find(data)))
else:
    import polars as pl
    known = pl.DataFrame({'t': [word.decode() for word in words]})
    def search():
        lines = pl.Series('l', data.decode().split('\\n'))
        lines.str.extract_all('[0-9A-Za-z@.]{5,}').explode().to_frame('t').join(known, on='t', how='semi')
    print(least(search))
"""


class Nobody:
    """Opens no canary: innocent text has none."""

    def open_canaries(self, serials: Sequence[int]) -> Sequence[Canary]:  # noqa: ARG002 - the port names it
        return []


def waybills(rng: random.Random) -> str:
    return (
        f"YT{rng.randrange(10**13):013d},139{rng.randrange(10**8):08d},u{rng.randrange(10**7)}@163.com,"
        f"{rng.randrange(1, 999) / 10},2024-0{rng.randrange(1, 10)}-1{rng.randrange(10)} "
        f"12:{rng.randrange(10, 60)}:00\n"
    )


def parcels(rng: random.Random) -> str:
    """Make a row with a name and an address."""
    road = "".join(rng.sample("人民中山解放建设文化长江黄河", 2))
    return (
        f"YT{rng.randrange(10**13):013d},{rng.choice('张李王赵陈')}{rng.choice('伟娜芳敏')},"
        f"139{rng.randrange(10**8):08d},浙江省杭州市西湖区{road}路{rng.randrange(1, 999)}号"
        f"{rng.randrange(1, 30)}幢{rng.randrange(101, 2000)}室,已签收\n"
    )


def prose(rng: random.Random) -> str:
    hour, door = rng.randrange(1, 12), rng.randrange(1, 400)
    return (
        f"The parcel was left at the door of number {door} at {hour} o'clock; nobody at home had seen who took it, "
        "and the neighbours were told at noon that another one would be sent.\n"
    )


def issued(rng: random.Random, number: int) -> str:
    """Make a value of a canary, which looks like those of the table."""
    if number % 3 == 0:
        return f"139{rng.randrange(10**8):08d}"
    return f"YT{rng.randrange(10**13):013d}" if number % 3 == 1 else f"u{rng.randrange(10**7)}@163.com"


def spelt(rng: random.Random) -> str:
    """Make a row of other spellings alone."""
    phone = f"139{rng.randrange(10**8):08d}"
    wide = phone.translate({48 + digit: 0xFF10 + digit for digit in range(10)})
    entities = "".join(f"&#{ord(sign)};" for sign in phone)
    return f"{wide},{entities},{INVISIBLE.join(phone)},u{rng.randrange(10**6)} [at] 163.com\n"


def table(path: Path, row: Callable[[random.Random], str], megabytes: float, head: str = "") -> None:
    """Write a file of rows, no row of a few megabytes twice."""
    rng = random.Random(1)
    data = "".join(row(rng) for _ in range(40_000)).encode()
    with path.open("wb") as file:
        file.write(head.encode())
        for _ in range(max(1, round(megabytes * 1e6 / len(data)))):
            file.write(data)


def cpu(work: Callable[[], object], runs: int = 3) -> float:
    """Measure the least CPU time of some runs."""
    times = []
    for _ in range(runs):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times)


def index_of(count: int, forms: Iterable[str] = FORMS) -> tuple[ArrayIndex, float]:
    """Make an index of so many identifiers; gives it with the CPU seconds that took, its Bloom filter included."""
    keys = np.random.default_rng(2).integers(-(2**63), 2**63, count, dtype=np.int64)
    names = tuple(forms)
    numbers = (np.arange(count) % len(names)).astype(np.uint8)
    rows = Rows(keys, np.arange(1, count + 1), numbers, np.full(count, 40.0), names)
    began = time.process_time()
    index = ArrayIndex.of([rows])
    index.shapes = SHAPES
    index.bloom()
    return index, time.process_time() - began


def scan(path: Path, index: ArrayIndex) -> None:
    made = FastScan(index, Nobody(), KEYS, slowly=-1)
    with path.open("rb") as stream:
        scan_stream(stream, Place(str(path), packed=path.stat().st_size), made, Spent(Budget()))


def kernel(path: Path, index: ArrayIndex) -> None:
    """Sweep a file as the scan does, without decoding it first."""
    sweeper = Sweeper(key_table(KEYS), frozenset(FORMS), index.bloom(), index.shapes, index.sorted_keys())
    with path.open("r", encoding="utf-8", newline="") as text:
        for piece in pieces(iter(partial(text.read, 1 << 20), ""), LINES_OF_TABLE):
            sweeper.sweep(piece, LINES_OF_TABLE)


def ripgrep(path: Path, words: Path) -> float | None:
    """Give the CPU seconds of ripgrep, start-up and automaton included as they are in each of its runs."""
    program = shutil.which("rg")
    if program is None:
        return None
    began = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([program, "-F", "-c", "-j1", "-f", words, path], check=False, stdout=subprocess.DEVNULL)
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime


def peer(python: str, name: str, path: Path, words: Path) -> float | None:
    done = subprocess.run(
        [python, "-c", PEER, name, path, words], check=False, capture_output=True, text=True
    )
    return float(done.stdout) if done.returncode == 0 else None


def speed(path: Path, seconds: float | None) -> float | None:
    """Give GB per CPU second."""
    return None if not seconds else round(path.stat().st_size / seconds / 1e9, 3)


def by_count(
    folder: Path, counts: list[int], megabytes: float, python: str | None
) -> list[dict[str, object]]:
    """Measure by how many were issued."""
    path, few = folder / "waybills.csv", folder / "few.csv"
    table(path, waybills, megabytes, "no,phone,mail,weight,time\n")
    table(few, waybills, min(megabytes, 20), "no,phone,mail,weight,time\n")
    found: list[dict[str, object]] = []
    for count in counts:
        index, build = index_of(count)
        line: dict[str, object] = {"issued": count, "canary": speed(path, cpu(partial(scan, path, index)))}
        line["kernel alone"] = speed(path, cpu(partial(kernel, path, index)))
        line["index, CPU s a million"] = round(build / count * 1e6, 3)
        del index
        if count <= PEERS_UP_TO:
            words = folder / "words"
            rng = random.Random(3)
            values = (issued(rng, number) for number in range(count))
            words.write_text("".join(f"{each}\n" for each in values))
            line["ripgrep"] = speed(few, ripgrep(few, words))
            for name in ("ahocorasick_rs", "daachorse", "polars") if python else ():
                line[name] = speed(few, peer(str(python), name, few, words))
        print(json.dumps(line), flush=True)
        found.append(line)
    return found


def by_text(folder: Path, megabytes: float) -> None:
    """Measure what is read at one count: a plain table, tables with addresses, prose, other spellings alone."""
    index, _ = index_of(1_000_000)
    plain = 0.0
    for name, row in (
        ("waybills", waybills),
        ("parcels", parcels),
        ("prose", prose),
        ("other spellings", spelt),
    ):
        path = folder / "text"
        table(path, row, megabytes)
        rate = cpu(partial(scan, path, index)) / path.stat().st_size
        plain = plain or rate
        print(
            json.dumps(
                {"text": name, "canary": round(1e-9 / rate, 3), "times slower": round(rate / plain, 1)}
            ),
            flush=True,
        )


def starting(folder: Path) -> None:
    """Measure what the kernel costs to compile, and what a fresh process needs until it has scanned its first lines."""
    began = time.process_time()
    code = code_of(enter)
    print(json.dumps({"compile, CPU s": round(time.process_time() - began, 2), "bytes of code": len(code)}))
    small = folder / "small"
    small.write_text("a,b\n1,13912345678\n")
    home = folder / "home"
    for words in (
        ["init"],
        ["generate", "waybill", "--count", "60", "--output", folder / "made.csv"],
        ["recipient", "add", "acme", "--kind", "partner"],
        ["tag", folder / "made.csv", "--recipient", "acme", "--output", folder / "tagged.csv"],
    ):
        command([*words, "--home", home], folder)
    found, whole = [], []
    for _ in range(STARTS):
        found.append(json.loads(python(["-c", START, small], folder)[0]))
        whole.append(command(["scan", small, "--home", home], folder))
    told = (statistics.median(each) for each in zip(*found[1:], strict=True))  # the first one writes bytecode
    line = dict(
        zip(("imports, CPU s", "first scan", "second scan"), (round(each, 3) for each in told), strict=True)
    )
    line["the whole command"] = round(statistics.median(whole[1:]), 3)
    print(json.dumps(line), flush=True)


def python(words: Sequence[object], folder: Path) -> tuple[str, float]:
    """Run Python as it is installed, with its bytecode kept; gives what it said and the CPU seconds it took."""
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    path = os.pathsep.join([str(Path(__file__).parents[1]), kept.get("PYTHONPATH", "")])
    began = resource.getrusage(resource.RUSAGE_CHILDREN)
    made = subprocess.run(
        [sys.executable, *map(str, words)],
        check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=folder,
        env={**kept, "PYTHONPYCACHEPREFIX": str(folder / "bytecode"), "PYTHONPATH": path},
    )  # fmt: skip
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return made.stdout, ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime


def command(words: Sequence[object], folder: Path) -> float:
    """Run a command of canary in a process of its own; gives its CPU seconds."""
    return python(["-m", "canary", *words], folder)[1]


def waited() -> float:
    """Give the seconds that this thread has waited for a core, where the system says so (Linux)."""
    try:
        return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9
    except OSError:
        return 0.0


def in_threads(path: Path, index: ArrayIndex, threads: int) -> float:
    """Scan a file as `canary scan --threads` does; gives the seconds that it takes where every thread has a core."""
    began, spent = time.thread_time(), []
    units = [one for one in units_of([path], SHARED) if isinstance(one, Unit)]
    scans = Shared(lambda: FastScan(index, Nobody(), KEYS, slowly=-1))

    def read(unit: Unit) -> Findings:
        began = time.perf_counter() - waited()
        found = scans.read(unit)
        spent.append(time.perf_counter() - waited() - began)
        return found

    joined([*read_all(units, read, threads, {}, lambda *_: None, UNWATCHED), *scans.counted()])
    return time.thread_time() - began + sum(spent) / threads


def by_threads(folder: Path) -> None:
    """Measure what two threads gain, by the clock and where none waits for a core, and what they cost in CPU time."""
    index, _ = index_of(1_000_000)
    in_threads(folder / "waybills.csv", index, 1)
    found = []
    for _ in range(15):
        times = []
        for threads in (1, 2):
            began = time.perf_counter(), time.process_time()
            free = in_threads(folder / "waybills.csv", index, threads)
            times.append((time.perf_counter() - began[0], free, time.process_time() - began[1]))
        found.append([one / two for one, two in zip(*times, strict=True)])
    clock, free, cpu = (statistics.median(each) for each in zip(*found, strict=True))
    told = {
        "two threads, times as fast by the clock": round(clock, 2),
        "where none waits for a core": round(free, 2),
        "times the CPU of one": round(1 / cpu, 2),
    }
    print(json.dumps(told), flush=True)


def from_registry(folder: Path, count: int = 300_000) -> None:
    """Measure the index of a registry in SQLite, made from it and then read from its file."""
    registry = Registry.create(f"sqlite:///{folder / 'canary.db'}", KEYS)
    keys = np.random.default_rng(2).integers(-(2**63), 2**63, count, dtype=np.int64).tolist()
    with registry.begin() as tx:
        tx.conn.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        rows = [
            (n, n, "phone", "phone", n.to_bytes(16, "big"), key, 20.0, False) for n, key in enumerate(keys, 1)
        ]
        marks = ", ".join("?" * 8)
        tx.conn.exec_driver_sql(
            f"INSERT INTO identifiers (serial, canary, role, form, digest, scan_key, bits, shared) VALUES ({marks})",
            rows,
        )
        began = time.process_time()
        index = ArrayIndex.of(batches(tx))
        made = time.process_time() - began
        file = IndexFile(folder / "index", KEYS)
        file.save(Stored(index, count, count))
        began = time.process_time()
        file.load()
        read = time.process_time() - began
        size = (folder / "index").stat().st_size + index.bloom().nbytes
        tx.conn.exec_driver_sql("DELETE FROM identifiers")
    registry.close()
    print(json.dumps({
        "from the registry, CPU s a million": round(made / count * 1e6, 2),
        "from its file, CPU s a million": round(read / count * 1e6, 3), "bytes an identifier": round(size / count, 1),
    }), flush=True)  # fmt: skip


def adding() -> None:
    """Measure what one more identifier costs an index of a million."""
    index, _ = index_of(1_000_000)
    began = time.process_time()
    for number in range(100):
        index = index.added(rows_of([(number, number, "phone", 20.0)]))
    print(json.dumps({"adding one, CPU ms": round((time.process_time() - began) * 10, 3)}), flush=True)


def plot(lines: list[dict[str, object]], path: Path) -> None:
    """Draw speed by the number of identifiers."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.subplots()
    for name in ("canary", "ripgrep", "ahocorasick_rs", "daachorse", "polars"):
        known = [(line["issued"], line[name]) for line in lines if line.get(name)]
        if known:
            axes.plot(*zip(*known, strict=True), marker="o", label=name)  # type: ignore[arg-type]
    axes.set(xscale="log", yscale="log", xlabel="identifiers issued", ylabel="GB per CPU second")
    axes.legend(frameon=False)
    figure.savefig(path)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--megabytes", type=float, default=100)
    parser.add_argument("--issued", type=int, nargs="*", default=[1000, 100_000, 1_000_000, 10_000_000])
    parser.add_argument("--peers", metavar="PYTHON")
    parser.add_argument("--plot", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        starting(folder)
        lines = by_count(folder, asked.issued, asked.megabytes, asked.peers)
        if asked.plot:
            plot(lines, asked.plot)
        by_text(folder, asked.megabytes)
        by_threads(folder)
        from_registry(folder)
        adding()


if __name__ == "__main__":
    main()
