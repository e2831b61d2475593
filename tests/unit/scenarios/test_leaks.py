import csv
import json
import random
from datetime import datetime

import pytest
from python_calamine import CalamineWorkbook

from canary.scenarios import leaks
from canary.scenarios.quarry import Quarry

ROWS = [{"号": f"YT{n:010d}", "姓名": f"人{n}", "时间": "2020-01-01 00:00:00"} for n in range(200)]


def test_rows_survive_a_round_trip_through_every_form(tmp_path):
    assert leaks.read_rows(leaks.to_csv(ROWS, tmp_path / "a.csv")) == ROWS
    assert leaks.read_rows(leaks.to_jsonl(ROWS, tmp_path / "a.jsonl")) == ROWS
    book = (
        CalamineWorkbook.from_path(str(leaks.to_xlsx(ROWS, tmp_path / "a.xlsx")))
        .get_sheet_by_index(0)
        .to_python()
    )
    assert book[0] == list(ROWS[0])
    assert book[1] == list(ROWS[0].values())
    assert len(book) == 201


def test_cleaning_loses_the_share_it_says():
    kept = leaks.survive(ROWS, 0.1, random.Random(1))
    assert len(kept) == 20
    assert all(row in ROWS for row in kept)


def test_packs_and_dropped_columns():
    packs = leaks.packs(leaks.without(ROWS, ["姓名"]), 60)
    assert [len(pack) for pack in packs] == [60, 60, 60, 20]
    assert set(packs[0][0]) == {"号", "时间"}


def test_a_merged_pile_holds_everything_in_another_order():
    pile = leaks.merge([ROWS[:100], ROWS[100:]], random.Random(1))
    assert pile != ROWS
    assert sorted(row["号"] for row in pile) == [row["号"] for row in ROWS]


def test_a_chat_holds_every_line_between_small_talk(tmp_path):
    text = leaks.to_chat(ROWS, tmp_path / "c.txt", ["姓名", "号"], random.Random(1)).read_text("utf-8")
    assert all(f"{row['姓名']} {row['号']}\n" in text for row in ROWS)
    assert "成员" in text


def test_prose_tells_what_was_found_and_what_was_not(tmp_path):
    text = leaks.to_prose({"人1": [("1号来源", ROWS[1])], "人9": []}, tmp_path / "p.txt").read_text("utf-8")
    assert "号为YT0000000001" in text
    assert "关于人9：未查到。" in text


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_a_quarry_cuts_exports_with_fresh_rising_numbers_and_times(tmp_path, suffix):
    quarry = Quarry(leaks.to_csv(ROWS, tmp_path / "stock.csv"), "号", "时间", random.Random(1))
    first = leaks.read_rows(quarry.cut(50, datetime(2020, 7, 1), tmp_path / f"1.{suffix}"))
    second = leaks.read_rows(quarry.cut(50, datetime(2020, 7, 2), tmp_path / f"2.{suffix}"))
    numbers = [row["号"] for row in first + second]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == 100
    times = [row["时间"] for row in first + second]
    assert times == sorted(times)
    assert {time[:10] for time in times} == {"2020-07-01", "2020-07-02"}


def test_a_quarry_needs_numbers(tmp_path):
    with (tmp_path / "s.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["号", "时间"], ["abc", "x"]])
    with pytest.raises(ValueError, match="no number"):
        Quarry(tmp_path / "s.csv", "号", "时间", random.Random(1))


def test_absent_values_of_json_are_read_as_empty(tmp_path):
    (tmp_path / "x.jsonl").write_text(json.dumps({"a": None, "b": 1}) + "\n")
    assert leaks.read_rows(tmp_path / "x.jsonl") == [{"a": "", "b": "1"}]
