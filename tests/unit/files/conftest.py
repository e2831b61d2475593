from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from canary.files import Insertion, RewriteReport, Sink, Table, open_table


class Desk:
    """Writes a file into a folder, opens it, and reads or rewrites it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, data: bytes | str) -> Path:
        path = self.folder / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    def open(self, name: str, data: bytes | str, table: str | None = None) -> Table:
        return open_table(self.write(name, data), table=table)

    @staticmethod
    def rows(table: Table, columns: Sequence[str] | None = None) -> list[list[str | None]]:
        return [list(row.values()) for batch in table.batches(columns) for row in batch.rows.to_pylist()]

    @staticmethod
    def numbers(table: Table) -> list[int]:
        return [int(number) for batch in table.batches() for number in batch.numbers()]

    @staticmethod
    def rewrite(table: Table, *places: tuple[int, Mapping[str, str | None]]) -> tuple[bytes, RewriteReport]:
        file = io.BytesIO()
        report = table.rewrite([Sink(file, [Insertion(place, row) for place, row in places])])
        return file.getvalue(), report


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)
