"""Street addresses in their natural forms; every uniform draw is counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, cast

from canary.generators.data import people_table, words
from canary.generators.draws import Weighted, bits_of, integers
from canary.generators.places import County

if TYPE_CHECKING:
    import numpy as np

BUILDINGS, UNITS, FLOORS, DOORS, HOUSES, GROUPS, FARMS = 36, 4, 28, 4, 880, 18, 260
_BUILDING = ("幢", "栋", "号楼")  # spelt as it falls; the canonical form has none of them


@dataclass(frozen=True, slots=True)
class StreetTables:
    """Road, estate and village names (distinct, drawn evenly) and the forms of an address by share."""

    roads: tuple[str, ...]
    estates: tuple[str, ...]
    villages: tuple[str, ...]
    forms: Weighted

    def bits(self, form: str) -> float:
        """Give the min-entropy of an address of a form, its divisions and town being known."""
        home = (BUILDINGS, UNITS, FLOORS, DOORS)
        sizes = {
            "estate": (len(self.estates), *home),
            "road_estate": (len(self.roads), len(self.estates), HOUSES, *home),
            "road": (len(self.roads), HOUSES),
            "danwei": (len(self.roads), HOUSES, BUILDINGS, FLOORS, DOORS),
            "village": (len(self.villages), GROUPS, FARMS),
        }
        return bits_of(*sizes[form])


@cache
def street_tables() -> StreetTables:
    """Read the parts of street addresses."""
    table = people_table("addresses_zh")
    shares = cast("dict[str, float]", table["shares"])
    roads, estates, villages = (_pairs(table, key) for key in ("road", "estate", "village"))
    return StreetTables(roads, estates, villages, Weighted.of(tuple(shares), tuple(shares.values())))


def _pairs(table: dict[str, object], key: str) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(
            head + tail for head in words(table, f"{key}s") for tail in words(table, f"{key}_kinds")
        )
    )


def draw_streets(gen: np.random.Generator, counties: Sequence[County]) -> tuple[list[str], list[str]]:
    """Draw a street address (without divisions) for each county; gives the texts and their forms."""
    tables = street_tables()
    count = len(counties)
    forms = tables.forms.draw(gen, count)
    roads, estates, villages = (
        [names[index] for index in integers(gen, count, len(names))]
        for names in (tables.roads, tables.estates, tables.villages)
    )
    homes, numbers, farms = _homes(gen, count), integers(gen, count, HOUSES), _farms(gen, count)
    towns = _towns(gen, counties)
    streets = []
    for row, form in enumerate(forms):
        if form == "village":
            streets.append(f"{towns[row][1]}{villages[row]}村{farms[row]}")
            continue
        road = f"{roads[row]}{numbers[row] + 1}号"
        text = {
            "estate": f"{estates[row]}{homes[row][0]}",
            "road": road,
            "danwei": f"{road}{homes[row][1]}",
        }.get(form)
        streets.append(towns[row][0] + (text or f"{road}{estates[row]}{homes[row][0]}"))
    return streets, forms


def _homes(gen: np.random.Generator, count: int) -> list[tuple[str, str]]:
    """Draw homes in an estate (with unit) and in a courtyard (without)."""
    rows = zip(*(integers(gen, count, size) for size in (BUILDINGS, UNITS, FLOORS, DOORS, 3)), strict=True)
    return [
        (
            f"{a + 1}{_BUILDING[s]}{u + 1}单元{f + 1}{d + 1:02d}室",
            f"{a + 1}{_BUILDING[s]}{f + 1}{d + 1:02d}室",
        )
        for a, u, f, d, s in rows
    ]


def _farms(gen: np.random.Generator, count: int) -> list[str]:
    rows = zip(integers(gen, count, GROUPS), integers(gen, count, FARMS), strict=True)
    return [f"{group + 1}组{house + 1}号" for group, house in rows]


def _towns(gen: np.random.Generator, counties: Sequence[County]) -> list[tuple[str, str]]:
    """Draw the town of each address: what stands before a road (mostly nothing) and before a village."""
    picks = gen.random(len(counties)).tolist()
    shown = (gen.random(len(counties)) < 0.3).tolist()
    found = []
    for county, pick, show in zip(counties, picks, shown, strict=True):
        town = county.towns[int(pick * len(county.towns))]
        found.append((town if show else "", town))
    return found
