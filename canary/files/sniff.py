"""Which format a file has: told by its content where that is clear, by its name otherwise."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from canary.errors import CanaryError, OutsideError
from canary.files.compress import compression_of, opened, read_full
from canary.files.encoding import Encoding, detect
from canary.files.outside import reading
from canary.files.table import SeveralTables, Table

_SAMPLE = 1 << 18
_STEP = 1 << 22
_TEXT_ENDINGS = {
    "csv": "csv", "tsv": "tsv", "tab": "tsv", "psv": "psv", "txt": "csv",
    "jsonl": "jsonl", "ndjson": "jsonl", "json": "json", "sql": "sql",
}  # fmt: skip
_DELIMITERS = {"tsv": "\t", "psv": "|", "csv": ","}
_SQL = re.compile(
    r"\s*(?:--[^\n]*\n\s*|/\*.*?\*/;?\s*|\\\w+[^\n]*\n\s*)*"
    r"(?:(?:INSERT|REPLACE)\s+(?:\w+\s+){0,2}INTO\s|CREATE\s+(?:\w+\s+){0,3}TABLE\s|COPY\s[^;\n]*\sFROM\s+stdin|PRAGMA\s"
    r"|SET\s+[\w.@]+\s*(?:=|TO)|BEGIN\s*(?:TRANSACTION\s*)?;|START\s+TRANSACTION|DROP\s+TABLE\s|SELECT\s+pg_catalog|LOCK\s+TABLES)",
    re.IGNORECASE | re.DOTALL,
)
_FOREIGN = {
    b"\xd0\xcf\x11\xe0": ("an old or encrypted Excel file", "save it as XLSX without a password"),
    b"SQLite format 3\x00": ("a SQLite database", "name it as sqlite:///PATH, or export the table"),
    b"%PDF": ("a PDF", "give the table itself as CSV or XLSX"),
    b"BZh": ("a bzip2 archive", "unpack it first, or pack it with gzip or zstd"),
    b"\xfd7zXZ": ("an xz archive", "unpack it first, or pack it with gzip or zstd"),
    b"7z\xbc\xaf": ("a 7-Zip archive", "unpack it first"),
    b"Rar!": ("a RAR archive", "unpack it first"),
}


def open_table(path: Path, *, table: str | None = None) -> Table:
    """Open a table of any format; `table` chooses a table of a dump or a sheet of a workbook.

    Raises OutsideError where the file is missing, empty, damaged or no table, UsageError where a choice is needed.
    """
    head = _first_bytes(path)
    if head.startswith(b"PAR1"):
        from canary.files.parquetfile import open_parquet

        return open_parquet(path)
    if head.startswith(b"PK\x03\x04"):
        from canary.files.xlsxfile import open_xlsx

        return open_xlsx(path, table)
    for magic, (what, hint) in _FOREIGN.items():
        if head.startswith(magic):
            raise OutsideError(f"{path} is {what}, not a table", hint)
    return _open_text(path, compression_of(head), table)


def tables_of(path: Path) -> Iterator[Table]:
    """Open every table of a file: the sheets of a workbook, the tables of a dump.

    Those of several that cannot be read are left out. Raises OutsideError where the file itself is no table.
    """
    if _first_bytes(path).startswith(b"PK\x03\x04"):
        from canary.files.xlsxbook import sheet_names

        names = sheet_names(path)
    else:
        try:
            yield open_table(path)
            return
        except SeveralTables as several:
            names = several.names
    for name in names:
        with suppress(CanaryError):
            yield open_table(path, table=name)


def _first_bytes(path: Path) -> bytes:
    with reading(path):
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise OutsideError(f"{path} is no regular file", "give a file, or - for standard input")
        with path.open("rb") as file:
            head = file.read(16)
    if not head:
        raise OutsideError(f"{path} is empty", "give a table with a line of headings")
    return head


def _open_text(path: Path, compression: str | None, table: str | None) -> Table:
    sample, whole, telling, end = _samples(path, compression)
    encoding = detect(sample, whole, path)
    if telling is not None and encoding.name == "utf-8" and not encoding.bom:
        encoding = Encoding(detect(telling, end, path).name)
    text = sample[len(encoding.bom) :].decode(encoding.name, "ignore")
    if not whole and "\n" in text:
        text = text[: text.rindex("\n") + 1]
    if not text.strip():
        raise OutsideError(f"{path} is empty", "give a table with a line of headings")
    return _open_as(_kind(path, text), path, compression, encoding, text, table)


def _open_as(
    kind: str, path: Path, compression: str | None, encoding: Encoding, text: str, table: str | None
) -> Table:
    if kind == "json":
        from canary.files.jsonarray import open_json_array

        return open_json_array(path, compression, encoding)
    if kind == "jsonl":
        from canary.files.jsonlines import open_json_lines

        return open_json_lines(path, compression, encoding)
    if kind == "sql":
        from canary.files.sqldump import open_sql

        return open_sql(path, compression, encoding, text, table)
    from canary.files.csvfile import open_csv

    return open_csv(path, compression, encoding, text, _DELIMITERS.get(kind))


def _samples(path: Path, compression: str | None) -> tuple[bytes, bool, bytes | None, bool]:
    """Read the beginning and, where that is plain ASCII, the first stretch that is not (each: is it the end?)."""
    with opened(path, compression) as stream, reading(path):
        sample = read_full(stream, _SAMPLE)
        ahead = read_full(stream, _STEP)
        whole = not ahead
        if not sample.isascii() or b"\0" in sample:
            return sample, whole, None, False
        while ahead:
            following = read_full(stream, _STEP)
            if not ahead.isascii():
                return sample, whole, _from_line(ahead), not following
            ahead = following
        return sample, whole, None, False


def _from_line(data: bytes) -> bytes:
    """Begin at a line, since the stretch may begin within a character."""
    return data[data.find(b"\n") + 1 :] if b"\n" in data else data


def _kind(path: Path, text: str) -> str:
    """Tell the format of a text by its content, else by its name's ending."""
    ending = _ending(path)
    start = text.lstrip()
    if re.match(r"\[\s*(?:\{|\]\s*$)", start):
        return "json"
    if start.startswith("{") and _is_object(start.split("\n", 1)[0]):
        return "jsonl"
    if _SQL.match(text):
        return "sql"
    if ending in ("json", "jsonl"):
        return _json_or_not(path, start, ending)
    return ending or "csv"


def _json_or_not(path: Path, start: str, ending: str) -> str:
    if start[0] == "[":
        return "json"
    if start[0] == "{":
        raise OutsideError(
            f"{path} is one JSON object over several lines", "give an array of objects, or one object a line"
        )
    return "csv" if re.match(r"[^\n]+[,;\t|]", start) else ending


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _ending(path: Path) -> str | None:
    endings = [ending.lstrip(".").lower() for ending in path.suffixes]
    while endings and endings[-1] in ("gz", "zst", "zstd", "gzip"):
        endings.pop()
    return _TEXT_ENDINGS.get(endings[-1]) if endings else None
