"""The kernel's other signs: Chinese numerals, and words for '@' and '.'."""

from __future__ import annotations

import numpy as np

from canary.native import apart, inner
from canary.operations import byte, leading, place, put_byte, put_place
from canary.scan.signs import NUMERAL
from canary.scan.sweepescapes import space_at
from canary.scan.sweepnumbers import char_at
from canary.scan.sweepwords import is_digit, is_letter
from canary.scan.sweepwork import CLASSES, FOLDED, FOLDS


@inner
def is_sign(c: int) -> bool:
    """Tell whether a byte is a letter or a digit of ASCII."""
    return is_digit(c) or is_letter(c)


@inner
def folded(tb: int, code: int, d: int, o: int) -> int:
    """Write what a wide character or a numeral stands for."""
    text: int = place(tb + FOLDS, min(code, FOLDED - 1))
    put_place(d + o, 0, text)
    return int(o + (71 - leading(np.uint64(text)) >> 3))


@apart
def numerals_at(tb: int, s: int, i: int, n: int, d: int, o: int) -> tuple[int, int]:
    """Decode five Chinese numerals or more, digits and single marks among them."""
    code, size = char_at(s, i)
    if byte(tb, CLASSES + code) != NUMERAL:
        return (i, o)
    e = i + size
    m = folded(tb, code, d, o)
    count = 0
    while True:
        j = e
        mark = 0
        if byte(s, j) == 32 or byte(s, j) == 45:
            mark = 1
        elif byte(s, j) == 0xC2 and byte(s, j + 1) == 0xB7:
            mark = 2
        j += mark
        if j >= n:
            break
        code = byte(s, j)
        size = 1
        if code >= 128:
            code, size = char_at(s, j)
        if not is_digit(code) and byte(tb, CLASSES + code) != NUMERAL:
            break
        for k in range(mark):
            put_byte(d, m, byte(s, e + k))
            m += 1
        if size == 1:
            put_byte(d, m, code)
            m += 1
        else:
            m = folded(tb, code, d, m)
        e = j + size
        count += 1
    if count < 4:
        return (i, o)
    return (e, m)


@inner
def spaces_end(s: int, i: int, n: int) -> int:
    """Give where up to four white spaces end that stand here."""
    for _ in range(4):
        size = space_at(s, i)
        if size == 0 or i >= n:
            return i
        i += size
    return i


@inner
def opened_at(s: int, i: int) -> int:
    """Give the size of the bracket that opens here, 0 where there is none."""
    c = byte(s, i)
    if c in (40, 91, 123, 60):
        return 1
    if c == 0xEF and byte(s, i + 1) == 0xBC and byte(s, i + 2) == 0x88:
        return 3
    return 3 if c == 0xE3 and byte(s, i + 1) == 0x80 and byte(s, i + 2) == 0x90 else 0


@inner
def closed_at(s: int, i: int) -> int:
    """Give the size of the bracket that closes here, 0 where there is none."""
    c = byte(s, i)
    if c in (41, 93, 125, 62):
        return 1
    if c == 0xEF and byte(s, i + 1) == 0xBC and byte(s, i + 2) == 0x89:
        return 3
    return 3 if c == 0xE3 and byte(s, i + 1) == 0x80 and byte(s, i + 2) == 0x91 else 0


@inner
def word_at(s: int, i: int, bracketed: bool) -> tuple[int, int]:
    """Tell the word for '@' or '.' that stands here: what it stands for (0: there is none), and its size."""
    c = byte(s, i)
    d = byte(s, i + 1) | 32
    if c == 64:
        return (64, 1)
    if c == 46:
        return (46, 1)
    if c | 32 == 97 and d == 116:
        return (64, 2)
    if c | 32 == 100 and d == 111 and byte(s, i + 2) | 32 == 116:
        return (46, 3)
    if bracketed and c >= 128:
        code, size = char_at(s, i)
        if code == 0x70B9:
            return (46, size)
        if code == 0x5708 and byte(s, i + 3) | 32 == 97:
            return (64, 4)
        if code == 0x827E and char_at(s, i + 3)[0] == 0x7279:
            return (64, 6)
    return (0, 0)


@apart
def at_dot_at(s: int, i: int, n: int, d: int, o: int) -> tuple[int, int]:
    """Decode '@' or '.' written as a word, in brackets or between blanks."""
    a = spaces_end(s, i, n)
    opened = opened_at(s, a)
    if opened:
        j = spaces_end(s, a + opened, n)
        sign, size = word_at(s, j, True)
        j = spaces_end(s, j + size, n)
        closed = closed_at(s, j)
        if sign and closed and j < n:
            put_byte(d, o, sign)
            return (spaces_end(s, j + closed, n), o + 1)
    if i == 0 or not is_sign(byte(s, i - 1)):
        return (i, o)
    c = byte(s, i)
    if c == 95 or c == 45:
        e = i + 4
        whole = byte(s, i + 1) | 32 == 97 and byte(s, i + 2) | 32 == 116
        if whole and (byte(s, i + 3) == 95 or byte(s, i + 3) == 45) and e < n and is_sign(byte(s, e)):
            put_byte(d, o, 64)
            return (e, o + 1)
        return (i, o)
    sign, size = word_at(s, a, False)
    e = spaces_end(s, a + size, n)
    if sign and a > i and e > a + size and e < n and is_sign(byte(s, e)):
        put_byte(d, o, sign)
        return (e, o + 1)
    if sign == 64 and size == 1:
        return close_at(s, i, n, d, o)
    return (i, o)


@inner
def close_at(s: int, i: int, n: int, d: int, o: int) -> tuple[int, int]:
    """Decode '@' with blanks on one side alone, or none."""
    a = i
    while a < i + 4 and (byte(s, a) == 32 or byte(s, a) == 9):
        a += 1
    if byte(s, a) != 64:
        return (i, o)
    e = a + 1
    while e < a + 5 and (byte(s, e) == 32 or byte(s, e) == 9):
        e += 1
    if e >= n or not is_sign(byte(s, e)):
        return (i, o)
    put_byte(d, o, 64)
    return (e, o + 1)
