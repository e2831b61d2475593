"""Choosing places in one pass: gaps by weighted reservoir sampling, vectorised per batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import expm1
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Indexes = NDArray[np.intp]
    Rows = tuple[Ints, Ints, Floats, Ints, Ints]  # positions, free, tied, before, after

OVERFULL = 3  # times its room that a reservoir may hold before it drops the rest: dropping is dear
RARE = 0.2  # chance of the heaviest row to be kept, below which not every row has its own draw
MISSING = -(2**62)  # stands for "no value in this row"


@dataclass(slots=True)
class Reservoir:
    """The rows with the smallest draws (Efraimidis and Spirakis: an exponential draw divided by the weight).

    `room(rows)` tells how many are to be kept after so many rows. Each kept row has its position, the free whole
    numbers of its gap, the odds that a row in it has the time of a neighbour (negative: of the next one), and the
    values of every series before and at it.
    """

    room: Callable[[int], int]
    draws: Floats
    positions: Ints
    free: Ints
    tied: Floats
    before: Ints
    after: Ints
    weight: float = 0.0  # free places of all rows seen
    bound: float = float("inf")
    _parts: list[tuple[Floats, Ints, Ints, Floats, Ints, Ints]] = field(default_factory=list)
    _fresh: int = 0  # rows in those parts
    _seen: int = 0

    @classmethod
    def empty(cls, room: Callable[[int], int], series: int) -> Reservoir:
        """Make a reservoir for rows with so many series."""
        import numpy as np

        none = np.empty(0, np.int64)
        pairs = np.empty((0, series), np.int64)
        return cls(room, np.empty(0), none, none.copy(), np.empty(0), pairs, pairs.copy())

    def feed(
        self,
        gen: np.random.Generator,
        weights: Floats,
        gather: Callable[[Indexes], Rows],
        seen: int,
        free: float | None = None,
    ) -> None:
        """Take part of a batch by the weights of its rows; `gather` gives the kept ones, `seen` rows so far."""
        import numpy as np

        self.weight += float(weights.sum()) if free is None else free
        most = -expm1(-self.bound * float(weights.max(initial=0.0)))
        if most < RARE:
            self._keep(*self._rare(gen, weights, most), gather, seen)
            return
        with np.errstate(divide="ignore"):
            draws = gen.standard_exponential(len(weights)) / weights
        keep = np.flatnonzero(draws < self.bound)
        self._keep(draws[keep], keep, gather, seen)

    def _rare(self, gen: np.random.Generator, weights: Floats, most: float) -> tuple[Floats, Indexes]:
        """Choose as `feed` does where few rows are kept: as many as the heaviest would be, thinned by their weights."""
        import numpy as np

        some = some_of(gen, len(weights), most)
        chances = -np.expm1(-self.bound * weights[some])
        kept = gen.random(len(some)) * most < chances
        keep, chances = some[kept], chances[kept]
        return -np.log1p(-chances * gen.random(len(keep))) / weights[keep], keep

    def feed_evenly(
        self, gen: np.random.Generator, rows: int, gather: Callable[[Indexes], Rows], seen: int
    ) -> None:
        """Take part of a batch whose rows weigh the same: only those that are kept are drawn at all."""
        import numpy as np

        self.weight += float(rows)
        share = -np.expm1(-self.bound)
        keep = some_of(gen, rows, share)
        self._keep(-np.log1p(-share * gen.random(len(keep))), keep, gather, seen)

    def _keep(self, draws: Floats, keep: Indexes, gather: Callable[[Indexes], Rows], seen: int) -> None:
        self._seen, self._fresh = seen, self._fresh + len(keep)
        self._parts.append((draws, *gather(keep)))
        if len(self.draws) + self._fresh > OVERFULL * self.room(seen):
            self._merge()

    def _columns(self) -> tuple[Floats, Ints, Ints, Floats, Ints, Ints]:
        return self.draws, self.positions, self.free, self.tied, self.before, self.after

    def _set(self, columns: Sequence[NDArray[Any]]) -> None:
        self.draws, self.positions, self.free, self.tied, self.before, self.after = columns

    def _merge(self) -> None:
        """Take in what was kept of the last batches, and keep the smallest draws alone."""
        import numpy as np

        self._set([np.concatenate(column) for column in zip(self._columns(), *self._parts, strict=True)])
        self._parts, self._fresh = [], 0
        room = self.room(self._seen)
        if len(self.draws) > room:
            order = np.argpartition(self.draws, room - 1)[:room]
            self._set([column[order] for column in self._columns()])
            self.bound = float(self.draws.max())

    def settle(self) -> None:
        """Bring the rows into the order of their draws: any first part of them is a fair sample."""
        import numpy as np

        self._merge()
        order = np.argsort(self.draws, kind="stable")
        self._set([column[order] for column in self._columns()])


def some_of(gen: np.random.Generator, rows: int, chance: float) -> Indexes:
    """Choose each of so many rows with one chance, by the steps from one chosen row to the next; rising."""
    import numpy as np

    if chance >= 1 or not rows:
        return np.arange(rows)
    parts, at = [np.empty(0, np.int64)], -1
    while chance > 0 and at < rows:
        steps = np.minimum(gen.geometric(chance, int(1.1 * chance * (rows - at)) + 16), rows + 1)
        parts.append(at + np.cumsum(steps))
        at = int(parts[-1][-1])
    places = np.concatenate(parts)
    chosen: Indexes = places[: np.searchsorted(places, rows)]
    return chosen
