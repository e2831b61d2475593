"""Which columns of a host go together: those are taken from one row, the others each from a row of their own.

Of those that go together some do so only by way of another one, their hub: a doctor and an age by the department. A row
that has the same hub does for them as well, and the pair is not that of one real row once more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

Cells = Sequence[str | float | None]
BINS = 16  # equal parts into which numbers are sorted
SHUFFLES = 3  # how often one column is shuffled to see what chance gives
# How often more, where that says they go together though a hub is known: few do, and few shuffles err.
AGAIN = 6
SURE = 6.0  # standard deviations above chance
LOOK = 3000  # rows looked at
WIDEST = 10  # columns of a group, above which no hub is looked for
ROOMY = 60  # rows a value of a hub must have, on average


def clusters(columns: Mapping[str, Cells], seed: int) -> list[set[str]]:
    """Group columns that are not independent of each other: that agree in more pairs of rows than by chance."""
    import numpy as np

    names = list(columns)
    coded = {name: _coded(columns[name][:LOOK]) for name in names}
    coded = {name: codes for name, codes in coded.items() if len(codes) and codes.max() > 0}
    gen = np.random.default_rng(seed)
    groups = {name: {name} for name in names}
    shuffles = _Shuffles(min(LOOK, max(map(len, columns.values()), default=0)), gen)
    for one, two in combinations(coded, 2):
        if groups[one] is not groups[two] and _bound(coded[one], coded[two], shuffles):
            merged = groups[one] | groups[two]
            groups.update(dict.fromkeys(merged, merged))
    return list({id(group): group for group in groups.values()}.values())


@dataclass(frozen=True, slots=True)
class Hub:
    """A column of categories, and the parts into which those that go with it fall where its value is known.

    What its value settles is no part: that stays with it.
    """

    heading: str
    parts: tuple[frozenset[str], ...]


def hub_of(group: Mapping[str, Cells], others: Mapping[str, Cells], seed: int) -> Hub | None:
    """Find the column of fewest values by which a group falls into the most parts; None where it falls into none.

    `others` are columns that are no part of the group, which a part may go along with.
    """
    import numpy as np

    if not 3 <= len(group) <= WIDEST:
        return None
    coded = {name: _coded(cells[:LOOK]) for name, cells in sorted({**group, **others}.items())}
    gen, best = np.random.default_rng(seed), None
    for hub, given in sorted(coded.items(), key=lambda item: int(item[1].max())):
        if hub in others or ROOMY * (int(given.max()) + 1) > len(given):
            continue
        parts = {name: {name} for name, codes in coded.items() if not _settled(codes, given)}
        shuffles = _Shuffles(len(given), gen, given)
        for one, two in combinations(parts, 2):
            if parts[one] is not parts[two] and _bound(coded[one], coded[two], shuffles, given):
                merged = parts[one] | parts[two]
                parts.update(dict.fromkeys(merged, merged))
        found = tuple({id(part): frozenset(part) for part in parts.values()}.values())
        if len(found) > (len(best.parts) if best else 1):
            best = Hub(hub, found)
    return best


def _coded(cells: Cells) -> Ints:
    """Number the different cells of a column; numbers are sorted into equal parts first."""
    import numpy as np

    if any(isinstance(cell, float) for cell in cells):
        numbers = np.array([cell if isinstance(cell, float) else np.nan for cell in cells])
        known = numbers[~np.isnan(numbers)]
        edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])) if len(known) else known
        return np.where(np.isnan(numbers), len(edges) + 1, np.searchsorted(edges, numbers)).astype(np.int64)
    codes: dict[object, int] = {}
    return np.array([codes.setdefault(cell or "", len(codes)) for cell in cells], np.int64)


def _settled(codes: Ints, given: Ints) -> bool:
    """Tell whether the values of one column settle those of another."""
    import numpy as np

    pairs = np.unique(given * (int(codes.max()) + 1) + codes)
    return len(pairs) == len(np.unique(given))


class _Shuffles:
    """Orders of rows that are shuffled (within each value of `given`): each is made once and serves all pairs."""

    def __init__(self, size: int, gen: np.random.Generator, given: Ints | None = None) -> None:
        self._size, self._gen, self._given = size, gen, given
        self._known: list[Ints] = []

    def __getitem__(self, at: int) -> Ints:
        import numpy as np

        while len(self._known) <= at:
            if self._given is None:
                self._known.append(self._gen.permutation(self._size))
                continue
            order = np.empty(self._size, np.int64)
            order[np.argsort(self._given, kind="stable")] = np.lexsort(
                (self._gen.random(self._size), self._given)
            )
            self._known.append(order)
        return self._known[at]


def _bound(one: Ints, two: Ints, shuffles: _Shuffles, given: Ints | None = None) -> bool:
    """Tell whether two columns agree in more pairs of rows than when one is shuffled (within each value of `given`)."""
    import numpy as np

    if given is not None:
        one = given * (int(one.max()) + 1) + one
    found, chance = _agreeing(one, two), list[float]()
    for enough in (SHUFFLES, SHUFFLES if given is None else SHUFFLES + AGAIN):
        chance += [_agreeing(one, two[shuffles[at]]) for at in range(len(chance), enough)]
        mean, spread = float(np.mean(chance)), float(np.std(chance))
        if found <= mean + SURE * max(spread, mean**0.5, 1.0):
            return False
    return True


def _agreeing(one: Ints, two: Ints) -> float:
    """Count the pairs of rows that agree in both columns."""
    import numpy as np

    keys = np.sort(one * (int(two.max()) + 1) + two)
    ends = np.append(np.flatnonzero(keys[1:] != keys[:-1]), len(keys) - 1)
    counts = np.diff(ends, prepend=-1)
    return float((counts * (counts - 1)).sum() / 2)
