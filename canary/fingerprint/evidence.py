"""The factors: what one observation, or one row of them, says for a recipient against chance.

r = (1 − e)·[x = y]/P(y) + e has mean 1 over the recipient's symbol x, for every y; so has (R + B)/(1 + B), where R is
the product of r over a unit (a cell, or a row) and B ≥ 0 says how others explain the unit: c − 1 unknown colluders,
or known ones by their own R. docs/fingerprint.md proves it, tests/unit/fingerprint enumerate it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from canary.fingerprint.columns import Flags
from canary.fingerprint.lattice import Ints
from canary.fingerprint.prf import GRAIN, Alphabet

Floats = NDArray[np.float64]

LOG2_E: Final = float(np.log2(np.e))
ALONE: Final = 0.55  # weight of "no other source is known"
TOGETHER: Final = 0.05  # of each of the k best others, k = 1 … 8
MOST_TOGETHER: Final = 8
PAIRS: Final = 0.05  # of the mean over single partners

# Cell by cell: (share a = (1 − e)/c of the cells that are the recipient's, weight); c = 1 … 8 and noise meet in a.
CELLS: Final = (
    (0.999, 0.5), (0.95, 0.03), (0.75, 0.03), (0.5, 0.07), (1 / 3, 0.05), (0.25, 0.03), (0.2, 0.04),
    (0.125, 0.03), (0.06, 0.01), (0.025, 0.01),
)  # fmt: skip
# Row by row: (colluders c, noise e within a row, weight).
ROWS: Final = (
    (2, 1e-3, 0.03),
    (3, 1e-3, 0.02),
    (5, 1e-3, 0.02),
    (8, 1e-3, 0.01),
    (2, 0.1, 0.01),
    (5, 0.1, 0.01),
)
# Each channel with a share a of its own, as rounding or smoothing takes some columns and leaves the others.
CHANNELS: Final = 0.05
CHANNEL_SHARES: Final = (0.0, 0.03, 0.08, 0.2, 0.4, 0.65, 0.9, 0.995)
# Numbers near the recipient's: averages of c copies, or noise of a width in classes (0: none); weight each.
AVERAGES: Final = ((2, 0.0, 0.01), (3, 0.0, 0.01), (5, 0.0, 0.01), (1, 0.7, 0.01), (1, 3.0, 0.01))
SOFT_FLOOR: Final = 0.05  # what remains for anything else in those tables


def hit_and_miss(share: float, counts: Ints) -> tuple[Floats, Floats]:
    """Give log2 of the factor of a cell that agrees, and of one that does not, for symbols of chance counts/256."""
    chance = counts / GRAIN
    return np.log2(share / chance + 1 - share), np.full(len(counts), np.log2(1 - share))


def log2_cells(hits: Floats, reads: Floats, counts: Ints) -> Floats:
    """Give log2 of the products over cells for each share of CELLS, float64[shares, n].

    `hits` is [n, groups], `reads` [groups]: cells that agree, and all, of groups whose symbols have one chance.
    """
    return log2_products([share for share, _ in CELLS], hits, reads, counts)


def log2_products(shares: Sequence[float], hits: Floats, reads: Floats, counts: Ints) -> Floats:
    """Give log2 of the product over all cells for each share, float64[shares, n]."""
    both = [hit_and_miss(share, counts) for share in shares]
    gains = np.stack([hit - miss for hit, miss in both])
    misses = np.stack([miss for _, miss in both])
    return np.asarray(gains @ hits.T + (misses @ reads)[:, None])


def log2_channels(hits: Floats, reads: Floats, counts: Ints, channel: Ints) -> Floats:
    """Give log2 of the product over channels of the mean over CHANNEL_SHARES, float64[n]."""
    total = np.zeros(len(hits))
    for number in np.unique(channel):
        mine = channel == number
        each = log2_products(CHANNEL_SHARES, hits[:, mine], reads[mine], counts[mine])
        total += np.logaddexp2.reduce(each) - np.log2(len(CHANNEL_SHARES))
    return total


def log2_reads(hits: Flags, counts: Ints, noise: float) -> Floats:
    """Give log2 r of every observation, float64[n, m], from whether it agrees."""
    high = np.log2((1 - noise) * GRAIN / counts + noise)
    return np.where(hits, high, np.log2(noise))


def by_unit(log2_r: Floats, starts: Ints) -> Floats:
    """Give log2 R of units, float64[n, units]: sums of the observations from each start on."""
    return np.asarray(np.add.reduceat(log2_r, starts, axis=1)) if len(starts) else log2_r[:, :0]


def log2_mixed(log2_unit: Floats, log2_others: Floats) -> Floats:
    """Give log2 ∏ (R + B)/(1 + B) over units, float64[n]; `log2_others` is log2 B, −inf where nobody else is."""
    ratio = log2_sum(log2_unit, log2_others)
    ratio -= np.logaddexp2(0.0, log2_others)
    return np.asarray(ratio.sum(axis=-1))


def log2_sum(one: Floats, other: Floats) -> Floats:
    """Give log2(2^one + 2^other), not both −inf: what np.logaddexp2 gives, but in steps that are done many at once."""
    made = np.asarray(np.subtract(one, other))
    np.abs(made, out=made)
    np.negative(made, out=made)
    np.exp2(made, out=made)
    np.log1p(made, out=made)
    made *= LOG2_E
    made += np.maximum(one, other)
    return made


@dataclass(frozen=True, slots=True)
class Soft:
    """A table of factors over (symbol read, symbol of the recipient) whose mean over the latter is 1."""

    log2_ratio: Floats


@lru_cache(maxsize=512)
def soft_table(alphabet: Alphabet, colluders: int, width: float) -> Soft:
    """Give the table for averages of `colluders` copies, or for noise of `width` classes."""
    q = alphabet.q
    shape = _averaged(q, colluders) if colluders > 1 else _spread(q, width)
    shape = (1 - SOFT_FLOOR) * shape + SOFT_FLOOR / q
    return Soft(np.log2(normalised(shape[(np.arange(q)[:, None] - np.arange(q)) % q], alphabet)))


def normalised(likelihood: Floats, alphabet: Alphabet) -> Floats:
    """Divide each row P(y | x) by its mean over the recipient's x, with the exact chances of x."""
    return np.asarray(likelihood / (likelihood @ alphabet.chances)[:, None])


def _averaged(q: int, colluders: int) -> Floats:
    """Give the chance of each distance (mod q) between the average of some copies' moves and one of them."""
    moves = np.arange(q) - (q - 1) / 2
    sums: Floats = np.zeros(1)
    weights: Floats = np.ones(1)
    for _ in range(colluders - 1):
        sums = np.add.outer(sums, moves).reshape(-1)
        weights = np.multiply.outer(weights, np.full(q, 1 / q)).reshape(-1)
        sums, where = np.unique(np.round(sums, 6), return_inverse=True)
        weights = np.asarray(np.bincount(where.reshape(-1), weights))
    shape = np.zeros(q)
    for move in moves:
        distance = np.floor((sums + move) / colluders - move + 0.5).astype(np.int64) % q
        np.add.at(shape, distance, weights / q)
    return shape


def _spread(q: int, width: float) -> Floats:
    distance = np.minimum(np.arange(q), q - np.arange(q))
    shape = np.exp(-distance / width)
    return np.asarray(shape / shape.sum())


def weights_total() -> float:
    """Give the sum of all weights of the mixture without known others; at most 1."""
    cells = sum(weight for _, weight in CELLS)
    rows = sum(weight for _, _, weight in ROWS)
    return cells + rows + CHANNELS + sum(weight for _, _, weight in AVERAGES)
