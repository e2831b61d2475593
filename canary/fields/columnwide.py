"""Keys, hashes and numbers of whole columns by compiled code, each text read where it lies; it alone imports this.

The texts are given as `Spans.numbers` tells them. A text that begins with the quote is left to others.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from canary.blocks import BLOCK, one_block, plain_code, plain_mail, two_blocks
from canary.native import apart, inner
from canary.operations import (
    byte,
    cipher,
    cipher_one,
    cipher_two,
    get,
    load64,
    place,
    prefetch,
    put,
    put_byte,
)

# The numbers that every one of them is given first: where the texts are.
DATA, SIZE, PLACES, STEP, COUNT, QUOTE, OWN = range(7)
# Keying: TABLE tells what each byte becomes; KEYS are the round keys, then the sub-keys for a last block that is
# full or cut; SLOT is room for a text of ROOM bytes; GUARDED is the bit of marks that may not stand at either end.
TABLE, KEYS, TAGS, ODD, SLOT, ROOM, GUARDED, FOUND, KEYING = range(OWN, OWN + 9)
SHORT: Final = 32  # bytes of the texts that are keyed in registers
AHEAD: Final = 12  # texts that are asked for before their turn
DROPPED: Final = 1  # stands in the table for a byte that is left out
MARK: Final = 128  # is set in the table for a mark that may not stand at either end
WHOLE: Final = 176
CUT: Final = 192
# Hashing: HASHES are given, and the numbers of the rows that were left out.
HASHES, LEFT, LEFT_OUT, HASHING = range(OWN, OWN + 4)
ONE: Final = np.uint64(0x9E3779B97F4A7C15)
TWO: Final = np.uint64(0xD6E8FEB86659FD93)
# Reading numbers: HEAD and TAIL stand around WIDTH digits (0: up to 18) and SKIP bytes that are not looked at; BAD
# tells that a text is none of these.
HEAD, HEAD_SIZE, TAIL, TAIL_SIZE, WIDTH, SKIP, OUT, BAD, READING = range(OWN, OWN + 9)
MOST_DIGITS: Final = 18
# Reading times: SIGNS are the marks between the numbers of LENGTH letters, DAYS those before each month.
SIGNS, LENGTH, DAYS, SECONDS, WRONG, TIMING = range(OWN, OWN + 6)


@inner
def begin_of(st: int, number: int) -> int:
    """Give where a text begins."""
    begin: int = get(st, DATA) + place(get(st, PLACES), get(st, STEP) * number)
    return begin


@inner
def come_to(st: int, number: int) -> int:
    """Give where a text begins, and ask for one that comes later: they lie too far apart to be foreseen."""
    if number + AHEAD < get(st, COUNT):
        prefetch(begin_of(st, number + AHEAD))
    return begin_of(st, number)


@inner
def size_of(st: int, number: int) -> int:
    """Give the bytes of a text."""
    at = get(st, STEP) * number
    size: int = place(get(st, PLACES), at + 1) - place(get(st, PLACES), at)
    return size


@inner
def is_quoted(st: int, begin: int, size: int) -> bool:
    """Tell whether a text is spelt otherwise than it lies there."""
    return size > 0 and byte(begin, 0) == get(st, QUOTE)


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
def spelt(st: int, begin: int, size: int) -> int:
    """Write a text to the slot as its canonical form, byte by byte; gives its size, -1 where it is not plain."""
    table = get(st, TABLE)
    slot = get(st, SLOT)
    guarded = get(st, GUARDED)
    written = 0
    if size > get(st, ROOM):
        return -1
    for at in range(size):
        sign = byte(table, byte(begin, at))
        if sign == DROPPED:
            continue
        if sign == 0 or (sign & guarded and (at == 0 or at == size - 1)):
            return -1
        put_byte(slot, written, sign & 127)
        written += 1
    return written


@inner
def is_plain(st: int, begin: int, size: int) -> bool:
    """Tell whether a text of up to 64 bytes, with as many behind its begin, is plain and nothing of it is dropped."""
    all_of_it = ~np.uint64(0) >> np.uint64(64 - size)
    if get(st, GUARDED) == 0:
        return bool(plain_code(begin) & all_of_it == all_of_it)
    table = get(st, TABLE)
    if byte(table, byte(begin, 0)) & MARK or byte(table, byte(begin, size - 1)) & MARK:
        return False
    return bool(plain_mail(begin) & all_of_it == all_of_it)


@inner
def key_plain(st: int, begin: int, size: int) -> Any:
    """Key a plain text of one or two blocks as it is read: written out first, it would be waited for."""
    small = 97 if get(st, GUARDED) == 0 else 65  # the first letter that is turned: codes are upper case
    keys = get(st, KEYS)
    sub = keys + (CUT if size & 15 else WHOLE)
    if size <= 16:
        one_block(begin, small, size, sub, get(st, SLOT))
        return cipher_one(get(st, SLOT), keys)
    two_blocks(begin, small, size, sub, get(st, SLOT))
    return cipher_two(get(st, SLOT), keys)


@apart
def key_column(st: int) -> None:
    """Key all texts of a column, but those with a byte that is not plain: their numbers are listed."""
    slot = get(st, SLOT)
    last = get(st, DATA) + get(st, SIZE) - BLOCK
    found = 0
    for number in range(get(st, COUNT)):
        begin = come_to(st, number)
        size = size_of(st, number)
        quoted = is_quoted(st, begin, size)
        if not quoted and 0 < size <= SHORT and begin <= last and is_plain(st, begin, size):
            put(get(st, TAGS), number, np.int64(key_plain(st, begin, size)))
            continue
        size = -1 if quoted else spelt(st, begin, size)
        if size < 0:
            put(get(st, ODD), found, number)
            found += 1
        else:
            put(get(st, TAGS), number, np.int64(key_of(slot, size, get(st, KEYS))))
    put(st, FOUND, found)


@inner
def last_word(begin: int, at: int, size: int, end: int) -> Any:
    """Read the last up to seven bytes of a text from `at` on, zeros behind them; nothing is read from `end` on."""
    if begin + at + 8 <= end:
        return load64(begin + at) & ~(~np.uint64(0) << np.uint64(8 * (size - at)))
    word = np.uint64(0)
    for step in range(size - at):
        word |= np.uint64(byte(begin, at + step)) << np.uint64(8 * step)
    return word


@apart
def hash_column(st: int) -> None:
    """Hash all texts of a column, for comparing alone: a multiplication for every eight bytes."""
    end = get(st, DATA) + get(st, SIZE)
    left = 0
    for number in range(get(st, COUNT)):
        begin = come_to(st, number)
        size = size_of(st, number)
        if is_quoted(st, begin, size):
            put(get(st, LEFT), left, number)
            left += 1
            continue
        found = np.uint64(size) * TWO
        at = 0
        while at + 8 <= size:
            found = (found ^ load64(begin + at)) * ONE
            found ^= found >> np.uint64(32)
            at += 8
        if at < size:
            found = (found ^ last_word(begin, at, size, end)) * ONE
            found ^= found >> np.uint64(32)
        found *= TWO
        put(get(st, HASHES), number, np.int64(found ^ found >> np.uint64(29)))
    put(st, LEFT_OUT, left)


@inner
def stands(text: int, literal: int, size: int) -> bool:
    """Tell whether a literal stands at an address."""
    same = True
    for at in range(size):
        same &= byte(text, at) == byte(literal, at)
    return same


@inner
def digits_of(begin: int, at: int, count: int) -> int:
    """Read some digits, -1 where they are none."""
    value = 0
    fits = True
    for step in range(count):
        digit = byte(begin, at + step) - 48
        fits &= digit >= 0 and digit <= 9
        value = 10 * value + digit
    return value if fits else -1


@inner
def are_digits(word: Any) -> bool:
    """Tell whether eight bytes are digits all of them."""
    upper = np.uint64(0xF0F0F0F0F0F0F0F0)
    zeros = np.uint64(0x3030303030303030)
    return bool(word & upper == zeros and word + np.uint64(0x0606060606060606) & upper == zeros)


@inner
def eight(word: Any) -> Any:
    """Read eight digits, the first of them in the lowest byte: pairs, then fours, then all."""
    word -= np.uint64(0x3030303030303030)
    word = word * np.uint64(10) + (word >> np.uint64(8)) & np.uint64(0x00FF00FF00FF00FF)
    word = word * np.uint64(100) + (word >> np.uint64(16)) & np.uint64(0x0000FFFF0000FFFF)
    return word * np.uint64(10_000) + (word >> np.uint64(32)) & np.uint64(0xFFFFFFFF)


@apart
def read_column(st: int) -> None:
    """Read texts that are digits between a head and a tail."""
    head = get(st, HEAD_SIZE)
    tail = get(st, TAIL_SIZE)
    behind = tail + get(st, SKIP)
    width = get(st, WIDTH)
    out = get(st, OUT)
    put(st, BAD, 1)
    for number in range(get(st, COUNT)):
        begin = come_to(st, number)
        size = size_of(st, number)
        digits = size - head - behind
        if digits < 1 or digits > MOST_DIGITS or (width and digits != width):
            return
        if not stands(begin, get(st, HEAD), head):
            return
        if not stands(begin + size - tail, get(st, TAIL), tail):
            return
        at = head + (digits & 7)
        value = digits_of(begin, head, digits & 7)
        fits = value >= 0
        while at < size - behind:
            word = load64(begin + at)
            fits &= are_digits(word)
            value = 100_000_000 * value + int(np.int64(eight(word)))
            at += 8
        if not fits:
            return
        put(out, number, value)
    put(st, BAD, 0)


@apart
def day_of(begin: int, days: int) -> int:
    """Read year, month and day as days since 1970; a large negative number where there is no such day."""
    year = digits_of(begin, 0, 4)
    month = digits_of(begin, 5, 2)
    day = digits_of(begin, 8, 2)
    if year < 1 or month < 1 or month > 12 or day < 1:
        return -(1 << 40)
    century = year * 5243 >> 19  # year / 100, for years of four digits
    leap = year & 3 == 0 and (year != 100 * century or century & 3 == 0)
    most = get(days, month) - get(days, month - 1)
    if day > most + (leap and month == 2):
        return -(1 << 40)
    before = year - 1
    century = before * 5243 >> 19
    known = 365 * before + (before >> 2) - century + (century >> 2) - 719162
    day += get(days, month - 1) + (leap and month > 2) - 1
    return int(known + day)


@apart
def time_column(st: int) -> None:
    """Read texts that are a date, with hours and minutes, with seconds, as seconds since 1970."""
    length = get(st, LENGTH)
    signs = get(st, SIGNS)
    out = get(st, SECONDS)
    known = 0
    day = 0
    put(st, WRONG, 1)
    for number in range(get(st, COUNT)):
        begin = come_to(st, number)
        if size_of(st, number) != length:
            return
        if byte(begin, 4) != byte(signs, 0) or byte(begin, 7) != byte(signs, 1):
            return
        if known == 0 or load64(begin) != load64(known) or load64(begin + 2) != load64(known + 2):
            day = day_of(begin, get(st, DAYS))
            known = begin
        value = 86400 * day
        if value < -(1 << 40):
            return
        if length > 10:
            hour = digits_of(begin, 11, 2)
            minute = digits_of(begin, 14, 2)
            if byte(begin, 10) != byte(signs, 2) or byte(begin, 13) != byte(signs, 3):
                return
            if hour < 0 or hour > 23 or minute < 0 or minute > 59:
                return
            value += 3600 * hour + 60 * minute
        if length > 16:
            second = digits_of(begin, 17, 2)
            if byte(begin, 16) != byte(signs, 4) or second < 0 or second > 59:
                return
            value += second
        put(out, number, value)
    put(st, WRONG, 0)
