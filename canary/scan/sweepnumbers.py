"""The kernel's numbers: digits in groups with marks between them, read as phones and codes."""

from __future__ import annotations

import numpy as np

from canary.native import inner
from canary.operations import byte, get, put, put_byte, trailing
from canary.scan.signs import DOT, HIDDEN, ODD, ODD_MARK, OPEN
from canary.scan.sweepdates import date_end, dated, digits_at
from canary.scan.sweephold import harden, hold
from canary.scan.sweepwords import is_digit, is_letter, take_phone
from canary.scan.sweepwork import (
    CANON,
    CHAINED,
    CLASSES,
    CODE,
    GROUPED,
    GROUPS,
    ISSUED,
    PHONE,
    PHONES,
    SHAPE_CODE,
    VIEW,
    WANT,
)

U = np.uint64


@inner
def char_at(s: int, i: int) -> tuple[int, int]:
    """Decode the character of UTF-8 at a place: its code and length; what is none is U+FFFD of one byte."""
    c = byte(s, i)
    if c < 128:
        return (c, 1)
    d = byte(s, i + 1) ^ 128
    if 194 <= c <= 223 and d < 64:
        return ((c & 31) << 6 | d, 2)
    e = byte(s, i + 2) ^ 128
    if 224 <= c <= 239 and d < 64 and (e < 64):
        return ((c & 15) << 12 | d << 6 | e, 3)
    f = byte(s, i + 3) ^ 128
    if 240 <= c <= 244 and d < 64 and (e < 64) and (f < 64):
        return (min((c & 7) << 18 | d << 12 | e << 6 | f, 1114111), 4)
    return (65533, 1)


@inner
def wide_char_at(s: int, i: int) -> tuple[int, int]:
    """Decode the character at a place, which mostly is one of three bytes."""
    c = byte(s, i)
    d = byte(s, i + 1) ^ 128
    e = byte(s, i + 2) ^ 128
    if 225 <= c <= 239 and d < 64 and e < 64:
        return ((c & 15) << 12 | d << 6 | e, 3)
    return char_at(s, i)


@inner
def mark_at(tb: int, s: int, i: int) -> tuple[int, int]:
    """Tell whether a mark between groups stands here: its kind (2 where it is odd), 0 for none, and its length."""
    if byte(s, i) < 128:
        return (byte(tb, 256 + byte(s, i)), 1)
    code, size = wide_char_at(s, i)
    kind = byte(tb, CLASSES + code)
    odd = kind in (ODD_MARK, DOT, OPEN) or (kind == HIDDEN and 0x200B <= code <= 0x200D)
    if kind == ODD:
        odd = code in (0xFF0B, 0xFF0D, 0xFF0E, 0xFF20)
    return (2 if odd else 0, size)


@inner
def gathered(st: int, tb: int, s: int, first: int, last: int, at: int) -> int:
    """Copy the digits of some groups; gives how many."""
    k = at
    for each in range(first, last + 1):
        for j in range(get(st, GROUPED + 2 * each + 0), get(st, GROUPED + 2 * each + 1)):
            put_byte(tb, CANON + k, byte(s, j))
            k += 1
    return k - at


@inner
def all_zeros(s: int, a: int, b: int) -> bool:
    """Tell whether a stretch is zeros alone."""
    while a < b and byte(s, a) == 48:
        a += 1
    return a >= b


@inner
def extended(st: int, s: int, group: int, k: int) -> bool:
    """Tell whether what follows a group may be the extension of a phone."""
    if group + 1 >= k:
        return False
    for j in range(get(st, GROUPED + 2 * group + 1), get(st, GROUPED + 2 * group + 2)):
        if byte(s, j) >= 128 or byte(s, j) == 35:
            return True
    return False


@inner
def fits(st: int, s: int, first: int, last: int, size: int) -> bool:
    """Tell whether some groups, or all but the last, are as long as a phone that was issued, or begin with a prefix."""
    c = byte(s, get(st, GROUPED + 2 * first))
    before = size - get(st, GROUPED + 2 * last + 1) + get(st, GROUPED + 2 * last)
    return bool(c == 48 or c == 56 or (get(st, PHONES) >> size | get(st, PHONES) >> before) & 1)


LOST = 12  # digits that a phone may be shorter than it is spelt, by prefixes
LENGTHS = (1 << LOST + 2) - 1


@inner
def take_phones(st: int, tb: int, s: int, start: int, k0: int, k: int, longest: int) -> None:
    """Look up the stretches of a chain of groups that could be one phone."""
    phones = get(st, PHONES)
    least = trailing(U(phones)) - 1  # one digit may come in place of a prefix
    if 7 * longest < least:
        return
    ahead = 0  # digits of the seven groups that begin with this one
    for each in range(k0, min(k0 + 6, k)):
        ahead += get(st, GROUPED + 2 * each + 1) - get(st, GROUPED + 2 * each)
    for first in range(k0, k):
        lead = get(st, GROUPED + 2 * first)
        if first + 6 < k:
            ahead += get(st, GROUPED + 2 * (first + 6) + 1) - get(st, GROUPED + 2 * (first + 6))
        enough = ahead >= least
        ahead -= get(st, GROUPED + 2 * first + 1) - lead
        if not enough:
            continue
        abroad = False
        while lead > start and (byte(s, lead - 1) == 43 or byte(s, lead - 1) == 40):
            lead -= 1
            if byte(s, lead) == 43:
                abroad = True
        size = 0
        for last in range(first, min(first + 7, k)):
            size += get(st, GROUPED + 2 * last + 1) - get(st, GROUPED + 2 * last)
            if size > 17:
                break
            if phones >> max(0, size - LOST) & LENGTHS == 0 or not fits(st, s, first, last, size):
                continue
            alone = last == first and lead == get(st, GROUPED + 2 * first)
            if size < 7 or (alone and not extended(st, s, first, k)):
                continue
            whole = last
            if (
                last == first + 1
                and lead == get(st, GROUPED + 2 * first)
                and (get(st, GROUPED + 2 * first + 1) - lead >= 4)
            ):
                near = (
                    byte(s, get(st, GROUPED + 2 * first + 1)) == 46
                    and get(st, GROUPED + 2 * last) == get(st, GROUPED + 2 * first + 1) + 1
                )
                if near and all_zeros(s, get(st, GROUPED + 2 * last), get(st, GROUPED + 2 * last + 1)):
                    whole = first  # a number that was stored as one with a fraction
            end = get(st, GROUPED + 2 * last + 1)
            digits = gathered(st, tb, s, first, whole, 0)
            take_phone(st, tb, tb, CANON, digits, abroad, lead, end)
            if last > first and extended(st, s, last - 1, k):
                digits = gathered(st, tb, s, first, last - 1, 0)
                take_phone(st, tb, tb, CANON, digits, abroad, lead, end)


@inner
def one_joint(st: int, s: int, k0: int, k: int) -> bool:
    """Tell whether the same marks stand between all groups."""
    joint = get(st, GROUPED + 2 * (k0 + 1) + 0) - get(st, GROUPED + 2 * k0 + 1)
    for each in range(k0 + 1, k):
        if get(st, GROUPED + 2 * each + 0) - get(st, GROUPED + 2 * (each - 1) + 1) != joint:
            return False
        for j in range(joint):
            if byte(s, get(st, GROUPED + 2 * (each - 1) + 1) + j) != byte(
                s, get(st, GROUPED + 2 * k0 + 1) + j
            ):
                return False
    return True


@inner
def worth(st: int, tb: int, s: int, k0: int, k: int) -> bool:
    """Tell whether some code that was issued is as long as some groups, or letters stand before them."""
    size = 0
    for each in range(k0, k):
        size += get(st, GROUPED + 2 * each + 1) - get(st, GROUPED + 2 * each)
    issued = tb + ISSUED + SHAPE_CODE + size
    a = get(st, GROUPED + 2 * k0)
    return bool(byte(issued, 0) or (size == 17 and byte(issued, 1)) or is_letter(byte(s, a - 2)))


@inner
def take_groups(st: int, tb: int, s: int, start: int, k0: int, k: int, longest: int) -> None:
    """Look up a chain of groups: its stretches as phones, and the whole as a code."""
    if byte(tb, WANT + PHONE):
        take_phones(st, tb, s, start, k0, k, longest)
    if not byte(tb, WANT + CODE) or k - k0 < 2 or get(st, GROUPED + 2 * (k - 1) + 1) - start > 80:
        return
    if not (worth(st, tb, s, k0, k) and one_joint(st, s, k0, k)):
        return
    size = gathered(st, tb, s, k0, k - 1, 16)
    a = get(st, GROUPED + 2 * k0 + 0)
    e = get(st, GROUPED + 2 * (k - 1) + 1)
    if size == 17 and byte(s, e) | 32 == 120:
        put_byte(tb, CANON + 16 + size, 88)
        size += 1
    canon = tb + CANON
    if size >= 5:
        hold(st, tb, canon + 16, size, CODE, SHAPE_CODE + size, a, e)
    if a > 1 and (
        byte(s, a - 1) == 45 or byte(s, a - 1) == 95 or byte(s, a - 1) == 47 or (byte(s, a - 1) == 32)
    ):
        p = a - 1
        while p > 0 and a - 1 - p < 9 and is_letter(byte(s, p - 1)):
            p -= 1
        letters = a - 1 - p
        if 1 <= letters <= 8 and (p == 0 or not is_digit(byte(s, p - 1))):
            for j in range(letters):
                put_byte(tb, CANON + 16 - letters + j, byte(s, p + j))
            if letters + size <= 64:
                hold(st, tb, canon + 16 - letters, letters + size, CODE, SHAPE_CODE + letters + size, p, e)


@inner
def one_mark(s: int, a: int, b: int) -> bool:
    """Tell whether a stretch is one mark."""
    return a + wide_char_at(s, a)[1] == b


@inner
def take_spread(st: int, tb: int, s: int, first: int, last: int) -> None:
    """Look up digits one by one, the first of which ends a group, as a phone and a code."""
    k = last - first + 1
    start = get(st, GROUPED + 2 * first + 1) - 1
    end = get(st, GROUPED + 2 * last + 1)
    if k > 64:
        harden(st, start, end)
        return
    put_byte(tb, CANON, byte(s, start))
    gathered(st, tb, s, first + 1, last, 1)
    if byte(tb, WANT + CODE):
        hold(st, tb, tb + CANON, k, CODE, SHAPE_CODE + k, start, end)
    if byte(tb, WANT + PHONE) and k <= 19:
        take_phone(st, tb, tb, CANON, k, False, start, end)


@inner
def marked(st: int, tb: int, s: int, group: int) -> bool:
    """Tell whether a group is one digit with a mark before it."""
    a = get(st, GROUPED + 2 * group)
    p = a - 1
    while byte(s, p) & 0xC0 == 0x80:
        p -= 1
    return get(st, GROUPED + 2 * group + 1) == a + 1 and mark_at(tb, s, p)[0] != 0


@inner
def take_spreads(st: int, tb: int, s: int, k: int) -> None:
    """Look up what of a chain is digits one by one with one mark before each."""
    run = 0
    for i in range(1, k + 1):
        if i < k:
            a = get(st, GROUPED + 2 * i)
            alone = get(st, GROUPED + 2 * i + 1) - a == 1
            if alone and one_mark(s, get(st, GROUPED + 2 * i - 1), a):
                run += 1
                continue
        if run >= 10 or (run == 9 and marked(st, tb, s, i - 10)):
            take_spread(st, tb, s, i - 1 - run, i - 1)
        run = 0


@inner
def unseen_end(s: int, i: int) -> int:
    """Give where digits end with a sign of no width between each two, `i` where they fill no cell.

    Decoded they are one number, and nothing more stands there: what they stand for tells all of it.
    """
    e = i
    while (
        is_digit(byte(s, e))
        and byte(s, e + 1) == 0xE2
        and byte(s, e + 2) == 0x80
        and 0x8B <= byte(s, e + 3) <= 0x8D
    ):
        e += 4
    whole = is_digit(byte(s, e)) and ends_cell(byte(s, e + 1)) and ends_cell(byte(s, i - 1))
    return e + 1 if whole else i


@inner
def ends_cell(c: int) -> bool:
    """Tell whether a byte is a comma, a quote or a new line."""
    return c in (44, 34, 10)


@inner
def chain_at(st: int, tb: int, s: int, i: int) -> None:
    """Look up the number in groups that starts with the group here, as `chains` does."""
    if i < get(st, CHAINED):
        return
    if byte(s, i + 1) == 0xE2 and get(st, VIEW) == 0:
        e = unseen_end(s, i)
        if e > i:
            put(st, CHAINED, e)
            return
    lead = byte(s, i - 1) == 43 or byte(s, i - 1) == 40
    e = i if lead else dated(s, i)
    if e > i and byte(s, e) < 128 and (not byte(tb, 256 + byte(s, e))) and (not is_digit(byte(s, e))):
        put(st, CHAINED, e)
        return
    start = i
    if lead and i > get(st, CHAINED):
        start = i - 1
    k = 0
    single = 0
    spread = 0
    a = i
    z = digits_at(s, i)
    longest = 0
    while True:
        longest = max(longest, z - a)
        if k >= GROUPS:
            harden(st, start, z)
            k -= 1
        put(st, GROUPED + 2 * k, a)
        put(st, GROUPED + 2 * k + 1, z)
        k += 1
        p = z
        marks = 0
        while marks < 3:
            kind, size = mark_at(tb, s, p)
            if kind == 0:
                break
            marks += 1
            p += size
        if marks == 0 or not is_digit(byte(s, p)):
            break
        a = p
        z = digits_at(s, a)
        single = single + 1 if marks == 1 and z - a == 1 else 0
        spread = max(spread, single)
    put(st, CHAINED, z)
    if k < 2 or z - start < 7:
        return
    if single == k - 1:
        if k > 10 or (k == 10 and marked(st, tb, s, 0)):
            take_spread(st, tb, s, 0, k - 1)
    elif spread >= 9:
        take_spreads(st, tb, s, k)
    undated(st, tb, s, start, z, k, longest)


@inner
def undated(st: int, tb: int, s: int, start: int, z: int, k: int, longest: int) -> None:
    """Look up a chain but for a date at its front; a decimal fraction is none."""
    d = date_end(s, start, z)
    skip = 0
    while skip < k and get(st, GROUPED + 2 * skip + 1) <= d:
        skip += 1
    if skip >= k or z - d < 7:
        return
    if get(st, GROUPED + 2 * skip + 0) < d:
        put(st, GROUPED + 2 * skip + 0, d)
    decimal = (
        k - skip == 2
        and d == get(st, GROUPED + 2 * skip + 0)
        and (get(st, GROUPED + 2 * skip + 1) + 1 == get(st, GROUPED + 2 * (skip + 1) + 0))
    )
    if (
        decimal
        and byte(s, get(st, GROUPED + 2 * skip + 1)) == 46
        and (get(st, GROUPED + 2 * (skip + 1) + 1) - get(st, GROUPED + 2 * (skip + 1) + 0) <= 6)
    ):
        return
    take_groups(st, tb, s, d, skip, k, longest)
