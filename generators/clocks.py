"""Columns of times as whole steps (seconds, minutes, days) since 1970, read many at once and written one by one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from canary.fields.spans import Spans, seconds_of
from canary.fields.times import TimeFormat, detect_format

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

EPOCH = datetime(1970, 1, 1)
FIT = 0.95
LOOK = 200  # values by which a spelling is learned
_ISO = re.compile(r"%Y-%m-%d(?:[ T]%H:%M(?::%S)?)?")
_ISO_TEXT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}")
_PLAINEST = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S")  # what isoformat writes
_PLAIN = {"%Y", "%y", "%m", "%d", "%H", "%M", "%S", "%-m", "%-d", "%-H", "%I", "%-I", "%p"}
_TOKEN = re.compile(r"%-?[A-Za-z]|%\d[fs]")


@dataclass(frozen=True, slots=True)
class Clock:
    """One spelling of times; its numbers are steps of `seconds` seconds, of `micros` microseconds below a second."""

    spelling: TimeFormat
    micros: int

    def __hash__(self) -> int:
        """Tell clocks apart well enough: there are few, and every reading of a time looks one up."""
        return self.micros

    def moment(self, number: int) -> datetime:
        """Give the moment of a number."""
        return EPOCH + timedelta(microseconds=number * self.micros)

    def write(self, number: int) -> str:
        """Write a time."""
        moment = self.moment(number)
        if self.spelling.template in _PLAINEST and not moment.microsecond:
            return moment.isoformat(self.spelling.template[8])
        return self.spelling.format(moment)

    def read(self, text: str) -> int | None:
        """Read a time, None where it is spelt otherwise; a zone is left out of the reckoning."""
        return _read(self, text)

    def block(self, number: int) -> int:
        """Give 0: any step may follow any other."""
        return number * 0

    @property
    def fast(self) -> bool:
        """Tell whether whole columns can be read at once."""
        tokens = set(_TOKEN.findall(self.spelling.template))
        return self.spelling.template in ("%s", "%3s") or tokens <= _PLAIN

    def read_spans(self, column: Spans) -> NDArray[np.int64] | None:
        """Read a column where it lies; None where a text is no time, or the spelling is a hard one."""
        seconds = seconds_of(column, self.spelling.template)
        step = self.micros // 1_000_000
        return seconds if seconds is None or step <= 1 else seconds // step

    def read_all(self, column: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Read a column of texts: steps (0 where unreadable) and which of them are times."""
        import pyarrow as pa
        import pyarrow.compute as pc

        template = self.spelling.template
        if template in ("%s", "%3s"):
            digits = pc.match_substring_regex(column, r"^[0-9]{9,13}$").fill_null(False)
            numbers = pc.cast(pc.if_else(digits, column, None), pa.int64())
            return _unpacked(numbers)
        seconds = pc.cast(_stamps(column, template), pa.int64())
        step = self.micros // 1_000_000
        return _unpacked(pc.divide(seconds, step) if step > 1 else seconds)


@lru_cache(maxsize=16384)
def _read(clock: Clock, text: str) -> int | None:
    try:
        moment = _moment(clock.spelling, text)
    except (ValueError, OverflowError):
        return None
    return (moment - EPOCH) // timedelta(microseconds=clock.micros)


def _moment(spelling: TimeFormat, text: str) -> datetime:
    """Read a time; what isoformat writes is read the quick way."""
    if spelling.template in _PLAINEST and _ISO_TEXT.fullmatch(text) and text[10] == spelling.template[8]:
        return datetime.fromisoformat(text)
    return spelling.parse(text).replace(tzinfo=None)


def _stamps(column: pa.Array, template: str) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    if _ISO.fullmatch(template):
        try:
            return pc.cast(column, pa.timestamp("s"))
        except pa.ArrowInvalid:
            pass  # some cells are no times; the slower way leaves them out
    plain = re.sub(r"%-", "%", template)
    return pc.strptime(column, format=plain, unit="s", error_is_null=True)


def _unpacked(numbers: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    filled = pc.fill_null(numbers, pa.scalar(0, pa.int64())).to_numpy(zero_copy_only=False)
    return filled.astype(np.int64, copy=False), numbers.is_valid().to_numpy(zero_copy_only=False)


def learn_clock(values: Sequence[str | None]) -> Clock | None:
    """Find how a column spells times and the step they come in, None where it holds no times."""
    filled = [value for value in values if value]
    filled = filled[:: max(1, len(filled) // LOOK)]
    found = detect_format(filled, FIT)
    if found is None:
        return None
    clock = Clock(found, max(1, int(found.step / timedelta(microseconds=1))))
    numbers = [number for value in filled if (number := clock.read(value)) is not None]
    if clock.micros == 1_000_000 and len(numbers) >= 20 and all(number % 60 == 0 for number in numbers):
        return Clock(found, 60_000_000)
    return clock
