"""The kernel's pairs: how many candidates stand in one record, or in prose not far from each other."""

from __future__ import annotations

from canary.native import apart, inner
from canary.operations import get, put
from canary.scan.sweepwork import (
    ACTIVE,
    APART,
    BLOCK_NUMBER,
    COUNTS,
    FAILED,
    IDS,
    KINDS_OF,
    LAST_LIST,
    LAST_LISTED,
    LAST_NAMES,
    LAST_SUM,
    LIST,
    LIST_SIZE,
    LIST_SUM,
    LISTED,
    MOST_PLACES,
    MOST_SHAPES,
    PAIRS,
    PLACED,
    PLACES,
    PLACING,
    REPEATS,
    RING,
    RING_FIRST,
    RING_LAST,
    RINGS,
    SUMS,
)

WINDOW = 3200  # bytes: more than twice the reach of a record in prose, however long its characters are
NAMED = WINDOW // 64
SUMMED = 10  # candidates of a record whose numbers fit into one


@apart
def counted(st: int, shape: int) -> int:
    """Give a shape the number under which its pairs are counted."""
    t: int = min(get(st, ACTIVE) + 1, MOST_SHAPES - 1)
    put(st, ACTIVE, t)
    put(st, IDS + shape, t)
    put(st, KINDS_OF + t, shape)
    return t


@inner
def pair(st: int, shape: int, place: int) -> None:
    """Count the pairs that a candidate makes with those of its record, in prose with those not far before it."""
    if get(st, APART):
        pair_apart(st, shape, place)
        return
    t = get(st, IDS + shape)
    if t == 0:
        t = counted(st, shape)
    k = get(st, LISTED)
    put(st, LISTED, k + 1)
    put(st, LIST_SUM, get(st, LIST_SUM) << 6 | t)
    if k < LIST_SIZE:
        put(st, LIST + k, t)
    else:
        pair_many(st, t, k)


@apart
def pair_many(st: int, t: int, k: int) -> None:
    """Count the pairs of a record that holds more than are compared."""
    if k == LIST_SIZE:
        for j in range(k):
            spread(st, get(st, LIST + j))
    spread(st, t)


@apart
def pair_apart(st: int, shape: int, place: int) -> None:
    """Note where a candidate stands for who counts the pairs, or count those in prose."""
    if get(st, PLACING):
        k = get(st, PLACED)
        if k >= MOST_PLACES:
            put(st, FAILED, 1)
            return
        put(st, PLACES + 2 * k, place)
        put(st, PLACES + 2 * k + 1, shape)
        put(st, PLACED, k + 1)
        return
    t = get(st, IDS + shape)
    if t == 0:
        t = counted(st, shape)
    pair_near(st, t, place)


@apart
def pair_near(st: int, t: int, place: int) -> None:
    """Count the pairs that a candidate in prose makes with those not far before it."""
    first = get(st, RING_FIRST)
    while first < get(st, RING_LAST) and place - get(st, RINGS + 2 * (first & RING - 1)) > WINDOW:
        other = COUNTS + get(st, RINGS + 2 * (first & RING - 1) + 1)
        put(st, other, get(st, other) - 1)
        first += 1
    if get(st, RING_LAST) - first >= RING:
        first += 1  # stays counted: too many rather than too few
    put(st, RING_FIRST, first)
    last = get(st, RING_LAST)
    put(st, RINGS + 2 * (last & RING - 1), place)
    put(st, RINGS + 2 * (last & RING - 1) + 1, t)
    put(st, RING_LAST, last + 1)
    block = get(st, BLOCK_NUMBER)
    near = get(st, SUMS + block) - get(st, SUMS + max(0, block - NAMED))
    put(st, PAIRS + 64 * t, get(st, PAIRS + 64 * t) + near)
    spread(st, t)


@apart
def spread(st: int, t: int) -> None:
    """Count the pairs that a candidate makes with those counted already."""
    for other in range(1, get(st, ACTIVE) + 1):
        put(st, PAIRS + 64 * t + other, get(st, PAIRS + 64 * t + other) + get(st, COUNTS + other))
    put(st, COUNTS + t, get(st, COUNTS + t) + 1)


@apart
def settle(st: int) -> None:
    """Count the pairs of the records that held the same as the last one."""
    times = get(st, REPEATS)
    for i in range(get(st, LAST_LISTED)):
        row = PAIRS + 64 * get(st, LAST_LIST + i)
        put(st, row, get(st, row) + get(st, LAST_NAMES))
        for j in range(i):
            other = row + get(st, LAST_LIST + j)
            put(st, other, get(st, other) + times)
    put(st, REPEATS, 0)
    put(st, LAST_NAMES, 0)


@inner
def close_list(st: int, names: int) -> None:
    """Count the pairs of a record: most hold candidates of the same shapes as the one before."""
    k = get(st, LISTED)
    total = get(st, LIST_SUM)
    put(st, LISTED, 0)
    put(st, LIST_SUM, 0)
    if k != get(st, LAST_LISTED) or total != get(st, LAST_SUM) or k > SUMMED:
        close_other(st, names, k, total)
        return
    put(st, REPEATS, get(st, REPEATS) + 1)
    put(st, LAST_NAMES, get(st, LAST_NAMES) + names)


@apart
def close_other(st: int, names: int, k: int, total: int) -> None:
    """Count the pairs of a record that holds other candidates than the one before, or many."""
    if k > LIST_SIZE:
        for t in range(1, get(st, ACTIVE) + 1):
            put(st, PAIRS + 64 * t, get(st, PAIRS + 64 * t) + names * get(st, COUNTS + t))
            put(st, COUNTS + t, 0)
        return
    settle(st)
    put(st, LAST_LISTED, k)
    put(st, LAST_SUM, total)
    for i in range(k):
        put(st, LAST_LIST + i, get(st, LIST + i))
    put(st, REPEATS, 1)
    put(st, LAST_NAMES, names)
