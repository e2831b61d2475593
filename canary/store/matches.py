"""Matches: sighting ↔ canary, one for each canary, source and item, the strongest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from sqlalchemy import select, tuple_, update

from canary.errors import UsageError
from canary.model.sight import Match
from canary.store.bulk import insert_new_rows
from canary.store.rows import LOOKUP_KEYS, AnyRow, chunks
from canary.store.tables import canaries, matches, placements, releases, sightings
from canary.store.text import dump, fit, load_list, storable
from canary.store.tx import Tx


def add_match(tx: Tx, sighting: str, match: Match) -> bool:
    """Note that a sighting shows a canary; True where that is new, or strong where it was weak before.

    One match stands for each canary, source and item: the stronger one, with the fields of both.
    Raises UsageError where sighting or canary do not exist.
    """
    seen = tx.conn.execute(
        select(sightings.c.serial, sightings.c.source, sightings.c.item).where(sightings.c.id == sighting)
    ).one_or_none()
    canary = tx.conn.scalar(select(canaries.c.serial).where(canaries.c.id == match.canary))
    if seen is None or canary is None:
        missing = f"sighting {sighting!r}" if seen is None else f"canary {match.canary!r}"
        raise UsageError(f"no {missing}", "add sighting and canary before their match")
    return bool(add_matches(tx, [Found(seen.serial, canary, seen.source, seen.item, match)]))


@dataclass(frozen=True, slots=True)
class Found:
    """A match to be noted: the serials of its sighting and canary, and the source and item as they are kept."""

    sighting: int
    canary: int
    source: str
    item: str
    match: Match


def add_matches(tx: Tx, batch: Sequence[Found]) -> list[Found]:
    """Note that sightings show canaries; gives what is new, or strong where it was weak before.

    One match stands for each canary, source and item: the stronger one, with the fields of both.
    """
    first: dict[tuple[object, ...], Found] = {}
    again = [one for one in batch if first.setdefault(_unique(one), one) is not one]
    rows = [_row(one) for one in first.values()]
    new = set(insert_new_rows(tx.conn, matches, rows, ("canary", "source", "item")))
    fresh = [one for one in batch if one is first[_unique(one)] and _unique(one) in new]
    known = [*(one for key, one in first.items() if key not in new), *again]
    return [*fresh, *_strengthened(tx, known)]


_KEY: Final = tuple_(matches.c.canary, matches.c.source, matches.c.item)


def _unique(one: Found) -> tuple[object, ...]:
    return one.canary, one.source, one.item


def _row(one: Found) -> dict[str, object]:
    unique = {"canary": one.canary, "source": one.source, "item": one.item}
    return {**unique, "sighting": one.sighting, **_values(one.match)}


def _values(match: Match) -> dict[str, object]:
    return {
        "field": match.field,
        "fields": dump(sorted({match.field, *match.fields})),
        "transform": fit(match.transform, 32),
        "strength": match.strength,
        "member": None if match.member is None else storable(match.member),
        "position": match.offset,
        "expected": match.expected_chance_hits,
    }


@dataclass(slots=True)
class _Kept:
    """A match as it stands, and what of it is to be changed."""

    serial: int
    match: Match
    values: dict[str, object] = field(default_factory=dict)


def _strengthened(tx: Tx, known: Sequence[Found]) -> list[Found]:
    """Add what is found again to the matches that stand; gives what is strong where it was weak before."""
    kept: dict[tuple[object, ...], _Kept] = {
        (row.canary, row.source, row.item): _Kept(row.serial, _noun(row, "", ()))
        for part in chunks({_unique(one): None for one in known}, LOOKUP_KEYS // 3)
        for row in tx.conn.execute(select(matches).where(_KEY.in_(part)).with_for_update())
    }
    stronger = [one for one in known if _strengthen(kept[_unique(one)], one)]
    for each in kept.values():
        if each.values:
            tx.conn.execute(update(matches).where(matches.c.serial == each.serial).values(each.values))
    return stronger


def _strengthen(kept: _Kept, one: Found) -> bool:
    """Add one match to the one that stands; tells whether it makes that one strong."""
    old, match = kept.match, one.match
    fields = tuple(sorted({*old.fields, *match.fields, match.field}))
    whole = replace(match, fields=fields)
    if _rank(match) > _rank(old):
        kept.values = {"sighting": one.sighting, **_values(whole)}
        kept.match = whole
    elif set(fields) != set(old.fields):
        kept.values["fields"] = dump(fields)
        kept.match = replace(old, fields=fields)
    return old.strength != "strong" and match.strength == "strong"


def _rank(match: Match) -> tuple[bool, float]:
    return match.strength == "strong", -match.expected_chance_hits


def matches_of(tx: Tx, serials: Sequence[int]) -> dict[int, list[Match]]:
    """Map the serials of sightings to their matches, with the releases that carry each canary."""
    wanted = select(matches, canaries.c.id.label("canary_id"))
    wanted = wanted.join(canaries, canaries.c.serial == matches.c.canary)
    rows = tx.conn.execute(wanted.where(matches.c.sighting.in_(serials)).order_by(matches.c.serial)).all()
    carried = _carried(tx, {row.canary for row in rows})
    found: dict[int, list[Match]] = defaultdict(list)
    for row in rows:
        found[row.sighting].append(_noun(row, row.canary_id, carried[row.canary]))
    return found


def _carried(tx: Tx, serials: Iterable[int]) -> Mapping[int, Sequence[tuple[str, str]]]:
    """Map canaries to the (release, recipient) that carry them, oldest first."""
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for part in chunks(serials, LOOKUP_KEYS):
        wanted = select(placements.c.canary, releases.c.id, releases.c.recipient)
        wanted = wanted.join(releases, releases.c.serial == placements.c.release)
        ordered = wanted.where(placements.c.canary.in_(part)).order_by(releases.c.serial)
        for canary, release, recipient in tx.conn.execute(ordered):
            found[canary].append((release, recipient))
    return found


def _noun(row: AnyRow, canary: str, carried: Sequence[tuple[str, str]]) -> Match:
    return Match(
        canary=canary,
        field=row.field,
        fields=load_list(row.fields),
        transform=row.transform,
        strength=row.strength,
        release=carried[0][0] if carried else None,
        recipients=tuple(sorted({recipient for _, recipient in carried})),
        member=row.member,
        offset=row.position,
        expected_chance_hits=row.expected,
    )
