"""The kernel's escapes: references of HTML, backslashes, percent signs, quoted-printable."""

from __future__ import annotations

import numpy as np

from canary.native import apart, inner
from canary.operations import byte, get, load64, place, put, put_byte
from canary.scan.signs import GB_COLUMNS
from canary.scan.sweepnumbers import char_at
from canary.scan.sweepodd import is_hex
from canary.scan.sweepwords import is_digit, is_letter
from canary.scan.sweepwork import CANNOT, ENTITIES, ENTITY, GB_PAIRS, WESTERN

U = np.uint64
DECIMAL = U(0xFF0000FFFF)
TWO_DIGITS = U(0x3B00002326)  # &#..;


@inner
def space_at(s: int, i: int) -> int:
    """Give the size of the white space that stands here, 0 where there is none."""
    c = byte(s, i)
    if c < 128:
        return 1 if c == 32 or 9 <= c <= 13 or 28 <= c <= 31 else 0
    code, size = char_at(s, i)
    if code in (0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000) or 0x2000 <= code <= 0x200A:
        return size
    return 0


@inner
def written(d: int, o: int, code: int) -> int:
    """Write a character in UTF-8; gives where it ends."""
    if code < 0x80:
        put_byte(d, o, code)
        return o + 1
    if code < 0x800:
        put_byte(d, o, 0xC0 | code >> 6)
        put_byte(d, o + 1, 0x80 | code & 63)
        return o + 2
    if code < 0x10000:
        put_byte(d, o, 0xE0 | code >> 12)
        put_byte(d, o + 1, 0x80 | code >> 6 & 63)
        put_byte(d, o + 2, 0x80 | code & 63)
        return o + 3
    put_byte(d, o, 0xF0 | code >> 18)
    put_byte(d, o + 1, 0x80 | code >> 12 & 63)
    put_byte(d, o + 2, 0x80 | code >> 6 & 63)
    put_byte(d, o + 3, 0x80 | code & 63)
    return o + 4


@inner
def hex_of(c: int) -> int:
    """Give the value of a hexadecimal digit."""
    return c - 48 if is_digit(c) else (c | 32) - 87


@inner
def hexes(s: int, i: int, most: int) -> tuple[int, int]:
    """Read up to so many hexadecimal digits: their value, and where they end."""
    e = i
    value = 0
    while e < i + most and is_hex(byte(s, e)):
        value = value << 4 | hex_of(byte(s, e))
        e += 1
    return (value, e)


@inner
def is_nothing(code: int) -> bool:
    """Tell whether a reference to a number stands for nothing: controls, and what is no character."""
    if code < 32:
        return code not in (9, 10, 12, 13)
    return code == 127 or 0xFDD0 <= code <= 0xFDEF or code & 0xFFFE == 0xFFFE


@apart
def html_at(st: int, tb: int, s: int, i: int, n: int, d: int, o: int) -> tuple[int, int]:
    """Decode a reference of HTML."""
    first = i
    while load64(s + i) & DECIMAL == TWO_DIGITS and i + 5 <= n:  # as most are that hide a number
        value = 10 * byte(s, i + 2) + byte(s, i + 3) - 528
        if value < 32 or not (is_digit(byte(s, i + 2)) and is_digit(byte(s, i + 3))):
            break
        put_byte(d, o, value)
        i += 5
        o += 1
    if i > first:
        return (i, o)
    j = i + 1
    if byte(s, j) != 35:
        return named_at(st, tb, s, i, n, d, o)
    value = 0
    if byte(s, j + 1) | 32 == 120:
        value, e = hexes(s, j + 2, 6)
        if e == j + 2:
            return (i, o)
    else:
        e = j + 1
        while e < j + 8 and is_digit(byte(s, e)):
            value = value * 10 + byte(s, e) - 48
            e += 1
        if e == j + 1:
            return (i, o)
    if e < n and byte(s, e) == 59:
        e += 1
    if e > n:
        return (i, o)
    if 0x80 <= value <= 0x9F:
        value = get(tb + WESTERN, value - 0x80)
    elif value == 0 or 0xD800 <= value <= 0xDFFF or value > 0x10FFFF:
        value = 0xFFFD
    elif is_nothing(value):
        return (e, o)
    return (e, written(d, o, value))


@inner
def named_at(st: int, tb: int, s: int, i: int, n: int, d: int, o: int) -> tuple[int, int]:
    """Decode a name of HTML that has up to eight letters."""
    e = i + 1
    while e < i + 12 and is_letter(byte(s, e)):
        e += 1
    size = e - i - 1
    if size < 2 or size > 10 or byte(s, e) != 59 or e >= n:
        return (i, o)
    kept = ~U(0) if size >= 8 else (U(1) << U(8 * size)) - U(1)
    name = load64(s + i + 1) & kept
    low = 0
    high = ENTITY
    while low < high:
        middle = low + high >> 1
        if U(get(tb + ENTITIES, 2 * middle)) < name:
            low = middle + 1
        else:
            high = middle
    if size <= 8 and low < ENTITY and U(get(tb + ENTITIES, 2 * low)) == name:
        for j in range(8):
            c = byte(tb, ENTITIES + 16 * low + 8 + j)
            if c:
                put_byte(d, o, c)
                o += 1
        return (e + 1, o)
    put(st, CANNOT, 1)
    return (i, o)


@apart
def escape_of(s: int, i: int, n: int, d: int, o: int) -> tuple[int, int]:
    """Decode a backslash and what follows it."""
    c = byte(s, i + 1)
    if c == 117 or c == 85 or c == 120:
        return unit_at(s, i, n, d, o)
    if i + 1 >= n:
        return (i, o)
    if is_letter(c) or is_digit(c):
        plain = 0
        if c == 110:
            plain = 10
        elif c == 114:
            plain = 13
        elif c == 116:
            plain = 9
        elif c == 98 or c == 102 or c == 118:
            plain = 32
        if plain:
            put_byte(d, o, plain)
            return (i + 2, o + 1)
        return (i, o)
    if space_at(s, i + 1):
        return (i, o)
    size = 1
    if c >= 128:
        size = char_at(s, i + 1)[1]
    for j in range(size):
        put_byte(d, o + j, byte(s, i + 1 + j))
    return (i + 1 + size, o + size)


@inner
def unit_at(s: int, i: int, n: int, d: int, o: int) -> tuple[int, int]:
    """Decode numbers of characters: one, or several of four digits, of which two may be one character."""
    c = byte(s, i + 1)
    if c == 117 and byte(s, i + 2) == 123:
        value, e = hexes(s, i + 3, 6)
        if e > i + 3 and byte(s, e) == 125 and e < n:
            return (e + 1, single(d, o, value))
        return (i, o)
    wanted = 4
    if c == 85:
        wanted = 8
    elif c == 120:
        wanted = 2
    value, e = hexes(s, i + 2, wanted)
    if e - i - 2 != wanted or e > n:
        return (i, o)
    if c != 117:
        return (e, single(d, o, value))
    while True:
        following = -1
        f = e
        if byte(s, e) == 92 and byte(s, e + 1) == 117:
            following, f = hexes(s, e + 2, 4)
            if f - e - 2 != 4 or f > n:
                following = -1
        if 0xD800 <= value <= 0xDBFF and 0xDC00 <= following <= 0xDFFF:
            o = written(d, o, 0x10000 + (value - 0xD800 << 10) + following - 0xDC00)
            e = f
            if not (byte(s, e) == 92 and byte(s, e + 1) == 117):
                return (e, o)
            following, f = hexes(s, e + 2, 4)
            if f - e - 2 != 4 or f > n:
                return (e, o)
        else:
            o = single(d, o, value)
        if following < 0:
            return (e, o)
        value = following
        e = f


@inner
def single(d: int, o: int, value: int) -> int:
    """Write a character by its number; half of one is none, and what is beyond all of them is nothing."""
    if value >= 0x110000:
        return o
    return written(d, o, 0xFFFD if 0xD800 <= value <= 0xDFFF else value)


@apart
def octets_at(st: int, tb: int, s: int, i: int, n: int, mark: int, d: int, o: int) -> tuple[int, int]:
    """Decode bytes written as two hexadecimal digits behind a mark, in quoted-printable with soft ends of lines."""
    e = i
    m = o
    most = 0
    control = False
    while byte(s, e) == mark:
        if is_hex(byte(s, e + 1)) and is_hex(byte(s, e + 2)) and e + 3 <= n:
            c = hex_of(byte(s, e + 1)) << 4 | hex_of(byte(s, e + 2))
            most = max(most, c)
            if c == 0:
                put(st, CANNOT, 1)
            control = control or (c < 32 and c != 9 and c != 10 and c != 13)
            put_byte(d, m, c)
            m += 1
            e += 3
            continue
        if mark != 61:
            break
        f = e + 1
        while byte(s, f) == 32 or byte(s, f) == 9:
            f += 1
        if byte(s, f) == 13:
            f += 1
        if byte(s, f) != 10 or f >= n:
            break
        e = f + 1
    if e == i:
        return (i, o)
    if most > 0x7F and m - o == 1:  # what is no text in any encoding
        return (e, written(d, o, 0xFFFD))
    if most > 0x7E and not is_utf8(d, o, m):
        m = o if control else from_gb(tb, d, o, m)
        if m == o:
            put(st, CANNOT, 1)
    if control:
        for j in range(e - i):
            put_byte(d, o + j, byte(s, i + j))
        return (e, o + e - i)
    return (e, m)


@inner
def is_utf8(d: int, a: int, b: int) -> bool:
    """Tell whether bytes are UTF-8 and begin with no byte order mark."""
    if byte(d, a) == 0xEF and byte(d, a + 1) == 0xBB and byte(d, a + 2) == 0xBF:
        return False
    return valid_utf8(d, a, b)


@apart
def valid_utf8(d: int, a: int, b: int) -> bool:
    """Tell whether bytes are UTF-8; what stands behind them is overwritten."""
    put_byte(d, b, 0)
    while a < b:
        code, size = char_at(d, a)
        if byte(d, a) >= 128 and size == 1:
            return False
        if (size == 3 and code < 0x800) or (size == 4 and code < 0x10000):
            return False
        if size == 4 and (byte(d, a) == 0xF4 and byte(d, a + 1) > 0x8F):
            return False
        if 0xD800 <= code <= 0xDFFF:
            return False
        a += size
    return True


@inner
def gb_pair(tb: int, c: int, d: int) -> int:
    """Give the character that two bytes are in GB18030, 0 where they are none."""
    if c < 0x81 or c == 255 or d < 0x40 or d == 255:
        return 0
    return int(place(tb + GB_PAIRS, GB_COLUMNS * (c - 0x81) + d - 0x40))


@apart
def from_gb(tb: int, d: int, o: int, m: int) -> int:
    """Write bytes of GB18030 as UTF-8; gives where they end, `o` where they are none of it for sure."""
    size = m - o
    if byte(d, o) == 0xEF and byte(d, o + 1) == 0xBB and byte(d, o + 2) == 0xBF:  # a mark of UTF-8
        return o
    source = d + o + 2 * size  # what is written takes less
    for j in range(size):
        put_byte(source, j, byte(d, o + j))
    end = o
    j = 0
    signs = 0
    common = 0
    while j < size:
        code = byte(source, j)
        if code >= 128:
            j += 1
            code = gb_pair(tb, code, byte(source, j)) if j < size else 0
            if code == 0:
                return o
        j += 1
        end = written(d, end, code)
        signs += 1
        common += (
            0x4E00 <= code <= 0x9FFF
            or 32 <= code < 127
            or 0x3000 <= code <= 0x303F
            or 0xFF01 <= code <= 0xFF5E
        )
    return end if size < 8 or 10 * common >= 6 * signs else o  # else they may be UTF-16
