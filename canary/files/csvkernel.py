"""Cells of CSV records found, read and written on the bytes by compiled code: UTF-8 and one-byte marks alone.

A cell is what Python's csv module makes of it: quoted where it begins with a quote, with doubled quotes inside; what
follows the closing quote up to the delimiter belongs to it as it stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from canary.native import Entry, is_native

if TYPE_CHECKING:
    import pyarrow as pa

Bytes: TypeAlias = NDArray[np.uint8]
Ints: TypeAlias = NDArray[np.int64]
Places: TypeAlias = NDArray[np.int32]  # in one block of bytes: half as much to carry through the cache
Flags: TypeAlias = NDArray[np.bool_]

LF: Final = 10
CR: Final = 13
NO_QUOTE: Final = 256  # no byte is this one
SLACK: Final = 32  # bytes behind copied cells: they are copied so many at a time
LOOK: Final = 1 << 16  # bytes by whose lines it is told how much room the records need
AMPLE: Final = 1.25  # times so much is made, and four times that where it does not do


def _scan(
    data: Bytes, delimiter: int, quote: int, last: bool, wanted: Ints, starts: Places, ends: Places, widths: Places,
    found: Places, used: Places,
) -> int:  # fmt: skip
    """Find whole records, blank lines left out, and the wanted columns (rising) in them: found[row, place, 0 or 1].

    Gives how many there are, at most len(starts), and in used[0] the bytes done with. What the data breaks off is a
    record where it is the last; cells are not counted where none is wanted. Places are unsigned, as a signed one
    might count from the end and is slower.
    """
    one, size, count, at = np.uint64(1), np.uint64(len(data)), 0, np.uint64(0)
    used[0] = 0
    while at < size and count < len(starts):
        if data[at] == 10 or data[at] == 13:
            if data[at] == 13 and at + one == size and not last:
                break
            at += one + one if data[at] == 13 and at + one < size and data[at + one] == 10 else one
            used[0] = at
            continue
        begin, column, place, more = at, 0, 0, True
        while more:
            first = at
            if at < size and data[at] == quote:
                at += one
                while at < size:
                    if data[at] == quote:
                        if at + one >= size or data[at + one] != quote:
                            break
                        at += one
                    at += one
            while at < size:
                byte = data[at]
                if byte == delimiter or byte == 10 or byte == 13:
                    break
                at += one
            if place < len(wanted) and wanted[place] == column:
                found[count, place, 0], found[count, place, 1] = first, at
                place += 1
            column += 1
            more = bool(at < size and data[at] == delimiter)
            if more:
                at += one
        if at < size and (data[at] == 10 or at + one < size or last):
            at += one + one if data[at] == 13 and at + one < size and data[at + one] == 10 else one
        elif not last:
            break
        found[count, place:] = 0
        starts[count], ends[count], widths[count] = begin, at, column if len(wanted) else 1
        count += 1
        used[0] = at
    return count


def _gather(
    data: Bytes, found: Places, place: int, rows: Ints, quote: int, out: Bytes, offsets: Places
) -> int:
    """Copy the cells of one column, quotes undone, one behind another; gives the bytes written."""
    one, at = np.uint64(1), np.uint64(0)
    for number in range(len(rows)):
        begin = np.uint64(found[rows[number], place, 0])
        end = np.uint64(found[rows[number], place, 1])
        if begin < end and data[begin] == quote:
            begin += one
            while begin < end:
                if data[begin] == quote:
                    begin += one
                    if begin >= end or data[begin] != quote:
                        break
                out[at] = data[begin]
                at += one
                begin += one
        length = end - begin
        for byte in range(length):
            out[at + np.uint64(byte)] = data[begin + np.uint64(byte)]
        at += length
        offsets[number + 1] = at
    return int(at)


def _write(
    data: Bytes, starts: Places, ends: Places, found: Places, row_of: Ints, keep: Flags, changed: Flags, texts: Bytes,
    places: Ints, shifts: Ints, delimiter: int, quote: int, out: Bytes, made: Ints,
) -> int:  # fmt: skip
    """Copy all records with their changed cells; made[row] is where each ends, −1 at once where quotes are needed.

    `row_of` gives a record's number in the edits (−1: none), `changed` [row, place], `texts` all new texts with
    `places` [row + 1 of each column, behind `shifts` of the column]. What stays is copied in one run, up to the next
    changed cell or left out record.
    """
    pieces, at, done = [data[:0]], 0, 0
    mark = bytes([quote]) if quote < NO_QUOTE else b""
    for record, number in enumerate(row_of.tolist()):
        if number >= 0 and not keep[number]:
            pieces.append(data[done : starts[record]])
            at += len(pieces[-1])
            done = int(ends[record])
            made[record] = at
            continue
        for place in np.flatnonzero(changed[number]).tolist() if number >= 0 else ():
            begin, end = found[record, place].tolist()
            first = shifts[place] + number
            text = texts[places[first] : places[first + 1]].tobytes()
            if (begin < end and data[begin] == quote) or not {delimiter, quote, LF, CR}.isdisjoint(text):
                if not mark:
                    return -1
                text = mark + text.replace(mark, mark * 2) + mark
            pieces += [data[done:begin], np.frombuffer(text, np.uint8)]
            at += begin - done + len(text)
            done = end
        made[record] = at + ends[record] - done
    whole = np.concatenate([*pieces, data[done:]])
    out[: len(whole)] = whole
    return len(whole)


def write_natively(
    data: Bytes, starts: Places, ends: Places, found: Places, row_of: Ints, keep: Flags, changed: Flags, texts: Bytes,
    places: Ints, shifts: Ints, delimiter: int, quote: int, out: Bytes, made: Ints,
) -> int:  # fmt: skip
    """Do what `_write` does, 32 bytes at a time; `out` has room for so many more than are copied."""
    where = [
        each.ctypes.data
        for each in (data, starts, ends, found, row_of, keep, changed, texts, places, shifts, out, made)
    ]
    numbers = np.array(
        [where[0], len(data), len(starts), *where[1:4], found.shape[1], *where[4:8], len(texts), *where[8:10],
         delimiter, quote, *where[10:], 0], np.int64,
    )  # fmt: skip
    _write_wide(numbers.ctypes.data)
    return int(numbers[-1])


_SOURCES: Final = ("csvwide.py",)
_scan_wide = Entry("canary.files.csvwide", "scan_wide", 7, _SOURCES)
_gather_wide = Entry("canary.files.csvwide", "gather_wide", 9, _SOURCES)
_write_wide = Entry("canary.files.editwide", "write_wide", 1, ("editwide.py", *_SOURCES))


def scan_natively(
    data: Bytes, delimiter: int, quote: int, last: bool, wanted: Ints, starts: Places, ends: Places, widths: Places,
    found: Places, used: Places,
) -> int:  # fmt: skip
    """Do what `_scan` does, 64 bytes at a time."""
    numbers = np.array([len(data), delimiter, quote, last, len(wanted), len(starts), 0, 0], np.int64)
    _scan_wide(*(each.ctypes.data for each in (numbers, data, wanted, starts, ends, widths, found)))
    used[0] = numbers[7]
    return int(numbers[6])


def gather_natively(
    data: Bytes, found: Places, place: int, rows: Ints, quote: int, out: Bytes, offsets: Places
) -> int:
    """Do what `_gather` does, 32 bytes at a time; `out` has room for so many more than are copied."""
    step = found.shape[1]
    first = found.ctypes.data + 2 * place * found.itemsize
    _gather_wide(
        data.ctypes.data, len(data), first, step, rows.ctypes.data, len(rows), quote, out.ctypes.data,
        offsets.ctypes.data,
    )  # fmt: skip
    return int(offsets[-1])


@dataclass(frozen=True, slots=True)
class Cells:
    """Where the wanted columns of some records stand: int32[records, columns, 2], and every record's width."""

    data: Bytes
    starts: Places
    ends: Places
    found: Places
    widths: Places
    delimiter: int
    quote: int

    def rows(self, width: int) -> Ints:
        """Give the records that have so many cells."""
        return np.flatnonzero(self.widths == width)

    def column(self, place: int, rows: Ints) -> pa.Array:
        """Give one wanted column of some records as a string array."""
        import pyarrow as pa

        spans = self.found[:, place] if len(rows) == len(self.found) else self.found[rows, place]
        out = np.empty(int(spans[:, 1].sum()) - int(spans[:, 0].sum()) + SLACK, np.uint8)
        offsets = np.zeros(len(rows) + 1, np.int32)
        gather = gather_natively if is_native() else _gather
        used = gather(self.data, self.found, place, rows, self.quote, out, offsets)
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(out[:used])]
        return pa.Array.from_buffers(pa.string(), len(rows), buffers)


def find_cells(
    data: Bytes, delimiter: str, quote: str | None, wanted: Sequence[int], last: bool
) -> tuple[Cells, int]:
    """Find the whole records at the beginning of some bytes, and the cells of some columns (rising numbers) in them.

    Gives also how many bytes are done with; blank lines are no records. What the data breaks off is one if it is the
    last.
    """
    mark, used = ord(quote) if quote else NO_QUOTE, np.zeros(1, np.int32)
    columns, room = np.array(wanted, np.int64), _room(data)
    scan = scan_natively if is_native() else _scan
    while True:
        starts, ends, widths = (np.empty(room, np.int32) for _ in range(3))
        found = np.empty((room, len(wanted), 2), np.int32)
        count = scan(data, ord(delimiter), mark, last, columns, starts, ends, widths, found, used)
        if count < room or used[0] == len(data):
            break
        room = min(4 * room, len(data) + 1)
    data = data if last else data[: used[0]]  # what is broken off comes again with the next bytes
    cells = Cells(data, starts[:count], ends[:count], found[:count], widths[:count], ord(delimiter), mark)
    return cells, int(used[0])


def _room(data: Bytes) -> int:
    """Tell about how many records some bytes hold: room that is made and not used is cleared all the same."""
    head = data[:LOOK]
    lines = np.count_nonzero(head == LF) + np.count_nonzero(head == CR) + 1
    return int(AMPLE * lines * (len(data) / max(1, len(head)))) + 16


def write_cells(
    cells: Cells, rows: Ints, keep: Flags | None, changed: Flags, columns: Sequence[pa.Array | None]
) -> tuple[Bytes, Ints] | None:
    """Write all records with some cells changed and some records left out; gives the bytes and where records end.

    `rows` are the records that the edits are about, `changed` bool[rows, wanted columns], `columns` the new texts.
    None where a text needs quotes and there are none.
    """
    laid = [flat(column, len(rows)) for column in columns]
    sizes = [len(data) for data, _ in laid]
    shifts = np.arange(len(laid), dtype=np.int64) * (len(rows) + 1)
    starts = np.cumsum([0, *sizes])[:-1]
    places = np.concatenate([offsets + start for (_, offsets), start in zip(laid, starts, strict=True)])
    texts = np.concatenate([data for data, _ in laid])
    row_of = np.full(len(cells.starts), -1, np.int64)
    row_of[rows] = np.arange(len(rows))
    stays = np.ones(len(rows), np.bool_) if keep is None else keep
    out = np.empty(len(cells.data) + 2 * len(texts) + 2 * int(changed.sum()) + SLACK, np.uint8)
    made = np.zeros(len(cells.starts), np.int64)
    write = write_natively if is_native() else _write
    used = write(
        cells.data, cells.starts, cells.ends, cells.found, row_of, stays, changed, texts, places, shifts,
        cells.delimiter, cells.quote, out, made,
    )  # fmt: skip
    return None if used < 0 else (out[:used], made)


def flat(column: pa.Array | None, rows: int) -> tuple[Bytes, Ints]:
    """Give a string array as bytes and offsets; no column is no bytes."""
    import pyarrow as pa

    if column is None:
        return np.zeros(0, np.uint8), np.zeros(rows + 1, np.int64)
    _, places, data = column.buffers()
    kind = np.int64 if pa.types.is_large_string(column.type) else np.int32
    offsets = np.frombuffer(places, kind)[column.offset : column.offset + rows + 1].astype(np.int64)
    flat = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
    return flat[offsets[0] : offsets[-1]], offsets - offsets[0]
