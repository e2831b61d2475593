"""What a row shows beside the others of its table: how long ago its values stood last, and how often together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from canary.generators.recall import Recall

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

FEW = 400  # different values up to which a column is one of categories, by itself or by how its texts begin
KINDS = 64  # different values up to which each is looked at
START = 3  # letters by which texts of other columns are put together
OWN = 0.5  # share of different values above which a column tells nothing of recurrence
NEVER = 1 << 40  # rows to a value that does not come again
PAIRS, LOOK = 32, 5000  # pairs of categories that are looked at by themselves, rows by which they are found
ONCE, SELDOM = 0.001, 0.2  # shares of rows whose value another of their run has: by error, and by chance


@dataclass(frozen=True, slots=True)
class Seats:
    """Rows to be looked at: where they stand (before that row), whose values they have, whose run they belong to.

    `real` ones stand where their values come from, and are left out of what stands around them.
    """

    at: Ints
    rows: Ints
    runs: Ints
    real: bool

    def part(self, which: Ints) -> Seats:
        """Give some of the rows."""
        return Seats(self.at[which], self.rows[which], self.runs[which], self.real)


class Recurrence:
    """Reckons what rows show, for real ones and for those that might be added; `tide` are the numbers they rise by."""

    def __init__(self, recall: Recall, local: Sequence[str], tide: Ints) -> None:
        self.recall, self.local, self.tide = recall, tuple(local), tide

    @cached_property
    def _sorted(self) -> dict[str, tuple[Ints, Ints]]:
        """Give, for each column whose values recur, its rows sorted by value and place, and how often each stands."""
        import numpy as np

        size, found = len(self.recall), {}
        for name, codes in self.recall.codes.items():
            if name not in self.local and 1 < len(self.recall.texts[name]) <= OWN * size:
                keys = np.sort(codes.astype(np.int64) * size + np.arange(size))
                found[name] = keys, np.bincount(codes)
        return found

    @cached_property
    def groups(self) -> dict[str, Ints]:
        """Give the columns of categories: those of few values, or of texts that begin in few ways."""
        import numpy as np

        found = {}
        for name, codes in self.recall.codes.items():
            texts: Sequence[str | None] = self.recall.texts[name]
            if len(texts) > FEW:
                texts = [(text or "")[:START] for text in texts]
            known: dict[str | None, int] = {}
            kinds = np.array([known.setdefault(text, len(known)) for text in texts], np.int64)
            if 1 < len(known) <= FEW:
                found[name] = kinds[codes]
        return found

    @cached_property
    def _runs(self) -> Ints:
        import numpy as np

        found = np.zeros(len(self.recall), np.int64)
        for name in self.local:
            found = found * len(self.recall.texts[name]) + self.recall.codes[name]
        return np.unique(found, return_inverse=True)[1].astype(np.int64)

    def runs(self) -> Ints:
        """Number, for each row, the values of the columns that stand in runs."""
        return self._runs

    @cached_property
    def _joint(self) -> dict[tuple[str, str], tuple[Ints, Ints, Ints]]:
        import numpy as np

        return {
            (one, two): (
                np.bincount(self.groups[one] * FEW + self.groups[two], minlength=FEW * FEW),
                np.bincount(self.groups[one], minlength=FEW),
                np.bincount(self.groups[two], minlength=FEW),
            )
            for one, two in combinations(self.groups, 2)
        }

    @cached_property
    def _telling(self) -> set[tuple[str, str]]:
        """Find the pairs of categories outside of runs that stand together least by chance."""
        import numpy as np

        every = np.arange(0, len(self.recall), 1 + len(self.recall) // LOOK)
        spread = {}
        for (one, two), (both, first, second) in self._joint.items():
            if one not in self.local and two not in self.local:
                mine, other = self.groups[one][every], self.groups[two][every]
                spread[one, two] = float(
                    np.std(np.log(both[mine * FEW + other] / (first[mine] * second[other])))
                )
        return set(sorted(spread, key=lambda pair: -spread[pair])[:PAIRS])

    @cached_property
    def _lone(self) -> list[Ints]:
        """Find what stands once in each run: a value, or a value with a category (a carrier and its flight's number).

        Gives for each the number of every row's value.
        """
        import numpy as np

        found = []
        by_size = sorted(self.groups, key=lambda name: len(self.recall.texts[name]))
        for name in self._sorted:
            codes = self.recall.codes[name].astype(np.int64)
            share = self._shared(codes)
            others = by_size if ONCE < share <= SELDOM else []
            joined = (
                codes * FEW + self.groups[other]
                for other in others
                if other != name and other not in self.local
            )
            once = (
                codes if share <= ONCE else next((one for one in joined if self._shared(one) <= ONCE), None)
            )
            if once is not None:
                found.append(once)
        return found

    def _shared(self, codes: Ints) -> float:
        """Give the share of rows whose value another row of their run has."""
        import numpy as np

        _, counts = np.unique(self._runs * (int(codes.max()) + 1) + codes, return_counts=True)
        return 1 - float((counts == 1).sum()) / len(codes)

    def alone(self, seats: Seats) -> list[list[tuple[int, ...]]]:
        """Give, for each row, what may stand once in its run, to be compared with that of others."""
        runs = self._runs[seats.runs].tolist()
        values = [codes[seats.rows].tolist() for codes in self._lone]
        return [[(at, run, one[row]) for at, one in enumerate(values)] for row, run in enumerate(runs)]

    @cached_property
    def _there(self) -> list[Ints]:
        """Give, for each thing that stands once in a run, the sorted pairs of run and value."""
        import numpy as np

        return [np.unique(self._runs * (int(one.max()) + 1) + one) for one in self._lone]

    def doubled(self, seats: Seats) -> Bools:
        """Tell of rows to be added whether something of them, that stands once in a run, stands there already."""
        import numpy as np

        found = np.zeros(len(seats.at), np.bool_)
        for one, there in zip(self._lone, self._there, strict=True):
            asked = self._runs[seats.runs] * (int(one.max()) + 1) + one[seats.rows]
            found |= there[np.minimum(np.searchsorted(there, asked), len(there) - 1)] == asked
        return found

    def shown(self, seats: Seats) -> list[Floats]:
        """Give every feature of some rows, always in the same order; the first one is the number of the run."""
        import numpy as np

        found: list[NDArray[Any]] = [self._runs[seats.runs], self.tide[seats.rows]]
        runs: list[NDArray[Any]] = [self._runs, *(self.recall.codes[name] for name in self.local)]
        found += [np.bincount(codes)[codes[seats.runs]] + (not seats.real) for codes in runs]
        for name in self._sorted:
            found += self._recurring(name, seats)
        for name, codes in self.groups.items():
            if name not in self.local:
                found += [*self._beside(codes, seats), *self._kinds(name, seats)]
        return [np.asarray(one, float) for one in (*found, *self._paired(seats))]

    def _recurring(self, name: str, seats: Seats) -> list[Floats]:
        """Give how far the value stands before and after and how far those are apart, as such and as it is common."""
        import numpy as np

        size, (keys, counts) = len(self.recall), self._sorted[name]
        codes = self.recall.codes[name][seats.rows].astype(np.int64)
        asked = codes * size + seats.at
        found = np.searchsorted(keys, asked)
        low, high = np.maximum(found - 1, 0), np.minimum(found + seats.real, size - 1)
        before = np.where((found > 0) & (keys[low] // size == codes), asked - keys[low], NEVER)
        same = (found + seats.real < size) & (keys[high] // size == codes)
        after = np.where(same, keys[high] - asked + (not seats.real), NEVER)
        after, often = np.maximum(after, 1), counts[codes] + (not seats.real)
        return [np.log(before), np.log(after), often, np.log(before * often), np.log(before + after)]

    def _beside(self, codes: Ints, seats: Seats) -> list[Floats]:
        """Give whether the rows before and after have the same value."""
        import numpy as np

        mine, last = codes[seats.rows], len(codes) - 1
        before = codes[np.maximum(seats.at - 1, 0)] == mine
        return [before, codes[np.minimum(seats.at + seats.real, last)] == mine]

    def _kinds(self, name: str, seats: Seats) -> list[NDArray[Any]]:
        """Give which category a row is of, where they are few."""
        few = len(self.recall.texts[name]) <= KINDS
        return [self.recall.codes[name][seats.rows]] if few else []

    def _paired(self, seats: Seats) -> list[Floats]:
        """Give how often pairs of categories stand together: those that tell, the least of all, and the sum."""
        import numpy as np

        more, size = int(not seats.real), len(self.recall) + (not seats.real)
        mine = {
            name: codes[seats.runs if name in self.local else seats.rows]
            for name, codes in self.groups.items()
        }
        own: list[Floats] = []
        least = np.full(len(seats.at), np.inf)
        lowest, total = least.copy(), np.zeros(len(seats.at))
        for (one, two), (both, first, second) in self._joint.items():
            together = both[mine[one] * FEW + mine[two]] + more
            lift = np.log(together * size / ((first[mine[one]] + more) * (second[mine[two]] + more)))
            least, lowest, total = np.minimum(least, together), np.minimum(lowest, lift), total + lift
            if (one in self.local) != (two in self.local):
                own.append(lift)
            elif (one, two) in self._telling:
                own.append(together)
        return [*own, least, lowest, total] if self._joint else []
