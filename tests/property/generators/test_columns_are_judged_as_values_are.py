"""What is judged or drawn a column at once is what one by one gives, whatever is wrong with a value."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canary.errors import SafetyError
from canary.generators.doubts import doubtful_dates, doubtful_ids
from canary.generators.emails import local_part, local_parts, words
from canary.generators.ids import check_digit, code_pool, draw_ids, is_safe_code, withdrawn_codes
from canary.generators.safety import Owned, check, check_all

OWNED = Owned(date(2026, 11, 22))
LATEST = "20081122"
CODES = [*sorted(withdrawn_codes())[::7], "330106", "810000", "910101", "000000"]


@st.composite
def numbers(draw: st.DrawFn) -> str:
    """Draw a number that is right but for its code, its birth, its check digit or one sign, or wholly right."""
    year = draw(st.integers(1975, 2010))
    code = draw(st.sampled_from(code_pool(year).codes or CODES)) if draw(st.booleans()) else None
    code = code or draw(st.sampled_from(CODES))
    body = f"{code}{year}{draw(st.integers(1, 12)):02d}{draw(st.integers(1, 28)):02d}{draw(st.integers(1, 999)):03d}"
    whole = body + (check_digit(body) if draw(st.integers(0, 3)) else draw(st.sampled_from("0123456789X")))
    if draw(st.integers(0, 3)):
        return whole
    at = draw(st.integers(0, len(whole)))
    return whole[:at] + draw(st.sampled_from(["", "0", "*", "١", "\0", "x", "********"])) + whole[at + 1 :]


@given(st.lists(numbers(), min_size=1, max_size=30))
@settings(max_examples=150, deadline=None)
def test_no_number_that_one_by_one_is_refused_passes_at_once(values):
    doubtful = doubtful_ids(values, LATEST)
    for value in set(values) - set(doubtful):
        check("resident_id", value, OWNED)
        assert is_safe_code(value[:6], int(value[6:10]))
    bad = any(_refused("resident_id", value) for value in values)
    if bad:
        with pytest.raises(SafetyError):
            check_all("resident_id", values, OWNED)
    else:
        check_all("resident_id", values, OWNED)


@given(
    st.lists(st.dates(date(1930, 1, 1), date(2012, 1, 1)).map(str) | st.text("0123456789-/.", max_size=11))
)
@settings(max_examples=150, deadline=None)
def test_no_date_that_one_by_one_is_refused_passes_at_once(values):
    plain = set(values) - set(doubtful_dates(values, LATEST))
    assert not any(_refused("birth_date", value) for value in plain)
    assert {
        value for value in values if value <= "2008-11-22" and value.count("-") == 2 and _iso(value)
    } <= plain


def _iso(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _refused(role: str, value: str) -> bool:
    try:
        check(role, value, OWNED)
    except SafetyError:
        return True
    return False


def test_none_is_doubtful_of_a_column_that_was_drawn():
    births = [date(year, month, 28) for year in range(1946, 2008) for month in range(1, 13)]
    ids, bits = draw_ids(np.random.default_rng(4), births, ["F"] * len(births), ["330106"] * len(births))
    assert doubtful_ids(ids, LATEST) == [""] * sum(1981 <= birth.year <= 1985 for birth in births)
    assert [not one for one in ids] == [bit == 0 for bit in bits]
    assert all(one[:6] in code_pool(birth.year).codes for one, birth in zip(ids, births, strict=True) if one)
    assert {int(one[16]) % 2 for one in ids if one} == {0}


def test_every_safe_code_of_a_year_is_drawn():
    count = 60_000
    ids, _ = draw_ids(np.random.default_rng(5), [date(1988, 1, 1)] * count, ["M"] * count, ["110101"] * count)
    pool = code_pool(1988)
    assert {one[:6] for one in ids} == set(pool.codes)
    orders = {one[14:17] for one in ids}
    assert orders == {f"{order:03d}" for order in range(1, 995, 2)}


@given(st.lists(st.tuples(st.integers(0, words() - 1), st.integers(0, 4)), max_size=20))
def test_aliases_written_at_once_are_those_written_one_by_one(drawn):
    names = [f"name{at}" for at in range(len(drawn))]
    heads = [f"n{at}" for at in range(len(drawn))]
    alone = [local_part(name, head, *each) for name, head, each in zip(names, heads, drawn, strict=True)]
    assert local_parts(names, heads, [one for one, _ in drawn], [two for _, two in drawn]) == alone
