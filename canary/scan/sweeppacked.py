"""The kernel's base64: stretches that may be text are told, and decoded 64 signs at a time."""

from __future__ import annotations

from canary.native import apart, inner
from canary.operations import byte, get, load64, put, put_byte, trailing
from canary.scan.sweepescapes import gb_pair, valid_utf8
from canary.scan.sweephold import note_packed
from canary.scan.sweepodd import is_hex
from canary.scan.sweepwords import is_digit, is_letter, not_digits
from canary.scan.sweepwork import MORE_ROOM, NESTING, PACKED, STRETCH, UNPACKED, room_of
from canary.scan.vectors import U, controls, high, nuls, packed_signs, signs, unpack, visible

NOTHING, TEXT, UNTOLD = range(3)  # what decoded bytes are; Python judges what is not told here
SHORTEST = 12
LONGEST = 2 * STRETCH  # signs that are decoded at once; of what is not within base64 itself
LONGEST_PASSAGE = LONGEST + MORE_ROOM
OUTERMOST = UNPACKED + NESTING - 1
U0, U1 = U(0), U(1)


@inner
def run_end(s: int, a: int) -> int:
    """Give where the signs of base64 end that stand here."""
    while packed_signs(s + a) == ~U0:
        a += 64
    return int(a + trailing(~packed_signs(s + a)))


@inner
def piece_end(s: int, a: int) -> int:
    """Give where the letters and digits end that stand here."""
    while signs(s + a) == ~U0:
        a += 64
    return int(a + trailing(~signs(s + a)))


@inner
def is_part(s: int, p: int, e: int, whole: int) -> bool:
    """Tell whether a part of a stretch is read by itself: it is long enough, what fills it up counted, and not all."""
    filled = e - p
    if byte(s, e) == 61:
        filled += 2 if byte(s, e + 1) == 61 else 1
    return filled >= SHORTEST and e - p < whole


@inner
def wrapped_end(s: int, b: int) -> int:
    """Give where base64 ends that goes on over lines."""
    while True:
        j = b + (byte(s, b) == 13)
        if byte(s, j) != 10:
            return b
        e = run_end(s, j + 1)
        if e - j < 5:
            return b
        b = e


@apart
def unpacked(tb: int, s: int, a: int, b: int, d: int) -> int:
    """Write what base64 stands for, whose lines may be broken; gives how many bytes that is."""
    o = 0
    start = a
    while True:
        e = min(b, run_end(s, a))
        i = a
        while i < e:
            unpack(s + i, d + o + (i - a >> 6) * 48)
            i += 64
        o += (e - a) * 6 >> 3
        left = e - a & 3
        a = e + (byte(s, e) == 13)
        if a >= b or byte(s, a) != 10:
            return o
        if left:
            return unpacked_over(tb, s, start, b, d)
        a += 1


@apart
def unpacked_over(tb: int, s: int, a: int, b: int, d: int) -> int:
    """Write what base64 stands for sign by sign: its lines end anywhere."""
    word = 0
    bits = 0
    o = 0
    for j in range(a, b):
        value = byte(tb, 512 + byte(s, j))
        if value:
            word = (word << 6 | value - 1) & 0xFFFFFF
            bits += 6
            if bits >= 8:
                bits -= 8
                put_byte(d, o, word >> bits & 255)
                o += 1
    return o


@apart
def told(tb: int, d: int, n: int, more: bool) -> int:
    """Tell whether bytes are a text as UTF-8; `more` may come, and tell that they are one in another encoding."""
    null = False
    wide = False
    control = False
    pairs = U0
    at = 0
    spared = (
        n > 2 and byte(d, n - 3) > 128 and is_digit(byte(d, n - 2))
    )  # left out with what it may have been part of
    while at < n:
        kept = ~U0 if n - at >= 64 else (U1 << U(n - at)) - U1
        nul = nuls(d + at) & kept
        found = controls(d + at) & kept & ~nul
        if spared and n - at <= 64:
            found &= kept >> U1
        control = control or found != U0
        wide = wide or high(d + at) & kept != U0
        if nul != U0:
            null = True
            ink = visible(d + at) & kept
            pairs |= ink & nul >> U1 & ink >> U(2) & nul >> U(3)
        at += 60  # what stands over the end of a block is seen in the next
    if null:  # UTF-16, in which two signs of ASCII stand beside each other wherever something may be found
        return UNTOLD if more or (pairs != U0 and is_telling_wide(d, n)) else NOTHING
    if control or n == 0:
        return NOTHING
    if not wide or valid_utf8(d, 0, n):
        return NOTHING if spared and is_control(byte(d, n - 1)) else TEXT
    return UNTOLD if more or is_telling(tb, d, n) else NOTHING


@apart
def is_telling_wide(d: int, n: int) -> bool:
    """Tell whether bytes show a number or a mail address as UTF-16."""
    digits = 0
    last = 0
    for i in range(n >> 1):
        c = byte(d, 2 * i)
        if byte(d, 2 * i + 1):
            c = 0
        digits = digits + 1 if is_digit(c) else 0
        follows = (c == 64 and (is_digit(last) or is_letter(last))) or (c == 35 and last == 38)
        if digits == 3 or follows or (c == 117 and last == 92) or (is_hex(c) and last == 37):
            return True
        last = c
    return False


@inner
def is_control(c: int) -> bool:
    """Tell whether a byte is a sign that no text holds."""
    return c < 9 or 14 <= c < 32 or c == 127


@apart
def is_telling(tb: int, d: int, n: int) -> bool:
    """Tell whether bytes show a number or a mail address as GB18030, where what is none of it is left out."""
    digits = 0
    sign = False
    i = 0
    while i < n:
        c = byte(d, i)
        if c < 128:
            following = byte(d, i + 1) if i + 1 < n else 0
            digits = digits + 1 if is_digit(c) else 0
            escaped = c == 37 and is_hex(following) and i + 2 < n and is_hex(byte(d, i + 2))
            escaped = escaped or (c == 38 and following == 35) or (c == 92 and following == 117)
            if digits == 3 or (c == 64 and sign) or escaped:
                return True
            sign = is_digit(c) or is_letter(c)
            i += 1
            continue
        second = byte(d, i + 1) if i + 1 < n else 0
        if is_digit(second) and i + 3 >= n:
            return False
        if is_digit(second) and byte(d, i + 2) > 128 and is_digit(byte(d, i + 3)):
            return True  # a character of four bytes or none
        if gb_pair(tb, c, second):
            digits = 0
            sign = False
            i += 1
        i += 1
    return False


@inner
def packed_at(st: int, tb: int, s: int, a: int) -> None:
    """Note base64 that may decode to text, the first sign of which stands here: all its lines, else parts of them."""
    if a < get(st, PACKED):
        return
    b = run_end(s, a)
    end = wrapped_end(s, b)
    put(st, PACKED, end)
    if trailing(not_digits(load64(s + a)) >> U(32)) >= 32:  # four digits there no text gives
        return
    if is_passage(tb, s, a, b, end):
        note_packed(st, a, end)
        return
    p = a
    while p < end:
        e = piece_end(s, p)
        if is_part(s, p, e, end - a) and is_text(tb, s, p, e):
            note_packed(st, p, e)
        p = e + 1


@apart
def is_passage(tb: int, s: int, a: int, b: int, end: int) -> bool:
    """Tell whether lines of base64, the first of which ends at `b`, may decode to one text."""
    if end - a <= LONGEST_PASSAGE:
        return is_text(tb, s, a, end)
    d = room_of(tb, OUTERMOST)
    return b - a > LONGEST_PASSAGE or told(tb, d, unpacked(tb, s, a, b, d), True) != NOTHING


@apart
def is_text(tb: int, s: int, a: int, b: int) -> bool:
    """Tell whether a stretch of base64 may decode to text."""
    if b - a > LONGEST_PASSAGE:
        return True
    d = room_of(tb, OUTERMOST)
    return told(tb, d, unpacked(tb, s, a, b, d), False) != NOTHING
