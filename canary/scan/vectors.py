"""Sixty-four bytes at a time: masks of what they are; imported by compiled code alone.

Every operation takes addresses, and reads 64 bytes from them.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any, Final

import numpy as np

from canary.blocks import (
    BLOCK,
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
from canary.fields.fold import INVISIBLE
from canary.lowering import NOTHING, SIGNED, UNSIGNED, Operation
from canary.operations import loaded, stored
from canary.scan.signs import characters
from canary.scan.spellings import NUMERALS, WIDE
from canary.scan.sweepwork import ROW

_ir: Any = import_module("llvmlite.ir")

U: Final = np.uint64

_I8, _I32, _I64 = (_ir.IntType(bits) for bits in (8, 32, 64))
BYTES_PICKED: Final = _ir.VectorType(_I32, BLOCK)


# What the bytes of a block are, as `classify` writes it: a mask for each set, ROW words from one to the next.
(
    DIGITS, LETTERS, HIGH, MARKS, JOINTS, SPACES, ATS, ESCAPES, OPENS, BLANKS, AT_STARTS, HALF_ATS, PACKED_MARKS,
    ZEROS, ONES, TWOS, THREES, MOBILE_SECONDS, HYPHENS, COLONS, NEW_LINES, QUOTES, EMPTY, SETS,
) = range(24)  # fmt: skip
Sets = Mapping[int, tuple[int, ...]]
_SETS: Final[Sets] = {
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
    ZEROS: tuple(b"0"),
    ONES: tuple(b"1"),
    TWOS: tuple(b"2"),
    THREES: tuple(b"3"),
    MOBILE_SECONDS: tuple(b"3456789"),
    HYPHENS: tuple(b"-"),
    COLONS: tuple(b":"),
    NEW_LINES: tuple(b"\n"),
    QUOTES: tuple(b'"'),
    EMPTY: tuple(range(33)),
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


def _groups(sets: Sets) -> list[tuple[list[tuple[frozenset[int], frozenset[int]]], dict[int, int]]]:
    """Give the products of up to eight bits that are looked up together, and the bits of each set among them."""
    groups: list[tuple[list[tuple[frozenset[int], frozenset[int]]], dict[int, int]]] = []
    for name, signs in sorted(sets.items(), key=lambda one: -len(_products(one[1]))):
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
    found = _masks(builder, v, _SETS)
    found[HALF_ATS] = builder.or_(found[HALF_ATS], wide)
    for name, mask in {**found, HIGH: wide}.items():
        stored(builder, mask, builder.add(target, _I64(8 * ROW * name)))


def _masks(builder: Any, v: Any, sets: Sets) -> dict[int, Any]:
    """Give the mask of each set of bytes."""
    return _halved(builder, v, sets) if shuffle()[1] else _compared(builder, v, sets)


def _halved(builder: Any, v: Any, sets: Sets) -> dict[int, Any]:
    lower, upper = builder.and_(v, same(15)), builder.lshr(v, same(4))
    found: dict[int, Any] = {}
    for products, bits in _groups(sets):
        tables = [
            [sum(1 << bit for bit, each in enumerate(products) if half in each[which]) for half in range(16)]
            for which in (0, 1)
        ]
        kinds = builder.and_(looked_up(builder, tables[0], upper), looked_up(builder, tables[1], lower))
        for name, wanted in bits.items():
            test = builder.icmp_unsigned("!=", builder.and_(kinds, same(wanted)), same(0))
            found[name] = builder.bitcast(test, _I64)
    return found


def _compared(builder: Any, v: Any, sets: Sets) -> dict[int, Any]:
    """Give the masks by comparisons, where the processor has no such look-up."""
    return {
        name: builder.bitcast(any_of(builder, [within(builder, v, *each) for each in ranges_of(signs)]), _I64)
        for name, signs in sets.items()
    }


classify = Operation(NOTHING, (SIGNED, SIGNED), _classify)
letters = mask_where(letter)
digits = mask_in((48, 57))
signs = mask_where(lambda builder, v: any_of(builder, [letter(builder, v), within(builder, v, 48, 57)]))
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
_WHITE: Final = b"\t\n\v\f\r\x1c\x1d\x1e\x1f "
_OPENERS: Final = (*b"([{<", 0xE3, 0xEF)
_AT_LEADS: Final = (*_WHITE, *b"-_", 0xC2, 0xE1, 0xE2, 0xE3)
_AT_FOLLOWS: Final = (*_WHITE, *b"aAdD@.([{<", *range(128, 256))
_ODD_LEADS: Final = (0xC2, 0xCD, 0xD8, 0xD9, 0xDB, *range(0xE0, 0xE4), 0xEF, 0xF0, 0xF3)
wide_leads = mask_in((0xE2, 0xE9))  # of the characters a name may be made of
odd_leads = mask_in(*ranges_of(_ODD_LEADS))
cell_ends = mask_in(*ranges_of(b',"\n'))
escape_signs = mask_in(*ranges_of(b"&%=\\"))


def leads_of(signs: Iterable[int]) -> dict[int, tuple[tuple[int, int], ...]]:
    """Give the first bytes of some characters in UTF-8, and the ranges of the second byte behind each."""
    found: dict[int, set[int]] = {}
    for sign in signs:
        octets = chr(sign).encode()
        found.setdefault(octets[0], set()).add(octets[1])
    return {first: ranges_of(tuple(seconds)) for first, seconds in found.items()}


def _mask_of_leads(signs: Iterable[int]) -> Operation:
    """Mask the leads of what may be some characters, by their first two bytes."""
    leads = leads_of(signs)

    def build(builder: Any, address: Any) -> Any:
        v = loaded(builder, address, BYTES)
        w = loaded(builder, builder.add(address, _I64(1)), BYTES)
        found = [
            builder.and_(
                within(builder, v, lead, lead),
                any_of(builder, [within(builder, w, *each) for each in seconds]),
            )
            for lead, seconds in leads.items()
        ]
        return builder.bitcast(any_of(builder, found), _I64)

    return Operation(UNSIGNED, (SIGNED,), build)


numerals = _mask_of_leads({*map(ord, NUMERALS)} - {*characters(WIDE)})
hidden = _mask_of_leads(characters(INVISIBLE))
wide = _mask_of_leads(characters(WIDE))


def _at_dots(builder: Any, v: Any, w: Any) -> Any:
    """Compare two times 64 bytes, the second those behind the first, with how a word for '@' or '.' begins."""

    def among(signs: Sequence[int], bytes_: Any) -> Any:
        return any_of(builder, [within(builder, bytes_, *each) for each in ranges_of(signs)])

    words = builder.and_(among(_AT_LEADS, v), among(_AT_FOLLOWS, w))
    return any_of(builder, [among(_OPENERS, v), words, builder.and_(among(b"@", v), among(b" \t", w))])


def _at_dot_mask(builder: Any, address: Any) -> Any:
    v = loaded(builder, address, BYTES)
    w = loaded(builder, builder.add(address, _I64(1)), BYTES)
    return builder.bitcast(_at_dots(builder, v, w), _I64)


at_dots = Operation(UNSIGNED, (SIGNED,), _at_dot_mask)

(
    _EQUALS, _AMPERSANDS, _BACKS, _PERCENTS, _ODDS, _NUMERALS, _OPENING, _LEADING, _FOLLOWING, _TURNED, _WHITES,
) = range(11)  # fmt: skip
_SURVEYED: Final[Sets] = {
    _EQUALS: tuple(b"="),
    _AMPERSANDS: tuple(b"&"),
    _BACKS: tuple(b"\\"),
    _PERCENTS: tuple(b"%+"),
    _ODDS: _ODD_LEADS,
    _NUMERALS: tuple(range(0xE2, 0xEA)),
    _OPENING: tuple(b"([{<"),
    _LEADING: (*_WHITE, *b"-_"),
    _FOLLOWING: (*_WHITE, *b"aAdD@.([{<"),
    _TURNED: tuple(b"@"),
    _WHITES: tuple(b" \t"),
}


def _survey(builder: Any, address: Any, size: Any) -> Any:
    """Give a bit for each step that may find something in up to 64 bytes; what stands behind them is no sign of any."""
    one = _I64(1)
    kept = builder.select(
        builder.icmp_signed(">=", size, _I64(BLOCK)),
        _I64(-1),
        builder.sub(builder.shl(one, builder.and_(size, _I64(63))), one),
    )
    kept = builder.bitcast(kept, _ir.VectorType(_ir.IntType(1), BLOCK))
    found = _masks(builder, builder.select(kept, loaded(builder, address, BYTES), same(0)), _SURVEYED)

    def then(name: int, following: int) -> Any:
        behind = builder.or_(builder.lshr(found[following], one), _I64(1 << 63))
        return builder.and_(found[name], behind)

    words = builder.or_(then(_LEADING, _FOLLOWING), then(_TURNED, _WHITES))
    steps = [found[each] for each in (_EQUALS, _AMPERSANDS, _BACKS, _PERCENTS, _ODDS, _ODDS, _NUMERALS)]
    bits = _I64(0)
    for number, mask in enumerate([*steps, any_of(builder, [found[_OPENING], found[_ODDS], words])]):
        some = builder.icmp_unsigned("!=", mask, _I64(0))
        bits = builder.or_(bits, builder.select(some, _I64(1 << number), _I64(0)))
    return bits


def _unplain(builder: Any, address: Any) -> Any:
    """Mask what is of interest to any step, roughly: one look-up tells."""
    v = loaded(builder, address, BYTES)
    ascii_signs = tuple(sorted({sign for signs in _SURVEYED.values() for sign in signs if sign < 128}))
    found = _masks(builder, v, {0: ascii_signs})[0]
    return builder.or_(found, builder.bitcast(builder.icmp_signed("<", v, same(0)), _I64))


unplain = Operation(UNSIGNED, (SIGNED,), _unplain)
survey = Operation(SIGNED, (SIGNED, SIGNED), _survey)  # the bits are in the order of the steps of `sweepfold`


def _unpack(builder: Any, source: Any, target: Any) -> None:
    """Write the 48 bytes that 64 signs of base64 stand for, and 16 that mean nothing."""
    v = loaded(builder, source, BYTES)
    value = builder.select(
        any_of(builder, [within(builder, v, 43, 43), within(builder, v, 45, 45)]), same(62), same(63)
    )
    for first, last, less in ((48, 57, -4), (97, 122, 71), (65, 90, 65)):
        value = builder.select(within(builder, v, first, last), builder.sub(v, same(less & 255)), value)
    kind = _ir.VectorType(_I32, 16)

    def all_of(number: int) -> Any:
        return _ir.Constant(kind, [number] * 16)

    words = builder.bitcast(value, kind)
    joined = builder.lshr(words, all_of(24))
    for by, up in ((0, 18), (8, 12), (16, 6)):
        part = builder.and_(builder.lshr(words, all_of(by)), all_of(63))
        joined = builder.or_(joined, builder.shl(part, all_of(up)))
    picks = [4 * (at // 3) + 2 - at % 3 for at in range(48)] + [3] * 16
    octets = builder.bitcast(joined, BYTES)
    stored(builder, builder.shuffle_vector(octets, octets, _ir.Constant(BYTES_PICKED, picks)), target)


unpack = Operation(NOTHING, (SIGNED, SIGNED), _unpack)
packed_signs = mask_in((48, 57), (65, 90), (97, 122), (43, 43), (45, 45), (47, 47), (95, 95))
controls = mask_in((0, 8), (14, 31), (127, 127))
nuls = mask_in((0, 0))
visible = mask_in((33, 126))


def _new_lines(builder: Any, target: Any) -> None:
    stored(builder, same(10), target)


new_lines = Operation(NOTHING, (SIGNED,), _new_lines)


def _copy64(builder: Any, source: Any, target: Any) -> None:
    stored(builder, loaded(builder, source, BYTES), target)


copy64 = Operation(NOTHING, (SIGNED, SIGNED), _copy64)
