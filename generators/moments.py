"""Times for canaries: between the neighbours' where the rows stand in order of time, else moved along with the row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from canary.generators.clocks import Clock, learn_clock
from canary.generators.profile import HostProfile, Place, Row
from canary.generators.series import TIME_CAP, Series

MICROS_A_DAY = 86_400_000_000
JITTER = 1800 * 1_000_000  # microseconds a time moves at most where nothing orders the rows


@dataclass(slots=True)
class Moments:
    """Draws the times of a table's rows; remembers where appended rows stand."""

    clocks: Mapping[str, Clock]
    series: Mapping[str, Series]
    order: str | None
    ends: dict[str, int]

    @classmethod
    def of(cls, profile: HostProfile, headings: Sequence[str]) -> Moments:
        """Learn how the time columns of a profile are spelt."""
        clocks = {
            heading: clock
            for heading in headings
            if (clock := profile.columns[heading].clock or learn_clock(profile.column(heading))) is not None
        }
        series = {name: one for name, one in profile.series.items() if name in clocks}
        return cls(clocks, series, profile.order, {})

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
        shift = self._shift(found, template, rng)
        for heading, clock in self.clocks.items():
            known = clock.read(template.get(heading) or "")
            if heading not in found and known is not None:
                found[heading] = self._within(heading, (known * clock.micros + shift) // clock.micros)
        return {
            heading: clock.write(found[heading]) if heading in found else _nothing(template.get(heading))
            for heading, clock in self.clocks.items()
        }

    def _between(self, heading: str, one: Series, place: Place, rng: Random) -> int | None:
        start, end = place.before.get(heading), place.after.get(heading)
        if start is None or end is None:
            return start if start is not None else end
        reach = min(abs(end - start), int(TIME_CAP * one.step) + TIME_CAP)
        return start + one.sign * rng.randint(0, reach)

    def _after(self, heading: str, one: Series, rng: Random) -> int:
        last = self.ends.get(heading, one.high if one.sign > 0 else one.low)
        mean = min(one.step, (one.high - one.low) / max(1, one.count - 1))
        self.ends[heading] = last + (one.sign * int(rng.expovariate(1 / mean)) if mean > 0 else 0)
        return self.ends[heading]

    def _shift(self, found: Mapping[str, int], template: Row, rng: Random) -> int:
        """Give the microseconds between the template's time and the canary's, or a small move where none is known."""
        for heading, number in found.items():
            clock = self.clocks[heading]
            known = clock.read(template.get(heading) or "")
            if known is not None:
                return (number - known) * clock.micros
        return rng.randint(-JITTER, JITTER)

    def _within(self, heading: str, number: int) -> int:
        one = self.series.get(heading)
        return number if one is None or one.count == 0 else min(max(number, one.low), one.high)


def _nothing(cell: str | None) -> str | None:
    """Give an empty cell of the template's make (an odd time is left out, not copied)."""
    return None if cell is None else ""
