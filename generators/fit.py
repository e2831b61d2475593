"""Canaries that fit a learned host table: a persona for what identifies, a template row for the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from random import Random

from canary.errors import SafetyError
from canary.generators.balance import Balance
from canary.generators.drafts import Draft, fields_of
from canary.generators.draws import Dice
from canary.generators.habits import habits_of, is_category
from canary.generators.host import KEYLIKE, TIMELIKE
from canary.generators.moments import Moments
from canary.generators.numbering import Number, Numbering, check_ranges
from canary.generators.parties import Party
from canary.generators.persona import Personas
from canary.generators.profile import HostProfile, Place, Places, Row
from canary.generators.returning import returning
from canary.generators.safety import Owned, check_all
from canary.generators.series import Series
from canary.generators.templates import Templates
from canary.generators.timetable import Timetable
from canary.generators.wardrobe import Wardrobe, Worn
from canary.model.canary import CanaryField
from canary.model.record import Persona

COMPANY = 400  # rows looked through for one like that of a person who comes again
AT_ONCE = 16  # places for which rows are chosen at once, at least
AGAIN = 20  # tries a canary to find room in a place that is used already
ENOUGH, SPARE = (
    8,
    64,
)  # places a canary, and besides, among whose rows those are chosen that a timetable asks for
ROUNDS = 40  # drawings until every draft is whole; a coincidence with the host is rare


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a canary stands (None: after the last row), by which row of the sample (`near`), its model and numbers."""

    place: Place | None
    near: int
    template: Row
    numbers: Mapping[str, Number]
    times: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Guest:
    """A persona, the real row its person is modelled on, and whether it stands in several canaries of this draw."""

    persona: Persona
    template: Row
    returns: bool
    comes_again: bool


def canaries_for(
    profile: HostProfile,
    places: Places,
    count: int,
    personas: Personas,
    rng: Random,
    *,
    ranges: Mapping[str, tuple[int, int]] | None = None,
    taken: set[str] | None = None,
    owned: Owned | None = None,
) -> list[Draft]:
    """Draft `count` canaries for a host table, sorted by position; every value has passed the safety gate.

    `ranges` gives by heading or role the range reserved for canaries; `taken` holds (and gets) numbers given out, so
    that calls for several recipients draw different ones. Raises SafetyError where no draft passes.
    """
    ranges = ranges or {}
    check_ranges(ranges)
    if not count or not profile.rows:
        return []
    fitter = Fitter(
        profile, personas, rng, ranges, set() if taken is None else taken, owned or personas.owned
    )
    return fitter.drafts(places, count)


class Fitter:
    """Drafts canaries for one profile."""

    def __init__(
        self,
        profile: HostProfile,
        personas: Personas,
        rng: Random,
        ranges: Mapping[str, tuple[int, int]],
        taken: set[str],
        owned: Owned,
    ) -> None:
        self.profile, self.personas, self.rng, self.owned = profile, personas, Dice(rng), owned
        roles = profile.roles
        self.numberings = {
            name: Numbering.of(profile, name, ranges, taken)
            for name in profile.headings
            if roles[name] in KEYLIKE and not is_category(profile, name)
        }
        self.moments = Moments.of(profile, [name for name in profile.headings if roles[name] in TIMELIKE])
        host = habits_of(profile, self.numberings.keys() | self.moments.clocks.keys())
        self.plain, self.parties, self.known = host.plain, host.parties, host.known
        self.bonds, self.told, self.local, self.tide = host.bonds, host.told, host.local, host.tide
        self.timetable, self.once = self._timetable(), set[tuple[int, ...]]()
        self.crossings = [(each, [self._balance(part) for part in each.parts]) for each in host.crossings]
        self.templates = Templates(profile, self.moments, self._balances())
        self.wardrobe = Wardrobe(profile, personas, self.rng, host.samples, host.learned)

    def _balances(self) -> list[Balance]:
        """Balance the values of each group of columns that go together; nothing of the row that the others go by."""
        return [self._balance(()), *map(self._balance, self.bonds)]

    def _balance(self, group: Collection[str]) -> Balance:
        """Balance the values of columns that stand in many rows, or tell of a person."""
        shared: dict[str, int | None] = {
            name: None for name, column in self.plain.copied.items() if column.repeated
        }
        shared |= {name: None for name, column in self.plain.numbers.items() if column.shared}
        shared |= self.told
        return Balance([self.profile.heads(name, shared[name]) for name in sorted(group & shared.keys())])

    def _timetable(self) -> Timetable | None:
        """Give the timetable of a host that has one; learned once for all recipients."""
        recall = self.profile.recall
        if self.tide is None or recall is None or not len(self.profile.places):
            return None
        known = self.profile.memo.get("timetable")
        if not isinstance(known, Timetable):
            drawn = self.numberings.keys() | self.moments.clocks.keys()
            known = Timetable.of(self.profile, recall, self.tide.heading, self.local, drawn, self.rng)
            self.profile.memo["timetable"] = known
        return known

    def drafts(self, places: Places, count: int) -> list[Draft]:
        """Draft so many canaries."""
        if self.timetable is not None and len(places):
            known = self.timetable
            self.timetable = known.learned(places.part(0, ENOUGH * count + SPARE), count, self.rng)
            if len(self.timetable.positions) >= len(known.positions):
                self.profile.memo["timetable"] = self.timetable
        seats = self._seats(places, count)
        done: dict[int, Draft] = {}
        for _ in range(ROUNDS):
            open_ = [index for index in range(len(seats)) if index not in done]
            if not open_:
                break
            for index, draft in zip(open_, self._round([seats[index] for index in open_]), strict=True):
                if draft is not None:
                    done[index] = draft
        if len(done) < count:
            raise SafetyError(
                f"{count - len(done)} of {count} canaries could not be drawn apart from real rows",
                "ask for fewer canaries, or reserve a range of numbers for them",
            )
        return self._sorted([done[index] for index in range(count)])

    def _sorted(self, drafts: list[Draft]) -> list[Draft]:
        """Bring drafts into the order of the table; those of one gap get their times in the order of their numbers."""
        order = self.profile.series.get(self.profile.order or "")
        often = Counter(draft.position for draft in drafts)
        drafts = sorted(drafts, key=partial(_stand, order, often))
        for one in self.profile.series.values():
            if one.ordered and one is not order and not one.is_key:
                name, timed = one.heading, sorted(drafts, key=partial(_stand, one, often))
                drafts = [
                    draft if draft is other else replace(draft, row={**draft.row, name: other.row.get(name)})
                    for draft, other in zip(drafts, timed, strict=True)
                ]
        return drafts

    def _seats(self, places: Places, count: int) -> list[Seat]:
        """Find a seat for each canary: a place of its own, then any place with room, then after the last row."""
        import numpy as np

        seats: list[Seat] = []
        at = 0
        while at < len(places) and len(seats) < count:
            stop = min(len(places), at + max(AT_ONCE, count - len(seats)))
            self._sit_at(list(places.part(at, stop)), seats, count)
            at = stop
        if len(places) and len(seats) < count:
            weights = [float(free) for free in places.free]
            again = self.rng.choices(range(len(places)), weights, k=AGAIN * (count - len(seats)))
            for start in range(0, len(again), count):
                some = places.chosen(np.array(again[start : start + count]))
                self._sit_at(list(some) if len(seats) < count else [], seats, count, anyhow=True)
        while len(seats) < count and self._sit_at([None] * (count - len(seats)), seats, count):
            pass
        return seats

    def _sit_at(
        self, places: Sequence[Place | None], seats: list[Seat], count: int, *, anyhow: bool = False
    ) -> bool:
        """Add seats at places until there are enough; tells whether one was added."""
        before = len(seats)
        near = self.templates.near(places)
        chosen = self.templates.choose(places, near, self.rng)
        timed = self._timed(places, anyhow=anyhow)
        for place, beside, rows, main in zip(places, near.tolist(), chosen.tolist(), timed, strict=True):
            if len(seats) == count:
                break
            if main is None and place is not None and self.timetable is not None:
                continue
            seat = self._seat(place, beside, rows, main, anyhow=anyhow or place is None)
            if seat is not None:
                seats.append(seat)
        return len(seats) > before

    def _timed(self, places: Sequence[Place | None], *, anyhow: bool) -> Sequence[Row | None]:
        """Choose rows by the timetable, where there is one."""
        known = [place for place in places if place is not None]
        if self.timetable is None or not known:
            return [None] * len(places)
        return self.timetable.rows(known, self.rng, self.once, anyhow=anyhow)

    def _seat(
        self, place: Place | None, near: int, rows: Sequence[int], main: Row | None, *, anyhow: bool
    ) -> Seat | None:
        """Make a seat at a place, if every numbered column has room there and a row fits it (`anyhow`: from afar)."""
        beside = self.profile.sample[near]
        numbers: dict[str, Number] = {}
        for heading, numbering in self.numberings.items():
            number = numbering.draw(place, beside.get(heading), self.rng)
            if number is None:
                return None
            numbers[heading] = number
        template = self._mixed(place, rows, main, anyhow=anyhow)
        if template is None:
            return None
        self._cross(template, near)
        return Seat(place, near, template, numbers, self.moments.draw(place, template, self.rng))

    def _cross(self, row: dict[str, str | None], near: int) -> None:
        """Put cells of other rows near a row of the sample where only a hub ties them to the person."""
        far, sample = self.templates.apart, self.profile.sample
        for crossing, balances in self.crossings:
            crossing.cross(row, near, far, sample, self.plain, balances, self.rng)

    def _mixed(
        self, place: Place | None, rows: Sequence[int], timed: Row | None, *, anyhow: bool
    ) -> dict[str, str | None] | None:
        """Put together a row to model a canary on: each group of columns that go together from a row of its own.

        None where no row of the sample fits between the two that stand at the place.
        """
        tide, sample = self.tide, self.profile.sample
        main = timed
        if main is None:
            main = (
                sample[rows[0]]
                if tide is None or place is None
                else tide.row(place, self.rng, anywhere=anyhow)
            )
        if main is None:
            return None
        mixed = dict(main)
        for group, at in zip(self.bonds, rows[1:], strict=True):
            row = sample[at]
            if (tide is None or tide.heading not in group) and self.plain.tame(group, row):
                for name in group:
                    mixed[name] = row.get(name)
        if timed is not None:
            return {**mixed, **{name: timed.get(name) for name in self.local}}
        beside = self.profile.around(place.position if place else self.profile.rows) if self.local else ()
        for name in self.local:
            if len({row.get(name) for row in beside}) != 1 and not anyhow:
                return None  # a run ends here: which one the place belongs to is not known
            mixed[name] = beside[0].get(name)
        return mixed

    def _round(self, seats: Sequence[Seat]) -> list[Draft | None]:
        """Draft a canary for each seat, every cell past the gate; None where it coincides with a real row."""
        guests = [self._guests(party, seats) for party in self.parties]
        worn = [
            self.wardrobe.wear(party, [one.persona for one in each], [one.template for one in each])
            for party, each in zip(self.parties, guests, strict=True)
        ]
        numbered = self._numbered(seats)
        drafts = [
            self._draft(seat, [each[at] for each in guests], [each[at] for each in worn], numbered[at])
            for at, seat in enumerate(seats)
        ]
        for heading in self.profile.headings:
            cells = (draft.row[heading] for draft in drafts if draft is not None)
            check_all(self.profile.roles[heading], cells, self.owned)
        return drafts

    def _guests(self, party: Party, seats: Sequence[Seat]) -> list[Guest]:
        """Cast a party: a persona for each seat, some of whom come again as often as the host's do."""
        personas = self.wardrobe.cast(party, [seat.template for seat in seats])
        places = [seat.place.position if seat.place else self.profile.rows for seat in seats]
        share = self.wardrobe.returning(party)
        hosts = returning(places, share, self.wardrobe.visits(party) if share else (), self.rng)
        often = Counter(hosts)
        return [
            Guest(personas[at], seats[at].template, often[at] > 1, at != row) for row, at in enumerate(hosts)
        ]

    def _again(self, template: Row, near: int) -> Row:
        """Make a row for the other columns of one who comes again, to whom what lasts in the host lasts."""
        row = dict(self._beside(template))
        for crossing, _ in self.crossings:
            if crossing.lasting:
                row.update((name, template.get(name)) for name in crossing.rest)
        self._cross(row, near)
        return row

    def _beside(self, template: Row) -> Row:
        """Choose a row for the other columns of one who comes again: of the same sex, age and part of the country."""
        sample = self.profile.sample
        wanted = [(name, size) for name, size in self.told.items() if template.get(name)]
        for _ in range(COMPANY):
            row = self.rng.choice(sample)
            if all((row.get(name) or "")[:size] == str(template[name])[:size] for name, size in wanted):
                return row
        return template

    def _numbered(self, seats: Sequence[Seat]) -> list[tuple[CanaryField | None, ...]]:
        """Make the identifying fields of the numbers of seats."""
        columns = []
        for heading in self.numberings:
            numbers = [seat.numbers[heading] for seat in seats]
            texts, bits = [one.text for one in numbers], [one.bits for one in numbers]
            columns.append(fields_of(self.profile.roles[heading], heading, texts, bits))
        return list(zip(*columns, strict=True)) if columns else [()] * len(seats)

    def _draft(
        self,
        seat: Seat,
        guests: Sequence[Guest],
        worn: Sequence[Worn],
        numbered: Sequence[CanaryField | None],
    ) -> Draft | None:
        row: dict[str, str | None] = dict.fromkeys(self.profile.headings)
        returned = next((guest for guest in guests if guest.comes_again), None)
        template = self._again(returned.template, seat.near) if returned else seat.template
        row |= self.plain.fill(template, self.profile.sample, self.rng)
        row |= seat.times
        row |= {heading: number.text for heading, number in seat.numbers.items()}
        fields = [each for each in numbered if each is not None]
        for guest, person in zip(guests, worn, strict=True):
            row |= person.row
            found = [each for each in person.fields if each is not None]
            fields += [replace(each, shared=True) for each in found] if guest.returns else found
        if self.known.holds(fields):
            return None
        if seat.place is None:
            return Draft(self.profile.rows, row, tuple(fields), "stands after the last row")
        return Draft(seat.place.position, row, tuple(fields))


def _stand(one: Series | None, often: Mapping[int, int], draft: Draft) -> tuple[int, int]:
    """Give where a draft stands: its position, then, where it is not alone there, its rank in the order of a column."""
    if one is None or often[draft.position] == 1:
        return draft.position, 0
    number = one.codec.read(draft.row.get(one.heading) or "")
    return draft.position, 0 if number is None else one.sign * number
