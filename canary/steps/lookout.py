"""The lookout: reads what was seen with an index that follows what is issued meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from canary.errors import CanaryError
from canary.model.canary import Canary
from canary.model.evidence import Findings, Known, Reading
from canary.model.sight import Match
from canary.steps.index import file_of, issued_index
from canary.store import canaries as store

if TYPE_CHECKING:
    from canary.scan.index import ArrayIndex
    from canary.scan.indexfile import Stored
    from canary.store.registry import Registry


Thing = tuple[str, bytes | Path]
"""What is looked at: its name, and its bytes or where they lie."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was found in one thing, and why some of it could not be read (None where all could).

    `reading` is the whole of it, None where the scan broke off.
    """

    matches: tuple[Match, ...] = ()
    error: str | None = None
    reading: Reading | None = None


def strongest(found: Iterable[Match]) -> tuple[Match, ...]:
    """Keep one match a canary: the strongest of those in one thing, with the fields of all."""
    kept: dict[str, Match] = {}
    for match in found:
        other = kept.setdefault(match.canary, match)
        best = min(other, match, key=lambda one: (one.strength != "strong", one.expected_chance_hits))
        kept[match.canary] = replace(best, fields=tuple(sorted({*other.fields, *match.fields})))
    return tuple(kept.values())


class Lookout:
    """Finds canaries in what was seen; safe to share between threads."""

    def __init__(self, registry: Registry, folder: Path | None = None) -> None:
        self._registry = registry
        self._folder = folder  # of the home that keeps the index
        self._held: Stored | None = None
        self._lock = threading.Lock()

    def look(self, name: str, data: bytes | Path) -> Look:
        """Scan bytes or a file."""
        return self.look_all([(name, data)])[0]

    def look_all(self, things: Sequence[Thing]) -> list[Look]:
        """Scan bytes and files, those of one batch by what is issued at its start.

        Whatever a scan stumbles over is told and never lost; raises OutsideError where the registry fails.
        """
        index, knowledge = self.index()
        found = self._findings(things, index)
        canaries = self._canaries(found)
        return [_look(each, index, knowledge, canaries) for each in found]

    def _findings(self, things: Sequence[Thing], index: ArrayIndex) -> list[Findings | Exception]:
        """Scan: what is carried at once, a file by itself."""
        from canary.scan.sieve import scan_many

        carried = [(name, data) for name, data in things if isinstance(data, bytes)]
        read = iter(scan_many(carried, index, self, self._registry.keys))
        return [next(read) if isinstance(data, bytes) else self._of_file(data, index) for _, data in things]

    def _of_file(self, path: Path, index: ArrayIndex) -> Findings | Exception:
        from canary.scan.paths import scan_paths

        try:
            return scan_paths([path], index, self, self._registry.keys)
        except CanaryError:
            raise
        except Exception as error:  # a hostile file must not keep the others from being stored
            return error

    def _canaries(self, found: Iterable[Findings | Exception]) -> dict[str, Canary]:
        """Open the canaries that were hit."""
        ids = {hit.canary for one in found if isinstance(one, Findings) for hit in one.hits}
        if not ids:
            return {}
        with self._registry.read() as tx:
            return {one.id: one for one in store.by_ids(tx, sorted(ids))}

    def index(self) -> tuple[ArrayIndex, Known]:
        """Give the index of all canaries issued by now, and how far it goes; OutsideError where the registry fails."""
        from canary.scan.engine import ENGINE

        with self._lock, self._registry.read() as tx:
            file = file_of(self._registry, self._folder) if self._folder is not None else None
            self._held = issued_index(tx, file, self._held)
            return self._held.index, Known(ENGINE, self._held.newest, self._held.issued)

    def open_canaries(self, serials: Sequence[int]) -> Sequence[Canary]:
        """Unseal canaries by serial, to confirm a hit field by field."""
        with self._registry.read() as tx:
            return store.by_serials(tx, serials)


def _look(
    found: Findings | Exception, index: ArrayIndex, knowledge: Known, canaries: Mapping[str, Canary]
) -> Look:
    """Judge what was found in one thing."""
    from canary.scan.matches import matches_of

    if isinstance(found, Exception):
        return Look((), f"the scan stumbled: {type(found).__name__}")
    errors = [f"{one.member or one.file}: {one.reason}" for one in found.errors]
    matched = strongest(match for _, match in matches_of(found, index, canaries))
    return Look(matched, errors[0] if errors else None, Reading(knowledge, found))
