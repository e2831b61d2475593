"""The kernel's words: what one stretch of letters and digits is; mail addresses."""

from __future__ import annotations

from typing import Any

import numpy as np

from canary.native import apart, inner
from canary.operations import byte, leading, load64, put_byte, trailing
from canary.scan.sweephold import give, harden, hold, register
from canary.scan.sweeppairs import pair
from canary.scan.sweepwork import (
    CANON,
    CODE,
    EMAIL,
    HASH,
    PHONE,
    ROW,
    SHAPE_CODE,
    SHAPE_EMAIL,
    SHAPE_HASH,
    SHAPE_MOBILE,
    SHAPE_PHONE,
    WANT,
)
from canary.scan.vectors import DIGITS, HYPHENS, LETTERS, digits, mail_signs

U = np.uint64


@inner
def is_digit(c: int) -> bool:
    """Tell whether a byte is a digit."""
    return 48 <= c <= 57


@inner
def is_letter(c: int) -> bool:
    """Tell whether a byte is a letter of ASCII."""
    return 97 <= c | 32 <= 122


@inner
def not_digits(word: Any) -> Any:
    """Give eight bytes that are 0 where digits stand."""
    halves = U(0xF0F0F0F0F0F0F0F0)
    threes = U(0x3030303030303030)
    above = (word & ~halves) + U(0x0606060606060606)
    return (word & halves ^ threes) | above & halves


@inner
def is_mobile(s: int, a: int) -> bool:
    """Tell whether eleven digits begin as a Chinese mobile number."""
    return bool(byte(s, a) == 49 and 51 <= byte(s, a + 1) <= 57)


@inner
def take_code(st: int, tb: int, s: int, a: int, size: int, start: int, end: int) -> None:
    """Look up a stretch of letters and digits as a code."""
    hold(st, tb, s + a, size, CODE, SHAPE_CODE + size, start, end)


@inner
def take_phone(st: int, tb: int, s: int, a: int, k: int, abroad: bool, start: int, end: int) -> None:
    """Look up digits as a phone, as canonical_phone reads them."""
    while k > 6 and byte(s, a) == 48 and (byte(s, a + 1) == 48):
        a += 2
        k -= 2
        abroad = True
    if k == 13 and byte(s, a) == 56 and (byte(s, a + 1) == 54) and is_mobile(s, a + 2):
        a += 2
        k -= 2
    elif abroad and 11 <= k <= 13 and (byte(s, a) == 56) and (byte(s, a + 1) == 54) and (byte(s, a + 2) > 49):
        put_byte(tb, CANON + 256, 48)
        for j in range(k - 2):
            put_byte(tb, CANON + 257 + j, byte(s, a + 2 + j))
        k -= 1
        hold(st, tb, tb + CANON + 256, k, PHONE, SHAPE_PHONE + k, start, end)
        return
    elif k == 12 and byte(s, a) == 48 and is_mobile(s, a + 1):
        a += 1
        k -= 1
    if 5 <= k <= 15:
        shape = SHAPE_PHONE + k
        if k == 11 and byte(s, a) == 49 and (byte(s, a + 1) > 50):
            shape = SHAPE_MOBILE
        hold(st, tb, s + a, k, PHONE, shape, start, end)


@apart
def take_digest(st: int, tb: int, s: int, a: int, size: int) -> None:
    """Look up a word that is all hexadecimal digits by its first 64 bits."""
    h = np.uint64(0)
    for j in range(a, a + size):
        c = byte(s, j)
        d = c - 48
        if not is_digit(c):
            d = (c | 32) - 87
            if not 10 <= d <= 15:
                return
        if j < a + 16:
            h = h << np.uint64(4) | np.uint64(d)
    register(tb, SHAPE_HASH, h)
    pair(st, SHAPE_HASH, a)
    give(st, h, a, a + size, HASH)


@inner
def take_word(st: int, tb: int, s: int, a: int, size: int, number: int, letters: int) -> None:
    """Look up a run of letters and digits as `words` does: how many digits, how many letters before the first."""
    if number == size:
        if size == 11 and byte(s, a) == 49 and byte(s, a + 1) > 50 and byte(tb, WANT + PHONE):
            hold(st, tb, s + a, 11, PHONE, SHAPE_MOBILE, a, a + 11)
            if byte(tb, WANT + CODE):
                take_code(st, tb, s, a, size, a, a + size)
            return
        if byte(tb, WANT + CODE):
            take_code(st, tb, s, a, size, a, a + size)
        if size <= 19 and byte(tb, WANT + PHONE):
            take_phone(st, tb, s, a, size, False, a, a + size)
        return
    simple = letters + number == size and letters <= 24 and (size <= 32)
    simple = simple and number != 11 and (number != 13) and (number != 15)
    if not simple and (size == 32 or size == 40 or size == 64):
        take_digest(st, tb, s, a, size)
    if byte(tb, WANT + CODE):
        take_code(st, tb, s, a, size, a, a + size)
    if simple:
        return
    if letters + number == size and letters <= 4 and (number != 11) and (not is_mobile(s, a + size - 11)):
        return
    take_glued(st, tb, s, a, a + size)


@inner
def has_number(s: int, a: int, b: int) -> bool:
    """Tell whether five digits or more stand side by side in a word."""
    while a < b:
        found = digits(s + a)
        two = found & found >> U(1)
        five = two & two >> U(2) & found >> U(4)
        if b - a < 64:
            five &= (U(1) << U(b - a)) - U(1)
        if five != U(0):
            return True
        a += 60
    return False


@apart
def take_glued(st: int, tb: int, s: int, a: int, b: int) -> None:
    """Look up the numbers that letters are glued to."""
    if not has_number(s, a, b):
        return
    i = a
    before = a
    while i < b:
        if not is_digit(byte(s, i)):
            i += 1
            continue
        e = i
        while e < b and is_digit(byte(s, e)):
            e += 1
        k = e - i
        if byte(tb, WANT + PHONE) and (k == 11 or k == 13 or k == 15) and is_mobile(s, e - 11):
            fits = k == 11
            if k == 13:
                fits = (byte(s, i) == 48 and byte(s, i + 1) == 48) or (
                    byte(s, i) == 56 and byte(s, i + 1) == 54
                )
            if k == 15:
                fits = (
                    byte(s, i) == 48
                    and byte(s, i + 1) == 48
                    and (byte(s, i + 2) == 56)
                    and (byte(s, i + 3) == 54)
                )
            if fits:
                hold(st, tb, s + e - 11, 11, PHONE, SHAPE_MOBILE, i, e)
        if k >= 5 and byte(tb, WANT + CODE):
            first = max(before, i - 4)
            if e - first <= 64 and not (first == a and e == b):
                take_code(st, tb, s, first, e - first, first, e)
        before = e
        i = e


@inner
def domain_class(s: int, a: int, b: int) -> int:
    """Give the class of a mail domain: the sum of its letters in lower case."""
    total = np.uint64(0)
    low = np.uint64(0x0F0F0F0F0F0F0F0F)  # of a capital and its small letter alike
    each = np.uint64(0x0101010101010101)
    while b - a >= 8:
        total += (load64(s + a) & low) * each >> np.uint64(56)
        a += 8
    if b > a:
        kept = (np.uint64(1) << np.uint64(8 * (b - a))) - np.uint64(1)
        total += (load64(s + a) & low & kept) * each >> np.uint64(56)
    return int(np.int64(total & np.uint64(15)))


@inner
def window(now: int, name: int, off: int) -> Any:
    """Read 57 bits of a mask or more from a place of the block that a row is at; what follows them is 0."""
    return load64(now + 8 * ROW * name + (off >> 3)) >> U(off & 7)


@inner
def plain_mail(st: int, tb: int, s: int, at: int, now: int, off: int) -> bool:
    """Look up a mail address whose domain is two labels, as most are, and not long; tells whether it was one."""
    letters = window(now, LETTERS, off)
    size = trailing(~(letters | window(now, DIGITS, off) | window(now, HYPHENS, off)))
    dot = at + 1 + size
    if size == 0 or size > 40 or byte(s, dot) != 46 or byte(s, at + 1) == 45 or byte(s, dot - 1) == 45:
        return False
    top = trailing(~(letters >> U(size + 1)))
    end = dot + 1 + top
    if size + top > 54:
        return False
    behind = byte(s, end)
    if top < 2 or top > 24 or behind == 46 or behind == 45 or byte(tb, behind):
        return False
    local = leading(~mail_signs(s + at - 64))
    a = at - local
    if local == 0 or local == 64 or byte(tb, byte(s, a)) == 0 or end - a > 63:
        return False
    hold(st, tb, s + a, end - a, EMAIL, SHAPE_EMAIL + domain_class(s, at + 1, end), a, end)
    return True


@apart
def take_mail(st: int, tb: int, s: int, at: int) -> None:
    """Look up the mail address around an '@', as `emails` does."""
    j = at + 1
    end = 0
    while True:
        a = j
        while byte(tb, byte(s, j)) or byte(s, j) == 45:
            j += 1
        if a > at + 1:
            t = a
            while t < a + 24 and byte(tb, byte(s, t)) == 2:
                t += 1
            if t - a >= 2:
                end = t
        if j == a or j - a > 63 or byte(s, j) != 46 or (byte(s, a) == 45) or (byte(s, j - 1) == 45):
            break
        j += 1
    if end == 0:
        return
    a = at
    while a > 0 and at - a < 64:
        c = byte(s, a - 1)
        if not (byte(tb, c) or c == 46 or c == 95 or (c == 37) or (c == 43) or (c == 45)):
            break
        a -= 1
    if a == at:
        return
    if end - a > 63:
        harden(st, a, end)
        return
    shape = SHAPE_EMAIL + domain_class(s, at + 1, end)
    if not byte(
        tb, byte(s, a)
    ):  # a mark that may belong to it, or to what stands before: it is looked up twice
        while byte(s, a) == 46:
            a += 1
        if a < at:
            hold(st, tb, s + a, end - a, EMAIL, shape, a, end)
        while a < at and not byte(tb, byte(s, a)):
            a += 1
    if a < at:
        hold(st, tb, s + a, end - a, EMAIL, shape, a, end)
