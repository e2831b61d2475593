"""Digests of whole columns by compiled code: SipHash-2-4 of each value, and whether it is canonical as it stands.

Compiled code alone imports it. It reads eight bytes at a time, and tells of all eight at once what they are.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from canary.native import apart, inner
from canary.operations import byte, get, load64, put, put_byte

# The numbers that it is given: COUNT values of DATA, SIZE bytes in all, end at ENDS (64 bits each, with where the
# first begins). DIGESTS and STATES are written.
DATA, ENDS, COUNT, SIZE, KIND, KEY, DIGESTS, STATES, NUMBERS = range(9)
CODE, PHONE, ANY = range(3)  # what a value is to be: capitals and digits, digits of a phone, anything
EMPTY, GOOD, UNSURE = range(3)  # its state: nothing there, canonical as it stands, or for others to tell
MOST: Final = 64  # bytes of a code

START0: Final = np.uint64(0x736F6D6570736575)
START1: Final = np.uint64(0x646F72616E646F6D)
START2: Final = np.uint64(0x6C7967656E657261)
START3: Final = np.uint64(0x7465646279746573)
TOPS: Final = np.uint64(0x8080808080808080)
ZEROS: Final = np.uint64(0x3030303030303030)
# Added to a byte below 128, each sets its top bit from a sign on: 0, behind 9, A, behind Z.
FROM_0: Final = np.uint64(0x5050505050505050)
BEHIND_9: Final = np.uint64(0x4646464646464646)
FROM_A: Final = np.uint64(0x3F3F3F3F3F3F3F3F)
BEHIND_Z: Final = np.uint64(0x2525252525252525)
ONE: Final = np.uint64(1)


@inner
def turned(word: Any, by: int) -> Any:
    """Rotate a word to the left."""
    return (word << np.uint64(by)) | (word >> np.uint64(64 - by))


@inner
def mixed(v0: Any, v1: Any, v2: Any, v3: Any) -> tuple[Any, Any, Any, Any]:
    """Do one round of SipHash."""
    v0 = v0 + v1
    v1 = turned(v1, 13) ^ v0
    v0 = turned(v0, 32)
    v2 = v2 + v3
    v3 = turned(v3, 16) ^ v2
    v0 = v0 + v3
    v3 = turned(v3, 21) ^ v0
    v2 = v2 + v1
    v1 = turned(v1, 17) ^ v2
    v2 = turned(v2, 32)
    return v0, v1, v2, v3


@inner
def word_at(data: int, at: int, left: int, size: int) -> Any:
    """Give the next bytes of a value, at most eight, with zeros behind them."""
    if at + 8 <= size:
        word = load64(data + at)
        return word if left >= 8 else word & ((ONE << np.uint64(8 * left)) - ONE)
    word = np.uint64(0)
    for number in range(min(left, 8)):
        word |= np.uint64(byte(data, at + number)) << np.uint64(8 * number)
    return word


@inner
def digits_in(word: Any) -> Any:
    """Mark the bytes that are digits, by their top bits; of bytes above 127 it may say anything."""
    return (word + FROM_0) & ~(word + BEHIND_9) & TOPS


@inner
def capitals_in(word: Any) -> Any:
    """Mark the bytes that are capital letters, as `digits_in` does."""
    return (word + FROM_A) & ~(word + BEHIND_Z) & TOPS


@inner
def is_good(word: Any, kind: int) -> bool:
    """Tell whether all of eight bytes may stand in a canonical value of the kind."""
    if kind == ANY:
        return True
    found = digits_in(word)
    if kind == CODE:
        found |= capitals_in(word)
    return bool(word & TOPS == np.uint64(0) and found == TOPS)


@inner
def fits(data: int, begin: int, size: int, kind: int, digits: Any) -> bool:
    """Tell whether a value of the right signs is one whose canonical form is plain to see."""
    if kind == CODE:
        return bool(digits != np.uint64(0) and size <= MOST)
    if kind == PHONE:  # 00 and 0 may be a prefix, so may 86
        first = byte(data, begin)
        return bool(5 <= size <= 15 and first != 48 and (first != 56 or byte(data, begin + 1) != 54))
    return True


@apart
def digest_column(st: int) -> None:
    """Digest every value of a column, and tell which are canonical."""
    data = get(st, DATA)
    ends = get(st, ENDS)
    whole = get(st, SIZE)
    kind = get(st, KIND)
    key0 = np.uint64(get(get(st, KEY), 0))
    key1 = np.uint64(get(get(st, KEY), 1))
    begin = get(ends, 0)
    for number in range(get(st, COUNT)):
        end = get(ends, number + 1)
        v0 = key0 ^ START0
        v1 = key1 ^ START1
        v2 = key0 ^ START2
        v3 = key1 ^ START3
        good = True
        digits = np.uint64(0)
        at = begin
        while at + 8 <= end:
            word = word_at(data, at, 8, whole)
            good = good and is_good(word, kind)
            digits |= digits_in(word)
            v3 ^= word
            v0, v1, v2, v3 = mixed(v0, v1, v2, v3)
            v0, v1, v2, v3 = mixed(v0, v1, v2, v3)
            v0 ^= word
            at += 8
        word = word_at(data, at, end - at, whole)
        behind = np.uint64(8 * (end - at))
        digits |= digits_in(word)
        good = good and is_good(word | ZEROS << behind, kind)
        word |= np.uint64((end - begin) & 255) << np.uint64(56)
        v3 ^= word
        v0, v1, v2, v3 = mixed(v0, v1, v2, v3)
        v0, v1, v2, v3 = mixed(v0, v1, v2, v3)
        v0 ^= word
        v2 ^= np.uint64(255)
        for _ in range(4):
            v0, v1, v2, v3 = mixed(v0, v1, v2, v3)
        put(get(st, DIGESTS), number, np.int64(v0 ^ v1 ^ v2 ^ v3))
        state = GOOD if good and fits(data, begin, end - begin, kind, digits) else UNSURE
        put_byte(get(st, STATES), number, EMPTY if begin == end else state)
        begin = end
