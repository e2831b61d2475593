"""Rows chosen evenly: each value as often as among the rows that could be chosen, not only so on average."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

OFTEN = 0.01  # share of the rows from which a value has its own turn


class Balance:
    """Chooses one of some rows time after time; each value of some columns comes in its turn.

    Every value is owed its share of the rows to choose from, and the row whose values are owed most is taken (the
    diffusion of errors of Floyd and Steinberg, 1976). Drawn by chance, a value comes too often among a few hundred
    canaries, and by that stands out in a host that has all values alike.
    """

    def __init__(self, rows: Sequence[Mapping[str, str | None]], columns: Mapping[str, int | None]) -> None:
        """Number the values of some columns, of each its first so many letters alone (None: all of them).

        Rare ones share a number: each by itself would be owed too little to have a turn among a few hundred.
        """
        self._values: list[list[int]] = [[] for _ in rows]
        codes = 0
        for name, size in columns.items():
            cells = [(row.get(name) or "")[:size] for row in rows]
            often = [cell for cell, number in Counter(cells).items() if number >= OFTEN * len(rows)]
            known = {cell: codes + at for at, cell in enumerate(often, 1)}
            for values, cell in zip(self._values, cells, strict=True):
                values.append(known.get(cell, codes))
            codes += 1 + len(often)
        self._owed = [0.0] * codes

    def choose(self, rows: Sequence[int]) -> int:
        """Choose one of some rows, by their numbers."""
        owed, share = self._owed, 1 / len(rows)
        for row in rows:
            for value in self._values[row]:
                owed[value] += share
        best = max(rows, key=self._due)
        for value in self._values[best]:
            owed[value] -= 1
        return best

    def _due(self, row: int) -> float:
        return sum(map(self._owed.__getitem__, self._values[row]))
