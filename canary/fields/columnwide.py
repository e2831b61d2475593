"""Scan keys of whole columns by compiled code: each text is made canonical and keyed where it lies.

Compiled code alone imports it.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from canary.blocks import BLOCK, lower_to, plain_code, plain_mail, upper_to
from canary.native import apart, inner
from canary.operations import byte, cipher, get, place, put, put_byte

# The numbers that it is given: addresses first. COUNT texts end at ENDS (32 bits each, with where the first begins);
# TABLE tells what each byte becomes; KEYS are the round keys, then the sub-keys for a last block that is full or cut.
DATA, ENDS, COUNT, TABLE, KEYS, TAGS, ODD, SLOT, ROOM, GUARDED, SIZE, FOUND, NUMBERS = range(13)
DROPPED: Final = 1  # stands in the table for a byte that is left out
MARK: Final = 128  # is set in the table for a mark that may not stand at either end
WHOLE: Final = 176
CUT: Final = 192


@apart
def key_of(slot: int, size: int, keys: int) -> Any:
    """Key a text of the slot (CMAC, RFC 4493); 16 bytes for the state stand before it, room for padding behind it."""
    state = slot - 16
    sub = keys + WHOLE
    if size & 15 or size == 0:
        sub = keys + CUT
        put(slot + size, 0, 0)
        put(slot + size, 1, 0)
        put_byte(slot, size, 0x80)
        size = (size | 15) + 1
    put(state, 0, 0)
    put(state, 1, 0)
    for block in range((size >> 4) - 1):
        cipher(state, slot + 16 * block, keys)
    put(state, 0, get(state, 0) ^ get(sub, 0))
    put(state, 1, get(state, 1) ^ get(sub, 1))
    return cipher(state, slot + size - 16, keys)


@inner
def spelt(st: int, begin: int, end: int) -> int:
    """Write a text to the slot as its canonical form, byte by byte; gives its size, -1 where it is not plain."""
    data = get(st, DATA)
    table = get(st, TABLE)
    slot = get(st, SLOT)
    guarded = get(st, GUARDED)
    size = 0
    if end - begin > get(st, ROOM):
        return -1
    for at in range(begin, end):
        written = byte(table, byte(data, at))
        if written == DROPPED:
            continue
        if written == 0 or (written & guarded and (at == begin or at == end - 1)):
            return -1
        put_byte(slot, size, written & 127)
        size += 1
    return size


@inner
def is_plain(st: int, begin: int, size: int) -> bool:
    """Tell whether a text of up to 64 bytes, with as many behind its begin, is plain and nothing of it is dropped."""
    at = get(st, DATA) + begin
    all_of_it = ~np.uint64(0) >> np.uint64(64 - size)
    if get(st, GUARDED) == 0:
        return bool(plain_code(at) & all_of_it == all_of_it)
    table = get(st, TABLE)
    if byte(table, byte(at, 0)) & MARK or byte(table, byte(at, size - 1)) & MARK:
        return False
    return bool(plain_mail(at) & all_of_it == all_of_it)


@apart
def key_column(st: int) -> None:
    """Key all texts of a column, but those with a byte that is not plain: their numbers are listed."""
    ends = get(st, ENDS)
    slot = get(st, SLOT)
    found = 0
    begin = place(ends, 0)
    for number in range(get(st, COUNT)):
        end = place(ends, number + 1)
        size = end - begin
        if 0 < size <= BLOCK and begin + BLOCK <= get(st, SIZE) and is_plain(st, begin, size):
            if get(st, GUARDED) == 0:
                upper_to(get(st, DATA) + begin, slot, size)
            else:
                lower_to(get(st, DATA) + begin, slot, size)
        else:
            size = spelt(st, begin, end)
        if size < 0:
            put(get(st, ODD), found, number)
            found += 1
        else:
            put(get(st, TAGS), number, np.int64(key_of(slot, size, get(st, KEYS))))
        begin = end
    put(st, FOUND, found)
