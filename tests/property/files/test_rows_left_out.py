"""Leaving rows out undoes putting them in, to the byte where the format is text; and any rows can go."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canary.files import Insertion, Table, open_table
from canary.files.saving import save_rows

CELL = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=5) | st.sampled_from(
    ["张三", 'a"b', "x,y", "it's", "(1,2),(3", "; --", "},{", "a\nb"]
)
SIZES = st.sampled_from([16, 48, 1 << 20])
ENDINGS = ["csv", "tsv", "jsonl", "json", "sql", "csv.gz"]


def without(table: Table, numbers: list[int]) -> bytes:
    out = io.BytesIO()
    report = table.without(out, numbers)
    assert report.rows_out == (report.rows_in - len(numbers),)
    return out.getvalue()


def plain(data: bytes) -> bytes:
    return gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data


def opened(path: Path, data: bytes) -> Table:
    path.write_bytes(data)
    table = open_table(path)
    table._footer = False  # whether totals are recognised is another matter
    return table


def texts(table: Table) -> list[str]:
    return [row["b"] for batch in table.batches() for row in batch.rows.to_pylist()]


@pytest.mark.parametrize("ending", ENDINGS)
@given(data=st.data(), rows=st.lists(CELL, min_size=1, max_size=8), size=SIZES, cut=st.booleans())
@settings(max_examples=25, deadline=None)
def test_what_was_put_in_comes_out_again(
    ending: str, data: st.DataObject, rows: list[str], size: int, cut: bool, bench: Any
) -> None:
    path = bench.folder / f"in.{ending}"
    save_rows(path, ["a", "b"], [{"a": f"r{n}", "b": text} for n, text in enumerate(rows)], force=True)
    original = path.read_bytes()
    if cut and ending != "csv.gz":
        original = original.removesuffix(b"\n")
    places = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=5)))
    with bench.chunks(size):
        table = opened(path, original)
        (copy,) = bench.rewritten(table, [Insertion(place, {"a": "c", "b": "CANARY"}) for place in places])
        numbers = [place + nth for nth, place in enumerate(places)]
        back = opened(bench.folder / f"out.{ending}", copy)
        assert [n for n, text in enumerate(texts(back)) if text == "CANARY"] == numbers
        assert plain(without(back, numbers)) == plain(original)


@pytest.mark.parametrize("ending", [*ENDINGS, "parquet", "xlsx"])
@given(
    data=st.data(),
    rows=st.lists(st.sampled_from(["x", "张三", "it's", "1,2"]), min_size=1, max_size=8),
    size=SIZES,
)
@settings(max_examples=25, deadline=None)
def test_any_rows_can_go(ending: str, data: st.DataObject, rows: list[str], size: int, bench: Any) -> None:
    gone = data.draw(st.sets(st.integers(0, len(rows) - 1)))
    path = bench.folder / f"any.{ending}"
    save_rows(path, ["a", "b"], [{"a": f"r{n}", "b": text} for n, text in enumerate(rows)], force=True)
    with bench.chunks(size):
        table = opened(path, path.read_bytes())
        left = without(table, sorted(gone))
        stay = [text for n, text in enumerate(rows) if n not in gone]
        if ending == "json":
            assert [row["b"] for row in json.loads(left)] == stay
        elif stay or ending in ("csv", "tsv", "parquet"):
            assert texts(opened(bench.folder / f"left.{ending}", left)) == stay


GROUPS = st.lists(st.sampled_from(["x", "it''s", "a),(b"]), min_size=1, max_size=4)
STATEMENTS = st.lists(GROUPS, min_size=2, max_size=5).filter(
    lambda groups: any(len(each) > 1 for each in groups)
)


@given(data=st.data(), statements=STATEMENTS, size=SIZES)
@settings(max_examples=60, deadline=None)
def test_statements_of_many_rows(
    data: st.DataObject, statements: list[list[str]], size: int, bench: Any
) -> None:
    """Each INSERT is what it was without its rows that go; one without any is gone with its line."""
    texts_ = [text for group in statements for text in group]
    gone = data.draw(st.sets(st.integers(0, len(texts_) - 1)))

    def dump(leave: set[int]) -> bytes:
        lines, number = ["-- head\nCREATE TABLE t (a int, b text);\n"], 0
        for group in statements:
            tuples = []
            for text in group:
                if number not in leave:
                    tuples.append(f"({number}, '{text}')")
                number += 1
            if tuples:
                lines.append(f"INSERT INTO t VALUES {', '.join(tuples)};\n")
            lines.append("INSERT INTO other VALUES (1), (2);\n")
        return "".join([*lines, "COMMIT;\n"]).encode()

    with bench.chunks(size):
        path = bench.folder / "t.sql"
        path.write_bytes(dump(set()))
        table = open_table(path, table="t")
        table._footer = False
        left = without(table, sorted(gone))
    assert left.replace(b"\n\n", b"\n") == dump(gone)
