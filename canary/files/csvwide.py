"""Cells of CSV records found 64 bytes at a time, and copied 32 at a time; imported where numba is installed alone.

What these do is what `_scan` and `_gather` of csvkernel do, byte by byte and plainly.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

import numpy as np

_extending: Any = import_module("numba.extending")
_types: Any = import_module("numba.types")
_ir: Any = import_module("llvmlite.ir")

BLOCK: Final = 64
RUN: Final = 32
_I1, _I8, _I64 = _ir.IntType(1), _ir.IntType(8), _ir.IntType(64)
_BYTES: Final = _ir.VectorType(_I8, BLOCK)
_RUN: Final = _ir.VectorType(_I8, RUN)


def _pointer(builder: Any, address: Any, kind: Any) -> Any:
    return builder.inttoptr(address, kind.as_pointer())


def _all(builder: Any, byte: Any) -> Any:
    """Give 64 times a byte."""
    none = _ir.Constant(_BYTES, _ir.Undefined)
    lone = builder.insert_element(none, builder.trunc(byte, _I8), _ir.Constant(_ir.IntType(32), 0))
    picks = _ir.Constant(_ir.VectorType(_ir.IntType(32), BLOCK), [0] * BLOCK)
    return builder.shuffle_vector(lone, none, picks)


@_extending.intrinsic  # type: ignore[untyped-decorator]
def edges(_context: Any, address: Any, delimiter: Any, quote: Any) -> Any:
    """Mask what may end a cell among 64 bytes: delimiters, quotes and line ends."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        value = builder.load(_pointer(builder, args[0], _BYTES), typ=_BYTES)
        value.align = 1
        ends = [_ir.Constant(_BYTES, [code] * BLOCK) for code in (10, 13)]
        found = builder.icmp_unsigned("==", value, _all(builder, args[1]))
        for other in (_all(builder, args[2]), *ends):
            found = builder.or_(found, builder.icmp_unsigned("==", value, other))
        return builder.bitcast(found, _I64)

    return _types.uint64(_types.int64, _types.int64, _types.int64), generate


@_extending.intrinsic  # type: ignore[untyped-decorator]
def lowest(_context: Any, mask: Any) -> Any:
    """Give the place of the lowest bit of a mask."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], _ir.Constant(_I1, 1))

    return _types.int64(_types.uint64), generate


@_extending.intrinsic  # type: ignore[untyped-decorator]
def byte_at(_context: Any, base: Any, place: Any) -> Any:
    """Give the byte at a place behind an address."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        value = builder.load(_pointer(builder, builder.add(args[0], args[1]), _I8), typ=_I8)
        return builder.zext(value, _I64)

    return _types.int64(_types.int64, _types.int64), generate


@_extending.intrinsic  # type: ignore[untyped-decorator]
def put_byte(_context: Any, base: Any, place: Any, byte: Any) -> Any:
    """Write the byte at a place behind an address."""

    def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        builder.store(builder.trunc(args[2], _I8), _pointer(builder, builder.add(args[0], args[1]), _I8))
        return context.get_dummy_value()

    return _types.void(_types.int64, _types.int64, _types.int64), generate


@_extending.intrinsic  # type: ignore[untyped-decorator]
def copy_run(_context: Any, source: Any, target: Any) -> Any:
    """Copy 32 bytes from one address to another."""

    def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        value = builder.load(_pointer(builder, args[0], _RUN), typ=_RUN)
        value.align = 1
        builder.store(value, _pointer(builder, args[1], _RUN)).align = 1
        return context.get_dummy_value()

    return _types.void(_types.int64, _types.int64), generate


def mask_of_rest(base: int, at: int, size: int, delimiter: int, quote: int) -> int:
    """Mask what may end a cell among the last bytes, which are fewer than 64."""
    mask = 0
    for place in range(size - at):
        byte = byte_at(base, at + place)
        if byte in (delimiter, quote, 10, 13):
            mask |= 1 << place
    return mask


def behind_quotes(base: int, at: int, size: int, quote: int) -> int:
    """Give where a quoted cell is closed, behind the quote; `at` is behind the one that opens it."""
    while at < size:
        if byte_at(base, at) == quote:
            if at + 1 >= size or byte_at(base, at + 1) != quote:
                return at + 1
            at += 1
        at += 1
    return size


def scan_wide(
    data: Any, delimiter: int, quote: int, last: bool, wanted: Any, starts: Any, ends: Any, widths: Any,
    found: Any, used: Any,
) -> int:  # fmt: skip
    """Find whole records and the wanted columns in them, as `_scan` does."""
    size, base, room, most = len(data), data.ctypes.data, len(starts), len(wanted)
    at = count = begin = first = column = place = 0
    sought = quote if quote < 256 else 10  # what is no byte is sought as one that is sought anyway
    used[0] = 0
    while at < size:
        if size - at < BLOCK:
            mask = np.uint64(mask_of_rest(base, at, size, delimiter, quote))
        else:
            mask = edges(base + at, delimiter, sought)
        ahead = at + BLOCK
        while mask:
            here = at + lowest(mask)
            mask &= mask - np.uint64(1)
            byte = byte_at(base, here)
            if here < first or (byte == quote and here != first):
                continue  # the second half of a line end, or a quote within a cell
            if byte == quote:
                ahead = behind_quotes(base, here + 1, size, quote)
                break
            ends_line = byte != delimiter
            if ends_line and byte == 13 and here + 1 == size and not last:
                return count
            if here > begin or not ends_line:
                if place < most and wanted[place] == column:
                    found[count, place, 0], found[count, place, 1] = first, here
                    place += 1
                column += 1
            first = here + 1
            if not ends_line:
                continue
            if byte == 13 and first < size and byte_at(base, first) == 10:
                first += 1
            if here > begin:
                starts[count], ends[count], widths[count] = begin, first, column
                found[count, place:] = 0
                count += 1
            used[0] = begin = first
            column = place = 0
            if count == room:
                return count
        at = ahead
    if last and begin < size:
        if place < most and wanted[place] == column:
            found[count, place, 0], found[count, place, 1] = first, size
            place += 1
        found[count, place:] = 0
        starts[count], ends[count], widths[count] = begin, size, column + 1
        used[0] = size
        return count + 1
    return count


def gather_wide(data: Any, found: Any, place: int, rows: Any, quote: int, out: Any, offsets: Any) -> int:
    """Copy the cells of one column as `_gather` does; `out` has room for 32 bytes more than they need."""
    size, source, target, at = len(data), data.ctypes.data, out.ctypes.data, np.int64(0)
    for number in range(len(rows)):
        begin, end = np.int64(found[rows[number], place, 0]), np.int64(found[rows[number], place, 1])
        if begin < end and byte_at(source, begin) == quote:
            begin += 1
            while begin < end:
                if byte_at(source, begin) == quote:
                    begin += 1
                    if begin >= end or byte_at(source, begin) != quote:
                        break
                put_byte(target, at, byte_at(source, begin))
                at += 1
                begin += 1
        while begin < end and begin + RUN <= size:
            copy_run(source + begin, target + at)
            step = end - begin if end - begin < RUN else RUN
            begin += step
            at += step
        while begin < end:
            put_byte(target, at, byte_at(source, begin))
            begin += 1
            at += 1
        offsets[number + 1] = at
    return int(at)
