"""The kernel's cells: what of a text is decoded by itself.

A cell ends at a comma, a quote or a new line. None of them stands within a value or within what a step decodes, but for
two cases: new lines among the blanks around a word for '@' or '.', which end no cell, and a mobile in cells of its own
(138,0013,8000), some of which may be spelt otherwise: where a version that is neither the first nor the last might
show one, the plain engine reads.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from canary.native import apart, inner
from canary.operations import byte, get, leading, load64, put, trailing
from canary.scan.sweepspelt import is_sign
from canary.scan.sweepwords import is_digit, not_digits
from canary.scan.sweepwork import EDGES, LINK, LINK_FIRST, LINK_STEPS, LINKED, STEPS_TAKEN, TIME, WHOLES
from canary.scan.vectors import cell_ends, escape_signs, survey

U = np.uint64
U0 = U(0)
LONGEST_ESCAPE = 12
# EDGES holds four times 16 bits: whether the version of a cell that stands after each step (0: before all; the steps of
# the second round come behind those of the first) begins with three digits or more, with the last two groups of a
# mobile; ends with what may be its first three digits, with its first two groups. WHOLES tells where it is the second.
TIMES = 0xFFFF
FOUR_TIMES = 0x1000100010001
UNQUOTING = 15  # the time of quoted-printable, which is decoded by itself


@inner
def is_border(c: int) -> bool:
    """Tell whether a byte is a comma or a quote."""
    return c == 44 or c == 34


@apart
def cell_end(s: int, a: int, n: int, plain: bool) -> int:
    """Give where the cell ends that begins here: behind a `plain` one many that hold nothing to decode are one."""
    q = a
    while q < n:
        ends = cell_ends(s + q)
        if plain and q == a and n - q >= 64 and ends != U0 and survey(s + q, 64) == 0:
            b = last_end(s, q, ends)
            if b:
                return b
        while ends != U0:
            i: int = q + trailing(ends)
            ends &= ends - np.uint64(1)
            if i >= n:
                return n
            if ends_at(s, i, a, n):
                i += 1
                while i < n and is_border(byte(s, i)):
                    i += 1
                return i
        q += 64
    return n


@inner
def last_end(s: int, q: int, ends: Any) -> int:
    """Give where the last comma or quote of a block ends, in which no escape stands, 0 where there is none."""
    while ends != U0:
        i: int = q + 63 - leading(ends)
        if is_border(byte(s, i)):
            return i + 1
        ends &= ~(np.uint64(1) << np.uint64(i - q))
    return 0


@inner
def ends_at(s: int, i: int, a: int, n: int) -> bool:
    """Tell whether a comma, a quote or a new line ends a cell."""
    if byte(s, i) == 10:
        return line_ends(s, i, a, n)
    return i == a or byte(s, i - 1) != 92


@inner
def line_ends(s: int, i: int, a: int, n: int) -> bool:
    """Tell whether nothing that is decoded goes over a new line: signs stand around it that stay what they are."""
    if i == a or i + 1 >= n:
        return False
    c = byte(s, i + 1)
    after = 0xE4 <= c <= 0xE9 or is_border(c) or (is_sign(c) and c | 32 not in (97, 100))
    if c == 0xEF and byte(s, i + 2) == 0xBC:
        after = 0x90 <= byte(s, i + 3) <= 0x99
    c = byte(s, i - 1)
    before = is_border(c) or (is_sign(c) and c | 32 != 116)
    if c >= 128 and i >= a + 3:
        before = 0xE4 <= byte(s, i - 3) <= 0xE9
    return after and before and escape_signs(s + i - 64) >> np.uint64(64 - LONGEST_ESCAPE) == U0


@inner
def digits_from(s: int, j: int) -> int:
    """Count up to eight digits from a place on."""
    return int(trailing(not_digits(load64(s + j))) >> 3)


@inner
def before(s: int, e: int) -> int:
    """Give where the character begins that ends here."""
    e -= 1
    while byte(s, e) & 0xC0 == 0x80:
        e -= 1
    return e


@inner
def is_first(s: int, e: int) -> bool:
    """Tell whether the first three digits of a mobile end here."""
    return bool(is_digit(byte(s, e - 1)) and 51 <= byte(s, e - 2) <= 57 and byte(s, e - 3) == 49)


@inner
def is_second(s: int, p: int) -> bool:
    """Tell whether the first three digits of a mobile stand before a place, one or two marks between."""
    p = before(s, p)
    if is_sign(byte(s, p)):
        return False
    return is_first(s, p) or (not is_sign(byte(s, p - 1)) and is_first(s, before(s, p)))


@inner
def is_third(s: int, p: int, k: int) -> bool:
    """Tell whether the last digits of a mobile stand behind its second group, one or two marks between."""
    if k < 3 or k > 5 or is_sign(byte(s, p)):
        return False
    e = behind(s, p)
    if is_sign(byte(s, e)) and digits_from(s, e) == 0:
        return False
    if digits_from(s, e) == 0:
        e = behind(s, e)
    return min(5, digits_from(s, e)) + k == 8


@inner
def behind(s: int, p: int) -> int:
    """Give where the character ends that stands here."""
    p += 1
    while byte(s, p) & 0xC0 == 0x80:
        p += 1
    return p


@inner
def spread(found: bool) -> int:
    """Give the bits of all times or none."""
    return TIMES if found else 0


@inner
def edge(st: int, s: int, n: int) -> None:
    """Note whether a version of a cell begins or ends as a part of a mobile may."""
    first = 0
    k = digits_from(s, 0)
    if k == 0 and not is_sign(byte(s, 0)):  # one more mark may stand there
        first = behind(s, 0)
        k = digits_from(s, first)
    found = spread(k > 2) | spread(is_third(s, first + k, k)) << 16
    whole = 0
    e = n
    while e > 0 and is_border(byte(s, e - 1)):
        e -= 1
    if e > 0 and byte(s, e - 1) != 10:  # no mobile goes over a new line
        if not is_sign(byte(s, e - 1)):
            e = before(s, e)
        last = min(e, leading(not_digits(load64(s + e - 8))) >> 3)
        if last > 2:
            found |= spread(is_first(s, e)) << 32
            if last < 6:
                whole = spread(e - last <= first)
                found |= spread(is_second(s, e - last)) << 48
    note_edges(st, found, whole)


@inner
def note_edges(st: int, found: int, whole: int) -> None:
    """Note how a version of a cell begins and ends, from the step that made it on."""
    time = get(st, TIME)
    beside = time == UNQUOTING  # that version stands beside whatever others stand
    old = 0 if beside else TIMES << time & TIMES
    new = TIMES if beside else old
    put(st, EDGES, get(st, EDGES) & ~(old * FOUR_TIMES) | found & (new * FOUR_TIMES))
    put(st, WHOLES, get(st, WHOLES) & ~old | whole & new)


@inner
def unlink(st: int) -> None:
    """Begin where no cell stands before."""
    put(st, LINK, 0)
    put(st, LINKED, 0)
    put(st, LINK_FIRST, 0)
    put(st, LINK_STEPS, 0)


@inner
def link(st: int, a: int) -> bool:
    """Tell whether this cell and those before it may show a mobile between steps that changed some of them.

    Before the first of these steps they are as they stand, and after the last as the view has them.
    """
    past = get(st, LINK)
    now = get(st, EDGES)
    linked = (past >> 32 & now >> 16 | past >> 48 & now) & TIMES
    two = past >> 32 & get(st, WHOLES) & TIMES  # the first group ends one cell, and the second is the next
    put(st, LINK, now | two << 48)
    if linked | two == 0:
        put(st, LINK_FIRST, a)
        put(st, LINKED, 0)
        put(st, LINK_STEPS, get(st, STEPS_TAKEN))
        return False
    steps = get(st, LINK_STEPS) | get(st, STEPS_TAKEN)
    linked |= get(st, LINKED)
    put(st, LINKED, linked)
    put(st, LINK_STEPS, steps)
    first = steps & -steps
    between = (1 << 63 - leading(U(steps))) - first
    if steps > 1 << UNQUOTING:  # and other steps: these begin again then
        between = TIMES
    return bool(steps and linked & between)
