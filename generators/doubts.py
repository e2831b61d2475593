"""Columns judged at once: what is plainly good passes, and all else is left to be looked at one by one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from canary.generators.ids import (
    FIRST_CARDS,
    LENGTH,
    OLD_BIRTHS,
    YEARS_APART,
    YOUNG_BIRTHS,
    ZERO,
    check_cells,
    withdrawn_codes,
)
from canary.generators.places import places

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PERMITS = ("9", "81", "82", "83")  # how the numbers of real people's permits begin
NEVER = 9999


def doubtful_dates(values: Sequence[str], latest: str) -> list[str]:
    """Give the values that are not plainly an ISO date up to the latest one (yyyymmdd)."""
    import numpy as np

    cells = _cells(values, 10)
    digits = cells[:, [0, 1, 2, 3, 5, 6, 8, 9]].astype(np.int64) - ZERO
    good = _of_length(values, 10) & (cells[:, [4, 7]] == ord("-")).all(axis=1) & _all_digits(digits)
    good &= _number(digits) <= int(latest)
    return [values[at] for at in np.flatnonzero(~good).tolist()]


def doubtful_ids(values: Sequence[str], latest: str) -> list[str]:
    """Give the values that are not plainly a safe identity number of somebody born by the latest day (yyyymmdd)."""
    import numpy as np

    cells = _cells(values, LENGTH)
    digits = cells[:, : LENGTH - 1].astype(np.int64) - ZERO
    good = _of_length(values, LENGTH) & _all_digits(digits)
    digits[~good] = 0
    birth, year = _number(digits[:, 6:14]), _number(digits[:, 6:10])
    withdrawn = _withdrawn()[_number(digits[:, :6])]
    old = (year <= OLD_BIRTHS) & (withdrawn < FIRST_CARDS)
    young = (year >= YOUNG_BIRTHS) & (withdrawn + YEARS_APART <= year)
    good &= (old | young) & (birth <= int(latest)) & (check_cells(cells) == cells[:, LENGTH - 1])
    return [values[at] for at in np.flatnonzero(~good).tolist()]


@cache
def _withdrawn() -> NDArray[np.int16]:
    """Give the year by which each code of six digits was withdrawn, NEVER for those in use and for permits."""
    import numpy as np

    years = np.full(1_000_000, NEVER, np.int16)
    for code, year in withdrawn_codes().items():
        if code not in places().current and not code.startswith(PERMITS):
            years[int(code)] = year
    return years


def _cells(values: Sequence[str], length: int) -> NDArray[np.uint32]:
    """Give the first letters of texts as rows of code points, zeros behind their ends."""
    import numpy as np

    return np.array(values, f"U{length}").view(np.uint32).reshape(len(values), length)


def _of_length(values: Sequence[str], length: int) -> NDArray[np.bool_]:
    import numpy as np

    found: NDArray[np.bool_] = np.fromiter(map(len, values), np.int64, len(values)) == length
    return found


def _all_digits(digits: NDArray[np.int64]) -> NDArray[np.bool_]:
    import numpy as np

    least, most = np.min(digits, axis=1, initial=0), np.max(digits, axis=1, initial=0)
    found: NDArray[np.bool_] = (least >= 0) & (most <= 9)
    return found


def _number(digits: NDArray[np.int64]) -> NDArray[np.int64]:
    """Read rows of digits."""
    import numpy as np

    found: NDArray[np.int64] = digits @ 10 ** np.arange(digits.shape[1] - 1, -1, -1)
    return found
