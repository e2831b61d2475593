"""Text → signs: one byte for a character, ASCII as it is and above it what a character means to the kernel."""

from __future__ import annotations

import re
import string
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from canary.scan.spellings import NUMERALS, ODD_SIGNS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Signs = NDArray[np.uint8]

PAD: Final = 64  # new lines behind the last sign, so that the kernel may look ahead

WORD, ODD_MARK, ODD, NUMERAL, OPEN, PROVINCE, OTHER, DOT, WORD_OF_AT = range(128, 137)
_PROVINCES: Final = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_PHONE_MARKS: Final = " -.()/_[]{}|\\*<>':~+"
_ODD_MARKS: Final = '"=#&'
_SPECIAL: Final = "=%&\\@ \t_-./[({<"


@cache
def _classes() -> Signs:
    """Give the sign of every character of Unicode."""
    import numpy as np

    found = np.full(0x110000, WORD, np.uint8)
    found[:128] = np.arange(128)
    every = "".join(map(chr, range(0x110000)))
    for part in re.compile(r"\W+").finditer(every, 128):
        found[part.start() : part.end()] = OTHER
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
    for part in re.compile(f"[{ODD_SIGNS}]+").finditer(every, 128):
        found[part.start() : part.end()] = ODD
    return found


def signs_of(text: str) -> Signs:
    """Give the signs of a text, and new lines behind it."""
    import numpy as np

    found = np.full(len(text) + PAD, 10, np.uint8)
    if text.isascii():
        found[: len(text)] = np.frombuffer(text.encode("ascii"), np.uint8)
    else:
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        _classes().take(codes, out=found[: len(text)])
    return found


@cache
def tables() -> Signs:
    """Give the tables of the kernel (4 × 256): kind, mark, value in base64, not of a word."""
    import numpy as np

    made = np.zeros((4, 256), np.uint8)
    made[0, [ord(sign) for sign in string.digits]] = 1
    made[0, [ord(sign) for sign in string.ascii_letters]] = 2
    made[1, [*map(ord, _PHONE_MARKS), DOT]] = 1
    made[1, [*map(ord, _ODD_MARKS), ODD_MARK, OPEN, ODD]] = 2
    for value, sign in enumerate(string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"):
        made[2, ord(sign)] = value + 1
    made[2, [ord("-"), ord("_")]] = 63, 64
    made[3, [byte for byte in range(128) if not chr(byte).isalnum() and chr(byte) != "\n"]] = 1
    made[3, [ODD_MARK, ODD, OPEN, OTHER, DOT]] = 1
    return made


@cache
def special() -> Signs:
    """Tell at which signs the kernel stops to look."""
    import numpy as np

    made = np.zeros(256, np.uint8)
    made[[*map(ord, _SPECIAL), ODD, NUMERAL, OPEN, PROVINCE]] = 1
    return made


@cache
def crc_table() -> Any:
    """Give the table of CRC-32 (reflected, 0xEDB88320)."""
    import numpy as np

    made = np.zeros(256, np.int64)
    for byte in range(256):
        word = byte
        for _ in range(8):
            word = (word >> 1) ^ (0xEDB88320 if word & 1 else 0)
        made[byte] = word
    return made
