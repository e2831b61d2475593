"""What the kernel sees in 64 bytes: masks of where numbers, oddities and borders of records may be."""

from __future__ import annotations

from typing import Any

import numpy as np

from canary.native import inner
from canary.operations import byte, get, leading, put, trailing
from canary.scan.sweephold import close_list, note_odd
from canary.scan.sweepodd import at_word, escape_at, is_blank, numeral_at, odd_at, open_at
from canary.scan.sweepwork import (
    ACTIVE,
    B64_LAST,
    BEGINS,
    BLOCK_NUMBER,
    CHAIN_MASK,
    CODE,
    COUNTS,
    DIGIT_LAST,
    FAILED,
    FILLED,
    HIGH_LAST,
    JOINT_MASK,
    LEAST_CODE,
    LINES_OPEN,
    LONG_MASK,
    MODE,
    MOST_STARTS,
    NAMES,
    PAIRS,
    PHONE,
    PLATE_MASK,
    PROSE,
    QUOTED,
    SPACED_MASK,
    SPLIT_MASK,
    SQL,
    STARTS,
    SUMS,
    WANT,
    WIDE_LAST,
)  # fmt: skip
from canary.scan.vectors import (
    AT_STARTS,
    ATS,
    BLANKS,
    DIGITS,
    ESCAPES,
    HALF_ATS,
    JOINTS,
    LETTERS,
    MARKS,
    MOBILE_SECONDS,
    NEW_LINES,
    ONES,
    OPENS,
    PACKED_MARKS,
    SPACES,
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
def odd_in(
    st: int, tb: int, s: int, p: int, escaped: Any, opened: Any, words: Any, wide: Any, numeral: Any
) -> None:
    """Note the other spellings of a block."""
    while escaped != U0:
        escape_at(st, s, p + trailing(escaped))
        escaped &= escaped - U1
    while opened != U0:
        at = p + trailing(opened)
        open_at(st, tb, s, at, at + 1)
        opened &= opened - U1
    while words != U0:
        at_word(st, s, p + trailing(words))
        words &= words - U1
    while wide != U0:
        odd_at(st, tb, s, p + trailing(wide))
        wide &= wide - U1
    while numeral != U0:
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
def mask_of(st: int, place: int) -> Any:
    """Read a mask."""
    return U(get(st, place))


@inner
def keep_mask(st: int, place: int, mask: Any) -> None:
    """Keep a mask for the functions that read a block."""
    put(st, place, np.int64(mask))


@inner
def odd_block(st: int, tb: int, s: int, p: int, now: int, ahead: int, h0: Any, h1: Any) -> None:
    """Note the other spellings of a block."""
    q = s + p
    sign = mask_of(now, ATS)
    blank = mask_of(now, BLANKS)
    escaped = mask_of(now, ESCAPES)
    opened = mask_of(now, OPENS) & next_to(mask_of(now, HALF_ATS), mask_of(ahead, HALF_ATS), U1)
    words = blank & next_to(mask_of(now, AT_STARTS), mask_of(ahead, AT_STARTS), U1)
    wide = U0
    numeral = U0
    if h0 != U0:
        wide = odd_leads(q)
        nm = numerals(q)
        if nm != U0:
            follow = next_to(nm, numerals(q + 64), U3)
            d0 = mask_of(now, DIGITS)
            m0 = mask_of(now, MARKS)
            follow |= next_to(d0 | blank | m0, mask_of(ahead, DIGITS) | mask_of(ahead, MARKS), U3)
            numeral = nm & (follow | next_to(h0 & ~wide_leads(q), h1, U3))
    if escaped | opened | words | wide | numeral != U0:
        odd_in(st, tb, s, p, escaped, opened, words, wide, numeral)
    while sign != U0:
        at = p + trailing(sign)
        sign &= sign - U1
        if byte(s, at + 1) == 32 or byte(s, at + 1) == 9 or byte(s, at - 1) == 32 or byte(s, at - 1) == 9:
            note_odd(st, at, at + 1)


@inner
def packed_block(st: int, now: int, ahead: int, a0: Any, a1: Any, d0: Any, d1: Any) -> Any:
    """Give where twelve signs of base64 begin that are not digits from the fifth to the eighth, which no text gives."""
    b0 = a0 | mask_of(now, PACKED_MARKS)
    b1 = a1 | mask_of(ahead, PACKED_MARKS)
    packed = b0 & next_to(b0, b1, U1)
    packed1 = b1 & b1 >> U1
    packed &= next_to(packed, packed1, U2)
    packed1 &= packed1 >> U2
    packed &= next_to(packed, packed1, U4) & next_to(packed, packed1, U8)
    packed &= ~(b0 << U1 | mask_of(st, B64_LAST))
    keep_mask(st, B64_LAST, b0 >> U63)
    if packed == U0:
        return packed
    dd = d0 & next_to(d0, d1, U1)
    dd &= next_to(dd, d1 & d1 >> U1, U2)
    return packed & ~next_to(dd, d1 & d1 >> U1 & d1 >> U2 & d1 >> U3, U4)


@inner
def long_joints(st: int, joint: Any, j0: Any, j1: Any) -> Any:
    """Leave out the joints of what is too short to be a code that was issued."""
    least = get(st, LEAST_CODE)
    kept = U0
    while joint != U0:
        o = U(trailing(joint))
        behind = trailing(~(j0 >> o | j1 << U1 << U63 - o))
        before = leading(~(j0 << U63 - o))
        if before > np.int64(o) or before + behind - 1 > least:
            kept |= joint & (U0 - joint)
        joint &= joint - U1
    return kept


@inner
def number_block(
    st: int,
    tb: int,
    now: int,
    ahead: int,
    five: Any,
    a1: Any,
    d0: Any,
    d1: Any,
    h0: Any,
    h1: Any,
    before: Any,
) -> Any:
    """Keep where numbers in groups and joined codes of a block are; gives all such places."""
    m0 = mask_of(now, MARKS)
    m1 = mask_of(ahead, MARKS)
    ends = d0 & ~next_to(d0, d1, U1)
    two = next_to(d0, d1, U2)
    three = next_to(d0, d1, U3)
    four = next_to(d0, d1, U4)
    mk1 = next_to(m0, m1, U1)
    mk2 = mk1 & next_to(m0, m1, U2)
    chain = ends & (mk1 & two | mk2 & three | mk2 & next_to(m0, m1, U3) & four)
    plates = U0
    if h0 | (h1 & U(7)) | mask_of(st, HIGH_LAST) != U0:
        chain |= ends & (next_to(h0, h1, U1) | mk1 & next_to(h0, h1, U2) | mk2 & next_to(h0, h1, U3))
        plates = mask_of(now, LETTERS) & (h0 << U1 | mask_of(st, HIGH_LAST))
    joint = U0
    spaced = U0
    split = U0
    if byte(tb, WANT + CODE):
        after_digit = d0 << U1 | mask_of(st, DIGIT_LAST)
        ahead_letters = next_to(mask_of(now, LETTERS), mask_of(ahead, LETTERS), U1)
        joint = mask_of(now, JOINTS) & (before & next_to(d0, d1, U1) | after_digit & ahead_letters)
        if joint != U0:
            j0 = d0 | mask_of(now, LETTERS) | mask_of(now, JOINTS)
            joint = long_joints(st, joint, j0, a1 | mask_of(ahead, JOINTS))
        spaced = mask_of(now, SPACES) & next_to(five & d0, a1, U1) & before
    if byte(tb, WANT + PHONE):
        split = (
            mask_of(now, ONES)
            & next_to(mask_of(now, MOBILE_SECONDS), mask_of(ahead, MOBILE_SECONDS), U1)
            & two
        )
        split &= ~three & (four | next_to(d0, d1, U5) | next_to(h0, h1, U3) | next_to(h0, h1, U4))
    if chain != U0:
        j0 = d0 | m0 | h0
        j1 = d1 | m1 | h1
        pairs = j0 & next_to(j0, j1, U1)
        pairs1 = j1 & j1 >> U1
        keep_mask(st, LONG_MASK, pairs & next_to(pairs, pairs1, U2) & next_to(pairs, pairs1, U4))
    keep_mask(st, CHAIN_MASK, chain)
    keep_mask(st, JOINT_MASK, joint)
    keep_mask(st, SPLIT_MASK, split)
    keep_mask(st, SPACED_MASK, spaced)
    keep_mask(st, PLATE_MASK, plates)
    keep_mask(st, DIGIT_LAST, d0 >> U63)
    keep_mask(st, HIGH_LAST, h0 >> U63)
    return chain | joint | split | spaced | plates


@inner
def names_of(st: int, q: int, mode: int, h0: Any) -> Any:
    """Give where a name may stand: in tables where a stretch of Han begins, in prose anywhere within one."""
    last = mask_of(st, WIDE_LAST)
    if h0 == U0:
        keep_mask(st, WIDE_LAST, U0)
        return U0
    wide = wide_leads(q)
    keep_mask(st, WIDE_LAST, wide >> U61)
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
