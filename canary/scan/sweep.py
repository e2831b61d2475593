"""The kernel: one pass over a block that looks up what is spelt plainly and leaves the rest to the plain engine.

It reads signs (a byte for a character, see canary.scan.signs) and writes rows of `out`: form, start, end, place and
length of the canonical value in `canon`, shape. What it cannot judge exactly it adds to `hard`: (start, end).
`st` holds the number of rows, the size of `canon`, the number of hard places, and whether anything overflowed.
"""

from __future__ import annotations

from typing import Final

from canary.compiled import Kernel
from canary.scan.sweepnumbers import take_chains, take_groups, take_joined
from canary.scan.sweepwords import (
    B64,
    CODE,
    EMAIL,
    KIND,
    PHONE,
    SHAPE_EMAIL,
    Array,
    all_hex,
    copy_signs,
    date_end,
    emit_row,
    harden,
    is_digit,
    is_mobile,
    take_code,
    take_glued,
    take_phone,
    take_word,
)


def _mail(
    s: Array, at: int, keep: Array, crc: Array, canon: Array, out: Array, st: Array, hard: Array
) -> None:
    """Look up the mail address around an '@', as `emails` does."""
    j = at + 1
    end = 0
    while True:
        a = j
        while keep[s[j]] or s[j] == 45:
            j += 1
        if a > at + 1:
            t = a
            while t < a + 24 and keep[s[t]] == 2:
                t += 1
            if t - a >= 2:
                end = t
        if j == a or j - a > 63 or s[j] != 46 or s[a] == 45 or s[j - 1] == 45:
            break
        j += 1
    if end == 0:
        return
    a = at
    while a > 0 and at - a < 64:
        c = s[a - 1]
        if not (keep[c] or c == 46 or c == 95 or c == 37 or c == 43 or c == 45):
            break
        a -= 1
    if a == at:
        return
    if not keep[s[a]] or end - a >= 190:
        harden(hard, st, a, end)
        return
    k = st[1]
    copy_signs(s, a, end, canon, k, keep[:0], 2)
    h = 0xFFFFFFFF
    for j in range(k + at + 1 - a, k + end - a):
        h = crc[(h ^ canon[j]) & 0xFF] ^ (h >> 8)
    emit_row(out, st, EMAIL, a, end, k, end - a, SHAPE_EMAIL + ((h ^ 0xFFFFFFFF) & 15))


def _readable(s: Array, a: int, b: int, more: bool, value: Array) -> bool:
    """Tell whether a base64 stretch may decode to text."""
    word = 0
    bits = 0
    need = 0
    valid = True
    control = False
    nul = 0
    telling = more
    low = 0x80
    digits = 0
    last = 0
    for j in range(a, b):
        word = ((word << 6) | (value[s[j]] - 1)) & 0xFFFFFF
        bits += 6
        if bits < 8:
            continue
        bits -= 8
        c = (word >> bits) & 0xFF
        if c == 0:
            nul += 1
            if nul >= 2:  # perhaps UTF-16
                return True
        elif c < 9 or 14 <= c < 32 or c == 127:
            control = True
        if need:
            if (c & 0xC0) != 0x80 or c < low:
                valid = False
                need = 0
            else:
                need -= 1
            low = 0x80
        elif c >= 0x80:
            if 0xC2 <= c <= 0xDF:
                need = 1
            elif 0xE0 <= c <= 0xEF:
                need = 2
                low = 0xA0 if c == 0xE0 else 0x80
            elif 0xF0 <= c <= 0xF4:
                need = 3
                low = 0x90 if c == 0xF0 else 0x80
            else:
                valid = False
        digits = digits + 1 if 48 <= c <= 57 else 0
        if digits >= 3 or c == 64 or (c == 35 and last == 38) or (c == 117 and last == 92) or c == 37:
            telling = True
        last = c
    return bool(nul == 0 and not control and (valid or telling))


def _packed(s: Array, a: int, b: int, value: Array, hard: Array, st: Array) -> None:
    """Leave a stretch that may be base64 to the plain engine."""
    if is_digit(s[a + 4]) and is_digit(s[a + 5]) and is_digit(s[a + 6]) and is_digit(s[a + 7]):
        return
    more = s[b] == 10 or s[b] == 13
    if _readable(s, a, b, more, value):
        harden(hard, st, a, b)
        return
    p = a
    for j in range(a, b + 1):
        if j == b or not (48 <= s[j] <= 57 or 65 <= s[j] <= 90 or 97 <= s[j] <= 122):
            if j - p >= 12 and (p > a or j < b) and _readable(s, p, j, more, value):
                harden(hard, st, a, b)
                return
            p = j + 1


def _half_open(s: Array, i: int) -> bool:
    """Tell whether 'at', 'dot' or '@' stands behind a bracket or a blank."""
    j = i + 1
    while j < i + 5 and (s[j] == 32 or 9 <= s[j] <= 13):
        j += 1
    c = s[j]
    return bool(
        c == 64
        or c == 46
        or c == 136
        or ((c | 32) == 97 and (s[j + 1] | 32) == 116)
        or ((c | 32) == 100 and (s[j + 1] | 32) == 111 and (s[j + 2] | 32) == 116)
    )


def _is_hex(c: int) -> bool:
    return 48 <= c <= 57 or 97 <= (c | 32) <= 102


def _odd(s: Array, i: int) -> bool:
    """Tell whether what stands here may be another spelling of something."""
    c = s[i]
    d = s[i + 1]
    if c == 61:  # =
        return bool((_is_hex(d) and _is_hex(s[i + 2])) or d == 32 or d == 9 or d == 10 or d == 13)
    if c == 37:
        return bool(_is_hex(d) and _is_hex(s[i + 2]))
    if c == 38:
        return bool(d == 35 or 97 <= (d | 32) <= 122)
    if c == 92:
        return not (d == 32 or 9 <= d <= 13)
    if c == 64:
        return d == 32 or d == 9 or (i > 0 and (s[i - 1] == 32 or s[i - 1] == 9))
    if c == 32 or c == 9 or c == 95 or c == 45:
        if (d | 32) != 97 and (d | 32) != 100 and d != 64:
            return False
        e = i + 2
        if d != 64:
            e = i + 3 if (d | 32) == 97 and (s[i + 2] | 32) == 116 else i + 4
            if e == i + 4 and not ((d | 32) == 100 and (s[i + 2] | 32) == 111 and (s[i + 3] | 32) == 116):
                return False
        return bool(s[e] == 32 or s[e] == 9 or s[e] == 95 or s[e] == 45)
    if c == 91 or c == 40 or c == 123 or c == 60 or c == 132:
        return _half_open(s, i)
    if c == 130:
        return True
    if c == 131:
        j = i + 1
        for _ in range(3):
            if s[j] == 32 or s[j] == 45 or s[j] == 135:
                j += 1
            if not (is_digit(s[j]) or s[j] == 131):
                return False
            j += 1
        return True
    return bool(c == 133 and d < 128 and 97 <= (d | 32) <= 122)


def _sweep(
    s: Array, n: int, tables: Array, special: Array, want: Array, crc: Array,
    canon: Array, out: Array, st: Array, hard: Array, g: Array,
) -> None:  # fmt: skip
    keep = tables[KIND]
    value = tables[B64]
    done = 0
    spaced = 0
    i = 0
    run = 0  # start of a stretch of base64 signs
    while i < n:
        c = s[i]
        if keep[c] == 0:
            if special[c]:
                if _odd(s, i):
                    harden(hard, st, i, i + 1)
                if c == 64:
                    if want[EMAIL]:
                        _mail(s, i, keep, crc, canon, out, st, hard)
                elif 45 <= c <= 47 or c == 95:
                    if i >= done and i > 0 and want[CODE] and keep[s[i - 1]] + keep[s[i + 1]] == 3:
                        done = take_joined(s, n, i, done, keep, canon, out, st)
                elif c == 32 and want[CODE] and i > spaced and is_digit(s[i + 1]) and 65 <= s[i - 1] <= 90:
                    e = i + 1
                    while is_digit(s[e]) and e < i + 21:
                        e += 1
                    if e - i > 5:
                        a = i - 1
                        while a > spaced and i - a < 3 and 65 <= s[a - 1] <= 90:
                            a -= 1
                        take_code(s, a, e, canon, keep, out, st)
                        spaced = e
            if value[c] == 0:
                if i - run >= 12:
                    _packed(s, run, i, value, hard, st)
                run = i + 1
            i += 1
            continue
        e = i
        digits = 0
        while keep[s[e]]:
            digits += keep[s[e]] == 1
            e += 1
        if e - i >= 5:
            take_word(s, i, e, digits, want, canon, keep, out, st, hard)
        if st[1] + 4096 > canon.shape[0] or st[3]:
            st[3] = 1
            return
        i = e
    if n - run >= 12:
        _packed(s, run, n, value, hard, st)
    if want[PHONE] or want[CODE]:
        take_chains(s, n, tables, want, canon, out, st, hard, g)


_TYPES: Final = {
    **dict.fromkeys(("s", "d", "canon", "keep", "value"), "u1[::1]"),
    **dict.fromkeys(("out", "hard", "g"), "i4[:, ::1]"),
    "tables": "u1[:, ::1]",
    "want": "b1[::1]",
    "st": "i8[::1]",
    "crc": "i8[::1]",
}
sweep_kernel: Kernel[..., None] = Kernel(_sweep, (
    emit_row, harden, copy_signs, is_mobile, take_phone, take_code, all_hex, take_glued, take_word, is_digit, date_end,
    take_groups, take_chains, take_joined,
    _mail, _readable, _packed, _half_open, _is_hex, _odd,
), _TYPES)  # fmt: skip
