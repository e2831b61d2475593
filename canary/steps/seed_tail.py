"""Times of rows that a database appends: where they rise with the key, canaries continue them as the host's rows do."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Final

from canary.steps.live_model import LiveTable, Row

LEAST: Final = 10  # rows by which a column is judged
RISING: Final = 0.95  # share of neighbours that do not fall
NEAR: Final = timedelta(days=60)  # a column this near to the rising one moves along with it
_KINDS: Final = frozenset({"timestamp", "date", "text"})
_SPELT: Final = re.compile(
    r"\d{4}-\d\d-\d\d(?P<time>[T ]\d\d:\d\d(?P<seconds>:\d\d(?P<fraction>\.\d{1,6})?)?)?"
)


@dataclass(frozen=True, slots=True)
class Tail:
    """How the last rows of a table go on: the rising column, its last time and gaps, and what moves along."""

    column: str
    last: datetime
    gaps: tuple[timedelta, ...]
    along: tuple[str, ...]

    def continued(self, rows: Sequence[Row], rng: random.Random, now: datetime) -> list[Row]:
        """Give the rows with times after the last one, in order, by gaps as the host has them, none after now."""
        times = self._times(len(rows), rng, now)
        return [self.moved(row, time) for row, time in zip(rows, times, strict=True)]

    def _times(self, count: int, rng: random.Random, now: datetime) -> list[datetime]:
        times, time = [], self.last
        for _ in range(count):
            time += rng.choice(self.gaps)
            times.append(time)
        if times and self.last < now < times[-1]:
            squeeze = (now - self.last) / (times[-1] - self.last)
            times = [self.last + (each - self.last) * squeeze for each in times]
        return times

    def moved(self, row: Row, time: datetime) -> Row:
        """Give a row at another time, what moves along with it included."""
        before = read_time(row.get(self.column))
        if before is None:
            return {**row, self.column: spell_time(time, str(row.get(self.column) or time))}
        moved = {name: _shifted(row.get(name), time - before[0]) for name in (self.column, *self.along)}
        return {**row, **moved}


def tail_of(table: LiveTable, rows: Sequence[Row]) -> Tail | None:
    """Find the time column that rises with the key among the last rows; None where none does."""
    if len(rows) < LEAST:
        return None
    columns = {
        each.name: _times(rows, each.name) for each in table.columns if each.kind in _KINDS and not each.given
    }
    rising = {name: times for name, times in columns.items() if _rises(times, len(rows))}
    if not rising:
        return None
    name = max(rising, key=lambda each: len(set(rising[each].values())))
    times = list(rising[name].values())
    gaps = tuple(max(later - earlier, timedelta(0)) for earlier, later in pairwise(times))
    along = tuple(other for other in columns if other != name and _near(columns[other], rising[name]))
    return Tail(name, max(times), gaps, along)


def _times(rows: Sequence[Row], name: str) -> dict[int, datetime]:
    found = ((at, read_time(row.get(name))) for at, row in enumerate(rows))
    return {at: time[0] for at, time in found if time is not None}


def _rises(times: Mapping[int, datetime], rows: int) -> bool:
    values = list(times.values())
    if len(values) < rows * RISING or len(set(values)) < LEAST / 2:
        return False
    kept = sum(earlier <= later for earlier, later in pairwise(values))
    return kept >= RISING * (len(values) - 1)


def _near(other: Mapping[int, datetime], rising: Mapping[int, datetime]) -> bool:
    apart = [abs(time - rising[at]).total_seconds() for at, time in other.items() if at in rising]
    return bool(apart) and median(apart) <= NEAR.total_seconds()


def read_time(text: str | None) -> tuple[datetime, str] | None:
    """Read a date or time in ISO form, with its text; None for anything else."""
    if text is None or not _SPELT.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC), text
    except ValueError:
        return None


def spell_time(time: datetime, like: str) -> str:
    """Spell a time with the parts and precision of another cell."""
    found = _SPELT.fullmatch(like)
    if found is None or found["time"] is None:
        return time.date().isoformat() if found else time.isoformat(" ", "seconds")[:19]
    mark = found["time"][0]
    if found["seconds"] is None:
        return time.strftime(f"%Y-%m-%d{mark}%H:%M")
    digits = len(found["fraction"] or "") - 1
    whole = time.strftime(f"%Y-%m-%d{mark}%H:%M:%S")
    return whole if digits < 1 else f"{whole}.{time.microsecond:06d}"[: len(whole) + 1 + digits]


def _shifted(text: str | None, by: timedelta) -> str | None:
    time = read_time(text)
    return text if time is None else spell_time(time[0] + by, time[1])
