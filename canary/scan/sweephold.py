"""What the kernel's parts share: candidates are held, keyed and looked up by the hundred; pairs of them are counted.

Modules named sweep… hold compiled code and are imported where numba is installed: `st` is the address of the
kernel's numbers, `tb` that of its bytes and `s` that of a text. Arrays would be counted at every call.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from canary.blocks import lower_to, upper_to
from canary.native import apart, inner
from canary.operations import (
    byte,
    cipher,
    cipher_one,
    cipher_two,
    get,
    load64,
    prefetch,
    put,
    put_byte,
    trailing,
)
from canary.scan.sweepwork import (
    ACTIVE,
    APART,
    BLOCK_NUMBER,
    BLOOM,
    BLOOM_MASK,
    CAPACITY,
    COUNTS,
    EMAIL,
    FAILED,
    HARD,
    HARDS,
    HASHES,
    HELD,
    IDS,
    ISSUED,
    KEY,
    KEYS,
    KINDS_OF,
    LAST_LIST,
    LAST_LISTED,
    LAST_NAMES,
    LAST_SUM,
    LIST,
    LIST_SIZE,
    LIST_SUM,
    LISTED,
    LONG_VALUE,
    META,
    MOST_HARD,
    MOST_OUT,
    MOST_PLACES,
    MOST_SHAPES,
    ODD_NOTED,
    ODDS,
    OUT,
    OUTS,
    PACK_NOTED,
    PACKS,
    PAIRS,
    PER_SHAPE,
    PLACED,
    PLACES,
    PLACING,
    REGISTERS,
    REPEATS,
    RING,
    RING_FIRST,
    RING_LAST,
    RINGS,
    SLOT,
    SLOTS,
    STATE,
    SUMS,
)  # fmt: skip
from canary.scan.vectors import one_block, two_blocks

WINDOW = 3200  # bytes: more than twice the reach of a record in prose, however long its characters are
NAMED = WINDOW // 64
SUMMED = 10  # candidates of a record whose numbers fit into one
WHERE = (1 << 32) - 1


@inner
def harden(st: int, start: int, end: int) -> None:
    """Note a stretch that is read otherwise; one that begins right behind the last belongs to it."""
    n = get(st, HARD)
    if n > 0 and get(st, HARDS + 2 * (n - 1)) <= start <= get(st, HARDS + 2 * (n - 1) + 1) + 64:
        put(st, HARDS + 2 * (n - 1) + 1, max(get(st, HARDS + 2 * (n - 1) + 1), end))
        return
    if n >= MOST_HARD:
        put(st, FAILED, 1)
        return
    put(st, HARDS + 2 * n, start)
    put(st, HARDS + 2 * n + 1, end)
    put(st, HARD, n + 1)


@inner
def note_odd(st: int, start: int, end: int) -> None:
    """Note what may be another spelling; what begins not far behind the last belongs to it."""
    n = get(st, ODD_NOTED)
    if n > 0 and get(st, ODDS + 2 * (n - 1)) <= start <= get(st, ODDS + 2 * (n - 1) + 1) + 256:
        put(st, ODDS + 2 * (n - 1) + 1, max(get(st, ODDS + 2 * (n - 1) + 1), end))
        return
    if n >= MOST_HARD:
        put(st, FAILED, 1)
        return
    put(st, ODDS + 2 * n, start)
    put(st, ODDS + 2 * n + 1, end)
    put(st, ODD_NOTED, n + 1)


@inner
def note_packed(st: int, start: int, end: int) -> None:
    """Note what may be base64 of a text."""
    n = get(st, PACK_NOTED)
    if n >= MOST_HARD:
        put(st, FAILED, 1)
        return
    put(st, PACKS + 2 * n, start)
    put(st, PACKS + 2 * n + 1, end)
    put(st, PACK_NOTED, n + 1)


@inner
def register(tb: int, shape: int, h: Any) -> None:
    """Note a candidate among the distinct ones of its shape (HyperLogLog)."""
    at = np.int64(h >> np.uint64(52))
    rank = trailing(h | np.uint64(1 << 51)) + 1
    if byte(tb, REGISTERS + shape * PER_SHAPE + at) < rank:
        put_byte(tb, REGISTERS + shape * PER_SHAPE + at, rank)


@apart
def give(st: int, h: Any, start: int, end: int, form: int) -> None:
    """Write what the index may know."""
    n = get(st, OUT)
    if n >= MOST_OUT:
        put(st, FAILED, 1)
        return
    put(st, OUTS + 4 * n, np.int64(h))
    put(st, OUTS + 4 * n + 1, start)
    put(st, OUTS + 4 * n + 2, end)
    put(st, OUTS + 4 * n + 3, form)
    put(st, OUT, n + 1)


@inner
def chained(st: int, at: int, size: int, keys: int, sub: int) -> Any:
    """Key a value of more than two blocks (CMAC, RFC 4493)."""
    state = st + 8 * STATE
    put(st, STATE, 0)
    put(st, STATE + 1, 0)
    blocks = size + 15 >> 4
    for block in range(blocks - 1):
        cipher(state, at + 16 * block, keys)
    put(st, STATE, get(st, STATE) ^ np.int64(load64(sub)))
    put(st, STATE + 1, get(st, STATE + 1) ^ np.int64(load64(sub + 8)))
    return cipher(state, at + 16 * (blocks - 1), keys)


@inner
def prepare(st: int, tb: int, at: int, size: int, form: int, slot: int) -> None:
    """Write what is encrypted to key a value that stands at an address but for its case; of a long one its key."""
    keys = tb + KEYS + KEY * form
    sub = keys + (192 if size & 15 else 176)
    small = 65 if form == EMAIL else 97
    if size <= 16:
        one_block(at, small, size, sub, slot)
    elif size <= 32:
        two_blocks(at, small, size, sub, slot)
    else:
        if form == EMAIL:
            lower_to(at, tb + LONG_VALUE, size)
        else:
            upper_to(at, tb + LONG_VALUE, size)
            if size == 64:
                put_byte(tb, LONG_VALUE + 64, 128)
        put(slot, 0, np.int64(chained(st, tb + LONG_VALUE, size, keys, sub)))


@inner
def key_held(tb: int, about: int, slot: int) -> Any:
    """Key what was prepared."""
    keys = tb + KEYS + KEY * (about & 255)
    size = about >> 16
    if size <= 16:
        return cipher_one(slot, keys)
    if size <= 32:
        return cipher_two(slot, keys)
    return np.uint64(get(slot, 0))


@apart
def flush(st: int, tb: int) -> None:
    """Key what is held, many at once, and give what the Bloom filter does not turn away."""
    bloom = get(st, BLOOM)
    mask = np.uint64(get(st, BLOOM_MASK))
    for k in range(get(st, HELD)):
        h = key_held(tb, get(st, META + 2 * k), tb + SLOTS + SLOT * k)
        put(st, HASHES + k, np.int64(h))
        prefetch(bloom + 8 * np.int64(h >> np.uint64(24) & mask))
    low = np.uint64(63)
    one = np.uint64(1)
    for k in range(get(st, HELD)):
        h = np.uint64(get(st, HASHES + k))
        word = load64(bloom + 8 * np.int64(h >> np.uint64(24) & mask))
        bits = one << (h & low) | one << (h >> np.uint64(6) & low)
        bits |= one << (h >> np.uint64(12) & low) | one << (h >> np.uint64(18) & low)
        about = get(st, META + 2 * k)
        register(tb, about >> 8 & 255, h)
        if word & bits == bits:
            where = get(st, META + 2 * k + 1)
            give(st, h, where & WHERE, where >> 32, about & 255)
    put(st, HELD, 0)


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


@inner
def hold(st: int, tb: int, address: int, size: int, form: int, shape: int, start: int, end: int) -> None:
    """Hold a candidate until it is keyed and looked up: its canonical value is at an address but for its case.

    One of a shape that no canary has can be none: it is neither keyed nor counted. A bound asks for the candidates
    of the shapes of what was found alone, and those were issued.
    """
    if byte(tb, ISSUED + shape):
        keep(st, tb, address, form | shape << 8 | size << 16, start | end << 32)


@apart
def keep(st: int, tb: int, address: int, about: int, where: int) -> None:
    """Keep a candidate as it is keyed; many are keyed at once, which the processor does side by side."""
    if get(st, HELD) >= CAPACITY:
        flush(st, tb)
    k = get(st, HELD)
    prepare(st, tb, address, about >> 16, about & 255, tb + SLOTS + SLOT * k)
    put(st, META + 2 * k, about)
    put(st, META + 2 * k + 1, where)
    put(st, HELD, k + 1)
    pair(st, about >> 8 & 255, where & WHERE)
