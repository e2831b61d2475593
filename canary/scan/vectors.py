"""Sixty-four bytes at a time: masks of what they are, and the block cipher; imported by compiled code alone.

Every function takes addresses, and reads 64 bytes (16 the cipher) from them.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Final

_numba: Any = import_module("numba.extending")
_types: Any = import_module("numba.types")
_ir: Any = import_module("llvmlite.ir")

BLOCK: Final = 64
_ARM: Final = platform.machine().lower() in ("arm64", "aarch64")
_I1, _I8, _I64 = _ir.IntType(1), _ir.IntType(8), _ir.IntType(64)
_BYTES: Final = _ir.VectorType(_I8, BLOCK)

Build = Callable[[Any, Any], Any]


def _intrinsic(function: Callable[..., Any]) -> Any:
    return _numba.intrinsic(function)


def _same(value: int) -> Any:
    return _ir.Constant(_BYTES, [value] * BLOCK)


def _loaded(builder: Any, address: Any, kind: Any) -> Any:
    value = builder.load(builder.inttoptr(address, kind.as_pointer()), typ=kind)
    value.align = 1
    return value


def _stored(builder: Any, value: Any, address: Any) -> None:
    builder.store(value, builder.inttoptr(address, value.type.as_pointer())).align = 1


def within(builder: Any, v: Any, first: int, last: int) -> Any:
    """Compare 64 bytes with a range."""
    if first == last:
        return builder.icmp_unsigned("==", v, _same(first))
    return builder.icmp_unsigned("<", builder.sub(v, _same(first)), _same(last - first + 1))


def any_of(builder: Any, tests: Sequence[Any]) -> Any:
    """Join comparisons."""
    found = tests[0]
    for test in tests[1:]:
        found = builder.or_(found, test)
    return found


def _mask(build: Build) -> Any:
    @_intrinsic
    def mask(_context: Any, address: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            return builder.bitcast(build(builder, _loaded(builder, args[0], _BYTES)), _I64)

        return _types.uint64(_types.int64), generate

    return mask


def _of(*ranges: tuple[int, int]) -> Any:
    return _mask(lambda builder, v: any_of(builder, [within(builder, v, *each) for each in ranges]))


def _signs(signs: str) -> tuple[tuple[int, int], ...]:
    """Give the ranges of some ASCII signs."""
    ranges: list[tuple[int, int]] = []
    for code in sorted(map(ord, signs)):
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1] = ranges[-1][0], code
        else:
            ranges.append((code, code))
    return tuple(ranges)


def _letters(builder: Any, v: Any) -> Any:
    return within(builder, builder.or_(v, _same(0x20)), 97, 122)


digits = _of((48, 57))
letters = _mask(_letters)
capitals = _of((65, 90))
high = _mask(lambda builder, v: builder.icmp_signed("<", v, _same(0)))
filled = _of((33, 255))
new_lines = _of((10, 10))
quotes = _of((34, 34))
sql_borders = _of((10, 10), (41, 41))
json_borders = _of((125, 125))
ats = _of((64, 64))
joints = _of((45, 47), (95, 95))
marks = _of(*_signs(" -.()/_[]{}|\\*<>':~+=#&"))
packed_marks = _of(*_signs("+/-_"))
escapes = _of(*_signs("=%&\\"))
opens = _of(*_signs("([{<"))
blanks = _of((9, 9), (32, 32), (45, 45), (95, 95))
at_starts = _of(*_signs("aAdD@"))
spaces = _of((32, 32))
half_ats = _of(*_signs("aAdD@. \t\r\n"), (128, 255))
labels = _mask(
    lambda builder, v: any_of(
        builder, [_letters(builder, v), within(builder, v, 48, 57), within(builder, v, 45, 45)]
    )
)
mail_signs = _mask(
    lambda builder, v: any_of(
        builder, [_letters(builder, v), *(within(builder, v, *each) for each in ((48, 57), *_signs("._%+-")))]
    )
)
ones = _of((49, 49))
mobile_seconds = _of((51, 57))
wide_leads = _of((0xE2, 0xE9))  # of the characters a name may be made of
odd_leads = _of(
    (0xC2, 0xC2), (0xCD, 0xCD), (0xD8, 0xD9), (0xDB, 0xDB), (0xE0, 0xE3), (0xEF, 0xF0), (0xF3, 0xF3)
)


@_intrinsic
def numerals(_context: Any, address: Any) -> Any:
    """Mask the leads of characters that may be Chinese numerals, by their first two bytes."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        v = _loaded(builder, args[0], _BYTES)
        w = _loaded(builder, builder.add(args[0], _ir.Constant(_I64, 1)), _BYTES)
        found = [
            builder.and_(
                within(builder, v, lead, lead), any_of(builder, [within(builder, w, *r) for r in second])
            )
            for lead, second in (
                (0xE4, ((0xB8, 0xBC),)),
                (0xE5, ((0x85, 0x85), (0x8F, 0x8F), (0x9B, 0x9B), (0xA3, 0xA3), (0xB9, 0xBC))),
                (0xE3, ((0x80, 0x80),)),
                (0xE2, ((0x97, 0x97),)),
                (0xE6, ((0x8D, 0x8D), (0x9F, 0x9F))),
                (0xE7, ((0x8E, 0x8E),)),
                (0xE8, ((0x82, 0x82), (0xB2, 0xB4))),
                (0xE9, ((0x99, 0x9B),)),
            )
        ]
        return builder.bitcast(any_of(builder, found), _I64)

    return _types.uint64(_types.int64), generate


def _counted(name: str) -> Any:
    @_intrinsic
    def count(_context: Any, word: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            if name == "ctpop":
                return builder.ctpop(args[0])
            return getattr(builder, name)(args[0], _ir.Constant(_I1, 0))

        return _types.int64(_types.uint64), generate

    return count


trailing = _counted("cttz")  # 64 for 0
leading = _counted("ctlz")
population = _counted("ctpop")


@_intrinsic
def load64(_context: Any, address: Any) -> Any:
    """Load eight bytes."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return _loaded(builder, args[0], _I64)

    return _types.uint64(_types.int64), generate


@_intrinsic
def prefetch(_context: Any, address: Any) -> Any:
    """Ask for what stands at an address, which is read soon."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        word = _ir.IntType(32)
        pointer = builder.inttoptr(args[0], _I8.as_pointer())
        kind = _ir.FunctionType(_ir.VoidType(), [_I8.as_pointer(), word, word, word])
        builder.call(
            _declared(builder.module, kind, "llvm.prefetch.p0"), [pointer, word(0), word(3), word(1)]
        )
        return _context.get_dummy_value()

    return _types.void(_types.int64), generate


def _read(kind: Any) -> Any:
    @_intrinsic
    def read(_context: Any, base: Any, index: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            step = _ir.Constant(_I64, kind.width // 8)
            value = _loaded(builder, builder.add(args[0], builder.mul(args[1], step)), kind)
            return value if kind is _I64 else builder.zext(value, _I64)

        return _types.int64(_types.int64, _types.int64), generate

    return read


def _write(kind: Any) -> Any:
    @_intrinsic
    def write(_context: Any, base: Any, index: Any, value: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            step = _ir.Constant(_I64, kind.width // 8)
            kept = args[2] if kind is _I64 else builder.trunc(args[2], kind)
            _stored(builder, kept, builder.add(args[0], builder.mul(args[1], step)))
            return _context.get_dummy_value()

        return _types.void(_types.int64, _types.int64, _types.int64), generate

    return write


# Numbers and bytes at an address: arrays would be counted as they are handed on, at every call.
get, put = _read(_I64), _write(_I64)
byte, put_byte = _read(_I8), _write(_I8)


def _cased(first: int, last: int) -> Any:
    """Copy up to 64 bytes in one case, the padding of CMAC behind them: a set bit, then none."""

    @_intrinsic
    def copy(_context: Any, source: Any, target: Any, size: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            v = _loaded(builder, args[0], _BYTES)
            turned = builder.xor(v, builder.select(within(builder, v, first, last), _same(0x20), _same(0)))
            size = builder.trunc(args[2], _I8)
            undefined = _ir.Constant(_BYTES, _ir.Undefined)
            lone = builder.insert_element(undefined, size, _ir.Constant(_ir.IntType(32), 0))
            picks = _ir.Constant(_ir.VectorType(_ir.IntType(32), BLOCK), [0] * BLOCK)
            ends = builder.shuffle_vector(lone, undefined, picks)
            places = _ir.Constant(_BYTES, list(range(BLOCK)))
            padding = builder.select(builder.icmp_unsigned("==", places, ends), _same(0x80), _same(0))
            kept = builder.select(builder.icmp_unsigned("<", places, ends), turned, padding)
            _stored(builder, kept, args[1])
            return _context.get_dummy_value()

        return _types.void(_types.int64, _types.int64, _types.int64), generate

    return copy


upper_to = _cased(97, 122)
lower_to = _cased(65, 90)


def _rounds(builder: Any, state: Any, keys: Any) -> Any:
    """Encrypt a block: AES-128 with the eleven round keys at an address, by instructions of the processor."""
    kind = _ir.VectorType(_I8, 16) if _ARM else _ir.VectorType(_I64, 2)
    key = [_loaded(builder, builder.add(keys, _ir.Constant(_I64, 16 * number)), kind) for number in range(11)]

    def call(name: str, *values: Any) -> Any:
        function = _ir.FunctionType(kind, [kind] * len(values))
        return builder.call(_declared(builder.module, function, name), values)

    if _ARM:
        for number in range(9):
            state = call("llvm.aarch64.crypto.aesmc", call("llvm.aarch64.crypto.aese", state, key[number]))
        return builder.xor(call("llvm.aarch64.crypto.aese", state, key[9]), key[10])
    state = builder.xor(state, key[0])
    for number in range(1, 10):
        state = call("llvm.x86.aesni.aesenc", state, key[number])
    return call("llvm.x86.aesni.aesenclast", state, key[10])


def _declared(module: Any, function: Any, name: str) -> Any:
    known = module.globals.get(name)
    return known if known is not None else _ir.Function(module, function, name)


@_intrinsic
def cipher(_context: Any, state: Any, data: Any, keys: Any) -> Any:
    """Mix a block into the state at an address and encrypt it in place; gives its first eight bytes."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        kind = _ir.VectorType(_I8, 16) if _ARM else _ir.VectorType(_I64, 2)
        mixed = builder.xor(_loaded(builder, args[0], kind), _loaded(builder, args[1], kind))
        done = _rounds(builder, mixed, args[2])
        _stored(builder, done, args[0])
        words = builder.bitcast(done, _ir.VectorType(_I64, 2))
        return builder.extract_element(words, _ir.Constant(_ir.IntType(32), 0))

    return _types.uint64(_types.int64, _types.int64, _types.int64), generate


@_intrinsic
def cipher_one(_context: Any, data: Any, mask: Any, keys: Any) -> Any:
    """Encrypt one block mixed with a mask; gives its first eight bytes."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        kind = _ir.VectorType(_I8, 16) if _ARM else _ir.VectorType(_I64, 2)
        mixed = builder.xor(_loaded(builder, args[0], kind), _loaded(builder, args[1], kind))
        words = builder.bitcast(_rounds(builder, mixed, args[2]), _ir.VectorType(_I64, 2))
        return builder.extract_element(words, _ir.Constant(_ir.IntType(32), 0))

    return _types.uint64(_types.int64, _types.int64, _types.int64), generate
