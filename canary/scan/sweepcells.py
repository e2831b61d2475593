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
from canary.scan.sweepwords import not_digits
from canary.scan.sweepwork import EDGES, LINK, LINK_FIRST, LINK_STEPS, LINKED, STEPS_TAKEN, TIME
from canary.scan.vectors import cell_ends, escape_signs, survey

U = np.uint64
U0 = U(0)
LONGEST_ESCAPE = 12
# EDGES holds four times 16 bits: whether the version of a cell that stands after each step (0: before all; the steps of
# the second round come behind those of the first) begins with three digits or more, with three to five, ends with
# three or more, with three to five.
PARTS = 0b01_01_01_11_11_11_00_00_00  # the first two of these by the number of digits
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
def edge(st: int, s: int, n: int) -> None:
    """Note whether a version of a cell begins or ends with as many digits as a part of a mobile may have."""
    k = digits_from(s, 0)
    c = byte(s, 0)
    if k == 0 and not is_sign(c):  # one more mark may stand there
        j = 1
        while byte(s, j) & 0xC0 == 0x80:
            j += 1
        k = digits_from(s, j)
    starts = PARTS >> 2 * k & 3
    e = n
    while e > 0 and (is_border(byte(s, e - 1)) or byte(s, e - 1) == 10):
        e -= 1
    if e > 0 and byte(s, e - 1) >= 128:
        while e > 1 and byte(s, e - 1) & 0xC0 == 0x80:
            e -= 1
        e -= 1
    elif e > 0 and not is_sign(byte(s, e - 1)):
        e -= 1
    k = min(e, leading(not_digits(load64(s + e - 8))) >> 3)
    ends = PARTS >> 2 * k & 3
    found = ((starts & 1) + ((starts >> 1) << 16) + ((ends & 1) << 32) + (ends >> 1 << 48)) * TIMES
    time = get(st, TIME)
    if time == UNQUOTING:  # beside whatever stands in other cells
        put(st, EDGES, get(st, EDGES) | found)
        return
    since = (TIMES << time & TIMES) * FOUR_TIMES
    put(st, EDGES, get(st, EDGES) & ~since | found & since)


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
    before = get(st, LINK)
    now = get(st, EDGES)
    put(st, LINK, now)
    linked = before >> 32 & now & (before >> 48 | now >> 16) & TIMES
    if linked == 0:
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
