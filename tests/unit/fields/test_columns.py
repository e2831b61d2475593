"""Whole columns come out as their cells do one by one."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.cmac import CmacKey
from canary.fields.canonical import canonical
from canary.fields.columns import canonical_column, keys_of_column
from canary.fields.spans import spans_of
from canary.native import has_cipher

CODES = [
    "YT1234567890123", "yt1234567890123", "SO-2024-001", "ＹＴ１２３４５", "", None, "12 34", "1234.0",
    "\u0661\u0662\u066345", "a\u200b77", "京A·12345",
]  # fmt: skip
MAILS = [
    "li.wei@mail.example", "Li.Wei@Mail.Example", ".x@y.example", "<li@mail.example>", "", None,
    "mailto:a@b.example", "no mail", "\uff41@b.example",
]  # fmt: skip


def texts_of(role, cells, cut=0):
    column = pa.array([*[None] * cut, *cells], pa.string()).slice(cut)
    found = canonical_column(role, column)
    spans = zip(found.starts.tolist(), found.lengths.tolist(), strict=True)
    return [found.data[start : start + length].decode() for start, length in spans]


@pytest.mark.parametrize(("role", "cells"), [("waybill_no", CODES), ("email", MAILS)])
@pytest.mark.parametrize("cut", [0, 3])
def test_every_spelling_comes_out_in_its_canonical_form(role, cells, cut):
    for given_cell, text in zip(cells, texts_of(role, cells, cut), strict=True):
        expected = canonical(role, given_cell or "") if given_cell else None
        if expected is not None:
            assert text == expected


@given(st.lists(st.one_of(st.none(), st.text("09azAZ-_ ./@é中１", max_size=12)), max_size=80))
def test_whatever_has_a_canonical_form_has_the_same_in_a_column(cells):
    for role in ("order_no", "email"):
        for cell, text in zip(cells, texts_of(role, cells), strict=True):
            expected = canonical(role, cell) if cell else None
            if expected is not None:
                assert text == expected


def test_an_empty_column_has_no_texts():
    assert texts_of("email", []) == []
    assert texts_of("order_no", [None, ""]) == ["", ""]


MAC = CmacKey.of(b"k" * 16)
LONG = "A1-" * 1400  # more than compiled code keys


@pytest.mark.parametrize("cut", [0, 3])
@pytest.mark.parametrize("compiled", [True, False])
@given(
    st.lists(
        st.one_of(
            st.none(),
            st.text("09azAZ-_ ./@é中１", max_size=12),
            st.from_regex("[a-zA-Z0-9]{0,70}", fullmatch=True),
            st.sampled_from([*CODES, *MAILS, LONG]),
        ),
        max_size=40,
    )
)
def test_whatever_has_a_canonical_form_is_keyed_by_it(compiled, cut, cells):
    assert not compiled or has_cipher()
    column = pa.array([*["x"] * cut, *cells], pa.string()).slice(cut)
    with pytest.MonkeyPatch.context() as patched:
        if not compiled:
            patched.setattr("canary.fields.columns.has_cipher", lambda: False)
        for role in ("order_no", "email"):
            keys = keys_of_column(role, spans_of(column), MAC).tolist()
            assert len(keys) == len(cells)
            for cell, key in zip(cells, keys, strict=True):
                expected = canonical(role, cell) if cell else ""
                if expected is not None:
                    assert key == MAC.of_text(expected.encode())
