"""Where an issued address may stand: bits of their numbers with what stands before, and one pass over a text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from canary.compiled import Kernel
from canary.fields.fold import simplified
from canary.fields.values import COMPOUND_SURNAMES, SURNAMES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LETTERS: Final = 3  # before a number that its mark is made of
WESTERN: Final = 4  # the kind of marks that are made of the number and the word behind it
MOST_NAMES: Final = 6
_UNITS: Final = "号楼院房幢栋座门室户层弄单元"
_NUMERALS: Final = "零一二三四五六七八九十百"
_UNIT_SIGNS: Final = "号幢栋座室楼层弄期组队房户单"
_RUN_MARKS: Final = "-#()（）·—–－ \u3000"
_SIGNS: Final = "路街道巷弄里村镇乡号园苑城楼幢栋座厦区组室"
_FIRST_GROUP: Final = re.compile(r"[0-9]+")
_WESTERN: Final = re.compile(r"([0-9]+)([a-z]?) ([a-z0-9])")

# What a character is: bits of `kinds`.
LETTER, UNIT, NUMBER_END, RUN, SIGN, HAN, SURNAME = 1, 2, 4, 8, 16, 32, 64


def _mixed(h: int, c: int) -> int:
    h = (h ^ c) * 0x2127599BF4325C37
    return h ^ ((h >> 29) & 0x7FFFFFFFF)


def _probe(h: int, bits: Any) -> bool:
    return bool(bits[(h ^ (h >> 17)) & (bits.shape[0] - 1)])


def _before(codes: Any, i: int, value: int, kinds: Any, plain: Any, bits: Any, levels: Any) -> bool:
    """Tell whether an issued address has this number behind the letters that stand before `i`."""
    h = _mixed(0x51ED270B, value)
    if levels[0] and _probe(h, bits):
        return True
    found = 0
    j = i - 1
    least = max(0, i - 12)
    while j >= least and found < 3:
        c = min(codes[j], 0xFFFF)
        if 48 <= c <= 57 or c == 10:
            break
        j -= 1
        kind = kinds[c]
        if kind & 1 == 0 or kind & 2:
            continue
        h = _mixed(h, plain[c])
        found += 1
        if levels[found] and _probe(h ^ found, bits):
            return True
    return False


def _behind(codes: Any, e: int, value: int, kinds: Any, plain: Any, bits: Any) -> bool:
    """Tell whether an issued address has this number before the words that stand behind `e`."""
    n = codes.shape[0]
    extra = 0
    if e < n and codes[e] < 128 and kinds[codes[e]] & 1:
        extra = plain[codes[e]]
        e += 1
    for _ in range(3):
        if e >= n or codes[e] != 32:
            return False
        while (
            e < n
            and (codes[e] >= 128 or kinds[codes[e]] & 1 == 0)
            and not 48 <= codes[e] <= 57
            and codes[e] != 10
        ):
            e += 1
        if e >= n or codes[e] == 10:
            return False
        if _probe(_mixed(_mixed(_mixed(0x3C6EF372, value), extra), plain[min(codes[e], 0xFFFF)]), bits):
            return True
        while e < n and codes[e] != 32 and codes[e] != 10:
            e += 1
    return False


def _spots(
    codes: Any, kinds: Any, plain: Any, numbers: Any, bits: Any, levels: Any, prose: bool,
    spots: Any, runs: Any, st: Any,
) -> None:  # fmt: skip
    """Write where issued addresses may stand to `spots`, and every stretch that looks like one to `runs`.

    A run: form, start, end, place of its bytes, their length, shape, names near, places where an address may begin.
    `st`: spots, runs, overflow.
    """
    n = codes.shape[0]
    names = 0
    line_run = 0  # the first run of this line
    i = 0
    han = -1  # start of a stretch of Han characters
    run = -1
    blanks = 0
    sign = False
    number = False
    while i <= n:
        c = min(codes[i], 0xFFFF) if i < n else 10
        kind = kinds[c]
        if han >= 0 and kind & 32 == 0:
            if 2 <= i - han <= 4 and kinds[min(codes[han], 0xFFFF)] & 64:
                names += 1
            han = -1
        elif han < 0 and kind & 32:
            han = i
        if run >= 0 and (kind & 8 == 0 or i - run > 200):
            if sign and number and i - run >= 5:
                if st[1] >= runs.shape[0]:
                    st[2] = 1
                    return
                r = st[1]
                runs[r, 0] = 5
                runs[r, 1] = run
                runs[r, 2] = i
                runs[r, 3] = 4 * run
                runs[r, 4] = 4 * (i - run)
                runs[r, 5] = 2
                runs[r, 7] = 8 if prose else 1 + min(2, blanks)
                st[1] = r + 1
            run = -1
        if c == 10:
            for r in range(line_run, st[1]):
                runs[r, 6] = 6 if prose else min(names, 6)
            line_run = st[1]
            names = 0
        if i >= n:
            return
        if run < 0 and kind & 32:
            run = i
            sign = False
            number = False
            blanks = 0
        if c == 32 or c == 0x3000:
            blanks += 1
        if kind & 16:
            sign = True
        value = -1
        e = i + 1
        if 48 <= c <= 57:
            number = True
            value = c - 48
            while e < n and 48 <= codes[e] <= 57:
                value = value * 10 + codes[e] - 48 if e - i < 9 else -1
                e += 1
            if e - i > 9:
                value = -1
            if value >= 0 and levels[4] and e - i <= 6 and _behind(codes, e, value, kinds, plain, bits):
                spots[st[0]] = i
                st[0] += 1
                value = -1
        elif numbers[c] >= 0:
            number = True
            total = 0
            digit = 0
            tens = False
            while e < n and e - i < 8 and numbers[min(codes[e], 0xFFFF)] >= 0:
                e += 1
            if e < n and kinds[min(codes[e], 0xFFFF)] & 4:
                for j in range(i, e):
                    if numbers[codes[j]] >= 10:
                        tens = True
                for j in range(i, e):
                    d = numbers[codes[j]]
                    if not tens:
                        total = total * 10 + d
                    elif d >= 10:
                        total += max(digit, 1) * d
                        digit = 0
                    else:
                        digit = d
                value = total + digit if tens else total
            e = i + 1
        if value >= 0 and _before(codes, i, value, kinds, plain, bits, levels):
            if st[0] >= spots.shape[0]:
                st[2] = 1
                return
            spots[st[0]] = i
            st[0] += 1
        i = e


_TYPES: Final = {
    "codes": "Array(u4, 1, 'C', readonly=True)",
    "kinds": "u1[::1]",
    "plain": "i8[::1]",
    "bits": "b1[::1]",
    "levels": "b1[::1]",
}
_spots_kernel: Kernel[..., None] = Kernel(_spots, (_mixed, _probe, _before, _behind), _TYPES)


@cache
def _tables() -> tuple[Any, Any, Any]:
    """Give what the characters of the basic plane are: kinds, plain forms, values as numerals."""
    import numpy as np

    every = "".join(map(chr, range(0x10000)))
    kinds = np.zeros(0x10000, np.uint8)
    han = slice(0x3400, 0xA000)
    kinds[han] |= LETTER | RUN | HAN
    for first, last in (("a", "z"), ("A", "Z")):
        kinds[ord(first) : ord(last) + 1] |= LETTER | RUN
    kinds[48:58] |= RUN
    first_signs = {name[0] for name in (*SURNAMES, *COMPOUND_SURNAMES)}
    for signs, bit in ((_UNITS, UNIT), (_UNIT_SIGNS, NUMBER_END), (_RUN_MARKS, RUN), (_SIGNS, SIGN),
                       (first_signs, SURNAME)):  # fmt: skip
        kinds[[ord(sign) for sign in signs]] |= bit
    plain = np.frombuffer(simplified(every.lower() if len(every.lower()) == len(every) else every)
                          .encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.int64)  # fmt: skip
    plain[65:91] = np.arange(97, 123)
    old = plain[: len(kinds)] != np.arange(len(kinds))
    kinds[old] |= kinds[plain[: len(kinds)][old] & 0xFFFF]
    numbers = np.full(0x10000, -1, np.int64)
    for value, sign in enumerate(_NUMERALS):
        numbers[ord(sign)] = value if value < 11 else 100
    numbers[[ord("〇"), ord("两")]] = 0, 2
    return kinds, plain[: len(kinds)].copy(), numbers


@dataclass(frozen=True, slots=True)
class Spotted:
    """Where issued addresses may stand, and the stretches that look like addresses (rows, their bytes, names near)."""

    spots: NDArray[np.int32]
    runs: NDArray[np.int32]
    data: NDArray[np.uint8]


class AddressMarks:
    """A table of bits of all issued addresses; turns away nearly every text that holds none."""

    def __init__(self, addresses: Iterable[str]) -> None:
        import numpy as np

        _, plain, _ = _tables()
        marks = [mark for each in addresses if (mark := _mark(each, plain)) is not None]
        self._bits = np.zeros(1 << max(16, len(marks).bit_length() + 5), np.bool_)
        self._levels = np.zeros(WESTERN + 1, np.bool_)
        for level, h in marks:
            self._levels[level] = True
            self._bits[(h ^ (h >> 17)) & (len(self._bits) - 1)] = True

    def spot(self, text: str, *, cells: bool) -> Spotted | None:
        """Search a text, None where it holds more than there is room for."""
        import numpy as np

        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        spots = np.empty(len(codes) + 1, np.int32)
        runs = np.empty((len(codes) // 5 + 8, 8), np.int32)
        state = np.zeros(3, np.int64)
        _spots_kernel(codes, *_tables(), self._bits, self._levels, not cells, spots, runs, state)
        if state[2]:
            return None
        return Spotted(spots[: state[0]], runs[: state[1]], codes.view(np.uint8))


def _mark(address: str, plain: Any) -> tuple[int, int] | None:
    """Give the kind and hash of an address's mark: its first number with up to three letters before it."""
    western = _WESTERN.match(address)
    if western:
        h = _signed(_mixed_of(0x3C6EF372, int(western[1])))
        h = _mixed_of(h, ord(western[2]) if western[2] else 0)
        return WESTERN, _mixed_of(h, ord(western[3]))
    group = _FIRST_GROUP.search(address)
    if group is None:
        return None
    h = _mixed_of(0x51ED270B, int(group[0]))
    letters = [sign for sign in reversed(address[max(0, group.start() - 12) : group.start()])
               if sign.isalpha() and sign not in _UNITS][:LETTERS]  # fmt: skip
    for sign in letters:
        h = _mixed_of(h, int(plain[min(ord(sign), 0xFFFF)]))
    return len(letters), h ^ len(letters)


def _signed(h: int) -> int:
    h &= (1 << 64) - 1
    return h - (1 << 64) if h >> 63 else h


def _mixed_of(h: int, c: int) -> int:
    h = _signed((h ^ c) * 0x2127599BF4325C37)
    return _signed(h ^ ((h >> 29) & 0x7FFFFFFFF))
