"""XLSX: one sheet streams with its canary rows, every other member of the archive goes over byte for byte."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import repeat
from pathlib import Path
from typing import IO
from xml.sax.saxutils import escape

from canary.errors import OutsideError
from canary.files.blocks import Block, Cursor, blocks
from canary.files.compress import Reader, Writer
from canary.files.edits import Changes, RecordEditor
from canary.files.omit import Numbers
from canary.files.outside import reading as reading_errors
from canary.files.table import (
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
from canary.files.xlsxbook import Book, choose_sheet, opened_part, part, read_book, relations
from canary.files.xlsxcells import (
    Cell,
    CellWriter,
    commonest_style,
    native_of_cells,
    read_cells,
    row_number,
    shifted,
)
from canary.files.xlsxsheet import Moves, Rows, SheetSplitter, grown, has_value
from canary.files.xmlparts import find_bytes, tags
from canary.files.zipcopy import copy_member, is_large, like, new_archive

_BEGIN = re.compile(rb"<(?:\w+:)?sheetData\s*(/?)>")
_HEAD_LIMIT = 1 << 24
_STEP = 1 << 16
_HEADING_ROWS = 20
_BATCH_ROWS = 1 << 13


@dataclass
class XlsxTable(Table):
    """One sheet of a workbook; `member` is its part, `columns` the column number of each heading."""

    member: str = ""
    book: Book = field(default_factory=lambda: Book({}, ()))
    heading_row: int = 0
    columns: dict[str, int] = field(default_factory=dict)
    styles: dict[int, int] = field(default_factory=dict)

    def _blocks(self, stream: Reader) -> Iterator[Block[Rows]]:
        head = read_head(stream, self.path)
        yield from blocks(stream, SheetSplitter(self.heading_row, self.path), self.path, begun=head[1])

    def _cells(self, block: Block[Rows], place: int, names: Sequence[str]) -> list[str | None]:
        found = {cell.column: cell.text for cell in read_cells(block.record(place), self.book)}
        return [found.get(self.columns[name]) for name in names]

    def _read(self, columns: Sequence[str], reading: Reading) -> Iterator[RowBatch]:
        import pyarrow as pa

        with reading_errors(self.path):
            archive = zipfile.ZipFile(self.path)
        with archive, opened_part(archive, self.member) as stream:
            for block in self._blocks(stream):
                for start in range(0, block.rows, _BATCH_ROWS):
                    stop = min(start + _BATCH_ROWS, block.rows)
                    rows = [self._cells(block, place, columns) for place in range(start, stop)]
                    arrays = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
                    yield RowBatch(block.first + start, pa.RecordBatch.from_arrays(arrays, list(columns)))
                if block.rows:
                    reading.rows = block.first + block.rows
                    reading.last = self._cells(block, block.rows - 1, self.headings)

    def rewrite(self, sinks: Sequence[Sink], marking: Marking | None = None) -> RewriteReport:
        """Copy the workbook into every sink, the sheet with its canary rows.

        Raises OutsideError where formulas, merged cells or tables stand below a canary.
        """
        check_sinks(sinks)
        editor = None if marking is None else self._editor(marking)
        return self.report(self._rewrite(sinks, None, editor), sinks)

    def without(self, file: Writer, numbers: Sequence[int]) -> RewriteReport:
        """Copy the workbook, the sheet without some rows; those below move up.

        Raises OutsideError where formulas, merged cells or tables stand at or below a row that goes.
        """
        return self.report_without(self._rewrite([Sink(file)], numbers), numbers)

    def _editor(self, marking: Marking) -> RecordEditor[Rows]:
        return RecordEditor(
            marking, self.rows_to_edit(), self.format, self._rows_of, self._changed, _with_tail
        )

    def _rows_of(self, block: Block[Rows], columns: Sequence[str]) -> Iterator[RowBatch]:
        import pyarrow as pa

        if block.rows:
            rows = [self._cells(block, place, columns) for place in range(block.rows)]
            arrays = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
            yield RowBatch(block.first, pa.RecordBatch.from_arrays(arrays, list(columns)))

    def _changed(self, block: Block[Rows], place: int, changes: Changes) -> bytes:
        by_column = {self.columns[heading]: text for heading, text in changes.items()}
        writer = CellWriter(self.book, self.native, self.columns, {}, self.styles)
        return writer.changed(block.record(place), block.extra.numbers[place], by_column)

    def _rewrite(
        self, sinks: Sequence[Sink], gone: Sequence[int] | None, editor: RecordEditor[Rows] | None = None
    ) -> Reading:
        """Copy the archive into every sink, with its insertions or without the rows that are gone."""
        with reading_errors(self.path):
            source = zipfile.ZipFile(self.path)
        with source, ExitStack() as stack:
            targets = [stack.enter_context(new_archive(sink.file)) for sink in sinks]
            for member in source.infolist():
                if member.filename == self.member:
                    reading = self._rewrite_sheet(source, member, targets, sinks, gone, editor)
                else:
                    copy_member(source, member, targets, self.path)
        return reading

    def _rewrite_sheet(
        self,
        source: zipfile.ZipFile,
        member: zipfile.ZipInfo,
        targets: list[zipfile.ZipFile],
        sinks: Sequence[Sink],
        gone: Sequence[int] | None,
        editor: RecordEditor[Rows] | None,
    ) -> Reading:
        reading = Reading()
        with ExitStack() as stack:
            outs = [
                stack.enter_context(target.open(like(member), "w", force_zip64=is_large(member)))
                for target in targets
            ]
            stream = stack.enter_context(opened_part(source, member))
            head, rest = read_head(stream, self.path)
            copies = [
                _Copy(
                    out, Cursor(sink.insertions), Moves(self.path, step=1 if gone is None else -1), gone or ()
                )
                for out, sink in zip(outs, sinks, strict=True)
            ]
            for copy in copies:
                copy.out.write(grown(head, len(copy.cursor.insertions) - len(copy.gone)))
            writer = CellWriter(self.book, self.native, self.columns, self._known(), self.styles)
            splitter = SheetSplitter(self.heading_row, self.path)
            for block in blocks(stream, splitter, self.path, begun=rest):
                made = repeat(block) if editor is None else editor.copies(block, len(sinks))
                for copy, edited in zip(copies, made, strict=False):
                    self._write_block(edited, copy, writer)
                if block.rows:
                    reading.rows = block.first + block.rows
                    reading.last = self._cells(block, block.rows - 1, self.headings)
        self._check_parts(source, copies)
        return reading

    def _known(self) -> dict[str, int]:
        return {text: number for number, text in enumerate(self.book.strings)}

    def _write_block(self, block: Block[Rows], copy: _Copy, writer: CellWriter) -> None:
        done, stop = 0, block.extra.tail if block.extra.tail >= 0 else len(block.data)
        for place in copy.left.within(block.first, block.rows):
            copy.write_rows(bytes(block.data[done : block.starts[place]]))
            copy.moves.behind.append(block.extra.numbers[place])
            done = int(block.ends[place])
        placeable = block.rows or block.extra.heading
        for insertion in copy.cursor.due(block.first + block.rows) if placeable else ():
            place = insertion.position - block.first - 1
            offset, number = self._place(block, place)
            copy.write_rows(bytes(block.data[done:offset]))
            template = block.record(max(place, 0)) if block.rows else b""
            copy.out.write(writer.row(template, number + 1 + copy.moves.count, insertion.row))
            copy.moves.behind.append(number)
            done = offset
        copy.write_rows(bytes(block.data[done:stop]))
        copy.out.write(copy.moves.tail(bytes(block.data[stop:])))

    def _place(self, block: Block[Rows], place: int) -> tuple[int, int]:
        """Give the offset behind a record, and its row number; the heading row for -1."""
        if place >= 0:
            return int(block.ends[place]), block.extra.numbers[place]
        if block.extra.heading is None:
            raise OutsideError(f"{self.path} changed while it was read", "run the command again")
        return block.extra.heading

    def _check_parts(self, source: zipfile.ZipFile, copies: Sequence[_Copy]) -> None:
        """Refuse what other rows and parts pin to rows that move."""
        for copy in copies:
            copy.moves.check_above()
        if any(copy.moves.count for copy in copies):
            self._check_other_sheets(source)
        targets, kinds = relations(source, self.member, self.path)
        for key, target in targets.items():
            if kinds[key] in ("table", "comments"):
                tag = "table" if kinds[key] == "table" else "comment"
                ranges = [one["ref"] for one in tags(part(source, target, self.path), tag) if "ref" in one]
                for copy in copies:
                    copy.moves.check_ranges(ranges, "tables" if tag == "table" else "comments")

    def _check_other_sheets(self, source: zipfile.ZipFile) -> None:
        """Refuse formulas of other sheets that look at this one."""
        name = next(name for name, member in self.book.sheets.items() if member == self.member)
        quoted = re.escape(escape(name.replace("'", "''")).encode())
        looks = re.compile(rb"<(?:\w+:)?f\b[^>]*>[^<]*" + quoted + rb"'?!")
        for member in set(self.book.sheets.values()) - {self.member}:
            with reading_errors(self.path), opened_part(source, member) as stream:
                kept = b""
                while chunk := stream.read(_STEP * 16):
                    if looks.search(kept + chunk):
                        raise OutsideError(
                            f"{self.path} has formulas in another sheet that look at {name!r}",
                            "copy the sheet's values into a new workbook, or export it as CSV",
                        )
                    kept = chunk[-_STEP:]


def _with_tail(old: Block[Rows], made: Block[Rows]) -> Block[Rows]:
    """Say where the rows of an edited block end."""
    if old.extra.tail < 0:
        return made
    return replace(made, extra=replace(old.extra, tail=len(made.data) - len(old.data) + old.extra.tail))


@dataclass
class _Copy:
    """One copy of the sheet while it is written."""

    out: IO[bytes]
    cursor: Cursor
    moves: Moves
    gone: Sequence[int] = ()
    left: Numbers = field(init=False)

    def __post_init__(self) -> None:
        """Make ready to leave rows out."""
        self.left = Numbers(self.gone)

    def write_rows(self, xml: bytes) -> None:
        """Write rows at their new places."""
        self.moves.check_rows(xml)
        if (self.cursor.insertions or self.gone) and not self.moves.count:
            self.moves.look(xml)
        self.out.write(shifted(xml, self.moves.count))


def read_head(stream: Reader, path: Path) -> tuple[bytes, bytes]:
    """Read a sheet up to its first row: what stands before, and what was read of the rows already."""
    data = b""
    while chunk := _read_step(stream, path):
        data += chunk
        found = _BEGIN.search(data)
        if found and found[1]:
            raise OutsideError(f"{path}: the sheet is empty", "choose another sheet with --table")
        if found:
            return data[: found.end()], data[found.end() :]
        if len(data) > _HEAD_LIMIT:
            break
    raise OutsideError(f"{path} holds a damaged sheet", "save the workbook again")


def _read_step(stream: Reader, path: Path) -> bytes:
    with reading_errors(path):
        return stream.read(_STEP)


def open_xlsx(path: Path, table: str | None) -> XlsxTable:
    """Open a sheet by its name, else the first visible one.

    Raises OutsideError where the file is no workbook or the sheet is empty, UsageError for an unknown sheet.
    """
    with reading_errors(path), zipfile.ZipFile(path) as archive:
        book = read_book(archive, path)
        sheet = choose_sheet(book, table, path)
        member = book.sheets[sheet]
        if any(one.flag_bits & 1 for one in archive.infolist()):
            raise OutsideError(f"{path} is encrypted", "save it without a password")
        if member not in archive.namelist():
            raise OutsideError(f"{path} lacks its sheet {sheet}", "save the workbook again")
        with opened_part(archive, member) as stream:
            rows = list(_first_rows(stream, book, path))
    heading_row, cells = _heading(rows, path)
    span = range(min(cells), max(cells) + 1)
    names = unique_headings([cells.get(column, "") for column in span])
    columns = dict(zip(names, span, strict=True))
    below = [row for number, row in rows if number > heading_row]
    by_column = {column: [cell for row in below for cell in row if cell.column == column] for column in span}
    native = {name: native_of_cells(by_column[column]) for name, column in columns.items()}
    result = XlsxTable(
        path,
        TableFormat("xlsx"),
        names,
        native,
        member=member,
        book=book,
        heading_row=heading_row,
        columns=columns,
        styles={column: commonest_style(found) for column, found in by_column.items()},
    )
    if table is None and len(book.sheets) > 1:
        result._notes["sheets"] = f"only sheet {sheet!r} is looked at; --table chooses another"
    return result


def _first_rows(stream: Reader, book: Book, path: Path) -> Iterator[tuple[int, list[Cell]]]:
    """Give number and cells of the first filled rows, some hundred."""
    data = read_head(stream, path)[1] + stream.read(1 << 20)
    number = 0
    for count, row in enumerate(find_bytes(data, "row")):
        number = row_number(row.given, number)
        if has_value(row.inner):
            yield number, read_cells(row.inner, book)
        if count > 500:
            return


def _heading(rows: Sequence[tuple[int, list[Cell]]], path: Path) -> tuple[int, dict[int, str]]:
    """Find the heading row: the first one that is at least half as wide as the widest of the first rows."""
    filled = [
        (number, {cell.column: cell.text for cell in row if cell.text})
        for number, row in rows[:_HEADING_ROWS]
    ]
    widest = max((len(cells) for _, cells in filled), default=0)
    if not widest:
        raise OutsideError(f"{path}: the sheet is empty", "choose another sheet with --table")
    return next((number, cells) for number, cells in filled if len(cells) * 2 >= widest)
