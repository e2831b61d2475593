"""Columns whose texts all have one length, read as numbers eight digits at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Letters = NDArray[np.uint8]

MOST_EVEN = 16  # digits in two words of eight
ZERO = ord("0")


def even_letters(column: pa.Array) -> Letters | None:
    """Give the bytes of a column of texts, a row each; None where lengths differ or a cell has none."""
    import numpy as np
    import pyarrow as pa

    if column.type != pa.string() or column.null_count or not len(column):
        return None
    _, offsets, data = column.buffers()
    ends = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1]
    length = int(ends[1] - ends[0])
    if length == 0 or (np.diff(ends) != length).any():
        return None
    return np.frombuffer(data, np.uint8)[ends[0] : ends[-1]].reshape(len(column), length)


def even_numbers(digits: Letters) -> NDArray[np.int64] | None:
    """Read rows of at most 16 digits; None where some are none (eight at a time, pairs added to pairs)."""
    import numpy as np

    padded = np.full((len(digits), MOST_EVEN), ZERO, np.uint8)
    padded[:, MOST_EVEN - digits.shape[1] :] = digits
    padded -= ZERO
    if padded.max() > 9:
        return None
    words = padded.view("<u8")
    for factor, shift, mask in _STEPS:
        words = (words * np.uint64(factor) + (words >> np.uint64(shift))) & np.uint64(mask)
    numbers: NDArray[np.int64] = (words[:, 0] * np.uint64(10**8) + words[:, 1]).astype(np.int64)
    return numbers


# Factor, shift and mask that make pairs, fours and the whole of eight digits, the first of them in the lowest byte.
_STEPS = (
    (10, 8, 0x00FF00FF00FF00FF),
    (100, 16, 0x0000FFFF0000FFFF),
    (10_000, 32, 0x00000000FFFFFFFF),
)
