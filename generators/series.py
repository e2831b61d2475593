"""One column that may put the rows in order: its numbers, whether they rise or fall, and the gaps between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from canary.fields.slots import Slots
from canary.generators.clocks import Clock
from canary.generators.gaps import Reservoir
from canary.generators.masks import KeyMask

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]

MAP_BITS = 25  # of the map of keys seen: 2^25 places, whatever the table's size
KEY_CAP, TIME_CAP = 64, 64  # medians: no gap counts for more, lest one hole take all canaries
TIDE, TIDE_ROWS, TIDE_VALUES = (
    0.97,
    200,
    20,
)  # share of steps that do not fall; rows and values needed to tell
AROUND = 50  # gaps to either side that tell how busy a time is
LEAST_GROUPS = 20  # groups of equal times from which it is told how many have one row more
BUSY, LEAST_BUSY = 4, 200  # kinds of times by how busy they are, and groups a kind has at least
FEW = 1000  # gaps whose median is taken
LEAST_READ = 0.8  # share of rows whose value a series must read


@dataclass(slots=True)
class Series:
    """A key or time column as numbers; `bounds` is the range reserved for canaries, if any."""

    heading: str
    codec: KeyMask | Clock
    reservoir: Reservoir
    bounds: tuple[int, int] | None = None
    rising: bool = True
    falling: bool = True
    repeats: bool = False
    count: int = 0
    low: int = 0
    high: int = 0
    step: float = 1.0  # median gap of the last batch
    first: Ints | None = None  # values of all series in the first row that this one reads
    last: Ints | None = None  # values of all series in its last one
    seen: Slots | None = None
    tidal: bool = False  # rises again and again, such as a time of day: it orders the rows of each day
    steps: Ints | None = None  # the different numbers of a tidal one: 1259 and 1300 may be neighbours

    @property
    def is_key(self) -> bool:
        """Tell whether the numbers are keys, which stand once, and not times."""
        return isinstance(self.codec, KeyMask) and not self.tidal

    @property
    def ordered(self) -> bool:
        """Tell whether the rows stand in the order of this column (a constant column gives none)."""
        if self.tidal:
            return False
        return self.count > 0 and (self.rising or self.falling) and (self.low < self.high or self.count == 1)

    @property
    def sign(self) -> int:
        """Give -1 where the numbers fall with the rows, else 1."""
        return -1 if self.falling and not self.rising else 1

    def feed(self, values: Ints, fits: Bools) -> None:
        """Learn extremes and the keys seen from the values of a batch."""
        numbers = values if fits.all() else values[fits]
        if not len(numbers):
            return
        low, high = int(numbers.min()), int(numbers.max())
        self.low = min(low, self.low) if self.count else low
        self.high = max(high, self.high) if self.count else high
        self.count += len(numbers)
        if self.is_key:
            self.seen = self.seen or Slots.empty(MAP_BITS)
            self.seen.put(numbers)

    def was_seen(self, number: int) -> bool:
        """Tell whether a key may stand in the host (never False for one that does)."""
        return self.seen is not None and self.seen.may_hold(number)

    def follow(self, gaps: Ints) -> bool:
        """Learn order from the differences between rows; tells whether the rows are still in order."""
        if not (self.rising or self.falling) or not len(gaps):
            return self.rising or self.falling
        low, high = int(gaps.min()), int(gaps.max())
        self.rising, self.falling = self.rising and low >= 0, self.falling and high <= 0
        return self.rising or self.falling

    def capped(self, gaps: Ints) -> Ints:
        """Cut the gaps between times, lest one hole takes all canaries."""
        import numpy as np

        return as_ints(np.minimum(gaps, int(TIME_CAP * self.step) + TIME_CAP))

    def weigh(self, start: Ints, end: Ints, gen: np.random.Generator) -> tuple[Floats, Floats]:
        """Weigh the gaps between times, and give the odds that a row in each has the time of a neighbour.

        A time of its own falls into a gap by the gap's length beside those around it (not by its length alone: idle
        hours have long gaps and few rows), a neighbour's time as often as rows around share theirs, a time of k rows
        as often as there are times of one more where it is as busy (Good and Turing). The odds are negative where the
        time is the next row's.
        """
        import numpy as np

        gaps = np.abs(end - start)
        self.step = max(1.0, middle(gaps))
        if not len(gaps):
            return np.ones(0), np.zeros(0)
        room = by_neighbours(np.maximum(self.capped(gaps) - 1, 0))
        if gaps.all():
            return room, np.zeros(len(gaps))  # no time is shared: no neighbour's is taken
        group = np.concatenate([[0], np.cumsum(gaps > 0)])
        sizes = np.bincount(group)
        more = one_more(sizes, around(sizes[group])[np.flatnonzero(np.diff(group, prepend=-1))])[group]
        left, right = more[:-1], more[1:]
        joined = np.where(gaps == 0, left, left + right)
        share = around(sizes[group] > 1)[:-1]
        ties = share * joined / np.maximum(around(joined), 1e-9)
        own = (1 - share) * room * (gaps > 0)
        odds = ties / np.maximum(ties + own, 1e-9)
        later = gen.random(len(gaps)) * (left + right) >= left
        return ties + own, np.where(later, -odds, odds)

    def ranks(self, values: Ints) -> Ints:
        """Give where numbers stand among the different ones of the column: what never occurs is no room between two."""
        import numpy as np

        return values if self.steps is None else as_ints(np.searchsorted(self.steps, values))

    def free_places(self, start: Ints, end: Ints) -> Ints:
        """Count the free whole numbers of each gap from one row's value to the next."""
        import numpy as np

        gaps = np.abs(end - start)
        median = middle(gaps)
        self.step = max(1.0, median)
        if isinstance(self.codec, Clock):
            return as_ints(self.capped(gaps) + 1)
        self.repeats = self.repeats or bool((gaps == 0).any())
        if self.bounds is not None:
            low = np.maximum(np.minimum(start, end), self.bounds[0] - 1)
            high = np.minimum(np.maximum(start, end), self.bounds[1] + 1)
            free = np.maximum(high - low - 1, 0)
        else:
            free = np.clip(gaps - 1, 0, max(1, int(KEY_CAP * median)))
        if self.codec.serial is not None:
            size = 10**self.codec.serial
            free = np.where(start // size == end // size, free, 0)
        return as_ints(free)


def one_more(sizes: Ints, busy: Floats) -> Floats:
    """Give, for each group of equal times, how many groups have one row more, for each that has as many as it.

    Groups are compared with those of like business, the mean size of the groups around.
    """
    import numpy as np

    found = np.empty(len(sizes))
    kinds = max(1, min(BUSY, len(sizes) // LEAST_BUSY))
    edges = np.quantile(busy, np.linspace(0, 1, kinds + 1)[1:-1])
    kind = np.searchsorted(edges, busy)
    for each in range(kinds):
        found[kind == each] = _one_more(sizes[kind == each])
    return found


def _one_more(sizes: Ints) -> Floats:
    import numpy as np

    counts = np.bincount(sizes, minlength=2).astype(float)
    few = np.flatnonzero(counts[1:] < LEAST_GROUPS)
    most = 1 + int(few[0]) if len(few) else len(counts) - 1  # smaller ones were seen often enough
    rest = counts[most + 1 :].sum() / max(1.0, counts[most:].sum())  # of all that are as large, or larger
    ratios = np.full(len(counts), rest)
    ratios[1:most] = counts[2 : most + 1] / counts[1:most]
    found: Floats = ratios[sizes]
    return found


def is_tidal(numbers: Ints) -> bool:
    """Tell whether neighbouring numbers hardly ever fall, though they are many and do not stand in long runs."""
    import numpy as np

    if len(numbers) < TIDE_ROWS or len(np.unique(numbers)) < TIDE_VALUES:
        return False
    steps = np.diff(numbers)
    return bool((steps >= 0).mean() >= TIDE >= (steps == 0).mean())


def middle(gaps: Ints) -> float:
    """Give the median of gaps, by a few hundred of them where they are many; 1 where there are none."""
    import numpy as np

    some = gaps[:: 1 + len(gaps) // FEW]
    return float(np.median(some)) if len(some) else 1.0


def by_neighbours(lengths: Ints) -> Floats:
    """Give lengths as multiples of the mean of those around them (1 where all around are 0)."""
    import numpy as np

    means = around(lengths)
    found = np.ones(len(lengths))
    np.divide(lengths, means, out=found, where=means > 0)
    return found


def around(values: NDArray[Any]) -> Floats:
    """Give the mean of the values about each place."""
    import numpy as np

    size = len(values)
    sums = np.empty(size + 1)
    sums[0] = 0.0
    np.cumsum(values, dtype=np.float64, out=sums[1:])
    if size <= 2 * AROUND:
        places = np.arange(size)
        low, high = np.maximum(places - AROUND, 0), np.minimum(places + AROUND + 1, size)
        few: Floats = (sums[high] - sums[low]) / np.maximum(high - low, 1)
        return few
    means = np.empty(size)
    counts = np.arange(AROUND + 1, 2 * AROUND + 1)  # of the values about the first places, and about the last
    means[:AROUND] = sums[AROUND + 1 : 2 * AROUND + 1] / counts
    np.subtract(sums[2 * AROUND + 1 :], sums[: size - 2 * AROUND], out=means[AROUND : size - AROUND])
    means[AROUND : size - AROUND] /= 2 * AROUND + 1
    means[size - AROUND :] = (sums[size] - sums[size - 2 * AROUND : size - AROUND]) / counts[::-1]
    return means


def as_ints(numbers: NDArray[Any]) -> Ints:
    """Give numbers as 64-bit integers."""
    import numpy as np

    return numbers.astype(np.int64, copy=False)
