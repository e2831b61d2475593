"""The sweep: one pass over the bytes of a text that keys and looks up what is spelt plainly.

What it cannot judge exactly it notes in `hard`, what the index may know in `out`, and where records start in `starts`.
"""

from __future__ import annotations

from typing import Any

from canary.native import apart, inner
from canary.operations import byte, get, population, put, trailing
from canary.scan.sweepblock import (
    U0,
    U1,
    U2,
    U4,
    U63,
    U,
    border_end,
    borders_of,
    close_block,
    close_record,
    keep_mask,
    mask_of,
    names_of,
    next_to,
    number_block,
    odd_block,
    packed_block,
    quoted_border,
)  # fmt: skip
from canary.scan.sweepcodes import joined_at, spaced_at, split_at
from canary.scan.sweephold import flush, settle
from canary.scan.sweepnumbers import chain_at
from canary.scan.sweepodd import packed_at, plate_at
from canary.scan.sweepwords import is_digit, plain_mail, take_digest, take_glued, take_mail, take_word
from canary.scan.sweepwork import (
    AHEAD,
    BEGINS,
    BLOCK_NUMBER,
    CHAIN_MASK,
    CHAINED,
    EMAIL,
    FAILED,
    JOINT_MASK,
    LONG_MASK,
    MAIL_LAST,
    MODE,
    NOW,
    PACKED_MASK,
    PLATE_MASK,
    PROSE,
    QUOTED,
    SPACED_MASK,
    SPLIT_MASK,
    STARTS,
    SUMS,
    VIEW,
    WANT,
)  # fmt: skip
from canary.scan.vectors import ATS, DIGITS, EMPTY, HIGH, LETTERS, MAIL_SIGNS, QUOTES, classify


@inner
def words_in(st: int, tb: int, s: int, p: int, found: Any, a0: Any, a1: Any, d0: Any, d1: Any) -> None:
    """Look up the words of a block that start at the set bits."""
    while found != U0:
        off = trailing(found)
        found &= found - U1
        o = U(off)
        x = ~(a0 >> o | a1 << U1 << U63 - o)
        i = p + off
        if x != U0:
            size = trailing(x)
            dm = d0 >> o | d1 << U1 << U63 - o
            dm &= (U1 << U(size)) - U1
            number = population(dm)
            before = trailing(dm)
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


@inner
def rare_in(st: int, tb: int, s: int, p: int, seg: Any) -> None:
    """Look up the numbers in groups and joined codes of a block; note what may be base64."""
    chain = mask_of(st, CHAIN_MASK) & seg
    long = mask_of(st, LONG_MASK)
    joint = mask_of(st, JOINT_MASK) & seg
    split = mask_of(st, SPLIT_MASK) & seg
    spaced = mask_of(st, SPACED_MASK) & seg
    packed = mask_of(st, PACKED_MASK) & seg
    plates = mask_of(st, PLATE_MASK) & seg
    while chain != U0:
        at = p + trailing(chain)
        chain &= chain - U1
        while is_digit(byte(s, at - 1)):
            at -= 1
        if at < p or long >> U(at - p) & U1 != U0:
            chain_at(st, tb, s, at)
            done = get(st, CHAINED) - p
            if done > 0:
                chain &= ~U0 << U(done) if done < 64 else U0
    while joint != U0:
        joined_at(st, tb, s, p + trailing(joint))
        joint &= joint - U1
    while split != U0:
        split_at(st, tb, s, p + trailing(split))
        split &= split - U1
    while spaced != U0:
        spaced_at(st, tb, s, p + trailing(spaced))
        spaced &= spaced - U1
    while packed != U0:
        packed_at(st, tb, s, p + trailing(packed))
        packed &= packed - U1
    while plates != U0:
        plate_at(st, tb, s, p + trailing(plates))
        plates &= plates - U1


@apart
def sweep(st: int, tb: int, s: int, first: int, n: int, skip: int) -> None:
    """Sweep the bytes of a text from `first` to `n`; records that start before `skip` are not counted as filled."""
    mode = get(st, MODE)
    view = get(st, VIEW)
    mails = byte(tb, WANT + EMAIL)
    p = first
    now = st + 8 * NOW
    ahead = st + 8 * AHEAD
    a_last = U0
    l_last = U0
    quoted = 0
    names = 0
    full = False
    put(st, BLOCK_NUMBER, 0)
    put(st, SUMS, 0)
    put(st, BEGINS, first)
    put(st, STARTS, 1)
    put(st, MAIL_LAST, 0)
    classify(s + p, now)
    while p < n:
        q = s + p
        classify(q + 64, ahead)
        d0 = mask_of(now, DIGITS)
        d1 = mask_of(ahead, DIGITS)
        l0 = mask_of(now, LETTERS)
        h0 = mask_of(now, HIGH)
        h1 = mask_of(ahead, HIGH)
        a0 = d0 | l0
        a1 = d1 | mask_of(ahead, LETTERS)
        two = a0 & next_to(a0, a1, U1)
        five = two & next_to(two, a1 & a1 >> U1, U2) & next_to(a0, a1, U4)
        start = five & ~(a0 << U1 | a_last)
        before = l0 << U1 | l_last
        rare = number_block(st, tb, now, ahead, five, a1, d0, d1, h0, h1, before)
        keep_mask(st, PACKED_MASK, U0)
        if not view:
            packed = packed_block(st, now, ahead, a0, a1, d0, d1)
            keep_mask(st, PACKED_MASK, packed)
            rare |= packed
            odd_block(st, tb, s, p, now, ahead, h0, h1)
        mail = mask_of(now, ATS) if mails else U0
        latin = l0 & ~before & next_to(l0, mask_of(ahead, LETTERS), U1)
        wide = names_of(st, q, mode, h0)
        border = borders_of(q, now, mode)
        ink = ~mask_of(now, EMPTY)
        done = U0
        while True:
            b = U0
            seg = ~done
            if border != U0:
                b = border & (U0 - border)
                border &= border - U1
                seg &= b | (b - U1)
            done |= seg
            if start & seg != U0:
                words_in(st, tb, s, p, start & seg, a0, a1, d0, d1)
            if rare & seg != U0:
                rare_in(st, tb, s, p, seg)
            m = mail & seg
            while m != U0:
                sign = p + trailing(m)
                if not plain_mail(st, tb, s, p, sign, now, ahead):
                    take_mail(st, tb, s, sign)
                m &= m - U1
            names += population(latin & seg) + (1 if mode == PROSE else 2) * population(wide & seg)
            full = full or ink & seg != U0
            if mode == QUOTED:
                quoted += population(mask_of(now, QUOTES) & seg)
            if b == U0:
                break
            at = border_end(s, p + trailing(b))
            if mode == QUOTED:
                if not quoted_border(st, quoted & 1 == 1):
                    at = 0
                quoted = 0
            if at and at < n:
                counted = full and get(st, BEGINS + get(st, STARTS) - 1) >= skip
                close_record(st, 0 if mode == PROSE else names, at, counted)
                names = names if mode == PROSE else 0
                full = False
        if mode == PROSE:
            close_block(st, names)
            names = 0
        a_last = a0 >> U63
        l_last = l0 >> U63
        put(st, MAIL_LAST, get(now, MAIL_SIGNS))
        other = now
        now = ahead
        ahead = other
        p += 64
        if get(st, FAILED):
            return
    close_record(st, names, n, full and get(st, BEGINS + get(st, STARTS) - 1) >= skip)
    settle(st)
    flush(st, tb)
