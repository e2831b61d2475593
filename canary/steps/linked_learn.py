"""Learning how real rows of several tables belong together: whole families, drawn at random."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

from canary.fields.guess import guess_roles
from canary.fields.roles import FORMS, PERSONAL
from canary.generators.clocks import Clock, learn_clock
from canary.steps.linked_model import Kin, Link, Web, cells
from canary.steps.live_model import Key, LiveTable, Row
from canary.steps.live_rows import LiveRows
from canary.steps.livedb import LiveDb

SAMPLE: Final = 400  # real rows of the root table whose families are looked at
MOST: Final = 40_000  # rows of one linked table read for them
LARGEST: Final = 200  # rows of a family that is still taken for a model
NEAREST: Final = 15  # families near in time among which a model is drawn
TIMES: Final = frozenset({"time", "date"})
FOLLOWS: Final = 0.98  # share of rows not before what they belong to, by which none is


@dataclass(frozen=True, slots=True)
class Timing:
    """The column of each table that tells when its rows came to be, and whether that follows what they belong to."""

    columns: tuple[str | None, ...]
    clocks: tuple[Clock | None, ...]
    follows: tuple[bool, ...]

    def moment(self, at: int, row: Row) -> int | None:
        """Read when a row of the table at a place came to be, in microseconds since 1970."""
        column, clock = self.columns[at], self.clocks[at]
        if column is None or clock is None or not row.get(column):
            return None
        number = clock.read(str(row[column]))
        return None if number is None else number * clock.micros


@dataclass(frozen=True, slots=True)
class Families:
    """Real rows of the root table with all that belongs to them; the models of canary families."""

    web: Web
    timing: Timing
    kin: tuple[Kin, ...]

    def model(self, moment: int | None, rng: random.Random) -> Kin | None:
        """Draw a family to follow, near in time where times are known; None where there is none."""
        if not self.kin:
            return None
        if moment is None:
            return rng.choice(self.kin)
        near = sorted(self.kin, key=lambda each: abs((each.moment or 0) - moment))[:NEAREST]
        return rng.choice(near)

    def mean(self, at: int) -> float:
        """Give how many rows of the table at a place a family has on average."""
        counts = [sum(1 for one in _all(each) if one.at == at) for each in self.kin]
        return sum(counts) / len(counts) if counts else 0.0


def _all(kin: Kin) -> list[Kin]:
    return [kin, *(one for child in kin.children for one in _all(child))]


def learn_families(db: LiveDb, web: Web, rng: random.Random) -> Families:
    """Draw rows of the root table and read what belongs to them; too large families are left out."""
    with db.reading(web.root.label) as connection:
        rows = [LiveRows(connection, db.tongue, table) for table in web.tables]
        found: list[list[Row]] = [list(rows[0].some(SAMPLE))]
        for link in web.links:
            wanted = {key for row in found[link.parent] if (key := cells(row, link.reference.targets))}
            place = rows[len(found)]
            found.append(list(place.holding(link.reference.columns, wanted, MOST)))
    timing = timing_of(web, found, [_guessed(*each) for each in zip(web.tables, found, strict=True)])
    kin = tuple(_kin(web, timing, found))
    fitting = tuple(each for each in kin if each.size <= LARGEST)
    shuffled = rng.sample(fitting, len(fitting))
    return Families(web, timing, tuple(shuffled))


def _guessed(table: LiveTable, rows: Sequence[Row]) -> Mapping[str, str]:
    return guess_roles(table.headings, {name: [row.get(name) for row in rows] for name in table.headings})


def _kin(web: Web, timing: Timing, found: Sequence[Sequence[Row]]) -> list[Kin]:
    """Join rows to families, the last tables first."""
    made: dict[int, dict[Key, list[Kin]]] = {}
    for at in range(len(found) - 1, 0, -1):
        link = web.links[at - 1]
        made[at] = {}
        for row in found[at]:
            key = cells(row, link.reference.columns)
            if key is not None:
                made[at].setdefault(key, []).append(_one(web, timing, at, row, made))
    return [_one(web, timing, 0, row, made) for row in found[0]]


def _one(web: Web, timing: Timing, at: int, row: Row, made: Mapping[int, Mapping[Key, Sequence[Kin]]]) -> Kin:
    children: list[Kin] = []
    for place, link in web.below(at):
        key = cells(row, link.reference.targets)
        own = list(made[place].get(key, ())) if key is not None else []
        children += sorted(own, key=lambda each: each.moment or 0)
    return Kin(at, row, timing.moment(at, row), tuple(children))


def timing_of(web: Web, found: Sequence[Sequence[Row]], roles: Sequence[Mapping[str, str]]) -> Timing:
    """Choose for each table the column of times that best follows what its rows belong to."""
    clocks = [_clocks(table, rows, role) for table, rows, role in zip(web.tables, found, roles, strict=True)]
    columns: list[str | None] = [None] * len(found)
    follows = [False] * len(found)
    for at, link in enumerate(web.links, 1):
        pairs = _pairs(link, found[link.parent], found[at])
        above = [columns[link.parent]] if columns[link.parent] else list(clocks[link.parent])
        scored = [
            (_share(pairs, one, clocks[link.parent][one], other, clocks[at][other]), one, other)
            for one, other in product(above, clocks[at])
            if one is not None
        ]
        if scored and pairs:
            share, one, other = max(scored, key=lambda each: each[0])
            columns[link.parent], columns[at] = columns[link.parent] or one, other
            follows[at] = share >= FOLLOWS
    chosen = [name or next(iter(clocks[at]), None) for at, name in enumerate(columns)]
    return Timing(
        tuple(chosen),
        tuple(clocks[at].get(name) if name else None for at, name in enumerate(chosen)),
        tuple(follows),
    )


def _clocks(table: LiveTable, rows: Sequence[Row], roles: Mapping[str, str]) -> dict[str, Clock]:
    """Give the columns of times, those with the most different ones first."""
    known: dict[str, Clock] = {}
    for name in table.headings:
        clock = learn_clock([row.get(name) for row in rows]) if roles.get(name) in TIMES else None
        if clock is not None:
            known[name] = clock
    return dict(sorted(known.items(), key=lambda each: -len({row.get(each[0]) for row in rows})))


def _pairs(link: Link, above: Sequence[Row], below: Sequence[Row]) -> list[tuple[Row, Row]]:
    parents = {cells(row, link.reference.targets): row for row in above}
    found = ((parents.get(cells(row, link.reference.columns)), row) for row in below)
    return [(parent, row) for parent, row in found if parent is not None]


def _share(pairs: Sequence[tuple[Row, Row]], one: str, first: Clock, other: str, second: Clock) -> float:
    """Give the share of rows that are not before what they belong to."""
    times = [(_micros(first, parent.get(one)), _micros(second, row.get(other))) for parent, row in pairs]
    told = [(before, after) for before, after in times if before is not None and after is not None]
    return sum(before <= after for before, after in told) / len(told) if told else 0.0


def _micros(clock: Clock, text: str | None) -> int | None:
    number = clock.read(text) if text else None
    return None if number is None else number * clock.micros


def copied_roles(roles: Mapping[str, str]) -> dict[str, str]:
    """Give the columns whose cells may be those of a row they belong to: what speaks of a person or names a record."""
    return {name: role for name, role in roles.items() if role in PERSONAL or role in FORMS}
