"""Placing drafted canaries in a live table: fitted, moved to vacant places, inserted and read back."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from sqlalchemy.exc import DBAPIError

from canary.errors import OutsideError
from canary.fields.canonical import canonical
from canary.model.canary import Canary, CanaryField
from canary.steps import live_errors
from canary.steps.live_fit import Mould
from canary.steps.live_model import Key, LiveTable, Row
from canary.steps.live_rows import LiveRows, chunks
from canary.steps.live_unique import Seat, Vacancies
from canary.steps.seed_model import Planted
from canary.store.ids import new_id

IDLE: Final = 3  # drawings in a row of which no canary found a place: then it is given up
LEAST_PASSING: Final = 0.05  # at most twenty drafts are drawn for a missing canary
LEAST_AGAIN: Final = (
    200  # though so many at least where none found a place: with one in twenty passing, one does
)
CHUNK: Final = 200  # rows inserted under one savepoint
SPARE: Final = 1.1

T = TypeVar("T")
Draw = Callable[[int, LiveRows], Sequence[Canary]]
"""Draws about that many canaries for a table, their cells spelt as the table spells them."""


@dataclass
class Placer:
    """Places canaries in one table within one transaction, and remembers what stood in the way."""

    rows: LiveRows
    sample: Sequence[Row]
    rng: random.Random
    personal: frozenset[str] = frozenset()
    refusals: Counter[str] = field(default_factory=Counter)

    def seat(self, draw: Draw, count: int) -> list[Canary]:
        """Find places for `count` canaries without inserting any; raises OutsideError as `place` does."""
        return self._gathered(draw, count, lambda drafts, missing: drafts[:missing])

    def place(self, draw: Draw, count: int) -> list[Planted]:
        """Place exactly `count` canaries; raises OutsideError that names the constraint where that fails."""
        return self._read_back(self._gathered(draw, count, self._inserted))

    def place_each(self, drafts: Sequence[Canary]) -> list[Planted]:
        """Place these canaries in their order; those that the table refuses are left out."""
        seated = self._seated(Vacancies(self.rows, self.sample, self.rng), drafts)
        rank = {each.id: at for at, each in enumerate(drafts)}
        seated.sort(key=lambda each: rank[each.id])
        return self._read_back(self._inserted(seated, len(seated)))

    def _gathered(
        self, draw: Draw, count: int, take: Callable[[Sequence[Canary], int], Sequence[T]]
    ) -> list[T]:
        """Draw, seat and take until there are enough; the more were refused, the more are drawn at a time."""
        vacancies = Vacancies(self.rows, self.sample, self.rng)
        got: list[T] = []
        drawn = idle = 0
        while len(got) < count and idle < IDLE:
            missing = count - len(got)
            passing = max(len(got) / drawn, LEAST_PASSING) if drawn else 1.0
            drafts = draw(max(enough(missing, passing), LEAST_AGAIN if idle else 0), self.rows)
            taken = take(self._seated(vacancies, drafts), missing)
            drawn += len(drafts)
            idle = 0 if taken else idle + 1
            got += taken
        if len(got) < count:
            raise self.refused(count, len(got))
        return got

    def refused(self, count: int, placed: int) -> OutsideError:
        """Say what stood in the way of most canaries that were not placed."""
        table = self.rows.table.label
        if not self.refusals:
            return OutsideError(
                f"{table} has room for {placed} canaries, not {count}", "give a smaller --count"
            )
        reason = self.refusals.most_common(1)[0][0]
        return OutsideError(
            f"the constraint {reason!r} of {table} cannot be satisfied by {count} canaries",
            "nothing was planted; give the columns' roles in a policy (--policy), or a smaller --count",
        )

    def _seated(self, vacancies: Vacancies, drafts: Sequence[Canary]) -> list[Canary]:
        """Keep the drafts that fit, each moved to a vacant place under the unique constraints."""
        mould = Mould(self.rows.table, self.rows.tongue)
        fitting: list[Canary] = []
        for draft in drafts:
            cast = replace(draft, row=mould.cast(draft.row))
            reason = mould.misfit(cast.row)
            if reason is None:
                fitting.append(cast)
            else:
                self.refusals[reason] += 1
        seats = [
            Seat(each.row, self.personal | {field.column for field in each.fields}, at)
            for at, each in enumerate(fitting)
        ]
        seated, short = vacancies.seat(seats)
        if short is not None:
            self.refusals[short] += len(seats) - len(seated)
        return [replace(fitting[seat.number], row=seat.row) for seat in seated]

    def _inserted(self, drafts: Sequence[Canary], wanted: int) -> list[tuple[Canary, Key]]:
        placed: list[tuple[Canary, Key]] = []
        for some in chunks(drafts, CHUNK):
            left = wanted - len(placed)
            if left > 0:
                placed += self._chunk(some[:left]) or self._one_by_one(some, left)
        return placed

    def _chunk(self, drafts: Sequence[Canary]) -> list[tuple[Canary, Key]] | None:
        """Insert all under one savepoint; None, with nothing inserted, where the database refuses one."""
        try:
            with self.rows.connection.begin_nested():
                return list(zip(drafts, self.rows.insert_all([each.row for each in drafts]), strict=True))
        except DBAPIError as error:
            if not live_errors.rejects_row(error):
                raise
            return None

    def _one_by_one(self, drafts: Sequence[Canary], wanted: int) -> list[tuple[Canary, Key]]:
        placed: list[tuple[Canary, Key]] = []
        for draft in drafts:
            if len(placed) == wanted:
                break
            try:
                with self.rows.connection.begin_nested():
                    placed.append((draft, self.rows.insert(draft.row)))
            except DBAPIError as error:
                if not live_errors.rejects_row(error):
                    raise
                self.refusals[live_errors.constraint_of(error)] += 1
        return placed

    def _read_back(self, placed: Sequence[tuple[Canary, Key]]) -> list[Planted]:
        """Give the canaries with their rows as the table now holds them, defaults and triggers included."""
        found = self.rows.fetch(key for _, key in placed)
        return [Planted(as_stored(draft, found.get(key), self.rows.table), key) for draft, key in placed]


def enough(missing: int, passing: float = 1.0) -> int:
    """Give how many to draw for those that are missing, where so large a share of drafts passes."""
    return math.ceil(missing * SPARE / passing)


def as_stored(draft: Canary, row: Row | None, table: LiveTable) -> Canary:
    """Take a canary's cells from the table; raises OutsideError where they no longer identify it."""
    if row is None:
        raise OutsideError(
            f"{table.label} did not keep a row that was inserted", "a trigger may have moved it; plant there"
        )
    for each in draft.fields:
        if not same_identity(each, draft.row, row):
            raise OutsideError(
                f"{table.label} changes {each.column!r} on insert",
                "a trigger rewrites it; plant where values stay",
            )
    return replace(draft, fields=tuple(_respelt(each, row) for each in draft.fields), row=dict(row))


def _respelt(field: CanaryField, row: Row) -> CanaryField:
    whole = field.role == "name_address"  # its value joins two cells
    return field if whole else replace(field, value=str(row[field.column]))


def same_identity(field: CanaryField, planted: Row, row: Row) -> bool:
    """Tell whether a row's cells still mean what an identifying field of the planted row does."""
    cell, before = row.get(field.column), planted.get(field.column)
    if cell is None or before is None:
        return cell is before
    if field.role == "name_address":
        name = field.value.partition("|")[0]
        return cell == before and name in row.values()
    return cell == before or canonical(field.role, cell) == field.canonical


def still_ours(canary: Canary, row: Row, key_columns: Mapping[str, str] | Sequence[str]) -> bool:
    """Tell whether a row still is the canary: by the identifying fields, else by every cell."""
    own = [each for each in canary.fields if each.column not in key_columns]
    if own:
        return all(same_identity(each, canary.row, row) for each in own)
    return all(row.get(name) == cell for name, cell in canary.row.items() if name not in key_columns)


def fresh_canary(fields: tuple[CanaryField, ...], row: Row, kind: str) -> Canary:
    """Make a canary of a draft; recipient and dataset are set when it is issued."""
    return Canary(id=new_id("c-"), recipient="", dataset="", kind=kind, fields=fields, row=row)
