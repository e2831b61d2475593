"""Formats are told by content, and what is no table is refused in one sentence with a hint."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import canary.files
from canary.errors import OutsideError
from canary.files import open_table


@pytest.mark.parametrize(
    ("name", "text", "label"),
    [
        ("a.csv", '[{"a": 1}]', "json"),
        ("a.csv", '{"a": 1}\n{"a": 2}\n', "jsonl"),
        ("a.csv", "INSERT INTO t (a) VALUES (1);\n", "sql"),
        ("a.txt", "-- dump\n\nCREATE TABLE t (a int);\n", "sql"),
        ("a.sql", "a,b\n1,2\n", "sql"),
        ("a.jsonl", "a,b\n1,2\n", "csv"),
        ("a", '  [\n {"a": 1}\n]', "json"),
        ("a.dat", "[id],name\n1,2\n", "csv"),
        ("a.json", "[1, 2]", "json"),
    ],
)
def test_content_goes_before_the_ending(desk: Any, name: str, text: str, label: str) -> None:
    path = desk.write(name, text)
    if (name, label) in {("a.sql", "sql"), ("a.json", "json")}:
        with pytest.raises(OutsideError):
            open_table(path)
    else:
        assert open_table(path).format.label() == label


def test_parquet_is_told_by_its_magic(desk: Any) -> None:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"a": [1]}), buffer)
    assert desk.open("a.csv", buffer.getvalue()).format.label() == "parquet"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (bytes(range(256)) * 20, "binary data"),
        (b"\x7fELF" + b"\0" * 300, "binary data"),
        ("naïve,é\n".encode("latin-1"), "neither UTF-8, GB18030 nor UTF-16"),
        (b"\xef\xbb\xbfa,\xff\n", "marked as utf-8"),
        (b"\x01\x02\x03\x04\x05\x06\x07\x08\x0e\x0f,a", "binary data"),
        (b"\xd0\xcf\x11\xe0" + b"x" * 99, "old or encrypted Excel"),
        (b"SQLite format 3\0" + b"x" * 99, "SQLite database"),
        (b"%PDF-1.7", "a PDF"),
        (b"PAR1 and nothing", "damaged"),
        (b"PK\x03\x04 and nothing", "damaged"),
        (b'{\n "a": 1\n}', "one JSON object over several lines"),
    ],
)
def test_what_is_no_table_is_told(desk: Any, data: bytes, words: str) -> None:
    path = desk.write("t.json" if data.startswith(b"{") else "t.bin", data)
    with pytest.raises(OutsideError, match=words) as caught:
        open_table(path)
    assert caught.value.hint
    assert caught.value.message == caught.value.message.strip(".")


def test_missing_files_folders_and_pipes_are_told(tmp_path: Path) -> None:
    with pytest.raises(OutsideError, match="does not exist"):
        open_table(tmp_path / "no.csv")
    with pytest.raises(OutsideError, match="is a folder"):
        open_table(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OutsideError, match="no regular file"):
        open_table(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(OutsideError, match="below something that is no folder"):
        open_table(tmp_path / "file" / "a.csv")


def test_a_file_without_permission_is_told(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path = desk.write("a.csv", "a,b\n")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "no")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(OutsideError, match="may not be opened"):
        open_table(path)


def test_the_public_names_load_when_they_are_used() -> None:
    for name in canary.files.__all__:
        assert getattr(canary.files, name) is not None
    with pytest.raises(AttributeError, match="nothing"):
        canary.files.nothing  # noqa: B018
