"""A last row of totals stays last and is no row of the data."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest

from canary.files import ArrowTable, Insertion
from canary.files.footer import is_total_word, to_number

ROWS = "单号,姓名,重量,费用\nA1,张三,1.5,10\nA2,李四,2.5,20\nA3,王五,3,30\n"


@pytest.mark.parametrize(
    "footer",
    [
        "合计,,7,60", "总计,3,7.0,60.00", ",,7,60", "合 计：,,,", "Total,,7,60", "Grand Total,,,60", "A,,合计,60",
        "汇总(元),,,60", "共3,,7,60", "合计,60",
    ],
)  # fmt: skip
def test_totals_are_a_footer(desk: Any, footer: str) -> None:
    text = ROWS + footer + "\n"
    table = desk.open("a.csv", text)
    assert len(desk.rows(table)) == 3
    assert any("totals" in one for one in table.warnings)
    copy, report = desk.rewrite(table, (3, {"单号": "C", "姓名": "雀"}))
    assert copy.decode() == ROWS + "C,雀,,\n" + footer + "\n"
    assert (report.rows_in, report.rows_out) == (3, (4,))


@pytest.mark.parametrize("last", ["A4,赵六,4,40", "A4,,4,40", "A4,总,4,", "A4,赵六,7,40", ",,8,60", ",,,"])
def test_plain_rows_are_no_footer(desk: Any, last: str) -> None:
    table = desk.open("a.csv", ROWS + last + "\n")
    assert len(desk.rows(table)) == 4
    assert desk.rewrite(table)[1].rows_in == 4


def test_small_tables_of_numbers_have_no_footer(desk: Any) -> None:
    assert len(desk.rows(desk.open("a.csv", "id,n\n1,a\n2,b\n3,c\n"))) == 3
    assert len(desk.rows(desk.open("b.csv", "id,n\n1,1\n2,2\n3,3\n"))) == 3
    assert len(desk.rows(desk.open("c.csv", "id,n\n合计,1\n"))) == 1


def test_a_word_that_other_rows_have_too_is_no_footer(desk: Any) -> None:
    text = "kind,n\n" + "total,5\npart,3\n" * 4 + "total,4\n"
    assert len(desk.rows(desk.open("a.csv", text))) == 9


def test_sums_without_a_word_need_two_columns_or_a_gap(desk: Any) -> None:
    head = "name,a,b\n" + "".join(f"x{n},{n},{n * 2}\n" for n in range(1, 6))
    assert len(desk.rows(desk.open("a.csv", head + "all,15,30\n"))) == 5
    assert len(desk.rows(desk.open("b.csv", head + "all,15,31\n"))) == 6


def test_sums_are_checked_over_the_whole_table(desk: Any) -> None:
    head = "name,a,b\n" + "".join(f"x{n},1,2\n" for n in range(30_000))
    assert len(desk.rows(desk.open("a.csv", head + ",30000,60000\n"))) == 30_000
    assert len(desk.rows(desk.open("b.csv", head + ",30000,60001\n"))) == 30_001
    assert desk.rewrite(desk.open("c.csv", head + ",30000,60000\n"))[1].rows_in == 30_000


def test_footers_of_other_formats() -> None:
    table = ArrowTable(pa.table({"id": ["a", "b", "c", "合计"], "n": [1, 2, 3, 6]}))
    assert [batch.rows.num_rows for batch in table.batches()] == [3]
    assert table.rewritten([Insertion(3, {"id": "x"})])["id"].to_pylist() == ["a", "b", "c", "x", "合计"]


def test_a_footer_of_json_lines(desk: Any) -> None:
    rows = [{"id": "a", "n": 1}, {"id": "b", "n": 2}, {"id": "总计", "n": 3}]
    table = desk.open("a.jsonl", "\n".join(json.dumps(row) for row in rows))
    assert desk.rows(table) == [["a", "1"], ["b", "2"]]


def test_words_and_numbers() -> None:
    assert all(map(is_total_word, ["合计", "总 计：", "TOTAL", "Subtotal:", "合计(3)", "ｔｏｔａｌ"]))
    assert not any(map(is_total_word, [None, "", "Totalis", "张合计", "x" * 50]))
    assert [str(to_number(one)) for one in ("1,234.50", "¥7", "１２", "x", "", "1e3", None)] == [
        "1234.50", "7", "12", "None", "None", "1E+3", "None",
    ]  # fmt: skip
