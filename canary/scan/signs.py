"""What signs mean to the kernel: tables of all bytes, and of all characters."""

from __future__ import annotations

import re
import string
from functools import cache
from typing import TYPE_CHECKING, Final

from canary.scan.spellings import NUMERALS, ODD_SIGNS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Signs = NDArray[np.uint8]

WORD, ODD_MARK, ODD, NUMERAL, OPEN, PROVINCE, OTHER, DOT, WORD_OF_AT = range(128, 137)
_PROVINCES: Final = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_PHONE_MARKS: Final = " -.()/_[]{}|\\*<>':~+"
_ODD_MARKS: Final = "=#&"
_ODD: Final = re.compile(r".-.|.", re.S)  # ranges and single signs, as they stand in square brackets
LETTERED: Final = 0x40000  # above it no character is a letter: the planes are empty or private


@cache
def classes() -> Signs:
    """Give the class of every character of Unicode, ASCII as it is."""
    import numpy as np

    found = np.full(0x110000, OTHER, np.uint8)
    found[:128] = np.arange(128)
    every = np.arange(LETTERED, dtype=np.uint32).tobytes().decode("utf-32", "surrogatepass")
    for part in re.compile(r"\w+").finditer(every, 128):
        found[part.start() : part.end()] = WORD
    for first, last in ((0xA0, 0xA0), (0x2010, 0x2015), (0x2022, 0x2022), (0x3000, 0x3002), (0x3008, 0x3011),
                        (0xFF01, 0xFF0F), (0xFF1A, 0xFF20), (0xFF3B, 0xFF40), (0xFF5B, 0xFF65)):  # fmt: skip
        found[first : last + 1] = ODD_MARK
    for signs, kind in (
        (NUMERALS, NUMERAL),
        ("（【", OPEN),
        (_PROVINCES, PROVINCE),
        ("·", DOT),
        ("点艾圈", WORD_OF_AT),
    ):
        found[[ord(sign) for sign in signs]] = kind
    for each in _ODD.finditer(ODD_SIGNS):
        found[ord(each[0][0]) : ord(each[0][-1]) + 1] = ODD
    return found


@cache
def tables() -> Signs:
    """Give the tables of the kernel (4 × 256): kind, mark, value in base64, not of a word."""
    import numpy as np

    made = np.zeros((4, 256), np.uint8)
    made[0, [ord(sign) for sign in string.digits]] = 1
    made[0, [ord(sign) for sign in string.ascii_letters]] = 2
    made[1, [*map(ord, _PHONE_MARKS)]] = 1
    made[1, [*map(ord, _ODD_MARKS)]] = 2
    for value, sign in enumerate(string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"):
        made[2, ord(sign)] = value + 1
    made[2, [ord("-"), ord("_")]] = 63, 64
    made[3, [byte for byte in range(128) if not chr(byte).isalnum() and chr(byte) != "\n"]] = 1
    return made
