"""SQL dumps: which table, which literals, what stays."""

from __future__ import annotations

from typing import Any

import pytest

from canary.errors import OutsideError, UsageError
from canary.files import blocks
from canary.files.sqldump import has_backslashes
from canary.files.sqltext import (
    Habit,
    copy_cells,
    copy_line,
    habit_of,
    literal_of,
    native_of_literals,
    value_of,
)

TWO = """-- MySQL dump 10.13
CREATE TABLE `orders` (`id` int, `name` varchar(20), KEY `k` (`id`));
INSERT INTO `orders` VALUES (1,'a'),(2,'b');
CREATE TABLE `people` (`id` int);
INSERT INTO `people` VALUES (1);
CREATE TABLE `empty` (`id` int);
"""


def test_several_tables_need_a_choice(desk: Any) -> None:
    with pytest.raises(UsageError, match="several tables") as caught:
        desk.open("a.sql", TWO)
    assert caught.value.hint == "choose one with --table: empty, orders, people"
    with pytest.raises(UsageError, match="no table 'nobody'"):
        desk.open("a.sql", TWO, "nobody")
    assert desk.rows(desk.open("a.sql", TWO, "orders")) == [["1", "a"], ["2", "b"]]
    assert desk.rows(desk.open("a.sql", TWO, "empty")) == []


def test_the_only_table_with_rows_needs_none(desk: Any) -> None:
    table = desk.open("a.sql", TWO.replace("INSERT INTO `people` VALUES (1);\n", ""))
    assert table.headings == ("id", "name")
    assert table.native == {"id": "integer", "name": "text"}


def test_a_table_without_rows_has_no_place_for_a_canary(desk: Any) -> None:
    table = desk.open("a.sql", TWO, "empty")
    copy, report = desk.rewrite(table)
    assert (copy.decode(), report.rows_in) == (TWO, 0)
    with pytest.raises(OutsideError, match="no row of table empty"):
        desk.rewrite(table, (0, {"id": "1"}))


def test_schemas_may_be_left_out(desk: Any) -> None:
    text = 'CREATE TABLE "public"."t x" (a int);\nINSERT INTO "public"."t x" VALUES (1);\n'
    assert desk.rows(desk.open("a.sql", text, "t x")) == [["1"]]
    assert desk.rows(desk.open("a.sql", text, "public.t x")) == [["1"]]


def test_canaries_join_statements_of_many_rows(desk: Any) -> None:
    table = desk.open("a.sql", TWO, "orders")
    copy, _ = desk.rewrite(table, (0, {"id": "8", "name": "o'x"}), (2, {"id": None, "name": "z\n"}))
    line = "INSERT INTO `orders` VALUES (8,'o\\'x'),(1,'a'),(2,'b'),(NULL,'z\\n');"
    assert copy.decode() == TWO.replace("INSERT INTO `orders` VALUES (1,'a'),(2,'b');", line)


def test_statements_of_one_row_get_statements_beside_them(desk: Any) -> None:
    text = (
        "BEGIN TRANSACTION;\nINSERT INTO t (a, b) VALUES (1, 'x') ON CONFLICT DO NOTHING;\r\n"
        "INSERT INTO t (a, b) VALUES (2, 'y') ON CONFLICT DO NOTHING;"
    )
    table = desk.open("a.sql", text)
    copy, _ = desk.rewrite(table, (0, {"a": "7", "b": "p"}), (2, {"a": "8", "b": "q"}))
    assert copy.decode() == (
        "BEGIN TRANSACTION;\nINSERT INTO t (a, b) VALUES (7, 'p') ON CONFLICT DO NOTHING;\r\n"
        "INSERT INTO t (a, b) VALUES (1, 'x') ON CONFLICT DO NOTHING;\r\n"
        "INSERT INTO t (a, b) VALUES (2, 'y') ON CONFLICT DO NOTHING;\n"
        "INSERT INTO t (a, b) VALUES (8, 'q') ON CONFLICT DO NOTHING;"
    )


def test_a_last_statement_without_its_semicolon(desk: Any) -> None:
    for text in (
        "INSERT INTO t (a) VALUES (1)",
        "INSERT INTO t (a) VALUES (1), (2)",
        "INSERT INTO t (a) VALUES (1) \n",
    ):
        table = desk.open("a.sql", text)
        assert desk.rows(table)[0] == ["1"]
        assert desk.rewrite(table)[0].decode() == text


def test_lists_of_columns_may_differ(desk: Any) -> None:
    text = "INSERT INTO t (a, b) VALUES (1, 'x'), (2, 'y');\nINSERT INTO t (b) VALUES ('z');\n"
    table = desk.open("a.sql", text)
    assert desk.rows(table) == [["1", "x"], ["2", "y"], [None, "z"]]
    copy, _ = desk.rewrite(table, (3, {"a": "9", "b": "c"}))
    assert copy.decode() == text.replace("('z')", "('z'), ('c')")


def test_tuples_that_do_not_fit_are_ragged(desk: Any) -> None:
    table = desk.open("a.sql", "INSERT INTO t (a, b) VALUES (1, 'x'), (2), (3, 'z');\n")
    assert desk.rows(table) == [["1", "x"], ["3", "z"]]
    assert desk.numbers(table) == [0, 2]


def test_columns_without_names_are_numbered(desk: Any) -> None:
    assert desk.open("a.sql", "INSERT INTO t VALUES (1, 'x');\n").headings == ("column_1", "column_2")


@pytest.mark.parametrize("size", [3, 40, 1 << 20])
def test_what_only_looks_like_rows_is_left_alone(
    desk: Any, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "CHUNK", size)
    text = """-- PostgreSQL database dump; INSERT INTO t VALUES (9);
/* INSERT INTO t VALUES (8); */
\\connect db
SET standard_conforming_strings = on;
CREATE FUNCTION f() RETURNS void AS $body$ BEGIN INSERT INTO t VALUES (7); END; $body$ LANGUAGE plpgsql;
CREATE TABLE t (a int, b text DEFAULT 'x;y' /* , c int */);
COMMENT ON TABLE t IS 'INSERT INTO t VALUES (6);';
INSERT INTO t SELECT 5, 'x';
INSERT INTO t VALUES (1, E'it\\'s'), (2, 'a''b\\'), (3, $$), ';
INSERT INTO t VALUES (4, 'four');
"""
    text = text.replace("(3, $$), ';", "(3, NULL);")
    table = desk.open("a.sql", text)
    assert desk.rows(table) == [["1", "it's"], ["2", "a'b\\"], ["3", None], ["4", "four"]]
    assert desk.rewrite(table)[0].decode() == text


@pytest.mark.parametrize("size", [3, 40, 1 << 20])
def test_triggers_and_routines_are_left_alone(desk: Any, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "CHUNK", size)
    sqlite = (
        "PRAGMA foreign_keys=OFF;\nCREATE TABLE t (a);\nCREATE TRIGGER g AFTER INSERT ON t BEGIN\n"
        "INSERT INTO t VALUES(9); END;\nINSERT INTO t VALUES(1);\nCOMMIT;\n"
    )
    assert desk.rows(desk.open("a.sql", sqlite)) == [["1"]]
    mysql = (
        "-- MySQL dump\nDELIMITER ;;\nCREATE PROCEDURE p() BEGIN INSERT INTO `t` VALUES (9); END ;;\nDELIMITER ;\n"
        "INSERT INTO `t` VALUES (1); # it's\n"
    )
    table = desk.open("a.sql", mysql)
    assert desk.rows(table) == [["1"]]
    assert desk.rewrite(table)[0].decode() == mysql


def test_a_dump_that_ends_within_a_statement_is_told(desk: Any) -> None:
    with pytest.raises(OutsideError, match="ends within a statement"):
        desk.open("a.sql", "INSERT INTO t (a) VALUES (1), ('cut")
    with pytest.raises(OutsideError, match="ends within a statement"):
        desk.open("a.sql", "COPY t (a) FROM stdin;\n1\n2")


def test_copy_with_options_is_told(desk: Any) -> None:
    with pytest.raises(OutsideError, match="COPY with options"):
        desk.open("a.sql", "COPY t (a) FROM stdin WITH (FORMAT csv);\n1\n\\.\n")


def test_copy_keeps_windows_line_ends(desk: Any) -> None:
    text = "COPY t (a, b) FROM stdin;\r\n1\tx\r\n\\.\r\n"
    table = desk.open("a.sql", text)
    assert desk.rows(table) == [["1", "x"]]
    assert desk.rewrite(table, (1, {"a": "2", "b": None}))[0].decode() == text.replace(
        "\tx\r\n", "\tx\r\n2\t\\N\r\n"
    )


def test_a_file_without_a_table_is_told(desk: Any) -> None:
    with pytest.raises(OutsideError, match="no table"):
        desk.open("a.sql", "SET a = 1;\nSELECT 'x';\n-- end")


@pytest.mark.parametrize(
    ("literal", "backslash", "value"),
    [
        ("NULL", False, None),
        (" null ", True, None),
        ("1.50", False, "1.50"),
        ("'a''b'", False, "a'b"),
        ("'a\\nb'", True, "a\nb"),
        ("'a\\nb'", False, "a\\nb"),
        ("E'a\\nb\\x41\\u4e2d\\101'", False, "a\nbA中A"),
        ("'\\%\\_\\Z\\0'", True, "\\%\\_\x1a\0"),
        ("N'x'", False, "x"),
        ("_utf8mb4'x'", True, "x"),
        ("X'41'", False, "X'41'"),
        ("'2024-01-01'::date", False, "2024-01-01"),
        ("'a' || 'b'", False, "'a' || 'b'"),
        ("now()", False, "now()"),
        ("replace('a\\nb','\\n',char(10))", False, "a\nb"),
        ("replace(NULL,'\\n',char(10))", False, None),
        ("replace(replace('a\\r\\nb','\\r',char(13)),'\\n',char(10))", False, "a\r\nb"),
        ("unistr('a\\u000ab')", False, "a\nb"),
        ("true", False, "true"),
        ("DEFAULT", False, None),
    ],
)
def test_literals_as_text(literal: str, backslash: bool, value: str | None) -> None:
    assert value_of(literal, backslash) == value


@pytest.mark.parametrize(
    ("text", "habit", "backslash", "literal"),
    [
        (None, Habit(), False, "NULL"),
        ("a'b\\", Habit(), False, "'a''b\\'"),
        ("a'b\\\0", Habit(), True, "'a\\'b\\\\\\0'"),
        ("1.5", Habit(False), False, "1.5"),
        ("x", Habit(False), False, "'x'"),
        ("a\nb'", Habit(True, "E"), False, "E'a\\nb'''"),
        ("2024", Habit(True, "", "::date"), False, "'2024'::date"),
        ("TRUE", Habit(False), False, "TRUE"),
    ],
)
def test_text_as_literals(text: str | None, habit: Habit, backslash: bool, literal: str) -> None:
    assert literal_of(text, habit, backslash) == literal


def test_habits_and_kinds_of_columns() -> None:
    assert habit_of(["1", "2", "'x'"]) == Habit(quoted=False)
    assert habit_of(["N'x'", "NULL", "N'y'"]) == Habit(True, "N")
    assert habit_of(["'1'::int", "'2'::int"]) == Habit(True, "", "::int")
    assert habit_of(["NULL"]) == Habit()
    kinds = [
        native_of_literals(one)
        for one in (["1", "-2"], ["1", "2.5"], ["true", "FALSE"], ["'x'"], ["NULL"], ["now()"])
    ]
    assert kinds == ["integer", "float", "boolean", "text", "text", "text"]


def test_lines_of_copy() -> None:
    cells = ["a\tb", None, "\\", "x\ny", "", "\\N", "A\x01"]
    assert copy_cells(copy_line(cells) + "\n") == cells
    assert copy_cells("\\x41\\101\\q\\v\n") == ["AAq\v"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("SET standard_conforming_strings = off;", True),
        ("INSERT INTO `t` VALUES", True),
        ("PRAGMA x;", False),
        ("INSERT INTO t VALUES ('it\\'s');", True),
        ("INSERT INTO t VALUES ('C:\\');", False),
        ("-- MariaDB dump", True),
    ],
)
def test_whether_backslashes_escape(text: str, wanted: bool) -> None:
    assert has_backslashes(text) is wanted
