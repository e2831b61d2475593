"""SQL dumps: loaded by SQLite they hold the real rows and the canaries; other text stays to the character."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from canary.files import Insertion

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6) | st.sampled_from(
    [
        "it's",
        "''",
        "\\",
        "\\'",
        "a\nb",
        "); --",
        "/*",
        "*/",
        "'",
        '"',
        "`",
        "x;y",
        "(",
        "张三",
        "$$",
        "E'",
        "-- x",
        "replace(",
    ]
)
ROWS = st.lists(st.tuples(st.integers(-99, 99), st.none() | TEXT, TEXT), min_size=1, max_size=10)
SIZES = st.sampled_from([1, 30, 1 << 20])


def quote(text: object) -> str:
    if text is None:
        return "NULL"
    return str(text) if isinstance(text, int) else "'" + str(text).replace("'", "''") + "'"


def mysql(text: object) -> str:
    if text is None or isinstance(text, int):
        return quote(text)
    for plain, escaped in (("\\", "\\\\"), ("'", "\\'"), ("\n", "\\n"), ('"', '\\"')):
        text = str(text).replace(plain, escaped)
    return f"'{text}'"


def as_rows(rows: list[tuple[Any, ...]]) -> list[dict[str, str | None]]:
    return [{"id": str(a), "名": b, "c": c} for a, b, c in rows]


@given(
    rows=ROWS,
    data=st.data(),
    size=SIZES,
    per=st.integers(1, 4),
    new=st.tuples(st.integers(0, 9), TEXT, TEXT),
    listed=st.booleans(),
    space=st.sampled_from(["", " ", "\n  "]),
)
@settings(max_examples=80, deadline=None)
def test_inserts(
    rows: list[Any], data: st.DataObject, size: int, per: int, new: Any, listed: bool, space: str, bench: Any,
    merge: Callable[..., list[Any]],
) -> None:  # fmt: skip
    columns = ' (id,"名",c)' if listed else ""
    tuples = ["(" + ",".join(map(quote, row)) + ")" for row in rows]
    groups = [tuples[n : n + per] for n in range(0, len(tuples), per)]
    statements = [f"INSERT INTO t{columns} VALUES {f',{space}'.join(group)};\n" for group in groups]
    head = (
        "-- a; dump's head\nPRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n"
        "CREATE TABLE t (id INTEGER, \"名\" TEXT, c TEXT DEFAULT 'a,(b');\nCREATE TABLE other (x TEXT);\n"
    )
    text = head + "INSERT INTO other VALUES('INSERT INTO t VALUES (1)');\n".join(statements) + "COMMIT;\n"
    places = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=4)))
    with bench.chunks(size):
        table = bench.open("t.sql", text.encode(), table="t")
        table._footer = False
        assert [row for _, row in bench.rows(table)] == as_rows(rows)
        insertions = [Insertion(place, as_rows([new])[0]) for place in places]
        copy, untouched = bench.rewritten(table, insertions, [])
    assert untouched == text.encode()
    database = sqlite3.connect(":memory:")
    try:
        database.executescript(copy.decode())
        found = database.execute("SELECT * FROM t ORDER BY rowid").fetchall()
        assert as_rows(found) == merge(as_rows(rows), insertions)
        others = database.execute("SELECT count(*) FROM other").fetchone()
        assert others == (max(len(groups) - 1, 0),)
    finally:
        database.close()
    if per == 1:
        assert ");\nINSERT INTO t" in copy.decode() or len(rows) + len(places) == 1 or "VALUES (1)" in text


@given(
    rows=ROWS,
    data=st.data(),
    size=SIZES,
    per=st.integers(1, 4),
    new=st.tuples(st.integers(0, 9), st.none() | TEXT, TEXT),
    codec=st.sampled_from(["utf-8", "gb18030"]),
)
@settings(max_examples=80, deadline=None)
def test_mysql(
    rows: list[Any], data: st.DataObject, size: int, per: int, new: Any, codec: str, bench: Any,
    merge: Callable[..., list[Any]],
) -> None:  # fmt: skip
    tuples = ["(" + ",".join(map(mysql, row)) + ")" for row in rows]
    groups = [tuples[n : n + per] for n in range(0, len(tuples), per)]
    head = (
        "-- MySQL dump 10.13\nCREATE TABLE `t` (\n  `id` int NOT NULL,\n  `名` varchar(9) DEFAULT '\\',(',\n"
        "  `c` text,\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB;\n"
    )
    text = head + "".join(f"INSERT INTO `t` VALUES {','.join(group)};\n" for group in groups) + "# the 'end\n"
    places = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=4)))
    with bench.chunks(size):
        table = bench.open("t.sql", text.encode(codec))
        table._footer = False
        assert [row for _, row in bench.rows(table)] == as_rows(rows)
        insertions = [Insertion(place, as_rows([new])[0]) for place in places]
        copy, untouched = bench.rewritten(table, insertions, [])
        assert untouched == text.encode(codec)
        again = bench.open("again.sql", copy)
        again._footer = False
        assert [row for _, row in bench.rows(again)] == merge(as_rows(rows), insertions)
    mine = "(" + ",".join(map(mysql, new)).replace('\\"', '"') + ")"
    restored = copy.decode(codec)
    if mine not in text.replace('\\"', '"'):
        assert restored.count(mine) == len(places)


@given(rows=ROWS, data=st.data(), size=SIZES, new=st.tuples(st.integers(0, 9), st.none() | TEXT, TEXT))
@settings(max_examples=60, deadline=None)
def test_copy(rows: list[Any], data: st.DataObject, size: int, new: Any, bench: Any) -> None:
    def line(row: Any) -> str:
        cells = [
            "\\N" if cell is None else str(cell).replace("\\", "\\\\").replace("\n", "\\n") for cell in row
        ]
        return "\t".join(cells) + "\n"

    head = (
        "--\n-- PostgreSQL database dump\n--\n\\restrict x\nSET standard_conforming_strings = on;\n"
        "COPY public.o (x) FROM stdin;\n1\n\\.\n"
    )
    before = head + 'COPY public.t (id, "名", c) FROM stdin;\n'
    after = "\\.\n\nALTER TABLE public.t ADD CHECK (c <> ';');\n"
    text = before + "".join(map(line, rows)) + after
    places = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=4)))
    with bench.chunks(size):
        table = bench.open("t.sql", text.encode(), table="t")
        table._footer = False
        assert [row for _, row in bench.rows(table)] == as_rows(rows)
        copy, untouched = bench.rewritten(
            table, [Insertion(place, as_rows([new])[0]) for place in places], []
        )
    assert untouched == text.encode()
    wanted: list[Any] = []
    for place in range(len(rows) + 1):
        wanted += [new] * places.count(place) + rows[place : place + 1]
    assert copy.decode() == before + "".join(map(line, wanted)) + after
