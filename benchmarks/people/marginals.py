"""How far canaries lie from the real rows in each column alone: values, empty cells and formats."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.people.features import parsed, shape

COMMON = 20  # categories compared one by one; the others count as one


@dataclass(frozen=True)
class Marginal:
    """One column: complement of KS (numbers) or TV (texts), gap of empty cells, TV of formats."""

    column: str
    alike: float
    empty: float
    formats: float


def marginals(real: dict[str, list[str]], fake: dict[str, list[str]]) -> list[Marginal]:
    """Compare canaries with real rows, column by column."""
    return [_marginal(name, cells, fake[name]) for name, cells in real.items()]


def _marginal(name: str, real: Sequence[str], fake: Sequence[str]) -> Marginal:
    numbers = parsed(real)
    if numbers is None:
        alike = 1 - _apart(_usual(real), real, fake)
    else:
        other = parsed([*fake, *real[:500]])
        alike = 1 - _ks(numbers, other[: len(fake)] if other is not None else numbers[:0])
    gap = abs(sum(not cell for cell in real) / len(real) - sum(not cell for cell in fake) / len(fake))
    made, forged = ([re.sub(r"(.)\1+", r"\1", shape(cell)) for cell in cells] for cells in (real, fake))
    return Marginal(name, alike, gap, _apart(_usual(made), made, forged))


def _usual(cells: Sequence[str]) -> list[str]:
    return [cell for cell, _ in Counter(cells).most_common(COMMON)]


def _apart(usual: Sequence[str], real: Sequence[str], fake: Sequence[str]) -> float:
    """Give the total variation between two columns over the usual values and all others as one."""
    one, two = Counter(real), Counter(fake)
    shares = [(one[cell] / len(real), two[cell] / len(fake)) for cell in usual]
    rest = 1 - sum(a for a, _ in shares), 1 - sum(b for _, b in shares)
    return (sum(abs(a - b) for a, b in shares) + abs(rest[0] - rest[1])) / 2


def _ks(one: np.ndarray, two: np.ndarray) -> float:
    one, two = np.sort(one[~np.isnan(one)]), np.sort(two[~np.isnan(two)])
    if not len(one) or not len(two):
        return 1.0
    every = np.concatenate([one, two])
    below = [np.searchsorted(side, every, side="right") / len(side) for side in (one, two)]
    return float(np.abs(below[0] - below[1]).max())
