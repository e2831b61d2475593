"""What the kernel sees in 64 bytes: masks of where numbers, oddities and borders of records may be."""

from __future__ import annotations

from typing import Any

import numpy as np

from canary.native import apart, inner
from canary.operations import byte, get, put, trailing
from canary.scan.sweephold import note_odd
from canary.scan.sweepmasks import AT_WORDS, LANES, OPENED, derive
from canary.scan.sweepodd import at_word, escape_at, is_blank, numeral_at, odd_at, open_at
from canary.scan.sweeppairs import close_list
from canary.scan.sweepwork import (
    ACTIVE,
    ASKED,
    BEFORE,
    BEGINS,
    BLOCK_NUMBER,
    BLOCKS,
    CLASSED,
    COUNTS,
    DERIVED,
    FAILED,
    FILLED,
    LINES_OPEN,
    MODE,
    MOST_STARTS,
    NAMES,
    ODD_NOTED,
    ODDS,
    PAIRS,
    PROSE,
    QUOTED,
    ROW,
    SQL,
    STARTS,
    SUMS,
    WIDE_LAST,
)  # fmt: skip
from canary.scan.vectors import (
    ATS,
    BLANKS,
    DIGITS,
    ESCAPES,
    HIGH,
    MARKS,
    NEW_LINES,
    classify,
    json_borders,
    numerals,
    odd_leads,
    sql_borders,
    wide_leads,
)

U = np.uint64
U0, U1, U2, U3, U4, U5, U8, U61, U63 = (U(each) for each in (0, 1, 2, 3, 4, 5, 8, 61, 63))
LINES_QUOTED = 30  # new lines inside one quoted cell


@inner
def next_to(now: Any, ahead: Any, by: Any) -> Any:
    """Shift what stands some places later to a place."""
    return now >> by | ahead << U(64) - by


@inner
def noted(st: int, p: int) -> bool:
    """Tell whether something that was noted ends behind a place."""
    n = get(st, ODD_NOTED)
    return bool(n > 0 and get(st, ODDS + 2 * n - 1) > p)


@inner
def odd_in(
    st: int, tb: int, s: int, p: int, escaped: Any, opened: Any, words: Any, wide: Any, numeral: Any
) -> None:
    """Note the first of the other spellings of a block."""
    while escaped != U0 and not noted(st, p):
        escape_at(st, s, p + trailing(escaped))
        escaped &= escaped - U1
    while wide != U0 and not noted(st, p):
        odd_at(st, tb, s, p + trailing(wide))
        wide &= wide - U1
    while opened != U0 and not noted(st, p):
        at = p + trailing(opened)
        open_at(st, tb, s, at, at + 1)
        opened &= opened - U1
    while words != U0 and not noted(st, p):
        at_word(st, s, p + trailing(words))
        words &= words - U1
    while numeral != U0 and not noted(st, p):
        numeral_at(st, tb, s, p + trailing(numeral))
        numeral &= numeral - U1


@inner
def border_end(s: int, i: int) -> int:
    """Give where the record starts that a sign of the layout's borders begins, 0 where it is no border."""
    c = byte(s, i)
    if c == 10:
        return i + 1
    j = i + 1
    while is_blank(byte(s, j)):
        j += 1
    if c == 41 and byte(s, j) != 44:
        return 0
    if byte(s, j) == 44:
        j += 1
    while is_blank(byte(s, j)):
        j += 1
    return j if byte(s, j) == (40 if c == 41 else 123) else 0


@inner
def close_record(st: int, names: int, start: int, full: bool) -> None:
    """Count the pairs of names with what else a record held, and begin the next."""
    put(st, NAMES, get(st, NAMES) + names)
    put(st, FILLED, get(st, FILLED) + full)
    if get(st, MODE) != PROSE:
        close_list(st, names)
    n = get(st, STARTS)
    if n >= MOST_STARTS:
        put(st, FAILED, 1)
        return
    put(st, BEGINS + n, start)
    put(st, STARTS, n + 1)


@inner
def mask_of(row: int, name: int) -> Any:
    """Read a mask of the block that a row is at."""
    return U(get(row, ROW * name))


@apart
def mark(st: int, s: int, n: int) -> int:
    """Make the masks of up to so many blocks; gives how many."""
    count = min(BLOCKS, n + 63 >> 6)
    classed = st + 8 * (CLASSED + BEFORE)
    derived = st + 8 * (DERIVED + BEFORE)
    for j in range(-1, count + 1):
        classify(s + 64 * j, classed + 8 * j)
    j = 0
    while j < count:
        derive(classed + 8 * j, derived + 8 * j, st + 8 * ASKED)
        j += LANES
    return count


@inner
def numerals_in(q: int, now: int, h0: Any) -> Any:
    """Give where a number in Chinese numerals may start."""
    nm = numerals(q)
    if nm == U0:
        return U0
    signs = mask_of(now, DIGITS) | mask_of(now, BLANKS) | mask_of(now, MARKS) | h0 & ~wide_leads(q)
    ahead = mask_of(now + 8, DIGITS) | mask_of(now + 8, MARKS) | mask_of(now + 8, HIGH)
    return nm & (next_to(nm, numerals(q + 64), U3) | next_to(signs, ahead, U3))


@apart
def odd_block(st: int, tb: int, s: int, p: int, now: int, made: int, h0: Any) -> None:
    """Note the other spellings of a block."""
    q = s + p
    sign = mask_of(now, ATS)
    wide = odd_leads(q) if h0 != U0 else U0
    numeral = numerals_in(q, now, h0) if h0 != U0 else U0
    odd_in(st, tb, s, p, mask_of(now, ESCAPES), mask_of(made, OPENED), mask_of(made, AT_WORDS), wide, numeral)
    while sign != U0 and not noted(st, p):
        at = p + trailing(sign)
        sign &= sign - U1
        if byte(s, at + 1) == 32 or byte(s, at + 1) == 9 or byte(s, at - 1) == 32 or byte(s, at - 1) == 9:
            note_odd(st, at, at + 1)
    if noted(st, p):  # whatever else is odd in this block belongs to it
        put(st, ODDS + 2 * get(st, ODD_NOTED) - 1, p + 64)


@inner
def names_of(st: int, q: int, mode: int) -> Any:
    """Give where a name may stand: in tables where a stretch of Han begins, in prose anywhere within one."""
    last = U(get(st, WIDE_LAST))
    wide = wide_leads(q)
    put(st, WIDE_LAST, np.int64(wide >> U61))
    if mode == PROSE:
        return wide & (wide << U3 | last)
    return wide & ~(wide << U3 | last)


@inner
def borders_of(q: int, now: int, mode: int) -> Any:
    """Give where a record may end."""
    if mode <= QUOTED:
        return mask_of(now, NEW_LINES)
    if mode == SQL:
        return sql_borders(q)
    return json_borders(q)


@inner
def quoted_border(st: int, odd: bool) -> bool:
    """Tell whether a line ends a record, by whether it held an odd number of quotes."""
    lines = get(st, LINES_OPEN)
    if odd:
        lines = 0 if lines else 1
    elif lines:
        lines += 1
    if lines > LINES_QUOTED:
        lines = 0
    put(st, LINES_OPEN, lines)
    return bool(lines == 0)


@inner
def close_block(st: int, names: int) -> None:
    """Count the pairs of the names of a block of prose with what stands before them."""
    number = get(st, BLOCK_NUMBER)
    put(st, SUMS + number + 1, get(st, SUMS + number) + names)
    for t in range(1, get(st, ACTIVE) + 1):
        put(st, PAIRS + 64 * t, get(st, PAIRS + 64 * t) + names * get(st, COUNTS + t))
    put(st, NAMES, get(st, NAMES) + names)
    put(st, BLOCK_NUMBER, number + 1)
