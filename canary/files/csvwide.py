"""Cells of CSV records found 64 bytes at a time, and copied 32 at a time; compiled code alone imports it.

It finds and copies what `_scan` and `_gather` of csvkernel do byte by byte, given the addresses of what those take.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

import numpy as np

from canary.blocks import BLOCK, BYTES, every, same
from canary.lowering import NOTHING, SIGNED, UNSIGNED, Operation
from canary.native import apart, inner
from canary.operations import byte, get, loaded, place, put, put_byte, put_place, stored, trailing

_ir: Any = import_module("llvmlite.ir")

RUN: Final = 32
NONE: Final = 10  # is sought where nothing quotes: a byte that is sought anyway
# The numbers that a scan is given, and those that it gives.
SIZE, DELIMITER, QUOTE, LAST, WANTED, ROOM, COUNT, USED, NUMBERS = range(9)

_RUN: Final = _ir.VectorType(_ir.IntType(8), RUN)


def _edges(builder: Any, address: Any, delimiter: Any, quote: Any) -> Any:
    value = loaded(builder, address, BYTES)
    found = builder.icmp_unsigned("==", value, every(builder, delimiter))
    for other in (every(builder, quote), same(10), same(13)):
        found = builder.or_(found, builder.icmp_unsigned("==", value, other))
    return builder.bitcast(found, _ir.IntType(64))


def _copy_run(builder: Any, source: Any, target: Any) -> None:
    stored(builder, loaded(builder, source, _RUN), target)


# What may end a cell among 64 bytes: delimiters, quotes and line ends.
edges = Operation(UNSIGNED, (SIGNED, SIGNED, SIGNED), _edges)
copy_run = Operation(NOTHING, (SIGNED, SIGNED), _copy_run)


@apart
def edges_of_rest(data: int, at: int, size: int, delimiter: int, quote: int) -> Any:
    """Mask what may end a cell among the last bytes, which are fewer than 64."""
    mask = np.uint64(0)
    for step in range(size - at):
        if byte(data, at + step) in (delimiter, quote, 10, 13):
            mask |= np.uint64(1) << np.uint64(step)
    return mask


@inner
def edges_from(data: int, at: int, size: int, delimiter: int, quote: int) -> Any:
    """Mask what may end a cell among the next 64 bytes, or those that are left."""
    if size - at < BLOCK:
        return edges_of_rest(data, at, size, delimiter, quote)
    return edges(data + at, delimiter, quote)


@apart
def behind_quotes(data: int, at: int, size: int, quote: int) -> int:
    """Give where a quoted cell is closed, behind the quote; `at` is behind the one that opens it."""
    while at < size:
        if byte(data, at) == quote:
            if at + 1 >= size or byte(data, at + 1) != quote:
                return at + 1
            at += 1
        at += 1
    return size


@inner
def take_cell(st: int, wanted: int, found: int, known: int, column: int, first: int, end: int) -> int:
    """Note a cell where its column is wanted; gives how many cells of its record are known."""
    if known == get(st, WANTED) or get(wanted, known) != column:
        return known
    at = 2 * (get(st, COUNT) * get(st, WANTED) + known)
    put_place(found, at, first)
    put_place(found, at + 1, end)
    return known + 1


@inner
def take_record(
    st: int, starts: int, ends: int, widths: int, found: int, known: int, begin: int, end: int, width: int
) -> None:
    """Note a record, which may lack wanted columns."""
    count = get(st, COUNT)
    most = get(st, WANTED)
    for at in range(2 * (count * most + known), 2 * (count + 1) * most):
        put_place(found, at, 0)
    put_place(starts, count, begin)
    put_place(ends, count, end)
    put_place(widths, count, width)
    put(st, COUNT, count + 1)


@apart
def scan_wide(st: int, data: int, wanted: int, starts: int, ends: int, widths: int, found: int) -> None:
    """Find whole records and the wanted columns in them, as `_scan` does."""
    size = get(st, SIZE)
    delimiter = get(st, DELIMITER)
    quote = get(st, QUOTE)
    last = get(st, LAST)
    sought = quote if quote < 256 else NONE
    parting = delimiter if get(st, WANTED) else NONE  # whoever wants no cell need not stop at each
    at = 0
    begin = 0
    first = 0
    column = 0
    known = 0
    while at < size:
        mask = edges_from(data, at, size, parting, sought)
        ahead = at + BLOCK
        while mask != np.uint64(0):
            here = at + trailing(mask)
            mask &= mask - np.uint64(1)
            now = byte(data, here)
            if here < first:
                continue  # the second half of a line end
            if now == quote:
                if here != begin and byte(data, here - 1) != delimiter:
                    continue  # within a cell
                ahead = behind_quotes(data, here + 1, size, quote)
                break
            if now == delimiter:
                known = take_cell(st, wanted, found, known, column, first, here)
                column += 1
                first = here + 1
                continue
            if now == 13 and here + 1 == size and not last:
                return
            after = here + 1
            if now == 13 and after < size and byte(data, after) == 10:
                after += 1
            if here > begin:
                known = take_cell(st, wanted, found, known, column, first, here)
                take_record(st, starts, ends, widths, found, known, begin, after, column + 1)
            begin = after
            first = after
            column = 0
            known = 0
            put(st, USED, after)
            if get(st, COUNT) == get(st, ROOM):
                return
        at = ahead
    if last and begin < size:
        known = take_cell(st, wanted, found, known, column, first, size)
        take_record(st, starts, ends, widths, found, known, begin, size, column + 1)
        put(st, USED, size)


@inner
def copied(data: int, begin: int, end: int, size: int, out: int) -> None:
    """Copy some bytes; up to 32 more than they are may be written."""
    while begin < end and begin + RUN <= size:
        copy_run(data + begin, out)
        begin += RUN
        out += RUN
    while begin < end:
        put_byte(out, 0, byte(data, begin))
        begin += 1
        out += 1


@apart
def gather_wide(
    data: int, size: int, found: int, step: int, rows: int, count: int, quote: int, out: int, offsets: int
) -> None:
    """Copy the cells of one column as `_gather` does: those of a record stand `step` cells behind the last one's."""
    at = 0
    for number in range(count):
        cell = 2 * step * get(rows, number)
        begin = place(found, cell)
        end = place(found, cell + 1)
        if begin < end and byte(data, begin) == quote:
            begin += 1
            while begin < end:
                if byte(data, begin) == quote:
                    begin += 1
                    if begin >= end or byte(data, begin) != quote:
                        break
                put_byte(out, at, byte(data, begin))
                at += 1
                begin += 1
        copied(data, begin, end, size, out + at)
        at += end - begin
        put_place(offsets, number + 1, at)
