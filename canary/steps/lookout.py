"""The lookout: reads what was seen with an index that follows what is issued meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
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

    def ready(self) -> Glance:
        """Give eyes that know what is issued by now, for one batch; OutsideError where the registry fails."""
        return Glance(self, *self.index())

    def look(self, name: str, data: bytes | Path) -> Look:
        """Scan bytes or a file; whatever it stumbles over is told and never lost."""
        return self.ready().look(name, data)

    def look_by(self, name: str, data: bytes | Path, index: ArrayIndex, knowledge: Known) -> Look:
        """Scan by an index; whatever it stumbles over is told and never lost."""
        try:
            findings = self._findings(name, data, index)
            errors = [f"{one.member or one.file}: {one.reason}" for one in findings.errors]
            matched = self._matches(findings, index)
            return Look(matched, errors[0] if errors else None, Reading(knowledge, findings))
        except CanaryError:
            raise
        except Exception as error:  # a hostile item must not keep the others from being stored
            return Look((), f"the scan stumbled: {type(error).__name__}")

    def _findings(self, name: str, data: bytes | Path, index: ArrayIndex) -> Findings:
        from canary.scan.engine import scan_bytes
        from canary.scan.paths import scan_paths

        if isinstance(data, Path):
            return scan_paths([data], index, self, self._registry.keys)
        return scan_bytes(data, name, index, self, self._registry.keys)

    def _matches(self, findings: Findings, index: ArrayIndex) -> tuple[Match, ...]:
        from canary.scan.matches import matches_of

        if not findings.hits:
            return ()
        with self._registry.read() as tx:
            found = {one.id: one for one in store.by_ids(tx, sorted({hit.canary for hit in findings.hits}))}
        return strongest(match for _, match in matches_of(findings, index, found))

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


@dataclass(frozen=True, slots=True)
class Glance:
    """The lookout as of one moment: whether its index is the newest is asked once, and not for each item."""

    lookout: Lookout
    known_index: ArrayIndex
    knowledge: Known

    def ready(self) -> Glance:
        """Give itself."""
        return self

    def look(self, name: str, data: bytes | Path) -> Look:
        """Scan bytes or a file; whatever it stumbles over is told and never lost."""
        return self.lookout.look_by(name, data, self.known_index, self.knowledge)
