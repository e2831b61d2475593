"""What may start in a block, told of eight blocks at once: words, numbers in groups, codes, other spellings.

A mask of bytes is a number of 64 bits; eight of them are one vector, and those of the blocks before and behind are at
hand, so that bits go over from block to block. What these masks leave out no canary can be; what they show is
looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

from canary.lowering import NOTHING, SIGNED, Operation
from canary.operations import declared, loaded, stored
from canary.scan.sweepwork import ROW
from canary.scan.vectors import (
    AT_STARTS,
    ATS,
    BLANKS,
    COLONS,
    DIGITS,
    ESCAPES,
    HALF_ATS,
    HIGH,
    HYPHENS,
    JOINTS,
    LETTERS,
    MARKS,
    MOBILE_SECONDS,
    NEW_LINES,
    ONES,
    OPENS,
    PACKED_MARKS,
    SPACES,
    THREES,
    TWOS,
    ZEROS,
)

_ir: Any = import_module("llvmlite.ir")
_I64: Final = _ir.IntType(64)

LANES: Final = 8  # blocks at once
_KIND: Final = _ir.VectorType(_I64, LANES)

# What `derive` writes: a mask for each, ROW words from one to the next.
(
    WORDS, RARE, CHAIN, LONG, JOINT, SPLIT, SPACED, PACKED, PLATES, ODD, OPENED, AT_WORDS, LATIN, EVENTS, DERIVED_ROWS,
) = range(15)  # fmt: skip
# What it is asked: how much longer than four a word is, and than that (at most twice as long); the same of codes with
# joints; then all bits or none: are codes, phones, mails looked for, and other spellings.
MORE, MOST, JOINT_MORE, JOINT_MOST, CODES, PHONED, MAILS, PLAIN, ASKS = range(9)


@dataclass(frozen=True, slots=True)
class Bits:
    """The masks of eight blocks, with those that stand one block before and one behind."""

    builder: Any
    before: Any
    now: Any
    behind: Any

    def _each(self, how: Any, other: Bits) -> Bits:
        pairs = zip(
            (self.before, self.now, self.behind), (other.before, other.now, other.behind), strict=True
        )
        return Bits(self.builder, *(how(one, two) for one, two in pairs))

    def __and__(self, other: Bits) -> Bits:
        return self._each(self.builder.and_, other)

    def __or__(self, other: Bits) -> Bits:
        return self._each(self.builder.or_, other)

    def __invert__(self) -> Bits:
        return Bits(self.builder, *map(self.builder.not_, (self.before, self.now, self.behind)))

    def later(self, by: int | Any) -> Bits:
        """Shift what stands some places later to a place."""
        by = _same(by) if isinstance(by, int) else by
        shift = self._shift("fshr")
        return Bits(
            self.builder,
            shift(self.now, self.before, by),
            shift(self.behind, self.now, by),
            self.builder.lshr(self.behind, by),
        )

    def earlier(self, by: int) -> Bits:
        """Shift what stands some places before to a place."""
        shift = self._shift("fshl")
        return Bits(
            self.builder,
            self.builder.shl(self.before, _same(by)),
            shift(self.now, self.before, _same(by)),
            shift(self.behind, self.now, _same(by)),
        )

    def _shift(self, name: str) -> Any:
        function = declared(
            self.builder.module, _ir.FunctionType(_KIND, [_KIND] * 3), f"llvm.{name}.v{LANES}i64"
        )
        return lambda high, low, by: self.builder.call(function, [high, low, by])

    def within_four(self) -> Bits:
        """Give where a stretch of four starts that holds throughout."""
        two = self & self.later(1)
        return two & two.later(2)

    def within(self, more: Any, most: Any) -> Bits:
        """Give where a longer stretch starts: of four, some more, and then at most as many again."""
        four = self.within_four()
        found = four & four.later(more)
        return found & found.later(most)

    def spread(self, *steps: int) -> Bits:
        """Show a place at those behind it as well."""
        found = self
        for step in steps:
            found = found | found.earlier(step)
        return found


Row = Callable[[int], Bits]


def _same(value: int) -> Any:
    return _ir.Constant(_KIND, [value] * LANES)


def _derive(builder: Any, classed: Any, derived: Any, asked: Any) -> None:
    """Write what may start in eight blocks, from the masks of what their bytes are."""

    def row(name: int) -> Bits:
        at = (builder.add(classed, _I64(8 * (ROW * name + by))) for by in (-1, 0, 1))
        return Bits(builder, *(loaded(builder, address, _KIND) for address in at))

    def ask(number: int) -> Any:
        word = loaded(builder, builder.add(asked, _I64(8 * number)), _I64)
        lone = builder.insert_element(_ir.Constant(_KIND, _ir.Undefined), word, _ir.IntType(32)(0))
        picks = _ir.Constant(_ir.VectorType(_ir.IntType(32), LANES), [0] * LANES)
        return builder.shuffle_vector(lone, lone, picks)

    def asking(number: int) -> Bits:
        return Bits(builder, *[ask(number)] * 3)

    found = _numbers(row)
    found |= _codes(row, asking(CODES), (ask(JOINT_MORE), ask(JOINT_MOST)))
    found |= _oddities(row, asking(PLAIN))
    found[SPLIT] = _split(row) & asking(PHONED)
    signs = row(DIGITS) | row(LETTERS)
    letters = row(LETTERS)
    found[WORDS] = signs.within(ask(MORE), ask(MOST)) & ~signs.earlier(1)
    found[LATIN] = letters & letters.later(1) & ~letters.earlier(1)
    found[RARE] = found[CHAIN] | found[JOINT] | found[SPLIT] | found[SPACED] | found[PACKED] | found[PLATES]
    found[EVENTS] = found[WORDS] | found[RARE] | row(NEW_LINES) | row(ATS) & asking(MAILS)
    for name, bits in found.items():
        stored(builder, bits.now, builder.add(derived, _I64(8 * ROW * name)))


def _numbers(row: Row) -> dict[int, Bits]:
    """Give where the groups of a number end that a mark follows, and where one long enough may start."""
    d, m, h = row(DIGITS), row(MARKS), row(HIGH)
    mark, marks = m.later(1), m.later(1) & m.later(2)
    follow = mark & (d.later(2) | h.later(2)) | marks & (d.later(3) | h.later(3)) | h.later(1)
    follow = follow | marks & m.later(3) & d.later(4)
    parts = d | m | h
    two = parts & parts.later(1)
    long = two & two.later(2) & two.later(4)
    chain = d & ~d.later(1) & follow & long.spread(1, 2, 2) & ~_dated(row, ~parts)
    return {CHAIN: chain, LONG: long}


def _dated(row: Row, apart: Bits) -> Bits:
    """Give the ends of groups in dates as they are mostly written, with a time or without, that stand by themselves."""
    d, zeros, hyphens, colons = row(DIGITS), row(ZEROS), row(HYPHENS), row(COLONS)
    low = zeros | row(ONES)
    date = apart.earlier(1) & row(TWOS) & zeros.later(1) & d.later(2) & d.later(3) & hyphens.later(4)
    date = date & low.later(5) & d.later(6) & hyphens.later(7) & d.later(9)
    date = date & (low | row(TWOS) | row(THREES)).later(8)
    time = row(SPACES).later(10) & d.later(11) & d.later(12) & colons.later(13)
    seconds = colons.later(16) & d.later(17) & d.later(18)
    timed = date & time & d.later(14) & d.later(15)
    whole = timed & seconds & apart.later(19)
    timed = whole | timed & ~seconds & apart.later(16)
    dated = timed | date & ~time & apart.later(10)
    return dated.earlier(3).spread(3) | timed.earlier(9).spread(3) | whole.earlier(15)


def _codes(row: Row, wanted: Bits, least: tuple[Any, Any]) -> dict[int, Bits]:
    """Give the joints of codes that are long enough, the blanks within codes, and the first letters of plates."""
    d, letters, joints, h = row(DIGITS), row(LETTERS), row(JOINTS), row(HIGH)
    signs, before = d | letters, letters.earlier(1)
    joint = joints & (before & d.later(1) | d.earlier(1) & letters.later(1))
    joint = joint & (signs | joints).within(*least).spread(1, 2, 4, 8)
    spaced = row(SPACES) & before & (d & signs.within_four() & signs.later(4)).later(1)
    return {JOINT: joint & wanted, SPACED: spaced & wanted, PLATES: letters & h.earlier(1) & wanted}


def _split(row: Row) -> Bits:
    """Give where three digits stand that may be the first of a mobile in cells of its own, up to five behind them."""
    d, h = row(DIGITS), row(HIGH)
    first = row(ONES) & row(MOBILE_SECONDS).later(1) & d.later(2) & ~d.later(3)
    four = d.within_four()
    few = d & ~(four & four.later(2))
    return first & (few.later(4) | ~d.later(4) & few.later(5) | h.later(3) | h.later(4))


def _oddities(row: Row, wanted: Bits) -> dict[int, Bits]:
    """Give where twelve signs of base64 begin that no text gives, and where other spellings may stand."""
    signs = row(DIGITS) | row(LETTERS) | row(PACKED_MARKS)
    four, numbers = signs.within_four(), row(DIGITS).within_four()
    packed = four & four.later(4) & four.later(8) & ~signs.earlier(1)
    packed = packed & ~numbers.later(4)  # four digits from the fifth on
    opened = row(OPENS) & row(HALF_ATS).later(1) & wanted
    words = row(BLANKS) & row(AT_STARTS).later(1) & wanted
    ats = row(ATS) & (row(BLANKS).later(1) | row(BLANKS).earlier(1))
    odd = opened | words | (row(ESCAPES) | ats) & wanted
    return {PACKED: packed & wanted, ODD: odd, OPENED: opened, AT_WORDS: words}


derive = Operation(NOTHING, (SIGNED, SIGNED, SIGNED), _derive)
