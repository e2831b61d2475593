"""What the kernel decodes is what Python decodes, step by step."""

from __future__ import annotations

import html
from functools import cache
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from canary.native import code_of, loaded
from canary.operations import put
from canary.scan.signs import NAMED
from canary.scan.spellings import CHAIN, QUOTED
from canary.scan.sweepfold import NUMBERS, fold
from canary.scan.sweepwork import CANNOT, LEAD, PAD, key_table, work_of
from tests.scanlab import KEYS

EVERY = np.full(64, 2**64 - 1, np.uint64)
SIGNS = (
    *"0123456789abcdefABCDEFxuUntrv \t\n\r@.;-_=%+&#\\{}()[]<>【】（）",
    *"一二三零〇壹贰點点艾特圈年路，。·１８Ａ＠．Ｏ①⑩⒈㊀²𝟗𝐀🄀٣〡é😀",
    *"\u200b\ufeff\u00ad\u2060\u3000\u00a0\x1c\x85\u07ff\U000e0001",
)
WRITTEN = (
    r"&#49; &#x31; &#0; &#128; &#150; &#xd800; &#65534 &#1234567890; &#; &#x; &amp; &nbsp; &period; &commat; &#8203;"
    r" &#13; &#7; \u0031 \u00312 \ud83d\ude00 \ud83d \ud83dx \u003 \U0001F600 \U00110000 \x41 \x4 \u{41} \u{110000}"
    r" \u{} \n \q \_ \， \ %31 %e5%8f%b7 %e5 %00 %0a %07 %7f a+b =31 =3D =E5=8F=B7 一二三四五 1一2-3 a@b a_at_b a-At-b"
    r" %B7 %CD%F5 %d5%c5%ce%b0%cf%c8%c9%fa1 =CD=F5 =D5=C5a %81%30%81%30 %a1%40 %ef%bb%bf%d5"
    r" (at) (dot) 【点】 （艾特） <圈a>"
)
PARTS = tuple(WRITTEN.split())
SPACED = ("\\\u3000", "=\n", "= \t\r\n", " [ at ] ", "a at b", "a  AT  b", "a@ b", "a @b", " dot ", "a dot b", "a . b",
          "a     @b", "a\nat\nb", "12 一二三四", "1一2-3 4·5")  # fmt: skip


def one_step(st: int, tb: int, s: int, n: int, d: int, step: int) -> None:
    put(st, 0, fold(st, tb, step, s, n, d))


@cache
def kernel() -> tuple[Any, Any, Any]:
    return (*loaded(code_of(one_step), "one_step", 6), work_of(key_table(KEYS), frozenset({"phone"}), EVERY))


def folded(text: str, step: int) -> str | None:
    """Give the text that the kernel makes of another, None where it leaves that to Python."""
    _, run, work = kernel()
    data = text.encode()
    room = [np.full(LEAD + len(data) + PAD, 10, np.uint8) for _ in range(2)]
    room[0][LEAD : LEAD + len(data)] = np.frombuffer(data, np.uint8)
    work.st[CANNOT] = 0
    run(
        work.st.ctypes.data,
        work.tb.ctypes.data,
        room[0].ctypes.data + LEAD,
        len(data),
        room[1].ctypes.data + LEAD,
        step,
    )
    size = int(work.st[0])
    if work.st[CANNOT]:
        return None
    return text if size < 0 else room[1][LEAD : LEAD + size].tobytes().decode()


@settings(max_examples=600, deadline=None)
@given(
    parts=st.lists(
        st.one_of(st.sampled_from(SIGNS), st.sampled_from(PARTS), st.sampled_from(SPACED), st.just("x" * 70)),
        max_size=40,
    ),
    step=st.integers(0, 7),
)
def test_each_step_gives_what_python_gives(parts: list[str], step: int) -> None:
    text = "".join(parts)
    if step == NUMBERS:
        text = text.replace("Ｏ", "")  # a numeral too, but the step before leaves none of them
    decoder = (QUOTED, *CHAIN)[step]
    made = folded(text, step)
    view = decoder.view(text)
    assert made in (None, text if view is None else view.text)


def test_names_of_html_are_known() -> None:
    assert len(NAMED) > 1000
    for name in NAMED:
        assert folded(f"x&{name};y", 1) == f"x{html.unescape(f'&{name};')}y"
    assert folded("&notit;", 1) is None
    assert folded("&DownArrowBar;", 1) == "&DownArrowBar;"  # too long for Python's decoder too
