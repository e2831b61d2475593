"""Canaries that fit a learned host table: a persona for what identifies, a template row for the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import partial
from random import Random

from canary.errors import SafetyError
from canary.fields.roles import PERSONAL
from canary.generators.copying import Plain
from canary.generators.drafts import Draft, Known, field_of, name_address_of
from canary.generators.dress import Sample
from canary.generators.host import KEYLIKE, TIMELIKE
from canary.generators.moments import Moments
from canary.generators.numbering import Number, Numbering, check_ranges
from canary.generators.parties import Party, parties_of
from canary.generators.persona import Personas
from canary.generators.profile import HostProfile, Place, Places, Row
from canary.generators.safety import Owned, check_all
from canary.generators.series import Series
from canary.generators.wardrobe import Wardrobe
from canary.model.record import Persona

AGAIN = 20  # tries a canary to find room in a place that is used already
ROUNDS = 40  # drawings until every draft is whole; a coincidence with the host is rare


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a canary stands (None: after the last row), the real row it is modelled on, and its numbers."""

    place: Place | None
    template: Row
    numbers: Mapping[str, Number]
    times: Mapping[str, str | None]


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
    fitter = Fitter(
        profile, personas, rng, ranges, set() if taken is None else taken, owned or personas.owned
    )
    return fitter.drafts(places, count)


@dataclass(frozen=True, slots=True)
class Habits:
    """What drafting works out of a profile once, for all recipients."""

    plain: Plain
    parties: Sequence[Party]
    known: Known
    samples: dict[str, Sample]


def _habits(profile: HostProfile, drawn: Set[str]) -> Habits:
    """Give the habits of a host whose columns `drawn` are numbers and times; kept with the profile."""
    found = profile.memo.get("habits")
    if not isinstance(found, Habits):
        personal = {name for name in profile.headings if profile.roles[name] in PERSONAL}
        plain = Plain.of(profile, [name for name in profile.headings if name not in personal | drawn])
        parties = parties_of(profile.headings, profile.roles)
        found = Habits(plain, parties, Known.of(profile.sample, profile.roles, parties), {})
        profile.memo["habits"] = found
    return found


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
        self.profile, self.personas, self.rng, self.owned = profile, personas, rng, owned
        roles = profile.roles
        self.numberings = {
            name: Numbering.of(profile, name, ranges, taken)
            for name in profile.headings
            if roles[name] in KEYLIKE
        }
        self.moments = Moments.of(profile, [name for name in profile.headings if roles[name] in TIMELIKE])
        host = _habits(profile, self.numberings.keys() | self.moments.clocks.keys())
        self.plain, self.parties, self.known = host.plain, host.parties, host.known
        self.wardrobe = Wardrobe(profile, personas, rng, host.samples)

    def drafts(self, places: Places, count: int) -> list[Draft]:
        """Draft so many canaries."""
        if not self.profile.rows:
            return []
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
        drafts = sorted(drafts, key=partial(_stand, order))
        for one in self.profile.series.values():
            if one.ordered and one is not order and not one.is_key:
                times = [draft.row.get(one.heading) for draft in sorted(drafts, key=partial(_stand, one))]
                drafts = [
                    replace(draft, row={**draft.row, one.heading: time})
                    for draft, time in zip(drafts, times, strict=True)
                ]
        return drafts

    def _seats(self, places: Places, count: int) -> list[Seat]:
        """Find a seat for each canary: a place of its own, then any place with room, then after the last row."""
        seats: list[Seat] = []
        for place in places:
            if len(seats) == count:
                return seats
            self._sit(place, seats)
        if len(places):
            weights = [float(free) for free in places.free]
            for at in self.rng.choices(range(len(places)), weights, k=AGAIN * (count - len(seats))):
                if len(seats) == count:
                    return seats
                self._sit(places[at], seats)
        while len(seats) < count and self._sit(None, seats):
            pass
        return seats

    def _sit(self, place: Place | None, seats: list[Seat]) -> bool:
        """Add a seat at a place, if every numbered column has room there."""
        near = self.profile.near(place.position if place else self.profile.rows)
        template = self.profile.sample[near] if near is not None else {}
        numbers: dict[str, Number] = {}
        for heading, numbering in self.numberings.items():
            number = numbering.draw(place, template.get(heading), self.rng)
            if number is None:
                return False
            numbers[heading] = number
        seats.append(Seat(place, template, numbers, self.moments.draw(place, template, self.rng)))
        return True

    def _round(self, seats: Sequence[Seat]) -> list[Draft | None]:
        """Draft a canary for each seat, every cell past the gate; None where it coincides with a real row."""
        cast = [self.wardrobe.cast(party, [seat.template for seat in seats]) for party in self.parties]
        drafts = [self._draft(seat, [personas[row] for personas in cast]) for row, seat in enumerate(seats)]
        for heading in self.profile.headings:
            cells = (draft.row[heading] for draft in drafts if draft is not None)
            check_all(self.profile.roles[heading], cells, self.owned)
        return drafts

    def _draft(self, seat: Seat, personas: Sequence[Persona]) -> Draft | None:
        roles = self.profile.roles
        row: dict[str, str | None] = dict.fromkeys(self.profile.headings)
        row |= self.plain.fill(seat.template, self.profile.sample, self.rng)
        row |= seat.times
        row |= {heading: number.text for heading, number in seat.numbers.items()}
        fields = [
            field_of(roles[heading], heading, number.text, number.bits)
            for heading, number in seat.numbers.items()
        ]
        for party, persona in zip(self.parties, personas, strict=True):
            worn, found = self.wardrobe.wear(party, persona, seat.template)
            row |= worn
            fields += [*found, name_address_of(party, row, persona, mailed="email" in party.columns)]
        made = tuple(each for each in fields if each is not None)
        if self.known.holds(made):
            return None
        if seat.place is None:
            return Draft(self.profile.rows, row, made, "stands after the last row")
        return Draft(seat.place.position, row, made)


def _stand(one: Series | None, draft: Draft) -> tuple[int, int]:
    """Give where a draft stands: its position, then its rank in the order of a column."""
    number = one.codec.read(draft.row.get(one.heading) or "") if one is not None else None
    return draft.position, one.sign * number if one is not None and number is not None else 0
