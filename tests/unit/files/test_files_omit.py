"""Rows left out, case by case: last lines, emptied statements, workbooks that cannot follow, and wrong numbers."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from canary.errors import OutsideError, UsageError
from canary.files import ArrowTable, Table, open_table


def without(table: Table, *numbers: int) -> bytes:
    out = io.BytesIO()
    table.without(out, numbers)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "numbers", "left"),
    [
        ("a,b\n1,x\n2,y\n3,z\n", [1], "a,b\n1,x\n3,z\n"),
        ("a,b\n1,x\n2,y", [1], "a,b\n1,x"),
        ("a,b\r\n1,x\r\n2,y", [0, 1], "a,b"),
        ("a,b\n1,x\n\n2,y\n\n", [1], "a,b\n1,x\n\n\n"),
        ('a,b\n1,"x\ny"\n2,y\n', [0], "a,b\n2,y\n"),
        ("a,b\n1,x\nragged\n2,y\n", [2], "a,b\n1,x\nragged\n"),
        ("a,b\n1,x\n", [], "a,b\n1,x\n"),
        ("a,b\n1,x\n", [0], "a,b\n"),
    ],
)
def test_csv(desk: Any, data: str, numbers: list[int], left: str) -> None:
    assert without(desk.open("t.csv", data), *numbers) == left.encode()
    wide = desk.open("w.csv", b"\xff\xfe" + data.encode("utf-16-le"))
    assert without(wide, *numbers) == b"\xff\xfe" + left.encode("utf-16-le")


def test_the_totals_stay_last(desk: Any) -> None:
    data = "name,amount\n" + "".join(f"n{n},{n}.5\n" for n in range(9)) + "合计,40.5\n"
    table = desk.open("t.csv", data)
    assert without(table, 8) == data.replace("n8,8.5\n", "").encode()
    with pytest.raises(UsageError, match="row 9 was to be left out"):
        without(table, 9)


@pytest.mark.parametrize(
    ("data", "numbers", "left"),
    [
        ('[{"a": 1}, {"a": 2}, {"a": 3}]\n', [1], '[{"a": 1}, {"a": 3}]\n'),
        ('[\n  {"a": 1},\n  {"a": 2}\n]', [0], '[\n  {"a": 2}\n]'),
        ('[\n  {"a": 1},\n  {"a": 2}\n]', [1], '[\n  {"a": 1}\n]'),
        ('[{"a": 1},{"a": 2},{"a": 3},{"a": 4}]', [0, 1, 3], '[{"a": 3}]'),
        ('[ {"a": 1} ]', [0], "[  ]"),
    ],
)
def test_json(desk: Any, data: str, numbers: list[int], left: str) -> None:
    assert without(desk.open("t.json", data), *numbers) == left.encode()


DUMP = """SET x = 1;
INSERT INTO `t` VALUES (1,'a'),
(2,'b;'), -- the second
(3,'c');
/* between */
INSERT INTO `t` VALUES (4,'d');
INSERT INTO `u` VALUES (1),(2);
INSERT INTO `t` VALUES (5,'e'),(6,'f') ON DUPLICATE KEY UPDATE `b` = 'x;y';
COMMIT;
"""
FOURTH = "INSERT INTO `t` VALUES (4,'d');\n"


@pytest.mark.parametrize(
    ("numbers", "gone"),
    [
        ([1], ["\n(2,'b;'),"]),
        ([0], ["(1,'a'),\n"]),
        ([2], [", -- the second\n(3,'c')"]),
        ([3], [FOURTH]),
        ([3, 4, 5], [FOURTH, DUMP[DUMP.index("INSERT INTO `t` VALUES (5") : DUMP.index("COMMIT")]]),
    ],
)  # fmt: skip
def test_sql_inserts(desk: Any, numbers: list[int], gone: list[str]) -> None:
    expected = DUMP
    for text in gone:
        assert expected.count(text) == 1
        expected = expected.replace(text, "")
    assert without(desk.open("t.sql", DUMP, "t"), *numbers).decode() == expected


def test_sql_single_statements_and_copy(desk: Any) -> None:
    single = "INSERT INTO t (a) VALUES ('1');\nINSERT INTO t (a) VALUES ('2');\n"
    assert without(desk.open("t.sql", single), 0).decode() == "INSERT INTO t (a) VALUES ('2');\n"
    copy = "COPY t (a, b) FROM stdin;\n1\tx\n2\ty\n\\.\n\nSELECT 1;\n"
    table = desk.open("c.sql", copy)
    assert without(table, 1).decode() == copy.replace("2\ty\n", "")
    assert without(table, 0, 1).decode() == copy.replace("1\tx\n2\ty\n", "")


def test_parquet_keeps_groups_schema_and_metadata(desk: Any) -> None:
    schema = pa.schema([pa.field("a", pa.int32()), pa.field("b", pa.dictionary(pa.int8(), pa.string()))])
    schema = schema.with_metadata({"who": "me"})
    data = pa.table(
        {"a": pa.array(range(9), pa.int32()), "b": pa.array(list("xyzxyzxyz")).dictionary_encode()}
    )
    out = io.BytesIO()
    pq.write_table(data.cast(schema), out, row_group_size=3)
    table = desk.open("t.parquet", out.getvalue())
    left = pq.ParquetFile(io.BytesIO(without(table, 0, 3, 4, 5, 8)))
    assert left.read().column("a").to_pylist() == [1, 2, 6, 7]
    assert left.schema_arrow.metadata[b"who"] == b"me"
    assert left.schema_arrow.types == schema.types
    assert left.num_row_groups == 2


def test_arrow_tables_in_memory() -> None:
    table = ArrowTable(pa.table({"a": [1, 2, 3], "b": ["x", None, "z"]}))
    left = pa.ipc.open_stream(without(table, 1)).read_all()
    assert left.to_pydict() == {"a": [1, 3], "b": ["x", "z"]}
    with pytest.raises(UsageError, match="row 3"):
        without(table, 3)


def workbook(*, formula: str = "", merge: str = "", link: str = "", auto: str = "") -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["id", "name"])
    for number in range(6):
        sheet.append([number, f"n{number}"])
    if formula:
        sheet[formula] = "=1+1"
    if merge:
        sheet.merge_cells(merge)
    if link:
        sheet[link].hyperlink = "mailto:someone@post.example"
    if auto:
        sheet.auto_filter.ref = auto
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def sheet_of(data: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(data)).active


def test_rows_of_a_sheet_move_up(desk: Any) -> None:
    original = workbook(auto="A1:B7")
    left = without(desk.open("t.xlsx", original), 0, 3)
    sheet = sheet_of(left)
    assert [tuple(row) for row in sheet.iter_rows(values_only=True)] == [
        ("id", "name"), (1, "n1"), (2, "n2"), (4, "n4"), (5, "n5"),
    ]  # fmt: skip
    assert sheet.auto_filter.ref == "A1:B5"
    assert sheet.dimensions == "A1:B5"
    before, after = zipfile.ZipFile(io.BytesIO(original)), zipfile.ZipFile(io.BytesIO(left))
    for name in before.namelist():
        assert name == "xl/worksheets/sheet1.xml" or before.read(name) == after.read(name)


@pytest.mark.parametrize(
    ("parts", "what"),
    [
        ({"formula": "B7"}, "formulas"),
        ({"merge": "A6:B6"}, "merged cells"),
        ({"link": "B4"}, "links or rules"),
    ],
)
def test_what_cannot_follow_is_refused_without_telling_the_row(
    desk: Any, parts: dict[str, str], what: str
) -> None:
    with pytest.raises(OutsideError, match=what) as told:
        without(desk.open("t.xlsx", workbook(**parts)), 2)
    assert "row 4" not in told.value.message
    assert without(desk.open("u.xlsx", workbook(**parts)))  # nothing goes, nothing moves


def test_what_stands_above_is_no_obstacle(desk: Any) -> None:
    left = without(desk.open("t.xlsx", workbook(link="B3", merge="A2:B2")), 4)
    assert sheet_of(left)["B3"].hyperlink.target == "mailto:someone@post.example"


@pytest.mark.parametrize("numbers", [(1, 0), (1, 1), (-1,)])
@pytest.mark.parametrize("name", ["t.csv", "t.json", "t.xlsx", "t.parquet", "t.sql"])
def test_numbers_rise_from_zero(desk: Any, numbers: tuple[int, ...], name: str) -> None:
    from canary.files.saving import save_rows

    save_rows(desk.folder / name, ["a"], [{"a": "x"}, {"a": "y"}])
    with pytest.raises(UsageError, match="do not rise"):
        without(open_table(desk.folder / name), *numbers)
