"""Rows of a block of text whose columns are copied out of it when they are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from canary.fields.spans import Spans
from canary.files.csvkernel import NO_QUOTE, Cells, flat

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class CellRows:
    """Some records of a block as a pyarrow.RecordBatch shows rows; `places` are its columns among those found.

    No cell is null: text knows only empty ones.
    """

    cells: Cells
    records: Ints
    places: Mapping[str, int]
    _made: dict[str, pa.Array] = field(default_factory=dict, repr=False, compare=False)

    @property
    def num_rows(self) -> int:
        """Give the number of rows."""
        return len(self.records)

    @property
    def schema(self) -> pa.Schema:
        """Give the names of the columns, texts all of them."""
        import pyarrow as pa

        return pa.schema([(name, pa.string()) for name in self.places])

    @property
    def columns(self) -> list[pa.Array]:
        """Give all columns."""
        return [self.column(name) for name in self.places]

    def column(self, name: str) -> pa.Array:
        """Give one column."""
        if name not in self._made:
            self._made[name] = self.cells.column(self.places[name], self.records)
        return self._made[name]

    def spans(self, name: str) -> Spans | None:
        """Give one column where it lies in the block, None where it is copied already or records are left out."""
        if name in self._made or len(self.records) != len(self.cells.found):
            return None
        place = self.places[name]
        lying = self.cells.found.reshape(-1)[2 * place :]
        step = 2 * self.cells.found.shape[1]
        some = partial(self.cells.column, place)
        return Spans(self.cells.data, lying, step, len(self.records), some, self.cells.quote)

    def select(self, names: Sequence[str]) -> pa.RecordBatch:
        """Give some columns, apart from the block."""
        import pyarrow as pa

        return pa.RecordBatch.from_arrays([self.column(name) for name in names], list(names))

    def take(self, rows: Ints | Sequence[int]) -> pa.RecordBatch:
        """Give some rows, apart from the block."""
        import numpy as np
        import pyarrow as pa

        records = self.records[np.asarray(rows)]
        arrays = [self.cells.column(place, records) for place in self.places.values()]
        return pa.RecordBatch.from_arrays(arrays, list(self.places))

    def aside(self, rows: Ints) -> CellRows:
        """Copy some rows out of the block, which may then go."""
        import numpy as np

        records = self.records[rows]
        bounds = np.stack((self.cells.starts[records], self.cells.ends[records]), 1)[:, None]
        whole = replace(self.cells, found=bounds, quote=NO_QUOTE)
        texts = whole.column(0, np.arange(len(records)))
        data, offsets = flat(texts, len(records))
        moved = offsets[:-1].astype(np.int32) - bounds[:, 0, 0]
        cells = replace(
            self.cells,
            data=data,
            starts=bounds[:, 0, 0] + moved,
            ends=bounds[:, 0, 1] + moved,
            found=self.cells.found[records] + moved[:, None, None],
            widths=self.cells.widths[records],
        )
        return CellRows(cells, np.arange(len(records)), self.places)

    def slice(self, first: int, count: int | None = None) -> CellRows:
        """Give rows that follow each other."""
        stop = None if count is None else first + count
        return CellRows(self.cells, self.records[first:stop], self.places)

    def to_pylist(self) -> list[dict[str, str | None]]:
        """Give every row by itself."""
        texts = [column.to_numpy(zero_copy_only=False).tolist() for column in self.columns]
        return [dict(zip(self.places, row, strict=True)) for row in zip(*texts, strict=True)]


Rows: TypeAlias = "pa.RecordBatch | CellRows"


def aside(rows: Rows, some: Ints) -> Rows:
    """Copy some rows out of a batch, which may then go."""
    return rows.aside(some) if isinstance(rows, CellRows) else rows.take(some)


def together(parts: Sequence[Rows]) -> pa.Table | CellRows:
    """Join rows that were copied out of the batches of one table."""
    import pyarrow as pa

    lying = [each for each in parts if isinstance(each, CellRows)]
    if len(lying) == len(parts):
        return _joined(lying)
    return pa.Table.from_batches(
        [each.select(list(each.places)) if isinstance(each, CellRows) else each for each in parts]
    )


def _joined(parts: Sequence[CellRows]) -> CellRows:
    import numpy as np

    cells = [each.cells for each in parts]
    shifts = np.cumsum([0, *(len(each.data) for each in cells)])[:-1].astype(np.int32)
    moved = list(zip(cells, shifts, strict=True))
    whole = replace(
        cells[0],
        data=np.concatenate([each.data for each in cells]),
        starts=np.concatenate([each.starts + shift for each, shift in moved]),
        ends=np.concatenate([each.ends + shift for each, shift in moved]),
        found=np.concatenate([each.found + shift for each, shift in moved]),
        widths=np.concatenate([each.widths for each in cells]),
    )
    return CellRows(whole, np.arange(len(whole.starts)), parts[0].places)
