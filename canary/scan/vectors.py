"""Sixty-four bytes at a time: masks of what they are; imported by compiled code alone.

Every operation takes addresses, and reads 64 bytes from them.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from typing import Any, Final

from canary.lowering import NOTHING, SIGNED, UNSIGNED, Operation
from canary.operations import declared, loaded, stored

_ir: Any = import_module("llvmlite.ir")

BLOCK: Final = 64
_I8, _I64 = (_ir.IntType(bits) for bits in (8, 64))
_BYTES: Final = _ir.VectorType(_I8, BLOCK)

Build = Callable[[Any, Any], Any]


def _same(value: int) -> Any:
    return _ir.Constant(_BYTES, [value] * BLOCK)


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
        lambda builder, at: builder.bitcast(build(builder, loaded(builder, at, _BYTES)), _I64),
    )


def _of(*ranges: tuple[int, int]) -> Operation:
    return _mask(lambda builder, v: any_of(builder, [within(builder, v, *each) for each in ranges]))


def _signs(signs: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Give the ranges of some ASCII signs."""
    ranges: list[tuple[int, int]] = []
    for code in sorted(signs):
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1] = ranges[-1][0], code
        else:
            ranges.append((code, code))
    return tuple(ranges)


def _letters(builder: Any, v: Any) -> Any:
    return within(builder, builder.or_(v, _same(0x20)), 97, 122)


# What the bytes of a block are, as `classify` writes it: a mask for each set.
(
    DIGITS, LETTERS, HIGH, MARKS, JOINTS, SPACES, ATS, ESCAPES, OPENS, BLANKS, AT_STARTS, HALF_ATS, PACKED_MARKS, ONES,
    MOBILE_SECONDS, NEW_LINES, QUOTES, EMPTY, LABELS, MAIL_SIGNS, SETS,
) = range(21)  # fmt: skip
_SETS: Final[dict[int, tuple[int, ...]]] = {
    DIGITS: tuple(b"0123456789"),
    LETTERS: tuple(string.ascii_letters.encode()),
    MARKS: tuple(b" -.()/_[]{}|\\*<>':~+=#&"),
    JOINTS: tuple(b"-./_"),
    SPACES: tuple(b" "),
    ATS: tuple(b"@"),
    ESCAPES: tuple(b"=%&\\"),
    OPENS: tuple(b"([{<"),
    BLANKS: tuple(b"\t -_"),
    AT_STARTS: tuple(b"aAdD@"),
    HALF_ATS: tuple(b"aAdD@. \t\r\n"),  # and what is not ASCII
    PACKED_MARKS: tuple(b"+/-_"),
    ONES: tuple(b"1"),
    MOBILE_SECONDS: tuple(b"3456789"),
    NEW_LINES: tuple(b"\n"),
    QUOTES: tuple(b'"'),
    EMPTY: tuple(range(33)),
    LABELS: tuple(f"{string.ascii_letters}{string.digits}-".encode()),
    MAIL_SIGNS: tuple(f"{string.ascii_letters}{string.digits}._%+-".encode()),
}


def _products(signs: Sequence[int]) -> list[tuple[frozenset[int], frozenset[int]]]:
    """Write a set of ASCII as products: the upper halves of bytes that have the same lower halves."""
    lower: dict[int, set[int]] = {}
    for sign in signs:
        lower.setdefault(sign >> 4, set()).add(sign & 15)
    upper: dict[frozenset[int], set[int]] = {}
    for high_half, lows in lower.items():
        upper.setdefault(frozenset(lows), set()).add(high_half)
    return [(frozenset(highs), lows) for lows, highs in upper.items()]


@cache
def _groups() -> list[tuple[list[tuple[frozenset[int], frozenset[int]]], dict[int, int]]]:
    """Give the products of up to eight bits that are looked up together, and the bits of each set among them."""
    groups: list[tuple[list[tuple[frozenset[int], frozenset[int]]], dict[int, int]]] = []
    for name, signs in sorted(_SETS.items(), key=lambda one: -len(_products(one[1]))):
        wanted = _products(signs)
        fitting = [group for group in groups if len({*group[0], *wanted}) <= 8]
        if not fitting:
            groups.append(([], {}))
        products, bits = min(fitting, key=lambda group: len({*group[0], *wanted}), default=groups[-1])
        products += [each for each in wanted if each not in products]
        bits[name] = sum(1 << products.index(each) for each in wanted)
    return groups


@cache
def _shuffle() -> tuple[str, int]:
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


def _looked_up(builder: Any, table: Sequence[int], halves: Any) -> Any:
    name, size = _shuffle()
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
    picks = _ir.Constant(_ir.VectorType(_ir.IntType(32), size), list(range(first, first + size)))
    return builder.shuffle_vector(v, _ir.Constant(_BYTES, _ir.Undefined), picks)


def _together(builder: Any, one: Any, two: Any) -> Any:
    size = 2 * one.type.count
    picks = _ir.Constant(_ir.VectorType(_ir.IntType(32), size), list(range(size)))
    return builder.shuffle_vector(one, two, picks)


def _classify(builder: Any, source: Any, target: Any) -> None:
    """Write the masks of a block: each half of a byte is looked up, eight products at once."""
    v = loaded(builder, source, _BYTES)
    wide = builder.bitcast(builder.icmp_signed("<", v, _same(0)), _I64)
    found = _compared(builder, v) if not _shuffle()[1] else _halved(builder, v)
    found[HALF_ATS] = builder.or_(found[HALF_ATS], wide)
    for name, mask in {**found, HIGH: wide}.items():
        stored(builder, mask, builder.add(target, _I64(8 * name)))


def _halved(builder: Any, v: Any) -> dict[int, Any]:
    lower, upper = builder.and_(v, _same(15)), builder.lshr(v, _same(4))
    found: dict[int, Any] = {}
    for products, bits in _groups():
        tables = [
            [sum(1 << bit for bit, each in enumerate(products) if half in each[which]) for half in range(16)]
            for which in (0, 1)
        ]
        kinds = builder.and_(_looked_up(builder, tables[0], upper), _looked_up(builder, tables[1], lower))
        for name, wanted in bits.items():
            test = builder.icmp_unsigned("!=", builder.and_(kinds, _same(wanted)), _same(0))
            found[name] = builder.bitcast(test, _I64)
    return found


def _compared(builder: Any, v: Any) -> dict[int, Any]:
    """Give the masks by comparisons, where the processor has no such look-up."""
    return {
        name: builder.bitcast(any_of(builder, [within(builder, v, *each) for each in _signs(signs)]), _I64)
        for name, signs in _SETS.items()
    }


classify = Operation(NOTHING, (SIGNED, SIGNED), _classify)
letters = _mask(_letters)
high = _mask(lambda builder, v: builder.icmp_signed("<", v, _same(0)))
sql_borders = _of((10, 10), (41, 41))
json_borders = _of((125, 125))
labels = _mask(
    lambda builder, v: any_of(
        builder, [_letters(builder, v), within(builder, v, 48, 57), within(builder, v, 45, 45)]
    )
)
mail_signs = _mask(
    lambda builder, v: any_of(
        builder,
        [_letters(builder, v), *(within(builder, v, *each) for each in ((48, 57), *_signs(b"._%+-")))],
    )
)
# Where a step of `sweepfold` may find something.
equal_signs = _of(*_signs(b"="))
ampersands = _of(*_signs(b"&"))
backslashes = _of(*_signs(b"\\"))
percents = _of(*_signs(b"%+"))
at_openers = _of(*_signs(b"@([{<"), (0xE3, 0xE3), (0xEF, 0xEF))
at_leads = _of(*_signs(b"\t\n\v\f\r\x1c\x1d\x1e\x1f -_"), (0xC2, 0xC2), (0xE1, 0xE3))
at_follows = _of(*_signs(b"aAdD@.([{<\t\n\v\f\r\x1c\x1d\x1e\x1f "), (128, 255))
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
    v = loaded(builder, address, _BYTES)
    w = loaded(builder, builder.add(address, _I64(1)), _BYTES)
    found = [
        builder.and_(
            within(builder, v, lead, lead), any_of(builder, [within(builder, w, *r) for r in second])
        )
        for lead, second in _NUMERALS
    ]
    return builder.bitcast(any_of(builder, found), _I64)


numerals = Operation(UNSIGNED, (SIGNED,), _numerals)


def _copy64(builder: Any, source: Any, target: Any) -> None:
    stored(builder, loaded(builder, source, _BYTES), target)


copy64 = Operation(NOTHING, (SIGNED, SIGNED), _copy64)


def _cased(first: int, last: int) -> Operation:
    """Copy up to 64 bytes in one case, the padding of CMAC behind them: a set bit, then none."""

    def build(builder: Any, source: Any, target: Any, size: Any) -> None:
        v = loaded(builder, source, _BYTES)
        turned = builder.xor(v, builder.select(within(builder, v, first, last), _same(0x20), _same(0)))
        size = builder.trunc(size, _I8)
        undefined = _ir.Constant(_BYTES, _ir.Undefined)
        lone = builder.insert_element(undefined, size, _ir.IntType(32)(0))
        picks = _ir.Constant(_ir.VectorType(_ir.IntType(32), BLOCK), [0] * BLOCK)
        ends = builder.shuffle_vector(lone, undefined, picks)
        places = _ir.Constant(_BYTES, list(range(BLOCK)))
        padding = builder.select(builder.icmp_unsigned("==", places, ends), _same(0x80), _same(0))
        kept = builder.select(builder.icmp_unsigned("<", places, ends), turned, padding)
        stored(builder, kept, target)

    return Operation(NOTHING, (SIGNED, SIGNED, SIGNED), build)


upper_to = _cased(97, 122)
lower_to = _cased(65, 90)
