"""Sixty-four bytes at a time: masks of what they are, and the block cipher; imported by compiled code alone.

Every function takes addresses, and reads 64 bytes (16 the cipher) from them.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Final

from canary.lowering import NOTHING, SIGNED, UNSIGNED, Operation

_ir: Any = import_module("llvmlite.ir")

BLOCK: Final = 64
_ARM: Final = platform.machine().lower() in ("arm64", "aarch64")
_I1, _I8, _I64 = _ir.IntType(1), _ir.IntType(8), _ir.IntType(64)
_BYTES: Final = _ir.VectorType(_I8, BLOCK)

Build = Callable[[Any, Any], Any]


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


def _mask(build: Build) -> Operation:
    """Give the bits of the bytes that a comparison holds for."""
    return Operation(
        UNSIGNED,
        (SIGNED,),
        lambda builder, at: builder.bitcast(build(builder, _loaded(builder, at, _BYTES)), _I64),
    )


def _of(*ranges: tuple[int, int]) -> Operation:
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


_NUMERALS: Final = (
    (0xE4, ((0xB8, 0xBC),)),
    (0xE5, ((0x85, 0x85), (0x8F, 0x8F), (0x9B, 0x9B), (0xA3, 0xA3), (0xB9, 0xBC))),
    (0xE3, ((0x80, 0x80),)),
    (0xE2, ((0x97, 0x97),)),
    (0xE6, ((0x8D, 0x8D), (0x9F, 0x9F))),
    (0xE7, ((0x8E, 0x8E),)),
    (0xE8, ((0x82, 0x82), (0xB2, 0xB4))),
    (0xE9, ((0x99, 0x9B),)),
)


def _numerals(builder: Any, address: Any) -> Any:
    """Mask the leads of characters that may be Chinese numerals, by their first two bytes."""
    v = _loaded(builder, address, _BYTES)
    w = _loaded(builder, builder.add(address, _I64(1)), _BYTES)
    found = [
        builder.and_(
            within(builder, v, lead, lead), any_of(builder, [within(builder, w, *r) for r in second])
        )
        for lead, second in _NUMERALS
    ]
    return builder.bitcast(any_of(builder, found), _I64)


numerals = Operation(UNSIGNED, (SIGNED,), _numerals)


trailing = Operation(SIGNED, (UNSIGNED,), lambda builder, word: builder.cttz(word, _I1(0)))  # 64 for 0
leading = Operation(SIGNED, (UNSIGNED,), lambda builder, word: builder.ctlz(word, _I1(0)))
population = Operation(SIGNED, (UNSIGNED,), lambda builder, word: builder.ctpop(word))
load64 = Operation(UNSIGNED, (SIGNED,), lambda builder, at: _loaded(builder, at, _I64))


def _prefetch(builder: Any, address: Any) -> None:
    """Ask for what stands at an address, which is read soon."""
    word = _ir.IntType(32)
    kind = _ir.FunctionType(_ir.VoidType(), [_I8.as_pointer(), word, word, word])
    pointer = builder.inttoptr(address, _I8.as_pointer())
    builder.call(_declared(builder.module, kind, "llvm.prefetch.p0"), [pointer, word(0), word(3), word(1)])


prefetch = Operation(NOTHING, (SIGNED,), _prefetch)


def _at(builder: Any, base: Any, index: Any, kind: Any) -> Any:
    return builder.add(base, builder.mul(index, _I64(kind.width // 8)))


def _read(kind: Any) -> Operation:
    def build(builder: Any, base: Any, index: Any) -> Any:
        value = _loaded(builder, _at(builder, base, index, kind), kind)
        return value if kind is _I64 else builder.zext(value, _I64)

    return Operation(SIGNED, (SIGNED, SIGNED), build)


def _write(kind: Any) -> Operation:
    def build(builder: Any, base: Any, index: Any, value: Any) -> None:
        kept = value if kind is _I64 else builder.trunc(value, kind)
        _stored(builder, kept, _at(builder, base, index, kind))

    return Operation(NOTHING, (SIGNED, SIGNED, SIGNED), build)


# Numbers and bytes at an address.
get, put = _read(_I64), _write(_I64)
byte, put_byte = _read(_I8), _write(_I8)


def _cased(first: int, last: int) -> Operation:
    """Copy up to 64 bytes in one case, the padding of CMAC behind them: a set bit, then none."""

    def build(builder: Any, source: Any, target: Any, size: Any) -> None:
        v = _loaded(builder, source, _BYTES)
        turned = builder.xor(v, builder.select(within(builder, v, first, last), _same(0x20), _same(0)))
        size = builder.trunc(size, _I8)
        undefined = _ir.Constant(_BYTES, _ir.Undefined)
        lone = builder.insert_element(undefined, size, _ir.IntType(32)(0))
        picks = _ir.Constant(_ir.VectorType(_ir.IntType(32), BLOCK), [0] * BLOCK)
        ends = builder.shuffle_vector(lone, undefined, picks)
        places = _ir.Constant(_BYTES, list(range(BLOCK)))
        padding = builder.select(builder.icmp_unsigned("==", places, ends), _same(0x80), _same(0))
        kept = builder.select(builder.icmp_unsigned("<", places, ends), turned, padding)
        _stored(builder, kept, target)

    return Operation(NOTHING, (SIGNED, SIGNED, SIGNED), build)


upper_to = _cased(97, 122)
lower_to = _cased(65, 90)

_STATE: Final = _ir.VectorType(_I8, 16) if _ARM else _ir.VectorType(_I64, 2)


def _rounds(builder: Any, state: Any, keys: Any) -> Any:
    """Encrypt a block: AES-128 with the eleven round keys at an address, by instructions of the processor."""
    key = [_loaded(builder, builder.add(keys, _I64(16 * number)), _STATE) for number in range(11)]

    def call(name: str, *values: Any) -> Any:
        function = _ir.FunctionType(_STATE, [_STATE] * len(values))
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


def _first_word(builder: Any, state: Any) -> Any:
    return builder.extract_element(builder.bitcast(state, _ir.VectorType(_I64, 2)), _ir.IntType(32)(0))


def _cipher(builder: Any, state: Any, data: Any, keys: Any) -> Any:
    """Mix a block into the state at an address and encrypt it in place; gives its first eight bytes."""
    done = _rounds(
        builder, builder.xor(_loaded(builder, state, _STATE), _loaded(builder, data, _STATE)), keys
    )
    _stored(builder, done, state)
    return _first_word(builder, done)


def _cipher_one(builder: Any, data: Any, mask: Any, keys: Any) -> Any:
    """Encrypt one block mixed with a mask; gives its first eight bytes."""
    mixed = builder.xor(_loaded(builder, data, _STATE), _loaded(builder, mask, _STATE))
    return _first_word(builder, _rounds(builder, mixed, keys))


cipher = Operation(UNSIGNED, (SIGNED, SIGNED, SIGNED), _cipher)
cipher_one = Operation(UNSIGNED, (SIGNED, SIGNED, SIGNED), _cipher_one)
