"""Edits of rows, record by record: for the formats whose cells are found one at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from canary.errors import OutsideError
from canary.files.blocks import Block
from canary.files.table import Insertion, Marking, RowBatch, RowEdits, TableFormat
from canary.files.values import batch_of_text, from_text

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Ints = npt.NDArray[np.int64]

Extra = TypeVar("Extra")
Changes = Mapping[str, str]  # heading → the cell's new text
Read = Callable[[Block[Extra], Sequence[str]], Iterable[RowBatch]]
Write = Callable[[Block[Extra], int, Changes], bytes]
Carry = Callable[[Block[Extra], Block[Extra]], Block[Extra]]


class RecordEditor(Generic[Extra]):
    """Edits blocks of records for all copies of a table; the first `rows` rows alone.

    `read` gives a block's rows, `write` one record's bytes with some cells changed, and `carry` takes over what a block
    knows besides its bytes.
    """

    def __init__(
        self,
        marking: Marking,
        rows: int,
        format: TableFormat,
        read: Read[Extra],
        write: Write[Extra],
        carry: Carry[Extra] = lambda _, made: made,
    ) -> None:
        self._marking, self._rows, self._format = marking, rows, format
        self._read, self._write, self._carry = read, write, carry

    def copies(self, block: Block[Extra], count: int) -> Iterator[Block[Extra]]:
        """Give each copy's block."""
        batches = [
            whole for batch in self._read(block, self._marking.columns) if (whole := self._within(batch))
        ]
        made = [self._marking.edits(batch) for batch in batches]
        for number in range(count):
            changes: dict[int, dict[str, str]] = {}
            for batch, edits in zip(batches, made, strict=True):
                self._gather(batch, edits[number], block.first, changes)
            yield self._edited(block, changes) if changes else block

    def _within(self, batch: RowBatch) -> RowBatch | None:
        """Take the footer off."""
        numbers = batch.numbers()
        good = int((numbers < self._rows).sum())
        if not good:
            return None
        return (
            batch
            if good == len(numbers)
            else RowBatch(batch.start, batch.rows.slice(0, good), numbers[:good])
        )

    def _gather(
        self, batch: RowBatch, edits: RowEdits, first: int, changes: dict[int, dict[str, str]]
    ) -> None:
        refuse_omission(edits, self._format)
        places = (batch.numbers() - first).tolist()
        for one in edits.cells:
            for at in one.changed.nonzero()[0].tolist():
                changes.setdefault(places[at], {})[one.heading] = one.texts[at].as_py()

    def _edited(self, block: Block[Extra], changes: Mapping[int, Changes]) -> Block[Extra]:
        import numpy as np

        pieces: list[Any] = []
        starts, ends, done, at = [], [], 0, 0
        for place in range(block.rows):
            start, end = int(block.starts[place]), int(block.ends[place])
            record = self._write(block, place, changes[place]) if place in changes else block.data[start:end]
            pieces += [block.data[done:start], record]
            at += start - done
            starts.append(at)
            at += len(record)
            ends.append(at)
            done = end
        pieces.append(block.data[done:])
        data = memoryview(b"".join(pieces))
        made = replace(block, data=data, starts=np.array(starts, np.int64), ends=np.array(ends, np.int64))
        return self._carry(block, made)


def refuse_omission(edits: RowEdits, format: TableFormat) -> None:
    """Refuse to leave rows out where their separators would have to go too."""
    if edits.keep is not None and not edits.keep.all():
        raise OutsideError(
            f"rows of a {format.label()} table cannot be left out by key",
            "set omit = 0.0 in the policy, or give CSV",
        )


class ArrowEditor:
    """Edits Arrow tables for all copies; the first `rows` rows alone."""

    def __init__(self, marking: Marking, rows: int, names: Sequence[str]) -> None:
        self._marking, self._rows, self._names = marking, rows, list(names)

    def copies(self, table: pa.Table, first: int) -> Sequence[RowEdits] | None:
        """Give the edits of every copy to rows that begin at number `first`; None where there is nothing to edit."""
        good = min(table.num_rows, self._rows - first)
        if good <= 0:
            return None
        wanted = [name for name in self._names if name in self._marking.columns]
        batch = table.slice(0, good).combine_chunks().to_batches()[0]
        return self._marking.edits(RowBatch(first, batch_of_text(batch, wanted, self._names)))

    def changed(self, table: pa.Table, edits: RowEdits) -> pa.Table:
        """Write new texts into typed columns; raises OutsideError where one does not fit."""
        for one in edits.cells:
            place = self._names.index(one.heading)
            field, column = table.schema.field(place), table.column(place).combine_chunks()
            table = table.set_column(
                place, field, _replaced(column, field, one.changed, one.texts, one.heading)
            )
        return table

    def kept(
        self, table: pa.Table, edits: RowEdits, insertions: Sequence[Insertion], first: int
    ) -> tuple[pa.Table, int]:
        """Leave rows out of a table in which the insertions stand already; gives how many."""
        import numpy as np

        if edits.keep is None or edits.keep.all():
            return table, 0
        stays = np.ones(table.num_rows - len(insertions), np.bool_)
        stays[: len(edits.keep)] = edits.keep
        whole = np.insert(stays, [one.position - first for one in insertions], True)
        return table.filter(whole), int((~whole).sum())


def _replaced(
    column: Any, field: pa.Field, changed: npt.NDArray[np.bool_], texts: Any, name: str
) -> pa.Array:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks)
    mask = np.zeros(len(column), np.bool_)
    mask[: len(changed)] = changed
    if not mask.any():
        return column
    fresh = from_text(texts.take(pa.array(np.flatnonzero(changed))).to_pylist(), field, name)
    if pa.types.is_dictionary(field.type):
        plain = pc.replace_with_mask(column.dictionary_decode(), mask, fresh.dictionary_decode())
        return plain.dictionary_encode().cast(field.type)
    return pc.replace_with_mask(column, mask, fresh)
