"""Scan: find canaries in any bytes; stores nothing unless it is asked to."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from canary.errors import CanaryError, OutsideError, UsageError
from canary.model.evidence import Findings, Hit, ScanError
from canary.model.sight import Match
from canary.steps.tools import Tools
from canary.store import readings

if TYPE_CHECKING:
    from canary.ports import Fetch
    from canary.scan.units import Unit
    from canary.scan.watched import Watch
    from canary.steps.index import Lookup
    from canary.steps.progress import Progress

STDIN: Final = "-"
MOST_THREADS: Final = 64
LARGE: Final = 4 << 20  # bytes from which the kernel is worth its start in every unit


@dataclass(frozen=True, slots=True)
class FoundMatch:
    """One match as `scan --json` tells it."""

    canary: str
    release: str | None
    recipients: tuple[str, ...]
    field: str
    transform: str
    strength: str
    file: str
    member: str | None
    offset: int
    expected_chance_hits: float


@dataclass(frozen=True, slots=True)
class ScanAnswer:
    """What one scan found."""

    bytes: int
    seconds: float
    files: int
    errors: tuple[ScanError, ...]
    matches: tuple[FoundMatch, ...]


@dataclass(frozen=True)
class Way:
    """How a scan is to go: in how many threads, whether an interrupted one goes on, what fetches addresses."""

    threads: int = 1
    resume: bool = False
    fetch: Fetch | None = None


@dataclass(frozen=True)
class Scanned:
    """What a scan found, with what a record of it needs: each hit judged, and the bytes that came by no file."""

    answer: ScanAnswer
    judged: tuple[tuple[Hit, Match], ...] = ()
    carried: dict[str, bytes] = field(default_factory=dict)


def scan(tools: Tools, paths: Sequence[str], way: Way | None = None) -> ScanAnswer:
    """Scan files, folders, archives, standard input and addresses; gives every match with its holders."""
    return scan_all(tools, paths, way or Way()).answer


def scan_all(tools: Tools, paths: Sequence[str], way: Way) -> Scanned:
    """Scan, and keep what a record of it would need."""
    from canary.scan.findings import joined
    from canary.scan.matches import matches_of
    from canary.steps.index import Lookup

    began = time.monotonic()
    if not 1 <= way.threads <= MOST_THREADS:
        raise UsageError(f"cannot scan in {way.threads} threads", f"give 1 to {MOST_THREADS}")
    files = [_place(path) for path in paths if not is_apart(path)]
    carried: dict[str, bytes] = {}
    with Lookup.open(tools) as lookup:
        apart = [_apart(tools, lookup, path, way, carried) for path in paths if is_apart(path)]
        findings = joined([*apart, *([_files(tools, lookup, files, way)] if files else [])])
        canaries = {one.id: one for one in lookup.canaries(hit.canary for hit in findings.hits)}
        found = matches_of(findings, lookup.index, canaries)
        holders = lookup.holders(canaries)
    matches = tuple(_found(hit.file, match, *holders.get(match.canary, ((), ()))) for hit, match in found)
    seconds = round(time.monotonic() - began, 3)
    answer = ScanAnswer(findings.bytes, seconds, findings.files, findings.errors, matches)
    return Scanned(answer, tuple(found), carried)


def _found(file: str, match: Match, releases: tuple[str, ...], recipients: tuple[str, ...]) -> FoundMatch:
    return FoundMatch(
        match.canary, releases[0] if releases else None, recipients, match.field, match.transform, match.strength,
        file, match.member, match.offset, match.expected_chance_hits,
    )  # fmt: skip


def is_address(path: str) -> bool:
    """Tell whether a path is an address to be fetched."""
    return path.lower().startswith(("http://", "https://"))


def is_apart(path: str) -> bool:
    """Tell whether a path is no file or folder: standard input or an address."""
    return path == STDIN or is_address(path)


def _place(path: str) -> Path:
    place = Path(path)
    if not place.exists() and not place.is_symlink():
        raise OutsideError(f"no file or folder {path}", "check the path; an incident is named i-…")
    return place


def _apart(tools: Tools, lookup: Lookup, path: str, way: Way, carried: dict[str, bytes]) -> Findings:
    from canary.scan.engine import scan_bytes

    if path == STDIN:
        with tempfile.TemporaryFile() as spool:  # it has no name: whatever happens, nothing of it stays
            return _spooled(tools, lookup, sys.stdin.buffer, spool)
    if way.fetch is None:
        raise UsageError("an address cannot be fetched here", "fetch it and scan the file")
    try:
        reply = way.fetch.get(path)
    except CanaryError as error:
        return Findings(errors=(ScanError(path, None, error.message),))
    if reply.status != 200:
        return Findings(errors=(ScanError(path, None, f"answered {reply.status}"),))
    carried[path] = reply.body
    return scan_bytes(reply.body, path, lookup.index, lookup, tools.keys)


def _spooled(tools: Tools, lookup: Lookup, source: BinaryIO, spool: BinaryIO) -> Findings:
    """Scan standard input from a copy: archives must be sought in, and a bomb is told by its size."""
    from canary.scan.budget import Budget, Spent
    from canary.scan.engine import scan_stream
    from canary.scan.fast import FastScan
    from canary.scan.parts import Place

    try:
        while data := source.read(1 << 20):
            spool.write(data)
    except OSError as error:
        raise OutsideError(
            f"cannot spool standard input: {error.strerror}", "make room in the temporary folder"
        ) from None
    size = spool.tell()
    spool.seek(0)
    run = FastScan(lookup.index, lookup, tools.keys)
    run.files, run.bytes = 1, size
    spent = Spent(Budget())
    spent.file(size)
    scan_stream(spool, Place(STDIN, packed=size), run, spent)
    return run.findings()


def _files(tools: Tools, lookup: Lookup, files: Sequence[Path], way: Way) -> Findings:
    from canary.scan.paths import scan_paths
    from canary.scan.units import SHARED, Unit, units_of

    units = list(units_of(files) if way.resume else units_of(files, SHARED))
    watch = watch_of(tools, sum(one.size for one in units if isinstance(one, Unit)))
    if way.threads == 1 and not way.resume:
        return scan_paths(files, lookup.index, lookup, tools.keys, watch=watch)
    progress = _progress(tools, lookup, files) if way.resume else None
    with progress or nullcontext():
        return _in_units(tools, lookup, units, way.threads, progress, watch)


def _progress(tools: Tools, lookup: Lookup, files: Sequence[Path]) -> Progress:
    from canary.scan.engine import ENGINE
    from canary.steps.progress import Progress

    known = readings.known(lookup.tx, ENGINE)
    return Progress(tools.folder, tools.keys, repr([str(one.absolute()) for one in files]), repr(known))


def watch_of(tools: Tools, total: int) -> Watch:
    """Make what shows how far a scan of so many bytes has come."""
    from canary.scan.watched import Watch

    return Watch(lambda done: tools.progress("scan", min(done, total), total))


def _in_units(
    tools: Tools,
    lookup: Lookup,
    units: Sequence[Unit | ScanError],
    threads: int,
    progress: Progress | None,
    watch: Watch,
) -> Findings:
    """Scan by units, in threads; with a progress what each came to is kept in it until all are done."""
    from canary.scan.fast import SLOWLY, FastScan
    from canary.scan.findings import findings_of, joined, plain_findings
    from canary.scan.units import Shared, read_all
    from canary.steps.lookout import Lookout

    parts = [one for one in units if not isinstance(one, ScanError)]
    large = sum(one.size for one in parts) > LARGE
    reader = Lookout(tools.registry)  # which threads may share

    def scans() -> Shared:
        return Shared(lambda: FastScan(lookup.index, reader, tools.keys, slowly=0 if large else SLOWLY))

    def apart(unit: Unit) -> Findings:
        alone = scans()
        return joined([alone.read(unit, watch), *alone.counted()])

    def done(unit: Unit, findings: Findings) -> None:
        if progress is not None:
            progress.add(unit.mark, plain_findings(findings))

    known = progress.done if progress is not None else {}
    before = {mark: findings_of(one) for mark, one in known.items() if isinstance(one, dict)}
    together = scans()
    read = apart if progress is not None else partial(together.read, watch=watch)
    found = read_all(parts, read, threads, before, done, watch)
    if progress is not None:
        progress.forget()
    errors = tuple(one for one in units if isinstance(one, ScanError))
    return joined([*found, *together.counted(), Findings(errors=errors)])


def search(tools: Tools, paths: Sequence[str]) -> Findings:
    """Scan files and folders for a trace."""
    from canary.steps.index import Lookup

    with Lookup.open(tools) as lookup:
        return _files(tools, lookup, [_place(path) for path in paths], Way())


def search_kept(tools: Tools, named: Sequence[tuple[str, bytes]], files: Sequence[Path]) -> Findings:
    """Scan bytes that are kept in the registry, each under its sighting, and files that were too big for it.

    What was found in a sighting is taken from its reading where no canary was issued since.
    """
    from canary.scan.engine import ENGINE, scan_bytes
    from canary.scan.findings import joined
    from canary.scan.paths import scan_paths
    from canary.steps.index import Lookup

    with tools.registry.read() as tx:
        knowledge = readings.known(tx, ENGINE)
        kept = [readings.get(tx, name, knowledge) for name, _ in named]
    if None not in kept and not files:
        return joined(filter(None, kept))
    with Lookup.open(tools) as lookup:
        read = [
            known or scan_bytes(data, name, lookup.index, lookup, tools.keys)
            for known, (name, data) in zip(kept, named, strict=True)
        ]
        return joined([*read, scan_paths(files, lookup.index, lookup, tools.keys)] if files else read)
