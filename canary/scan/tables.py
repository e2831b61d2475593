"""Tables that are not text: workbooks, Parquet, Arrow and SQLite, read row by row into tab-separated lines."""

from __future__ import annotations

import codecs
import html
import re
import sqlite3
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Final
from urllib.parse import quote

from canary.scan.budget import Refused
from canary.scan.decode import decode_bytes, detect_encoding

ROWS = 4096
CHUNK = 1 << 22
SHARED_LIMIT = 256 << 20  # bytes of the shared strings of a workbook

LARGEST: Final = 10**19  # a number that is written whole
SHARED = "xl/sharedStrings.xml"

_SOFT = re.compile(r"=[ \t]*\r?\n")  # where quoted-printable broke a line inside a value
_SHARED_TYPE = re.compile(r"\bt\s*=\s*[\"']s[\"']")
_PREFIX = re.compile(r"(?:[^<]*<[?!][^>]*>)*[^<]*<([A-Za-z][\w.-]{0,40}:)(?:worksheet|sst)\b")
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
        value = decode_bytes(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < LARGEST:
        return str(int(value))
    if isinstance(value, Decimal) and value.is_finite() and value.adjusted() < 20:
        return format(value, "f")
    return _SOFT.sub("", str(value)).replace("\n", " ").replace("\t", " ")


def sheets(
    archive: zipfile.ZipFile, opened: Callable[[str], BinaryIO]
) -> Iterator[tuple[str, Iterator[str]]]:
    """Give the sheets of a workbook: name of the member and its lines; `opened` opens a member within the budget."""
    names = archive.namelist()
    shared = _shared_strings(opened(SHARED)) if SHARED in names else []
    for name in names:
        if is_of_sheet(name) and name != SHARED:
            yield name, lines(_sheet_rows(opened(name), shared))


def is_of_sheet(name: str) -> bool:
    """Tell whether a member of a workbook holds cells, or the texts that cells have in common."""
    return name == SHARED or (name.startswith("xl/worksheets/") and name.endswith(".xml"))


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
    first = stream.read(CHUNK)
    decoder = codecs.getincrementaldecoder(detect_encoding(first).name)("replace")
    prefix = _PREFIX.match(decoder.decode(first))
    decoder.reset()
    for chunk in chain([first], iter(lambda: stream.read(CHUNK), b"")):
        held += decoder.decode(chunk)
        if prefix:
            held = held.replace(f"<{prefix[1]}", "<").replace(f"</{prefix[1]}", "</")
        *whole, held = held.split(end)
        yield from whole
        if len(held) > 4 * CHUNK:
            raise Refused(f"a row or text of a sheet is longer than {4 * CHUNK} bytes")


def _sheet_rows(stream: BinaryIO, shared: list[str]) -> Iterator[list[str]]:
    for row in _pieces(stream, "</row>"):
        cells = (cell.rpartition("<c")[2].partition(">") for cell in row.split("</c>")[:-1])
        yield [_sheet_cell(kind, inside, shared) for kind, _, inside in cells]


def _sheet_cell(kind: str, inside: str, shared: list[str]) -> str:
    if "<f" in inside:
        return _formula(kind, inside, shared)
    before, value, _ = inside.partition("</v>")
    if not value:
        return _rich(inside)
    text = _plain(before.rpartition("<v")[2].partition(">")[2])
    if _SHARED_TYPE.search(kind):
        number = int(text) if text.isdigit() and len(text) < 10 else -1
        return shared[number] if 0 <= number < len(shared) else ""
    return _whole(text)


def _formula(kind: str, inside: str, shared: list[str]) -> str:
    """Give the value of a formula, and its own text where it has none or holds words."""
    begins, _, rest = inside.partition("<f")
    formula, _, value = rest.partition("</f>")
    text = _sheet_cell(kind, begins + value, shared)
    words = _plain(formula.partition(">")[2])
    return text if text and '"' not in words else f"{text} ={words}".strip()


def _whole(text: str) -> str:
    """Write a number that was stored as one without its exponent or float."""
    if re.fullmatch(r"\d+(?:\.\d+)?E\+?\d+", text):
        return str(int(float(text))) if float(text) < 1e19 else text
    return text


def parquet(stream: BinaryIO) -> Iterator[str]:
    """Give the rows of a Parquet file, its headings first; raises where it is none."""
    import pyarrow.parquet as pq

    file: Any = pq.ParquetFile(stream)
    return _batches(file.schema_arrow.names, file.iter_batches(batch_size=ROWS))


def arrow(stream: BinaryIO) -> Iterator[str]:
    """Give the rows of an Arrow file, its headings first; raises where it is none."""
    import pyarrow as pa

    reader: Any = pa.ipc.open_file(stream)
    return _batches(reader.schema.names, map(reader.get_batch, range(reader.num_record_batches)))


def _batches(names: Iterable[str], batches: Iterable[Any]) -> Iterator[str]:
    yield from lines([names])
    for batch in batches:
        yield from lines(_batch_rows(batch))


def _batch_rows(batch: Any) -> Iterator[tuple[object, ...]]:
    batch.validate(full=True)  # offsets that point outside would be followed
    return zip(*(column.to_pylist() for column in batch.columns), strict=True)


def spreadsheet(stream: BinaryIO) -> Iterator[tuple[str, Iterator[str]]]:
    """Give the sheets of a workbook of the old binary kind."""
    import python_calamine

    book: Any = python_calamine.CalamineWorkbook.from_filelike(stream)
    for name in book.sheet_names:
        yield name, lines(book.get_sheet_by_name(name).to_python())


def sqlite(data: bytes | Path) -> Iterator[tuple[str, Iterator[str]]]:
    """Give the tables of an SQLite file, read where it lies or from memory; what it would run stays untouched."""
    with closing(_database(data)) as connection:
        connection.text_factory = lambda text: text.decode("utf-8", "replace")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA query_only = ON")
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for name in names:
            yield str(name), lines(_rows(connection, str(name)))


def _database(data: bytes | Path) -> sqlite3.Connection:
    if isinstance(data, Path):
        where = f"file:{quote(str(data.absolute()))}?mode=ro&immutable=1"
        return sqlite3.connect(where, uri=True, check_same_thread=False)
    connection = sqlite3.connect(":memory:")
    connection.deserialize(data)
    return connection


def _rows(connection: sqlite3.Connection, name: str) -> Iterator[tuple[object, ...]]:
    """Give the headings and rows of a table; of a virtual one nothing, since reading it runs what made it."""
    quoted = name.replace('"', '""')
    made = connection.execute(
        "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", [name]
    ).fetchone()
    if made and str(made[0]).lstrip().upper().startswith("CREATE VIRTUAL"):
        return
    found = connection.execute(f'SELECT * FROM "{quoted}"')
    yield tuple(column[0] for column in found.description)
    yield from found
