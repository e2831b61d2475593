"""The kernel's numbers: digits in groups with marks between them, read as phones and codes."""

from __future__ import annotations

from canary.scan.sweepwords import (
    CODE,
    KIND,
    MARK,
    NONWORD,
    PHONE,
    SHAPE_CODE,
    SHAPE_MOBILE,
    Array,
    copy_signs,
    date_end,
    emit_row,
    harden,
    is_digit,
    take_code,
    take_phone,
)


def take_groups(
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
            take_phone(canon, at, digits, abroad, out, st, lead, g[last, 1])
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
        emit_row(out, st, CODE, a, e, at, size, SHAPE_CODE + size)
    if a > 1 and (s[a - 1] == 45 or s[a - 1] == 95 or s[a - 1] == 47 or s[a - 1] == 32):
        p = a - 1
        while p > 0 and a - 1 - p < 9 and 97 <= (s[p - 1] | 32) <= 122 and s[p - 1] < 128:
            p -= 1
        letters = a - 1 - p
        if 1 <= letters <= 8 and (p == 0 or not is_digit(s[p - 1])):
            at = st[1] if size >= 5 else code + size
            for j in range(letters):
                canon[at + j] = s[p + j] & 0xDF
            for j in range(size):
                canon[at + letters + j] = canon[code + j]
            emit_row(out, st, CODE, p, e, at, letters + size, SHAPE_CODE + letters + size)


def take_chains(
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
        if not is_digit(s[i]):
            i += 1
            continue
        e = i
        while is_digit(s[e]):
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
            while is_digit(s[f]):
                f += 1
            if 3 <= f - b <= 5 and nonword[s[f]]:
                c = f + 2 if nonword[s[f + 1]] else f + 1
                h = c
                while h < c + 5 and is_digit(s[h]):
                    h += 1
                if h - c >= 3:
                    split = h
                    if f - b + h - c == 8:
                        at = st[1]
                        k = copy_signs(s, e - 3, e, canon, at, keep, 0)
                        k += copy_signs(s, b, f, canon, at + k, keep, 0)
                        copy_signs(s, c, h, canon, at + k, keep, 0)
                        emit_row(out, st, PHONE, e - 3, h, at, 11, SHAPE_MOBILE)
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
            if m == 0 or not is_digit(s[z + m]):
                break
            a = z + m
            z = a
            while is_digit(s[z]):
                z += 1
            single = single + 1 if m == 1 and z - a == 1 else 0
            spread = max(spread, single)
        z = g[k - 1, 1]
        chained = z
        if spread >= 9 or (odd and z - start >= 7 and k > 1):
            harden(hard, st, start, z)
        elif k > 1 and z - start >= 7:
            d = date_end(s, start, z)
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
                take_groups(s, d, n, g[skip:], k - skip, want, canon, out, st)
        i = e


def take_joined(s: Array, n: int, i: int, done: int, keep: Array, canon: Array, out: Array, st: Array) -> int:
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
            if is_digit(s[j]):
                digits += 1
        if 5 <= k <= 64 and kinds == 1 and digits:
            take_code(s, p, e, canon, keep, out, st)
        return e
    return n
