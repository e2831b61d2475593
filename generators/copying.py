"""What a canary may take over from a real row: nothing that names or reaches anybody, nothing rare."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, chain
from random import Random

from canary.fields.roles import PERSONAL
from canary.generators.masks import Shape, learn_shape
from canary.generators.profile import HostProfile, Row

COMMON = 3  # times a value stands in the sample before it counts as nobody's own
FEW = 0.5  # share of distinct values below which a column is one of repeated values
TRIES = 20
BESIDE = 3  # values of the sample to either side among which a number moves
ROUND_TRIES = 4
CROWD = 8  # rows of the host that share a usual value, above which one more does not show
WHOLE = 3  # how many times larger than its sample a host is before what is rare in the sample is common in it
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
    sparse: bool = True  # what is rare in the sample is rare in the host

    @classmethod
    def of(cls, heading: str, role: str, values: Sequence[str], rows: int = 0) -> Copied:
        """Learn a column from its filled values, a sample of `rows` rows."""
        counts = Counter(values)
        repeated = len(counts) <= FEW * len(values) or crowd(counts, rows) >= CROWD
        common = sorted(value for value, count in counts.items() if count >= COMMON)
        coded = not repeated and role in {"code", "other", "url", "category"}
        shape = (
            learn_shape(values)
            if coded and all(any(map(str.isdigit, each)) for each in values[:50])
            else None
        )
        steps = tuple(accumulate(counts[value] for value in common))
        sparse = rows < WHOLE * len(values)
        return cls(heading, role, counts, tuple(common), steps, repeated, shape, sparse)

    def allows(self, value: str, row: Row, people: Sequence[str]) -> bool:
        """Tell whether a value of a row may be copied; `people` are the headings of names."""
        if self.role in _LOOSE or not self.repeated:
            return not reaches(value) and not any(name in value for name in names_in(row, people))
        return not self.sparse or self.counts[value] >= COMMON or not reaches(value)

    def take(self, row: Row, sample: Sequence[Row], people: Sequence[str], rng: Random) -> str | None:
        """Give a value for a canary whose template is `row`; `people` are the headings of names."""
        value = row.get(self.heading)
        if not value:
            return value
        if self.shape is not None:
            drawn = (self.shape.draw(rng) for _ in range(TRIES))
            return next((code for code in drawn if code not in self.counts), "")
        rare = self.sparse and self.repeated and self.counts[value] < COMMON
        if rare and self.common and self.role not in _LOOSE:
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


def crowd(counts: Counter[str], rows: int) -> float:
    """Estimate how many rows of a host share the value of one of its rows, by the counts of values in a sample."""
    total = counts.total()
    pairs = sum(count * (count - 1) for count in counts.values())
    return max(rows, total) * pairs / (total * (total - 1)) if total > 1 else 0.0


@dataclass(frozen=True, slots=True)
class Numbers:
    """One column of amounts or measures in the sample, in their order; `shared`: values stand in many rows each."""

    heading: str
    values: tuple[float, ...]
    shared: bool

    @classmethod
    def of(cls, heading: str, values: Sequence[str], rows: int = 0) -> Numbers:
        """Learn a column from its filled values, a sample of `rows` rows; what is no number is left out."""
        numbers = sorted({number for text in values if (number := number_of(text)) is not None})
        return cls(heading, tuple(numbers), crowd(Counter(values), rows) >= CROWD)

    def near(self, value: str | None, rng: Random) -> str | None:
        """Give a shared value as it is, else one between its neighbours in the sample, as round as it was.

        A text that is no number is copied where it is shared, and left empty else.
        """
        if not value or self.shared:
            return value
        number = number_of(value)
        if number is None or not self.values:
            return ""
        at = bisect_left(self.values, number)
        low, high = self.values[max(0, at - BESIDE)], self.values[min(len(self.values) - 1, at + BESIDE)]
        first, zeros = _rewritten(value, rng.uniform(low, high)), _zeros(value)
        drawn = (_rewritten(value, rng.uniform(low, high)) for _ in range(ROUND_TRIES - 1))
        return next((text for text in chain([first], drawn) if _zeros(text) == zeros), first)


def _zeros(text: str) -> int:
    """Count the zeros at the end of the digits of a number."""
    bare = re.sub(r"\D", "", text)
    return len(bare) - len(bare.rstrip("0"))


def _rewritten(text: str, number: float) -> str:
    """Write a number as another one is written: unit, decimals and thousands marks, as round as that one."""
    found = _NUMBER.fullmatch(text.strip())
    if found is None:
        return text
    digits = found[1]
    places = len(digits.partition(".")[2])
    bare = digits.replace(",", "").replace(".", "").lstrip("+-")
    zeros = min(_zeros(bare), len(bare) - 1)
    step = 10.0 ** (zeros - places)
    written = f"{round(number / step) * step:{',' if ',' in digits else ''}.{places}f}"
    return text.replace(digits, written, 1)


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
                numbers[heading] = Numbers.of(heading, values, profile.rows)
            else:
                copied[heading] = Copied.of(heading, role, values, profile.rows)
        people = tuple(name for name in profile.headings if profile.roles[name] in PERSONAL & {"name"})
        return cls(copied, numbers, people)

    def tame(self, headings: Collection[str], row: Row) -> bool:
        """Tell whether the texts of a row in some columns may stand beside another name: they tell nobody's."""
        copied = [
            text
            for heading in headings
            if heading in self.copied and heading not in self.people and (text := row.get(heading))
        ]  # the name of staff is its own text
        if not copied:
            return True
        names = names_in(row, self.people)
        return not any(name in text for text in copied for name in names)

    def fill(self, template: Row, sample: Sequence[Row], rng: Random) -> dict[str, str | None]:
        """Fill the plain columns of one canary."""
        row = {heading: column.near(template.get(heading), rng) for heading, column in self.numbers.items()}
        for heading, column in self.copied.items():
            row[heading] = column.take(template, sample, self.people, rng)
        return row
