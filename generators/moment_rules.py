"""The rules that fill columns of times and dates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, cast

from canary.errors import UsageError
from canary.generators.filler import SECONDS_A_DAY, Cells, Filler
from canary.model.record import KindColumn

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Seconds = NDArray[np.int64]

# Share of a day's business in each hour, from midnight.
HOURS = (2, 1, 1, 1, 1, 2, 4, 8, 18, 30, 34, 30, 22, 24, 30, 32, 30, 26, 24, 22, 20, 16, 10, 5)
_UNITS: Mapping[str, Literal["s", "m", "D"]] = {"second": "s", "minute": "m", "date": "D"}


def time(filler: Filler, column: KindColumn) -> Cells:
    """Fill a column with times that rise over some days, crowded where the day is busy."""
    days = int(cast("int", column.rule["time"]))
    spread = filler.count + 4.0 * filler.count**0.5 + 1
    marks = filler.state.get(column.name, 0.0) + filler.gen.exponential(1.0, filler.size).cumsum()
    filler.state[column.name] = float(marks[-1])
    return _told(filler, column, _busy(marks / spread, days, filler.today()))


def date(filler: Filler, column: KindColumn) -> Cells:
    """Fill a column with dates so many days ago."""
    days = _between(filler, cast("Sequence[object]", column.rule["date"]))
    return _told(filler, column, (filler.today() - days) * SECONDS_A_DAY)


def after(filler: Filler, column: KindColumn) -> Cells:
    """Fill a column with times after those of another: by minutes, or by months and days and at some hours."""
    other = str(column.rule["after"])
    filler.cells(other)
    if other not in filler.times:
        raise UsageError(
            f"column {other!r} holds no times", "name a column with the rule time, date or after"
        )
    if "minutes" in column.rule:
        return _told(filler, column, filler.times[other] + _waits(filler, column))
    days = filler.times[other] // SECONDS_A_DAY
    if "months" in column.rule:
        days = _months_later(days, int(cast("int", column.rule["months"])))
    days = days + _whole(filler, column.rule.get("days", 0))
    return _told(filler, column, days * SECONDS_A_DAY + _clock(filler, column))


def _waits(filler: Filler, column: KindColumn) -> Seconds:
    import numpy as np

    low, high = (filler.numbers(one) for one in cast("Sequence[object]", column.rule["minutes"]))
    waits = (low + filler.gen.beta(1.6, 3.0, filler.size) * (np.maximum(low, high) - low)) * 60
    whole: Seconds = waits.astype(np.int64)
    return whole


def _clock(filler: Filler, column: KindColumn) -> Seconds | int:
    """Draw a time of day between two hours, to the minute; midnight where none are given."""
    import numpy as np

    if "hours" not in column.rule:
        return 0
    low, high = (float(hour) for hour in cast("Sequence[float]", column.rule["hours"]))
    minutes: Seconds = ((low + filler.gen.random(filler.size) * (high - low)) * 60).astype(np.int64)
    return minutes * 60


def _months_later(days: Seconds, months: int) -> Seconds:
    """Give the same day some months later, the last of the month where it has no such day."""
    import numpy as np

    start = days.astype("datetime64[D]")
    month = start.astype("datetime64[M]")
    target = month + months
    longest = (target + 1).astype("datetime64[D]") - target.astype("datetime64[D]")
    gone = np.minimum(start - month.astype("datetime64[D]"), longest - 1)
    later: Seconds = (target.astype("datetime64[D]") + gone).astype(np.int64)
    return later


def _whole(filler: Filler, bounds: object) -> Seconds | int:
    """Draw whole numbers evenly between two bounds, both included; one bound is what it says."""
    return _between(filler, bounds) if isinstance(bounds, list) else _ints(filler.numbers(bounds))


def _between(filler: Filler, bounds: Sequence[object]) -> Seconds:
    import numpy as np

    low, high = (_ints(filler.numbers(one)) for one in bounds)
    if isinstance(low, int) and isinstance(high, int):
        drawn: Seconds = low + filler.gen.integers(0, max(high - low, 0) + 1, filler.size)
        return drawn
    spread: Seconds = low + filler.gen.integers(0, np.maximum(high - low, 0) + 1, filler.size)
    return spread


def _ints(found: NDArray[np.float64] | float) -> Seconds | int:
    import numpy as np

    return int(found // 1) if isinstance(found, float) else np.floor(found).astype(np.int64)


def _busy(shares: NDArray[np.float64], days: int, today: int) -> Seconds:
    """Turn shares of the whole business into seconds since 1970, through the busy hours of a day."""
    import numpy as np

    steps = np.concatenate([[0.0], np.cumsum(np.array(HOURS, dtype=float))]) / sum(HOURS)
    whole = np.clip(shares, 0, 0.999999) * days
    day = np.floor(whole)
    hours = np.interp(whole - day, steps, np.arange(25.0))
    seconds = (today - days + day) * SECONDS_A_DAY + hours * 3600
    written: Seconds = seconds.astype(np.int64)
    return written


def _told(filler: Filler, column: KindColumn, seconds: Seconds) -> Cells:
    import numpy as np

    unit = _UNITS.get(str(column.rule.get("unit", "date" if column.role == "date" else "second")))
    if unit is None:
        raise UsageError(f"unknown unit in the rule of {column.name!r}", "known units: " + ", ".join(_UNITS))
    texts: list[str] = np.datetime_as_string(seconds.astype("datetime64[s]"), unit=unit).tolist()
    filler.times[column.name] = seconds if unit == "s" else seconds // _SIZES[unit] * _SIZES[unit]
    return [text.replace("T", " ") for text in texts]


_SIZES: Mapping[str, int] = {"m": 60, "D": SECONDS_A_DAY}
