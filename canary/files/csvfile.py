"""CSV and TSV: real records copied to the byte, canary rows written as their neighbours are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from canary.errors import OutsideError
from canary.files.blocks import Block, Cursor, blocks, splice
from canary.files.compress import Writer, compressing, opened, read_full
from canary.files.dialect import Dialect, read_rows, sniff, with_habits
from canary.files.encoding import Encoding
from canary.files.outside import bad_text
from canary.files.outside import reading as reading_errors
from canary.files.records import CsvSplitter
from canary.files.table import (
    Insertion,
    Reading,
    RewriteReport,
    RowBatch,
    Sink,
    Table,
    TableFormat,
    check_sinks,
    unique_headings,
)

if TYPE_CHECKING:
    import pyarrow as pa

_PARSED = 1 << 20  # what pyarrow parses at a time; larger blocks leave the processor's cache
_SEP_LINE = re.compile("sep=([^\r\n])\r?\n")  # Excel writes such a line before the headings


@dataclass
class CsvTable(Table):
    """A CSV or TSV file; `prefix` is everything up to the end of the heading line."""

    encoding: Encoding = field(default_factory=Encoding)
    dialect: Dialect = field(default_factory=Dialect)
    prefix: bytes = b""

    def _blocks(self) -> Iterator[Block[bool]]:
        with opened(self.path, self.format.compression) as stream:
            read_full(stream, len(self.prefix))
            yield from blocks(stream, CsvSplitter(self.encoding, self.dialect), self.path)

    def _read(self, columns: Sequence[str], reading: Reading) -> Iterator[RowBatch]:
        last: Block[bool] | None = None
        for block in self._blocks():
            if not block.rows:
                continue
            last, reading.rows = block, block.first + block.rows
            yield from self._parse_fast(block, columns) or self._parse_exact(block, columns, reading)
        if last is not None:
            self._end(last, reading)

    def _end(self, block: Block[bool], reading: Reading) -> None:
        """Note the cells of the last record."""
        cells = next(read_rows([self._text(block.record(block.rows - 1))], self.dialect))
        reading.rows = block.first + block.rows
        reading.last, reading.last_ragged = cells, len(cells) != len(self.headings)

    def _text(self, data: bytes) -> str:
        try:
            return self.encoding.decode(data)
        except UnicodeError as error:
            raise bad_text(self.path, error) from None

    def _parse_fast(self, block: Block[bool], columns: Sequence[str]) -> list[RowBatch]:
        """Let pyarrow read a block; nothing where it sees other rows than the splitter does."""
        import pyarrow as pa
        from pyarrow import csv

        if not block.extra:
            return []
        data = block.data if self.encoding.name == "utf-8" else self._text(bytes(block.data)).encode()
        parse = csv.ParseOptions(
            delimiter=self.dialect.delimiter, quote_char=self.dialect.quote or False, newlines_in_values=True
        )
        read = csv.ReadOptions(use_threads=False, block_size=_PARSED, column_names=list(self.headings))
        convert = csv.ConvertOptions(
            column_types=dict.fromkeys(self.headings, pa.string()),
            strings_can_be_null=False,
            include_columns=list(columns),
        )
        try:
            table = csv.read_csv(pa.py_buffer(data), read, parse, convert)
        except pa.ArrowInvalid:
            return []
        if table.num_rows != block.rows:
            return []
        return list(_numbered(table.to_batches(), block.first))

    def _parse_exact(self, block: Block[bool], columns: Sequence[str], reading: Reading) -> list[RowBatch]:
        """Read a block record by record and leave the ragged ones out."""
        import numpy as np
        import pyarrow as pa

        texts = [self._text(block.record(place)) for place in range(block.rows)]
        rows = list(read_rows(texts, self.dialect))
        good = [place for place, row in enumerate(rows) if len(row) == len(self.headings)]
        for place, row in enumerate(rows):
            if len(row) != len(self.headings):
                reading.skip(block.first + place)
        numbers = [self.headings.index(column) for column in columns]
        arrays = [pa.array([rows[place][number] for place in good], pa.string()) for number in numbers]
        batch = pa.RecordBatch.from_arrays(arrays, list(columns))
        if len(good) == len(rows):
            return [RowBatch(block.first, batch)]
        index = np.array(good, np.int64) + block.first
        return [RowBatch(int(index[0]), batch, index)] if good else []

    def rewrite(self, sinks: Sequence[Sink]) -> RewriteReport:
        """Copy the file into every sink, with the canary rows at their places."""
        check_sinks(sinks)
        reading = Reading()
        cursors = [Cursor(sink.insertions) for sink in sinks]
        bare = not self._ends_line(self.prefix)
        last: Block[bool] | None = None
        with ExitStack() as stack:
            files = [stack.enter_context(compressing(sink.file, self.format.compression)) for sink in sinks]
            _write_all(files, self.prefix)
            for block in self._blocks():
                last = block if block.rows else last
                for file, cursor in zip(files, cursors, strict=True):
                    file.write(splice(block, cursor, partial(self._render, block, bare)))
        if last is not None:
            self._end(last, reading)
        return self.report(reading, sinks)

    def _render(self, block: Block[bool], bare: bool, insertion: Insertion, place: int) -> tuple[int, bytes]:
        """Write a canary's line and say where it goes; behind a line without an end, the end comes first."""
        offset = int(block.ends[place]) if place >= 0 else 0
        cells = [insertion.row.get(heading) for heading in self.headings]
        line = self.encoding.encode(self.dialect.row(cells))
        eol = self.encoding.encode(self.dialect.eol)
        ended = self._ends_line(bytes(block.data[max(0, offset - 2) : offset])) if offset else not bare
        return offset, line + eol if ended else eol + line

    def _ends_line(self, data: bytes) -> bool:
        return self.encoding.shape(data[-self.encoding.unit :], trails=False) in (b"\n", b"\r")


def _numbered(batches: list[pa.RecordBatch], first: int) -> Iterator[RowBatch]:
    for batch in batches:
        if batch.num_rows:
            yield RowBatch(first, batch)
        first += batch.num_rows


def _write_all(files: Sequence[Writer], data: bytes) -> None:
    for file in files:
        file.write(data)


def open_csv(
    path: Path, compression: str | None, encoding: Encoding, sample: str, hint: str | None
) -> CsvTable:
    """Open a CSV file: tell its dialect from the sample, read its headings.

    `hint` is the delimiter that the name promises. Raises OutsideError where no heading line is found.
    """
    lead = _SEP_LINE.match(sample)
    dialect = sniff(sample[lead.end() if lead else 0 :], lead[1] if lead else hint)
    skipped = len(encoding.bom) + len(encoding.encode(lead[0] if lead else ""))
    first = _first_block(path, compression, skipped, CsvSplitter(encoding, dialect))
    records = [encoding.decode(first.record(place)) for place in range(min(first.rows, 1000))]
    headings = next(read_rows(records, dialect))
    names = unique_headings(headings)
    dialect = with_habits(replace(dialect, eol=_line_end(records[0])), records[1:], len(names))
    data_at = skipped + int(first.ends[0])
    with opened(path, compression) as stream, reading_errors(path):
        prefix = read_full(stream, data_at)
    format = TableFormat("tsv" if dialect.delimiter == "\t" else "csv", compression)
    native = dict.fromkeys(names, "text")
    return CsvTable(path, format, names, native, encoding=encoding, dialect=dialect, prefix=prefix)


def _first_block(path: Path, compression: str | None, skipped: int, split: CsvSplitter) -> Block[bool]:
    with opened(path, compression) as stream:
        read_full(stream, skipped)
        for block in blocks(stream, split, path):
            if block.rows:
                return block
    raise OutsideError(f"{path} is empty", "give a table with a line of headings")


def _line_end(record: str) -> str:
    found = re.search("(?:\r\n|\n|\r)$", record)
    return found[0] if found else "\n"
