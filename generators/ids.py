"""Resident identity numbers (GB 11643) that nobody was ever given."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import TYPE_CHECKING

from canary.generators.data import people_rows
from canary.generators.draws import bits_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Days = NDArray[np.datetime64]

FIRST_CARDS = 1984  # the first regulation on identity cards is of April 1984
OLD_BIRTHS = 1980  # born by then: a code withdrawn before the first cards
YOUNG_BIRTHS = (
    1986  # born from then: a code withdrawn at least YEARS_APART before; nobody between has a safe number
)
YEARS_APART = 5
ORDERS = 497  # sequence numbers a sex, 996 to 999 (kept for centenarians) left out
LENGTH = 18
ZERO = ord("0")
_CHECKS = "10X98765432"  # by the weighed sum of the digits modulo 11
HOME_SHARE = 0.8  # share of people registered in the province they live in, where it has codes


@dataclass(frozen=True, slots=True)
class CodePool:
    """Withdrawn codes by province that are safe for one birth year."""

    codes: tuple[str, ...]
    by_province: Mapping[str, tuple[str, ...]]


@cache
def withdrawn_codes() -> Mapping[str, int]:
    """Read the withdrawn county codes and the year by which each was withdrawn."""
    return {code: int(year) for code, year, _ in people_rows("withdrawn_codes")[1:]}


def is_safe_code(code: str, birth_year: int) -> bool:
    """Tell whether nobody born in a year was ever given a number of this county code."""
    withdrawn = withdrawn_codes().get(code)
    if withdrawn is None:
        return False
    if birth_year <= OLD_BIRTHS:
        return withdrawn < FIRST_CARDS
    return birth_year >= YOUNG_BIRTHS and withdrawn + YEARS_APART <= birth_year


@cache
def code_pool(birth_year: int) -> CodePool:
    """Give the codes that are safe for a birth year; none for births of 1981 to 1985."""
    codes = tuple(code for code in withdrawn_codes() if is_safe_code(code, birth_year))
    provinces: dict[str, list[str]] = {}
    for code in codes:
        provinces.setdefault(code[:2], []).append(code)
    return CodePool(codes, {head: tuple(rows) for head, rows in provinces.items()})


def check_digit(body: str) -> str:
    """Compute the check character of 17 digits (ISO 7064 MOD 11-2)."""
    total = 2 * int(body, 13)  # 13 = 2 modulo 11, so base 13 gives the standard's weights 2^17 … 2
    return _CHECKS[total % 11]


@dataclass(frozen=True, slots=True)
class _Shelves:
    """Withdrawn codes in the order of their years: all, and those of each province from `starts` on.

    Whatever the birth year, the codes that are safe for it are the first of a shelf: `sizes` says how many, by the last
    year of withdrawal that is safe (less `first`) and by province, and `wholes` of all.
    """

    all: NDArray[np.int64]
    by_province: NDArray[np.int64]
    starts: NDArray[np.int64]
    sizes: NDArray[np.int64]
    wholes: NDArray[np.int64]
    bits: NDArray[np.float64]  # of a draw from so many codes
    first: int

    def row(self, birth_years: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give the rows of `sizes` for birth years; the first has no code, for births that have no safe number."""
        import numpy as np

        last = np.where(birth_years <= OLD_BIRTHS, FIRST_CARDS - 1, birth_years - YEARS_APART)
        last[(birth_years > OLD_BIRTHS) & (birth_years < YOUNG_BIRTHS)] = 0
        return (last - self.first).clip(0, len(self.sizes) - 1)


@cache
def _shelves() -> _Shelves:
    import numpy as np

    codes = np.array([int(code) for code in withdrawn_codes()])
    years = np.array(list(withdrawn_codes().values()))
    first, last = int(years.min()) - 1, int(years.max())
    provinces = codes // 10_000
    order = np.lexsort((years, provinces))
    sizes = np.zeros((last - first + 1, 100), np.int64)
    np.add.at(sizes, (years - first, provinces), 1)
    sizes = sizes.cumsum(axis=0)
    starts = np.concatenate([[0], sizes[-1].cumsum()[:-1]])
    bits = np.array([bits_of(size, ORDERS) if size else 0.0 for size in range(len(codes) + 1)])
    return _Shelves(
        codes[np.argsort(years, kind="stable")], codes[order], starts, sizes, sizes.sum(axis=1), bits, first
    )


def draw_ids(
    gen: np.random.Generator, births: Sequence[date] | Days, sexes: Sequence[str], homes: Sequence[str]
) -> tuple[list[str], list[float]]:
    """Draw a safe number ('' where none exists) and its bits for each birth date, sex and home county."""
    import numpy as np

    days, shelves = np.asarray(births, "datetime64[D]"), _shelves()
    stays, picks = gen.random((2, len(days)))
    orders = gen.integers(0, ORDERS, len(days))
    rows = shelves.row(days.astype("datetime64[Y]").astype(np.int64) + 1970)
    provinces = np.array(homes, "U2").astype(np.int64)
    own, wholes = shelves.sizes[rows, provinces], shelves.wholes[rows]
    at_home = (stays < HOME_SHARE) & (own > 0)
    sizes = np.where(at_home, own, wholes)
    at = (picks * sizes).astype(np.int64)
    there = shelves.by_province.take(np.where(at_home, shelves.starts[provinces] + at, 0))
    codes = np.where(at_home, there, shelves.all[at])
    women = np.array([sex != "M" for sex in sexes], bool)
    return written(codes, days, 2 * orders + 1 + women, sizes > 0), shelves.bits[sizes].tolist()


def written(
    codes: NDArray[np.int64], days: Days, orders: NDArray[np.int64], shown: NDArray[np.bool_]
) -> list[str]:
    """Write numbers of county codes, birth dates and sequence numbers; '' where none is to be shown."""
    import numpy as np

    cells = np.zeros((len(codes), LENGTH), np.uint32)
    cells[:, :6] = _digits(codes, 6)
    dates = np.datetime_as_string(days, "D").astype("U10").view(np.uint32).reshape(-1, 10)
    cells[:, 6:14] = dates[:, [0, 1, 2, 3, 5, 6, 8, 9]]
    cells[:, 14:17] = _digits(orders, 3)
    cells[:, 17] = check_cells(cells)
    cells[~shown] = 0
    texts: list[str] = cells.view(f"U{LENGTH}").ravel().tolist()
    return texts


def _digits(numbers: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    import numpy as np

    return numbers[:, None] // 10 ** np.arange(width - 1, -1, -1) % 10 + ZERO


def check_cells(cells: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Compute the check characters of rows of 17 digits and more, all as code points (ISO 7064 MOD 11-2)."""
    import numpy as np

    weights = np.array([pow(2, LENGTH - 1 - at, 11) for at in range(LENGTH - 1)], np.int64)
    totals = (cells[:, : LENGTH - 1].astype(np.int64) - ZERO) @ weights % 11
    signs: NDArray[np.uint32] = np.array([ord(sign) for sign in _CHECKS], np.uint32)[totals]
    return signs


def province_skew(real: Sequence[str]) -> float:
    """Give the total variation distance between the provinces of real numbers and of those that canaries get.

    Withdrawn codes are spread over the provinces otherwise than people are; 0 says that nobody could tell.
    """
    host: defaultdict[str, float] = defaultdict(float)
    drawn: defaultdict[str, float] = defaultdict(float)
    for number in real:
        pool = code_pool(int(number[6:10]))
        if not pool.codes:
            continue
        home = number[:2]
        host[home] += 1
        anywhere = 1 - HOME_SHARE if home in pool.by_province else 1.0
        drawn[home] += 1 - anywhere
        for province, codes in pool.by_province.items():
            drawn[province] += anywhere * len(codes) / len(pool.codes)
    total = sum(host.values())
    return sum(abs(host[one] - drawn[one]) for one in {*host, *drawn}) / (2 * total) if total else 0.0


def _number(code: str, birth: date, sex: str, order: int) -> str:
    body = f"{code}{birth.year}{birth.month:02d}{birth.day:02d}{2 * order + (1 if sex == 'M' else 2):03d}"
    return body + check_digit(body)


def masked_source(county: str, birth: date, sex: str, order: int) -> str:
    """Give a number to be masked at once: the county where the persona lives shows through the mask."""
    return _number(county, birth, sex, order % ORDERS)
