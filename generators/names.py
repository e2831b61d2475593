"""Chinese names that fit sex and birth generation, and their spelling in pinyin."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from math import log2
from typing import TYPE_CHECKING, cast

from canary.generators.data import people_table, words
from canary.generators.draws import Weighted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SURNAME = re.compile(r"([^\d\s.]+)([\d.]+)")


@dataclass(frozen=True, slots=True)
class NameTables:
    """Surnames and, by era, given names of both sexes; `starts` are the first birth years of the eras."""

    surnames: Weighted
    starts: tuple[int, ...]
    given: Mapping[tuple[int, str], Weighted]

    def era(self, year: int) -> int:
        """Give the index of the era that a birth year falls into."""
        return max(0, bisect_right(self.starts, year) - 1)

    def bits(self, year: int, sex: str) -> float:
        """Give the min-entropy of a name, birth year and sex being known, rounded down to a hundredth."""
        peak = self.surnames.peak * self.given[self.era(year), sex].peak
        return int(-log2(peak) * 100) / 100


@cache
def name_tables() -> NameTables:
    """Read the tables of Chinese names."""
    table = people_table("names_zh")
    pairs = _SURNAME.findall(str(table["surnames"]))
    eras = cast("list[dict[str, dict[str, object]]]", table["eras"])
    given = {(index, sex): _given(era, sex) for index, era in enumerate(eras) for sex in "MF"}
    starts = tuple(cast("int", era["from"]) for era in eras)
    surnames = Weighted.of([name for name, _ in pairs], [float(share) for _, share in pairs])
    return NameTables(surnames, starts, given)


def _given(era: dict[str, dict[str, object]], sex: str) -> Weighted:
    single, frequent = (cast("float", era[key][sex]) for key in ("single", "frequent"))
    parts = era[sex]
    heads, tails = words(parts, "head"), words(parts, "tail")
    built = [head + tail for head in heads for tail in tails if head != tail]
    texts: list[str] = []
    weights: list[float] = []
    shares = (
        (words(parts, "single"), single),
        (words(parts, "frequent"), frequent),
        (built, 1 - single - frequent),
    )
    for group, share in shares:
        texts += group
        weights += [share / len(group)] * len(group)
    return Weighted.of(texts, weights)


def draw_given(gen: np.random.Generator, years: Sequence[int], sexes: Sequence[str]) -> list[str]:
    """Draw a given name for each birth year and sex."""
    import numpy as np

    shelf, women = _shelf(), np.array([sex != "M" for sex in sexes], bool)
    eras = np.searchsorted(name_tables().starts, years, side="right") - 1
    tables = 2 * eras.clip(0) + women
    picks = shelf.steps.searchsorted(tables + gen.random(len(tables)), side="right")
    drawn: list[str] = shelf.texts[np.minimum(picks, shelf.lasts[tables])].tolist()
    return drawn


@dataclass(frozen=True, slots=True)
class _Shelf:
    """All given names, table by table (by era, men before women): those of table n have steps from n to n + 1."""

    texts: NDArray[np.object_]
    steps: NDArray[np.float64]
    lasts: NDArray[np.intp]


@cache
def _shelf() -> _Shelf:
    import numpy as np

    given = name_tables().given
    tables = [given[era, sex] for era in range(len(name_tables().starts)) for sex in "MF"]
    texts = np.array([text for table in tables for text in table.texts], dtype=object)
    steps = np.concatenate([at + table.steps for at, table in enumerate(tables)])
    return _Shelf(texts, steps, np.cumsum([len(table.texts) for table in tables]) - 1)


@lru_cache(maxsize=65536)
def pinyin(text: str, *, surname: bool = False) -> tuple[str, ...]:
    """Spell Chinese characters in pinyin, one syllable each, 'ü' as 'v'; a surname by its own reading."""
    readings = cast("dict[str, str]", people_table("names_zh")["readings"])
    if surname and text in readings:
        return (readings[text],)
    if (
        len(text) == 2 and text not in _phrases()
    ):  # the library reads such a pair sign by sign too, but slowly
        return (*pinyin(text[0]), *pinyin(text[1]))
    from pypinyin import lazy_pinyin

    return tuple(str(syllable) for syllable in lazy_pinyin(text))


@cache
def _phrases() -> Container[str]:
    """Give the words whose signs are read together."""
    from pypinyin.constants import PHRASES_DICT

    return cast("Container[str]", PHRASES_DICT)
