"""The kernel's other spellings: each step writes a text with what it decodes decoded, as `spellings` does.

A step gives the length of the text it wrote, -1 where nothing changed. What it cannot decode as Python would (names of
characters beyond the common ones, escapes of other encodings than UTF-8) it says in CANNOT: Python reads that stretch.
With the text goes a map: for every 64 bytes of it, between which places of the first text they were made.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from canary.native import apart, inner
from canary.operations import byte, get, put, put_byte, trailing
from canary.scan.signs import HIDDEN, ODD
from canary.scan.sweepescapes import escape_of, html_at, octets_at
from canary.scan.sweepnumbers import char_at
from canary.scan.sweepspelt import at_dot_at, folded, is_sign, numerals_at
from canary.scan.sweepwork import CANNOT, CLASSES
from canary.scan.vectors import (
    ampersands,
    at_follows,
    at_leads,
    at_openers,
    backslashes,
    copy64,
    equal_signs,
    numerals,
    odd_leads,
    percents,
)

U0 = np.uint64(0)
QUOTED, HTML, ESCAPES, PERCENT, ZERO_WIDTH, WIDE, NUMBERS, AT_DOT, STEPS = range(9)
NEAR = 8


@inner
def interest(step: int, q: int) -> Any:
    """Mask where a step may find something."""
    if step == HTML:
        return ampersands(q)
    if step == ESCAPES:
        return backslashes(q)
    if step == PERCENT:
        return percents(q)
    if step == NUMBERS:
        return numerals(q)
    if step == AT_DOT:
        return at_openers(q) | at_leads(q) & at_follows(q + 1)
    if step == QUOTED:
        return equal_signs(q)
    return odd_leads(q)


@apart
def fold(st: int, tb: int, step: int, s: int, n: int, d: int, before: int, after: int) -> int:
    """Do one step with a text of `n` bytes; the maps are of the text and of what is written."""
    i = 0
    o = 0
    last = -1
    changed = False
    near = 0  # bytes behind what was decoded that are looked at one by one: mostly more follows
    k = 0
    while k < n and interest(step, s + k) == U0:
        k += 64
    if k >= n:
        return -1
    while i < n:
        if o >> 6 > last:
            last = o >> 6
            put(after, 2 * last, get(before, 2 * max(0, (i >> 6) - 1)))
            put(after, 2 * last + 1, get(before, 2 * ((i >> 6) + 1) + 1))
        k = 0
        if near and not is_lead(step, byte(s, i)):
            near -= 1
            put_byte(d, o, byte(s, i))
            i += 1
            o += 1
            continue
        if near == 0:
            k = min(trailing(interest(step, s + i)), n - i)
        if k:
            copy64(s + i, d + o)
            i += k
            o += k
            continue
        e, m = matched(st, tb, step, s, i, n, d, o)
        if e == i:
            size = width(byte(s, i))
            for j in range(size):
                put_byte(d, o + j, byte(s, i + j))
            e += size
            m = o + size
            near = NEAR if size > 1 else 0
        else:
            changed = changed or not is_same(s + i, e - i, d + o, m - o)
            near = NEAR
        i = e
        o = m
    for j in range(last + 1, last + 4):
        put(after, 2 * j, get(before, 2 * max(0, (n >> 6) - 1)))
        put(after, 2 * j + 1, get(before, 2 * ((n >> 6) + 1) + 1))
    return o if changed and get(st, CANNOT) == 0 else -1


@inner
def is_lead(step: int, c: int) -> bool:
    """Tell whether a byte may begin what a step decodes."""
    if step == HTML:
        return c == 38
    if step == ESCAPES:
        return c == 92
    if step == PERCENT:
        return c in (37, 43)
    if step == QUOTED:
        return c == 61
    return c >= 128 or (step == AT_DOT and not is_sign(c))


@inner
def width(c: int) -> int:
    """Give how many bytes a character has that begins with this one; whatever is none of UTF-8 is read on by one."""
    if c < 0xC2 or c > 0xF4:
        return 1
    if c < 0xE0:
        return 2
    return 3 if c < 0xF0 else 4


@inner
def is_same(one: int, size: int, two: int, other: int) -> bool:
    """Tell whether two stretches hold the same."""
    j = 0
    while j < size and byte(one, j) == byte(two, j):
        j += 1
    return size == other and j == size


@inner
def matched(st: int, tb: int, step: int, s: int, i: int, n: int, d: int, o: int) -> tuple[int, int]:
    """Decode what stands at a place: where it ends (`i`: nothing does), and where what it stands for ends."""
    if step == HTML:
        return html_at(st, tb, s, i, n, d, o)
    if step == ESCAPES:
        return escape_of(s, i, n, d, o)
    if step == PERCENT and byte(s, i) == 43:
        if (i > 0 and is_sign(byte(s, i - 1))) and (i + 1 < n and is_sign(byte(s, i + 1))):
            put_byte(d, o, 32)
            return (i + 1, o + 1)
        return (i, o)
    if step in (PERCENT, QUOTED):
        return octets_at(st, s, i, n, 37 if step == PERCENT else 61, d, o)
    if step == NUMBERS:
        return numerals_at(tb, s, i, n, d, o)
    if step == AT_DOT:
        return at_dot_at(s, i, n, d, o)
    code, size = char_at(s, i)
    kind = byte(tb, CLASSES + code)
    if step == ZERO_WIDTH and kind == HIDDEN:
        return (i + size, o)
    if step == WIDE and kind == ODD:
        return (i + size, folded(tb, code, d, o))
    return (i, o)
