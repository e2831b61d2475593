"""The kernel's words: what one stretch of letters and digits is, looked up by its canonical value.

What the parts of the kernel share stands here too: forms, shapes, and how a row of `out` is written.
"""

from __future__ import annotations

from typing import Any, Final

PHONE: Final = 1
CODE: Final = 2
EMAIL: Final = 3
HASH: Final = 4
SHAPE_HASH: Final = 0
SHAPE_MOBILE: Final = 1
SHAPE_PHONE: Final = 10  # + length
SHAPE_EMAIL: Final = 40  # + class of the domain
SHAPE_CODE: Final = 100  # + length
SHAPES: Final = 256

# Tables of 256 signs: what a sign is.
KIND: Final = 0  # 1 digit, 2 letter
MARK: Final = 1  # 1 between groups of a number, 2 the same but odd
B64: Final = 2  # value + 1 in base64
NONWORD: Final = 3

Array = Any


def emit_row(
    out: Array, st: Array, form: int, start: int, end: int, at: int, length: int, shape: int
) -> None:
    """Write a row of what was found."""
    n = st[0]
    if n >= out.shape[0]:
        st[3] = 1
        return
    out[n, 0] = form
    out[n, 1] = start
    out[n, 2] = end
    out[n, 3] = at
    out[n, 4] = length
    out[n, 5] = shape
    st[0] = n + 1
    st[1] = at + length


def harden(hard: Array, st: Array, start: int, end: int) -> None:
    """Note a stretch that the plain engine has to read."""
    n = st[2]
    if n >= hard.shape[0]:
        st[3] = 1
        return
    hard[n, 0] = start
    hard[n, 1] = end
    st[2] = n + 1


def copy_signs(s: Array, a: int, b: int, canon: Array, at: int, keep: Array, fold: int) -> int:
    """Copy the letters and digits (all signs where `keep` is empty) of a stretch, upper (1) or lower case (2)."""
    k = at
    for j in range(a, b):
        c = s[j]
        if keep.shape[0] and keep[c] == 0:
            continue
        if fold == 1 and 97 <= c <= 122:
            c -= 32
        elif fold == 2 and 65 <= c <= 90:
            c += 32
        canon[k] = c
        k += 1
    return k - at


def is_mobile(d: Array, a: int) -> bool:
    """Tell whether eleven digits begin as a Chinese mobile number."""
    return bool(d[a] == 49 and 51 <= d[a + 1] <= 57)


def take_phone(
    canon: Array, at: int, k: int, abroad: bool, out: Array, st: Array, start: int, end: int
) -> None:
    """Emit the phone whose digits were written at `at`, as canonical_phone would."""
    a = at
    while k > 6 and canon[a] == 48 and canon[a + 1] == 48:
        a += 2
        k -= 2
        abroad = True
    if k == 13 and canon[a] == 56 and canon[a + 1] == 54 and is_mobile(canon, a + 2):
        a += 2
        k -= 2
    elif abroad and 11 <= k <= 13 and canon[a] == 56 and canon[a + 1] == 54 and canon[a + 2] > 49:
        a += 1
        k -= 1
        canon[a] = 48
    elif k == 12 and canon[a] == 48 and is_mobile(canon, a + 1):
        a += 1
        k -= 1
    if 5 <= k <= 15:
        shape = SHAPE_PHONE + k
        if k == 11 and canon[a] == 49 and canon[a + 1] > 50:
            shape = SHAPE_MOBILE
        emit_row(out, st, PHONE, start, end, a, k, shape)


def take_code(s: Array, a: int, b: int, canon: Array, keep: Array, out: Array, st: Array) -> None:
    """Look up a stretch as a code."""
    at = st[1]
    k = copy_signs(s, a, b, canon, at, keep, 1)
    emit_row(out, st, CODE, a, b, at, k, SHAPE_CODE + k)


def all_hex(s: Array, a: int, b: int) -> bool:
    """Tell whether a stretch is all hexadecimal digits."""
    for j in range(a, b):
        c = s[j] | 32
        if not (97 <= c <= 102 or 48 <= s[j] <= 57):
            return False
    return True


def take_word(
    s: Array,
    a: int,
    b: int,
    digits: int,
    want: Array,
    canon: Array,
    keep: Array,
    out: Array,
    st: Array,
    hard: Array,
) -> None:
    """Look up one run of letters and digits, as `words` does."""
    size = b - a
    if digits == size:
        if size <= 64 and want[CODE]:
            take_code(s, a, b, canon, keep, out, st)
        if size <= 19 and want[PHONE]:
            at = st[1]
            copy_signs(s, a, b, canon, at, keep, 0)
            take_phone(canon, at, size, False, out, st, a, b)
        return
    if digits == 0:
        if (size == 32 or size == 40 or size == 64) and all_hex(s, a, b):
            at = st[1]
            copy_signs(s, a, b, canon, at, keep, 2)
            emit_row(out, st, HASH, a, b, at, size, SHAPE_HASH)
        return
    if size > 64:
        harden(hard, st, a, b)
        return
    letters = size - digits
    simple = letters <= 24 and size <= 32 and digits != 11 and digits != 13 and digits != 15
    if simple:
        for j in range(a, a + letters):
            if 48 <= s[j] <= 57:
                simple = False
                break
    if not simple and (size == 32 or size == 40 or size == 64) and all_hex(s, a, b):
        at = st[1]
        copy_signs(s, a, b, canon, at, keep, 2)
        emit_row(out, st, HASH, a, b, at, size, SHAPE_HASH)
    if want[CODE]:
        take_code(s, a, b, canon, keep, out, st)
    if not simple:
        take_glued(s, a, b, want, canon, keep, out, st)


def take_glued(
    s: Array, a: int, b: int, want: Array, canon: Array, keep: Array, out: Array, st: Array
) -> None:
    """Look up the numbers that letters are glued to."""
    i = a
    before = a  # end of the digits before
    while i < b:
        if not 48 <= s[i] <= 57:
            i += 1
            continue
        e = i
        while e < b and 48 <= s[e] <= 57:
            e += 1
        k = e - i
        if want[PHONE] and (k == 11 or k == 13 or k == 15) and is_mobile(s, e - 11):
            fits = k == 11
            if k == 13:
                fits = (s[i] == 48 and s[i + 1] == 48) or (s[i] == 56 and s[i + 1] == 54)
            if k == 15:
                fits = s[i] == 48 and s[i + 1] == 48 and s[i + 2] == 56 and s[i + 3] == 54
            if fits:
                at = st[1]
                copy_signs(s, e - 11, e, canon, at, keep, 0)
                emit_row(out, st, PHONE, i, e, at, 11, SHAPE_MOBILE)
        if k >= 5 and want[CODE]:
            first = max(before, i - 4)
            if not (first == a and e == b):
                take_code(s, first, e, canon, keep, out, st)
        before = e
        i = e


def is_digit(c: int) -> bool:
    """Tell whether a sign is a digit."""
    return 48 <= c <= 57


def date_end(s: Array, a: int, e: int) -> int:
    """Give where a date and time at the front of a chain ends, `a` where there is none."""
    if e - a < 8 or not ((s[a] == 49 and s[a + 1] == 57) or (s[a] == 50 and s[a + 1] == 48)):
        return a
    m = s[a + 4]
    if not (is_digit(s[a + 2]) and is_digit(s[a + 3]) and (m == 45 or m == 47 or m == 46)):
        return a
    j = a + 5
    if (s[j] == 48 or s[j] == 49) and is_digit(s[j + 1]):
        j += 2
    elif is_digit(s[j]):
        j += 1
    else:
        return a
    if s[j] != m:
        return a
    j += 1
    if j < e and 48 <= s[j] <= 51 and j + 1 < e and is_digit(s[j + 1]):
        j += 2
    elif j < e and is_digit(s[j]):
        j += 1
    else:
        return a
    t = j
    while t < e and s[t] == 32:
        t += 1
    h = t
    while t > j and h < e and h - t < 2 and is_digit(s[h]):
        h += 1
    if h == t or h >= e or s[h] != 58 or h + 2 >= e or not (is_digit(s[h + 1]) and is_digit(s[h + 2])):
        return j
    j = h + 3
    if j + 2 < e and s[j] == 58 and is_digit(s[j + 1]) and is_digit(s[j + 2]):
        j += 3
    if j + 1 < e and s[j] == 46 and is_digit(s[j + 1]):
        j += 2
        while j < e and is_digit(s[j]):
            j += 1
    return j
