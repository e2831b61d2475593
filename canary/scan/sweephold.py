"""What the kernel's parts share: candidates are held, keyed and looked up by the hundred.

Modules named sweep… hold compiled code and are imported where numba is installed: `st` is the address of the
kernel's numbers, `tb` that of its bytes and `s` that of a text. Arrays would be counted at every call.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from canary.blocks import lower_to, one_block, two_blocks, upper_to
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
from canary.scan.sweeppairs import pair
from canary.scan.sweepwork import (
    BLOOM,
    BLOOM_SHIFT,
    CAPACITY,
    EMAIL,
    FAILED,
    HARD,
    HARDS,
    HASHES,
    HELD,
    ISSUED,
    KEY,
    KEYS,
    KNOWN,
    KNOWN_SIZE,
    LONG_VALUE,
    META,
    MOST_HARD,
    MOST_OUT,
    NEWER,
    NEWER_SIZE,
    ODD_NOTED,
    ODDS,
    OUT,
    OUTS,
    PACK_NOTED,
    PACKS,
    PER_SHAPE,
    REGISTERS,
    SLOT,
    SLOTS,
    STATE,
)  # fmt: skip

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


@inner
def holds(keys: int, size: int, key: int) -> bool:
    """Tell whether a key is among sorted ones."""
    low = 0
    high = size
    while low < high:
        middle = low + high >> 1
        if get(keys, middle) < key:
            low = middle + 1
        else:
            high = middle
    return low < size and get(keys, low) == key


@apart
def is_known(st: int, key: int) -> bool:
    """Tell whether the index knows a key, or may know it where it has shown none."""
    if get(st, KNOWN) == 0:
        return True
    return holds(get(st, KNOWN), get(st, KNOWN_SIZE), key) or holds(get(st, NEWER), get(st, NEWER_SIZE), key)


@apart
def flush(st: int, tb: int) -> None:
    """Key what is held, many at once, and give what is among the keys of the index."""
    bloom = get(st, BLOOM)
    shift = np.uint64(get(st, BLOOM_SHIFT))
    for k in range(get(st, HELD)):
        h = key_held(tb, get(st, META + 2 * k), tb + SLOTS + SLOT * k)
        put(st, HASHES + k, np.int64(h))
        prefetch(bloom + 8 * np.int64(h >> shift))
    low = np.uint64(63)
    one = np.uint64(1)
    for k in range(get(st, HELD)):
        h = np.uint64(get(st, HASHES + k))
        word = load64(bloom + 8 * np.int64(h >> shift))
        bits = one << (h & low) | one << (h >> np.uint64(6) & low)
        bits |= one << (h >> np.uint64(12) & low) | one << (h >> np.uint64(18) & low)
        about = get(st, META + 2 * k)
        register(tb, about >> 8 & 255, h)
        if word & bits == bits and is_known(st, int(np.int64(h))):
            where = get(st, META + 2 * k + 1)
            give(st, h, where & WHERE, where >> 32, about & 255)
    put(st, HELD, 0)


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
