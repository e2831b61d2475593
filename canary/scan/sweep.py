"""The sweep: one pass over the bytes of a text that keys and looks up what is spelt plainly.

What it cannot judge exactly it notes in `hard`, what the index may know in `out`, and where records start in `starts`.
"""

from __future__ import annotations

from typing import Any

from canary.native import apart, inner
from canary.operations import byte, get, population, prefetch, put, trailing
from canary.scan.sweepblock import (
    U0,
    U1,
    U,
    border_end,
    borders_of,
    close_block,
    close_record,
    mark,
    mask_of,
    names_of,
    odd_block,
    quoted_border,
)
from canary.scan.sweepcodes import joined_at, spaced_at, split_at
from canary.scan.sweephold import flush
from canary.scan.sweepmasks import (
    CHAIN,
    EVENTS,
    JOINT,
    LATIN,
    LONG,
    ODD,
    PACKED,
    PLAIN,
    PLATES,
    RARE,
    SPACED,
    SPLIT,
    WORDS,
)
from canary.scan.sweepnumbers import chain_at
from canary.scan.sweepodd import plate_at
from canary.scan.sweeppacked import packed_at
from canary.scan.sweeppairs import settle
from canary.scan.sweepwords import is_digit, plain_mail, take_digest, take_glued, take_mail, take_word, window
from canary.scan.sweepwork import (
    APART,
    ASKED,
    BEFORE,
    BEGINS,
    BLOCK_NUMBER,
    BLOCKS,
    CHAINED,
    CLASSED,
    DERIVED,
    END,
    FAILED,
    MODE,
    OPEN_FULL,
    OPEN_NAMES,
    OPEN_QUOTES,
    PLACING,
    PROSE,
    QUOTED,
    SKIP,
    STARTS,
    SUMS,
    VIEW,
    WIDE_LAST,
)
from canary.scan.vectors import ATS, DIGITS, EMPTY, HIGH, LETTERS, QUOTES, digits, signs

WINDOW = 56  # bits of a mask that are known from any place on


@inner
def word_at(st: int, tb: int, s: int, i: int, now: int, off: int) -> None:
    """Look up the word that starts here."""
    numbers = window(now, DIGITS, off)
    word = ~(window(now, LETTERS, off) | numbers)
    if trailing(word) > WINDOW:
        numbers = digits(s + i)
        word = ~signs(s + i)
    if word != U0:
        size = trailing(word)
        numbers &= (U1 << U(size)) - U1
        number = population(numbers)
        before = trailing(numbers)
    else:
        size = 64
        while byte(tb, byte(s, i + size)):
            size += 1
        number = 0
        before = size
        for j in range(size):
            if is_digit(byte(s, i + j)):
                if number == 0:
                    before = j
                number += 1
    if number == 0:
        if size == 32 or size == 40 or size == 64:
            take_digest(st, tb, s, i, size)
    elif size <= 64:
        take_word(st, tb, s, i, size, number, before)
    elif number < size:
        take_glued(st, tb, s, i, i + size)


@apart
def rare_at(st: int, tb: int, s: int, p: int, made: int, bit: Any) -> None:
    """Look up the number in groups or the joined code of a block that a bit shows; note what may be base64."""
    i = p + trailing(bit)
    if mask_of(made, CHAIN) & bit != U0:
        at = i
        while is_digit(byte(s, at - 1)):
            at -= 1
        if at < p or mask_of(made, LONG) >> U(at - p) & U1 != U0:
            chain_at(st, tb, s, at)
    if mask_of(made, JOINT) & bit != U0:
        joined_at(st, tb, s, i)
    if mask_of(made, SPLIT) & bit != U0:
        split_at(st, tb, s, i)
    if mask_of(made, SPACED) & bit != U0:
        spaced_at(st, tb, s, i)
    if mask_of(made, PACKED) & bit != U0:
        packed_at(st, tb, s, i)
    if mask_of(made, PLATES) & bit != U0:
        plate_at(st, tb, s, i)


@inner
def chained_of(st: int, p: int, made: int) -> Any:
    """Give the bits of a block that show nothing but groups of a number that was looked up already."""
    size = get(st, CHAINED) - p
    if size <= 0:
        return U0
    others = mask_of(made, JOINT) | mask_of(made, SPLIT) | mask_of(made, SPACED)
    others |= mask_of(made, PACKED) | mask_of(made, PLATES)
    done = ~U0 if size >= 64 else (U1 << U(size)) - U1
    return mask_of(made, CHAIN) & ~others & done


@inner
def border_at(st: int, s: int, i: int) -> None:
    """End a record where one ends here."""
    mode = get(st, MODE)
    at = border_end(s, i)
    if mode == QUOTED:
        if not quoted_border(st, get(st, OPEN_QUOTES) & 1 == 1):
            at = 0
        put(st, OPEN_QUOTES, 0)
    if at == 0 or at >= get(st, END):
        return
    begun = get(st, BEGINS + get(st, STARTS) - 1) >= get(st, SKIP)
    close_record(st, 0 if mode == PROSE else get(st, OPEN_NAMES), at, get(st, OPEN_FULL) != 0 and begun)
    if mode != PROSE:
        put(st, OPEN_NAMES, 0)
    put(st, OPEN_FULL, 0)


@inner
def block_at(st: int, tb: int, s: int, p: int, now: int, made: int, mode: int) -> None:
    """Look up what starts in a block, in the order in which it stands there."""
    h0 = mask_of(now, HIGH)
    wide = U0
    if h0 != U0:
        wide = names_of(st, s + p, mode)
    else:
        put(st, WIDE_LAST, 0)
    if mask_of(made, ODD) | h0 != U0 and get(st, VIEW) == 0:
        odd_block(st, tb, s, p, now, made, h0)
    latin = mask_of(made, LATIN)
    ink = ~mask_of(now, EMPTY)
    words = mask_of(made, WORDS)
    rare = mask_of(made, RARE)
    border = borders_of(s + p, now, mode)
    events = mask_of(made, EVENTS) | border
    left = ~U0
    while events != U0:
        bit = events & (U0 - events)
        events ^= bit
        i = p + trailing(bit)
        if words & bit != U0:
            word_at(st, tb, s, i, now, trailing(bit))
        if rare & bit != U0:
            rare_at(st, tb, s, p, made, bit)
            chained = chained_of(st, p, made)
            rare &= ~chained
            events &= ~(chained & ~words)
        if border & bit != U0:
            count(st, latin & left & (bit - U1), wide & left & (bit - U1), ink & left & (bit - U1), mode)
            if mode == QUOTED:
                here = mask_of(now, QUOTES) & left & (bit - U1)
                put(st, OPEN_QUOTES, get(st, OPEN_QUOTES) + population(here))
            left = U0 - bit
            border_at(st, s, i)
        elif mask_of(now, ATS) & bit != U0 and not plain_mail(st, tb, s, i, now, trailing(bit) + 1):
            take_mail(st, tb, s, i)
    count(st, latin & left, wide & left, ink & left, mode)
    if mode == QUOTED:
        put(st, OPEN_QUOTES, get(st, OPEN_QUOTES) + population(mask_of(now, QUOTES) & left))
    if mode == PROSE:
        close_block(st, get(st, OPEN_NAMES))
        put(st, OPEN_NAMES, 0)


@inner
def count(st: int, latin: Any, wide: Any, ink: Any, mode: int) -> None:
    """Count the names of a record, and tell whether anything stands in it."""
    names = population(latin) + (population(wide) if mode == PROSE else 2 * population(wide))
    put(st, OPEN_NAMES, get(st, OPEN_NAMES) + names)
    if ink != U0:
        put(st, OPEN_FULL, 1)


@inner
def begin(st: int, first: int, n: int, skip: int) -> None:
    """Set what changes from text to text."""
    put(st, BLOCK_NUMBER, 0)
    put(st, SUMS, 0)
    put(st, BEGINS, first)
    put(st, STARTS, 1)
    put(st, SKIP, skip)
    put(st, END, n)
    put(st, OPEN_NAMES, 0)
    put(st, OPEN_FULL, 0)
    put(st, OPEN_QUOTES, 0)
    put(st, APART, get(st, PLACING) != 0 or get(st, MODE) == PROSE)
    put(st, ASKED + PLAIN, 0 if get(st, VIEW) else -1)


@apart
def sweep(st: int, tb: int, s: int, first: int, n: int, skip: int) -> None:
    """Sweep the bytes of a text from `first` to `n`; records that start before `skip` are not counted as filled."""
    begin(st, first, n, skip)
    mode = get(st, MODE)
    now = st + 8 * (CLASSED + BEFORE)
    made = st + 8 * (DERIVED + BEFORE)
    p = first
    while p < n:
        blocks = mark(st, s + p, n - p)
        for j in range(blocks):
            prefetch(s + p + 64 * (j + BLOCKS))  # the processor itself looks ahead within a page alone
            block_at(st, tb, s, p + 64 * j, now + 8 * j, made + 8 * j, mode)
        p += 64 * blocks
        if get(st, FAILED):
            return
    begun = get(st, BEGINS + get(st, STARTS) - 1) >= skip
    close_record(st, get(st, OPEN_NAMES), n, get(st, OPEN_FULL) != 0 and begun)
    settle(st)
    flush(st, tb)
