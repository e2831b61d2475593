"""XLSX: judged by openpyxl and calamine; every other member of the archive stays byte for byte."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime
from typing import Any

import openpyxl
import python_calamine
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from canary.files import Insertion

LETTERS = st.characters(
    min_codepoint=32, exclude_categories=["Cs", "Cn", "Co"], exclude_characters="\ufffe\uffff\x7f"
)
TEXT = st.text(LETTERS, min_size=1, max_size=6) | st.sampled_from(
    ["<&>", " lead", "trail ", "a\nb", "张三", "</row>", "=1+1", '"', "]]>", "138 0013 8000"]
)
WHEN = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)).map(lambda at: at.replace(microsecond=0))
ROWS = st.lists(
    st.tuples(TEXT, st.integers(-(10**9), 10**9), st.none() | WHEN, st.booleans()), min_size=1, max_size=8
)
HEADINGS = ["名称", "count", "when", "flag"]


def by_xlsxwriter(rows: list[Any], constant: bool, gap: int) -> bytes:
    file = io.BytesIO()
    options = {"constant_memory": constant, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(file, options)
    sheet, moment = book.add_worksheet("数据"), book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    for column, heading in enumerate(HEADINGS):
        sheet.write_string(gap, column, heading)
    for number, (text, count, when, flag) in enumerate(rows, gap + 1):
        sheet.write_string(number, 0, text)
        sheet.write_number(number, 1, count)
        if when is not None:
            sheet.write_datetime(number, 2, when, moment)
        sheet.write_boolean(number, 3, flag)
    book.add_worksheet("else").write_string(0, 0, "x")
    book.close()
    return file.getvalue()


def as_text(row: Any) -> dict[str, str | None]:
    text, count, when, flag = row
    return dict(zip(HEADINGS, (text, str(count), when and str(when), str(flag).lower()), strict=True))


@given(
    rows=ROWS,
    data=st.data(),
    constant=st.booleans(),
    gap=st.integers(0, 2),
    size=st.sampled_from([64, 1 << 20]),
)
@settings(max_examples=60, deadline=None)
def test_xlsx(rows: list[Any], data: st.DataObject, constant: bool, gap: int, size: int, bench: Any) -> None:
    original = by_xlsxwriter(rows, constant, gap)
    pairs = sorted(
        data.draw(st.lists(st.tuples(st.integers(0, len(rows)), st.integers(0, len(rows) - 1)), max_size=4))
    )
    with bench.chunks(size):
        table = bench.open("t.xlsx", original)
        table._footer = False
        assert table.headings == tuple(HEADINGS)
        assert [row for _, row in bench.rows(table)] == [as_text(row) for row in rows]
        insertions = [Insertion(place, as_text(rows[source])) for place, source in pairs]
        copy, untouched = bench.rewritten(table, insertions, [])
    wanted: list[Any] = []
    for place in range(len(rows) + 1):
        wanted += [rows[source] for position, source in pairs if position == place] + rows[place : place + 1]
    sheet = openpyxl.load_workbook(io.BytesIO(copy))["数据"]
    assert [tuple(cell.value for cell in row) for row in sheet.iter_rows(min_row=gap + 2)] == wanted
    assert sheet.max_row == gap + 1 + len(wanted)
    judged = (
        python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(copy)).get_sheet_by_name("数据").to_python()
    )
    assert [row[0] for row in judged[1:]] == [row[0] for row in wanted]
    before, after, same = (zipfile.ZipFile(io.BytesIO(one)) for one in (original, copy, untouched))
    assert before.namelist() == after.namelist() == same.namelist()
    for name in before.namelist():
        assert same.read(name) == before.read(name)
        if name != "xl/worksheets/sheet1.xml":
            assert after.read(name) == before.read(name)
