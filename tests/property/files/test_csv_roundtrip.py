"""CSV: rows come out in their order with the canaries at their places, and taking them out restores the bytes."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from canary.files import Insertion
from canary.files.csvfile import CsvTable
from canary.files.csvparse import CsvParser
from canary.files.dialect import Dialect, read_rows
from canary.files.encoding import Encoding
from canary.files.records import CsvSplitter
from canary.files.table import Reading, TableFormat

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6) | st.sampled_from(
    ["", "张三", '"', ",", "a\nb", "c\r\nd", "|", "丂|", ";", "\t", " x ", "'", "1.5", "镜|", "囗囗"]
)
ENCODINGS = {
    "utf-8": b"",
    "utf-8-sig": b"\xef\xbb\xbf",
    "gb18030": b"",
    "utf-16-le": b"\xff\xfe",
    "utf-16-be": b"\xfe\xff",
}


@st.composite
def tables(draw: st.DrawFn) -> dict[str, Any]:
    width = draw(st.integers(2, 4))
    rows = draw(st.lists(st.lists(TEXT, min_size=width, max_size=width), min_size=1, max_size=12))
    return {
        "headings": [f"列h{n}" for n in range(width)],
        "rows": rows,
        "delimiter": draw(st.sampled_from(",\t;|")),
        "eol": draw(st.sampled_from(["\n", "\r\n", "\r"])),
        "quoting": draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
        "encoding": draw(st.sampled_from(sorted(ENCODINGS))),
        "final": draw(st.booleans()),
        "places": sorted(draw(st.lists(st.integers(0, len(rows)), max_size=6))),
        "cells": draw(st.lists(TEXT, min_size=width, max_size=width)),
        "size": draw(st.sampled_from([14, 64, 1 << 20])),
        "gzip": draw(st.booleans()),
    }


def written(case: dict[str, Any]) -> bytes:
    text = io.StringIO()
    quoting = csv.QUOTE_ALL if case["eol"] == "\r" else case["quoting"]  # a lone \n would stay bare there
    writer = csv.writer(text, delimiter=case["delimiter"], lineterminator=case["eol"], quoting=quoting)
    writer.writerows([case["headings"], *case["rows"]])
    body = text.getvalue() if case["final"] else text.getvalue().removesuffix(case["eol"])
    codec = "utf-8" if case["encoding"] == "utf-8-sig" else case["encoding"]
    return ENCODINGS[case["encoding"]] + body.encode(codec)


def judge(data: bytes, case: dict[str, Any]) -> list[list[str]]:
    codec = "utf-16" if case["encoding"].startswith("utf-16") else case["encoding"]
    return list(csv.reader(io.StringIO(data.decode(codec), newline=""), delimiter=case["delimiter"]))


@given(case=tables())
@settings(max_examples=100, deadline=None)
def test_written_tables_come_back(case: dict[str, Any], bench: Any) -> None:
    with bench.chunks(case["size"]):
        plain = written(case)
        data = gzip.compress(plain) if case["gzip"] else plain
        table = bench.open("t.csv", data)
        table._footer = False  # whether totals are recognised is another matter
        names = table.headings
        assert list(names) == case["headings"]
        assert bench.rows(table) == [
            (n, dict(zip(names, row, strict=True))) for n, row in enumerate(case["rows"])
        ]
        insertions = [
            Insertion(place, dict(zip(names, case["cells"], strict=True))) for place in case["places"]
        ]
        copy, untouched = bench.rewritten(table, insertions, [])
        if case["gzip"]:
            copy, untouched = gzip.decompress(copy), gzip.decompress(untouched)
        assert untouched == plain
        expected = [case["headings"]]
        for place in range(len(case["rows"]) + 1):
            expected += [case["cells"]] * case["places"].count(place)
            expected += case["rows"][place : place + 1]
        assert judge(copy, case) == expected


WILD = st.text(st.sampled_from('ab",\n\r |张'), max_size=60).map(lambda text: "x,y\n" + text)


def wild_table(bench: Any, text: str, dialect: Dialect) -> CsvTable:
    path = bench.folder / "wild.csv"
    path.write_bytes(text.encode())
    return CsvTable(
        path,
        TableFormat("csv"),
        ("x", "y"),
        {"x": "text", "y": "text"},
        _footer=False,
        dialect=dialect,
        prefix=b"x,y\n",
    )


DIALECTS = st.sampled_from([Dialect(), Dialect(quote=None), Dialect("|")])


@given(text=WILD, dialect=DIALECTS, size=st.sampled_from([1, 3, 16, 1 << 20]))
@settings(max_examples=300, deadline=None)
def test_pyarrow_and_the_splitter_see_the_same_rows(
    text: str, dialect: Dialect, size: int, bench: Any
) -> None:
    with bench.chunks(size):
        table = wild_table(bench, text, dialect)
        exact: list[tuple[int, dict[str, str | None]]] = []
        for block in table._blocks():
            if block.rows:
                for batch in CsvParser(table.path, table.headings, table.encoding, dialect).block(
                    block, 0, Reading()
                ):
                    exact += zip(map(int, batch.numbers()), batch.rows.to_pylist(), strict=True)
        assert bench.rows(table) == exact
        judged = [row for row in read_rows(io.StringIO(text[4:], newline=""), dialect) if row]
        assert [list(row.values()) for _, row in exact] == [row for row in judged if len(row) == 2]
        assert [n for n, _ in exact] == [n for n, row in enumerate(judged) if len(row) == 2]


@given(
    text=WILD,
    dialect=DIALECTS,
    size=st.sampled_from([1, 5, 1 << 20]),
    wanted=st.sampled_from([None, (), (1,)]),
)
@settings(max_examples=200, deadline=None)
def test_blocks_are_the_file_whatever_it_holds(
    text: str, dialect: Dialect, size: int, wanted: tuple[int, ...] | None, bench: Any
) -> None:
    with bench.chunks(size):
        table = wild_table(bench, text, dialect)
        blocks = list(table._blocks(wanted))
        assert b"".join(bytes(block.data) for block in blocks) == text[4:].encode()
        whole = CsvSplitter(Encoding(), dialect)(text[4:].encode(), True)
        assert [block.record(n) for block in blocks for n in range(block.rows)] == [
            text[4:].encode()[start:end] for start, end in zip(whole.starts, whole.ends, strict=True)
        ]


@given(text=WILD, data=st.data())
@settings(max_examples=100, deadline=None)
def test_taking_the_lines_out_restores_the_bytes(text: str, data: st.DataObject, bench: Any) -> None:
    table = wild_table(bench, text, Dialect())
    rows = sum(block.rows for block in table._blocks())
    places = sorted(data.draw(st.lists(st.integers(0, rows), max_size=4)))
    (copy,) = bench.rewritten(
        table, [Insertion(place, {"x": "CANARY", "y": str(n)}) for n, place in enumerate(places)]
    )
    for n in range(len(places)):
        line = f"CANARY,{n}".encode()
        assert copy.count(line) == 1
        copy = copy.replace(line + b"\n", b"") if line + b"\n" in copy else copy.replace(b"\n" + line, b"")
    assert copy == text.encode()


def test_the_bench_merges_as_positions_say(merge: Callable[..., list[Any]]) -> None:
    assert merge([{"a": "1"}], [Insertion(0, {"a": "x"}), Insertion(1, {"a": "y"})]) == [
        {"a": "x"},
        {"a": "1"},
        {"a": "y"},
    ]
