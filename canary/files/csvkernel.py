"""Cells of CSV records found, read and written on the bytes, compiled: UTF-8 and one-byte marks alone.

A cell is what Python's csv module makes of it: quoted where it begins with a quote, with doubled quotes inside; what
follows the closing quote up to the delimiter belongs to it as it stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from canary.compiled import Kernel

if TYPE_CHECKING:
    import pyarrow as pa

Bytes: TypeAlias = NDArray[np.uint8]
Ints: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

LF: Final = 10
CR: Final = 13
NO_QUOTE: Final = 256  # no byte is this one


def _find(
    data: Bytes, starts: Ints, ends: Ints, delimiter: int, quote: int, wanted: Ints, found: Ints, widths: Ints
) -> None:
    """Find begin and end of the wanted columns (rising) in every record: found[row, place, 0 or 1]."""
    count = len(wanted)
    for row in range(len(starts)):
        at, end = starts[row], ends[row]
        while end > at and (data[end - 1] == 10 or data[end - 1] == 13):
            end -= 1
        column, place = 0, 0
        while True:
            begin = at
            if at < end and data[at] == quote:
                at += 1
                while at < end:
                    if data[at] == quote:
                        if at + 1 < end and data[at + 1] == quote:
                            at += 1
                        else:
                            break
                    at += 1
            while at < end and data[at] != delimiter:
                at += 1
            if place < count and wanted[place] == column:
                found[row, place, 0], found[row, place, 1] = begin, at
                place += 1
            column += 1
            if at >= end:
                break
            at += 1
        widths[row] = column


def _gather(data: Bytes, found: Ints, place: int, rows: Ints, quote: int, out: Bytes, offsets: Ints) -> int:
    """Copy the cells of one column, quotes undone, one behind another; gives the bytes written."""
    at = 0
    for number in range(len(rows)):
        begin, end = found[rows[number], place, 0], found[rows[number], place, 1]
        if begin < end and data[begin] == quote:
            begin += 1
            while begin < end:
                if data[begin] == quote:
                    if begin + 1 < end and data[begin + 1] == quote:
                        begin += 1
                    else:
                        begin += 1
                        break
                out[at] = data[begin]
                at += 1
                begin += 1
        for one in range(begin, end):
            out[at] = data[one]
            at += 1
        offsets[number + 1] = at
    return at


def _write(
    data: Bytes, starts: Ints, ends: Ints, found: Ints, row_of: Ints, keep: Flags, changed: Flags, texts: Bytes,
    places: Ints, shifts: Ints, delimiter: int, quote: int, out: Bytes, made: Ints,
) -> int:  # fmt: skip
    """Copy all records with their changed cells; made[row] is where each ends, −1 at once where quotes are needed.

    `row_of` gives a record's number in the edits (−1: none), `changed` [row, place], `texts` all new texts with
    `places` [row + 1 of each column, behind `shifts` of the column].
    """
    at, done = 0, 0
    for record in range(len(starts)):
        number = row_of[record]
        if number >= 0 and not keep[number]:
            for one in range(done, starts[record]):
                out[at] = data[one]
                at += 1
            done = ends[record]
            made[record] = at
            continue
        if number >= 0:
            for place in range(changed.shape[1]):
                if not changed[number, place]:
                    continue
                begin, end = found[record, place, 0], found[record, place, 1]
                for one in range(done, begin):
                    out[at] = data[one]
                    at += 1
                first, last = places[shifts[place] + number], places[shifts[place] + number + 1]
                quoted = begin < end and data[begin] == quote
                if not quoted:
                    for one in range(first, last):
                        mark = texts[one]
                        if mark in (delimiter, quote, 10, 13):
                            quoted = True
                            break
                    if quoted and quote == 256:
                        return -1
                if quoted:
                    out[at] = quote
                    at += 1
                for one in range(first, last):
                    out[at] = texts[one]
                    at += 1
                    if quoted and texts[one] == quote:
                        out[at] = quote
                        at += 1
                if quoted:
                    out[at] = quote
                    at += 1
                done = end
        for one in range(done, ends[record]):
            out[at] = data[one]
            at += 1
        done = ends[record]
        made[record] = at
    for one in range(done, len(data)):
        out[at] = data[one]
        at += 1
    return at


_find_kernel = Kernel(_find)
_gather_kernel = Kernel(_gather)
_write_kernel = Kernel(_write)


@dataclass(frozen=True, slots=True)
class Cells:
    """Where the wanted columns of some records stand: int64[records, columns, 2], and every record's width."""

    data: Bytes
    starts: Ints
    ends: Ints
    found: Ints
    widths: Ints
    delimiter: int
    quote: int

    def rows(self, width: int) -> Ints:
        """Give the records that have so many cells."""
        return np.flatnonzero(self.widths == width)

    def column(self, place: int, rows: Ints) -> pa.Array:
        """Give one wanted column of some records as a string array."""
        import pyarrow as pa

        sizes = self.found[rows, place, 1] - self.found[rows, place, 0]
        out = np.empty(int(sizes.sum()) + 1, np.uint8)
        offsets = np.zeros(len(rows) + 1, np.int64)
        used = _gather_kernel(self.data, self.found, place, rows, self.quote, out, offsets)
        buffers = [None, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(out[:used])]
        return pa.Array.from_buffers(pa.string(), len(rows), buffers)


def find_cells(
    data: Bytes, starts: Ints, ends: Ints, wanted: Sequence[int], delimiter: str, quote: str | None
) -> Cells:
    """Find the cells of some columns (rising numbers) in all records."""
    found = np.zeros((len(starts), len(wanted), 2), np.int64)
    widths = np.zeros(len(starts), np.int64)
    mark = ord(quote) if quote else NO_QUOTE
    _find_kernel(data, starts, ends, ord(delimiter), mark, np.array(wanted, np.int64), found, widths)
    return Cells(data, starts, ends, found, widths, ord(delimiter), mark)


def write_cells(
    cells: Cells, rows: Ints, keep: Flags | None, changed: Flags, columns: Sequence[pa.Array | None]
) -> tuple[Bytes, Ints] | None:
    """Write all records with some cells changed and some records left out; gives the bytes and where records end.

    `rows` are the records that the edits are about, `changed` bool[rows, wanted columns], `columns` the new texts.
    None where a text needs quotes and there are none.
    """
    flat = [_flat(column, len(rows)) for column in columns]
    sizes = [len(data) for data, _ in flat]
    shifts = np.arange(len(flat), dtype=np.int64) * (len(rows) + 1)
    starts = np.cumsum([0, *sizes])[:-1]
    places = np.concatenate([offsets + start for (_, offsets), start in zip(flat, starts, strict=True)])
    texts = np.concatenate([data for data, _ in flat])
    row_of = np.full(len(cells.starts), -1, np.int64)
    row_of[rows] = np.arange(len(rows))
    stays = np.ones(len(rows), np.bool_) if keep is None else keep
    out = np.empty(len(cells.data) + 2 * len(texts) + 2 * int(changed.sum()) + 1, np.uint8)
    made = np.zeros(len(cells.starts), np.int64)
    used = _write_kernel(
        cells.data, cells.starts, cells.ends, cells.found, row_of, stays, changed, texts, places, shifts,
        cells.delimiter, cells.quote, out, made,
    )  # fmt: skip
    return None if used < 0 else (out[:used], made)


def _flat(column: pa.Array | None, rows: int) -> tuple[Bytes, Ints]:
    """Give a string array as bytes and offsets; no column is no bytes."""
    import pyarrow as pa

    if column is None:
        return np.zeros(0, np.uint8), np.zeros(rows + 1, np.int64)
    _, places, data = column.buffers()
    kind = np.int64 if pa.types.is_large_string(column.type) else np.int32
    offsets = np.frombuffer(places, kind)[column.offset : column.offset + rows + 1].astype(np.int64)
    flat = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
    return flat[offsets[0] : offsets[-1]], offsets - offsets[0]
