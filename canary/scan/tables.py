"""Tables that are not text: workbooks, Parquet, Arrow and SQLite, read row by row into tab-separated lines."""

from __future__ import annotations

import codecs
import html
import re
import sqlite3
import zipfile
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO

from canary.scan.budget import Refused

ROWS = 4096
CHUNK = 1 << 22
SHARED_LIMIT = 256 << 20  # bytes of the shared strings of a workbook

_SHARED_TYPE = re.compile(r"\bt\s*=\s*[\"']s[\"']")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


def lines(rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """Write rows as tab-separated lines, many at once."""
    held: list[str] = []
    for row in rows:
        held.append("\t".join(_cell(value) for value in row))
        if len(held) >= ROWS:
            yield "\n".join(held) + "\n"
            held.clear()
    if held:
        yield "\n".join(held) + "\n"


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e19:
        return str(int(value))
    return str(value).replace("\n", " ").replace("\t", " ")


def sheets(
    archive: zipfile.ZipFile, opened: Callable[[str], BinaryIO]
) -> Iterator[tuple[str, Iterator[str]]]:
    """Give the sheets of a workbook: name of the member and its lines; `opened` opens a member within the budget."""
    names = archive.namelist()
    shared = _shared_strings(opened("xl/sharedStrings.xml")) if "xl/sharedStrings.xml" in names else []
    for name in names:
        if name.startswith("xl/worksheets/") and name.endswith(".xml"):
            yield name, lines(_sheet_rows(opened(name), shared))


def _shared_strings(stream: BinaryIO) -> list[str]:
    size = 0
    strings: list[str] = []
    for piece in _pieces(stream, "</si>"):
        strings += [""] * piece.count("<si/>")
        strings.append(_rich(piece))
        size += len(strings[-1])
        if size > SHARED_LIMIT:
            raise Refused(f"shared strings longer than {SHARED_LIMIT} bytes")
    return strings


def _rich(piece: str) -> str:
    """Join the runs of a rich text."""
    return "".join(_plain(run.rpartition("<t")[2].partition(">")[2]) for run in piece.split("</t>")[:-1])


def _plain(text: str) -> str:
    text = html.unescape(text) if "&" in text else text
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


def _pieces(stream: BinaryIO, end: str) -> Iterator[str]:
    """Give what stands before every end tag of one kind, read chunk by chunk."""
    held = ""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    while chunk := stream.read(CHUNK):
        *whole, held = (held + decoder.decode(chunk)).split(end)
        yield from whole
        if len(held) > 4 * CHUNK:
            raise Refused(f"a row or text of a sheet is longer than {4 * CHUNK} bytes")


def _sheet_rows(stream: BinaryIO, shared: list[str]) -> Iterator[list[str]]:
    for row in _pieces(stream, "</row>"):
        cells = (cell.rpartition("<c")[2].partition(">") for cell in row.split("</c>")[:-1])
        yield [_sheet_cell(kind, inside, shared) for kind, _, inside in cells]


def _sheet_cell(kind: str, inside: str, shared: list[str]) -> str:
    before, value, _ = inside.partition("</v>")
    if not value:
        return _rich(inside)
    text = _plain(before.rpartition("<v")[2].partition(">")[2])
    if _SHARED_TYPE.search(kind):
        number = int(text) if text.isdigit() and len(text) < 10 else -1
        return shared[number] if 0 <= number < len(shared) else ""
    return _whole(text)


def _whole(text: str) -> str:
    """Write a number that was stored as one without its exponent or float."""
    if re.fullmatch(r"\d+(?:\.\d+)?E\+?\d+", text):
        return str(int(float(text))) if float(text) < 1e19 else text
    return text


def parquet(stream: BinaryIO) -> Iterator[str]:
    """Give the rows of a Parquet file, its headings first."""
    import pyarrow.parquet as pq

    file: Any = pq.ParquetFile(stream)
    yield from lines([file.schema_arrow.names])
    for batch in file.iter_batches(batch_size=ROWS):
        yield from lines(_batch_rows(batch))


def arrow(stream: BinaryIO) -> Iterator[str]:
    """Give the rows of an Arrow file, its headings first."""
    import pyarrow as pa

    reader: Any = pa.ipc.open_file(stream)
    yield from lines([reader.schema.names])
    for number in range(reader.num_record_batches):
        yield from lines(_batch_rows(reader.get_batch(number)))


def _batch_rows(batch: Any) -> Iterator[tuple[object, ...]]:
    return zip(*(column.to_pylist() for column in batch.columns), strict=True)


def spreadsheet(stream: BinaryIO) -> Iterator[tuple[str, Iterator[str]]]:
    """Give the sheets of a workbook of the old binary kind."""
    import python_calamine

    book: Any = python_calamine.CalamineWorkbook.from_filelike(stream)
    for name in book.sheet_names:
        yield name, lines(book.get_sheet_by_name(name).to_python())


def sqlite(data: bytes) -> Iterator[tuple[str, Iterator[str]]]:
    """Give the tables of an SQLite file, read from memory; its own triggers, views and functions stay untouched."""
    connection = sqlite3.connect(":memory:")
    connection.text_factory = lambda text: text.decode("utf-8", "replace")
    connection.deserialize(data)
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA query_only = ON")
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for name in names:
        quoted = str(name).replace('"', '""')
        yield str(name), lines(connection.execute(f'SELECT * FROM "{quoted}"'))
    connection.close()
