"""What compiled code does in a few instructions: numbers at addresses, bits of words, and the block cipher.

Compiled code alone imports it. Every operation takes addresses; the cipher reads 16 bytes from them.
"""

from __future__ import annotations

import platform
from importlib import import_module
from typing import Any, Final

from canary.lowering import NOTHING, SIGNED, UNSIGNED, Operation

_ir: Any = import_module("llvmlite.ir")

_ARM: Final = platform.machine().lower() in ("arm64", "aarch64")
_I1, _I8, _I32, _I64 = (_ir.IntType(bits) for bits in (1, 8, 32, 64))


def loaded(builder: Any, address: Any, kind: Any) -> Any:
    """Read a value of a kind at an address, wherever it lies."""
    value = builder.load(builder.inttoptr(address, kind.as_pointer()), typ=kind)
    value.align = 1
    return value


def stored(builder: Any, value: Any, address: Any) -> None:
    """Write a value to an address, wherever it lies."""
    builder.store(value, builder.inttoptr(address, value.type.as_pointer())).align = 1


def declared(module: Any, function: Any, name: str) -> Any:
    """Give a function of LLVM by its name, declared once in a module."""
    known = module.globals.get(name)
    return known if known is not None else _ir.Function(module, function, name)


trailing = Operation(SIGNED, (UNSIGNED,), lambda builder, word: builder.cttz(word, _I1(0)))  # 64 for 0
leading = Operation(SIGNED, (UNSIGNED,), lambda builder, word: builder.ctlz(word, _I1(0)))
population = Operation(SIGNED, (UNSIGNED,), lambda builder, word: builder.ctpop(word))
load64 = Operation(UNSIGNED, (SIGNED,), lambda builder, at: loaded(builder, at, _I64))


def _prefetch(builder: Any, address: Any) -> None:
    """Ask for what stands at an address, which is read soon."""
    word = _I32
    kind = _ir.FunctionType(_ir.VoidType(), [_I8.as_pointer(), word, word, word])
    pointer = builder.inttoptr(address, _I8.as_pointer())
    builder.call(declared(builder.module, kind, "llvm.prefetch.p0"), [pointer, word(0), word(3), word(1)])


prefetch = Operation(NOTHING, (SIGNED,), _prefetch)


def _at(builder: Any, base: Any, index: Any, kind: Any) -> Any:
    return builder.add(base, builder.mul(index, _I64(kind.width // 8)))


def _read(kind: Any) -> Operation:
    def build(builder: Any, base: Any, index: Any) -> Any:
        value = loaded(builder, _at(builder, base, index, kind), kind)
        return value if kind is _I64 else builder.zext(value, _I64)

    return Operation(SIGNED, (SIGNED, SIGNED), build)


def _write(kind: Any) -> Operation:
    def build(builder: Any, base: Any, index: Any, value: Any) -> None:
        kept = value if kind is _I64 else builder.trunc(value, kind)
        stored(builder, kept, _at(builder, base, index, kind))

    return Operation(NOTHING, (SIGNED, SIGNED, SIGNED), build)


# Numbers and bytes at an address.
get, put = _read(_I64), _write(_I64)
byte, put_byte = _read(_I8), _write(_I8)
place, put_place = _read(_I32), _write(_I32)


STATE: Final = _ir.VectorType(_I8, 16) if _ARM else _ir.VectorType(_I64, 2)


def _rounds(builder: Any, state: Any, keys: Any) -> Any:
    """Encrypt a block: AES-128 with the eleven round keys at an address, by instructions of the processor."""
    key = [loaded(builder, builder.add(keys, _I64(16 * number)), STATE) for number in range(11)]

    def call(name: str, *values: Any) -> Any:
        function = _ir.FunctionType(STATE, [STATE] * len(values))
        return builder.call(declared(builder.module, function, name), values)

    if _ARM:
        for number in range(9):
            state = call("llvm.aarch64.crypto.aesmc", call("llvm.aarch64.crypto.aese", state, key[number]))
        return builder.xor(call("llvm.aarch64.crypto.aese", state, key[9]), key[10])
    state = builder.xor(state, key[0])
    for number in range(1, 10):
        state = call("llvm.x86.aesni.aesenc", state, key[number])
    return call("llvm.x86.aesni.aesenclast", state, key[10])


def _first_word(builder: Any, state: Any) -> Any:
    return builder.extract_element(builder.bitcast(state, _ir.VectorType(_I64, 2)), _I32(0))


def _cipher(builder: Any, state: Any, data: Any, keys: Any) -> Any:
    """Mix a block into the state at an address and encrypt it in place; gives its first eight bytes."""
    done = _rounds(builder, builder.xor(loaded(builder, state, STATE), loaded(builder, data, STATE)), keys)
    stored(builder, done, state)
    return _first_word(builder, done)


def _cipher_one(builder: Any, at: Any, keys: Any) -> Any:
    """Encrypt a block; gives its first eight bytes."""
    return _first_word(builder, _rounds(builder, loaded(builder, at, STATE), keys))


def _cipher_two(builder: Any, at: Any, keys: Any) -> Any:
    """Encrypt two blocks, the second mixed with the first; gives the first eight bytes of it."""
    first = _rounds(builder, loaded(builder, at, STATE), keys)
    second = loaded(builder, builder.add(at, _I64(16)), STATE)
    return _first_word(builder, _rounds(builder, builder.xor(first, second), keys))


cipher = Operation(UNSIGNED, (SIGNED, SIGNED, SIGNED), _cipher)
cipher_one = Operation(UNSIGNED, (SIGNED, SIGNED), _cipher_one)
cipher_two = Operation(UNSIGNED, (SIGNED, SIGNED), _cipher_two)
