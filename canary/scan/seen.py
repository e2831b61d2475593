"""Stretches of text that were seen before: a table of keyed 64-bit hashes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from canary.compiled import Kernel
from canary.scan.sweepwork import SHAPES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Table = NDArray[np.int32]
    Bytes = NDArray[np.uint8]

SMALLEST: Final = 1 << 16
LARGEST: Final = 1 << 23  # places; what comes when the table is full counts as new each time


def _note(
    rows: Any,
    n: int,
    canon: Any,
    seed: int,
    table: Any,
    slots: Any,
    fresh: Any,
    counts: Any,
    most: int,
    st: Any,
) -> int:
    """Look candidates up in the table and add the new ones; `slots` gets the place of each, -1 where it is full."""
    mask = table.shape[0] - 1
    found = 0
    for r in range(n):
        h = seed ^ (rows[r, 0] * 0x1E3779B97F4A7C15)
        at = rows[r, 3]
        for j in range(at, at + rows[r, 4]):
            h = (h ^ canon[j]) * 0x2127599BF4325C37
            h ^= (h >> 29) & 0x7FFFFFFFF
        h = (h ^ ((h >> 32) & 0xFFFFFFFF)) * 0x1B873593CC9E2D51
        h ^= (h >> 29) & 0x7FFFFFFFF
        if h == 0:
            h = 1
        i = h & mask
        while table[i] != 0 and table[i] != h:
            i = (i + 1) & mask
        slots[r] = i
        if table[i] == h:
            continue
        counts[rows[r, 5]] += 1
        fresh[found] = r
        found += 1
        if st[0] < most:
            table[i] = h
            st[0] += 1
        else:
            slots[r] = -1
    return found


def _moved(old: Any, table: Any) -> None:
    """Move what one table holds into a larger one."""
    mask = table.shape[0] - 1
    for j in range(old.shape[0]):
        h = old[j]
        if h != 0:
            i = h & mask
            while table[i] != 0:
                i = (i + 1) & mask
            table[i] = h


_note_kernel: Kernel[..., int] = Kernel(_note)
_moved_kernel: Kernel[..., None] = Kernel(_moved)


class Seen:
    """A table of the candidates of one scan; it grows to 80 MB and no further."""

    def __init__(self, seed: bytes) -> None:
        import numpy as np

        self._seed = int.from_bytes(seed[:8], "little", signed=True)
        self._table = np.zeros(SMALLEST, np.int64)
        self._used = np.zeros(1, np.int64)
        self.counts = np.zeros(SHAPES, np.int64)

    def note(self, rows: Table, canon: Bytes) -> tuple[Ints, Ints]:
        """Add candidates; give the place of each in the table and which of them are new."""
        import numpy as np

        while 2 * (int(self._used[0]) + len(rows)) > len(self._table) < LARGEST:
            self._grow()
        slots = np.empty(len(rows), np.int64)
        fresh = np.empty(len(rows), np.int64)
        most = len(self._table) * 3 // 4
        found = _note_kernel(
            rows, len(rows), canon, self._seed, self._table, slots, fresh, self.counts, most, self._used
        )
        return slots, fresh[:found]

    def _grow(self) -> None:
        import numpy as np

        table = np.zeros(4 * len(self._table), np.int64)
        _moved_kernel(self._table, table)
        self._table = table
