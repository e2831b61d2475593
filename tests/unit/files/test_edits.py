"""Changed cells and left-out rows, in every format: what is not edited stays, what is reads back as the new text."""

import csv
import io
import json
import sqlite3
from contextlib import ExitStack
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from canary.errors import OutsideError
from canary.files import ArrowTable, CellEdits, Insertion, RowEdits, Sink, open_table

ROWS = 60
HEAD = ("no", "who", "kg", "at", "note")
START = datetime(2026, 3, 1, 8, 0, 0)


def cells():
    return [
        (f"K{1000 + at * 3}", f"王{at}", f"{1 + at / 7:.2f}", str(START + timedelta(minutes=at)), note(at))
        for at in range(ROWS)
    ]


def note(at):
    return ["plain", "it's", 'say "no"', "a, b", "号楼\\n"][at % 5]


def edited(at, name, text):
    """The rule of these tests: every third row's weight and every fourth row's note change."""
    if name == "kg" and at % 3 == 0:
        return f"{float(text) + 0.01:.2f}"
    if name == "at" and at % 5 == 0:
        return str(datetime.fromisoformat(text) + timedelta(seconds=20))
    if name == "note" and at % 4 == 0:
        return f"{text}, 'x' \"y\""
    return text


class Marks:
    columns = ("kg", "at", "note")

    def __init__(self, copies=1, gone=()):
        self.copies, self.gone, self.seen = copies, gone, []

    def edits(self, batch):
        numbers = batch.numbers().tolist()
        self.seen += numbers
        assert tuple(batch.rows.schema.names) == self.columns
        keep = np.array([number not in self.gone for number in numbers])
        made = []
        for name in self.columns:
            old = batch.rows.column(name).to_pylist()
            new = [edited(number, name, text) for number, text in zip(numbers, old, strict=True)]
            made.append(
                CellEdits(name, np.array([a != b for a, b in zip(old, new, strict=True)]), pa.array(new))
            )
        plain = RowEdits()
        return [RowEdits(tuple(made), keep if self.gone else None), *([plain] * (self.copies - 1))]


def expected(gone=(), canary=None):
    rows = []
    for at, row in enumerate(cells()):
        if canary and at == 7:
            rows.append(canary)
        if at not in gone:
            rows.append(tuple(edited(at, name, text) for name, text in zip(HEAD, row, strict=True)))
    return rows


def as_csv(path, delimiter=",", encoding="utf-8", quoting=csv.QUOTE_MINIMAL, eol="\r\n"):
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator=eol).writerows([HEAD, *cells()])
    path.write_bytes(out.getvalue().encode(encoding))
    return path


def as_jsonl(path):
    rows = [dict(zip(HEAD, row, strict=True)) | {"kg": float(row[2])} for row in cells()]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def as_json(path):
    rows = [dict(zip(HEAD, row, strict=True)) | {"extra": {"kg": [1]}} for row in cells()]
    path.write_text(json.dumps(rows, indent=1, ensure_ascii=True), "utf-8")
    return path


def as_parquet(path):
    table = pa.table(
        {
            "no": [row[0] for row in cells()],
            "who": pa.array([row[1] for row in cells()]).dictionary_encode(),
            "kg": pa.array([Decimal(row[2]) for row in cells()], pa.decimal128(9, 2)),
            "at": pa.array([datetime.fromisoformat(row[3]) for row in cells()], pa.timestamp("ms")),
            "note": pa.array([row[4] for row in cells()]).dictionary_encode(),
        }
    )
    pq.write_table(table, path, row_group_size=25)
    return path


def as_xlsx(path):
    book = openpyxl.Workbook()
    book.active.append(HEAD)
    for no, who, kg, at, text in cells():
        book.active.append([no, who, float(kg), datetime.fromisoformat(at), text])
    book.save(path)
    return path


def literal(text):
    return "'" + text.replace("'", "''") + "'"


def as_sql(path):
    rows = [f"({literal(a)}, {literal(b)}, {c}, {literal(d)},{literal(e)})" for a, b, c, d, e in cells()]
    lines = ["CREATE TABLE t (no text, who text, kg real, at text, note text);"]
    lines += [f"INSERT INTO t VALUES {', '.join(rows[at : at + 20])};" for at in range(0, ROWS, 20)]
    path.write_text("BEGIN TRANSACTION;\n" + "\n".join(lines) + "\nCOMMIT;\n", "utf-8")
    return path


def as_copy(path):
    lines = ["\t".join(cell.replace("\\", "\\\\") for cell in row) for row in cells()]
    head = "COPY public.t (no, who, kg, at, note) FROM stdin;\n"
    path.write_text(head + "\n".join(lines) + "\n\\.\n", "utf-8")
    return path


FORMATS = {
    "csv": as_csv,
    "quoted.csv": lambda path: as_csv(path, quoting=csv.QUOTE_ALL, eol="\n"),
    "tsv": lambda path: as_csv(path, delimiter="\t"),
    "gb.csv": lambda path: as_csv(path, encoding="gb18030"),
    "wide.csv": lambda path: as_csv(path, encoding="utf-16"),
    "jsonl": as_jsonl,
    "json": as_json,
    "parquet": as_parquet,
    "xlsx": as_xlsx,
    "sql": as_sql,
    "copy.sql": as_copy,
}
LINES = (
    "csv",
    "quoted.csv",
    "tsv",
    "gb.csv",
    "wide.csv",
    "parquet",
)  # formats that can leave rows out by key


def rewritten(path, out, sinks, marks):
    table = open_table(path)
    paths = [out.parent / f"{number}-{out.name}" for number in range(len(sinks))]
    with ExitStack() as stack:
        files = [stack.enter_context(path.open("wb")) for path in paths]
        report = table.rewrite([Sink(file, rows) for file, rows in zip(files, sinks, strict=True)], marks)
    return paths, report


def rows_of(path):
    return [
        tuple(map(shown, row))
        for batch in open_table(path).batches(HEAD)
        for row in zip(*(column.to_pylist() for column in batch.rows.columns), strict=True)
    ]


def shown(text):
    try:
        return f"{float(text):.2f}" if text and text.replace(".", "").isdigit() else text
    except ValueError:
        return text


@pytest.mark.parametrize("name", FORMATS)
def test_edited_cells_read_back_and_all_others_stay(name, tmp_path):
    path = FORMATS[name](tmp_path / f"in.{name}")
    canary = ("K1020", "李", "9.99", str(START + timedelta(minutes=6, seconds=30)), "canary")
    row = Insertion(7, dict(zip(HEAD, canary, strict=True)))
    marks = Marks(copies=3)
    (one, plain, last), report = rewritten(path, tmp_path / f"out.{name}", [[row], [], [row]], marks)
    assert rows_of(one) == expected(canary=canary)
    assert rows_of(plain) == rows_of(path)
    assert len(rows_of(last)) == ROWS + 1
    assert report.rows_out == (ROWS + 1, ROWS, ROWS + 1)
    assert marks.seen == list(range(ROWS)), "every row is offered once, in order"
    if name not in ("parquet", "xlsx"):
        assert plain.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("name", LINES)
def test_rows_are_left_out_and_counted(name, tmp_path):
    gone = (0, 6, 7, 30, ROWS - 1)
    path = FORMATS[name](tmp_path / f"in.{name}")
    canary = ("K1020", "李", "9.99", str(START + timedelta(minutes=6, seconds=30)), "canary")
    row = Insertion(7, dict(zip(HEAD, canary, strict=True)))
    (made,), report = rewritten(path, tmp_path / f"out.{name}", [[row]], Marks(gone=gone))
    assert rows_of(made) == expected(gone, canary)
    assert report.rows_out == (ROWS + 1 - len(gone),)


@pytest.mark.parametrize("name", ["jsonl", "json", "xlsx", "sql", "copy.sql"])
def test_other_formats_refuse_to_leave_rows_out(name, tmp_path):
    path = FORMATS[name](tmp_path / f"in.{name}")
    with pytest.raises(OutsideError, match="cannot be left out"):
        rewritten(path, tmp_path / f"out.{name}", [[]], Marks(gone=(3,)))


def test_independent_readers_agree(tmp_path):
    want = expected()
    for name in ("csv", "jsonl", "parquet", "xlsx", "sql"):
        (made,), _ = rewritten(
            FORMATS[name](tmp_path / f"in.{name}"), tmp_path / f"out.{name}", [[]], Marks()
        )
        assert [(row[0], float(row[2]), row[4]) for row in foreign(name, made)] == [
            (row[0], float(row[2]), row[4]) for row in want
        ], name


def foreign(name, path):
    if name == "csv":
        return list(csv.reader(io.StringIO(path.read_text("utf-8"), newline="")))[1:]
    if name == "jsonl":
        return [list(json.loads(line).values()) for line in path.read_text("utf-8").splitlines()]
    if name == "parquet":
        return [list(row.values()) for row in pq.read_table(path).to_pylist()]
    if name == "xlsx":
        return [
            list(row) for row in openpyxl.load_workbook(path).active.iter_rows(min_row=2, values_only=True)
        ]
    base = sqlite3.connect(":memory:")
    base.executescript(path.read_text("utf-8"))
    return base.execute("SELECT * FROM t").fetchall()


def test_types_stay(tmp_path):
    (made,), _ = rewritten(as_parquet(tmp_path / "in.parquet"), tmp_path / "out.parquet", [[]], Marks())
    assert pq.read_schema(made).equals(pq.read_schema(tmp_path / "in.parquet"))
    (sheet,), _ = rewritten(as_xlsx(tmp_path / "in.xlsx"), tmp_path / "out.xlsx", [[]], Marks())
    first = next(openpyxl.load_workbook(sheet).active.iter_rows(min_row=2, values_only=True))
    assert first[2:4] == (1.01, START + timedelta(seconds=20))
    (lines,), _ = rewritten(as_jsonl(tmp_path / "in.jsonl"), tmp_path / "out.jsonl", [[]], Marks())
    assert json.loads(lines.read_text("utf-8").splitlines()[0])["kg"] == 1.01


def test_tables_in_memory():
    table = pa.table({name: [row[at] for row in cells()] for at, name in enumerate(HEAD)})
    made = ArrowTable(table).rewritten([], Marks())
    assert [tuple(row.values()) for row in made.to_pylist()] == expected()
    gone = ArrowTable(table).rewritten([Insertion(7, dict.fromkeys(HEAD, "x"))], Marks(gone=(6, 7)))
    assert gone.num_rows == ROWS - 1
    assert gone.slice(6, 1).to_pylist()[0]["no"] == "x"


def test_ragged_rows_and_a_footer_are_never_offered(tmp_path):
    path = tmp_path / "in.csv"
    lines = [f"K{at},{at}.50,2026-03-01 08:{at:02}:00,n{at}" for at in range(1, 21)]
    lines.insert(5, "odd,row")
    total = sum(at + 0.5 for at in range(1, 21))
    path.write_text("no,kg,at,note\n" + "\n".join(lines) + f"\n合计,{total:.2f},,\n", "utf-8")
    marks = Marks()
    (made,), _ = rewritten(path, tmp_path / "out.csv", [[]], marks)
    assert marks.seen == [at for at in range(21) if at != 5]
    after = made.read_text("utf-8").splitlines()
    assert after[6] == "odd,row"
    assert after[-1] == f"合计,{total:.2f},,"
    assert after[1] == "K1,1.51,2026-03-01 08:01:20,n1, 'x' \"y\"".replace(
        "n1, 'x' \"y\"", '"n1, \'x\' ""y"""'
    )
