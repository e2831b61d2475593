"""Categories, where the policy says so: fewer than one cell in a hundred takes another value of the column.

Which cells is keyed by the dataset; a recipient's symbol there is a value drawn with the column's own frequencies,
of those that stand on at least one row in a hundred. It is written only where it is plausible: beside what the row says
in the table's other columns of few values, as two rows of the file at least have it. What cannot be written is a miss.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from canary.fingerprint.anchors import Tally
from canary.fingerprint.columns import Flags, Texts, spliced, texts_of
from canary.fingerprint.lattice import ERASED, Ints
from canary.fingerprint.prf import GRAIN, DatasetKeys, Words, siphash24

THIN: Final = 2  # of 256 cells
_MOST_VALUES = 16
_LEAST_SHARE = 0.01
_MOST_BESIDE = 64
_LEAST_PAIRS = 2  # rows of the file that have two values beside each other


@dataclass(frozen=True, slots=True)
class Company:
    """What a batch's rows say beside a column of categories, and how often the file has pairs of such values.

    `beside` are the digests of the other columns' cells, uint64[n, columns]; `values` those of the column's values.
    """

    pairs: Tally
    values: Words
    beside: Words

    def plausible(self, rows: Ints, numbers: Ints) -> Flags:
        """Tell of which rows the numbered values stand beside everything there, elsewhere in the file."""
        found = np.ones(len(rows), np.bool_)
        for column in range(self.beside.shape[1]):
            both = pair(self.values[numbers], self.beside[rows, column], column)
            found &= self.pairs.count(both) >= _LEAST_PAIRS
        return found


def pair(one: Words, other: Words, column: int) -> Words:
    """Digest values of a column of categories and of the `column`-th one beside it."""
    turned = (one << np.uint64(1)) ^ (one >> np.uint64(7))
    return np.asarray(turned ^ other * np.uint64(2 * column + 0x9E3779B97F4A7C15), np.uint64)


def digests(keys: DatasetKeys, texts: Texts) -> Words:
    """Digest the cells of a column as they stand."""
    return siphash24(keys.digest, texts.data, texts.offsets)


def company(
    keys: DatasetKeys, pairs: Tally, values: Sequence[str], beside: Sequence[Texts], rows: int
) -> Company:
    """Give what a batch's rows say beside a column."""
    others = [digests(keys, one) for one in beside]
    there = np.stack(others, axis=1) if others else np.zeros((rows, 0), np.uint64)
    return Company(pairs, digests(keys, texts_of(list(values))), there)


def has_few_values(texts: Texts) -> bool:
    """Tell whether a column says one of few things, so that what stands beside it depends on it."""
    different = len({texts.text(row) for row in range(len(texts))})
    return 2 <= different <= min(_MOST_BESIDE, len(texts) // 4)


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


def write_categories(
    texts: Texts, values: Sequence[str], targets: Ints, beside: Company | None = None
) -> Texts:
    """Give the column with the chosen values in rows that held a common one, where they are plausible."""
    rows = np.flatnonzero((targets[:, 0] >= 0) & texts.filled)
    rows = np.array([row for row in rows.tolist() if texts.text(row) in values], np.int64)
    if beside is not None:
        rows = rows[beside.plausible(rows, targets[rows, 0])]
    return spliced(texts, rows, [values[int(number)].encode() for number in targets[rows, 0]])
