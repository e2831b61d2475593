"""XLSX: headings, dates, shared strings, references that move, and what is refused."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from openpyxl.comments import Comment
from openpyxl.formatting.rule import CellIsRule
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.table import Table as SheetTable

from canary.errors import OutsideError, UsageError
from canary.files.xlsxbook import _date_kind
from canary.files.xlsxcells import column_of, letters_of, number_text
from canary.files.xmlparts import find_bytes, find_text, plain_text

ROWS = [["id", "name", "n"], ["a", "x", 1], ["b", "y", 2.5], ["c", "z", 3]]
SHEET = "xl/worksheets/sheet1.xml"


def book(change: Callable[[Any, Any], None] | None = None, rows: list[list[Any]] = ROWS) -> bytes:
    made = openpyxl.Workbook()
    sheet = made.active
    for row in rows:
        sheet.append(row)
    if change:
        change(made, sheet)
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


def edited(data: bytes, change: Callable[[str], str], member: str = SHEET) -> bytes:
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as before,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as after,
    ):
        for info in before.infolist():
            text = before.read(info)
            after.writestr(info, change(text.decode()).encode() if info.filename == member else text)
    return file.getvalue()


def cells(data: bytes) -> list[tuple[Any, ...]]:
    return list(openpyxl.load_workbook(io.BytesIO(data)).active.iter_rows(values_only=True))


def xml(data: bytes) -> str:
    return zipfile.ZipFile(io.BytesIO(data)).read(SHEET).decode()


def test_numbers_and_text_keep_their_kind(desk: Any) -> None:
    table = desk.open("a.xlsx", book())
    assert table.native == {"id": "text", "name": "text", "n": "float"}
    assert desk.rows(table) == [["a", "x", "1"], ["b", "y", "2.5"], ["c", "z", "3"]]
    copy, report = desk.rewrite(
        table, (0, {"id": "1", "n": "7"}), (3, {"id": "2", "name": "_x0041_\x02", "n": "many"})
    )
    assert cells(copy)[1] == ("1", None, 7)
    assert desk.rows(desk.open("b.xlsx", copy))[-1] == ["2", "_x0041_\x02", "many"]
    assert report.rows_out == (5,)


def test_shared_strings_are_used_where_the_book_has_them(desk: Any) -> None:
    file = io.BytesIO()
    made = xlsxwriter.Workbook(file)
    sheet = made.add_worksheet()
    for number, row in enumerate([["id", "city"], ["a", "上海"], ["b", "北京"]]):
        sheet.write_row(number, 0, row)
    made.close()
    table = desk.open("a.xlsx", file.getvalue())
    assert desk.rows(table) == [["a", "上海"], ["b", "北京"]]
    copy, _ = desk.rewrite(table, (1, {"id": "new", "city": "北京"}))
    assert cells(copy)[2] == ("new", "北京")
    assert re.search(r'<c r="A3" t="inlineStr">.*<c r="B3" t="s">', xml(copy))


def test_dates_times_and_styles(desk: Any) -> None:
    rows = [["day", "when", "at"], [date(2024, 5, 1), datetime(2024, 5, 1, 8, 30), time(9, 15)]]
    table = desk.open("a.xlsx", book(rows=rows))
    assert desk.rows(table) == [["2024-05-01", "2024-05-01 08:30:00", "09:15:00"]]
    new = {"day": "2024-06-02", "when": "2024-06-02 23:59:59", "at": "10:00:00"}
    assert cells(desk.rewrite(table, (1, new))[0])[2] == (
        datetime(2024, 6, 2),
        datetime(2024, 6, 2, 23, 59, 59),
        time(10),
    )
    assert cells(desk.rewrite(table, (1, {"day": "soon"}))[0])[2][0] == "soon"


def test_the_epoch_of_1904(desk: Any) -> None:
    def early(made: Any, sheet: Any) -> None:
        made.epoch = datetime(1904, 1, 1)

    table = desk.open("a.xlsx", book(early, [["day"], [date(2024, 5, 1)]]))
    assert desk.rows(table) == [["2024-05-01"]]
    assert cells(desk.rewrite(table, (0, {"day": "2024-05-02"}))[0])[1] == (datetime(2024, 5, 2),)


def test_a_title_above_the_headings_and_blank_rows(desk: Any) -> None:
    rows: list[list[Any]] = [["monthly report"], [], *ROWS[:2], [], *ROWS[2:]]
    table = desk.open("a.xlsx", book(lambda _, sheet: sheet.merge_cells("A1:C1"), rows))
    assert table.headings == ("id", "name", "n")
    assert len(desk.rows(table)) == 3
    copy, _ = desk.rewrite(table, (1, {"id": "new"}))
    assert [row[0] for row in cells(copy)] == ["monthly report", None, "id", "a", "new", None, "b", "c"]


def test_references_move_with_their_rows(desk: Any) -> None:
    def dress(_: Any, sheet: Any) -> None:
        sheet.auto_filter.ref = "A1:C4"
        sheet.conditional_formatting.add("C3:C4", CellIsRule("greaterThan", ["2"]))
        check = DataValidation("whole", formula1="0")
        check.add("C2:C4")
        sheet.add_data_validation(check)
        sheet["A4"].hyperlink = "https://example.org/"

    table = desk.open("a.xlsx", book(dress))
    copy, _ = desk.rewrite(table, (0, {"id": "p"}), (2, {"id": "q"}), (3, {"id": "r"}))
    text = xml(copy)
    assert '<dimension ref="A1:C7"' in text
    assert '<autoFilter ref="A1:C7"' in text
    assert 'sqref="C4:C7"' in text
    assert 'sqref="C3:C7"' in text
    assert '<hyperlink ref="A6"' in text or 'ref="A6"' in text


def formula_below(_: Any, sheet: Any) -> None:
    sheet["D4"] = "=C4*2"


def formula_above(_: Any, sheet: Any) -> None:
    sheet["D1"] = "=SUM(C2:C4)"


def merge_below(_: Any, sheet: Any) -> None:
    sheet.merge_cells("A3:B3")


def table_around(_: Any, sheet: Any) -> None:
    sheet.add_table(SheetTable(displayName="t", ref="A1:C4"))


def comment_below(_: Any, sheet: Any) -> None:
    sheet["A4"].comment = Comment("look", "me")


def formula_elsewhere(made: Any, _: Any) -> None:
    made.create_sheet("sum")["A1"] = "=SUM(Sheet!C2:C4)"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (formula_below, "has formulas below row 3"), (formula_above, "formulas that look at rows"),
        (merge_below, "merged cells below row 2"), (table_around, "tables below row 3"),
        (comment_below, "comments below row 3"), (formula_elsewhere, "formulas in another sheet"),
    ],
)  # fmt: skip
def test_what_cannot_move_is_refused(desk: Any, change: Any, words: str) -> None:
    table = desk.open("a.xlsx", book(change))
    place = 1 if change is merge_below else 2
    with pytest.raises(OutsideError, match=words) as caught:
        desk.rewrite(table, (place, {"id": "new"}))
    assert "CSV" in caught.value.hint
    assert desk.rewrite(table)[1].rows_in == 3


def test_formulas_above_the_first_canary_stay(desk: Any) -> None:
    def above(_: Any, sheet: Any) -> None:
        sheet["D2"] = "=C2*2"

    copy, _ = desk.rewrite(desk.open("a.xlsx", book(above)), (3, {"id": "new"}))
    assert cells(copy)[1][3] == "=C2*2"


def test_sheets_are_chosen_by_name(desk: Any) -> None:
    def second(made: Any, _: Any) -> None:
        made.create_sheet("二").append(["k"])
        made["二"].append(["v"])

    data = book(second)
    table = desk.open("a.xlsx", data)
    assert [one for one in table.warnings if "only sheet" in one]
    other = desk.open("a.xlsx", data, "二")
    assert (other.headings, desk.rows(other), other.warnings) == (("k",), [["v"]], [])
    with pytest.raises(UsageError, match="no sheet 'x'") as caught:
        desk.open("a.xlsx", data, "x")
    assert caught.value.hint == "its sheets: Sheet, 二"


def test_hidden_sheets_are_not_the_first(desk: Any) -> None:
    def hide(made: Any, sheet: Any) -> None:
        made.create_sheet("seen").append(["k"])
        sheet.sheet_state = "hidden"
        made.active = 1

    assert desk.open("a.xlsx", book(hide)).headings == ("k",)


@pytest.mark.parametrize(
    ("old", "new"), [("<sheetData>.*</sheetData>", "<sheetData/>"), ("<row .*</row>", "")]
)
def test_empty_sheets_are_told(desk: Any, old: str, new: str) -> None:
    with pytest.raises(OutsideError, match="sheet is empty"):
        desk.open("a.xlsx", edited(book(), lambda text: re.sub(old, new, text, flags=re.DOTALL)))


def test_headings_alone(desk: Any) -> None:
    table = desk.open("a.xlsx", book(rows=ROWS[:1]))
    assert desk.rows(table) == []
    assert cells(desk.rewrite(table, (0, {"id": "x"}))[0]) == [("id", "name", "n"), ("x", None, None)]


def test_prefixes_single_quotes_and_missing_places(desk: Any) -> None:
    def plain(text: str) -> str:
        def cell(value: str) -> str:
            return f"<x:c t='inlineStr'><x:is><x:t>{value}</x:t></x:is></x:c>"

        rows = "".join(f"<x:row>{''.join(map(cell, row))}</x:row>" for row in (["id", "name"], ["a", "b"]))
        return f"<x:worksheet xmlns:x='http://schemas.openxmlformats.org/spreadsheetml/2006/main'><x:sheetData>{rows}</x:sheetData></x:worksheet>"

    table = desk.open("a.xlsx", edited(book(), plain))
    assert desk.rows(table) == [["a", "b"]]
    copy, _ = desk.rewrite(table, (1, {"id": "c", "name": "d"}))
    assert '<x:row r="3"><x:c r="A3" t="inlineStr"><x:is><x:t>c</x:t>' in xml(copy)


@pytest.mark.parametrize(
    ("member", "change", "words"),
    [
        (SHEET, lambda text: text.replace("</sheetData>", ""), "damaged sheet"),
        (SHEET, lambda text: "<worksheet/>", "damaged sheet"),
        ("_rels/.rels", lambda text: "", "no workbook"),
        ("xl/workbook.xml", lambda text: re.sub("<sheet .*?/>", "", text), "no sheet"),
    ],
)
def test_damaged_workbooks_are_told(desk: Any, member: str, change: Any, words: str) -> None:
    with pytest.raises(OutsideError, match=words):
        desk.rows(desk.open("a.xlsx", edited(book(), change, member)))


def test_a_zip_that_is_no_workbook_is_told(desk: Any) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.csv", "id,name")
    with pytest.raises(OutsideError, match="no workbook"):
        desk.open("a.xlsx", file.getvalue())


def test_a_damaged_member_is_told(desk: Any) -> None:
    data = bytearray(book())
    table = desk.open("a.xlsx", bytes(data))
    start = zipfile.ZipFile(io.BytesIO(data)).getinfo("xl/styles.xml").header_offset
    data[start : start + 4] = b"XXXX"
    table.path.write_bytes(data)
    with pytest.raises(OutsideError, match="damaged"):
        desk.rewrite(table)


def test_equal_calls_give_equal_bytes(desk: Any) -> None:
    table = desk.open("a.xlsx", book())
    assert desk.rewrite(table, (1, {"id": "x"}))[0] == desk.rewrite(table, (1, {"id": "x"}))[0]


def test_a_footer_stays_last(desk: Any) -> None:
    table = desk.open("a.xlsx", book(rows=[*ROWS, ["合计", None, 6.5]]))
    assert len(desk.rows(table)) == 3
    assert [row[0] for row in cells(desk.rewrite(table, (3, {"id": "new"}))[0])][-2:] == ["new", "合计"]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("yyyy-mm-dd", "date"), ("h:mm", "time"), ('yyyy"年"m"月"d"日" hh:mm', "both"), ("[h]:mm", ""), ("0.00", ""),
        ("General", ""), ("mmm", "date"), ('0 "days"', ""), ("[Red]#,##0", ""),
    ],
)  # fmt: skip
def test_formats_that_show_dates(code: str, kind: str) -> None:
    assert _date_kind(164, {164: code}) == kind
    assert (_date_kind(14, {}), _date_kind(22, {}), _date_kind(20, {}), _date_kind(0, {})) == (
        "date",
        "both",
        "time",
        "",
    )


def test_small_helpers() -> None:
    assert [letters_of(n) for n in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]
    assert all(column_of(letters_of(n)) == n for n in range(2000))
    assert [number_text(one) for one in ("13800138000", "1.38E10", "0.1", "x", "1E-7", "110101199001011234")] == [
        "13800138000", "13800000000", "0.1", "x", "0.0000001", "110101199001011230",
    ]  # fmt: skip
    assert plain_text("<t>a&amp;</t><rPh><t>no</t></rPh><r><t xml:space='preserve'> b</t></r><t/>") == "a& b"
    assert list(find_bytes(b"<c>" * 50_000, "c")) == []
    assert [one.inner for one in find_text("<c a='>'>1</c><c/><cx>2</cx>", "c")] == ["1", ""]
