"""JSON Lines and JSON arrays: style, types, absent keys and damage."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from canary.errors import OutsideError


def test_values_come_as_text_and_keep_their_digits(desk: Any) -> None:
    table = desk.open(
        "a.jsonl", '{"a": 1.0, "b": true, "c": null, "d": {"x": [1, "é"]}, "e": 12345678901234567890}\n'
    )
    assert desk.rows(table) == [["1.0", "true", None, '{"x": [1, "é"]}', "12345678901234567890"]]
    kinds = {"a": "float", "b": "boolean", "c": "text", "d": "nested", "e": "integer"}
    assert table.native == kinds


def test_a_canary_takes_the_types_of_its_columns(desk: Any) -> None:
    text = '{"n":1,"f":1.5,"b":false,"t":"x","j":[1]}\n'
    table = desk.open("a.jsonl", text)
    row = {"n": "007", "f": "2.50", "b": "true", "t": "3", "j": "[2]"}
    line = desk.rewrite(table, (0, row))[0].decode().splitlines()[0]
    assert line == '{"n":"007","f":2.50,"b":true,"t":"3","j":[2]}'
    line = desk.rewrite(table, (0, {"n": "7", "b": "maybe", "j": "["}))[0].decode().splitlines()[0]
    assert line == '{"n":7,"f":null,"b":"maybe","t":null,"j":"["}'


def test_keys_that_may_be_absent_are_left_out(desk: Any) -> None:
    table = desk.open("a.jsonl", '{"a": "x", "b": "y"}\n{"a": "z"}\n')
    assert desk.rows(table) == [["x", "y"], ["z", None]]
    assert desk.rewrite(table, (0, {"a": "c"}))[0].splitlines()[0] == b'{"a": "c"}'


@pytest.mark.parametrize(
    ("first", "canary"),
    [
        ('{"a":"x","b":"y"}', '{"a":"雀","b":"1"}'),
        ('{ "a" : "x" , "b" : "y" }', '{ "a" : "雀" , "b" : "1" }'),
        ('{"a": "\\u4e2d", "b": "y"}', '{"a": "\\u96c0", "b": "1"}'),
        ('{"a":[1],"b":"y"}', '{"a":"雀","b":"1"}'),
    ],
)
def test_the_style_is_the_files(desk: Any, first: str, canary: str) -> None:
    table = desk.open("a.jsonl", first + "\n")
    assert desk.rewrite(table, (1, {"a": "雀", "b": "1"}))[0].decode() == f"{first}\n{canary}\n"


def test_lines_that_are_no_objects_are_ragged(desk: Any) -> None:
    text = '{"a": 1}\n[1]\nbroken {\n{"a": 2}\n'
    table = desk.open("a.jsonl", text)
    assert desk.rows(table) == [["1"], ["2"]]
    assert desk.numbers(table) == [0, 3]
    assert desk.rewrite(table, (3, {"a": "9"}))[0].decode() == text.replace('{"a": 2}', '{"a": 9}\n{"a": 2}')
    assert [one for one in table.warnings if one.startswith("2 rows")]


def test_ragged_lines_alone_are_told(desk: Any) -> None:
    with pytest.raises(OutsideError, match="no JSON objects"):
        desk.open("a.json", "[1, 2]")


def test_keys_that_come_late_are_told(desk: Any) -> None:
    table = desk.open("a.jsonl", '{"a": 1}\n' * 1000 + '{"a": 1, "late": 2}\n')
    desk.rows(table)
    assert [one for one in table.warnings if "'late'" in one]


@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_tables_without_rows(desk: Any, name: str) -> None:
    table = desk.open("a.json", "[ ]\n")
    assert (table.headings, desk.rows(table)) == ((), [])
    copy, report = desk.rewrite(table)
    assert (copy, report.rows_in) == (b"[ ]\n", 0)
    assert report.warnings == ("a.json holds no rows",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[{"a": 1}', "not closed"),
        ('[{"a": 1}, {"a": "x]', "not closed"),
        ('[{"a": 1}] x', "something follows"),
        ('[{"a": 1},, {"a": 2}]', "missing between"),
    ],
)
def test_damaged_arrays_are_told(desk: Any, text: str, words: str) -> None:
    with pytest.raises(OutsideError, match=words):
        desk.open("a.json", text)


def test_damage_in_a_later_chunk_is_told(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from canary.files import blocks

    monkeypatch.setattr(blocks, "CHUNK", 64)
    with pytest.raises(OutsideError, match="something follows"):
        desk.open("a.json", '[{"a": 1}' + ', {"a": 2}' * 9 + "]" + " " * 200 + "x")
    text = '[{"a": 1}' + ', {"a": 2}' * 9 + "]" + " " * 200
    assert desk.rewrite(desk.open("b.json", text))[0].decode() == text


def test_pretty_arrays_and_compression(desk: Any) -> None:
    rows = [{"a": 1, "b": "x"}]
    text = json.dumps(rows, indent=2)
    table = desk.open("a.json.gz", gzip.compress(text.encode()))
    assert table.format.label() == "json.gz"
    copy = gzip.decompress(desk.rewrite(table, (0, {"a": "2", "b": "y"}), (1, {"a": "3", "b": None}))[0])
    wanted = [{"a": 2, "b": "y"}, {"a": 1, "b": "x"}, {"a": 3, "b": None}]
    assert copy.decode() == json.dumps(wanted, indent=2)


def test_an_array_in_one_line_with_one_row(desk: Any) -> None:
    table = desk.open("a.json", '[{"a":1}]')
    assert json.loads(desk.rewrite(table, (1, {"a": "2"}))[0]) == [{"a": 1}, {"a": 2}]


def test_bytes_that_are_no_text_are_told(desk: Any) -> None:
    table = desk.open("a.jsonl", '{"a": "张"}\n'.encode() * 30_000 + b'{"a": "\xff"}\n')
    with pytest.raises(OutsideError, match="not utf-8"):
        desk.rows(table)
