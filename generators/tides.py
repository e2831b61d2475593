"""Tables sorted by several columns at once: days that stand in runs, and a time that rises anew in each of them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from operator import eq
from random import Random

from canary.generators.copying import Plain, crowd
from canary.generators.profile import HostProfile, Place, Row

RUNS = 0.8  # share of neighbours in the sample that agree in a column of runs
CHANCE = 0.5  # share that agrees by chance, above which agreeing tells nothing
REACH = 0.08  # of the sample, to either side of a place, out of which a fitting row is taken


@dataclass(frozen=True, slots=True)
class Tide:
    """The column that rises again and again, and the rows of the sample in its order."""

    heading: str
    profile: HostProfile
    numbers: tuple[int, ...]
    rows: tuple[int, ...]
    none: tuple[int, ...]  # rows that have no number in it

    @classmethod
    def of(cls, profile: HostProfile) -> Tide | None:
        """Find the column in a profile, None where there is none."""
        one = next((one for one in profile.series.values() if one.tidal), None)
        if one is None:
            return None
        read = [one.codec.read(text) for text in profile.heads(one.heading)]
        pairs = sorted((number, row) for row, number in enumerate(read) if number is not None)
        none = tuple(row for row, number in enumerate(read) if number is None)
        return cls(one.heading, profile, tuple(n for n, _ in pairs), tuple(r for _, r in pairs), none)

    def row(self, place: Place, rng: Random, *, anywhere: bool = False) -> Row | None:
        """Draw a row of the sample whose number fits those at a place; None where none does, near or `anywhere`."""
        near = self.profile.near(place.position) or 0
        reach = len(self.profile.sample) * (1.0 if anywhere else REACH)
        found = [row for row in self._fitting(place, rng) if abs(row - near) <= reach]
        return self.profile.sample[rng.choice(found)] if found else None

    def _fitting(self, place: Place, rng: Random) -> Sequence[int]:
        start, end = place.before.get(self.heading), place.after.get(self.heading)
        if start is None:
            return self.none if end is None else (*self.none, *self._within(0, end))
        if end is None:
            return (*self.none, *self._within(start, self.numbers[-1]))
        if end < start:
            return (*self._within(start, self.numbers[-1]), *self._within(0, end))
        if rng.random() < abs(place.tied):
            at = start if place.tied > 0 else end
            return self._within(at, at)
        return self._within(start + 1, end - 1)

    def _within(self, low: int, high: int) -> tuple[int, ...]:
        return self.rows[bisect_left(self.numbers, low) : bisect_right(self.numbers, high)]


def local_of(profile: HostProfile, plain: Plain) -> tuple[str, ...]:
    """Give the plain columns whose cells stand in runs: rows near each other agree, others do not."""
    return tuple(name for name in (*plain.numbers, *plain.copied) if _in_runs(profile, name))


def _in_runs(profile: HostProfile, heading: str) -> bool:
    cells = profile.heads(heading)
    same = sum(map(eq, cells, cells[1:]))
    chance = crowd(Counter(cells), 0) / max(1, len(cells))
    return same >= RUNS * (len(cells) - 1) and chance < CHANCE
