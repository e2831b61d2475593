"""What signs mean to the kernel: tables of all bytes, and of all characters."""

from __future__ import annotations

import html
import re
import string
from collections.abc import Iterator
from functools import cache
from html.entities import html5
from typing import TYPE_CHECKING, Final

from canary.fields.fold import INVISIBLE
from canary.scan.spellings import NUMERALS, WIDE, numeral_of, plain_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Signs = NDArray[np.uint8]

WORD, ODD_MARK, ODD, NUMERAL, OPEN, PROVINCE, OTHER, DOT, WORD_OF_AT, HIDDEN = range(128, 138)
_PROVINCES: Final = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_PHONE_MARKS: Final = " -.()/_[]{}|\\*<>':~+"
_ODD_MARKS: Final = "=#&"
_RANGE: Final = re.compile(r".-.|.", re.S)  # ranges and single signs, as they stand in square brackets
NAMED: Final = sorted(
    (name[:-1] for name in html5 if re.fullmatch("[A-Za-z]{2,8};", name)),
    key=lambda name: int.from_bytes(name.encode(), "little"),
)  # of HTML, in the order of their letters as one number
GB_ROWS, GB_COLUMNS = 126, 191  # first and second bytes of a character of GB18030
LETTERED: Final = 0x40000  # above it no character is a letter: the planes are empty or private


def characters(signs: str) -> Iterator[int]:
    """Give the numbers of the characters that stand in square brackets of a regular expression."""
    for each in _RANGE.finditer(signs):
        yield from range(ord(each[0][0]), ord(each[0][-1]) + 1)


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
    for kind, signs in ((ODD, WIDE), (HIDDEN, INVISIBLE)):
        found[list(characters(signs))] = kind
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


@cache
def folds() -> Signs:
    """Give what each wide character and numeral stands for: up to four bytes of UTF-8."""
    import numpy as np

    made = np.zeros((0x20000, 4), np.uint8)
    plain = {code: plain_of(chr(code)) for code in characters(WIDE)}
    plain |= {ord(sign): numeral_of(sign) for sign in NUMERALS if ord(sign) not in plain}
    for code, text in plain.items():
        octets = text.encode()
        made[code, : len(octets)] = list(octets)
    return made.ravel()


@cache
def entities() -> Signs:
    """Give the names of HTML with up to eight letters, in order, and what each stands for, eight bytes each."""
    import numpy as np

    rows = [name.encode().ljust(8, b"\0") + html5[f"{name};"].encode().ljust(8, b"\0")
            for name in NAMED]  # fmt: skip
    return np.frombuffer(b"".join(rows), np.uint8)


@cache
def western() -> Signs:
    """Give what numbers from 128 to 159 stand for in HTML: characters of Windows."""
    import numpy as np

    codes = [ord(html.unescape(f"&#{number};")) for number in range(0x80, 0xA0)]
    return np.array(codes, "<i8").view(np.uint8)


@cache
def gb_pairs() -> Signs:
    """Give the characters that two bytes are in GB18030, four bytes each, 0 where they are none."""
    import numpy as np

    firsts, seconds = np.arange(0x81, 0xFF, dtype=np.uint8), np.r_[0x40:0x7F, 0x80:0xFF].astype(np.uint8)
    lines = np.full((GB_ROWS, len(seconds), 3), 10, np.uint8)
    lines[:, :, 0], lines[:, :, 1] = firsts[:, None], seconds
    text = lines.tobytes().decode("gb18030", "replace")
    codes = np.frombuffer(text.encode("utf-32-le"), "<u4").reshape(GB_ROWS, len(seconds), 2)[:, :, 0]
    made = np.zeros((GB_ROWS, GB_COLUMNS), "<u4")
    made[:, seconds - 0x40] = np.where(codes == 0xFFFD, 0, codes)
    return made.view(np.uint8).ravel()
