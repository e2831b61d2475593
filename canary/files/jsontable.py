"""What JSON Lines and JSON arrays have in common: objects as rows, canary objects spliced between them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from itertools import repeat

from canary.errors import OutsideError
from canary.files.blocks import Block, Cursor, splice
from canary.files.compress import Writer, compressing
from canary.files.edits import Changes, RecordEditor
from canary.files.encoding import Encoding
from canary.files.jsonedit import with_values
from canary.files.jsonstyle import JsonStyle, native_of_values, parse_object, style_of, text_of
from canary.files.omit import ChainOmitter, LineOmitter
from canary.files.outside import bad_text
from canary.files.table import (
    Insertion,
    Marking,
    Reading,
    RewriteReport,
    RowBatch,
    Sink,
    Table,
    check_sinks,
)

SAMPLE_ROWS = 1000
_BATCH_ROWS = 1 << 14


@dataclass
class JsonTable(Table):
    """A table whose rows are JSON objects; `prefix` is what stands before the first byte of the blocks."""

    encoding: Encoding = field(default_factory=Encoding)
    style: JsonStyle = field(default_factory=JsonStyle)
    prefix: bytes = b""

    @abstractmethod
    def _blocks(self) -> Iterator[Block[None]]:
        """Cut everything behind the prefix into blocks."""

    @abstractmethod
    def _render(self, block: Block[None], insertion: Insertion, place: int) -> tuple[int, bytes]:
        """Write a canary's object with its separator and say where it goes."""

    def _object(self, insertion: Insertion) -> bytes:
        return self.encoding.encode(self.style.object(insertion.row, self.native))

    def _text(self, data: bytes) -> str:
        try:
            return self.encoding.decode(data)
        except UnicodeError as error:
            raise bad_text(self.path, error) from None

    def _read(self, columns: Sequence[str], reading: Reading) -> Iterator[RowBatch]:
        for block in self._blocks():
            for start in range(0, block.rows, _BATCH_ROWS):
                places = range(start, min(start + _BATCH_ROWS, block.rows))
                yield from self._batch(block, places, columns, reading)

    def _batch(
        self, block: Block[None], places: range, columns: Sequence[str], reading: Reading
    ) -> list[RowBatch]:
        """Read some records of a block; whatever is no object counts as ragged."""
        import numpy as np
        import pyarrow as pa

        rows = [parse_object(self._text(block.record(place))) for place in places]
        good = [place for place, row in enumerate(rows) if row is not None]
        for place, row in enumerate(rows):
            if row is None:
                reading.skip(block.first + places.start + place)
        reading.rows += len(rows)
        reading.last_ragged = rows[-1] is None
        reading.last = [text_of((rows[-1] or {}).get(heading)) for heading in self.headings]
        kept = [row for row in rows if row is not None]
        self._note_strange_keys(kept)
        arrays = [pa.array([text_of(row.get(column)) for row in kept], pa.string()) for column in columns]
        index = np.array(good, np.int64) + block.first + places.start
        if not good:
            return []
        batch = pa.RecordBatch.from_arrays(arrays, list(columns))
        return [RowBatch(int(index[0]), batch, None if len(good) == len(rows) else index)]

    def _note_strange_keys(self, rows: Sequence[dict[str, object]]) -> None:
        known = frozenset(self.headings)
        strange = next((row for row in rows if not known.issuperset(row)), None)
        if strange is not None:
            key = next(key for key in strange if key not in known)
            self._notes["keys"] = (
                f"key {key!r} is not among those of the first {SAMPLE_ROWS} rows; it stays, but is not looked at"
            )

    def rewrite(self, sinks: Sequence[Sink], marking: Marking | None = None) -> RewriteReport:
        """Copy the file into every sink, with the canary objects at their places."""
        check_sinks(sinks)
        editor = None if marking is None else self._editor(marking)
        reading = Reading()
        cursors = [Cursor(sink.insertions) for sink in sinks]
        last: Block[None] | None = None
        with ExitStack() as stack:
            files = [stack.enter_context(compressing(sink.file, self.format.compression)) for sink in sinks]
            for file in files:
                file.write(self.prefix)
            for block in self._blocks():
                last = block if block.rows else last
                made = repeat(block) if editor is None else editor.copies(block, len(sinks))
                for file, cursor, edited in zip(files, cursors, made, strict=False):
                    splice(file, edited, cursor, partial(self._render, edited))
        if last is not None:
            reading = self._end(last)
        return self.report(reading, sinks)

    def _editor(self, marking: Marking) -> RecordEditor[None]:
        return RecordEditor(marking, self.rows_to_edit(), self.format, self._rows_of, self._changed)

    def _rows_of(self, block: Block[None], columns: Sequence[str]) -> list[RowBatch]:
        return self._batch(block, range(block.rows), columns, Reading()) if block.rows else []

    def _changed(self, block: Block[None], place: int, changes: Changes) -> bytes:
        text = with_values(self._text(block.record(place)), changes, escape=self.style.escape)
        return self.encoding.encode(text)

    def _end(self, last: Block[None]) -> Reading:
        """Tell from the last block what a whole reading learns."""
        end = Reading()
        self._batch(last, range(last.rows - 1, last.rows), (), end)
        return Reading(last.first + last.rows, last=end.last, last_ragged=end.last_ragged)

    @abstractmethod
    def _omitter(self, out: Writer, numbers: Sequence[int]) -> LineOmitter | ChainOmitter:
        """Give what leaves records out of the blocks."""

    def without(self, file: Writer, numbers: Sequence[int]) -> RewriteReport:
        """Copy the file without some objects."""
        last: Block[None] | None = None
        with compressing(file, self.format.compression) as out:
            out.write(self.prefix)
            omitter = self._omitter(out, numbers)
            for block in self._blocks():
                last = block if block.rows else last
                omitter.block(block)
            omitter.close()
        return self.report_without(Reading() if last is None else self._end(last), numbers)

    def learn(self) -> None:
        """Learn headings, types and style from the first rows.

        Raises OutsideError where none of them is an object.
        """
        records: list[str] = []
        for block in self._blocks():
            wanted = min(block.rows, SAMPLE_ROWS - len(records))
            records += [self._text(block.record(place)) for place in range(wanted)]
            if len(records) >= SAMPLE_ROWS:
                break
        parsed = [(record, row) for record in records if (row := parse_object(record)) is not None]
        if records and not parsed:
            raise OutsideError(
                f"{self.path} holds no JSON objects", "give an array of objects, or one object a line"
            )
        rows = [row for _, row in parsed]
        self.headings = tuple(dict.fromkeys(key for row in rows for key in row))
        self.native = {key: native_of_values(row.get(key) for row in rows) for key in self.headings}
        self.style = style_of([record for record, _ in parsed], rows, self.headings)
