"""Street addresses in their natural forms; every uniform draw is counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, cast

from canary.generators.data import people_table, words
from canary.generators.draws import Weighted, bits_of
from canary.generators.places import places

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Texts = NDArray[np.object_]

BUILDINGS, UNITS, FLOORS, DOORS, HOUSES, GROUPS, FARMS = 36, 4, 28, 4, 880, 18, 260
TOWN_SHOWN = 0.3  # share of addresses on a road that name their town
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


def draw_streets(gen: np.random.Generator, counties: NDArray[np.int64]) -> tuple[list[str], NDArray[np.intp]]:
    """Draw a street address, without divisions, for each county (an index); gives texts and their forms' numbers."""
    import numpy as np

    tables = street_tables()
    forms = tables.forms.picks(gen, len(counties))
    towns = _draw_towns(gen, counties)
    hidden = gen.random(len(counties)) >= TOWN_SHOWN
    streets = np.empty(len(counties), dtype=object)
    for at, form in enumerate(tables.forms.texts):
        rows = np.flatnonzero(forms == at)
        if form != "village":
            towns[rows[hidden[rows]]] = ""
        streets[rows] = _joined(towns[rows], *(_drawn(gen, len(rows), part) for part in _parts_of(form)))
    texts: list[str] = streets.tolist()
    return texts, forms


def _draw_towns(gen: np.random.Generator, counties: NDArray[np.int64]) -> Texts:
    """Draw a town of each county evenly."""
    towns, starts, sizes = _towns()
    at = (gen.random(len(counties)) * sizes[counties]).astype("int64")
    drawn: Texts = towns[starts[counties] + at]
    return drawn


@cache
def _towns() -> tuple[Texts, NDArray[np.int64], NDArray[np.int64]]:
    """Give the towns of all counties in a row, where those of each county begin, and how many it has."""
    import numpy as np

    counties = places().counties
    sizes = np.array([len(county.towns) for county in counties])
    towns = np.array([town for county in counties for town in county.towns], dtype=object)
    return towns, np.cumsum(sizes) - sizes, sizes


def _drawn(gen: np.random.Generator, count: int, texts: Texts) -> Texts:
    drawn: Texts = texts[gen.integers(0, len(texts), count)]
    return drawn


def _joined(*columns: Texts) -> Texts:
    """Join texts row by row."""
    import numpy as np

    rows = zip(*(column.tolist() for column in columns), strict=True)
    return np.array(list(map("".join, rows)), dtype=object)


@dataclass(frozen=True, slots=True)
class HomeParts:
    """Every text that each part of a home may have; each is drawn evenly."""

    units: tuple[str, ...]
    blocks: tuple[str, ...]
    rooms: tuple[str, ...]
    houses: tuple[str, ...]
    farms: tuple[str, ...]


@cache
def _parts() -> HomeParts:
    blocks = tuple(f"{block + 1}{word}" for block in range(BUILDINGS) for word in _BUILDING)
    return HomeParts(
        tuple(f"{block}{unit + 1}单元" for block in blocks for unit in range(UNITS)),
        blocks,
        tuple(f"{floor + 1}{door + 1:02d}室" for floor in range(FLOORS) for door in range(DOORS)),
        tuple(f"{house + 1}号" for house in range(HOUSES)),
        tuple(f"村{group + 1}组{house + 1}号" for group in range(GROUPS) for house in range(FARMS)),
    )


@cache
def _parts_of(form: str) -> tuple[Texts, ...]:
    """Give the tables whose entries make a street address of a form."""
    import numpy as np

    tables, parts = street_tables(), _parts()
    road, home = (tables.roads, parts.houses), (tables.estates, parts.units, parts.rooms)
    texts: tuple[Sequence[str], ...] = {
        "estate": home,
        "road_estate": (*road, *home),
        "road": road,
        "danwei": (*road, parts.blocks, parts.rooms),
        "village": (tables.villages, parts.farms),
    }[form]
    return tuple(np.array(each, dtype=object) for each in texts)
