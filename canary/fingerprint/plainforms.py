"""Kernels for values whose canonical form is plain to see; whatever is not goes through canary.fields.

Both write canonical bytes to `out` and where each value ends to `ends`, −1 for a value that they leave to others.
`signs[c − 0x3400]` says of a Chinese character: 1 not canonical, 2 a numeral, 4 counted, 8 of no meaning of its own.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np

from canary.compiled import Kernel
from canary.fields.fold import fold
from canary.fingerprint.prf import Bytes, Offsets

_NUMERALS: Final = "零〇一二两三四五六七八九十百"
_COUNTED: Final = "号號幢栋棟座室楼樓层層弄期组組队隊房户戶门門单單"
_DIVISIONS: Final = "省市区县旗盟州牌院"


def _name(data: Bytes, offsets: Offsets, signs: Bytes, out: Bytes, ends: Offsets) -> None:
    """Copy Chinese names that are canonical already."""
    done = 0
    for row in range(len(offsets) - 1):
        start, end = offsets[row], offsets[row + 1]
        good = end > start and (end - start) % 3 == 0
        for at in range(start, end):
            out[done + at - start] = data[at]
        for at in range(start, end - 2 if good else start, 3):
            one, two, three = np.int64(data[at]), np.int64(data[at + 1]), np.int64(data[at + 2])
            sign = (one & 15) << 12 | (two & 63) << 6 | (three & 63)
            good = good and 0xE3 <= one <= 0xE9 and 0x3400 <= sign <= 0x9FFF and two >= 128 and three >= 128
            if good:
                good = signs[sign - 0x3400] & 1 == 0
        done += end - start if good else 0
        ends[row + 1] = done if good else -1


def _house(data: Bytes, offsets: Offsets, signs: Bytes, out: Bytes, ends: Offsets) -> None:
    """Write the numbers of addresses, joined by hyphens, where no numeral and no lone mark makes that doubtful."""
    done = 0
    for row in range(len(offsets) - 1):
        at, end, begun = offsets[row], offsets[row + 1], done
        good, own, last, before = end > at, 0, at - 2, np.int64(0)
        while at < end and good:
            byte = np.int64(data[at])
            if byte >= 128:
                good = 0xE3 <= byte <= 0xE9 and at + 2 < end
                if not good:
                    break
                sign = (byte & 15) << 12 | (np.int64(data[at + 1]) & 63) << 6 | (np.int64(data[at + 2]) & 63)
                good = 0x3400 <= sign <= 0x9FFF
                if not good:
                    break
                kinds = np.int64(signs[sign - 0x3400])
                own += 1 if kinds & 14 == 0 else 0
                good = before & 2 == 0 or kinds & 4 == 0
                before = kinds
                at += 3
                continue
            good = before & 2 == 0 or 48 <= byte <= 57 or byte >= 97
            own += 1 if 97 <= byte <= 122 else 0
            if 48 <= byte <= 57:
                if done > begun and last != at - 1:
                    for step in range(last + 1, at):
                        good = good and data[step] > 32 and data[step] != 46 and data[step] != 39
                    out[done] = 45
                    done += 1
                out[done] = byte
                done += 1
                last = at
            before = np.int64(0)
            at += 1
        good = good and own >= 3
        done = done if good else begun
        ends[row + 1] = done if good else -1


name_kernel = Kernel(_name)
house_kernel = Kernel(_house)


@lru_cache(maxsize=1)
def signs() -> Bytes:
    """Give what the kernels have to know of each Chinese character, uint8[U+3400 … U+9FFF]."""
    made = np.zeros(0x9FFF - 0x3400 + 1, np.uint8)
    for number in range(len(made)):
        sign = chr(number + 0x3400)
        counted, numeral = sign in _COUNTED, sign in _NUMERALS
        empty = sign in _DIVISIONS or counted or numeral
        made[number] = (fold(sign) != sign) | numeral << 1 | counted << 2 | empty << 3
    return made
