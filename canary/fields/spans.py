"""Texts of a column where they lie: compiled code reads them there, and nothing is copied first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from canary.native import Entry, is_native

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

NO_QUOTE: Final = 256  # no byte is this one
_LENGTHS: Final = {"%Y-%m-%d": 10, "%Y-%m-%d %H:%M": 16, "%Y-%m-%d %H:%M:%S": 19}  # with other marks, too
_MONTHS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

_hash_column, _read_column, _time_column = (
    Entry("canary.fields.columnwide", name, 1, ("columnwide.py",))
    for name in ("hash_column", "read_column", "time_column")
)


@dataclass(frozen=True, slots=True)
class Spans:
    """Texts in some bytes: text k stands from places[step · k] up to places[step · k + 1].

    One that begins with the byte `quote` is spelt otherwise than it lies there. `some` gives rows as a string array.
    """

    data: NDArray[np.uint8]
    places: NDArray[np.int32]
    step: int
    count: int
    some: Callable[[Ints], pa.Array]
    quote: int = NO_QUOTE

    def numbers(self) -> list[int]:
        """Give what compiled code has to know of them; the addresses hold as long as this stands."""
        places = self.places.ctypes.data if len(self.places) else 0
        return [self.data.ctypes.data, len(self.data), places, self.step, self.count, self.quote]

    def all(self) -> pa.Array:
        """Give all rows."""
        import numpy as np

        return self.some(np.arange(self.count))


def spans_of(column: pa.Array) -> Spans:
    """See a column of texts; rows without one have the empty text."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    column = column.cast(pa.string())
    column = pc.fill_null(column, "") if column.null_count else column
    _, offsets, letters = column.buffers()
    places = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1]
    data = np.frombuffer(letters, np.uint8) if letters is not None and letters.size else np.zeros(0, np.uint8)
    return Spans(data, places, 1, len(column), column.take)


def hashes_of(column: Spans) -> Ints:
    """Give 64 bits of each text by which texts are compared within this process."""
    import numpy as np

    if not is_native():
        return np.fromiter(map(hash, column.all().to_pylist()), np.int64, column.count)
    hashes, left = np.empty(column.count, np.int64), np.empty(column.count, np.int64)
    numbers = np.array([*column.numbers(), hashes.ctypes.data, left.ctypes.data, 0], np.int64)
    _hash_column(numbers.ctypes.data)
    odd = left[: numbers[-1]]
    if len(odd):
        hashes[odd] = hashes_of(spans_of(column.some(odd)))
    return hashes


def numbers_of(column: Spans, head: str, tail: str, width: int | None, *, skip: int = 0) -> Ints | None:
    """Read texts that are digits (so many, or up to 18) between a head and a tail; None where one is not.

    `skip` bytes between digits and tail may be anything.
    """
    import numpy as np

    if not is_native():
        return None
    out = np.empty(column.count, np.int64)
    ends = [np.frombuffer(each.encode() or b"\0", np.uint8) for each in (head, tail)]
    sizes = [len(each.encode()) for each in (head, tail)]
    around = [number for each, size in zip(ends, sizes, strict=True) for number in (each.ctypes.data, size)]
    numbers = np.array([*column.numbers(), *around, width or 0, skip, out.ctypes.data, 0], np.int64)
    _read_column(numbers.ctypes.data)
    return None if numbers[-1] else out


def seconds_of(column: Spans, template: str) -> Ints | None:
    """Read texts as seconds since 1970 by a template of strftime; None where one is none, or the template is odd."""
    import numpy as np

    shape = _shape(template)
    if shape is None or not is_native():
        return None
    length, signs = shape
    out, days = np.empty(column.count, np.int64), np.cumsum([0, *_MONTHS], dtype=np.int64)
    marks = np.frombuffer(signs, np.uint8)
    own = [marks.ctypes.data, length, days.ctypes.data, out.ctypes.data, 0]
    numbers = np.array([*column.numbers(), *own], np.int64)
    _time_column(numbers.ctypes.data)
    return None if numbers[-1] else out


@cache
def _shape(template: str) -> tuple[int, bytes] | None:
    """Give the letters of a time spelt so and the marks between its numbers; None where it is spelt in another way."""
    for plain, length in _LENGTHS.items():
        pieces, marks = plain.split("%"), template.split("%")
        if len(pieces) == len(marks) and all(
            len(one) == len(two) and one[:1] == two[:1] for one, two in zip(pieces, marks, strict=True)
        ):
            signs = "".join(mark[1:] for mark in marks)
            return (length, signs.encode()) if template.isascii() and len(signs) == len(marks) - 2 else None
    return None
