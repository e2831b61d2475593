"""The compiled check of UTF-8 says what Python's decoder says, wherever a fault stands."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.blocks import shuffle
from canary.files.csvwide import BLOCK
from canary.octets import FEW, Glance, glance, is_text, is_utf8

# Of every kind a good one beside bad ones: overlong, surrogate, too large, cut, alone.
PIECES = [
    b"a", "é".encode(), "张".encode(), "𠀀".encode(), b"\0", b"\x7f", b"\x80", b"\xbf", b"\xc0\x80", b"\xc1\xbf",
    b"\xc2\x80", b"\xc3", b"\xdf\xbf", b"\xe0\x80\x80", b"\xe0\x9f\xbf", b"\xe0\xa0\x80", b"\xed\x9f\xbf",
    b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xee\x80\x80", b"\xe5\xbc", b"\xef\xbf\xbf", b"\xf0\x80\x80\x80",
    b"\xf0\x8f\xbf\xbf", b"\xf0\x90\x80\x80", b"\xf4\x8f\xbf\xbf", b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xf8",
    b"\xff", b"\xf0\xa0\x80",
]  # fmt: skip


def decodes(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def said(data: bytes) -> bool:
    return is_utf8(np.frombuffer(data, np.uint8))


def test_this_processor_looks_bytes_up() -> None:
    assert shuffle()[1], "without it the check says False to everything, and the tests here do not apply"


@pytest.mark.parametrize("piece", PIECES)
def test_every_fault_is_seen_at_every_place(piece: bytes) -> None:
    for before in (*range(4), *range(BLOCK - 5, BLOCK + 5), *range(2 * BLOCK - 5, 2 * BLOCK + 5)):
        for behind in (0, 1, 3, BLOCK - 1, BLOCK, BLOCK + 1):
            data = b"x" * before + piece + b"y" * behind
            assert said(data) is decodes(data)


@given(st.lists(st.sampled_from(PIECES), max_size=70).map(b"".join), st.integers(0, 70))
def test_pieces_in_any_order(data: bytes, lead: int) -> None:
    for each in (data, b"a" * lead + data, "张三".encode() * lead + data):
        assert said(each) is decodes(each)


@given(st.text(max_size=300))
def test_text_is_text(text: str) -> None:
    try:
        data = text.encode()
    except UnicodeEncodeError:
        return
    assert said(data)


@given(st.binary(max_size=200))
def test_bytes_at_random(data: bytes) -> None:
    assert said(data) is decodes(data)


@given(data=st.binary(max_size=40), at=st.integers(0, 200), few=st.booleans())
def test_a_glance_sees_what_there_is(data: bytes, at: int, few: bool) -> None:
    size = 300 if few else FEW
    whole = b"a" * at + data + b"a" * size
    expected = Glance(not data.isascii(), b"\0" in data, b'"' in data)
    assert glance(whole) == glance(memoryview(whole)) == glance(whole[::-1]) == expected
    try:
        text = bool(data.decode()) or True
    except UnicodeDecodeError:
        text = False
    assert is_text(whole) == text
