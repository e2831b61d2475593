"""Neighbouring rows of a batch: the gaps between them, and what a reservoir keeps of those."""

from __future__ import annotations

from typing import TYPE_CHECKING

from canary.generators.gaps import Reservoir
from canary.generators.masks import KeyMask
from canary.generators.series import LEAST_READ, Series, is_tidal

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from canary.generators.gaps import Rows

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

FIRST, OPEN = 4000, 0.9  # rows looked at first, and the share of their steps that fall in no tide
GAPS = 1000  # of a batch by which it is told whether columns go along with each other


def tide_of(name: str, table: pa.RecordBatch) -> Series | None:
    """Make a series of a column of numbers that rises again and again, None where it does not."""
    import numpy as np

    mask = KeyMask()
    if not _may_be_tidal(*mask.read_all(table.column(name).slice(0, FIRST))):
        return None
    numbers, fits = mask.read_all(table.column(name))
    if fits.mean() < LEAST_READ or not is_tidal(numbers[fits]):
        return None
    return Series(name, mask, Reservoir.empty(no_room, 0), tidal=True, steps=np.unique(numbers[fits]))


def _may_be_tidal(numbers: Ints, fits: NDArray[np.bool_]) -> bool:
    """Tell whether the first rows of a column leave it open that it rises again and again."""
    import numpy as np

    return int(fits.sum()) > 1 and bool((np.diff(numbers[fits]) >= 0).mean() >= OPEN)


def no_room(_: int) -> int:
    """Give no room."""
    return 0


def every(rows: int, step: int) -> Ints:
    """Number every so many rows."""
    import numpy as np

    return np.arange(0, rows, step)


def going_along(one: Ints, other: Ints) -> float:
    """Give how far two rows of gaps go along with each other, by the correlation of their logarithms."""
    import numpy as np

    step = -(-len(one) // GAPS) or 1
    logs = [np.log1p(np.abs(gaps[::step]).astype(np.float64)) for gaps in (one, other)]
    if len(logs[0]) < 3 or any(log.min() == log.max() for log in logs):
        return 0.0
    far, near = (log - log.mean() for log in logs)
    return float((far * near).mean() / (far.std() * near.std()))  # BLAS would wake its threads for this


def with_last(rows: Ints, last: Ints | None) -> Ints:
    """Set the last row of the batch before in front of a batch."""
    import numpy as np

    return rows if last is None else np.concatenate([last[None, :], rows])


def gather_gaps(
    before: Ints, after: Ints, places: Ints, free: Ints, tied: Floats, offset: int, keep: NDArray[np.intp]
) -> Rows:
    """Give what is kept of some gaps; `offset` -1: row k starts gap k."""
    import numpy as np

    starts = np.maximum(keep + offset, 0)
    ends = keep + offset + 1
    return places[keep], free[keep], tied[keep], before[starts], after[ends]


def take_all(row: Rows, keep: NDArray[np.intp]) -> Rows:
    """Give what is kept of gaps made by hand."""
    position, free, tied, before, after = row
    return position[keep], free[keep], tied[keep], before[keep], after[keep]
