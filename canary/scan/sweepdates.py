"""The kernel's dates, which are left out of numbers in groups."""

from __future__ import annotations

from canary.native import inner
from canary.operations import byte
from canary.scan.sweepwords import is_digit


@inner
def digits_at(s: int, i: int) -> int:
    """Give where the digits end that start here."""
    while is_digit(byte(s, i)):
        i += 1
    return i


@inner
def date_end(s: int, a: int, e: int) -> int:
    """Give where a date and time at the front of a chain ends, `a` where there is none."""
    if e - a < 8 or not (
        (byte(s, a) == 49 and byte(s, a + 1) == 57) or (byte(s, a) == 50 and byte(s, a + 1) == 48)
    ):
        return a
    m = byte(s, a + 4)
    if not (is_digit(byte(s, a + 2)) and is_digit(byte(s, a + 3)) and (m == 45 or m == 47 or m == 46)):
        return a
    j = a + 5
    if (byte(s, j) == 48 or byte(s, j) == 49) and is_digit(byte(s, j + 1)):
        j += 2
    elif is_digit(byte(s, j)):
        j += 1
    else:
        return a
    if byte(s, j) != m:
        return a
    j += 1
    if j < e and 48 <= byte(s, j) <= 51 and (j + 1 < e) and is_digit(byte(s, j + 1)):
        j += 2
    elif j < e and is_digit(byte(s, j)):
        j += 1
    else:
        return a
    return time_end(s, j, e)


@inner
def time_end(s: int, j: int, e: int) -> int:
    """Give where a time behind a date ends."""
    t = j
    while t < e and byte(s, t) == 32:
        t += 1
    h = t
    while t > j and h < e and (h - t < 2) and is_digit(byte(s, h)):
        h += 1
    if (
        h == t
        or h >= e
        or byte(s, h) != 58
        or (h + 2 >= e)
        or (not (is_digit(byte(s, h + 1)) and is_digit(byte(s, h + 2))))
    ):
        return j
    j = h + 3
    if j + 2 < e and byte(s, j) == 58 and is_digit(byte(s, j + 1)) and is_digit(byte(s, j + 2)):
        j += 3
    if j + 1 < e and byte(s, j) == 46 and is_digit(byte(s, j + 1)):
        j = digits_at(s, j + 2)
    return j


@inner
def dated(s: int, i: int) -> int:
    """Give where a chain ends that is one date, as they are mostly written, with a time or without; else `i`."""
    if byte(s, i + 4) != 45 or byte(s, i + 7) != 45:
        return i
    if byte(s, i) != 50 or byte(s, i + 1) != 48:
        return i
    if not (
        is_digit(byte(s, i + 2))
        and is_digit(byte(s, i + 3))
        and (byte(s, i + 5) <= 49)
        and is_digit(byte(s, i + 6))
    ):
        return i
    if not (byte(s, i + 5) >= 48 and 48 <= byte(s, i + 8) <= 51 and is_digit(byte(s, i + 9))):
        return i
    j = i + 10
    if byte(s, j) == 32 and byte(s, j + 3) == 58 and is_digit(byte(s, j + 1)) and is_digit(byte(s, j + 2)):
        if not (is_digit(byte(s, j + 4)) and is_digit(byte(s, j + 5))):
            return i
        j += 6
        if byte(s, j) == 58 and is_digit(byte(s, j + 1)) and is_digit(byte(s, j + 2)):
            j += 3
    return j
