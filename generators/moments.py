"""Times for canaries: between the neighbours' where the rows stand in order of time, else moved along with the row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import gcd
from random import Random
from typing import TYPE_CHECKING

from canary.generators.clocks import Clock, learn_clock
from canary.generators.profile import HostProfile, Place, Row
from canary.generators.series import TIME_CAP, Series

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

MICROS_A_DAY = 86_400_000_000
MICROS_A_WEEK = 7 * MICROS_A_DAY
WEEKS = 3  # by which a time moves at most where nothing orders the rows
LEAST_TIMES = 50
JITTER = 1800 * 1_000_000  # microseconds a time moves at most where nothing orders the rows


@dataclass(slots=True)
class Moments:
    """Draws the times of a table's rows; remembers where appended rows stand."""

    clocks: Mapping[str, Clock]
    series: Mapping[str, Series]
    order: str | None
    ends: dict[str, int]
    grains: Mapping[str, int]
    _hours: Mapping[str, Ints]  # times of the rows of the sample, by each column that orders them
    _drifting: Sequence[str]  # columns that go with the rows from day to day, though not within a day

    @classmethod
    def of(cls, profile: HostProfile, headings: Sequence[str]) -> Moments:
        """Learn how the time columns of a profile are spelt; what was learned is kept with the profile."""
        known = profile.memo.get("moments")
        if not isinstance(known, Moments):
            known = profile.memo["moments"] = cls._learned(profile, headings)
        return replace(known, ends={})

    @classmethod
    def _learned(cls, profile: HostProfile, headings: Sequence[str]) -> Moments:
        import numpy as np

        clocks = {
            heading: clock
            for heading in headings
            if (clock := profile.columns[heading].clock or learn_clock(profile.column(heading))) is not None
        }
        series = {name: one for name, one in profile.series.items() if name in clocks}
        grains = {
            heading: gcd(
                *(number for text in profile.column(heading) if (number := clock.read(text)) is not None)
            )
            for heading, clock in clocks.items()
        }
        hours = {
            name: np.array([clocks[name].read(text) or 0 for text in profile.heads(name)], np.int64)
            for name, one in series.items()
            if one.ordered
        }
        drifting = [
            name for name, clock in clocks.items() if name not in hours and _drifts(profile, name, clock)
        ]
        return cls(clocks, series, profile.order, {}, grains, hours, drifting)

    def alike(self, places: Sequence[Place | None], rows: Ints, kept: int) -> Ints:
        """Keep, of rows of the sample (places × ways × choices), those nearest each place in the time of day.

        Gives so many of each place and way; the first ones where no time is known of a place.
        """
        import numpy as np

        best = rows[:, :, :kept].copy()
        starts = [self._start(place) for place in places]
        for heading, hours in self._hours.items():
            own = [at for at, (name, start) in enumerate(starts) if name == heading and start is not None]
            if own:
                day = MICROS_A_DAY // self.clocks[heading].micros
                known = np.array([starts[at][1] for at in own], np.int64) % day
                apart = np.abs((hours % day)[rows[own]] - known[:, None, None])
                nearest = np.argpartition(np.minimum(apart, day - apart), kept - 1, axis=2)[:, :, :kept]
                best[own] = np.take_along_axis(rows[own], nearest, 2)
        return best

    def _start(self, place: Place | None) -> tuple[str, int | None]:
        """Give a column of times that orders the rows, and its value before a place."""
        for heading in self._hours if place else ():
            if place is not None and (start := place.before.get(heading)) is not None:
                return heading, start
        return "", None

    def draw(self, place: Place | None, template: Row, rng: Random) -> dict[str, str | None]:
        """Draw the times of one row, at a place or (None) after the last row."""
        found: dict[str, int] = {}
        for heading, one in self.series.items():
            if one.ordered and one.count > 1:
                number = (
                    self._after(heading, one, rng)
                    if place is None
                    else self._between(heading, one, place, rng)
                )
                if number is not None:
                    found[heading] = number
        shift = self._shift(found, template, rng, place)
        for heading, clock in self.clocks.items():
            known = clock.read(template.get(heading) or "")
            if heading not in found and known is not None:
                grain = max(1, self.grains[heading])
                moved = (known * clock.micros + shift) / clock.micros
                found[heading] = self._within(heading, round(moved / grain) * grain)
        return {
            heading: clock.write(found[heading]) if heading in found else _nothing(template.get(heading))
            for heading, clock in self.clocks.items()
        }

    def _between(self, heading: str, one: Series, place: Place, rng: Random) -> int | None:
        start, end = place.before.get(heading), place.after.get(heading)
        if start is None or end is None:
            return start if start is not None else end
        grain = max(1, self.grains[heading])
        gap = abs(end - start) // grain
        reach = max(2, min(gap, (int(TIME_CAP * one.step) + TIME_CAP) // grain))
        if gap < 2 or rng.random() < abs(place.tied):
            return start if place.tied > 0 else end
        inner = rng.randint(1, reach - 1) if reach == gap else rng.randint(1, reach)
        return start + one.sign * inner * grain if rng.random() < 0.5 else end - one.sign * inner * grain

    def _after(self, heading: str, one: Series, rng: Random) -> int:
        last = self.ends.get(heading, one.high if one.sign > 0 else one.low)
        mean = min(one.step, (one.high - one.low) / max(1, one.count - 1))
        self.ends[heading] = last + (one.sign * int(rng.expovariate(1 / mean)) if mean > 0 else 0)
        return self.ends[heading]

    def _shift(self, found: Mapping[str, int], template: Row, rng: Random, place: Place | None) -> int:
        """Give the microseconds between the template's time and the canary's, or a small move where none is known."""
        for heading, number in found.items():
            clock = self.clocks[heading]
            known = clock.read(template.get(heading) or "")
            if known is not None:
                return (number - known) * clock.micros
        return self._drift(template, place) or self._move(template, rng)

    def _drift(self, template: Row, place: Place | None) -> int:
        """Give the whole days from the template to the row before a place, where times go with the rows."""
        for heading in self._drifting:
            clock = self.clocks[heading]
            known, near = (
                clock.read(template.get(heading) or ""),
                place.before.get(heading) if place else None,
            )
            if known is not None and near is not None:
                return round((near - known) * clock.micros / MICROS_A_DAY) * MICROS_A_DAY
        return 0

    def _move(self, template: Row, rng: Random) -> int:
        """Give a move of some weeks and minutes, in whole steps of all columns of times: they move together.

        It keeps the hour and the weekday, and leads away from the template's own time. Where weeks lead out of what
        the columns hold, it is the minutes alone.
        """
        if self._drifting:
            return 0
        step = max((self.grains[name] * clock.micros for name, clock in self.clocks.items()), default=0) or 1
        reach = max(1, JITTER // step)
        near = rng.randint(-reach, reach) * step
        weeks = rng.randint(1, WEEKS) * (1 if rng.random() < 0.5 else -1) * MICROS_A_WEEK
        for far in (weeks, -weeks):
            if far % step == 0 and all(self._holds(name, template, far + near) for name in self.clocks):
                return far + near
        return near

    def _holds(self, heading: str, template: Row, shift: int) -> bool:
        """Tell whether a column of times holds such times as its template's, moved; where none is known it does."""
        clock, one = self.clocks[heading], self.series.get(heading)
        number = clock.read(template.get(heading) or "")
        if number is None:
            return True
        return one is not None and one.count > 0 and one.low <= number + shift // clock.micros <= one.high

    def _within(self, heading: str, number: int) -> int:
        one = self.series.get(heading)
        return number if one is None or one.count == 0 else min(max(number, one.low), one.high)


def _drifts(profile: HostProfile, heading: str, clock: Clock) -> bool:
    """Tell whether neighbouring rows of the sample mostly lie within a day, and all of them over many days."""
    read = [clock.read(text) for text in profile.heads(heading)]
    times = [number * clock.micros for number in read if number is not None]
    steps = sorted(abs(two - one) for one, two in pairwise(times))
    return (
        len(steps) > LEAST_TIMES
        and steps[len(steps) // 2] < MICROS_A_DAY * 10 < max(times) - min(times)
        and (steps[int(len(steps) * 0.8)] < (max(times) - min(times)) / 50)
    )


def _nothing(cell: str | None) -> str | None:
    """Give an empty cell of the template's make (an odd time is left out, not copied)."""
    return None if cell is None else ""
