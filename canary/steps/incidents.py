"""Which sightings belong to one leak: they share a solid canary, a release, a message, or a called number.

A match is solid where it is strong or the only one of its sighting: a call to a number that hundreds of
canaries have in common says nothing about any one of them, and must not draw their leaks into one incident.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, or_, select

from canary.model.sight import Match
from canary.store import incidents as store
from canary.store.rows import LOOKUP_KEYS, chunks
from canary.store.tables import canaries, incidents, matches, placements, sightings
from canary.store.tx import Tx

REACHED: Final = frozenset({"mail", "probe", "call", "sms", "access"})
NOISE: Final = (
    0.01  # chance hits expected of a weak match in data, above which it opens no incident by itself
)
_other = matches.alias("other")


@dataclass(frozen=True, slots=True)
class Clue:
    """One new sighting, not yet stored: what is looked at to find its incident."""

    source: str
    sha256: str
    event: str
    matches: tuple[Match, ...]
    controls: Collection[str]  # canaries among them that were never handed to anybody


def solid(found: Sequence[Match]) -> list[Match]:
    """Give the matches that link sightings."""
    return [one for one in found if one.strength == "strong" or len(found) == 1]


def opens(clue: Clue) -> bool:
    """Tell whether a sighting is enough to open an incident."""
    if clue.event in REACHED:
        return any(one.canary not in clue.controls for one in clue.matches)
    return any(one.strength == "strong" or one.expected_chance_hits <= NOISE for one in clue.matches)


def join(tx: Tx, clue: Clue, now_ms: int, window_ms: int) -> tuple[str | None, bool]:
    """Give the incident a sighting belongs to (None: to none) and whether it was opened for it."""
    if not clue.matches:
        return None, False
    found = find(tx, clue, now_ms - window_ms)
    if found is not None or not opens(clue):
        return found, False
    return store.open(tx, now_ms).id, True


def find(tx: Tx, clue: Clue, since_ms: int) -> str | None:
    """Find an open incident with a sighting since a time that this one belongs to."""
    serials = _serials(tx, [one.canary for one in solid(clue.matches)])
    queries = [_same_message(clue, since_ms)]
    for part in chunks(serials, LOOKUP_KEYS):
        queries.append(_of_matches(since_ms).where(matches.c.canary.in_(part), _is_solid()))
    for part in chunks(_releases(tx, serials), LOOKUP_KEYS):
        placed = select(placements.c.canary).where(placements.c.release.in_(part))
        queries.append(_of_matches(since_ms).where(matches.c.canary.in_(placed), _is_solid()))
    if not serials:
        queries.append(_same_number(tx, clue, since_ms))
    return next((id for query in queries if (id := tx.conn.scalar(query.limit(1))) is not None), None)


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


def _same_number(tx: Tx, clue: Clue, since_ms: int) -> Select[Any]:
    """Look for a sighting with as many weak matches on one of the canaries: the same number was reached."""
    first = _serials(tx, [min(one.canary for one in clue.matches)])
    same = matches.c.canary.in_(first), matches.c.strength == "weak"
    return _of_matches(since_ms).where(*same, _matches_of_sighting() == len(clue.matches))


def _serials(tx: Tx, ids: Sequence[str]) -> list[int]:
    found: list[int] = []
    for part in chunks(ids, LOOKUP_KEYS):
        found.extend(tx.conn.scalars(select(canaries.c.serial).where(canaries.c.id.in_(part))))
    return sorted(found)


def _releases(tx: Tx, serials: Sequence[int]) -> list[int]:
    found: set[int] = set()
    for part in chunks(serials, LOOKUP_KEYS):
        found.update(tx.conn.scalars(select(placements.c.release).where(placements.c.canary.in_(part))))
    return sorted(found)


def earlier(tx: Tx, ids: Sequence[str], event: str) -> int:
    """Count the sightings by an event that any one of these canaries had so far, at most."""
    per_canary = (
        select(func.count()).select_from(matches).join(sightings, matches.c.sighting == sightings.c.serial)
    )
    counted = per_canary.where(sightings.c.event == event).group_by(matches.c.canary)
    most = 0
    for part in chunks(_serials(tx, ids), LOOKUP_KEYS):
        most = max([most, *tx.conn.scalars(counted.where(matches.c.canary.in_(part)))])
    return most
