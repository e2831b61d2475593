"""Tables in memory, for pipelines: an Arrow table or reader in, a table of the same schema out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from canary.errors import UsageError
from canary.files.compress import Writer
from canary.files.edits import ArrowEditor
from canary.files.omit import check_numbers
from canary.files.table import (
    Insertion,
    Marking,
    Reading,
    RewriteReport,
    RowBatch,
    Sink,
    Table,
    TableFormat,
    check_positions,
    check_sinks,
    unique_headings,
)
from canary.files.values import batch_of_text, native_of, table_of_rows

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS = 1 << 16


class ArrowTable(Table):
    """A pyarrow Table, or a RecordBatchReader that is read whole."""

    def __init__(self, data: pa.Table | pa.RecordBatchReader) -> None:
        import pyarrow as pa

        if isinstance(data, pa.RecordBatchReader):
            data = data.read_all()
        if not isinstance(data, pa.Table):
            raise UsageError(
                f"got a {type(data).__name__} for a table",
                "give a pyarrow.Table or a pyarrow.RecordBatchReader",
            )
        names = unique_headings(data.schema.names)
        native = {name: native_of(kind) for name, kind in zip(names, data.schema.types, strict=True)}
        super().__init__(Path("table"), TableFormat("arrow"), names, native)
        self.data: pa.Table = data

    def _read(self, columns: Sequence[str], reading: Reading) -> Iterator[RowBatch]:
        for batch in self.data.to_batches(max_chunksize=_ROWS):
            if batch.num_rows:
                start, reading.rows = reading.rows, reading.rows + batch.num_rows
                yield RowBatch(start, batch_of_text(batch, columns, self.headings))
        reading.last = last_cells(self.data, self.headings)

    def rewritten(self, insertions: Sequence[Insertion], marking: Marking | None = None) -> pa.Table:
        """Give a new table of the same schema with the canary rows at their places."""
        rows = self.data.num_rows - self.ends_in_footer(
            Reading(self.data.num_rows, last=last_cells(self.data, self.headings))
        )
        check_sinks([Sink(NOWHERE, insertions)])
        check_positions(insertions, rows)
        if marking is None:
            return with_rows(self.data, insertions, self.headings)
        return self._edited(insertions, ArrowEditor(marking, rows, self.headings), 0)[0]

    def _edited(
        self, insertions: Sequence[Insertion], editor: ArrowEditor, copy: int
    ) -> tuple[pa.Table, int]:
        edits = editor.copies(self.data, 0)
        if edits is None:
            return with_rows(self.data, insertions, self.headings), 0
        one = edits[copy]
        table = with_rows(editor.changed(self.data, one), insertions, self.headings)
        return editor.kept(table, one, insertions, 0)

    def rewrite(self, sinks: Sequence[Sink], marking: Marking | None = None) -> RewriteReport:
        """Write every sink as an Arrow IPC stream with the canary rows at their places."""
        import pyarrow as pa

        check_sinks(sinks)
        editor = None if marking is None else ArrowEditor(marking, self.rows_to_edit(), self.headings)
        gone = [0] * len(sinks)
        for at, sink in enumerate(sinks):
            if editor is None:
                table = self.rewritten(sink.insertions)
            else:
                table, gone[at] = self._edited(sink.insertions, editor, at)
            with pa.ipc.new_stream(sink.file, table.schema) as writer:
                writer.write_table(table)
        reading = Reading(self.data.num_rows, last=last_cells(self.data, self.headings))
        return self.report(reading, sinks, gone)

    def without(self, file: Writer, numbers: Sequence[int]) -> RewriteReport:
        """Write an Arrow IPC stream of all but some rows."""
        import pyarrow as pa

        check_numbers(numbers)
        table = without_rows(self.data, numbers)
        with pa.ipc.new_stream(file, table.schema) as writer:
            writer.write_table(table)
        reading = Reading(self.data.num_rows, last=last_cells(self.data, self.headings))
        return self.report_without(reading, numbers)


class _Nowhere:
    def write(self, data: bytes | memoryview, /) -> object:
        """Take nothing."""
        return len(data)

    def writelines(self, pieces: Iterable[bytes | memoryview], /) -> object:
        """Take nothing of many."""


NOWHERE = _Nowhere()


def last_cells(table: pa.Table, names: Sequence[str]) -> list[str | None] | None:
    """Give the last row's cells as text, None where there is no row."""
    if not table.num_rows:
        return None
    row = table.slice(table.num_rows - 1).combine_chunks().to_batches()[0]
    return [column.to_pylist()[0] for column in batch_of_text(row, names, names).columns]


def with_rows(
    table: pa.Table, insertions: Sequence[Insertion], names: Sequence[str], first: int = 0
) -> pa.Table:
    """Put rows into a table whose first row is number `first`; schema and metadata stay."""
    import pyarrow as pa

    if not insertions:
        return table
    fresh = table_of_rows([one.row for one in insertions], names, table.schema)
    pieces, done = [], 0
    for number, insertion in enumerate(insertions):
        place = insertion.position - first
        if place > done:
            pieces.append(table.slice(done, place - done))
            done = place
        pieces.append(fresh.slice(number, 1))
    pieces.append(table.slice(done))
    return pa.concat_tables(pieces).unify_dictionaries()


def without_rows(table: pa.Table, numbers: Sequence[int], first: int = 0) -> pa.Table:
    """Leave rows out of a table whose first row is number `first`; schema and metadata stay."""
    import pyarrow as pa

    if not numbers:
        return table
    pieces, done = [table.slice(0, 0)], 0
    for number in numbers:
        if number - first > done:
            pieces.append(table.slice(done, number - first - done))
        done = number - first + 1
    pieces.append(table.slice(done))
    return pa.concat_tables(pieces)
