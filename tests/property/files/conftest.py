from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from canary.files import Insertion, Sink, Table, blocks, open_table

Row = Mapping[str, str | None]


class Bench:
    """Writes a file, opens it, rewrites it with rows put in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @staticmethod
    @contextmanager
    def chunks(size: int) -> Iterator[None]:
        """Read in chunks of some bytes, so that every record is carried over."""
        before, blocks.CHUNK = blocks.CHUNK, size
        try:
            yield
        finally:
            blocks.CHUNK = before

    def open(self, name: str, data: bytes, table: str | None = None) -> Table:
        path = self.folder / name
        path.write_bytes(data)
        return open_table(path, table=table)

    @staticmethod
    def rows(table: Table) -> list[tuple[int, dict[str, str | None]]]:
        return [
            (int(number), row)
            for batch in table.batches()
            for number, row in zip(batch.numbers(), batch.rows.to_pylist(), strict=True)
        ]

    @staticmethod
    def rewritten(table: Table, *copies: Sequence[Insertion]) -> list[bytes]:
        sinks = [Sink(io.BytesIO(), insertions) for insertions in copies]
        table.rewrite(sinks)
        return [sink.file.getvalue() for sink in sinks]  # type: ignore[attr-defined]


def clear(text: str, codec: str) -> bool:
    """Tell whether the bytes say which codec wrote them: 强 alone in GB18030 is ǿ in UTF-8, and is read so."""
    if codec != "gb18030" or text.isascii():
        return True
    try:
        text.encode(codec).decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False


def merged(rows: Sequence[Row], insertions: Sequence[Insertion]) -> list[Row]:
    result: list[Row] = []
    for position in range(len(rows) + 1):
        result += [one.row for one in insertions if one.position == position]
        result += rows[position : position + 1]
    return result


@pytest.fixture(scope="session")
def bench() -> Iterator[Bench]:
    with tempfile.TemporaryDirectory() as folder:
        yield Bench(Path(folder))


@pytest.fixture(scope="session")
def merge() -> Callable[[Sequence[Row], Sequence[Insertion]], list[Row]]:
    return merged
