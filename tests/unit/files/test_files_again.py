"""A CSV file that was read is copied by the places of its records: they are looked for once."""

from __future__ import annotations

import gzip
import hashlib
import io
from typing import Any

import pytest

from canary.errors import OutsideError
from canary.files import Insertion, Sink, blocks, csvfile, records

TEXT = "id,name\n" + "".join(f'{n},"a\n{n}"\n' for n in range(3000)) + "\n3000,b"
CANARY = {"id": "9", "name": "雀"}


@pytest.fixture(autouse=True)
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csvfile, "LARGE", 0)
    monkeypatch.setattr(blocks, "CHUNK", 1 << 12)


@pytest.fixture
def lookings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Note how many bytes are looked through for records."""
    seen: list[int] = []
    whole = records.CsvSplitter.__call__
    monkeypatch.setattr(
        records.CsvSplitter,
        "__call__",
        lambda self, data, last: (seen.append(len(data)), whole(self, data, last))[1],
    )
    return seen


def test_records_are_looked_for_once(desk: Any, lookings: list[int]) -> None:
    table = desk.open("a.csv", TEXT)
    fresh = desk.rewrite(desk.open("b.csv", TEXT), (1, CANARY), (3001, CANARY))
    assert len(desk.rows(table)) == 3001
    lookings.clear()
    assert desk.rewrite(table, (1, CANARY), (3001, CANARY)) == fresh
    assert lookings == []
    assert desk.rewrite(table) == (TEXT.encode(), fresh[1].__class__(3001, (3001,), ()))


def test_a_file_that_became_another_is_looked_through_anew(desk: Any, lookings: list[int]) -> None:
    table = desk.open("a.csv", TEXT)
    desk.rows(table)
    desk.write("a.csv", TEXT + "\n3001,c\n")
    lookings.clear()
    made, report = desk.rewrite(table, (3002, CANARY))
    assert made.decode() == TEXT + '\n3001,c\n9,"雀"\n'
    assert (report.rows_in, sum(lookings) >= len(TEXT)) == (3002, True)


def test_a_file_that_changes_while_it_is_copied_is_told(desk: Any) -> None:
    table = desk.open("a.csv", TEXT)
    desk.rows(table)

    class Meddler(io.BytesIO):
        def writelines(self, pieces: Any, /) -> None:
            if table.path.stat().st_size == len(TEXT.encode()):
                desk.write("a.csv", TEXT[: len(TEXT) // 2])
            super().writelines(pieces)

    with pytest.raises(OutsideError, match="changed while it was read"):
        table.rewrite([Sink(Meddler(), [Insertion(0, CANARY)])])


def test_of_very_many_records_nothing_is_kept(
    desk: Any, lookings: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csvfile, "NOTED", 1000)
    table = desk.open("a.csv", TEXT)
    desk.rows(table)
    lookings.clear()
    assert desk.rewrite(table)[0] == TEXT.encode()
    assert sum(lookings) >= len(TEXT)


def test_the_digest_is_taken_on_the_way(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = hashlib.sha256(TEXT.encode()).hexdigest()
    table = desk.open("a.csv", TEXT)
    table.digest_while_reading()
    next(table.batches())  # broken off: that is no digest of the file
    assert table.sha256() == wanted
    desk.rows(table, ["name"])
    monkeypatch.setattr("canary.files.table.sha256_file", lambda path: "read once more")
    assert table.sha256() == wanted
    assert desk.open("a.csv", TEXT).sha256() == "read once more"


@pytest.mark.parametrize("name", ["a.csv.gz", "a.jsonl"])
def test_where_no_reading_takes_it_the_file_is_digested(desk: Any, name: str) -> None:
    data = gzip.compress(TEXT.encode()) if name.endswith("gz") else b'{"id": "1"}\n'
    table = desk.open(name, data)
    table.digest_while_reading()
    desk.rows(table)
    assert table.sha256() == hashlib.sha256(data).hexdigest()
