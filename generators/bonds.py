"""Which columns of a host go together: those are taken from one row, the others each from a row of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

BINS = 16  # equal parts into which numbers are sorted
SHUFFLES = 3  # how often one column is shuffled to see what chance gives
SURE = 6.0  # standard deviations above chance
DENSE = 1 << 17  # pairs of values up to which each has a counter of its own
LOOK = 3000  # rows looked at


def clusters(columns: Mapping[str, Sequence[str | float | None]], seed: int) -> list[set[str]]:
    """Group columns that are not independent of each other: that agree in more pairs of rows than by chance."""
    import numpy as np

    names = list(columns)
    coded = {name: _coded(columns[name][:LOOK]) for name in names}
    coded = {name: codes for name, codes in coded.items() if len(codes) and codes.max() > 0}
    gen = np.random.default_rng(seed)
    groups = {name: {name} for name in names}
    for one, two in combinations(coded, 2):
        if groups[one] is not groups[two] and _bound(coded[one], coded[two], gen):
            merged = groups[one] | groups[two]
            groups.update(dict.fromkeys(merged, merged))
    return list({id(group): group for group in groups.values()}.values())


def _coded(cells: Sequence[str | float | None]) -> Ints:
    """Number the different cells of a column; numbers are sorted into equal parts first."""
    import numpy as np

    if any(isinstance(cell, float) for cell in cells):
        numbers = np.array([cell if isinstance(cell, float) else np.nan for cell in cells])
        known = numbers[~np.isnan(numbers)]
        edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])) if len(known) else known
        return np.where(np.isnan(numbers), len(edges) + 1, np.searchsorted(edges, numbers)).astype(np.int64)
    codes: dict[object, int] = {}
    return np.array([codes.setdefault(cell or "", len(codes)) for cell in cells], np.int64)


def _bound(one: Ints, two: Ints, gen: np.random.Generator) -> bool:
    """Tell whether two columns agree in more pairs of rows than when one of them is shuffled."""
    import numpy as np

    chance = [_agreeing(one, gen.permutation(two)) for _ in range(SHUFFLES)]
    mean, spread = float(np.mean(chance)), float(np.std(chance))
    return bool(_agreeing(one, two) > mean + SURE * max(spread, mean**0.5, 1.0))


def _agreeing(one: Ints, two: Ints) -> float:
    """Count the pairs of rows that agree in both columns."""
    import numpy as np

    both = one * (int(two.max()) + 1) + two
    counts = np.bincount(both) if int(both.max()) < DENSE else np.unique(both, return_counts=True)[1]
    return float((counts * (counts - 1)).sum() / 2)
