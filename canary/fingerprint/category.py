"""Categories, where the policy says so: fewer than one cell in a hundred takes another value of the column.

Which cells is keyed by the dataset; a recipient's symbol there is a value drawn with the column's own frequencies,
of those that stand on at least one row in a hundred.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from canary.fingerprint.columns import Texts, spliced
from canary.fingerprint.lattice import ERASED, Ints
from canary.fingerprint.prf import GRAIN

THIN: Final = 2  # of 256 cells
_MOST_VALUES = 16
_LEAST_SHARE = 0.01


def values_of(texts: Sequence[str]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Give the common values of a column and their chances in 1/256; nothing where there are fewer than two."""
    counted: Mapping[str, int] = Counter(text for text in texts if text)
    total = sum(counted.values())
    common = sorted(
        (value for value, count in counted.items() if count >= _LEAST_SHARE * total),
        key=lambda value: (-counted[value], value),
    )[:_MOST_VALUES]
    if len(common) < 2:
        return (), ()
    weight = sum(counted[value] for value in common)
    counts = [max(1, counted[value] * GRAIN // weight) for value in common]
    counts[0] += GRAIN - sum(counts)
    return (tuple(common), tuple(counts)) if 0 < counts[0] < GRAIN else ((), ())


def read_categories(texts: Texts, values: Sequence[str]) -> Ints:
    """Give the number of each cell's value, int64[n, 1], −1 where it is none of them."""
    found = np.full((len(texts), 1), ERASED, np.int64)
    known = {value: number for number, value in enumerate(values)}
    for row in np.flatnonzero(texts.filled).tolist():
        found[row, 0] = known.get(texts.text(row).strip(), ERASED)
    return found


def write_categories(texts: Texts, values: Sequence[str], targets: Ints) -> Texts:
    """Give the column with the chosen values in rows that held a common one."""
    rows = np.flatnonzero((targets[:, 0] >= 0) & texts.filled)
    rows = np.array([row for row in rows.tolist() if texts.text(row) in values], np.int64)
    return spliced(texts, rows, [values[int(number)].encode() for number in targets[rows, 0]])
