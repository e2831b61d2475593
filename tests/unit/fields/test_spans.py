"""Columns read where they lie say what the slow ways say of them."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.fields.spans import Spans, hashes_of, numbers_of, seconds_of, spans_of
from canary.files.csvkernel import find_cells
from canary.native import is_native

TEXTS = st.lists(st.text(max_size=40) | st.text("ab", min_size=5, max_size=20), min_size=1, max_size=30)
PLACES = [
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y-%m-%dT%H:%M:%S",
    "%Y.%m.%d",
]


def column(texts: list[str] | list[str | None], cut: int = 0) -> Spans:
    return spans_of(pa.array(["front"] * cut + texts, pa.string()).slice(cut))


def cells(texts: list[str]) -> Spans:
    """Give texts as cells of a CSV file, each behind another cell."""
    lines = "".join(f'1,"{text}"\n' if "\n" in text or "," in text else f"1,{text}\n" for text in texts)
    found, _ = find_cells(np.frombuffer(lines.encode(), np.uint8), ",", '"', (1,), True)
    from functools import partial

    return Spans(
        found.data,
        found.found.reshape(-1),
        2,
        len(texts),
        partial(found.column, 0),
        found.quote,
    )


def test_compiled_code_runs_here() -> None:
    assert is_native()


@given(TEXTS, st.integers(0, 3))
def test_equal_texts_have_equal_hashes_and_no_others(texts: list[str], cut: int) -> None:
    hashes = hashes_of(column(texts, cut)).tolist()
    assert len(set(zip(hashes, texts, strict=True))) == len(set(texts)) == len(set(hashes))
    assert hashes == hashes_of(column([*texts, "behind"])).tolist()[:-1]


@given(st.lists(st.text("ab,\n张1234567890", min_size=1, max_size=30), min_size=1, max_size=20))
def test_a_quoted_cell_has_the_hash_of_its_text(texts: list[str]) -> None:
    assert cells(texts).all().to_pylist() == texts
    assert hashes_of(cells(texts)).tolist() == hashes_of(column(texts)).tolist()


def test_one_changed_letter_anywhere_changes_the_hash() -> None:
    whole = "x" * 40
    others = [whole[:at] + "y" + whole[at + 1 :] for at in range(40)] + [whole[:at] for at in range(40)]
    assert len(set(hashes_of(column([whole, *others])).tolist())) == 81


def test_what_is_missing_is_the_empty_text() -> None:
    assert hashes_of(column([None, ""])).tolist()[0] == hashes_of(column([""])).tolist()[0]


def test_without_compiled_code_texts_are_compared_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("canary.fields.spans.is_native", lambda: False)
    hashes = hashes_of(column(["a", "b", "a"])).tolist()
    assert hashes[0] == hashes[2] != hashes[1]
    assert numbers_of(column(["1"]), "", "", None) is None
    assert seconds_of(column(["2024-01-01"]), "%Y-%m-%d") is None


@given(
    st.lists(st.integers(0, 10**18 - 1), min_size=1, max_size=20),
    st.sampled_from(["", "YT", "订单"]),
    st.sampled_from(["", "CN"]),
)
def test_numbers_are_read(numbers: list[int], head: str, tail: str) -> None:
    read = numbers_of(column([f"{head}{number}{tail}" for number in numbers]), head, tail, None)
    assert read is not None
    assert read.tolist() == numbers
    padded = numbers_of(column([f"{head}{number:018}{tail}" for number in numbers]), head, tail, 18)
    assert padded is not None
    assert padded.tolist() == numbers


def test_what_stands_before_the_tail_may_be_left_out() -> None:
    read = numbers_of(column(["YT123CN", "YT45xCN"]), "YT", "CN", 2, skip=1)
    assert read is not None
    assert read.tolist() == [12, 45]
    assert numbers_of(column(["YT12CN"]), "YT", "CN", 2, skip=1) is None


@pytest.mark.parametrize("odd", ["", "YT", "YT1", "YT12x", "yt12", "YT123", "YT1２", "YT/2", "YT:2", "XX12"])
def test_a_text_of_another_shape_is_told(odd: str) -> None:
    assert numbers_of(column(["YT12", odd]), "YT", "", 2) is None
    assert numbers_of(column(["YT12Z", odd + "A"]), "YT", "Z", 2) is None


def test_too_many_digits_are_no_number() -> None:
    assert numbers_of(column(["9" * 19]), "", "", None) is None
    assert numbers_of(column(["9" * 18]), "", "", None) is not None


def test_a_quoted_number_is_left_to_others() -> None:
    found, _ = find_cells(np.frombuffer(b'12\n"34"\n', np.uint8), ",", '"', (0,), True)
    spans = Spans(found.data, found.found.reshape(-1), 2, 2, lambda _: pa.array([]), found.quote)
    assert numbers_of(spans, "", "", None) is None


@pytest.mark.parametrize("template", PLACES)
@given(st.lists(st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)), min_size=1, max_size=20))
def test_times_are_read(template: str, times: list[datetime]) -> None:
    texts = [f"{one.year:04}" + one.strftime(template.removeprefix("%Y")) for one in times]
    read = seconds_of(column(texts), template)
    assert read is not None
    parsed = [datetime.strptime(text, template).replace(tzinfo=UTC) for text in texts]
    assert read.tolist() == [calendar.timegm(one.timetuple()) for one in parsed]


def test_every_day_of_many_years_is_read() -> None:
    days = [datetime(1895, 1, 1) + timedelta(number) for number in range(80_000)]
    read = seconds_of(column([one.strftime("%Y-%m-%d") for one in days]), "%Y-%m-%d")
    assert read is not None
    first = calendar.timegm(days[0].timetuple())
    assert read.tolist() == [first + 86400 * number for number in range(80_000)]


@pytest.mark.parametrize(
    "odd",
    [
        "", "2024-02-30 00:00:00", "2023-02-29 00:00:00", "1900-02-29 00:00:00", "2024-13-01 00:00:00",
        "2024-00-01 00:00:00", "2024-01-00 00:00:00", "0000-01-01 00:00:00", "2024-01-01 24:00:00",
        "2024-01-01 00:60:00", "2024-01-01 00:00:60", "2024-01-01T00:00:00", "2024/01-01 00:00:00",
        "2024-01/01 00:00:00", "2024-01-01 00-00:00", "2024-01-01 00:00-00", "2024-01-01 00:00:0x",
        "2024-01-01 0x:00:00", "2024-01-01 00:x0:00", "20x4-01-01 00:00:00", "2024-01-01 00:00:00 ",
    ],
)  # fmt: skip
def test_what_is_no_time_is_told(odd: str) -> None:
    assert seconds_of(column(["2024-02-29 12:34:56", odd]), "%Y-%m-%d %H:%M:%S") is None
    assert seconds_of(column(["2000-02-29 12:34:56"]), "%Y-%m-%d %H:%M:%S") is not None


@pytest.mark.parametrize(
    "template", ["%s", "%d/%m/%Y", "%Y-%m-%d %I:%M", "%Y-%-m-%d", "%Y年%m月%d", "%Y--%m-%d", "%Y%m%d"]
)
def test_other_spellings_are_left_to_others(template: str) -> None:
    assert seconds_of(column(["2024-01-01"]), template) is None
