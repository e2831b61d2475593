"""Marks in files of every format: marked cells stay correct and nothing else changes, to the byte where it is text."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canary.fields.address import canonical_address
from canary.fields.policy import parse_policy
from canary.files import Sink, Table, blocks, open_table
from canary.fingerprint.learn import make_plan
from canary.steps.marking import CopyMarks, Scheme, columns_of

HEAD = ("no", "kg", "at", "addr", "note")
ROWS = 30
KEYS = (b"one recipient...", b"and another one.")
POLICY = parse_policy(
    '[dataset]\nname = "t"\nanchors = [["no"]]\n'
    '[columns.kg]\nrole = "measure"\nmark = "number"\ntolerance = 0.5\n'
    '[columns.at]\nrole = "time"\nmark = "time"\ntolerance = "30s"\n'
    '[columns.addr]\nrole = "address"\nmark = "text"\ngrammar = "cn_address"\n'
)
Rows = list[tuple[str, ...]]

NOTE = st.text(st.characters(exclude_categories=["Cs", "Cc", "Co", "Cn"]), max_size=5) | st.sampled_from(
    ["", "张三", 'a"b', "x,y", "it's", "(1,2),(3", "; --", "},{", "a\nb", "\\N\\t", "3号楼"]
)


@st.composite
def tables(draw: st.DrawFn) -> Rows:
    """Rows whose weights, moments and addresses can be marked or not, beside notes of any kind."""
    moment = datetime(2026, 3, 1, 8)
    made = []
    for at in range(ROWS):
        moment += timedelta(seconds=draw(st.integers(0, 4000)))
        kg = draw(
            st.sampled_from(["0.00", "0.03", "7.00"]) | st.integers(1, 90000).map(lambda n: f"{n / 100:.2f}")
        )
        house = draw(st.sampled_from(["3号楼2单元101室", "12幢8室", "A座", "9栋1单元1501室", ""]))
        note = draw(NOTE)
        made.append((f"K{1000 + 3 * at}", kg, str(moment), f"浙江省杭州市文三路{at + 1}号{house}", note))
    return made


def as_csv(rows: Rows, encoding: str = "utf-8", **dialect: Any) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n", **dialect).writerows([HEAD, *rows])
    return out.getvalue().encode(encoding)


def of_json(row: tuple[str, ...], ascii: bool = False) -> str:
    """A weight is a number, spelt as it was."""
    no, kg, at, addr, note = (json.dumps(cell, ensure_ascii=ascii) for cell in row)
    return f'{{"no":{no}, "kg" : {kg[1:-1]},"at":{at},\t"addr": {addr},"more":[{{"kg":1}}], "note":{note}}}'


def as_jsonl(rows: Rows) -> bytes:
    return "".join(of_json(row) + "\n" for row in rows).encode()


def as_json(rows: Rows) -> bytes:
    return ("[\n  " + ",\n  ".join(of_json(row, ascii=True) for row in rows) + "\n]\n").encode()


def quoted(cell: str) -> str:
    return "'" + cell.replace("'", "''") + "'"


def as_sql(rows: Rows) -> bytes:
    tuples = [
        f"({quoted(no)}, {kg}, {quoted(at)}, {quoted(addr)},{quoted(note)})"
        for no, kg, at, addr, note in rows
    ]
    inserts = [f"INSERT INTO t VALUES {', '.join(tuples[at : at + 7])};\n" for at in range(0, ROWS, 7)]
    return ("CREATE TABLE t (no text, kg real, at text, addr text, note text);\n" + "".join(inserts)).encode()


def as_copy(rows: Rows) -> bytes:
    def cell(text: str) -> str:
        return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")

    lines = ["\t".join(map(cell, row)) + "\n" for row in rows]
    return f"COPY public.t ({', '.join(HEAD)}) FROM stdin;\n{''.join(lines)}\\.\n".encode()


def zstd(data: bytes) -> bytes:
    out = pa.BufferOutputStream()
    with pa.CompressedOutputStream(out, "zstd") as file:
        file.write(data)
    return bytes(out.getvalue())


TEXT = {
    "csv": as_csv,
    "quoted.csv": partial(as_csv, quoting=csv.QUOTE_ALL),
    "tsv": partial(as_csv, delimiter="\t"),
    "gb.csv": partial(as_csv, encoding="gb18030", delimiter=";"),
    "bom.csv": partial(as_csv, encoding="utf-8-sig"),
    "wide.csv": partial(as_csv, encoding="utf-16"),
    "jsonl": as_jsonl,
    "json": as_json,
    "sql": as_sql,
    "copy.sql": as_copy,
    "csv.gz": lambda rows: gzip.compress(as_csv(rows)),
    "jsonl.zst": lambda rows: zstd(as_jsonl(rows)),
}


def as_parquet(rows: Rows, file: Any) -> None:
    no, kg, at, addr, note = zip(*rows, strict=True)
    columns = {
        "no": pa.array(no),
        "kg": pa.array(map(Decimal, kg), pa.decimal128(9, 2)),
        "at": pa.array(map(datetime.fromisoformat, at), pa.timestamp("ms")),
        "addr": pa.array(addr).dictionary_encode(),
        "note": pa.array(note, pa.large_string()),
    }
    pq.write_table(pa.table(columns, metadata={"made": "by hand"}), file, row_group_size=23)


def as_xlsx(rows: Rows, file: Any) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(HEAD)
    for no, kg, at, addr, note in rows:
        sheet.append([no, float(kg), datetime.fromisoformat(at), addr, note or None])
    book.save(file)


def marked(table: Table, writing: Callable[[], Any] = nullcontext) -> tuple[list[bytes], CopyMarks]:
    """Mark a file for two recipients, written within a context; gives the copies, and what was done."""
    batches = [columns_of(batch, HEAD[:4]) for batch in table.batches(HEAD[:4])]
    scheme = Scheme(make_plan(POLICY, batches[0], bytes(32)), "v", bytes(32))
    seen = scheme.seen()
    for batch in batches:
        seen.add(batch)
    marks, sinks = CopyMarks(seen, KEYS), [Sink(io.BytesIO(), ()) for _ in KEYS]
    with writing():
        table.rewrite(sinks, marks)
    return [one.file.getvalue() for one in sinks], marks  # type: ignore[attr-defined]


def read_rows(path: Path) -> Rows:
    table = open_table(path)
    table._footer = False  # whether totals are recognised is another matter
    return [
        tuple(cell or "" for cell in row.values())
        for batch in table.batches(HEAD)
        for row in batch.rows.to_pylist()
    ]


def correct(old: tuple[str, ...], new: tuple[str, ...]) -> bool:
    """Whether a row says what it said: numbers and moments within their tolerance, addresses the same place."""
    weight = abs(Decimal(old[1]) - Decimal(new[1]))
    moved = abs(datetime.fromisoformat(old[2]) - datetime.fromisoformat(new[2]))
    place = canonical_address(old[3]) == canonical_address(new[3])
    return (
        (old[0], old[4]) == (new[0], new[4])
        and weight <= Decimal("0.5")
        and moved.total_seconds() <= 30
        and place
    )


def changes(before: Rows, after: Rows) -> int:
    return sum(a != b for old, new in zip(before, after, strict=True) for a, b in zip(old, new, strict=True))


def plain(data: bytes) -> bytes:
    """Take the compression off."""
    name = {b"\x1f\x8b\x08": "gzip", b"\x28\xb5\x2f": "zstd"}.get(data[:3])
    return data if name is None else pa.CompressedInputStream(pa.BufferReader(data), name).read()


@pytest.mark.parametrize("size", [blocks.CHUNK, 997], ids=["one block", "many blocks"])
@pytest.mark.parametrize("name", TEXT)
@given(rows=tables())
@settings(max_examples=4)
def test_in_text_formats_all_other_bytes_stay(name: str, size: int, rows: Rows, bench: Any) -> None:
    data = TEXT[name](rows)
    table = bench.open(f"in.{name}", data)
    table._footer = False
    copies, marks = marked(table, lambda: bench.chunks(size))
    assert copies[0] != copies[1]
    for number, copy in enumerate(copies):
        path = bench.folder / f"out.{name}"
        path.write_bytes(copy)
        after = read_rows(path)
        assert all(correct(*pair) for pair in zip(rows, after, strict=True))
        assert plain(copy) == plain(TEXT[name](after)), "no byte beside those cells"
        assert changes(rows, after) == marks.cells[number] > 0


@given(rows=tables())
@settings(max_examples=4)
def test_in_parquet_types_and_all_other_values_stay(rows: Rows, bench: Any) -> None:
    path = bench.folder / "in.parquet"
    as_parquet(rows, path)
    before = pq.read_table(path)
    copies, marks = marked(open_table(path))
    for number, copy in enumerate(copies):
        after = pq.read_table(io.BytesIO(copy))
        assert after.schema.equals(before.schema, check_metadata=True)
        told = [tuple(map(str, row.values())) for row in after.to_pylist()]
        assert all(correct(*pair) for pair in zip(rows, told, strict=True))
        assert changes(rows, told) == marks.cells[number] > 0


@given(rows=tables())
@settings(max_examples=4)
def test_in_workbooks_types_and_all_other_cells_stay(rows: Rows, bench: Any) -> None:
    path = bench.folder / "in.xlsx"
    as_xlsx(rows, path)
    before = list(openpyxl.load_workbook(path).active.values)
    copies, marks = marked(open_table(path))
    for number, copy in enumerate(copies):
        after = list(openpyxl.load_workbook(io.BytesIO(copy)).active.values)
        assert after[0] == HEAD
        assert [[type(cell) for cell in row] for row in after] == [
            [type(cell) for cell in row] for row in before
        ]
        told = [(no, f"{kg:.2f}", str(at), addr, note or "") for no, kg, at, addr, note in after[1:]]
        assert all(correct(*pair) for pair in zip(rows, told, strict=True))
        assert changes(rows, told) == marks.cells[number] > 0
