"""Fresh numbers of the record for canaries: from a gap, a reserved range, the free space, or after the last one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import log2
from random import Random
from typing import cast

from canary.errors import UsageError
from canary.generators.emails import local_part, words
from canary.generators.masks import KeyMask, Shape, learn_mask, learn_shape
from canary.generators.profile import HostProfile, Place
from canary.generators.series import Series

Full = tuple[set[str], set[tuple[int, int]]]  # the numbers given out, and the ranges that they fill
TRIES = 200
LEAST_DIGITS = 4  # free characters of a code below which names are not told from numbers


@dataclass(frozen=True, slots=True)
class Number:
    """One number as planted, and the bits of its draw."""

    text: str
    bits: float


def _tries(low: int, high: int, rng: Random) -> Iterator[int]:
    """Give numbers to try, evenly drawn: each once where they are few."""
    yield rng.randint(low, high)  # nearly always free; only then is the rest worth shuffling
    if high - low < TRIES:
        yield from rng.sample(range(low, high + 1), high - low + 1)
    else:
        yield from (rng.randint(low, high) for _ in range(TRIES))


@dataclass(slots=True)
class Numbering:
    """Draws the numbers of one column; `taken` holds the texts given out, so that none is given twice."""

    profile: HostProfile
    heading: str
    bounds: tuple[int, int] | None
    taken: set[str]
    series: Series | None = None
    mask: KeyMask | None = None
    shape: Shape | None = None
    end: int | None = None
    real: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def of(
        cls, profile: HostProfile, heading: str, ranges: Mapping[str, tuple[int, int]], taken: set[str]
    ) -> Numbering:
        """Learn how a key column is numbered."""
        values = profile.column(heading)
        series = profile.series.get(heading)
        mask = (
            series.codec if series is not None and isinstance(series.codec, KeyMask) else learn_mask(values)
        )
        shape = None if mask is not None else learn_shape(values)
        if shape is not None and shape.bits < LEAST_DIGITS:
            shape = None
        bounds = ranges.get(heading, ranges.get(profile.roles[heading]))
        return cls(profile, heading, bounds, taken, series, mask, shape, None, frozenset(values))

    @property
    def ordered(self) -> bool:
        """Tell whether the rows stand in the order of this column."""
        return self.series is not None and self.series.ordered

    def draw(self, place: Place | None, template: str | None, rng: Random) -> Number | None:
        """Draw a number for a place (None: after the last row); None where the place has no room for one."""
        if self.mask is None:
            return self._other(rng)
        if self.series is None:
            low, high = self.bounds or self._sample_range(self.mask)
            return self._free(self.mask, low, high, rng, high - low + 1)
        if self.ordered and place is not None:
            return self._between(place, rng)
        if self.ordered and self.bounds is None:
            return self._after(self.mask, self.series, rng)
        return self._anywhere(self.mask, self.series, template, rng)

    def _sample_range(self, mask: KeyMask) -> tuple[int, int]:
        numbers = [number for text in self.real if (number := mask.read(text)) is not None]
        return (min(numbers), max(numbers)) if numbers else (1, 10**8)

    def _between(self, place: Place, rng: Random) -> Number | None:
        """Draw from the gap between two neighbours; its size is known to who knows a neighbouring column."""
        series, mask = self.series, self.mask
        assert series is not None and mask is not None  # noqa: S101, PT018
        span = self._gap(series, place)
        if span is None or span[0] > span[1]:
            return None
        low, high = span
        free = high - low + 1
        known = self._place_is_told() or self.heading != self.profile.order
        size = free if known else max(free, int(self.profile.weight) // max(1, len(self.profile.sample)))
        return self._free(mask, low, high, rng, size)

    def _place_is_told(self) -> bool:
        """Tell whether some other column of the row tells its place: then only the gap itself is unknown."""
        others = (one for name, one in self.profile.series.items() if name != self.heading)
        return any(one.ordered for one in others)

    def _gap(self, series: Series, place: Place) -> tuple[int, int] | None:
        start, end = place.before.get(self.heading), place.after.get(self.heading)
        sign = series.sign
        if start is None and end is None:
            return None
        if self.bounds is not None:
            low = self.bounds[0] if (start if sign > 0 else end) is None else (start if sign > 0 else end)
            return self._clipped(start, end, sign) if low is not None else None
        if start is None or end is None:
            return None
        if self.heading == self.profile.order:
            return (start + 1, start + place.free) if sign > 0 else (start - place.free, start - 1)
        low, high = min(start, end) + 1, max(start, end) - 1
        mask = series.codec
        return None if mask.block(low - 1) != mask.block(high + 1) else (low, high)

    def _clipped(self, start: int | None, end: int | None, sign: int) -> tuple[int, int] | None:
        """Cut a gap, open on one side at either end of the table, to the reserved range."""
        if self.bounds is None:
            return None
        low, high = (start, end) if sign > 0 else (end, start)
        return (
            self.bounds[0] if low is None else max(self.bounds[0], low + 1),
            self.bounds[1] if high is None else min(self.bounds[1], high - 1),
        )

    def _free(self, mask: KeyMask, low: int, high: int, rng: Random, size: int) -> Number | None:
        """Draw a number evenly that neither stands in the host nor was given out; a range that is full stays so."""
        full = self._full
        if (low, high) in full:
            return None
        for number in _tries(low, high, rng):
            text = mask.write(number)
            in_host = self.series is not None and not self.ordered and self.series.was_seen(number)
            if not in_host and text not in self.taken and text not in self.real:
                self.taken.add(text)
                return Number(text, float(int(log2(max(1, size)))))
        if high - low < TRIES:
            full.add((low, high))
        return None

    @property
    def _full(self) -> set[tuple[int, int]]:
        """The short ranges of this column in which nothing is left beside what was given out."""
        known = cast("Full | None", self.profile.memo.get(f"full {self.heading}"))
        if known is None or known[0] is not self.taken:
            known = self.taken, set()
            self.profile.memo[f"full {self.heading}"] = known
        return known[1]

    def _after(self, mask: KeyMask, series: Series, rng: Random) -> Number | None:
        """Go on after the last number by steps like the host's; whoever knows the host can guess it."""
        if self.end is None:
            self.end = series.high if series.sign > 0 else series.low
        step = 1 if series.step <= 1 else 1 + int(rng.expovariate(1 / series.step))
        self.end += series.sign * step
        if self.end < 0 or (mask.width is not None and self.end >= 10**mask.width):
            return None
        text = mask.write(self.end)
        if text in self.taken:
            return self._after(mask, series, rng)
        self.taken.add(text)
        return Number(text, 0.0)

    def _anywhere(self, mask: KeyMask, series: Series, template: str | None, rng: Random) -> Number | None:
        """Draw from the space between the least and the greatest number; with an embedded date, from one date's."""
        low, high = self.bounds or (series.low, series.high)
        if self.bounds is None and mask.serial is not None:
            day = mask.block(mask.read(template or "") or high)
            low, high = day * 10**mask.serial, (day + 1) * 10**mask.serial - 1
        free = high - low + 1 - (0 if self.bounds else series.count)
        if free < series.count // 64 + 2:
            return self._after(mask, series, rng)
        return self._free(mask, low, high, rng, free)

    def _other(self, rng: Random) -> Number | None:
        """Draw a code of another make, or a user name where the column holds words."""
        for _ in range(TRIES):
            if self.shape is None:
                text, bits = _user_name(rng), float(int(log2(words())))
            else:
                text, bits = self.shape.draw(rng), self.shape.bits
            if text not in self.taken and text not in self.real:
                self.taken.add(text)
                return Number(text, bits)
        return None


def _user_name(rng: Random) -> str:
    return local_part("user", "u", rng.randrange(words()), rng.randrange(5)).replace(".", "_")


def check_ranges(ranges: Mapping[str, tuple[int, int]]) -> None:
    """Refuse ranges that hold nothing."""
    for name, (low, high) in ranges.items():
        if low < 0 or high < low:
            raise UsageError(f"the range of {name!r} holds no number", "write the lower end first")
