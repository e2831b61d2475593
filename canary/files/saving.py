"""New tables from rows of text, the format by the file's ending."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from canary.errors import UsageError
from canary.files.atomic import AtomicFile
from canary.files.compress import Writer, compressing
from canary.files.dialect import Dialect

Rows = Iterable[Mapping[str, str | None]]
_ROWS = 1 << 14
_COMPRESSIONS = {"gz": "gzip", "zst": "zstd"}


def save_rows(path: Path, headings: Sequence[str], rows: Rows, force: bool = False) -> None:
    """Write a new table: csv, tsv, jsonl, json, sql (each also .gz or .zst), parquet or xlsx, by the ending.

    Raises UsageError for an ending that no format has or a file that exists, OutsideError where the disk fails.
    """
    name, compression = _format_of(path)
    if path.exists() and not force:
        raise UsageError(f"{path} exists already", "choose another name or give --force")
    save = _WRITERS[name]
    with AtomicFile(path) as file:
        with compressing(file, compression) as out:
            save(out, list(headings), rows)
        file.commit()


def _format_of(path: Path) -> tuple[str, str | None]:
    endings = [ending.lstrip(".").lower() for ending in path.suffixes]
    compression = _COMPRESSIONS.get(endings[-1]) if endings else None
    name = (endings[:-1] if compression else endings)[-1:] or [""]
    known = name[0] in _WRITERS and not (compression and name[0] in ("parquet", "xlsx"))
    if not known:
        raise UsageError(
            f"no format has the ending of {path.name}", "endings: " + ", ".join(sorted(_WRITERS))
        )
    return name[0], compression


def _delimited(delimiter: str) -> Callable[[Writer, list[str], Rows], None]:
    def save(out: Writer, headings: list[str], rows: Rows) -> None:
        dialect = Dialect(delimiter)
        lines = (dialect.row([row.get(heading) for heading in headings]) for row in rows)
        out.write((dialect.row(headings) + "\n").encode())
        for part in _parts(lines):
            out.write("".join(line + "\n" for line in part).encode())

    return save


def _parts(items: Iterable[Any]) -> Iterator[list[Any]]:
    iterator = iter(items)
    while part := list(islice(iterator, _ROWS)):
        yield part


def _json_row(row: Mapping[str, str | None], headings: Sequence[str]) -> str:
    return json.dumps({heading: row.get(heading) for heading in headings}, ensure_ascii=False)


def _jsonl(out: Writer, headings: list[str], rows: Rows) -> None:
    for part in _parts(rows):
        out.write("".join(_json_row(row, headings) + "\n" for row in part).encode())


def _json(out: Writer, headings: list[str], rows: Rows) -> None:
    before = "[\n  "
    for row in rows:
        out.write((before + _json_row(row, headings)).encode())
        before = ",\n  "
    out.write(b"[]\n" if before.startswith("[") else b"\n]\n")


def _sql(out: Writer, headings: list[str], rows: Rows) -> None:
    names = [_identifier(heading) for heading in headings]
    columns = ", ".join(names)
    out.write(f"CREATE TABLE records ({', '.join(f'{name} TEXT' for name in names)});\n".encode())
    for row in rows:
        values = ", ".join(_literal(row.get(heading)) for heading in headings)
        out.write(f"INSERT INTO records ({columns}) VALUES ({values});\n".encode())


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str | None) -> str:
    return "NULL" if text is None else "'" + text.replace("'", "''") + "'"


def _parquet(out: Writer, headings: list[str], rows: Rows) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(heading, pa.string()) for heading in headings])
    with pq.ParquetWriter(out, schema) as writer:
        for part in _parts(rows):
            arrays = [pa.array([row.get(heading) for row in part], pa.string()) for heading in headings]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


def _xlsx(out: Writer, headings: list[str], rows: Rows) -> None:
    import io
    from datetime import datetime

    import xlsxwriter

    buffer = io.BytesIO()
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(buffer, options)
    book.set_properties({"created": datetime(2000, 1, 1)})  # equal rows give equal bytes
    sheet = book.add_worksheet("records")
    for column, heading in enumerate(headings):
        sheet.write_string(0, column, heading)
    for number, row in enumerate(rows, 1):
        for column, heading in enumerate(headings):
            text = row.get(heading)
            if text is not None:
                sheet.write_string(number, column, text)
    book.close()
    out.write(buffer.getvalue())


_WRITERS: dict[str, Callable[[Writer, list[str], Rows], None]] = {
    "csv": _delimited(","),
    "tsv": _delimited("\t"),
    "jsonl": _jsonl,
    "ndjson": _jsonl,
    "json": _json,
    "sql": _sql,
    "parquet": _parquet,
    "xlsx": _xlsx,
}
