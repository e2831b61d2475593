"""Sums over all source sets of at most eight.

Truncated polynomials in log2, whose degree counts the sources.
"""

from __future__ import annotations

from math import inf, lgamma, log

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MOST_SOURCES = 8
WIDTH = MOST_SOURCES + 1


def log2_binomial(n: int, k: int) -> float:
    """Give log2 of n over k, −inf where k > n."""
    if k > n or k < 0:
        return -inf
    return (lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)) / log(2)


def multiply(a: Floats, b: Floats) -> Floats:
    """Multiply polynomials (…, 9) of log2 coefficients, dropping degrees above eight."""
    product = np.empty(np.broadcast_shapes(a.shape, b.shape))
    for degree in range(WIDTH):
        terms = a[..., : degree + 1] + b[..., degree::-1]
        product[..., degree] = np.logaddexp2.reduce(terms, axis=-1)
    return product


def one(*shape: int) -> Floats:
    """Give polynomials equal to 1, (*shape, 9)."""
    unit = np.full((*shape, WIDTH), -inf)
    unit[..., 0] = 0.0
    return unit


def alike(log2_ratio: Floats, count: int) -> Floats:
    """Give (1 + λx)^count for each log2 λ of any shape: `count` recipients that cannot be told apart."""
    ways = np.array([log2_binomial(count, degree) for degree in range(WIDTH)])
    power = np.multiply.outer(log2_ratio, np.arange(WIDTH))
    power[..., 0] = 0.0
    return np.asarray(power + ways)


def outsides(leaves: Floats) -> tuple[Floats, Floats]:
    """Give, for leaves (q, n, 9), the product of all the others of each leaf, and the product of all (q, 9).

    A tree of products, up and down: no division, so that a leaf of 2^5000 beside ones of 1 loses nothing.
    """
    count = leaves.shape[1]
    size = 1 << max(count - 1, 0).bit_length()
    levels = [np.concatenate([leaves, one(len(leaves), size - count)], axis=1)]
    while levels[-1].shape[1] > 1:
        levels.append(multiply(levels[-1][:, 0::2], levels[-1][:, 1::2]))
    outside = one(len(leaves), 1)
    for level in reversed(levels[:-1]):
        siblings = level.reshape(len(level), -1, 2, WIDTH)[:, :, ::-1].reshape(level.shape)
        outside = multiply(np.repeat(outside, 2, axis=1), siblings)
    return outside[:, :count], levels[-1][:, 0]
