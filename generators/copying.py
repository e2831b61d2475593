"""What a canary may take over from a real row: nothing that names or reaches anybody, nothing rare."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from random import Random

from canary.fields.roles import PERSONAL
from canary.generators.masks import Shape, learn_shape
from canary.generators.profile import HostProfile, Row

COMMON = 3  # times a value stands in the sample before it counts as nobody's own
FEW = 0.5  # share of distinct values below which a column is one of repeated values
TRIES = 20
NEAR = 0.02  # how far in rank a number may move
LEAST_NAME = 2
_LOOSE = frozenset({"text", "other", "url"})
_NUMBER = re.compile(r"[^\d.+\-]{0,3}([+-]?[\d,]*\d(?:\.\d+)?)[^\d.]{0,4}")
_REACHES = re.compile(r"\d(?:[\s\-]?\d){4,}|@|https?:", re.I)


@dataclass(frozen=True, slots=True)
class Copied:
    """One column of plain values in the sample: how often each stands there, and the make of its codes."""

    heading: str
    role: str
    counts: Counter[str]
    common: tuple[str, ...]
    steps: tuple[int, ...]  # sums of the weights of the common values
    repeated: bool
    shape: Shape | None

    @classmethod
    def of(cls, heading: str, role: str, values: Sequence[str]) -> Copied:
        """Learn a column from its filled values."""
        counts = Counter(values)
        repeated = len(counts) <= FEW * len(values)
        common = sorted(value for value, count in counts.items() if count >= COMMON)
        coded = not repeated and role in {"code", "other", "url", "category"}
        shape = (
            learn_shape(values)
            if coded and all(any(map(str.isdigit, each)) for each in values[:50])
            else None
        )
        steps = tuple(accumulate(counts[value] for value in common))
        return cls(heading, role, counts, tuple(common), steps, repeated, shape)

    def allows(self, value: str, row: Row, people: Sequence[str]) -> bool:
        """Tell whether a value of a row may be copied; `people` are the headings of names."""
        if self.role in _LOOSE or not self.repeated:
            return not reaches(value) and not any(name in value for name in names_in(row, people))
        return self.counts[value] >= COMMON or not reaches(value)

    def take(self, row: Row, sample: Sequence[Row], people: Sequence[str], rng: Random) -> str | None:
        """Give a value for a canary whose template is `row`; `people` are the headings of names."""
        value = row.get(self.heading)
        if not value:
            return value
        if self.shape is not None:
            drawn = (self.shape.draw(rng) for _ in range(TRIES))
            return next((code for code in drawn if code not in self.counts), "")
        if self.repeated and self.counts[value] < COMMON and self.common:
            value = rng.choices(self.common, cum_weights=self.steps)[0]
        for _ in range(TRIES):
            if self.allows(value, row, people):
                return value
            row = rng.choice(sample)
            value = row.get(self.heading) or ""
        return ""


def reaches(value: str) -> bool:
    """Tell whether a text holds what may reach somebody: five digits in a row, an address of mail or web."""
    return _REACHES.search(value) is not None


def names_in(row: Row, people: Sequence[str]) -> list[str]:
    """Give the names of a row that are long enough to be looked for in texts."""
    return [name for heading in people if (name := row.get(heading) or "") and len(name) >= LEAST_NAME]


@dataclass(frozen=True, slots=True)
class Numbers:
    """One column of amounts or measures in the sample, in their order."""

    heading: str
    values: tuple[float, ...]
    texts: tuple[str, ...]

    @classmethod
    def of(cls, heading: str, values: Sequence[str]) -> Numbers:
        """Learn a column from its filled values; what is no number is left out."""
        pairs = sorted((number, text) for text in values if (number := number_of(text)) is not None)
        return cls(heading, tuple(number for number, _ in pairs), tuple(text for _, text in pairs))

    def near(self, value: str | None, rng: Random) -> str | None:
        """Give a value of the sample whose rank is near that of `value`; a text that is no number is left empty."""
        if not value:
            return value
        number = number_of(value)
        if number is None or not self.values:
            return ""
        reach = max(2, int(NEAR * len(self.values)))
        low, high = bisect_left(self.values, number), bisect_right(self.values, number)
        return self.texts[rng.randrange(max(0, low - reach), min(len(self.texts), high + reach))]


@lru_cache(maxsize=16384)
def number_of(text: str) -> float | None:
    """Read a number with or without its unit and thousands marks, None where the text is none."""
    found = _NUMBER.fullmatch(text.strip())
    return float(found[1].replace(",", "")) if found else None


@dataclass(frozen=True, slots=True)
class Plain:
    """All columns of a table that do not identify a person, ready to be filled."""

    copied: Mapping[str, Copied]
    numbers: Mapping[str, Numbers]
    people: tuple[str, ...]

    @classmethod
    def of(cls, profile: HostProfile, headings: Sequence[str]) -> Plain:
        """Learn the plain columns of a profile."""
        copied: dict[str, Copied] = {}
        numbers: dict[str, Numbers] = {}
        for heading in headings:
            role, values = profile.roles[heading], profile.column(heading)
            if role in {"money", "measure", "count"}:
                numbers[heading] = Numbers.of(heading, values)
            else:
                copied[heading] = Copied.of(heading, role, values)
        people = tuple(name for name in profile.headings if profile.roles[name] in PERSONAL & {"name"})
        return cls(copied, numbers, people)

    def fill(self, template: Row, sample: Sequence[Row], rng: Random) -> dict[str, str | None]:
        """Fill the plain columns of one canary."""
        row = {heading: column.near(template.get(heading), rng) for heading, column in self.numbers.items()}
        for heading, column in self.copied.items():
            row[heading] = column.take(template, sample, self.people, rng)
        return row
