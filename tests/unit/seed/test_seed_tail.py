"""Rows that a database appends go on in time as the host's last rows do."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from canary.steps.live_model import LiveColumn, LiveTable, Row
from canary.steps.seed_tail import read_time, spell_time, tail_of

START = datetime(2024, 5, 1, 8, 0, tzinfo=UTC)
LATER = datetime(2026, 1, 1, tzinfo=UTC)
TABLE = LiveTable(
    schema=None,
    name="t",
    columns=(
        LiveColumn("id", "integer", given=True),
        LiveColumn("created", "timestamp"),
        LiveColumn("paid", "text"),
        LiveColumn("born", "date"),
        LiveColumn("n", "integer"),
    ),
    key=("id",),
)


def host(count: int = 60, seed: int = 1) -> list[Row]:
    rng, time, rows = random.Random(seed), START, []
    for number in range(count):
        time += timedelta(seconds=rng.randrange(10, 500))
        paid = time + timedelta(hours=rng.randrange(1, 40))
        born = f"{rng.randrange(1950, 2000)}-0{rng.randrange(1, 10)}-15"
        row = {
            "created": time.strftime("%Y-%m-%d %H:%M:%S"),
            "paid": paid.strftime("%Y-%m-%d %H:%M"),
            "born": born,
        }
        rows.append({**row, "n": str(number)})
    return rows


def test_the_rising_column_continues_and_its_neighbours_move_along() -> None:
    rows = host()
    tail = tail_of(TABLE, rows)
    assert tail is not None
    assert (tail.column, tail.along) == ("created", ("paid",))
    drafts = random.Random(4).sample(rows, 8)
    moved = tail.continued(drafts, random.Random(2), LATER)
    times = [str(row["created"]) for row in moved]
    assert times == sorted(times)
    assert str(rows[-1]["created"]) <= times[0]
    for before, after in zip(drafts, moved, strict=True):
        assert (after["born"], after["n"]) == (before["born"], before["n"])
        apart = [
            datetime.fromisoformat(str(row["paid"])) - datetime.fromisoformat(str(row["created"]))
            for row in (before, after)
        ]
        assert abs(apart[0] - apart[1]) < timedelta(minutes=1)


def test_nothing_lies_in_the_future() -> None:
    rows = host()
    now = datetime.fromisoformat(str(rows[-1]["created"])).replace(tzinfo=UTC) + timedelta(seconds=30)
    tail = tail_of(TABLE, rows)
    assert tail is not None
    moved = tail.continued(rows[:20], random.Random(2), now)
    assert max(str(row["created"]) for row in moved) <= now.strftime("%Y-%m-%d %H:%M:%S")
    assert min(str(row["created"]) for row in moved) >= str(rows[-1]["created"])


def test_a_draft_without_a_time_gets_one() -> None:
    tail = tail_of(TABLE, host())
    assert tail is not None
    (row,) = tail.continued([{"created": None}], random.Random(1), LATER)
    assert read_time(row["created"]) is not None


def test_a_table_without_a_rising_time_has_no_tail() -> None:
    rows = host()
    random.Random(3).shuffle(rows)
    assert tail_of(TABLE, rows) is None
    assert tail_of(TABLE, host(5)) is None
    assert tail_of(TABLE, [{**row, "created": None, "paid": None} for row in host()]) is None


@pytest.mark.parametrize(
    ("like", "spelt"),
    [
        ("2024-05-01", "2025-02-03"),
        ("2024-05-01 10:00", "2025-02-03 04:05"),
        ("2024-05-01T10:00:00", "2025-02-03T04:05:06"),
        ("2024-05-01 10:00:00.25", "2025-02-03 04:05:06.78"),
        ("2024-05-01 10:00:00.123456", "2025-02-03 04:05:06.789012"),
        ("yesterday", "2025-02-03 04:05:06"),
    ],
)
def test_a_time_is_spelt_as_the_column_spells_it(like: str, spelt: str) -> None:
    assert spell_time(datetime(2025, 2, 3, 4, 5, 6, 789012, tzinfo=UTC), like) == spelt


@pytest.mark.parametrize("text", [None, "", "2024", "2024-13-01", "20240501", "2024-05-01 10:00:00+08"])
def test_what_is_no_time_in_iso_form_is_left_alone(text: str | None) -> None:
    assert read_time(text) is None
