"""What bytes hold, looked at 64 at a time, and whether they are UTF-8; compiled code alone imports it.

The look-up algorithm of Keiser and Lemire (Validating UTF-8 in less than one instruction per byte, 2021): three
tables of half bytes tell what is wrong with two bytes that follow each other.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

import numpy as np

from canary.blocks import BLOCK, BYTES, looked_up, mask_in, same, shuffle
from canary.lowering import SIGNED, UNSIGNED, Operation
from canary.native import apart
from canary.operations import byte, get, loaded, put, put_byte

_ir: Any = import_module("llvmlite.ir")
_I64: Final = _ir.IntType(64)

DATA, SIZE, SCRATCH, BAD, NUMBERS = range(5)
WIDE, NULS, QUOTES, SEEN = range(2, 6)  # of a glance: whether any is not ASCII, NUL, a quote
BEFORE: Final = 3  # bytes of a character before its last one

# What two bytes that follow each other may be: a bit for each fault.
_SHORT, _LONG, _OVER_3, _LARGE, _SURROGATE, _OVER_2, _OVER_4, _TWO = (1 << bit for bit in range(8))
_LARGE_1000: Final = _OVER_4
_CARRY: Final = _SHORT | _LONG | _TWO
_FIRST_UPPER: Final = (
    *[_LONG] * 8, *[_TWO] * 4, _SHORT | _OVER_2, _SHORT, _SHORT | _OVER_3 | _SURROGATE,
    _SHORT | _LARGE | _LARGE_1000 | _OVER_4,
)  # fmt: skip
_FIRST_LOWER: Final = (
    _CARRY | _OVER_3 | _OVER_2 | _OVER_4, _CARRY | _OVER_2, _CARRY, _CARRY, _CARRY | _LARGE,
    *[_CARRY | _LARGE | _LARGE_1000] * 8, _CARRY | _LARGE | _LARGE_1000 | _SURROGATE,
    *[_CARRY | _LARGE | _LARGE_1000] * 2,
)  # fmt: skip
_SECOND: Final = (
    *[_SHORT] * 8, _LONG | _OVER_2 | _TWO | _OVER_3 | _LARGE_1000 | _OVER_4, _LONG | _OVER_2 | _TWO | _OVER_3 | _LARGE,
    *[_LONG | _OVER_2 | _TWO | _SURROGATE | _LARGE] * 2, *[_SHORT] * 4,
)  # fmt: skip


def _faults(builder: Any, at: Any) -> Any:
    """Mask the bytes that cannot stand where they do, by the three before them; all where nothing looks them up."""
    if not shuffle()[1]:
        return _I64(-1)
    now, one, two, three = (loaded(builder, builder.sub(at, _I64(back)), BYTES) for back in range(4))
    faults = builder.and_(
        looked_up(builder, _FIRST_UPPER, builder.lshr(one, same(4))),
        looked_up(builder, _FIRST_LOWER, builder.and_(one, same(15))),
    )
    faults = builder.and_(faults, looked_up(builder, _SECOND, builder.lshr(now, same(4))))
    third = builder.or_(
        builder.icmp_unsigned(">=", two, same(0xE0)), builder.icmp_unsigned(">=", three, same(0xF0))
    )
    wrong = builder.xor(faults, builder.select(third, same(0x80), same(0)))
    return builder.bitcast(builder.icmp_unsigned("!=", wrong, same(0)), _I64)


faults = Operation(UNSIGNED, (SIGNED,), _faults)


@apart
def check_wide(st: int) -> None:
    """Look for bytes that are no UTF-8; `SCRATCH` is room for a block and 64 zeros before and behind it."""
    data = get(st, DATA)
    size = get(st, SIZE)
    middle = get(st, SCRATCH) + BLOCK
    first = size if size < BLOCK else BLOCK
    for at in range(first):
        put_byte(middle, at, byte(data, at))
    bad = faults(middle)
    at = BLOCK
    while at + BLOCK <= size:
        bad |= faults(data + at)
        at += BLOCK
    if size >= BLOCK:
        for step in range(BLOCK + BEFORE):
            here = at - BEFORE + step
            put_byte(middle - BEFORE, step, byte(data, here) if here < size else 0)
        bad |= faults(middle)
    put(st, BAD, 0)
    if bad != np.uint64(0):
        put(st, BAD, 1)


high, nuls, quotes = mask_in((128, 255)), mask_in((0, 0)), mask_in((34, 34))


@apart
def glance_wide(st: int) -> None:
    """Tell which kinds of bytes there are in whole blocks; what is left over somebody else looks at."""
    data = get(st, DATA)
    end = data + (get(st, SIZE) >> 6 << 6)
    wide = np.uint64(0)
    nul = np.uint64(0)
    quote = np.uint64(0)
    while data < end:
        wide |= high(data)
        nul |= nuls(data)
        quote |= quotes(data)
        data += BLOCK
    put(st, WIDE, wide != np.uint64(0))
    put(st, NULS, nul != np.uint64(0))
    put(st, QUOTES, quote != np.uint64(0))
