"""Sixty-four bytes at a time: compared, masked and copied; compiled code alone imports it.

Every operation takes addresses, and reads 64 bytes from them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from typing import Any, Final

from canary.lowering import NOTHING, SIGNED, UNSIGNED, Operation
from canary.operations import STATE, declared, loaded, stored

_ir: Any = import_module("llvmlite.ir")

BLOCK: Final = 64
_I8, _I32, _I64 = (_ir.IntType(bits) for bits in (8, 32, 64))
BYTES: Final = _ir.VectorType(_I8, BLOCK)

Build = Callable[[Any, Any], Any]


def same(value: int) -> Any:
    """Give 64 times a byte."""
    return _ir.Constant(BYTES, [value] * BLOCK)


def every(builder: Any, value: Any) -> Any:
    """Give 64 times a byte that is known at run time alone."""
    undefined = _ir.Constant(BYTES, _ir.Undefined)
    lone = builder.insert_element(undefined, builder.trunc(value, _I8), _I32(0))
    return builder.shuffle_vector(lone, undefined, _ir.Constant(_ir.VectorType(_I32, BLOCK), [0] * BLOCK))


def within(builder: Any, v: Any, first: int, last: int) -> Any:
    """Compare 64 bytes with a range."""
    if first == last:
        return builder.icmp_unsigned("==", v, same(first))
    return builder.icmp_unsigned("<", builder.sub(v, same(first)), same(last - first + 1))


def any_of(builder: Any, tests: Sequence[Any]) -> Any:
    """Join comparisons."""
    found = tests[0]
    for test in tests[1:]:
        found = builder.or_(found, test)
    return found


@cache
def shuffle() -> tuple[str, int]:
    """Give the instruction of this processor that looks bytes up by their halves, and how many at once; 0 for none."""
    features = import_module("llvmlite.binding").get_host_cpu_features()
    for feature, name, size in (
        ("avx512bw", "llvm.x86.avx512.pshuf.b.512", 64),
        ("avx2", "llvm.x86.avx2.pshuf.b", 32),
        ("ssse3", "llvm.x86.ssse3.pshuf.b.128", 16),
    ):
        if features.get(feature):
            return name, size
    return "", 0


def looked_up(builder: Any, table: Sequence[int], halves: Any) -> Any:
    """Look 64 bytes below 16 up in a table of 16 bytes."""
    name, size = shuffle()
    kind = _ir.VectorType(_I8, size)
    function = declared(builder.module, _ir.FunctionType(kind, [kind, kind]), name)
    values = _ir.Constant(kind, [*table] * (size // 16))
    parts = [
        builder.call(function, [values, _part(builder, halves, first, size)])
        for first in range(0, BLOCK, size)
    ]
    while len(parts) > 1:
        parts = [_together(builder, *pair) for pair in zip(parts[::2], parts[1::2], strict=True)]
    return parts[0]


def _part(builder: Any, v: Any, first: int, size: int) -> Any:
    if size == BLOCK:
        return v
    picks = _ir.Constant(_ir.VectorType(_I32, size), list(range(first, first + size)))
    return builder.shuffle_vector(v, _ir.Constant(BYTES, _ir.Undefined), picks)


def _together(builder: Any, one: Any, two: Any) -> Any:
    size = 2 * one.type.count
    picks = _ir.Constant(_ir.VectorType(_I32, size), list(range(size)))
    return builder.shuffle_vector(one, two, picks)


def mask_where(build: Build) -> Operation:
    """Give the bits of the bytes that a comparison holds for."""
    return Operation(
        UNSIGNED,
        (SIGNED,),
        lambda builder, at: builder.bitcast(build(builder, loaded(builder, at, BYTES)), _I64),
    )


def mask_in(*ranges: tuple[int, int]) -> Operation:
    """Give the bits of the bytes in any of some ranges."""
    return mask_where(lambda builder, v: any_of(builder, [within(builder, v, *each) for each in ranges]))


def ranges_of(signs: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Give the ranges of some ASCII signs."""
    ranges: list[tuple[int, int]] = []
    for code in sorted(signs):
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1] = ranges[-1][0], code
        else:
            ranges.append((code, code))
    return tuple(ranges)


def letter(builder: Any, v: Any) -> Any:
    """Compare 64 bytes with the letters of ASCII."""
    return within(builder, builder.or_(v, same(0x20)), 97, 122)


def _cased(first: int, last: int) -> Operation:
    """Copy up to 64 bytes in one case, the padding of CMAC behind them: a set bit, then none."""

    def build(builder: Any, source: Any, target: Any, size: Any) -> None:
        v = loaded(builder, source, BYTES)
        turned = builder.xor(v, builder.select(within(builder, v, first, last), same(0x20), same(0)))
        ends = every(builder, size)
        places = _ir.Constant(BYTES, list(range(BLOCK)))
        padding = builder.select(builder.icmp_unsigned("==", places, ends), same(0x80), same(0))
        kept = builder.select(builder.icmp_unsigned("<", places, ends), turned, padding)
        stored(builder, kept, target)

    return Operation(NOTHING, (SIGNED, SIGNED, SIGNED), build)


upper_to = _cased(97, 122)
lower_to = _cased(65, 90)
plain_code = mask_where(lambda builder, v: any_of(builder, [letter(builder, v), within(builder, v, 48, 57)]))
plain_mail = mask_where(
    lambda builder, v: any_of(
        builder,
        [letter(builder, v), *(within(builder, v, *each) for each in ((48, 57), *ranges_of(b"._%+-@")))],
    )
)


def _cased_blocks(builder: Any, at: Any, first: Any, size: Any, blocks: int) -> list[Any]:
    """Read up to so many blocks of 16 in one case, the padding of CMAC behind them; `first` is the letter turned."""
    kind = _ir.VectorType(_I8, 16 * blocks)

    def same(value: Any) -> Any:
        undefined = _ir.Constant(kind, _ir.Undefined)
        lone = builder.insert_element(undefined, builder.trunc(value, _I8), _I32(0))
        picks = _ir.Constant(_ir.VectorType(_I32, 16 * blocks), [0] * (16 * blocks))
        return builder.shuffle_vector(lone, undefined, picks)

    def every(value: int) -> Any:
        return _ir.Constant(kind, [value] * (16 * blocks))

    v = loaded(builder, at, kind)
    letters = builder.icmp_unsigned("<", builder.sub(v, same(first)), every(26))
    turned = builder.xor(v, builder.select(letters, every(0x20), every(0)))
    places, ends = _ir.Constant(kind, list(range(16 * blocks))), same(size)
    padding = builder.select(builder.icmp_unsigned("==", places, ends), every(0x80), every(0))
    kept = builder.select(builder.icmp_unsigned("<", places, ends), turned, padding)
    words = builder.bitcast(kept, _ir.VectorType(_I64, 2 * blocks))
    parts = []
    for number in range(blocks):
        picks = _ir.Constant(_ir.VectorType(_I32, 2), [2 * number, 2 * number + 1])
        parts.append(builder.bitcast(builder.shuffle_vector(words, words, picks), STATE))
    return parts


def _write_blocks(blocks: int) -> Operation:
    """Write a value of up to so many blocks in one case, padded, the last one mixed with a mask."""

    def build(builder: Any, at: Any, first: Any, size: Any, mask: Any, target: Any) -> None:
        *parts, last = _cased_blocks(builder, at, first, size, blocks)
        last = builder.xor(last, loaded(builder, mask, STATE))
        for number, part in enumerate([*parts, last]):
            stored(builder, part, builder.add(target, _I64(16 * number)))

    return Operation(NOTHING, (SIGNED,) * 5, build)


one_block, two_blocks = _write_blocks(1), _write_blocks(2)
