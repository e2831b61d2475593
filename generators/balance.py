"""Rows chosen evenly: each value as often as among the rows that could be chosen, not only so on average."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import repeat
from operator import add

OFTEN = 0.01  # share of the rows from which a value has its own turn


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
        self._owed: list[float] = []
        self._columns: list[list[int]] = []
        for cells in columns:
            often = [cell for cell, number in Counter(cells).items() if number >= OFTEN * len(cells)]
            known = {cell: len(self._owed) + at for at, cell in enumerate(often, 1)}
            self._columns.append(list(map(known.get, cells, repeat(len(self._owed)))))
            self._owed += [0.0] * (1 + len(often))

    def choose(self, rows: Sequence[int]) -> int:
        """Choose one of some rows, by their numbers."""
        if not self._columns:
            return rows[0]
        owed, share = self._owed, 1 / len(rows)
        values = [[column[row] for row in rows] for column in self._columns]
        for column in values:
            for value in column:
                owed[value] += share
        due = list(map(owed.__getitem__, values[0]))
        for column in values[1:]:
            due = list(map(add, due, map(owed.__getitem__, column)))
        best = due.index(max(due))
        for column in values:
            owed[column[best]] -= 1
        return rows[best]
