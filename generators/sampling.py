"""A fair sample of whole rows, taken in one pass over the batches of a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from canary.files.cellrows import Rows

    Ints = NDArray[np.int64]
    Part = tuple[NDArray[np.float64], Ints, Rows]  # draws, row numbers, rows


@dataclass(slots=True)
class SampleRows:
    """Keeps the `size` rows with the smallest draws."""

    size: int
    _parts: list[Part] = field(default_factory=list)
    _bound: float = 1.0

    def feed(self, gen: np.random.Generator, table: Rows, numbers: Ints) -> None:
        """Take what may stay of a batch, with the numbers of its rows."""
        import numpy as np

        from canary.files.cellrows import aside

        draws = gen.random(table.num_rows)
        keep = np.flatnonzero(draws < self._bound)
        if len(keep) > self.size:
            keep = np.sort(keep[np.argpartition(draws[keep], self.size - 1)[: self.size]])
        if len(keep):
            self._parts.append((draws[keep], numbers[keep], aside(table, keep)))
        kept = np.concatenate([draws for draws, _, _ in self._parts])
        if len(kept) > self.size:
            self._bound = float(np.partition(kept, self.size - 1)[self.size - 1])

    def rows(self) -> tuple[tuple[int, ...], tuple[Mapping[str, str | None], ...]]:
        """Give the numbers of the rows that were kept, rising, and the rows."""
        import numpy as np

        from canary.files.cellrows import together

        if not self._parts:
            return (), ()
        draws = np.concatenate([part[0] for part in self._parts])
        numbers = np.concatenate([part[1] for part in self._parts])
        keep = np.sort(np.argsort(draws, kind="stable")[: self.size])
        rows = together([part[2] for part in self._parts]).take(keep).to_pylist()
        return tuple(numbers[keep].tolist()), tuple(rows)
