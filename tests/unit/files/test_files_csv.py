"""CSV: dialects, encodings, ragged rows, and what a canary's line looks like."""

from __future__ import annotations

import csv
import gzip
import io
from typing import Any

import pyarrow as pa
import pytest

from canary.errors import CanaryError, OutsideError, UsageError
from canary.files import Insertion, Sink, TableFormat, blocks, csvfile, open_table
from canary.files.csvfile import CsvTable
from canary.files.table import unique_headings


@pytest.fixture(params=[None, 0], ids=["small", "large"], autouse=True)
def size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read and copy every file as a small one, and as one that is worth a compiled loop."""
    if request.param is not None:
        monkeypatch.setattr(csvfile, "LARGE", request.param)


CANARY = {"id": "9", "name": "雀", "note": "c"}


def csv_table(table: object) -> CsvTable:
    assert isinstance(table, CsvTable)
    return table


@pytest.mark.parametrize(
    ("name", "text", "delimiter", "label"),
    [
        ("a.csv", "id,name,note\n1,a,x\n", ",", "csv"),
        ("a.csv", "id;name;note\n1,5;a;x\n", ";", "csv"),
        ("a.tsv", "id\tname\tnote\n1\ta,b,c\tx\n", "\t", "tsv"),
        ("a.txt", "id|name|note\n1|a|x\n", "|", "csv"),
        ("a.csv", "id\tname\tnote\n1\ta\tx\n", "\t", "tsv"),
        ("a", "id,name,note\n1,a,x\n", ",", "csv"),
        ("a.json", "id,name,note\n1,a,x\n", ",", "csv"),
        ("a.csv", "sep=;\nid;name;note\n1;a,b;x\n", ";", "csv"),
    ],
)
def test_delimiters_are_told(desk: Any, name: str, text: str, delimiter: str, label: str) -> None:
    table = desk.open(name, text)
    assert table.headings == ("id", "name", "note")
    assert csv_table(table).dialect.delimiter == delimiter
    assert table.format.label() == label
    assert desk.rewrite(table)[0].decode() == text
    assert len(desk.rows(table)) == 1


def test_a_comma_within_quotes_in_every_row_is_no_delimiter(desk: Any) -> None:
    table = desk.open("a.csv", '"id,x",name\n"1,2",a\n"3,4",b\n')
    assert table.headings == ("id,x", "name")


def test_single_quotes_are_told(desk: Any) -> None:
    table = desk.open("a.csv", "'id','name'\n'1','a,b'\n'2','O''Neil'\n")
    assert desk.rows(table) == [["1", "a,b"], ["2", "O'Neil"]]
    assert desk.rewrite(table, (1, {"id": "9", "name": "it's"}))[0].decode().splitlines()[2] == "'9','it''s'"


def test_stray_quotes_are_plain_where_that_fits_better(desk: Any) -> None:
    table = desk.open("a.tsv", 'id\tname\n1\t"half\n2\tb\n3\t5" x\n4\td\n')
    assert desk.rows(table) == [["1", '"half'], ["2", "b"], ["3", '5" x'], ["4", "d"]]
    with pytest.raises(OutsideError, match="delimiter"):
        desk.rewrite(table, (0, {"id": "a\tb", "name": None}))
    assert desk.rewrite(table, (0, {"id": 'a"', "name": None}))[0].splitlines()[1] == b'a"\t'


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        ("id,name,note\n1,a,x\n", "id,name,note\n1,a,x\n9,雀,c\n"),
        ("id,name,note\r\n1,a,x\r\n", "id,name,note\r\n1,a,x\r\n9,雀,c\r\n"),
        ("id,name,note\r1,a,x\r", "id,name,note\r1,a,x\r9,雀,c\r"),
        ("id,name,note\n1,a,x", "id,name,note\n1,a,x\n9,雀,c"),
        ("id,name,note\n1,a,x\n\n\n", "id,name,note\n1,a,x\n9,雀,c\n\n\n"),
        ("id,name,note\n", "id,name,note\n9,雀,c\n"),
        ("id,name,note", "id,name,note\n9,雀,c"),
        ('id,name,note\n"1",a,\n"2",b,""\n', 'id,name,note\n"1",a,\n"2",b,""\n"9",雀,c\n'),
    ],
)
def test_a_canary_at_the_end_keeps_line_ends_and_habits(desk: Any, data: str, wanted: str) -> None:
    table = desk.open("a.csv", data)
    rows = len(desk.rows(table))
    copy, report = desk.rewrite(table, (rows, CANARY))
    assert copy.decode() == wanted
    assert (report.rows_in, report.rows_out) == (rows, (rows + 1,))


def test_several_canaries_behind_a_line_without_an_end(desk: Any) -> None:
    table = desk.open("a.csv", "id,name\n1,a")
    copy, _ = desk.rewrite(table, (0, {"id": "7"}), (1, {"id": "8"}), (1, {"id": "9"}))
    assert copy == b"id,name\n7,\n1,a\n8,\n9,"


def test_cells_take_their_columns_commonest_quoting(desk: Any) -> None:
    table = desk.open("a.csv", 'a,b,c,d\n"1",x,"",\n"2","y,",z,\n"3",w,"",\n')
    line = desk.rewrite(table, (0, {"a": "9", "b": "q", "c": "", "d": None}))[0].decode().splitlines()[1]
    assert line == '"9",q,"",'
    line = desk.rewrite(table, (0, {"a": None, "b": 'q"', "c": "z", "d": "a\nb"}))[0].decode()
    assert line.startswith('a,b,c,d\n,"q""",z,"a\nb"\n')


def test_an_empty_row_of_one_column_is_no_blank_line(desk: Any) -> None:
    table = desk.open("a.csv", "id\n1\n\n2\n")
    assert desk.rows(table) == [["1"], ["2"]]
    assert desk.rewrite(table, (1, {"id": None}))[0] == b'id\n1\n""\n\n2\n'


@pytest.mark.parametrize(
    "codec", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16", "utf-16-le", "utf-16-be"]
)
def test_encodings_are_kept(desk: Any, codec: str) -> None:
    text = "编号|姓名\r\n1|丂镜囗\r\n2|" + "张三" * 50 + "\r\n"
    table = desk.open("a.csv", text.encode(codec))
    assert table.headings == ("编号", "姓名")
    assert desk.rows(table) == [["1", "丂镜囗"], ["2", "张三" * 50]]
    copy, _ = desk.rewrite(table, (1, {"编号": "9", "姓名": "雀"}))
    assert copy == text.replace("2|", "9|雀\r\n2|").encode(codec)


def test_the_encoding_is_told_from_far_behind_the_beginning(desk: Any) -> None:
    lines = "".join(f"{n},plain\n" for n in range(60_000))
    table = desk.open("a.csv", ("id,name\n" + lines + "1,张三\n").encode("gb18030"))
    assert csv_table(table).encoding.name == "gb18030"
    assert desk.rows(table)[-1] == ["1", "张三"]
    assert "雀".encode("gb18030") in desk.rewrite(table, (0, {"id": "雀"}))[0]


def test_bytes_that_break_the_encoding_later_are_told(desk: Any) -> None:
    lines = "".join(f"{n},张\n" for n in range(60_000)).encode()
    table = desk.open("a.csv", b"id,name\n" + lines + b"1,\xff\xfe\n")
    with pytest.raises(OutsideError, match="not utf-8"):
        desk.rows(table)


@pytest.mark.parametrize("codec", ["gb18030", "utf-16"])
def test_broken_bytes_of_other_encodings_are_told(desk: Any, codec: str) -> None:
    text = "id,name\n" + "".join(f"{n},张\n" for n in range(60_000))
    broken = b"\xff\xff\n" if codec == "gb18030" else b"\x00\xd8\x00\xd8"
    table = desk.open("a.csv", text.encode(codec) + broken)
    with pytest.raises(OutsideError, match="not "):
        desk.rows(table)


def test_ragged_rows_are_kept_counted_and_left_out(desk: Any) -> None:
    text = "id,name\n1,a\nonly\n2,b\n3,c,d\n\n4,d\n"
    table = desk.open("a.csv", text)
    assert desk.rows(table) == [["1", "a"], ["2", "b"], ["4", "d"]]
    assert desk.numbers(table) == [0, 2, 4]
    assert [one for one in table.warnings if one.startswith("2 rows do not fit")]
    copy, report = desk.rewrite(table, (2, {"id": "9"}), (5, {"id": "8"}))
    assert copy.decode() == "id,name\n1,a\nonly\n9,\n2,b\n3,c,d\n\n4,d\n8,\n"
    assert report.rows_in == 5


def test_a_ragged_last_row_is_told(desk: Any) -> None:
    table = desk.open("a.csv", "id,name\n1,a\n(1 row)\n")
    assert desk.rows(table) == [["1", "a"]]
    assert desk.rewrite(table)[1].rows_in == 2


def test_ragged_rows_among_many_keep_the_numbers(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "CHUNK", 1 << 12)
    lines = [f"{n},x{n}" if n % 997 else "ragged" for n in range(1, 5000)]
    table = desk.open("a.csv", "id,name\n" + "\n".join(lines) + "\n")
    wanted = [n - 1 for n in range(1, 5000) if n % 997]
    assert desk.numbers(table) == wanted
    assert [row[0] for row in desk.rows(table)] == [str(n + 1) for n in wanted]


def test_a_header_alone_is_a_table_without_rows(desk: Any) -> None:
    table = desk.open("a.csv", "id,name\n")
    assert desk.rows(table) == []
    assert table.warnings == ["a.csv holds no rows"]
    assert desk.rewrite(table)[1].rows_out == (0,)


def test_headings_are_made_unique_and_the_file_stays(desk: Any) -> None:
    text = "id,,id,id_2,\n1,2,3,4,5\n"
    table = desk.open("a.csv", text)
    assert table.headings == ("id", "column_2", "id_3", "id_2", "column_5")
    assert desk.rewrite(table)[0].decode() == text
    assert unique_headings(["", "column_1", "a", "a", "a"]) == ("column_1_2", "column_1", "a", "a_2", "a_3")


def test_columns_can_be_chosen(desk: Any) -> None:
    table = desk.open("a.csv", "id,name\n1,a\n2,b\n")
    assert desk.rows(table, ["name"]) == [["a"], ["b"]]
    assert desk.rows(desk.open("b.csv", "id,name\n1,a\nx\n2,b\n"), ["name"]) == [["a"], ["b"]]
    with pytest.raises(UsageError, match="no column 'x'") as caught:
        desk.rows(table, ["x"])
    assert caught.value.hint == "its columns: id, name"


def test_cells_larger_than_pythons_limit(desk: Any) -> None:
    before = csv.field_size_limit()
    try:
        csv.field_size_limit(131_072)
        big = "x" * 3_000_000
        table = desk.open("a.csv", f'id,name\n1,"{big}"\n2,b"ad\nragged\n3,{big}\n')
        assert [len(row[1] or "") for row in desk.rows(table)] == [3_000_000, 4, 3_000_000]
    finally:
        csv.field_size_limit(before)


def test_a_quote_that_is_never_closed_is_told(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "CHUNK", 1 << 10)
    monkeypatch.setattr(blocks, "MAX_RECORD", 1 << 14)
    lines = "".join(f"{n},b\n" for n in range(5000))
    table = desk.open("a.csv", 'id,name\n1,b\n2,"x\n3,y"\n' * 200 + '7,"open\n' + lines)
    with pytest.raises(OutsideError, match="longer than"):
        desk.rewrite(table)


def test_null_is_an_empty_cell_and_words_for_null_are_text(desk: Any) -> None:
    table = desk.open("a.csv", 'id,name\nNULL,\n"",NA\nnan,null\n')
    assert desk.rows(table) == [["NULL", ""], ["", "NA"], ["nan", "null"]]
    assert all(kind == pa.string() for batch in table.batches() for kind in batch.rows.schema.types)


@pytest.mark.parametrize(("ending", "compression"), [("gz", "gzip"), ("zst", "zstd")])
def test_compressed_files_stay_compressed_and_equal(desk: Any, ending: str, compression: str) -> None:
    text = "id,name\n" + "".join(f"{n},张\n" for n in range(3000))
    data = (
        gzip.compress(text.encode())
        if compression == "gzip"
        else pa.compress(text.encode(), "zstd", asbytes=True)
    )
    table = desk.open(f"a.csv.{ending}", data)
    assert table.format == TableFormat("csv", compression)
    assert table.format.label() == f"csv.{ending}"
    first, second = (desk.rewrite(table, (1, {"id": "9"}))[0] for _ in range(2))
    assert first == second
    with pa.CompressedInputStream(pa.py_buffer(first), compression) as stream:
        assert stream.read().decode() == text.replace("0,张\n", "0,张\n9,\n", 1)


def test_gzip_of_several_members_is_read_whole(desk: Any) -> None:
    table = desk.open("a.csv.gz", gzip.compress(b"id,name\n1,a\n", mtime=0) + gzip.compress(b"2,b\n"))
    assert desk.rows(table) == [["1", "a"], ["2", "b"]]


CUT = gzip.compress(b"id,name\n1,a\n" * 9, mtime=0)[:-12]


@pytest.mark.parametrize("data", [CUT, b"\x1f\x8b" + b"x" * 40, b"\x28\xb5\x2f\xfdjunk"])
def test_damaged_compression_is_told(desk: Any, data: bytes) -> None:
    with pytest.raises(OutsideError):
        desk.rows(desk.open("a.csv.gz", data))


def test_one_reading_serves_many_sinks(desk: Any) -> None:
    table = desk.open("a.csv", "id,name\n" + "".join(f"{n},a\n" for n in range(100)))
    sinks = [Sink(io.BytesIO(), [Insertion(n % 100, {"id": f"c{n}"})]) for n in range(128)]
    report = table.rewrite(sinks)
    assert report.rows_out == (101,) * 128
    for number, sink in enumerate(sinks):
        lines = sink.file.getvalue().decode().splitlines()  # type: ignore[attr-defined]
        assert lines[1 + number % 100] == f"c{number},"
    with pytest.raises(UsageError, match="129 copies"):
        table.rewrite([*sinks, Sink(io.BytesIO())])


@pytest.mark.parametrize(
    ("places", "words"), [((2, 1), "out of order"), ((-1, 0), "before the first"), ((0, 3), "has 2 rows")]
)
def test_places_that_do_not_exist_are_refused(desk: Any, places: tuple[int, ...], words: str) -> None:
    table = desk.open("a.csv", "id,name\n1,a\n2,b\n")
    with pytest.raises(UsageError, match=words):
        desk.rewrite(table, *((place, {"id": "9"}) for place in places))


def test_a_file_that_vanishes_is_told(desk: Any) -> None:
    table = desk.open("a.csv", "id,name\n1,a\n")
    table.path.unlink()
    with pytest.raises(CanaryError, match="does not exist"):
        desk.rewrite(table)
    with pytest.raises(CanaryError, match="does not exist"):
        open_table(table.path)
