"""Cells of a CSV file: pyarrow's reader as long as it goes, Python's from the first row that it refuses."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from canary.files.blocks import Block
from canary.files.compress import Reader
from canary.files.dialect import Dialect, read_rows
from canary.files.encoding import Encoding
from canary.files.outside import bad_text
from canary.files.outside import reading as reading_errors
from canary.files.records import Found
from canary.files.table import Reading, RowBatch

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import csv

_PARSED = (
    1 << 22
)  # bytes parsed at a time: what follows has a cost for each batch, larger ones leave the cache


class _Transcoder(io.RawIOBase):
    """Reads text of another encoding as UTF-8."""

    def __init__(self, stream: Reader, encoding: str) -> None:
        super().__init__()
        self._stream, self._rest = stream, b""
        self._decoder = codecs.getincrementaldecoder(encoding)()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Read at most `size` bytes of UTF-8, none only at the end."""
        while not self._rest:
            data = self._stream.read(_PARSED)
            self._rest = self._decoder.decode(data, final=not data).encode()
            if not data:
                break
        result, self._rest = self._rest[:size], self._rest[size:]
        return result


@dataclass
class CsvParser:
    """Parses one CSV file; `refused` is set where pyarrow met a row that it does not take."""

    path: Path
    headings: tuple[str, ...]
    encoding: Encoding
    dialect: Dialect
    refused: bool = field(default=False, init=False)

    def stream(self, stream: Reader, reading: Reading) -> Iterator[RowBatch]:
        """Parse from the first data row on until the end, or until pyarrow refuses."""
        plain = self.encoding.name == "utf-8"
        source = stream if plain else _Transcoder(stream, self.encoding.name)
        try:
            with reading_errors(self.path), self._reader(source) as reader:
                while (batch := _next(reader)) is not None:
                    if batch.num_rows:
                        start, reading.rows = reading.rows, reading.rows + batch.num_rows
                        reading.last = [column[-1].as_py() for column in batch.columns]
                        yield RowBatch(start, batch)
        except _Refused:
            self.refused = True

    def _reader(self, source: object) -> csv.CSVStreamingReader:
        import pyarrow as pa
        from pyarrow import csv

        try:
            return csv.open_csv(source, *self._options())
        except pa.ArrowInvalid:
            raise _Refused from None

    def _options(self) -> tuple[csv.ReadOptions, csv.ParseOptions, csv.ConvertOptions]:
        import pyarrow as pa
        from pyarrow import csv

        quote = self.dialect.quote or False
        parse = csv.ParseOptions(delimiter=self.dialect.delimiter, quote_char=quote, newlines_in_values=True)
        read = csv.ReadOptions(use_threads=False, block_size=_PARSED, column_names=list(self.headings))
        types = dict.fromkeys(self.headings, pa.string())
        convert = csv.ConvertOptions(column_types=types, strings_can_be_null=False)
        return read, parse, convert

    def _clean_block(self, block: Block[Found], reading: Reading) -> list[RowBatch]:
        """Let pyarrow parse a block whose quotes are all in place; nothing where it sees other rows."""
        import pyarrow as pa
        from pyarrow import csv

        plain = self.encoding.name == "utf-8"
        data = block.data if plain else self._text(bytes(block.data)).encode()
        try:
            table = csv.read_csv(pa.py_buffer(data), *self._options())
        except pa.ArrowInvalid:
            return []
        if table.num_rows != block.rows:
            return []
        self.end(block, reading)
        batches, first = [], block.first
        for batch in table.to_batches():
            batches.append(RowBatch(first, batch))
            first += batch.num_rows
        return [batch for batch in batches if batch.rows.num_rows]

    def block(self, block: Block[Found], done: int, reading: Reading) -> list[RowBatch]:
        """Parse a block's rows from number `done` on record by record, and leave the ragged ones out."""
        import numpy as np
        import pyarrow as pa

        first = max(done - block.first, 0)
        if block.extra is True and not first and (batches := self._clean_block(block, reading)):
            return batches
        texts = [self._text(block.record(place)) for place in range(first, block.rows)]
        rows = list(read_rows(texts, self.dialect))
        width = len(self.headings)
        good = [place for place, row in enumerate(rows) if len(row) == width]
        for place, row in enumerate(rows):
            if len(row) != width:
                reading.skip(block.first + first + place)
        self._note_end(rows[-1], block, reading)
        arrays = [pa.array([rows[place][column] for place in good], pa.string()) for column in range(width)]
        batch = pa.RecordBatch.from_arrays(arrays, list(self.headings))
        index = np.array(good, np.int64) + block.first + first
        if not good:
            return []
        return [RowBatch(int(index[0]), batch, None if len(good) == len(rows) else index)]

    def cells(self, block: Block[Found], places: Mapping[str, int], reading: Reading) -> Iterator[RowBatch]:
        """Give the rows of a block whose cells were found, without the ragged ones.

        Raises OutsideError where its bytes are no text.
        """
        import numpy as np

        from canary.files.cellrows import CellRows

        self._check_text(block)
        reading.rows = block.first + block.rows
        found = block.extra
        if isinstance(found, bool):
            raise TypeError("the cells of a block were not looked for")
        rows = found.rows(len(self.headings))
        whole = len(rows) == block.rows
        for place in () if whole else np.setdiff1d(np.arange(block.rows), rows).tolist():
            reading.skip(block.first + place)
        if len(rows):
            index = None if whole else rows + block.first
            yield RowBatch(block.first + int(rows[0]), CellRows(found, rows, places), index)

    def _check_text(self, block: Block[Found]) -> None:
        import numpy as np

        from canary.octets import is_utf8

        if not is_utf8(np.frombuffer(block.data, np.uint8)):
            self._text(bytes(block.data))

    def end(self, block: Block[Found], reading: Reading) -> None:
        """Note the cells of the last record, which ends a reading."""
        record = self._text(block.record(block.rows - 1))
        self._note_end(next(read_rows([record], self.dialect)), block, reading)

    def _note_end(self, cells: list[str], block: Block[Found], reading: Reading) -> None:
        reading.rows = block.first + block.rows
        reading.last, reading.last_ragged = cells, len(cells) != len(self.headings)

    def _text(self, data: bytes) -> str:
        try:
            return self.encoding.decode(data)
        except UnicodeError as error:
            raise bad_text(self.path, error) from None


class _Refused(Exception):
    """Pyarrow met a row that does not fit, or no row at all."""


def _next(reader: csv.CSVStreamingReader) -> pa.RecordBatch | None:
    import pyarrow as pa

    try:
        return reader.read_next_batch()
    except StopIteration:
        return None
    except pa.ArrowInvalid:
        raise _Refused from None
