"""Scan: find canaries in any bytes; stores nothing."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from canary.errors import OutsideError
from canary.model.evidence import Findings, ScanError
from canary.model.sight import Match
from canary.steps.tools import Tools
from canary.store import readings

if TYPE_CHECKING:
    from canary.steps.index import Lookup


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


def scan(tools: Tools, paths: Sequence[str]) -> ScanAnswer:
    """Scan files, folders, archives and standard input; gives every match with its holders."""
    from canary.scan.matches import matches_of
    from canary.steps.index import Lookup

    began = time.monotonic()
    with Lookup.open(tools) as lookup:
        findings = _search(tools, lookup, paths)
        canaries = {one.id: one for one in lookup.canaries(hit.canary for hit in findings.hits)}
        found = matches_of(findings, lookup.index, canaries)
        holders = lookup.holders(canaries)
    matches = tuple(_found(hit.file, match, *holders.get(match.canary, ((), ()))) for hit, match in found)
    return ScanAnswer(
        findings.bytes, round(time.monotonic() - began, 3), findings.files, findings.errors, matches
    )


def _found(file: str, match: Match, releases: tuple[str, ...], recipients: tuple[str, ...]) -> FoundMatch:
    return FoundMatch(
        match.canary, releases[0] if releases else None, recipients, match.field, match.transform, match.strength,
        file, match.member, match.offset, match.expected_chance_hits,
    )  # fmt: skip


def search(tools: Tools, paths: Sequence[str]) -> Findings:
    """Scan paths for a trace."""
    from canary.steps.index import Lookup

    with Lookup.open(tools) as lookup:
        return _search(tools, lookup, paths)


def _search(tools: Tools, lookup: Lookup, paths: Sequence[str]) -> Findings:
    from canary.scan.paths import scan_paths

    with ExitStack() as stack:
        places = [_place(stack, path) for path in paths]
        return scan_paths(places, lookup.index, lookup, tools.keys)


def _place(stack: ExitStack, path: str) -> Path:
    if path == "-":
        return _spooled(stack)
    place = Path(path)
    if not place.exists() and not place.is_symlink():
        raise OutsideError(f"no file or folder {path}", "check the path; an incident is named i-…")
    return place


def _spooled(stack: ExitStack) -> Path:
    import sys
    import tempfile

    from canary.files import spool_stdin

    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="canary-stdin-")))
    return spool_stdin(sys.stdin.buffer, folder)


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
