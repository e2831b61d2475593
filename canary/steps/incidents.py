"""Which sightings belong to one leak: they share a solid canary, a release, a message, or a called number.

A match is solid where it is strong or the only one of its sighting: a call to a number that hundreds of
canaries have in common says nothing about any one of them, and must not draw their leaks into one incident.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, or_, select

from canary.model.sight import Match
from canary.store import incidents as store
from canary.store.rows import LOOKUP_KEYS, chunks
from canary.store.tables import canaries, incidents, matches, placements, sightings
from canary.store.tx import Tx

REACHED: Final = frozenset({"mail", "probe", "call", "sms"})
NOISE: Final = (
    0.01  # chance hits expected of a weak match in data, above which it opens no incident by itself
)
_other = matches.alias("other")


@dataclass(frozen=True, slots=True)
class Fact:
    """What is known of a canary without opening it."""

    serial: int
    kind: str
    dataset: str
    control: bool  # never handed to anybody
    releases: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Clue:
    """One new sighting, not yet stored: what is looked at to find its incident."""

    source: str
    sha256: str
    event: str
    matches: tuple[Match, ...]


def solid(found: Sequence[Match]) -> list[Match]:
    """Give the matches that link sightings."""
    return [one for one in found if one.strength == "strong" or len(found) == 1]


def opens(clue: Clue, facts: Mapping[str, Fact]) -> bool:
    """Tell whether a sighting is enough to open an incident; a contact of a control alone is noise."""
    if clue.event in REACHED:
        return any(not facts[one.canary].control for one in clue.matches)
    return any(one.strength == "strong" or one.expected_chance_hits <= NOISE for one in clue.matches)


class Grouper:
    """Finds or opens the incidents of the sightings of one transaction; what it found once it remembers."""

    def __init__(self, tx: Tx, facts: Mapping[str, Fact], now_ms: int, window_ms: int) -> None:
        self._tx, self._facts, self._now, self._since = tx, facts, now_ms, now_ms - window_ms
        self._known: dict[tuple[str, object], str] = {}

    def join(self, clue: Clue) -> tuple[str | None, bool]:
        """Give the incident a sighting belongs to (None: to none) and whether it was opened for it."""
        if not clue.matches:
            return None, False
        links = self._links(clue)
        found = next((self._known[link] for link in links if link in self._known), None)
        found = found or self._find(clue)
        fresh = found is None and opens(clue, self._facts)
        incident = store.open(self._tx, self._now).id if fresh else found
        if incident is not None:
            self._known.update(dict.fromkeys(links, incident))
        return incident, fresh

    def _links(self, clue: Clue) -> list[tuple[str, object]]:
        """Name what this sighting may share with another, the surest first."""
        links: list[tuple[str, object]] = [("message", (clue.source, clue.sha256))]
        shared = solid(clue.matches)
        for match in shared:
            links.append(("canary", match.canary))
            links.extend(("release", one) for one in self._facts[match.canary].releases)
        if not shared:
            links.append(("number", self._number(clue)))
        return links

    def _number(self, clue: Clue) -> tuple[int, int]:
        """Name a number that was reached, which canaries have in common, by the first of them and their count."""
        return min(self._facts[one.canary].serial for one in clue.matches), len(clue.matches)

    def _find(self, clue: Clue) -> str | None:
        """Find an open incident of before with a recent sighting that this one belongs to."""
        since, shared = self._since, [self._facts[one.canary] for one in solid(clue.matches)]
        queries = [_same_message(clue, since)]
        for part in chunks([one.serial for one in shared], LOOKUP_KEYS):
            queries.append(_of_matches(since).where(matches.c.canary.in_(part), _is_solid()))
        for part in chunks(sorted({each for one in shared for each in one.releases}), LOOKUP_KEYS):
            placed = select(placements.c.canary).where(placements.c.release.in_(part))
            queries.append(_of_matches(since).where(matches.c.canary.in_(placed), _is_solid()))
        if not shared:
            queries.append(self._same_number(clue))
        return next((id for one in queries if (id := self._tx.conn.scalar(one.limit(1))) is not None), None)

    def _same_number(self, clue: Clue) -> Select[Any]:
        """Look for a sighting with as many weak matches on one of the canaries: the same number was reached."""
        first, count = self._number(clue)
        same = matches.c.canary == first, matches.c.strength == "weak"
        return _of_matches(self._since).where(*same, _matches_of_sighting() == count)


def facts_of(tx: Tx, ids: Iterable[str]) -> dict[str, Fact]:
    """Look up canaries by id without unsealing them; unknown ones are left out."""
    found: dict[str, Fact] = {}
    joined = canaries.outerjoin(placements, placements.c.canary == canaries.c.serial)
    columns = canaries.c.serial, canaries.c.kind, canaries.c.dataset, canaries.c.control
    wanted = select(canaries.c.id, placements.c.release, *columns).select_from(joined)
    for part in chunks(sorted(set(ids)), LOOKUP_KEYS):
        for id, release, *rest in tx.conn.execute(wanted.where(canaries.c.id.in_(part))):
            fact = found.setdefault(id, Fact(*rest))
            if release is not None:
                fact.releases.append(release)
    return found


def _open(query: Select[Any], since_ms: int) -> Select[Any]:
    joined = query.join(incidents, incidents.c.id == sightings.c.incident)
    return joined.where(incidents.c.state == "open", sightings.c.seen_ms >= since_ms)


def _same_message(clue: Clue, since_ms: int) -> Select[Any]:
    same = sightings.c.source == clue.source, sightings.c.sha256 == clue.sha256
    return _open(select(sightings.c.incident), since_ms).where(*same, sightings.c.event != "probe")


def _of_matches(since_ms: int) -> Select[Any]:
    joined = select(sightings.c.incident).join(matches, matches.c.sighting == sightings.c.serial)
    return _open(joined, since_ms)


def _matches_of_sighting() -> ColumnElement[int]:
    count = select(func.count()).select_from(_other).where(_other.c.sighting == matches.c.sighting)
    return count.correlate(matches).scalar_subquery()


def _is_solid() -> ColumnElement[bool]:
    return or_(matches.c.strength == "strong", _matches_of_sighting() == 1)


def earlier(tx: Tx, serials: Iterable[int], event: str) -> int:
    """Count the sightings by an event that any one of these canaries had so far, at most."""
    joined = (
        select(func.count()).select_from(matches).join(sightings, matches.c.sighting == sightings.c.serial)
    )
    counted = joined.where(sightings.c.event == event).group_by(matches.c.canary)
    most = 0
    for part in chunks(serials, LOOKUP_KEYS):
        most = max([most, *tx.conn.scalars(counted.where(matches.c.canary.in_(part)))])
    return most
