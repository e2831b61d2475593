"""What drafting works out of a profile once: how its columns are filled, who they speak of, and what goes together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from canary.fields.roles import KEYS, PERSONAL
from canary.generators.bonds import clusters, hub_of
from canary.generators.clocks import Clock
from canary.generators.copying import Plain, crowd, number_of
from canary.generators.crossing import Crossing, Pair
from canary.generators.drafts import Known
from canary.generators.dress import Sample
from canary.generators.parties import Party, parties_of
from canary.generators.profile import HostProfile
from canary.generators.returning import visits_of
from canary.generators.tides import Tide, local_of

Cells = Sequence[str | float | None]
TIMES = frozenset({"time", "date"})
STAFF = 0.1  # share of different names up to which a column is one of staff
SERVED = 20  # rows a name of staff stands in
TOLD = {
    "sex": 9,
    "age": 1,
    "birth_date": 3,
    "address": 2,
    "province": 2,
    "city": 9,
    "district": 9,
    "resident_id": 2,
}


@dataclass(frozen=True, slots=True)
class Habits:
    """What drafting works out of a profile once, for all recipients."""

    plain: Plain
    parties: Sequence[Party]
    known: Known
    samples: dict[str, Sample]
    bonds: Sequence[set[str]]  # columns that go together, in groups that are independent of each other
    local: Sequence[str]  # columns whose cells stand in long runs
    tide: Tide | None
    learned: dict[tuple[str, str], object]  # what the wardrobe learned of names and addresses
    told: Mapping[str, int]  # what a row tells of its person, by how many first letters
    crossings: Sequence[Crossing]  # what goes with a person only by way of a category


def habits_of(profile: HostProfile, drawn: Set[str]) -> Habits:
    """Give the habits of a host whose columns `drawn` are numbers and times; kept with the profile."""
    found = profile.memo.get("habits")
    if not isinstance(found, Habits):
        staff = staff_of(profile)
        personal = {name for name in profile.headings if profile.roles[name] in PERSONAL} - staff
        plain = Plain.of(profile, [name for name in profile.headings if name not in personal | drawn])
        parties = parties_of([name for name in profile.headings if name not in staff], profile.roles)
        told = {
            name: TOLD[profile.roles[name]]
            for party in parties
            for name in profile.headings
            if profile.roles[name] in TOLD and party.first(profile.roles[name]) == name
        }
        known = Known.of(profile, parties)
        columns, tide = _columns(profile, plain, told), Tide.of(profile)
        bonds, local = clusters(columns, len(profile.sample)), local_of(profile, plain)
        crossings = [] if tide else _crossings(profile, plain, columns, bonds, _visits(profile, parties))
        found = Habits(plain, parties, known, {}, bonds, local, tide, {}, told, crossings)
        profile.memo["habits"] = found
    return found


def _columns(profile: HostProfile, plain: Plain, told: Mapping[str, int]) -> dict[str, Cells]:
    """Give the plain columns and those that tell of a person, to be looked at for what goes together."""
    columns: dict[str, Cells] = {
        name: [number_of(cell or "") for cell in profile.cells(name)] for name in plain.numbers
    }
    columns |= {name: profile.cells(name) for name in plain.copied}
    return columns | {name: profile.heads(name, size) for name, size in told.items()}


def _crossings(
    profile: HostProfile,
    plain: Plain,
    columns: Mapping[str, Cells],
    bonds: Sequence[set[str]],
    visits: Sequence[Pair],
) -> list[Crossing]:
    """Find, in each group of columns that go together, what does so only by way of one of them."""
    hours: dict[str, Cells] = {
        f"hour of {name}": [_hour(column.clock, text) for text in profile.heads(name)]
        for name, column in profile.columns.items()
        if profile.roles[name] in TIMES and column.clock is not None
    }
    found = []
    for group in bonds:
        hub = hub_of({name: columns[name] for name in group}, hours, len(profile.sample))
        kept = (group - plain.copied.keys() - plain.numbers.keys()) | hours.keys()
        crossing = Crossing.of(hub, group, plain, kept, profile.sample, visits) if hub else None
        found += [crossing] if crossing else []
    return found


def _visits(profile: HostProfile, parties: Sequence[Party]) -> list[Pair]:
    """Give the rows of the sample whose person stands in an earlier one, by phone or identity number, and that one."""
    found = []
    for heading in (party.first("phone") or party.first("resident_id") for party in parties):
        values = ((at, value) for at, value in enumerate(profile.cells(heading or "")) if value)
        found += [(row, row - back) for row, back in visits_of(values)]
    return found


def _hour(clock: Clock, text: str) -> str:
    number = clock.read(text)
    return "" if number is None else str(clock.moment(number).hour)


def staff_of(profile: HostProfile) -> set[str]:
    """Give the columns of names that say who served: few people, each in many rows, of whom nothing else is told."""
    found = set()
    for party in parties_of(profile.headings, profile.roles):
        values = Counter(profile.column(party.first("name") or ""))
        few = len(values) <= STAFF * values.total() and crowd(values, profile.rows) >= SERVED
        if party.columns.keys() == {"name"} and few:
            found.update(party.columns["name"])
    return found


def is_category(profile: HostProfile, heading: str) -> bool:
    """Tell whether the values of a column of record numbers stand in many rows each: those number no record."""
    return profile.roles[heading] in KEYS and crowd(Counter(profile.column(heading)), profile.rows) >= SERVED
