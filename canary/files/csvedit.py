"""Real rows of a CSV file with changed cells or left out; every other byte stays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from canary.errors import OutsideError
from canary.files.blocks import Block
from canary.files.records import Found
from canary.files.table import Marking, RowBatch, RowEdits

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from canary.files.csvfile import CsvTable
    from canary.files.csvkernel import Cells

    Ints = npt.NDArray[np.int64]


class CsvEditor:
    """Edits the blocks of a CSV table for all of its copies; the first `rows` rows alone."""

    def __init__(self, table: CsvTable, marking: Marking, rows: int) -> None:
        self._table, self._marking, self._rows = table, marking, rows
        self.wanted = tuple(at for at, name in enumerate(table.headings) if name in marking.columns)
        self._names = [table.headings[at] for at in self.wanted]

    def copies(self, block: Block[Found], count: int) -> Iterator[tuple[Block[Found], int]]:
        """Give each copy's block, with how many rows were left out of it."""
        cells = self._cells(block) if block.rows else None
        rows = None if cells is None else self._editable(cells, block)
        if cells is None or rows is None or not len(rows):
            for _ in range(count):
                yield block, 0
            return
        edits = self._marking.edits(self._batch(cells, rows, block))
        for number in range(count):
            yield self._edited(block, cells, rows, edits[number])

    def _cells(self, block: Block[Found]) -> Cells:
        import numpy as np

        from canary.files.csvkernel import find_cells

        if not isinstance(block.extra, bool):
            return block.extra
        text = self._table.encoding.decode(bytes(block.data)).encode()
        dialect = self._table.dialect
        flat = np.frombuffer(text, np.uint8)
        return find_cells(flat, dialect.delimiter, dialect.quote, self.wanted, last=True)[0]

    def _editable(self, cells: Cells, block: Block[Found]) -> Ints:
        rows = cells.rows(len(self._table.headings))
        return rows[rows + block.first < self._rows]

    def _batch(self, cells: Cells, rows: Ints, block: Block[Found]) -> RowBatch:
        import pyarrow as pa

        arrays = [cells.column(place, rows) for place in range(len(self.wanted))]
        batch = pa.RecordBatch.from_arrays(arrays, self._names)
        index = None if len(rows) == block.rows else rows + block.first
        return RowBatch(block.first + int(rows[0]), batch, index)

    def _edited(
        self, block: Block[Found], cells: Cells, rows: Ints, edits: RowEdits
    ) -> tuple[Block[Found], int]:
        import numpy as np

        from canary.files.csvkernel import write_cells

        if not edits.cells and edits.keep is None:
            return block, 0
        changed = np.zeros((len(rows), len(self.wanted)), np.bool_)
        columns = [None] * len(self.wanted)
        for one in edits.cells:
            place = self._names.index(one.heading)
            changed[:, place], columns[place] = one.changed, one.texts
        made = write_cells(cells, rows, edits.keep, changed, columns)
        if made is None:
            raise OutsideError(
                "a value holds the delimiter or a line end, but the file has no quotes",
                "write the input with quotes first",
            )
        gone = 0 if edits.keep is None else int((~edits.keep).sum())
        return self._block(block, *made), gone

    def _block(self, block: Block[Found], data: npt.NDArray[np.uint8], ends: Ints) -> Block[Found]:
        import numpy as np

        starts = np.concatenate([block.starts[:1] * 0, ends[:-1]])
        if self._table.encoding.name == "utf-8":
            return Block(memoryview(data.data), starts, ends, block.first, block.extra)
        pieces = [data[a:b].tobytes() for a, b in _spans(ends, len(data))]
        encoded = [self._table.encoding.encode(piece.decode()) for piece in pieces]
        sizes = np.cumsum([len(piece) for piece in encoded])
        stops = sizes[: len(ends)].astype(np.int64)
        whole = b"".join(encoded)
        return Block(
            memoryview(whole), np.concatenate([stops[:1] * 0, stops[:-1]]), stops, block.first, block.extra
        )


def _spans(ends: Ints, size: int) -> Sequence[tuple[int, int]]:
    """Give the pieces up to each record's end, and what is behind the last."""
    stops = [*ends.tolist(), size]
    return list(zip([0, *stops[:-1]], stops, strict=True))
