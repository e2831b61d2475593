"""Vacant places under unique constraints: what clashes with the table is moved to where nothing stands."""

from __future__ import annotations

import random
import string
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlalchemy import and_, exists, func, not_, select

from canary.steps.live_model import Key, LiveTable, Reference, Row, Unique
from canary.steps.live_rows import LiveRows, place_of

TRIES: Final = 8  # rounds in which clashing rows are moved, each checked by one query
POOL: Final = 2_000  # referenced keys drawn at a time


@dataclass(frozen=True, slots=True)
class Seat:
    """A row in the making; `fixed` columns identify the canary and never move; `number` is the caller's."""

    row: Row
    fixed: frozenset[str]
    number: int = 0


@dataclass
class Vacancies:
    """Finds vacant places for rows, one unique constraint after the other; remembers what it gave away."""

    rows: LiveRows
    sample: Sequence[Row]
    rng: random.Random
    _given: dict[Unique, set[Key]] = field(default_factory=dict)
    _unused: dict[Reference, list[Key]] = field(default_factory=dict)
    _last: dict[tuple[Unique, str, Key], int] = field(default_factory=dict)

    @property
    def _table(self) -> LiveTable:
        return self.rows.table

    def seat(self, seats: Sequence[Seat]) -> tuple[list[Seat], str | None]:
        """Give the rows that have a place under every constraint, and a constraint that left rows without."""
        short: str | None = None
        kept = list(seats)
        for unique in self._table.uniques:
            if set(unique.columns) <= set(self._table.fillable):
                before = len(kept)
                kept = self._under(unique, kept)
                short = unique.name if len(kept) < before else short
        return kept, short

    def _under(self, unique: Unique, seats: Sequence[Seat]) -> list[Seat]:
        kept: list[Seat] = []
        waiting = list(seats)
        for attempt in range(TRIES):
            taken = self._taken(unique, waiting)
            moved: list[Seat] = []
            for seat in waiting:
                if self._claim(unique, seat, taken):
                    kept.append(seat)
                else:
                    moved.extend(self._moved(unique, seat, attempt))
            waiting = moved
            if not waiting:
                break
        return kept

    def _taken(self, unique: Unique, seats: Sequence[Seat]) -> set[Key]:
        wanted = {key for seat in seats if (key := _key(unique, seat.row)) is not None}
        return self.rows.existing(unique.columns, wanted) if wanted else set()

    def _claim(self, unique: Unique, seat: Seat, taken: set[Key]) -> bool:
        key = _key(unique, seat.row)
        given = self._given.setdefault(unique, set())
        if key is None:
            return True
        if key in taken or key in given:
            return False
        given.add(key)
        return True

    def _moved(self, unique: Unique, seat: Seat, attempt: int) -> Iterator[Seat]:
        """Give the row elsewhere, or nothing where all its columns are fixed."""
        free = [name for name in unique.columns if name not in seat.fixed]
        if not free:
            return
        units = list(_units(self._table, free))
        chosen = units if attempt > 2 else [units[attempt % len(units)]]
        changes: dict[str, str | None] = {}
        for unit in chosen:
            changes |= self._elsewhere(unique, unit, seat.row, attempt)
        yield replace(seat, row={**seat.row, **changes})

    def _elsewhere(
        self, unique: Unique, unit: tuple[str, ...], row: Row, attempt: int
    ) -> Mapping[str, str | None]:
        reference = next((each for each in self._table.references if set(unit) <= set(each.columns)), None)
        if reference is not None:
            return self._referred(unique, reference, attempt)
        (name,) = unit
        if self._table.column(name).kind == "integer" and attempt % 2 == 0:
            return {name: str(self._next(name, unique, row))}
        if len(unique.columns) == 1:
            return {name: fresh_like(row[name] or "", self.rng)}
        return {name: self.rng.choice(self.sample)[name]}

    def _referred(self, unique: Unique, reference: Reference, attempt: int) -> Mapping[str, str | None]:
        """Take a referenced key as a host row has it; where each may stand once only, one that is unused."""
        once = set(unique.columns) <= set(reference.columns)
        if self.sample and not once and attempt < TRIES // 2:
            host = self.rng.choice(self.sample)
            return {name: host[name] for name in reference.columns if name in host}
        pool = self._unused.get(reference)
        if not pool:
            pool = self._unused[reference] = self._referable(reference, once=once)
        return dict(zip(reference.columns, pool.pop(), strict=True)) if pool else {}

    def _referable(self, reference: Reference, *, once: bool) -> list[Key]:
        """Draw referenced keys at random, those that no row refers to yet where each may stand once only."""
        there = place_of(reference.schema, reference.table, reference.targets).alias("there")
        here = place_of(self._table.schema, self._table.name, reference.columns).alias("here")
        targets = [self._as_text(reference, at, there) for at in range(len(reference.targets))]
        wanted = select(*targets).select_from(there)
        if once:
            pairs = zip(reference.columns, reference.targets, strict=True)
            same = and_(*(here.c[mine] == there.c[theirs] for mine, theirs in pairs))
            wanted = wanted.where(not_(exists(select(1).select_from(here).where(same))))
        draw = func.rand() if self.rows.connection.dialect.name == "mysql" else func.random()
        found = self.rows.connection.execute(wanted.order_by(draw).limit(POOL))
        return [tuple(str(self.rows.tongue.spell(cell)) for cell in row) for row in found]

    def _as_text(self, reference: Reference, at: int, there: Any) -> Any:
        mine = self._table.column(reference.columns[at])
        return self.rows.tongue.as_text(mine, there.c[reference.targets[at]]).label(f"c{at}")

    def _next(self, name: str, unique: Unique, row: Row) -> int:
        """Give the number after the greatest that shares the constraint's other cells."""
        others = {each: str(row[each]) for each in unique.columns if each != name}
        place = unique, name, tuple(others.values())
        if place not in self._last:
            self._last[place] = self.rows.greatest(name, others)
        self._last[place] += 1
        return self._last[place]


def _key(unique: Unique, row: Row) -> Key | None:
    """Give a row's cells under a constraint; None where one is NULL or left to the database."""
    cells = [row.get(name) for name in unique.columns]
    return None if any(cell is None for cell in cells) else tuple(str(cell) for cell in cells)


def _units(table: LiveTable, free: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Group columns that move together: those of one foreign key, each other one alone."""
    left = list(free)
    for reference in table.references:
        together = tuple(name for name in left if name in reference.columns)
        if together:
            yield together
            left = [name for name in left if name not in together]
    yield from ((name,) for name in left)


def fresh_like(text: str, rng: random.Random) -> str:
    """Draw a text of the same shape: digits for digits, letters of the same case for letters."""
    try:
        uuid.UUID(text)
    except ValueError:
        return "".join(_like(char, rng) for char in text)
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def _like(char: str, rng: random.Random) -> str:
    for alphabet in (string.digits, string.ascii_lowercase, string.ascii_uppercase):
        if char in alphabet:
            return rng.choice(alphabet)
    return char
