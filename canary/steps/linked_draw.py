"""Making the rows that belong to planted ones: as many, at such times and with such persons as real rows have."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from math import ceil
from typing import Final

from canary.model.canary import Canary
from canary.steps.linked_copy import Copier, Source
from canary.steps.linked_learn import Families, copied_roles
from canary.steps.linked_model import Kin, Link, Stood
from canary.steps.live_model import LiveTable, Row
from canary.steps.live_rows import LiveRows
from canary.steps.seed_draw import HostDrawer
from canary.steps.seed_place import Placer

CHOICE: Final = 4  # drafts for each row, so that one stands near the time it is wanted at
MORE: Final = 60
ROUNDS: Final = 4  # drawings for rows that the table refused
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Slot:
    """A row to be made: the real one it follows, what it belongs to, and the moment it is wanted at."""

    kin: Kin
    parent: Stood
    wanted: int | None


@dataclass
class LinkedDrawer:
    """Makes the canary rows of one linked table."""

    at: int
    link: Link
    drawer: HostDrawer
    families: Families
    roles: Sequence[Mapping[str, str]]  # of every table of the set
    rng: random.Random

    @property
    def table(self) -> LiveTable:
        """The table."""
        return self.link.table

    @cached_property
    def _copier(self) -> Copier:
        return Copier.of(self.roles[self.at], frozenset(self.table.key) | self.link.referring)

    def slots(self, above: Sequence[Stood]) -> list[Slot]:
        """List the rows to be made for rows of the table they belong to."""
        return [
            Slot(kin, parent, _wanted(kin, parent))
            for parent in above
            for kin in parent.kin.children
            if kin.at == self.at
        ]

    def place(self, rows: LiveRows, above: Sequence[Stood]) -> list[Stood]:
        """Plant what belongs to planted rows; raises OutsideError where the table does not take it."""
        waiting = self.slots(above)
        wanted = len(waiting)
        fixed = self.drawer.personal | self.link.referring
        placer = Placer(rows, self.drawer.sample, self.rng, fixed)
        done: list[Stood] = []
        for _ in range(ROUNDS):
            if not waiting:
                break
            drafts = self._drafts(rows, waiting, done)
            slots = {canary.id: slot for canary, slot in drafts}
            for planted in placer.place_each([canary for canary, _ in drafts]):
                slot = slots.pop(planted.canary.id)
                stood = Stood(slot.kin, replace(planted, table=self.table.label), None, slot.parent)
                stood.moment = self.families.timing.moment(self.at, planted.canary.row)
                slot.parent.children.append(stood)
                done.append(stood)
            waiting = list(slots.values())
        if waiting:
            raise placer.refused(wanted, len(done))
        return done

    def _drafts(
        self, rows: LiveRows, waiting: Sequence[Slot], done: Sequence[Stood]
    ) -> list[tuple[Canary, Slot]]:
        """Give each row a draft that stands near its time, then its references and persons, in the order of times."""
        count = len(waiting) if self.drawer.tail else max(CHOICE * len(waiting), len(waiting) + MORE)
        pool: list[Canary] = []
        while len(pool) < count:
            drawn = self.drawer.draw(ceil(1.1 * (count - len(pool))), rows)
            pool += drawn
            if not drawn:
                break
        beside: dict[int, list[Source]] = {}
        for stood in done:
            beside.setdefault(id(stood.parent), []).append(self._source(stood.kin, stood.planted.canary))
        made = []
        for slot, draft in self._seated(rows, waiting, pool):
            family = beside.setdefault(id(slot.parent), [])
            canary = self._finished(slot, draft, family)
            family.append(self._source(slot.kin, canary))
            made.append((canary, slot))
        return made

    def _seated(
        self, rows: LiveRows, waiting: Sequence[Slot], pool: Sequence[Canary]
    ) -> list[tuple[Slot, Canary]]:
        timed = [(self.families.timing.moment(self.at, each.row), each) for each in pool]
        slots = sorted(waiting, key=lambda slot: slot.wanted or 0)
        if any(moment is None for moment, _ in timed) or any(slot.wanted is None for slot in slots):
            return list(zip(slots, pool, strict=False))
        ranked = sorted(((moment or 0, number) for number, (moment, _) in enumerate(timed)))
        if self.drawer.tail:
            told = [(slot, pool[number]) for slot, (_, number) in zip(slots, ranked, strict=False)]
            moved = [(slot, self._not_before(slot, draft)) for slot, draft in told]
            return sorted(moved, key=lambda each: self.families.timing.moment(self.at, each[1].row) or 0)
        found: list[tuple[int, Slot, Canary]] = []
        late: list[Slot] = []
        for slot in slots:
            at = _nearest(ranked, slot.wanted or 0, self._floor(slot))
            if at is None:
                late.append(slot)
            else:
                moment, number = ranked.pop(at)
                found.append((moment, slot, pool[number]))
        seated = [(slot, draft) for _, slot, draft in sorted(found, key=lambda each: each[0])]
        return seated + self._late(rows, late)

    def _late(self, rows: LiveRows, slots: Sequence[Slot]) -> list[tuple[Slot, Canary]]:
        """Append rows that belong to something later than the table's own last rows."""
        if not slots:
            return []
        timed = sorted(((self._later(slot), slot) for slot in slots), key=lambda each: each[0])
        drafts = self.drawer.append(len(slots), rows)
        end = self.drawer.end
        return [
            (slot, draft if end is None else replace(draft, row=end.moved(draft.row, time)))
            for (time, slot), draft in zip(timed, drafts, strict=False)
        ]

    def _later(self, slot: Slot) -> datetime:
        """Give a time after what a row belongs to, by as much as its model at most, and not beyond now."""
        floor = slot.parent.moment or 0
        now = (self.drawer.now - EPOCH) // timedelta(microseconds=1)
        gap = max((slot.kin.moment or 0) - (slot.parent.kin.moment or 0), 0)
        return EPOCH + timedelta(microseconds=floor + min(gap, self.rng.randrange(max(now - floor, 0) + 1)))

    def _floor(self, slot: Slot) -> int | None:
        follows = self.families.timing.follows[self.at]
        return slot.parent.moment if follows else None

    def _not_before(self, slot: Slot, draft: Canary) -> Canary:
        """Move an appended row to after what it belongs to, by as much as its model, but not beyond now."""
        tail, floor = self.drawer.tail, self._floor(slot)
        moment = self.families.timing.moment(self.at, draft.row)
        if tail is None or floor is None or moment is None or moment >= floor:
            return draft
        return replace(draft, row=tail.moved(draft.row, self._later(slot)))

    def _finished(self, slot: Slot, draft: Canary, beside: Sequence[Source]) -> Canary:
        above = [
            _source_of(each.kin, each.planted.canary, self.roles[each.kin.at])
            for each in (slot.parent, *slot.parent.line())
        ]
        copied = self._copier.copied(slot.kin.row, [*above, *beside])
        canary = self._copier.worn(draft, copied, [*above, *beside])
        return replace(canary, row={**canary.row, **self._referring(slot, canary.row)})

    def _source(self, kin: Kin, canary: Canary) -> Source:
        return _source_of(kin, canary, self.roles[self.at])

    def _referring(self, slot: Slot, row: Row) -> dict[str, str | None]:
        """Let a row refer to what it belongs to, and to rows of the same family where its model refers to such."""
        above = {each.kin.at: each for each in (slot.parent, *slot.parent.line())}
        top = above[0]
        found: dict[str, str | None] = {}
        for reference, at in self.link.others:
            if any(slot.kin.row.get(name) is None for name in reference.columns):
                found |= dict.fromkeys(reference.columns)
                continue
            kin = [each for each in top.all() if each.kin.at == at]
            target = above.get(at) or (self.rng.choice(kin) if kin else None)
            if target is not None:
                found |= _cells_of(target, reference.columns, reference.targets)
        found |= _cells_of(slot.parent, self.link.reference.columns, self.link.reference.targets)
        return {name: cell for name, cell in found.items() if name in row}


def _source_of(kin: Kin, canary: Canary, roles: Mapping[str, str]) -> Source:
    return Source(kin.row, canary.row, copied_roles(roles), canary.fields)


def _cells_of(stood: Stood, columns: Sequence[str], targets: Sequence[str]) -> dict[str, str | None]:
    row = stood.planted.canary.row
    return {mine: row[theirs] for mine, theirs in zip(columns, targets, strict=True)}


def _wanted(kin: Kin, parent: Stood) -> int | None:
    """Give when a row is wanted: as long after what it belongs to as the real one it follows, in microseconds."""
    if kin.moment is None or parent.moment is None or parent.kin.moment is None:
        return kin.moment
    return kin.moment + parent.moment - parent.kin.moment


def _nearest(ranked: Sequence[tuple[int, int]], wanted: int, floor: int | None) -> int | None:
    """Find the rank of the moment nearest to a wanted one, not before the floor; None where there is none."""
    least = bisect_left(ranked, (floor, -1)) if floor is not None else 0
    at = max(bisect_left(ranked, (wanted, -1)), least)
    choices = [each for each in (at - 1, at) if least <= each < len(ranked)]
    return min(choices, key=lambda each: abs(ranked[each][0] - wanted), default=None)
