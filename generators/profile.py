"""What was learned of a host table: its columns, a sample of its rows, and the places where canaries are to stand."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from operator import itemgetter
from typing import TYPE_CHECKING

from canary.errors import UsageError
from canary.generators.clocks import Clock
from canary.generators.gaps import MISSING
from canary.generators.masks import KeyMask
from canary.generators.recall import Recall
from canary.generators.series import Series

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

Row = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """One column: role, native type, rates of nulls and of empty texts, order, range and spelling."""

    heading: str
    role: str
    native: str
    nulls: float
    empties: float
    unique: bool
    rising: bool = False
    falling: bool = False
    low: int | None = None
    high: int | None = None
    mask: KeyMask | None = None
    clock: Clock | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where one canary is to stand: before row `position`, between the series' values of two neighbours.

    `free` counts the free whole numbers of the gap in the series that orders the table; `tied` are the odds that a
    row standing there has the time of one of the two: of the row before, or (negative) of the row after.
    """

    position: int
    free: int
    before: Mapping[str, int | None]
    after: Mapping[str, int | None]
    tied: float = 0.0


@dataclass(frozen=True, slots=True)
class Places:
    """Places in the order in which they were drawn; any first part of them is a fair sample of the gaps."""

    series: tuple[str, ...]
    positions: Ints
    free: Ints
    tied: Floats
    before: Ints
    after: Ints

    def __len__(self) -> int:
        return len(self.positions)

    def __getitem__(self, at: int) -> Place:
        (place,) = self.part(at, at + 1)
        return place

    def __iter__(self) -> Iterator[Place]:
        columns = self.positions, self.free, self.before, self.after, self.tied
        for position, free, before, after, tied in zip(*(each.tolist() for each in columns), strict=True):
            yield Place(position, free, self._shown(before), self._shown(after), tied)

    def _shown(self, values: Sequence[int]) -> dict[str, int | None]:
        """Give the values of the series in a kept row, None where it has none."""
        return {
            name: None if value == MISSING else value for name, value in zip(self.series, values, strict=True)
        }

    def part(self, start: int, stop: int | None = None) -> Places:
        """Give the places from `start` up to `stop`."""
        return self._cut(slice(start, stop))

    def share(self, number: int, of: int) -> Places:
        """Give every `of`-th place from the `number`-th on: fair parts for several recipients."""
        return self._cut(slice(number, None, of))

    def chosen(self, which: Ints) -> Places:
        """Give some of the places, by their numbers, in that order."""
        return self._cut(which)

    def _cut(self, cut: slice | Ints) -> Places:
        return Places(
            self.series,
            self.positions[cut],
            self.free[cut],
            self.tied[cut],
            self.before[cut],
            self.after[cut],
        )


@dataclass(frozen=True, slots=True)
class HostProfile:
    """A host table as it was learned.

    `order` is the column that puts the rows in order (None: none does), `series` the numbers of key and time columns,
    `sample` whole rows at random with their row numbers, rising; `weight` the free places of all gaps together.
    """

    headings: tuple[str, ...]
    roles: Mapping[str, str]
    rows: int
    columns: Mapping[str, ColumnProfile]
    series: Mapping[str, Series]
    order: str | None
    places: Places
    weight: float
    numbers: tuple[int, ...]
    sample: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    recall: Recall | None = None  # all rows, of a table whose rows recur by a timetable
    memo: dict[str, object] = field(
        default_factory=dict, compare=False, repr=False
    )  # what drafting worked out

    @property
    def indexed(self) -> Ints:
        """Give the row numbers of the sample as an array."""
        import numpy as np

        known = self.memo.get("indexed")
        if not isinstance(known, np.ndarray):
            known = self.memo["indexed"] = np.array(self.numbers, np.int64)
        return known

    def near(self, position: int) -> int | None:
        """Give the index of the sample row that stands nearest a position, None for an empty table."""
        if not self.numbers:
            return None
        right = min(bisect_left(self.numbers, position), len(self.numbers) - 1)
        left = max(right - 1, 0)
        return left if position - self.numbers[left] < self.numbers[right] - position else right

    def around(self, position: int) -> tuple[Row, ...]:
        """Give the rows of the sample that stand next before and after a position: one at either end, two else."""
        right = bisect_left(self.numbers, position)
        return self.sample[max(0, right - 1) : right + 1]

    def cells(self, heading: str) -> Sequence[str | None]:
        """Give the cells of a column in the sample, none where there is no such column."""
        known = self.memo.get(f"cells {heading}")
        if not isinstance(known, tuple):
            known = tuple(map(itemgetter(heading), self.sample)) if heading in self.roles else ()
            self.memo[f"cells {heading}"] = known
        return known

    def heads(self, heading: str, size: int | None = None) -> Sequence[str]:
        """Give the first so many letters of the cells of a column in the sample (None: all), '' where it has none."""
        known = self.memo.get(f"heads {heading} {size}")
        if not isinstance(known, tuple):
            known = tuple((cell or "")[:size] for cell in self.cells(heading))
            self.memo[f"heads {heading} {size}"] = known
        return known

    def column(self, heading: str) -> Sequence[str]:
        """Give the filled values of a column in the sample."""
        known = self.memo.get(f"column {heading}")
        if not isinstance(known, tuple):
            known = self.memo[f"column {heading}"] = tuple(filter(None, self.cells(heading)))
        return known

    def count(self, canaries: float) -> int:
        """Give how many canaries a count (1 or more) or a share of the rows (below 1) asks for."""
        return canary_count(canaries, self.rows)


def canary_count(canaries: float, rows: int) -> int:
    """Give how many canaries are asked for: a number of 1 or more is a count, one below 1 a share, rounded up."""
    if canaries < 0 or (canaries >= 1 and canaries != int(canaries)):
        raise UsageError(f"cannot plant {canaries} canaries", "give a whole number, or a share below 1")
    return int(canaries) if canaries >= 1 else ceil(round(canaries * rows, 9))


def one_of(texts: Sequence[str]) -> str:
    """Give the commonest of some texts ('' of none)."""
    return max(sorted(set(texts)), key=texts.count, default="")
