"""Symbols in whole numbers: a value moves, within its tolerance, to the nearest one of the class it is told.

One scale: class = value mod m, m ≤ 2T + 1, so that every class has a value within ±T. Two scales: the last digit to
`base` is one symbol, what is before it another, m / base of them; the boundary lies half a digit below a round
number, so that rounding leaves the second one as it is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from canary.compiled import Kernel
from canary.fingerprint.columns import Flags
from canary.fingerprint.plan import ColumnPlan

Ints = NDArray[np.int64]

ERASED = -1
MOST_CLASSES = 64  # of one scale: more would leave most bits to noise
LEAST_COARSE = 4


def modulus_of(tolerance: int, base: int, *, keep_sum: bool = False) -> tuple[int, int]:
    """Give (modulus, base) for a tolerance in units, base 0 where one scale is all it allows.

    Modulus 1 carries nothing. A kept sum needs two values of every class, hence half as many classes.
    """
    room = tolerance + 1 if keep_sum else 2 * tolerance + 1
    coarse = room // base if base else 0
    if coarse >= LEAST_COARSE:
        return base * min(coarse, MOST_CLASSES), base
    return min(room, MOST_CLASSES), 0


def sizes(plan: ColumnPlan) -> list[tuple[str, int]]:
    """Give the parts of a numeric column and how many symbols each has."""
    if plan.modulus < 2:
        return []
    if plan.base:
        return [("fine", plan.base), ("coarse", plan.modulus // plan.base)]
    return [("fine", plan.modulus)]


def places_of(values: Ints, plan: ColumnPlan) -> Ints:
    """Give each value's place in the period of the classes, 0 to modulus − 1."""
    return np.asarray((values + plan.base // 2) % plan.modulus)


def classes_of(values: Ints, plan: ColumnPlan) -> Ints:
    """Give the classes of values, int64[n, parts]."""
    place = places_of(values, plan)
    if not plan.base:
        return place[:, None]
    return np.stack([place % plan.base, place // plan.base], axis=1)


def reach(values: Ints, plan: ColumnPlan) -> Ints:
    """Give how far each value may move, in units."""
    if plan.share:
        return np.minimum(np.floor(np.abs(values) * plan.share + 1e-9), 2.0**40).astype(np.int64)
    return np.full(len(values), plan.tolerance, np.int64)


def is_open(values: Ints, plan: ColumnPlan) -> Flags:
    """Tell which values can carry a mark: not 0, off the heap, and with a tolerance that is wide enough."""
    room = values != 0
    if plan.share:
        room &= 2 * reach(values, plan) + 1 >= plan.modulus
    return np.asarray(room & (values % plan.heap != 0) if plan.heap else room)


def _shortest(distance: int, modulus: int) -> int:
    """Give the shorter way round."""
    up = distance % modulus
    return up - modulus if 2 * up > modulus else up


def _move(
    values: Ints, targets: Ints, open_: Flags, low: Ints, high: Ints, modulus: int, base: int, out: Ints
) -> None:
    """Move each open value the shortest way to where its target classes (−1: any) are, if that is in its reach.

    A period further off will do as well, and a value that cannot keep its sign stays.
    """
    for row in range(len(values)):
        value = values[row]
        out[row] = value
        if not open_[row]:
            continue
        place = (value + base // 2) % modulus
        fine, whole = targets[row, 0], True
        if base == 0:
            step = 0 if fine < 0 else _shortest(fine - place, modulus)
        else:
            coarse = targets[row, 1]
            digit = place % base if fine < 0 else fine
            whole = coarse >= 0
            step = (
                _shortest(base * coarse + digit - place, modulus) if whole else _shortest(digit - place, base)
            )
        for _ in range(2 if whole else 1):
            made = value + step
            if low[row] <= made <= high[row] and (made > 0) == (value > 0) and (made < 0) == (value < 0):
                out[row] = made
                break
            step += -modulus if step > 0 else modulus


_move_kernel = Kernel(_move, (_shortest,))


def moved(values: Ints, targets: Ints, plan: ColumnPlan, able: Flags, low: Ints, high: Ints) -> Ints:
    """Give the marked values; one that is not `able`, or cannot reach its classes between `low` and `high`, stays."""
    made = np.empty_like(values)
    _move_kernel(values, targets, able, low, high, plan.modulus, plan.base, made)
    return made


def _fits(values: Ints, step: Ints, low: Ints, high: Ints) -> Flags:
    made = values + step
    return np.asarray((made >= low) & (made <= high) & (np.sign(made) == np.sign(values)))


def balanced(values: Ints, marked: Ints, plan: ColumnPlan, low: Ints, high: Ints) -> Ints:
    """Give marked values whose sum is that of `values`.

    Marks that may as well stand a period further off go there, the longest first; what is left over, less than
    a period, is taken off one more cell, whose mark is lost. Where no cell can take it, the column stays.
    """
    step = marked - values
    over = int(step.sum())
    other = np.where(over > 0, step - plan.modulus, step + plan.modulus)
    free = np.flatnonzero((np.sign(step) == np.sign(over)) & _fits(values, other, low, high))
    count = min(len(free), (abs(over) + plan.modulus // 2) // plan.modulus)
    chosen = free[np.argsort(-np.abs(step[free]), kind="stable")[:count]]
    step[chosen] = other[chosen]
    rest = int(step.sum())
    if rest:
        able = np.flatnonzero((step != 0) & _fits(values, step - rest, low, high))
        if not len(able):
            return values.copy()
        step[able[0]] -= rest
    return values + step
