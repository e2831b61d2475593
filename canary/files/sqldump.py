"""SQL dumps: canary rows join the statements of their table, all other text stays."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import repeat
from pathlib import Path

from canary.errors import OutsideError, UsageError
from canary.files.blocks import Block, Cursor, blocks, splice
from canary.files.compress import Writer, compressing, opened, read_full
from canary.files.edits import Changes, RecordEditor
from canary.files.encoding import Encoding
from canary.files.omit import LineOmitter, TupleOmitter
from canary.files.outside import bad_text
from canary.files.sqlgrammar import cells_of, grammar, simple_values
from canary.files.sqlscan import Facts, Row, SqlScanner, Statement
from canary.files.sqltext import (
    Habit,
    changed_line,
    changed_tuple,
    copy_cells,
    copy_line,
    habit_of,
    literal_of,
    native_of_literals,
    value_of,
)
from canary.files.table import (
    Insertion,
    Marking,
    Reading,
    RewriteReport,
    RowBatch,
    SeveralTables,
    Sink,
    Table,
    TableFormat,
    check_sinks,
    unique_headings,
)

_BATCH_ROWS = 1 << 14


@dataclass
class SqlTable(Table):
    """One table of a SQL dump; `name` as the dump has it, `backslash` whether it escapes within strings."""

    encoding: Encoding = field(default_factory=Encoding)
    name: str = ""
    backslash: bool = False
    facts: Facts = field(default_factory=Facts)
    columns: tuple[str, ...] = ()
    habits: Mapping[str, Habit] = field(default_factory=dict)
    blanks: tuple[str, ...] = ()

    def _scanner(self) -> SqlScanner:
        rules = grammar(self.backslash)
        return SqlScanner(self.path, self.encoding, rules, target=self.name, single=self.facts.single)

    def _blocks(self, scanner: SqlScanner | None = None) -> Iterator[Block[list[Row]]]:
        with opened(self.path, self.format.compression) as stream:
            read_full(stream, len(self.encoding.bom))
            yield from blocks(stream, scanner or self._scanner(), self.path)

    def _text(self, data: bytes) -> str:
        try:
            return self.encoding.decode(data)
        except UnicodeError as error:
            raise bad_text(self.path, error) from None

    def cells(self, statement: Statement, data: bytes) -> list[str | None] | None:
        """Give a row's cells in the order of the headings; None where they do not fit the columns."""
        text = self._text(data)
        if statement.copy:
            values = copy_cells(text)
        else:
            values = simple_values(text) or [
                value_of(literal, self.backslash) for literal in cells_of(text, grammar(self.backslash).cell)
            ]
        listed = statement.columns
        if len(values) != len(listed or self.columns):
            return None
        if listed is None or listed == self.columns:
            return values
        by_name = dict(zip(listed, values, strict=True))
        return [by_name.get(column) for column in self.columns]

    def _read(self, columns: Sequence[str], reading: Reading) -> Iterator[RowBatch]:
        for block in self._blocks():
            for start in range(0, block.rows, _BATCH_ROWS):
                places = range(start, min(start + _BATCH_ROWS, block.rows))
                yield from self._batch(block, places, columns, reading)

    def _batch(
        self, block: Block[list[Row]], places: range, columns: Sequence[str], reading: Reading
    ) -> Iterator[RowBatch]:
        import numpy as np
        import pyarrow as pa

        found = [block.extra[place] for place in places]
        rows = [self.cells(row.statement, bytes(block.data[row.start : row.end])) for row in found]
        good = [place for place, row in enumerate(rows) if row is not None]
        first = block.first + places.start
        for place, row in enumerate(rows):
            if row is None:
                reading.skip(first + place)
        reading.rows += len(rows)
        reading.last, reading.last_ragged = rows[-1] or (), rows[-1] is None
        kept = [row for row in rows if row is not None]
        numbers = [self.headings.index(column) for column in columns]
        arrays = [pa.array([row[number] for row in kept], pa.string()) for number in numbers]
        if good:
            index = np.array(good, np.int64) + first
            batch = pa.RecordBatch.from_arrays(arrays, list(columns))
            yield RowBatch(int(index[0]), batch, None if len(good) == len(rows) else index)

    def rewrite(self, sinks: Sequence[Sink], marking: Marking | None = None) -> RewriteReport:
        """Copy the dump into every sink, with the canary rows in the table's statements."""
        check_sinks(sinks)
        editor = None if marking is None else self._editor(marking)
        reading = Reading()
        cursors = [Cursor(sink.insertions) for sink in sinks]
        last: Block[list[Row]] | None = None
        with ExitStack() as stack:
            files = [stack.enter_context(compressing(sink.file, self.format.compression)) for sink in sinks]
            for file in files:
                file.write(self.encoding.bom)
            for block in self._blocks():
                last = block if block.rows else last
                made = repeat(block) if editor is None or not block.rows else editor.copies(block, len(sinks))
                for file, cursor, edited in zip(files, cursors, made, strict=False):
                    render = partial(self._render, edited)
                    if block.rows:
                        splice(file, edited, cursor, render)
                    else:
                        file.write(block.data)
        if last is not None:
            reading = self._ended(last)
        elif any(sink.insertions for sink in sinks):
            raise OutsideError(
                f"{self.path} has no row of table {self.name} that a canary could join",
                "dump the table with rows",
            )
        return self.report(reading, sinks)

    def _editor(self, marking: Marking) -> RecordEditor[list[Row]]:
        return RecordEditor(
            marking, self.rows_to_edit(), self.format, self._rows_of, self._changed, _with_rows
        )

    def _rows_of(self, block: Block[list[Row]], columns: Sequence[str]) -> list[RowBatch]:
        return list(self._batch(block, range(block.rows), columns, Reading()))

    def _changed(self, block: Block[list[Row]], place: int, changes: Changes) -> bytes:
        row = block.extra[place]
        before, behind = block.data[block.starts[place] : row.start], block.data[row.end : block.ends[place]]
        headings = self._headings_of(row.statement)
        by_place = {headings.index(heading): text for heading, text in changes.items()}
        text = self._text(bytes(block.data[row.start : row.end]))
        if row.statement.copy:
            made = changed_line(text, by_place)
        else:
            made = changed_tuple(text, by_place, grammar(self.backslash).cell, backslash=self.backslash)
        return bytes(before) + self.encoding.encode(made) + bytes(behind)

    def _ended(self, last: Block[list[Row]]) -> Reading:
        """Tell from the last block what a whole reading learns."""
        end = Reading()
        list(self._batch(last, range(last.rows - 1, last.rows), (), end))
        return Reading(last.first + last.rows, last=end.last, last_ragged=end.last_ragged)

    def without(self, file: Writer, numbers: Sequence[int]) -> RewriteReport:
        """Copy the dump without some rows; an INSERT that would hold none goes whole."""
        last: Block[list[Row]] | None = None
        scanner = self._scanner()
        with compressing(file, self.format.compression) as out:
            out.write(self.encoding.bom)
            lines = LineOmitter(out, numbers, self.encoding) if self.facts.single else None
            tuples = TupleOmitter(out, numbers, self.encoding, grammar(self.backslash))
            for block in self._blocks(scanner):
                last = block if block.rows else last
                if lines is not None:
                    lines.block(block)
                else:
                    tuples.block(block)
                    tuples.settle(scanner.opened)
            (lines or tuples).close()
        return self.report_without(Reading() if last is None else self._ended(last), numbers)

    def _render(self, block: Block[list[Row]], insertion: Insertion, place: int) -> tuple[int, bytes]:
        row = block.extra[max(place, 0)]
        offset = int(block.ends[place]) if place >= 0 else int(block.starts[0])
        if row.statement.copy:
            cells = [insertion.row.get(heading) for heading in self._headings_of(row.statement)]
            return offset, self.encoding.encode(copy_line(cells) + self._line_end(block))
        fresh = self.encoding.encode(self._tuple(row.statement, insertion.row))
        if self.facts.single:
            return offset, self._statement(block, max(place, 0), fresh, place >= 0)
        separator = self.facts.separator or self.encoding.encode(",")
        return offset, separator + fresh if place >= 0 else fresh + separator

    def _statement(self, block: Block[list[Row]], place: int, fresh: bytes, behind: bool) -> bytes:
        """Write a statement like that of record `place`."""
        row = block.extra[place]
        before = bytes(block.data[block.starts[place] : row.start])
        rest = bytes(block.data[row.end : block.ends[place]])
        ended = self.encoding.shape(rest).endswith(b"\n")
        if ended:
            return before + fresh + rest
        eol = self.encoding.encode("\n")
        return eol + before + fresh + rest if behind else before + fresh + rest + eol

    def _line_end(self, block: Block[list[Row]]) -> str:
        tail = self.encoding.shape(block.record(0)[-2 * self.encoding.unit :])
        return "\r\n" if tail.endswith(b"\r\n") else "\n"

    def _headings_of(self, statement: Statement) -> list[str]:
        listed = statement.columns or self.columns
        return [self.headings[self.columns.index(name)] if name in self.columns else name for name in listed]

    def _tuple(self, statement: Statement, row: Mapping[str, str | None]) -> str:
        headings = self._headings_of(statement)
        literals = [
            literal_of(row.get(heading), self.habits.get(heading, Habit()), self.backslash)
            for heading in headings
        ]
        lead = self.blanks if len(self.blanks) == len(literals) + 1 else ("",) * (len(literals) + 1)
        return (
            "(" + ",".join(blank + one for blank, one in zip(lead, literals, strict=False)) + lead[-1] + ")"
        )

    def learn(self) -> None:
        """Learn headings, types and habits from the table's first rows."""
        listed = next((statement.columns for statement, _ in self.facts.samples if statement.columns), None)
        pattern = grammar(self.backslash).cell
        samples = [
            cells_of(self._text(data), pattern)
            for one, data in self.facts.samples
            if not one.copy and one.columns in (None, listed)
        ]
        copied = [copy_cells(self._text(data)) for one, data in self.facts.samples if one.copy]
        width = max([0, *map(len, samples), *map(len, copied)])
        self.columns = listed or self.facts.columns or tuple(f"column_{n}" for n in range(1, width + 1))
        self.headings = unique_headings(self.columns)
        fitting = [row for row in samples if len(row) == len(self.columns)]
        by_heading = {heading: [row[n] for row in fitting] for n, heading in enumerate(self.headings)}
        self.native = {heading: native_of_literals(literals) for heading, literals in by_heading.items()}
        self.habits = {heading: habit_of(literals) for heading, literals in by_heading.items()}
        if fitting:
            leads = [literal[: len(literal) - len(literal.lstrip())] for literal in fitting[0]]
            self.blanks = (*leads, fitting[0][-1][len(fitting[0][-1].rstrip()) :])


def _with_rows(old: Block[list[Row]], made: Block[list[Row]]) -> Block[list[Row]]:
    """Say where the rows of an edited block stand."""
    rows = [
        replace(
            row,
            start=int(made.starts[place]) + row.start - int(old.starts[place]),
            end=int(made.ends[place]) + row.end - int(old.ends[place]),
        )
        for place, row in enumerate(old.extra)
    ]
    return replace(made, extra=rows)


def open_sql(
    path: Path, compression: str | None, encoding: Encoding, sample: str, table: str | None
) -> SqlTable:
    """Open a table of a SQL dump.

    Raises UsageError that lists the tables where `table` does not choose one, OutsideError where there is none.
    """
    backslash = has_backslashes(sample)
    scanner = SqlScanner(path, encoding, grammar(backslash))
    with opened(path, compression) as stream:
        read_full(stream, len(encoding.bom))
        for _ in blocks(stream, scanner, path):
            pass
    name = _choose(path, scanner.tables, table)
    result = SqlTable(
        path,
        TableFormat("sql", compression),
        encoding=encoding,
        name=name,
        backslash=backslash,
        facts=scanner.tables[name],
    )
    result.learn()
    return result


def has_backslashes(sample: str) -> bool:
    """Tell from the beginning of a dump whether backslashes escape within its strings, as MySQL has it."""
    if re.search(r"standard_conforming_strings\s*=\s*off", sample, re.IGNORECASE):
        return True
    if re.search(r"MySQL dump|MariaDB dump|ENGINE\s*=|phpMyAdmin|(?:INTO|TABLE|EXISTS)\s+`", sample):
        return True
    if re.search(r"PostgreSQL database dump|standard_conforming|FROM stdin|PRAGMA|BEGIN TRANSACTION", sample):
        return False
    return re.search(r"'(?:[^'\\]|'')*\\'[\w ]", sample) is not None


def _choose(path: Path, tables: Mapping[str, Facts], table: str | None) -> str:
    """Choose the table by its name (with or without its schema), or the only one that has rows."""
    if table is not None:
        hits = [name for name in tables if name == table] or [
            name for name in tables if name.rpartition(".")[2] == table
        ]
    else:
        hits = [name for name, facts in tables.items() if facts.rows] or list(tables)
    if len(hits) == 1:
        return hits[0]
    if not tables:
        raise OutsideError(f"{path} holds no table", "give a dump with INSERT or COPY statements")
    known = ", ".join(sorted(tables))
    if table is not None and not hits:
        raise UsageError(f"{path} has no table {table!r}", f"its tables: {known}")
    raise SeveralTables(path, tuple(sorted(tables)))
