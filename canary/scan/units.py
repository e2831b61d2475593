"""What is read in one go by one thread: some small files, one file, or a stretch of a large plain one."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, Final, Protocol, TypeVar

from canary.model.evidence import Candidates, Findings, ScanError
from canary.scan.budget import Budget, Spent
from canary.scan.containers import opener_of
from canary.scan.decode import SNIFFED, Encoding, decode_runs, detect_encoding
from canary.scan.engine import STRETCH, read_part
from canary.scan.parts import Place, TextPart, reason_of, texts
from canary.scan.paths import files_in, opened, scan_file
from canary.scan.records import JSON, PROSE, Layout, detect_layout
from canary.scan.search import Scan
from canary.scan.watched import UNWATCHED, Watch, Watched

UNIT: Final = 64 << 20  # bytes of a unit
SHARED: Final = 4 << 20  # of one that some threads share, so that all of them have work to the end
FILES: Final = 1000  # of a unit
AROUND: Final = 4096  # bytes of prose that neighbouring stretches both see
TRIED: Final = 1 << 20  # bytes that are searched for a place to cut
FEW: Final = 1 << 16  # that are searched first


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a plain file, between places where records end, and how the file is divided."""

    start: int
    end: int
    layout: Layout


@dataclass(frozen=True, slots=True)
class Unit:
    """Files that are read one after the other, or one stretch of one; `mark` changes when they do."""

    files: tuple[Path, ...]
    size: int
    mark: str
    span: Span | None = None


def units_of(paths: Iterable[Path], unit: int = UNIT) -> Iterator[Unit | ScanError]:
    """Divide files and folders, in order."""
    held: list[tuple[Path, os.stat_result]] = []
    size = 0
    for path in paths:
        for found in files_in(path):
            if isinstance(found, ScanError):
                yield found
                continue
            try:
                about = found.stat()
            except OSError as error:
                yield ScanError(str(found), None, reason_of(error))
                continue
            if held and (size + about.st_size > unit or len(held) >= FILES):
                yield _unit(held)
                held, size = [], 0
            held.append((found, about))
            size += about.st_size
            if 2 * about.st_size > 3 * unit:
                held, size = [], 0
                yield from _stretches(found, about, max(unit, min(UNIT, about.st_size // 64)))
    if held:
        yield _unit(held)


def _unit(files: Sequence[tuple[Path, os.stat_result]], span: Span | None = None) -> Unit:
    size = sum(about.st_size for _, about in files) if span is None else span.end - span.start
    where = (span.start, span.end) if span else ()
    text = repr([(str(path.absolute()), about.st_size, about.st_mtime_ns, where) for path, about in files])
    mark = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
    return Unit(tuple(path for path, _ in files), size, mark, span)


def _stretches(path: Path, about: os.stat_result, unit: int) -> Iterator[Unit]:
    """Divide a plain file of lines; whatever else it is stays whole."""
    try:
        with opened(path) as stream:
            head = stream.read(SNIFFED)
            encoding = detect_encoding(head)
            cuts = [0]
            layout = PROSE
            if opener_of(head) is None and encoding.name in ("utf-8", "gb18030"):
                layout = detect_layout(head[encoding.bom :].decode(encoding.name, "surrogateescape"))
                cuts += _cuts(stream, about.st_size, layout, unit)
    except OSError:
        cuts = [0]
    if len(cuts) == 1:
        yield _unit([(path, about)])
        return
    for start, end in pairwise([*cuts, about.st_size]):
        yield _unit([(path, about)], Span(start, end, layout))


def _cuts(stream: BinaryIO, size: int, layout: Layout, unit: int) -> Iterator[int]:
    place = unit
    while place < size - unit // 2:
        cut = None
        for tried in (FEW, TRIED):
            if cut is None:
                stream.seek(place)
                cut = _cut(stream.read(tried), layout)
        if cut is not None:
            yield place + cut
            place += cut
        place += unit


def _cut(data: bytes, layout: Layout) -> int | None:
    """Choose a new line behind which a record begins: of JSON behind a brace, never inside a quoted cell."""
    place = 0
    while (place := data.find(b"\n", place) + 1) > 0:
        before = data[max(0, place - 8) : place].rstrip()
        if layout == JSON and not before.endswith((b"}", b"},", b"[", b"]")):
            continue
        if layout.quoted and any(
            line.count(b'"') % 2 for line in data[place : place + 16384].split(b"\n")[:12]
        ):
            continue
        return place
    return None


def read_unit(unit: Unit, scan: Scan, budget: Budget, watch: Watch = UNWATCHED) -> None:
    """Search what a unit holds."""
    spent = Spent(budget)
    if unit.span is not None:
        _read_span(unit.files[0], unit.span, scan, watch)
        return
    for path in unit.files:
        scan_file(path, scan, spent, watch)


def _read_span(path: Path, span: Span, scan: Scan, watch: Watch) -> None:
    """Search a stretch; of prose a little on both sides too, for what belongs together across its ends."""
    around = 0 if span.layout.is_table else AROUND
    start = max(0, span.start - around)
    scan.files += span.start == 0
    scan.bytes += span.end - span.start
    before = len(scan.hits)
    try:
        with opened(path) as file:
            size = min(span.end + around, os.fstat(file.fileno()).st_size) - start
            with Watched(file, watch, size, start) as stretch:
                for part in _parts(path, stretch.stream, start, span.layout):
                    if isinstance(part, ScanError):
                        scan.errors.append(part)
                    else:
                        read_part(part, scan)
    except OSError as error:
        scan.errors.append(ScanError(str(path), None, reason_of(error)))
    mine = [hit for hit in scan.hits[before:] if span.start <= hit.offset < span.end]
    scan.hits[before:] = [replace(hit, record=hit.record + span.start * STRETCH) for hit in mine]


def _parts(path: Path, stream: BinaryIO, start: int, layout: Layout) -> Iterator[TextPart | ScanError]:
    head = stream.read(SNIFFED) if start == 0 else b""
    for number, (encoding, chunks) in enumerate(decode_runs(stream, head)):
        placed = Encoding(encoding.name, encoding.bom + start)
        yield from texts(Place(str(path)), chunks, placed, layout, number)


class Shared:
    """Scans that read units by turns, one for each thread: what several units hold is then counted once a thread."""

    def __init__(self, make: Callable[[], Scan]) -> None:
        self._make = make
        self._all: list[Scan] = []
        self._free: list[Scan] = []

    def read(self, unit: Unit, watch: Watch = UNWATCHED) -> Findings:
        """Search what a unit holds; gives what was found, without the candidates."""
        try:
            scan = self._free.pop()
        except IndexError:
            scan = self._make()
            self._all.append(scan)
        read_unit(unit, scan, Budget(), watch)
        found = Findings(
            tuple(scan.hits), Candidates(), scan.rows, scan.bytes, scan.files, tuple(scan.errors)
        )
        scan.hits, scan.errors, scan.rows, scan.bytes, scan.files = [], [], 0, 0, 0
        self._free.append(scan)
        return found

    def counted(self) -> list[Findings]:
        """Give the candidates of all that was read."""
        return [scan.findings() for scan in self._all]


class Part(Protocol):
    """What one thread reads in one go: so many bytes, and a mark that tells it from others."""

    @property
    def mark(self) -> str:
        """What tells it from others."""
        ...

    @property
    def size(self) -> int:
        """How many bytes it has."""
        ...


P = TypeVar("P", bound=Part)


def read_all(
    units: Sequence[P],
    read: Callable[[P], Findings],
    threads: int,
    known: Mapping[str, Findings],
    done: Callable[[P, Findings], None],
    watch: Watch,
) -> list[Findings]:
    """Read units in some threads, those that are `known` not again; `done` is called for each as it ends.

    What interrupts this ends the threads at their next step.
    """
    found: dict[str, Findings] = {unit.mark: known[unit.mark] for unit in units if unit.mark in known}
    for unit in units:
        if unit.mark in known:
            watch.add(unit.size)
    with ThreadPoolExecutor(threads, "canary-scan") as pool:
        left = [unit for unit in units if unit.mark not in known]
        running: list[tuple[P, Future[Findings]]] = [(unit, pool.submit(read, unit)) for unit in left]
        try:
            for unit, future in running:
                found[unit.mark] = future.result()
                done(unit, found[unit.mark])
        except BaseException:
            watch.stop()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return [found[unit.mark] for unit in units]
