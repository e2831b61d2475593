"""Sixty-four bytes at a time: masks of what they are; imported by compiled code alone.

Every operation takes addresses, and reads 64 bytes from them.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import Any, Final

from canary.blocks import (
    BYTES,
    any_of,
    letter,
    looked_up,
    mask_in,
    mask_where,
    ranges_of,
    same,
    shuffle,
    within,
)
from canary.lowering import NOTHING, SIGNED, UNSIGNED, Operation
from canary.operations import loaded, stored

_ir: Any = import_module("llvmlite.ir")

_I8, _I64 = (_ir.IntType(bits) for bits in (8, 64))


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


def _classify(builder: Any, source: Any, target: Any) -> None:
    """Write the masks of a block: each half of a byte is looked up, eight products at once."""
    v = loaded(builder, source, BYTES)
    wide = builder.bitcast(builder.icmp_signed("<", v, same(0)), _I64)
    found = _compared(builder, v) if not shuffle()[1] else _halved(builder, v)
    found[HALF_ATS] = builder.or_(found[HALF_ATS], wide)
    for name, mask in {**found, HIGH: wide}.items():
        stored(builder, mask, builder.add(target, _I64(8 * name)))


def _halved(builder: Any, v: Any) -> dict[int, Any]:
    lower, upper = builder.and_(v, same(15)), builder.lshr(v, same(4))
    found: dict[int, Any] = {}
    for products, bits in _groups():
        tables = [
            [sum(1 << bit for bit, each in enumerate(products) if half in each[which]) for half in range(16)]
            for which in (0, 1)
        ]
        kinds = builder.and_(looked_up(builder, tables[0], upper), looked_up(builder, tables[1], lower))
        for name, wanted in bits.items():
            test = builder.icmp_unsigned("!=", builder.and_(kinds, same(wanted)), same(0))
            found[name] = builder.bitcast(test, _I64)
    return found


def _compared(builder: Any, v: Any) -> dict[int, Any]:
    """Give the masks by comparisons, where the processor has no such look-up."""
    return {
        name: builder.bitcast(any_of(builder, [within(builder, v, *each) for each in ranges_of(signs)]), _I64)
        for name, signs in _SETS.items()
    }


classify = Operation(NOTHING, (SIGNED, SIGNED), _classify)
letters = mask_where(letter)
high = mask_where(lambda builder, v: builder.icmp_signed("<", v, same(0)))
sql_borders = mask_in((10, 10), (41, 41))
json_borders = mask_in((125, 125))
labels = mask_where(
    lambda builder, v: any_of(
        builder, [letter(builder, v), within(builder, v, 48, 57), within(builder, v, 45, 45)]
    )
)
mail_signs = mask_where(
    lambda builder, v: any_of(
        builder,
        [letter(builder, v), *(within(builder, v, *each) for each in ((48, 57), *ranges_of(b"._%+-")))],
    )
)
# Where a step of `sweepfold` may find something.
equal_signs = mask_in(*ranges_of(b"="))
ampersands = mask_in(*ranges_of(b"&"))
backslashes = mask_in(*ranges_of(b"\\"))
percents = mask_in(*ranges_of(b"%+"))
at_openers = mask_in(*ranges_of(b"@([{<"), (0xE3, 0xE3), (0xEF, 0xEF))
at_leads = mask_in(*ranges_of(b"\t\n\v\f\r\x1c\x1d\x1e\x1f -_"), (0xC2, 0xC2), (0xE1, 0xE3))
at_follows = mask_in(*ranges_of(b"aAdD@.([{<\t\n\v\f\r\x1c\x1d\x1e\x1f "), (128, 255))
wide_leads = mask_in((0xE2, 0xE9))  # of the characters a name may be made of
odd_leads = mask_in(
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
    v = loaded(builder, address, BYTES)
    w = loaded(builder, builder.add(address, _I64(1)), BYTES)
    found = [
        builder.and_(
            within(builder, v, lead, lead), any_of(builder, [within(builder, w, *r) for r in second])
        )
        for lead, second in _NUMERALS
    ]
    return builder.bitcast(any_of(builder, found), _I64)


numerals = Operation(UNSIGNED, (SIGNED,), _numerals)


def _copy64(builder: Any, source: Any, target: Any) -> None:
    stored(builder, loaded(builder, source, BYTES), target)


copy64 = Operation(NOTHING, (SIGNED, SIGNED), _copy64)
