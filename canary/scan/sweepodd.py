"""The kernel's oddities: what may be another spelling of something."""

from __future__ import annotations

from canary.native import inner
from canary.operations import byte, put_byte
from canary.scan.signs import DOT, HIDDEN, NUMERAL, ODD, OPEN, PROVINCE, WORD_OF_AT
from canary.scan.sweephold import hold, note_odd
from canary.scan.sweepnumbers import char_at
from canary.scan.sweepwords import is_digit, is_letter
from canary.scan.sweepwork import CANON, CLASSES, CODE, SHAPE_CODE, WANT


@inner
def is_hex(c: int) -> bool:
    """Tell whether a byte is a hexadecimal digit."""
    return is_digit(c) or 97 <= c | 32 <= 102


@inner
def is_blank(c: int) -> bool:
    """Tell whether a byte is white space."""
    return c == 32 or 9 <= c <= 13


@inner
def escape_at(st: int, s: int, i: int) -> None:
    """Harden what an escape stands for."""
    c = byte(s, i)
    d = byte(s, i + 1)
    odd = False
    if c == 61:
        odd = (is_hex(d) and is_hex(byte(s, i + 2))) or is_blank(d)
    elif c == 37:
        odd = is_hex(d) and is_hex(byte(s, i + 2))
    elif c == 38:
        odd = d == 35 or is_letter(d)
    elif c == 92:
        odd = not is_blank(d)
    if odd:
        note_odd(st, i, i + 1)


@inner
def is_at(s: int, j: int) -> bool:
    """Tell whether a word for '@' or '.' stands here."""
    c = byte(s, j) | 32
    return bool(
        byte(s, j) == 64
        or byte(s, j) == 46
        or (c == 97 and byte(s, j + 1) | 32 == 116)
        or (c == 100 and byte(s, j + 1) | 32 == 111 and (byte(s, j + 2) | 32 == 116))
    )


@inner
def open_at(st: int, tb: int, s: int, i: int, j: int) -> None:
    """Harden '@' or '.' within brackets, the first of which stands from `i` to `j`."""
    first = j
    while j < first + 4 and is_blank(byte(s, j)):
        j += 1
    odd = is_at(s, j)
    if byte(s, j) >= 128:
        code, _ = char_at(s, j)
        odd = byte(tb, CLASSES + code) == WORD_OF_AT
    if odd:
        note_odd(st, i, i + 1)


@inner
def is_escape(c: int) -> bool:
    """Tell whether a byte begins what may stand for another sign."""
    return c >= 128 or c in (38, 37, 92, 61)


@inner
def domain_follows(s: int, j: int) -> bool:
    """Tell whether a mail domain may stand behind a word for '@'."""
    for _ in range(4):
        if is_blank(byte(s, j)):
            j += 1
    e = j
    while is_digit(byte(s, e)) or is_letter(byte(s, e)) or byte(s, e) == 45:
        e += 1
    c = byte(s, e)
    if e == j:
        return is_escape(c)
    if c == 46:
        return not is_blank(byte(s, e + 1))
    first = e
    while e < first + 4 and is_blank(byte(s, e)):
        e += 1
    c = byte(s, e)
    return is_escape(c) or c in (40, 60, 91, 123, 95) or (e > first and is_at(s, e))


@inner
def at_word(st: int, s: int, i: int) -> None:
    """Harden a word for '@' or '.' that stands between blanks, the first of which is here."""
    j = i + 1
    dot = False
    if byte(s, j) == 64:
        e = j + 1
    elif byte(s, j) | 32 == 97 and byte(s, j + 1) | 32 == 116:
        e = j + 2
    elif byte(s, j) | 32 == 100 and byte(s, j + 1) | 32 == 111 and (byte(s, j + 2) | 32 == 116):
        e = j + 3
        dot = True
    else:
        return
    if not (byte(s, e) == 32 or byte(s, e) == 9 or byte(s, e) == 95 or (byte(s, e) == 45)):
        return
    if dot or domain_follows(s, e):
        note_odd(st, i, e)


@inner
def odd_at(st: int, tb: int, s: int, i: int) -> None:
    """Harden a character that is invisible or wide, or opens a bracket around '@'."""
    code, size = char_at(s, i)
    kind = byte(tb, CLASSES + code)
    if kind in (ODD, HIDDEN):
        note_odd(st, i, i + size)
    elif kind == OPEN:
        open_at(st, tb, s, i, i + size)


@inner
def numeral_at(st: int, tb: int, s: int, i: int) -> None:
    """Harden Chinese numerals and digits, four of them at least, of which the first stands here."""
    code, size = char_at(s, i)
    if byte(tb, CLASSES + code) != NUMERAL:
        return
    j = i + size
    for _ in range(3):
        if byte(s, j) == 32 or byte(s, j) == 45:
            j += 1
        elif byte(s, j) >= 128:
            code, size = char_at(s, j)
            if byte(tb, CLASSES + code) == DOT:
                j += size
        if is_digit(byte(s, j)):
            j += 1
            continue
        code, size = char_at(s, j)
        if byte(tb, CLASSES + code) != NUMERAL:
            return
        j += size
    note_odd(st, i, j)


@inner
def plate_at(st: int, tb: int, s: int, i: int) -> None:
    """Look up a number plate, whose first letter stands here."""
    if not byte(tb, WANT + CODE) or i < 3:
        return
    code, size = char_at(s, i - 3)
    if size != 3 or byte(tb, CLASSES + code) != PROVINCE:
        return
    j = i + 1
    if byte(s, j) == 45 or byte(s, j) == 32:
        j += 1
    elif byte(s, j) >= 128:
        code, size = char_at(s, j)
        if code != 0xB7 and code != 0x2022:
            return
        j += size
    for k in range(5):
        if byte(tb, byte(s, j + k)) == 0:
            return
    size = 6 if byte(tb, byte(s, j + 5)) else 5
    for k in range(4):
        put_byte(tb, CANON + k, byte(s, i - 3 + k))
    for k in range(size):
        put_byte(tb, CANON + 4 + k, byte(s, j + k))
    hold(st, tb, tb + CANON, 4 + size, CODE, SHAPE_CODE + 2 + size, i - 3, j + size)
