"""Rows chosen evenly: each value as often as among the rows that could be chosen, not only so on average."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import repeat
from typing import TYPE_CHECKING

from canary.native import Entry, is_native

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

OFTEN = 0.01  # share of the rows from which a value has its own turn
_choose_rows = Entry("canary.generators.balancewide", "choose_rows", 1, ("balancewide.py",))


class Balance:
    """Chooses one of some rows time after time; each value of some columns comes in its turn.

    Every value is owed its share of the rows to choose from, and the row whose values are owed most is taken (the
    diffusion of errors of Floyd and Steinberg, 1976). Drawn by chance, a value comes too often among a few hundred
    canaries, and by that stands out in a host that has all values alike.
    """

    def __init__(self, columns: Sequence[Sequence[str]]) -> None:
        """Number the values of some columns of the rows.

        Rare ones share a number: each by itself would be owed too little to have a turn among a few hundred.
        """
        import numpy as np

        size, owed = len(columns[0]) if columns else 0, 0
        self._values = np.empty((len(columns), size), np.int64)
        for at, cells in enumerate(columns):
            often = [cell for cell, number in Counter(cells).items() if number >= OFTEN * size]
            known = {cell: number for number, cell in enumerate(often, owed + 1)}
            self._values[at] = np.fromiter(map(known.get, cells, repeat(owed)), np.int64, size)
            owed += 1 + len(often)
        self._owed = np.zeros(
            owed, np.int64
        )  # in shares of one row of those to choose from, so many every time

    def choose(self, rows: Ints) -> Ints:
        """Choose one of some rows by their numbers, time after time (times × rows): of those owed most the first."""
        import numpy as np

        rows = np.ascontiguousarray(rows, np.int64)
        if not len(self._values):
            return rows[:, 0].copy()
        if not is_native():
            return np.array([self._chosen(each) for each in rows], np.int64)
        chosen = np.empty(len(rows), np.int64)
        values, owed = self._values, self._owed
        numbers = np.array(
            [
                rows.ctypes.data,
                *rows.shape,
                values.ctypes.data,
                *values.shape,
                owed.ctypes.data,
                chosen.ctypes.data,
            ],
            np.int64,
        )
        _choose_rows(numbers.ctypes.data)
        return chosen

    def _chosen(self, rows: Ints) -> int:
        """Do what compiled code does, once."""
        import numpy as np

        values = self._values[:, rows]
        np.add.at(self._owed, values, 1)
        best = int(self._owed[values].sum(axis=0).argmax())
        np.subtract.at(self._owed, values[:, best], len(rows))
        return int(rows[best])
