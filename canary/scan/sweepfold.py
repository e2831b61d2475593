"""The kernel's other spellings: each step writes a text with what it decodes decoded, as `spellings` does.

A step gives the length of the text it wrote, -1 where nothing changed. What it cannot decode as Python would (names of
characters beyond the common ones, escapes of other encodings than UTF-8) it says in CANNOT: Python reads that stretch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from canary.native import apart, inner
from canary.operations import byte, get, put_byte, trailing
from canary.scan.signs import HIDDEN, ODD
from canary.scan.sweepescapes import escape_of, html_at, octets_at
from canary.scan.sweepnumbers import wide_char_at
from canary.scan.sweepspelt import at_dot_at, folded, is_sign, numerals_at
from canary.scan.sweepwork import CANNOT, CLASSES
from canary.scan.vectors import (
    ampersands,
    at_dots,
    backslashes,
    copy64,
    equal_signs,
    hidden,
    new_lines,
    numerals,
    percents,
    survey,
    unplain,
    wide,
)

U = np.uint64
U0, U1 = U(0), U(1)
QUOTED, HTML, ESCAPES, PERCENT, ZERO_WIDTH, WIDE, NUMBERS, AT_DOT, STEPS = range(9)


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
        return at_dots(q)
    return equal_signs(q)


@inner
def surveyed(s: int, n: int) -> int:
    """Give a bit for each step that may find something in a text."""
    if 0 < n < 64 and unplain(s) << U(64 - n) == U0:
        return 0
    found: int = survey(s, n)
    at = 64
    while at < n:
        found |= survey(s + at, n - at)
        at += 64
    return found


@inner
def copied(s: int, a: int, b: int, d: int, o: int) -> int:
    """Copy a stretch, and up to 64 bytes behind it that mean nothing; gives where it ends."""
    while a < b:
        copy64(s + a, d + o)
        o += min(64, b - a)
        a += 64
    return o


@apart
def fold(st: int, tb: int, step: int, s: int, n: int, d: int) -> int:
    """Do one step with a text of `n` bytes; behind what is written come new lines."""
    if step in (ZERO_WIDTH, WIDE):
        return plainer(tb, step, s, n, d)
    i = 0
    o = 0
    p = 0
    changed = False
    while p < n:
        found = interest(step, s + p)
        if n - p < 64:
            found &= (U1 << U(n - p)) - U1
        while found != U0:
            at = p + trailing(found)
            o = copied(s, i, at, d, o)
            i = at
            e, m = matched(st, tb, step, s, at, n, d, o)
            if e == at:
                found &= found - U1
                continue
            changed = changed or not is_same(s + at, e - at, d + o, m - o)
            o = m
            i = e
            found = U0 if e - p >= 64 else found & ~U0 << U(e - p)
        p = max(p + 64, i)
    if not changed or get(st, CANNOT):
        return -1
    o = copied(s, i, n, d, o)
    new_lines(d + o)
    return o


@inner
def plainer(tb: int, step: int, s: int, n: int, d: int) -> int:
    """Leave out invisible characters, or write what wide ones stand for."""
    kind = HIDDEN if step == ZERO_WIDTH else ODD
    i = 0
    o = 0
    p = 0
    while p < n:
        found = hidden(s + p) if step == ZERO_WIDTH else wide(s + p)
        if n - p < 64:
            found &= (U1 << U(n - p)) - U1
        while found != U0:
            at = p + trailing(found)
            found &= found - U1
            code, size = wide_char_at(s, at)
            if byte(tb, CLASSES + code) == kind:
                o = copied(s, i, at, d, o)
                i = at + size
                if step == WIDE:
                    o = folded(tb, code, d, o)
        p += 64
    if i == 0:
        return -1
    o = copied(s, i, n, d, o)
    new_lines(d + o)
    return o


@inner
def is_same(one: int, size: int, two: int, other: int) -> bool:
    """Tell whether two stretches hold the same."""
    j = 0
    while size == other and j < size and byte(one, j) == byte(two, j):
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
    if step == NUMBERS:
        return numerals_at(tb, s, i, n, d, o)
    if step == AT_DOT:
        return at_dot_at(s, i, n, d, o)
    return octets_at(st, tb, s, i, n, 37 if step == PERCENT else 61, d, o)
