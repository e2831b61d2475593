"""Columns as flat bytes: what kernels read and write; Arrow's string arrays and numpy's objects in and out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from canary.fingerprint.prf import Bytes, Offsets

Column: TypeAlias = (
    Any  # a pyarrow Array or ChunkedArray of texts, a numpy array of objects, a sequence of texts
)
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Texts:
    """A column of texts: UTF-8 bytes, n + 1 offsets into them, and which rows have a value."""

    data: Bytes
    offsets: Offsets
    filled: Flags

    def __len__(self) -> int:
        return len(self.filled)

    @property
    def lengths(self) -> Offsets:
        """The bytes of each value."""
        return np.diff(self.offsets)

    def text(self, row: int) -> str:
        """Give one value."""
        raw = self.data[self.offsets[row] : self.offsets[row + 1]].tobytes()
        return raw.decode("utf-8", "replace")


def texts_of(column: Column) -> Texts:
    """Give a column as flat bytes (nulls are empty and not filled); Arrow's buffers are not copied."""
    import pyarrow as pa

    array = column if isinstance(column, pa.Array | pa.ChunkedArray) else _arrow_of(column)
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
        array = pa.concat_arrays(array.chunks) if isinstance(array, pa.ChunkedArray) else array
    if not (pa.types.is_string(array.type) or pa.types.is_large_string(array.type)):
        array = array.cast(pa.string())
    wide = pa.types.is_large_string(array.type)
    _, places, data = array.buffers()
    start, count = array.offset, len(array)
    kind = np.int64 if wide else np.int32
    offsets = np.zeros(1, np.int64)
    if count:
        offsets = np.frombuffer(places, kind)[start : start + count + 1].astype(np.int64)
    flat = np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)
    filled = offsets[1:] > offsets[:-1]
    if array.null_count:
        filled &= array.is_valid().to_numpy(zero_copy_only=False)
    if not offsets[0] and offsets[-1] == len(flat):
        return Texts(flat, offsets, filled)
    return Texts(flat[offsets[0] : offsets[-1]], offsets - offsets[0], filled)


def _arrow_of(column: NDArray[np.object_] | Sequence[str | None]) -> Any:
    import pyarrow as pa

    return pa.array([None if value is None else _clean(str(value)) for value in column], pa.string())


def _clean(text: str) -> str:
    """Take lone surrogates out; Arrow holds UTF-8."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def like(column: Column, made: Texts, changed: Flags) -> Any:
    """Give a column of the kind that came in, with the changed rows of `made`; the others stay as they were."""
    import pyarrow as pa

    if not isinstance(column, pa.Array | pa.ChunkedArray):
        values = np.array(column, dtype=object)
        for row in np.flatnonzero(changed).tolist():
            values[row] = made.text(row)
        return values
    if not changed.any():
        return column
    array = _built(made, _mask(column), large=pa.types.is_large_string(column.type))
    if array.type != column.type:
        array = array.cast(column.type)
    return pa.chunked_array([array]) if isinstance(column, pa.ChunkedArray) else array


def _mask(column: Any) -> Flags | None:
    if not column.null_count:
        return None
    mask: Flags = (
        column.is_valid().to_numpy()
        if hasattr(column, "chunks")
        else column.is_valid().to_numpy(zero_copy_only=False)
    )
    return mask


def _built(made: Texts, valid: Flags | None, *, large: bool) -> Any:
    import pyarrow as pa

    wide = large or made.offsets[-1] >= 2**31
    offsets = pa.py_buffer(made.offsets.astype(np.int64 if wide else np.int32))
    bits = None if valid is None else pa.py_buffer(np.packbits(valid, bitorder="little"))
    kind = pa.large_string() if wide else pa.string()
    return pa.Array.from_buffers(
        kind, len(made), [bits, offsets, pa.py_buffer(np.ascontiguousarray(made.data))]
    )


def flat(values: Sequence[bytes]) -> Texts:
    """Put values behind one another; an empty one is not filled."""
    offsets = np.cumsum([0, *map(len, values)], dtype=np.int64)
    return Texts(np.frombuffer(b"".join(values), np.uint8), offsets, np.diff(offsets) > 0)


def spliced(texts: Texts, rows: NDArray[np.int64], values: Sequence[bytes]) -> Texts:
    """Give the column with some rows (rising numbers) replaced; all other bytes stay."""
    if not len(rows):
        return texts
    lengths = texts.lengths.copy()
    lengths[rows] = [len(value) for value in values]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    pieces: list[Any] = []
    done = 0
    for row, value in zip(rows.tolist(), values, strict=True):
        pieces += [texts.data[done : texts.offsets[row]], np.frombuffer(value, np.uint8)]
        done = int(texts.offsets[row + 1])
    pieces.append(texts.data[done:])
    return Texts(np.concatenate(pieces), offsets, texts.filled)
