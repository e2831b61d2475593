"""Parquet and Arrow: casting canaries, refusals, and tables new from rows of text."""

from __future__ import annotations

import gzip
import io
import json
import sqlite3
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from canary.errors import OutsideError, UsageError
from canary.files import ArrowTable, Insertion, open_table, save_rows

HEADINGS = ("编号", "name")
ROWS: list[dict[str, str | None]] = [{"编号": "1", "name": "a,\"'"}, {"编号": None, "name": "=x\n"}]


def parquet(table: pa.Table, **options: Any) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, **options)
    return buffer.getvalue()


def test_types_are_named(desk: Any) -> None:
    table = desk.open("a.parquet", parquet(pa.table({"a": [1], "b": ["x"], "c": [1.5]})))
    assert table.native == {"a": "integer", "b": "text", "c": "float"}
    assert desk.rows(table, ["c", "a"]) == [["1.5", "1"]]


def test_an_empty_parquet_file_keeps_its_schema(desk: Any) -> None:
    schema = pa.schema([("a", pa.int32())], {"k": "v"})
    empty = io.BytesIO()
    pq.ParquetWriter(empty, schema).close()
    for data in (empty.getvalue(), parquet(schema.empty_table())):
        table = desk.open("a.parquet", data)
        assert desk.rows(table) == []
        assert table.warnings == ["a.parquet holds no rows"]
        copy, report = desk.rewrite(table, (0, {"a": "7"}))
        assert pq.read_table(io.BytesIO(copy)).to_pydict() == {"a": [7]}
        assert report.rows_in == 0


def test_a_value_that_does_not_fit_is_told_without_the_value() -> None:
    table = ArrowTable(pa.table({"n": pa.array([1], pa.int8())}))
    with pytest.raises(OutsideError, match="column 'n' of type int8") as caught:
        table.rewritten([Insertion(0, {"n": "secret"})])
    assert "secret" not in caught.value.message + caught.value.hint
    schema = pa.schema([pa.field("n", pa.int8(), nullable=False)])
    with pytest.raises(OutsideError, match="must have one"):
        ArrowTable(pa.table({"n": [1]}, schema=schema)).rewritten([Insertion(0, {})])


@pytest.mark.parametrize(
    ("kind", "text", "wanted"),
    [
        (pa.int64(), "12.0", 12),
        (pa.timestamp("s", tz="Asia/Shanghai"), "2024-01-01 08:00:00", "2024-01-01 08:00:00+08:00"),
        (pa.date32(), "2024-01-01 00:00:00", "2024-01-01"),
        (pa.null(), "x", None),
        (pa.bool_(), "true", True),
        (pa.int64(), "", None),
        (pa.duration("s"), "5", "0:00:05"),
    ],
)
def test_spellings_that_are_accepted(kind: pa.DataType, text: str, wanted: object) -> None:
    table = ArrowTable(pa.table({"c": pa.array([None], kind)}))
    value = table.rewritten([Insertion(0, {"c": text})])["c"][0].as_py()
    assert (str(value) if isinstance(wanted, str) else value) == wanted


def test_bytes_that_are_no_text_come_as_hex() -> None:
    table = ArrowTable(pa.table({"c": pa.array([b"\xff", b"a", None])}))
    assert [batch.rows.to_pydict() for batch in table.batches()] == [{"c": ["ff", "a", None]}]


def test_extension_types_are_read_by_their_storage() -> None:
    array = pa.ExtensionArray.from_storage(pa.json_(), pa.array(['{"a": 1}']))
    table = ArrowTable(pa.table({"c": array}))
    copy = table.rewritten([Insertion(1, {"c": '{"a": 2}'})])
    assert copy.schema.field("c").type == pa.json_()
    assert copy["c"].to_pylist() == ['{"a": 1}', '{"a": 2}']


def test_columns_of_one_name_stay_apart(desk: Any) -> None:
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    assert ArrowTable(table).rewritten([Insertion(0, {"a": "3", "a_2": "4"})]).columns[1].to_pylist() == [
        4,
        2,
    ]
    mine = desk.open("a.parquet", parquet(table))
    assert (mine.headings, desk.rows(mine, ["a_2"])) == (("a", "a_2"), [["2"]])


def test_pandas_metadata_and_field_metadata_stay(desk: Any) -> None:
    field = pa.field("a", pa.int64(), metadata={"unit": "kg"})
    table = pa.table({"a": [1, 2]}, schema=pa.schema([field], {"pandas": "{}", "owner": "x"}))
    mine = desk.open("a.parquet", parquet(table, write_statistics=False))
    copy = pq.ParquetFile(io.BytesIO(desk.rewrite(mine, (1, {"a": "9"}))[0]))
    assert copy.schema_arrow.equals(pq.read_schema(mine.path), check_metadata=True)
    assert copy.schema_arrow.field("a").metadata[b"unit"] == b"kg"
    assert copy.schema_arrow.metadata == {b"pandas": b"{}", b"owner": b"x"}
    assert copy.metadata.row_group(0).column(0).statistics is None
    bare = desk.open("b.parquet", parquet(table, store_schema=False))
    assert b"ARROW:schema" not in (pq.read_metadata(io.BytesIO(desk.rewrite(bare)[0])).metadata or {})


def test_what_is_no_arrow_table_is_told() -> None:
    with pytest.raises(UsageError, match="got a list"):
        ArrowTable([1])  # type: ignore[arg-type]


def test_a_parquet_file_without_columns_is_told(desk: Any) -> None:
    with pytest.raises(OutsideError, match="no columns"):
        desk.open("a.parquet", parquet(pa.table({})))


def test_a_parquet_file_that_is_cut_is_told(desk: Any) -> None:
    data = parquet(pa.table({"a": ["x" * 50] * 1000}), compression="none", use_dictionary=False)
    table = desk.open("a.parquet", data)
    table.path.write_bytes(data[:4] + b"\xff" * 3000 + data[3004:])
    with pytest.raises(OutsideError):
        desk.rows(table)


@pytest.mark.parametrize(
    "name",
    [
        "a.csv",
        "a.tsv",
        "a.jsonl",
        "a.ndjson",
        "a.json",
        "a.sql",
        "a.parquet",
        "a.xlsx",
        "a.csv.gz",
        "a.json.zst",
    ],
)
def test_saved_rows_can_be_opened(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    save_rows(path, HEADINGS, iter(ROWS))
    table = open_table(path)
    table._footer = False
    assert table.headings == HEADINGS
    found = [row for batch in table.batches() for row in batch.rows.to_pylist()]
    empty = "" if "csv" in name or "tsv" in name else None
    assert found == [ROWS[0], {**ROWS[1], "编号": empty}]
    first = path.read_bytes()
    save_rows(path, HEADINGS, iter(ROWS), force=True)
    assert path.read_bytes() == first


def test_saved_tables_are_what_others_read(tmp_path: Path) -> None:
    for name in ("a.json", "a.sql", "a.xlsx", "a.csv.gz", "empty.json"):
        save_rows(tmp_path / name, HEADINGS, [] if name == "empty.json" else ROWS)
    assert json.loads((tmp_path / "a.json").read_text()) == ROWS
    assert json.loads((tmp_path / "empty.json").read_text()) == []
    database = sqlite3.connect(":memory:")
    database.executescript((tmp_path / "a.sql").read_text())
    assert database.execute("SELECT * FROM records").fetchall() == [tuple(row.values()) for row in ROWS]
    database.close()
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx").active
    assert [cell.value for cell in sheet[3]] == [None, "=x\n"]
    assert [cell.data_type for cell in sheet[3]] == ["n", "s"]
    assert gzip.decompress((tmp_path / "a.csv.gz").read_bytes()).decode().startswith("编号,name\n1,")


@pytest.mark.parametrize("name", ["a", "a.doc", "a.parquet.gz", "a.gz"])
def test_endings_without_a_format_are_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="no format has the ending") as caught:
        save_rows(tmp_path / name, HEADINGS, ROWS)
    assert "csv" in caught.value.hint


def test_an_existing_file_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        save_rows(path, HEADINGS, ROWS)
    assert path.read_text() == "mine"
