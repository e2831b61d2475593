"""Parquet: schema, metadata, compression and row groups stay; canary rows take their columns' types."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from canary.errors import OutsideError
from canary.files.arrowtable import last_cells, with_rows, without_rows
from canary.files.blocks import Cursor
from canary.files.compress import Shield, Writer
from canary.files.edits import ArrowEditor
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
from canary.files.values import batch_of_text, native_of

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_ROWS = 1 << 16


@dataclass
class ParquetTable(Table):
    """A Parquet file."""

    def _file(self) -> pq.ParquetFile:
        import pyarrow.parquet as pq

        with reading_errors(self.path):
            return pq.ParquetFile(self.path, memory_map=False, pre_buffer=False)

    def _read(self, columns: Sequence[str], reading: Reading) -> Iterator[RowBatch]:
        import pyarrow as pa

        with self._file() as file:
            names = file.schema_arrow.names
            wanted = [names[self.headings.index(column)] for column in columns]
            apart = len(set(names)) == len(names)
            batches = file.iter_batches(_ROWS, columns=wanted if apart else None, use_threads=False)
            while (batch := self._next(batches)) is not None:
                start, reading.rows = reading.rows, reading.rows + batch.num_rows
                have = (
                    [self.headings[names.index(name)] for name in batch.schema.names]
                    if apart
                    else self.headings
                )
                if isinstance(batch, pa.RecordBatch) and batch.num_rows:
                    yield RowBatch(start, batch_of_text(batch, columns, list(have)))
            reading.last = self._last(file)

    def _next(self, batches: Iterator[pa.RecordBatch]) -> pa.RecordBatch | None:
        with reading_errors(self.path):
            return next(batches, None)

    def _last(self, file: pq.ParquetFile) -> list[str | None] | None:
        full = [n for n in range(file.num_row_groups) if file.metadata.row_group(n).num_rows]
        if not full:
            return None
        with reading_errors(self.path):
            return last_cells(file.read_row_group(full[-1], use_threads=False), self.headings)

    def rewrite(self, sinks: Sequence[Sink], marking: Marking | None = None) -> RewriteReport:
        """Write every row group again, each sink with its canary rows."""
        check_sinks(sinks)
        editor = None if marking is None else ArrowEditor(marking, self.rows_to_edit(), self.headings)
        gone = [0] * len(sinks)
        reading, last = Reading(), None
        cursors = [Cursor(sink.insertions) for sink in sinks]
        with self._file() as file, ExitStack() as stack:
            writers = [stack.enter_context(_writer(file, sink.file)) for sink in sinks]
            for number in range(file.num_row_groups):
                with reading_errors(self.path):
                    group = file.read_row_group(number, use_threads=False)
                end = reading.rows + group.num_rows
                edits = None if editor is None else editor.copies(group, reading.rows)
                for at, (writer, cursor) in enumerate(zip(writers, cursors, strict=True)):
                    due, table = list(cursor.due(end)), group
                    if editor is None or edits is None:
                        table = with_rows(group, due, self.headings, reading.rows)
                    else:
                        mine = edits[at]  # made, and counted, each time it is asked for
                        table = with_rows(editor.changed(group, mine), due, self.headings, reading.rows)
                        table, left = editor.kept(table, mine, due, reading.rows)
                        gone[at] += left
                    writer.write_table(table, row_group_size=max(table.num_rows, 1))
                reading.rows, last = end, group if group.num_rows else last
            if not file.num_row_groups:
                self._write_empty(file, writers, cursors)
        reading.last = None if last is None else last_cells(last, self.headings)
        return self.report(reading, sinks, gone)

    def without(self, file: Writer, numbers: Sequence[int]) -> RewriteReport:
        """Write every row group again without some rows."""
        reading, last, left = Reading(), None, Numbers(numbers)
        with self._file() as source, _writer(source, file) as writer:
            for number in range(source.num_row_groups):
                with reading_errors(self.path):
                    group = source.read_row_group(number, use_threads=False)
                table = without_rows(group, left.within(reading.rows, group.num_rows))
                if table.num_rows or not group.num_rows:
                    writer.write_table(table, row_group_size=max(table.num_rows, 1))
                reading.rows, last = reading.rows + group.num_rows, group if group.num_rows else last
        reading.last = None if last is None else last_cells(last, self.headings)
        return self.report_without(reading, numbers)

    def _write_empty(self, file: pq.ParquetFile, writers: Sequence[Any], cursors: Sequence[Cursor]) -> None:
        """Write a table that has no row groups."""
        empty = file.schema_arrow.empty_table()
        for writer, cursor in zip(writers, cursors, strict=True):
            due = list(cursor.due(0))
            if due:
                writer.write_table(with_rows(empty, due, self.headings))


def _writer(file: pq.ParquetFile, out: Writer) -> Any:
    import pyarrow.parquet as pq

    return pq.ParquetWriter(Shield(out), file.schema_arrow, **_options(file))


def _options(file: pq.ParquetFile) -> dict[str, object]:
    """Give the writer's options under which a file looks as this one does."""
    metadata = file.metadata
    stored = b"ARROW:schema" in (metadata.metadata or {})
    version = "1.0" if metadata.format_version == "1.0" else "2.6"
    options: dict[str, object] = {"store_schema": stored, "version": version}
    if not metadata.num_row_groups:
        return options
    group = metadata.row_group(0)
    chunks = [group.column(number) for number in range(group.num_columns)]
    options["compression"] = {chunk.path_in_schema: _codec(chunk.compression) for chunk in chunks}
    options["use_dictionary"] = [chunk.path_in_schema for chunk in chunks if _has_dictionary(chunk.encodings)]
    options["write_statistics"] = any(chunk.is_stats_set for chunk in chunks)
    options["write_page_index"] = any(chunk.has_column_index for chunk in chunks)
    options["use_deprecated_int96_timestamps"] = any(chunk.physical_type == "INT96" for chunk in chunks)
    return options


def _codec(name: str) -> str:
    return {"UNCOMPRESSED": "NONE", "LZ4_RAW": "LZ4"}.get(name, name)


def _has_dictionary(encodings: Sequence[str]) -> bool:
    return any("DICTIONARY" in encoding for encoding in encodings)


def open_parquet(path: Path) -> ParquetTable:
    """Open a Parquet file; raises OutsideError where it is damaged or encrypted."""
    import pyarrow.parquet as pq

    with reading_errors(path), pq.ParquetFile(path) as file:
        schema = file.schema_arrow
    if not len(schema):
        raise OutsideError(f"{path} has no columns", "give a table with columns")
    names = unique_headings(schema.names)
    native = {name: native_of(kind) for name, kind in zip(names, schema.types, strict=True)}
    return ParquetTable(path, TableFormat("parquet"), names, native)
