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

FIRST_CARDS = 1984  # the first regulation on identity cards is of April 1984
OLD_BIRTHS = 1980  # born by then: a code withdrawn before the first cards
YOUNG_BIRTHS = (
    1986  # born from then: a code withdrawn at least YEARS_APART before; nobody between has a safe number
)
YEARS_APART = 5
ORDERS = 497  # sequence numbers a sex, 996 to 999 (kept for centenarians) left out
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
    return "10X98765432"[total % 11]


def draw_ids(
    gen: np.random.Generator, births: Sequence[date], sexes: Sequence[str], homes: Sequence[str]
) -> tuple[list[str], list[float]]:
    """Draw a safe number ('' where none exists) and its bits for each birth date, sex and home county."""
    count = len(births)
    dice = gen.random((count, 2)).tolist()
    orders = gen.integers(0, ORDERS, count).tolist()
    numbers, bits = [], []
    for birth, sex, home, (stays, pick), order in zip(births, sexes, homes, dice, orders, strict=True):
        pool = code_pool(birth.year)
        codes = pool.by_province.get(home[:2], ()) if stays < HOME_SHARE else ()
        codes = codes or pool.codes
        numbers.append(_number(codes[int(pick * len(codes))], birth, sex, order) if codes else "")
        bits.append(bits_of(len(codes), ORDERS) if codes else 0.0)
    return numbers, bits


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
