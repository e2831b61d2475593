"""CSV and TSV: real records copied to the byte, canary rows written as their neighbours are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import repeat
from pathlib import Path

from canary.errors import OutsideError
from canary.files.blocks import Block, Cursor, Splitter, blocks, splice
from canary.files.compress import Digesting, Writer, compressing, opened, read_full
from canary.files.csvedit import CsvEditor
from canary.files.csvparse import CsvParser
from canary.files.dialect import Dialect, read_rows, sniff, with_habits
from canary.files.encoding import Encoding
from canary.files.omit import LineOmitter
from canary.files.outside import reading as reading_errors
from canary.files.records import CsvSplitter, Cuts, Found
from canary.files.table import (
    Insertion,
    Marking,
    Reading,
    RewriteReport,
    RowBatch,
    Sink,
    Table,
    TableFormat,
    check_sinks,
    unique_headings,
)
from canary.native import is_native

LARGE = 1 << 23  # bytes from which reading and copying are worth loading compiled code
NOTED = 1 << 27  # bytes of places of records, some 16 million, that are kept from one reading for the next
_HEAD = 1 << 16  # bytes in which headings and habits are looked for
_SEP_LINE = re.compile("sep=([^\r\n])\r?\n")  # Excel writes such a line before the headings


@dataclass
class CsvTable(Table):
    """A CSV or TSV file; `prefix` is everything up to the end of the heading line."""

    encoding: Encoding = field(default_factory=Encoding)
    dialect: Dialect = field(default_factory=Dialect)
    prefix: bytes = b""
    _cuts: Cuts | None = field(default=None, repr=False, compare=False)

    def _blocks(self, wanted: tuple[int, ...] | None = None) -> Iterator[Block[Found]]:
        with opened(self.path, self.format.compression) as stream:
            digesting = None
            if self._is_digested and self._digest is None and self.format.compression is None:
                stream = digesting = Digesting(stream)
            read_full(stream, len(self.prefix))
            compiled = wanted is not None and self.encoding.name == "utf-8"
            yield from blocks(stream, self._splitter(wanted), self.path, buffers=compiled)
            if digesting is not None:
                self._digest = digesting.digest.hexdigest()

    def _splitter(self, wanted: tuple[int, ...] | None) -> Splitter[Found]:
        """Give what finds records: where a reading of before did, and no cells are wanted, they are known."""
        split = CsvSplitter(self.encoding, self.dialect, wanted)
        if wanted is None:
            return split
        with reading_errors(self.path):
            stat = self.path.stat()
        state = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
        if not wanted and self._cuts is not None and self._cuts.whole and self._cuts.state == state:
            return self._cuts.again(self.path)
        self._cuts = Cuts(state, NOTED)
        return self._cuts.noting(split)

    def _read(self, columns: Sequence[str], reading: Reading) -> Iterator[RowBatch]:
        parser = CsvParser(self.path, self.headings, self.encoding, self.dialect)
        if self.encoding.name == "utf-8" and self._is_large() and is_native():
            yield from self._read_cells(columns, parser, reading)
            return
        with opened(self.path, self.format.compression) as stream:
            read_full(stream, len(self.prefix))
            for batch in parser.stream(stream, reading):
                yield RowBatch(batch.start, batch.rows.select(columns))
        done = reading.rows
        if not parser.refused:
            return
        for block in self._blocks():
            if block.rows and block.first + block.rows > done:
                for batch in parser.block(block, done, reading):
                    yield RowBatch(batch.start, batch.rows.select(columns), batch.index)

    def _read_cells(self, columns: Sequence[str], parser: CsvParser, reading: Reading) -> Iterator[RowBatch]:
        """Read as pyarrow would, in a compiled loop that leaves the cells nobody asks for where they are."""
        wanted = sorted(map(self.headings.index, columns))
        places = {name: wanted.index(self.headings.index(name)) for name in columns}
        last: Block[Found] | None = None
        for block in self._blocks(
            tuple(wanted) or (0,)
        ):  # the cells of a row are counted where some are wanted
            if block.rows:
                last = block
                yield from parser.cells(block, places, reading)
        if last is not None:
            parser.end(last, reading)

    def rewrite(self, sinks: Sequence[Sink], marking: Marking | None = None) -> RewriteReport:
        """Copy the file into every sink, with the canary rows at their places and the real ones edited."""
        check_sinks(sinks)
        reading = Reading()
        cursors = [Cursor(sink.insertions) for sink in sinks]
        bare = not self._ends_line(self.prefix)
        last: Block[Found] | None = None
        gone = [0] * len(sinks)
        editor = None if marking is None else CsvEditor(self, marking, self.rows_to_edit())
        with ExitStack() as stack:
            files = [stack.enter_context(compressing(sink.file, self.format.compression)) for sink in sinks]
            _write_all(files, self.prefix)
            for block in self._blocks(self._wanted(editor)):
                last = block if block.rows else last
                edited = repeat((block, 0)) if editor is None else editor.copies(block, len(sinks))
                for at, (file, cursor, (made, left)) in enumerate(zip(files, cursors, edited, strict=False)):
                    splice(file, made, cursor, partial(self._render, made, bare))
                    gone[at] += left
        if last is not None:
            CsvParser(self.path, self.headings, self.encoding, self.dialect).end(last, reading)
        return self.report(reading, sinks, gone)

    def without(self, file: Writer, numbers: Sequence[int]) -> RewriteReport:
        """Copy the file without some rows."""
        reading, last = Reading(), None
        with compressing(file, self.format.compression) as out:
            lines = LineOmitter(out, numbers, self.encoding)
            lines.text(self.prefix)
            for block in self._blocks():
                last = block if block.rows else last
                lines.block(block)
            lines.close()
        if last is not None:
            CsvParser(self.path, self.headings, self.encoding, self.dialect).end(last, reading)
        return self.report_without(reading, numbers)

    def _render(self, block: Block[Found], bare: bool, insertion: Insertion, place: int) -> tuple[int, bytes]:
        """Write a canary's line and say where it goes; behind a line without an end, the end comes first."""
        offset = int(block.ends[place]) if place >= 0 else 0
        cells = [insertion.row.get(heading) for heading in self.headings]
        line = self.encoding.encode(self.dialect.row(cells))
        eol = self.encoding.encode(self.dialect.eol)
        ended = self._ends_line(bytes(block.data[max(0, offset - 2) : offset])) if offset else not bare
        return offset, line + eol if ended else eol + line

    def _wanted(self, editor: CsvEditor | None) -> tuple[int, ...] | None:
        """Give the columns whose cells are to be found in a compiled loop, None where that is not worth its start."""
        if editor is not None:
            return editor.wanted
        return () if self._is_large() else None

    def _is_large(self) -> bool:
        with reading_errors(self.path):
            return self.path.stat().st_size >= LARGE

    def _ends_line(self, data: bytes) -> bool:
        return self.encoding.shape(data[-self.encoding.unit :], trails=False) in (b"\n", b"\r")


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
    head: list[Sequence[str | None]] = [
        row for row in read_rows(records[1:], dialect) if len(row) == len(names)
    ]
    return CsvTable(
        path, format, names, native, _head=head or None, encoding=encoding, dialect=dialect, prefix=prefix
    )


def _first_block(path: Path, compression: str | None, skipped: int, split: CsvSplitter) -> Block[Found]:
    with opened(path, compression) as stream:
        read_full(stream, skipped)
        for block in blocks(stream, split, path, _HEAD):
            if block.rows:
                return block
    raise OutsideError(f"{path} is empty", "give a table with a line of headings")


def _line_end(record: str) -> str:
    found = re.search("(?:\r\n|\n|\r)$", record)
    return found[0] if found else "\n"
