"""The kernel's codes: letters and digits with marks between them, and mobiles in cells of their own."""

from __future__ import annotations

from canary.native import inner
from canary.operations import byte, get, put, put_byte
from canary.scan.signs import DOT, HIDDEN, ODD, ODD_MARK, OPEN, OTHER
from canary.scan.sweepdates import digits_at
from canary.scan.sweephold import hold
from canary.scan.sweepnumbers import char_at
from canary.scan.sweepwords import is_digit
from canary.scan.sweepwork import CANON, CLASSES, CODE, DONE, PHONE, SHAPE_CODE, SHAPE_MOBILE, SPACED, SPLIT


@inner
def joint_end(tb: int, s: int, i: int) -> int:
    """Give where one or two characters end that are no part of a word, `i` where there is none."""
    for _ in range(2):
        c = byte(s, i)
        size = 1
        if c < 128:
            if not byte(tb, 768 + c):
                return i
        else:
            code, size = char_at(s, i)
            if byte(tb, CLASSES + code) not in (ODD_MARK, ODD, HIDDEN, OPEN, OTHER, DOT):
                return i
        i += size
    return i


@inner
def split_at(st: int, tb: int, s: int, i: int) -> None:
    """Look up a mobile in cells of its own, whose first three digits end a group here (138,0013,8000)."""
    if i < get(st, SPLIT):
        return
    b = joint_end(tb, s, i + 3)
    f = digits_at(s, b)
    if b == i + 3 or not 3 <= f - b <= 5:
        return
    c = joint_end(tb, s, f)
    h = c
    while h < c + 5 and is_digit(byte(s, h)):
        h += 1
    if c == f or h - c < 3:
        return
    put(st, SPLIT, h)
    if f - b + h - c != 8:
        return
    for j in range(3):
        put_byte(tb, CANON + j, byte(s, i + j))
    for j in range(f - b):
        put_byte(tb, CANON + 3 + j, byte(s, b + j))
    for j in range(h - c):
        put_byte(tb, CANON + 3 + f - b + j, byte(s, c + j))
    hold(st, tb, tb + CANON, 11, PHONE, SHAPE_MOBILE, i, h)


@inner
def joined_at(st: int, tb: int, s: int, i: int) -> None:
    """Look up the code around a joint of letters and digits, as `mixed_codes` does."""
    done = get(st, DONE)
    if i < done:
        return
    p = i
    while p > done and (byte(tb, byte(s, p - 1)) or 45 <= byte(s, p - 1) <= 47 or byte(s, p - 1) == 95):
        p -= 1
    while True:
        while not byte(tb, byte(s, p)):
            p += 1
        e = p
        while byte(tb, byte(s, e)):
            e += 1
        joint = 0
        kinds = 1
        joints = 0
        while (45 <= byte(s, e) <= 47 or byte(s, e) == 95) and byte(tb, byte(s, e + 1)):
            if joints and byte(s, e) != joint:
                kinds = 2
            joint = byte(s, e)
            joints += 1
            e += 1
            while byte(tb, byte(s, e)):
                e += 1
        if joints:
            break
        p = e
    put(st, DONE, e)
    if kinds != 1 or e - p > 128:
        return
    size = 0
    digits = 0
    for j in range(p, e):
        if byte(tb, byte(s, j)):
            put_byte(tb, CANON + size, byte(s, j))
            size += 1
            digits += byte(tb, byte(s, j)) == 1
    if 5 <= size <= 64 and digits:
        hold(st, tb, tb + CANON, size, CODE, SHAPE_CODE + size, p, e)


@inner
def spaced_at(st: int, tb: int, s: int, i: int) -> None:
    """Look up a code with a blank between its capitals and digits (AB 1234567), whose blank stands here."""
    least = get(st, SPACED)
    if i <= least or not 65 <= byte(s, i - 1) <= 90:
        return
    e = i + 1
    while is_digit(byte(s, e)) and e < i + 21:
        e += 1
    if e - i <= 5:
        return
    a = i - 1
    while a > least and i - a < 3 and (65 <= byte(s, a - 1) <= 90):
        a -= 1
    for j in range(a, i):
        put_byte(tb, CANON + j - a, byte(s, j))
    for j in range(i + 1, e):
        put_byte(tb, CANON + j - a - 1, byte(s, j))
    size = e - a - 1
    hold(st, tb, tb + CANON, size, CODE, SHAPE_CODE + size, a, e)
    put(st, SPACED, e)
