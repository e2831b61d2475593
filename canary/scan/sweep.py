"""The kernel: one pass over a block that looks up what is spelt plainly and leaves the rest to the plain engine.

It reads signs (a byte for a character, see canary.scan.signs) and writes rows of `out`: form, start, end, place and
length of the canonical value in `canon`, shape. What it cannot judge exactly it adds to `hard`: (start, end).
`st` holds the number of rows, the size of `canon`, the number of hard places, and whether anything overflowed.
"""

from __future__ import annotations

from typing import Any, Final

from canary.compiled import Kernel

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


def _emit(out: Array, st: Array, form: int, start: int, end: int, at: int, length: int, shape: int) -> None:
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


def _harden(hard: Array, st: Array, start: int, end: int) -> None:
    n = st[2]
    if n >= hard.shape[0]:
        st[3] = 1
        return
    hard[n, 0] = start
    hard[n, 1] = end
    st[2] = n + 1


def _copy(s: Array, a: int, b: int, canon: Array, at: int, keep: Array, fold: int) -> int:
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


def _mobile(d: Array, a: int) -> bool:
    return bool(d[a] == 49 and 51 <= d[a + 1] <= 57)


def _phone(canon: Array, at: int, k: int, abroad: bool, out: Array, st: Array, start: int, end: int) -> None:
    """Emit the phone whose digits were written at `at`, as canonical_phone would."""
    a = at
    while k > 6 and canon[a] == 48 and canon[a + 1] == 48:
        a += 2
        k -= 2
        abroad = True
    if k == 13 and canon[a] == 56 and canon[a + 1] == 54 and _mobile(canon, a + 2):
        a += 2
        k -= 2
    elif abroad and 11 <= k <= 13 and canon[a] == 56 and canon[a + 1] == 54 and canon[a + 2] > 49:
        a += 1
        k -= 1
        canon[a] = 48
    elif k == 12 and canon[a] == 48 and _mobile(canon, a + 1):
        a += 1
        k -= 1
    if 5 <= k <= 15:
        shape = SHAPE_PHONE + k
        if k == 11 and canon[a] == 49 and canon[a + 1] > 50:
            shape = SHAPE_MOBILE
        _emit(out, st, PHONE, start, end, a, k, shape)


def _code(s: Array, a: int, b: int, canon: Array, keep: Array, out: Array, st: Array) -> None:
    at = st[1]
    k = _copy(s, a, b, canon, at, keep, 1)
    _emit(out, st, CODE, a, b, at, k, SHAPE_CODE + k)


def _hex(s: Array, a: int, b: int) -> bool:
    for j in range(a, b):
        c = s[j] | 32
        if not (97 <= c <= 102 or 48 <= s[j] <= 57):
            return False
    return True


def _word(
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
            _code(s, a, b, canon, keep, out, st)
        if size <= 19 and want[PHONE]:
            at = st[1]
            _copy(s, a, b, canon, at, keep, 0)
            _phone(canon, at, size, False, out, st, a, b)
        return
    if digits == 0:
        if (size == 32 or size == 40 or size == 64) and _hex(s, a, b):
            at = st[1]
            _copy(s, a, b, canon, at, keep, 2)
            _emit(out, st, HASH, a, b, at, size, SHAPE_HASH)
        return
    if size > 64:
        _harden(hard, st, a, b)
        return
    letters = size - digits
    simple = letters <= 24 and size <= 32 and digits != 11 and digits != 13 and digits != 15
    if simple:
        for j in range(a, a + letters):
            if 48 <= s[j] <= 57:
                simple = False
                break
    if not simple and (size == 32 or size == 40 or size == 64) and _hex(s, a, b):
        at = st[1]
        _copy(s, a, b, canon, at, keep, 2)
        _emit(out, st, HASH, a, b, at, size, SHAPE_HASH)
    if want[CODE]:
        _code(s, a, b, canon, keep, out, st)
    if not simple:
        _glued(s, a, b, want, canon, keep, out, st)


def _glued(s: Array, a: int, b: int, want: Array, canon: Array, keep: Array, out: Array, st: Array) -> None:
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
        if want[PHONE] and (k == 11 or k == 13 or k == 15) and _mobile(s, e - 11):
            fits = k == 11
            if k == 13:
                fits = (s[i] == 48 and s[i + 1] == 48) or (s[i] == 56 and s[i + 1] == 54)
            if k == 15:
                fits = s[i] == 48 and s[i + 1] == 48 and s[i + 2] == 56 and s[i + 3] == 54
            if fits:
                at = st[1]
                _copy(s, e - 11, e, canon, at, keep, 0)
                _emit(out, st, PHONE, i, e, at, 11, SHAPE_MOBILE)
        if k >= 5 and want[CODE]:
            first = max(before, i - 4)
            if not (first == a and e == b):
                _code(s, first, e, canon, keep, out, st)
        before = e
        i = e


def _digit(c: int) -> bool:
    return 48 <= c <= 57


def _date(s: Array, a: int, e: int) -> int:
    """Give where a date and time at the front of a chain ends, `a` where there is none."""
    if e - a < 8 or not ((s[a] == 49 and s[a + 1] == 57) or (s[a] == 50 and s[a + 1] == 48)):
        return a
    m = s[a + 4]
    if not (_digit(s[a + 2]) and _digit(s[a + 3]) and (m == 45 or m == 47 or m == 46)):
        return a
    j = a + 5
    if (s[j] == 48 or s[j] == 49) and _digit(s[j + 1]):
        j += 2
    elif _digit(s[j]):
        j += 1
    else:
        return a
    if s[j] != m:
        return a
    j += 1
    if j < e and 48 <= s[j] <= 51 and j + 1 < e and _digit(s[j + 1]):
        j += 2
    elif j < e and _digit(s[j]):
        j += 1
    else:
        return a
    t = j
    while t < e and s[t] == 32:
        t += 1
    h = t
    while t > j and h < e and h - t < 2 and _digit(s[h]):
        h += 1
    if h == t or h >= e or s[h] != 58 or h + 2 >= e or not (_digit(s[h + 1]) and _digit(s[h + 2])):
        return j
    j = h + 3
    if j + 2 < e and s[j] == 58 and _digit(s[j + 1]) and _digit(s[j + 2]):
        j += 3
    if j + 1 < e and s[j] == 46 and _digit(s[j + 1]):
        j += 2
        while j < e and _digit(s[j]):
            j += 1
    return j


def _groups(
    s: Array,
    start: int,
    n: int,
    g: Array,
    k: int,
    want: Array,
    canon: Array,
    out: Array,
    st: Array,
) -> None:
    """Look up the stretches of a chain of `k` groups: as phones, and the whole as a code."""
    for first in range(k if want[PHONE] else 0):
        lead = g[first, 0]
        abroad = False
        while lead > start and (s[lead - 1] == 43 or s[lead - 1] == 40):
            lead -= 1
            if s[lead] == 43:
                abroad = True
        size = 0
        for last in range(first, min(first + 7, k)):
            size += g[last, 1] - g[last, 0]
            if size > 17:
                break
            if size < 7 or (last == first and lead == g[first, 0]):
                continue
            at = st[1]
            digits = 0
            whole = last
            if last == first + 1 and lead == g[first, 0] and g[first, 1] - lead >= 4:
                zeros = s[g[first, 1]] == 46 and g[last, 0] == g[first, 1] + 1
                for j in range(g[last, 0], g[last, 1]):
                    zeros = zeros and s[j] == 48
                if zeros:  # a number that was stored as one with a fraction
                    whole = first
            for each in range(first, whole + 1):
                for j in range(g[each, 0], g[each, 1]):
                    canon[at + digits] = s[j]
                    digits += 1
            _phone(canon, at, digits, abroad, out, st, lead, g[last, 1])
    if not want[CODE] or k < 2 or g[k - 1, 1] - start > 80:
        return
    joint = g[1, 0] - g[0, 1]
    for each in range(1, k):
        if g[each, 0] - g[each - 1, 1] != joint:
            return
        for j in range(joint):
            if s[g[each - 1, 1] + j] != s[g[0, 1] + j]:
                return
    at = st[1]
    size = 0
    for each in range(k):
        for j in range(g[each, 0], g[each, 1]):
            canon[at + size] = s[j]
            size += 1
    a = g[0, 0]
    e = g[k - 1, 1]
    if size == 17 and e < n and (s[e] | 32) == 120:
        canon[at + size] = 88
        size += 1
    code = at
    if size >= 5:
        _emit(out, st, CODE, a, e, at, size, SHAPE_CODE + size)
    if a > 1 and (s[a - 1] == 45 or s[a - 1] == 95 or s[a - 1] == 47 or s[a - 1] == 32):
        p = a - 1
        while p > 0 and a - 1 - p < 9 and 97 <= (s[p - 1] | 32) <= 122 and s[p - 1] < 128:
            p -= 1
        letters = a - 1 - p
        if 1 <= letters <= 8 and (p == 0 or not _digit(s[p - 1])):
            at = st[1] if size >= 5 else code + size
            for j in range(letters):
                canon[at + j] = s[p + j] & 0xDF
            for j in range(size):
                canon[at + letters + j] = canon[code + j]
            _emit(out, st, CODE, p, e, at, letters + size, SHAPE_CODE + letters + size)


def _chains(
    s: Array, n: int, tables: Array, want: Array, canon: Array, out: Array, st: Array, hard: Array, g: Array
) -> None:
    """Look up numbers in groups of digits, as `chains` does."""
    keep = tables[KIND]
    mark = tables[MARK]
    nonword = tables[NONWORD]
    i = 0
    split = 0  # where the last mobile in cells of its own ended
    chained = 0  # where the last chain ended
    while i < n:
        if not _digit(s[i]):
            i += 1
            continue
        e = i
        while _digit(s[e]):
            e += 1
        if (
            e - i >= 3
            and want[PHONE]
            and s[e - 3] == 49
            and s[e - 2] > 50
            and e - 3 >= split
            and nonword[s[e]]
        ):
            b = e + 2 if nonword[s[e + 1]] else e + 1
            f = b
            while _digit(s[f]):
                f += 1
            if 3 <= f - b <= 5 and nonword[s[f]]:
                c = f + 2 if nonword[s[f + 1]] else f + 1
                h = c
                while h < c + 5 and _digit(s[h]):
                    h += 1
                if h - c >= 3:
                    split = h
                    if f - b + h - c == 8:
                        at = st[1]
                        k = _copy(s, e - 3, e, canon, at, keep, 0)
                        k += _copy(s, b, f, canon, at + k, keep, 0)
                        _copy(s, c, h, canon, at + k, keep, 0)
                        _emit(out, st, PHONE, e - 3, h, at, 11, SHAPE_MOBILE)
        if i < chained or not mark[s[e]]:
            i = e
            continue
        start = i
        if i > chained and (s[i - 1] == 43 or s[i - 1] == 40):
            start = i - 1
        k = 0
        odd = False
        single = 0
        spread = 0
        a = i
        z = e
        while True:
            if k >= g.shape[0]:
                odd = True
                k -= 1
            g[k, 0] = a
            g[k, 1] = z
            k += 1
            m = 0
            while m < 3 and mark[s[z + m]]:
                odd = odd or mark[s[z + m]] == 2
                m += 1
            if m == 0 or not _digit(s[z + m]):
                break
            a = z + m
            z = a
            while _digit(s[z]):
                z += 1
            single = single + 1 if m == 1 and z - a == 1 else 0
            spread = max(spread, single)
        z = g[k - 1, 1]
        chained = z
        if spread >= 9 or (odd and z - start >= 7 and k > 1):
            _harden(hard, st, start, z)
        elif k > 1 and z - start >= 7:
            d = _date(s, start, z)
            skip = 0
            while skip < k and g[skip, 1] <= d:
                skip += 1
            if skip < k and g[skip, 0] < d:
                g[skip, 0] = d
            decimal = (
                k - skip == 2
                and d == start
                and g[skip, 0] == start
                and g[skip, 1] + 1 == g[skip + 1, 0]
                and (s[g[skip, 1]] == 46 and g[skip + 1, 1] - g[skip + 1, 0] <= 6)
            )
            if skip < k and d > start and d == g[skip, 0]:  # the rest begins with digits
                decimal = (
                    k - skip == 2
                    and g[skip, 1] + 1 == g[skip + 1, 0]
                    and (s[g[skip, 1]] == 46 and g[skip + 1, 1] - g[skip + 1, 0] <= 6)
                )
            if z - d >= 7 and skip < k and not decimal:
                _groups(s, d, n, g[skip:], k - skip, want, canon, out, st)
        i = e


def _joined(s: Array, n: int, i: int, done: int, keep: Array, canon: Array, out: Array, st: Array) -> int:
    """Look up the code around a joint of letters and digits, as `mixed_codes` does; gives where it ends."""
    p = i
    while p > done and (keep[s[p - 1]] or 45 <= s[p - 1] <= 47 or s[p - 1] == 95):
        p -= 1
    while p < n:
        while not keep[s[p]]:
            p += 1
            if p >= n:
                return n
        e = p
        k = 0
        joint = 0
        kinds = 1
        while keep[s[e]]:
            e += 1
        k = e - p
        joints = 0
        while (45 <= s[e] <= 47 or s[e] == 95) and keep[s[e + 1]]:
            if joints and s[e] != joint:
                kinds = 2
            joint = s[e]
            joints += 1
            e += 1
            while keep[s[e]]:
                e += 1
                k += 1
        if joints == 0:
            p = e
            continue
        digits = 0
        for j in range(p, e):
            if _digit(s[j]):
                digits += 1
        if 5 <= k <= 64 and kinds == 1 and digits:
            _code(s, p, e, canon, keep, out, st)
        return e
    return n


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
        _harden(hard, st, a, end)
        return
    k = st[1]
    _copy(s, a, end, canon, k, keep[:0], 2)
    h = 0xFFFFFFFF
    for j in range(k + at + 1 - a, k + end - a):
        h = crc[(h ^ canon[j]) & 0xFF] ^ (h >> 8)
    _emit(out, st, EMAIL, a, end, k, end - a, SHAPE_EMAIL + ((h ^ 0xFFFFFFFF) & 15))


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
    if _digit(s[a + 4]) and _digit(s[a + 5]) and _digit(s[a + 6]) and _digit(s[a + 7]):
        return
    more = s[b] == 10 or s[b] == 13
    if _readable(s, a, b, more, value):
        _harden(hard, st, a, b)
        return
    p = a
    for j in range(a, b + 1):
        if j == b or not (48 <= s[j] <= 57 or 65 <= s[j] <= 90 or 97 <= s[j] <= 122):
            if j - p >= 12 and (p > a or j < b) and _readable(s, p, j, more, value):
                _harden(hard, st, a, b)
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
            if not (_digit(s[j]) or s[j] == 131):
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
                    _harden(hard, st, i, i + 1)
                if c == 64:
                    if want[EMAIL]:
                        _mail(s, i, keep, crc, canon, out, st, hard)
                elif 45 <= c <= 47 or c == 95:
                    if i >= done and i > 0 and want[CODE] and keep[s[i - 1]] + keep[s[i + 1]] == 3:
                        done = _joined(s, n, i, done, keep, canon, out, st)
                elif c == 32 and want[CODE] and i > spaced and _digit(s[i + 1]) and 65 <= s[i - 1] <= 90:
                    e = i + 1
                    while _digit(s[e]) and e < i + 21:
                        e += 1
                    if e - i > 5:
                        a = i - 1
                        while a > spaced and i - a < 3 and 65 <= s[a - 1] <= 90:
                            a -= 1
                        _code(s, a, e, canon, keep, out, st)
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
            _word(s, i, e, digits, want, canon, keep, out, st, hard)
        if st[1] + 4096 > canon.shape[0] or st[3]:
            st[3] = 1
            return
        i = e
    if n - run >= 12:
        _packed(s, run, n, value, hard, st)
    if want[PHONE] or want[CODE]:
        _chains(s, n, tables, want, canon, out, st, hard, g)


_TYPES: Final = {
    **dict.fromkeys(("s", "d", "canon", "keep", "value"), "u1[::1]"),
    **dict.fromkeys(("out", "hard", "g"), "i4[:, ::1]"),
    "tables": "u1[:, ::1]",
    "want": "b1[::1]",
    "st": "i8[::1]",
    "crc": "i8[::1]",
}
sweep_kernel: Kernel[..., None] = Kernel(_sweep, (
    _emit, _harden, _copy, _mobile, _phone, _code, _hex, _glued, _word, _digit, _date, _groups, _chains, _joined,
    _mail, _readable, _packed, _half_open, _is_hex, _odd,
), _TYPES)  # fmt: skip
