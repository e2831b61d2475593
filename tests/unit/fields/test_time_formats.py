"""Dates and moments are read and written to the character."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from canary.fields.times import TimeFormat, detect_format

M, S = timedelta(minutes=1), timedelta(seconds=1)


@pytest.mark.parametrize(
    ("values", "template", "moment", "step"),
    [
        (["2024-05-03 12:33:10"], "%Y-%m-%d %H:%M:%S", datetime(2024, 5, 3, 12, 33, 10), S),
        (["2024/5/3 9:33", "2024/11/13 12:33"], "%Y/%-m/%-d %-H:%M", datetime(2024, 5, 3, 9, 33), M),
        (["20240503"], "%Y%m%d", datetime(2024, 5, 3), timedelta(days=1)),
        (["20240503123310"], "%Y%m%d%H%M%S", datetime(2024, 5, 3, 12, 33, 10), S),
        (["1714710790"], "%s", datetime(2024, 5, 3, 4, 33, 10), S),
        (["1714710790123"], "%3s", datetime(2024, 5, 3, 4, 33, 10, 123000), S / 1000),
        (["2024-05-03T12:33:10Z"], "%Y-%m-%dT%H:%M:%SZ", datetime(2024, 5, 3, 12, 33, 10), S),
        (
            ["2024-05-03T12:33:10.123456"],
            "%Y-%m-%dT%H:%M:%S.%6f",
            datetime(2024, 5, 3, 12, 33, 10, 123456),
            S / 10**6,
        ),
        (["2024年05月03日 12时33分"], "%Y年%m月%d日 %H时%M分", datetime(2024, 5, 3, 12, 33), M),
        (["5/3/2024 1:05 PM"], "%-m/%-d/%Y %-I:%M %p", datetime(2024, 5, 3, 13, 5), M),
        (["5/3/2024 12:05 am"], "%-m/%-d/%Y %I:%M %P", datetime(2024, 5, 3, 0, 5), M),
        (["2024-05-03 下午1:05"], "%Y-%m-%d %A%-I:%M", datetime(2024, 5, 3, 13, 5), M),
        (["1/2/2024", "13/2/2024"], "%-d/%-m/%Y", datetime(2024, 2, 1), timedelta(days=1)),
        (["24/05/03"], "%y/%m/%d", datetime(2024, 5, 3), timedelta(days=1)),
        (["99-05-03"], "%y-%m-%d", datetime(1999, 5, 3), timedelta(days=1)),
    ],
)
def test_spellings(values: list[str], template: str, moment: datetime, step: timedelta) -> None:
    found = detect_format(values)
    assert found == TimeFormat(template)
    assert found.parse(values[0]) == moment
    assert found.format(moment) == values[0]
    assert found.step == step
    assert found.has_clock == (step < timedelta(days=1))


def test_changing_zones_are_kept() -> None:
    found = detect_format(["2024-05-03T12:33:10.5+08:00", "2024-05-03T12:33:10.5-03:30"])
    assert found == TimeFormat("%Y-%m-%dT%H:%M:%S.%1f%z")
    assert found.parse("2024-05-03T12:33:10.5-03:30").astimezone(UTC).hour == 16
    assert found.format(found.parse("2024-05-03T12:33:10.5-03:30")) == "2024-05-03T12:33:10.5-03:30"
    assert TimeFormat("%s").format(datetime(2024, 5, 3, 4, 33, 10, tzinfo=UTC)) == "1714710790"
    assert TimeFormat("%Y-%m-%dT%H:%M:%S%z").parse("2024-05-03T12:33:10Z").tzinfo is UTC


@pytest.mark.parametrize(
    "values",
    [
        [],
        [None, ""],
        ["abc"],
        ["12.5"],
        ["2024-13-03"],
        ["2024-02-30"],
        ["13/13/2024 13:00 PM"],
        ["文一西路"],
    ],
)
def test_what_is_no_time_is_none(values: list[str | None]) -> None:
    assert detect_format(values) is None


def test_a_few_others_are_tolerated_as_asked() -> None:
    values: list[str | None] = ["2024-05-03"] * 9 + ["unknown", None]
    assert detect_format(values) is None
    assert detect_format(values, 0.9) == TimeFormat("%Y-%m-%d")


def test_another_spelling_raises() -> None:
    with pytest.raises(ValueError, match="is not spelt"):
        TimeFormat("%Y-%m-%d").parse("2024/05/03")
    with pytest.raises(ValueError, match="outside"):
        TimeFormat("%Y-%m-%d").parse("0001-05-03")
    with pytest.raises(ValueError, match="hour 13"):
        TimeFormat("%Y-%m-%d %I:%M %p").parse("2024-05-03 13:00 PM")
    assert TimeFormat("%H:00").step == timedelta(hours=1)
