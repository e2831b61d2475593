"""Phones: those the organisation owns, else inert ones that can never ring."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import filterfalse
from typing import TYPE_CHECKING, cast

from canary.fields.canonical import canonical
from canary.generators.data import people_table
from canary.generators.draws import bits_of, integers

if TYPE_CHECKING:
    import numpy as np

_MOBILE = re.compile(r"1[0-9]{10}")


@dataclass(frozen=True, slots=True)
class InertBlocks:
    """Blocks of one region that no operator has; '#' stands for a digit, 'AAA' for one of the areas."""

    country: str
    blocks: tuple[str, ...]
    areas: tuple[str, ...]

    @property
    def bits(self) -> float:
        """Give the min-entropy of one draw."""
        block = min(block.count("#") for block in self.blocks)
        areas = len(self.areas) if "AAA" in self.blocks[0] else 1
        return bits_of(len(self.blocks), 10**block, areas)

    def draw(self, gen: np.random.Generator, count: int) -> list[str]:
        """Draw numbers as they are written in their country."""
        shapes = integers(gen, count, len(self.blocks))
        areas = integers(gen, count, max(1, len(self.areas)))
        words = integers(gen, count, 10 ** max(block.count("#") for block in self.blocks))
        frames = [_frame(block) for block in self.blocks]
        firsts = [frame.first for frame in frames if frame and frame.first]
        if len(firsts) == len(frames):  # numbers as they are, and all as long
            sizes = [frame.size for frame in frames if frame]
            return [
                str(firsts[shape] + word % sizes[shape]) for shape, word in zip(shapes, words, strict=True)
            ]
        return [
            f"{frame.head}{word % frame.size:0{frame.width}d}{frame.tail}"
            if (frame := frames[shape])
            else self._fill(shape, area, word)
            for shape, area, word in zip(shapes, areas, words, strict=True)
        ]

    def _fill(self, shape: int, area: int, word: int) -> str:
        text = self.blocks[shape]
        if "AAA" in text:
            text = text.replace("AAA", self.areas[area])
        head, tail = text.find("#"), text.rfind("#") + 1
        if tail - head == text.count("#"):
            return f"{text[:head]}{word % 10 ** (tail - head):0{tail - head}d}{text[tail:]}"
        digits = iter(f"{word:0{text.count('#')}d}")
        return re.sub("#", lambda _: next(digits), text)


@dataclass(frozen=True, slots=True)
class _Frame:
    """A block whose digits stand in one run: what stands before and after them."""

    head: str
    width: int
    size: int
    tail: str

    @property
    def first(self) -> int | None:
        """Give the first number of a block that is digits and nothing else, None for others."""
        plain = self.head.isdigit() and self.head[0] != "0" and not self.tail
        return int(self.head) * self.size if plain else None


@cache
def _frame(block: str) -> _Frame | None:
    found = re.fullmatch(r"([^#A]*)(#+)([^#A]*)", block)
    return _Frame(found[1], len(found[2]), 10 ** len(found[2]), found[3]) if found else None


@cache
def inert_blocks(region: str) -> InertBlocks | None:
    """Give the inert blocks of a region ('CN', 'US', …), None where none are known."""
    table = cast("dict[str, dict[str, object]]", people_table("inert_phones")).get(region)
    if table is None:
        return None
    blocks = cast("list[str]", table["blocks"])
    return InertBlocks(str(table["country"]), tuple(blocks), tuple(str(table.get("areas", "")).split()))


@cache
def _inert_pattern() -> re.Pattern[str]:
    choices = []
    for region in people_table("inert_phones"):
        found = inert_blocks(region)
        for block in found.blocks if found else ():
            digits = re.sub(r"[^\dA#]", "", block).removeprefix("0")
            body = digits.replace("AAA", f"(?:{'|'.join(found.areas if found else ())})").replace("#", r"\d")
            choices.append(rf"(?:{found.country if found else ''}|0)?{body}")
    return re.compile("|".join(choices))


def outside_inert_blocks(phones: Iterable[str]) -> Iterator[str]:
    """Give the phones that, as they are written, lie in no block that can never ring."""
    return filterfalse(_inert_pattern().fullmatch, phones)


def in_inert_block(digits: str) -> bool:
    """Tell whether a canonical phone lies in a block that can never ring."""
    return _inert_pattern().fullmatch(digits) is not None


class PhoneDraw:
    """Draws phones: every owned one before any twice, or inert ones where none is owned; bits: see `bits`."""

    def __init__(self, phones: Sequence[str], region: str, pool: int | None = None) -> None:
        self.owned = tuple(dict.fromkeys(phones))
        self._blocks = None if self.owned else inert_blocks(region)
        self._pool = min(len(self.owned), pool) if pool else len(self.owned)
        self._queue: list[str] = []
        self._seen: set[str] = set()

    @property
    def inert(self) -> bool:
        """Tell whether the phones drawn can never ring."""
        return not self.owned

    @cached_property
    def bits(self) -> float:
        """Give the min-entropy of one draw: log2 of the pool or of the inert blocks, 0 without phones."""
        if self.owned:
            return bits_of(self._pool)
        return self._blocks.bits if self._blocks else 0.0

    def draw(self, gen: np.random.Generator, count: int) -> list[str]:
        """Draw phones; '' where none is owned and the region has no inert block."""
        if self.owned:
            return self._owned(gen, count)
        if self._blocks is None:
            return [""] * count
        return self._fresh(self._blocks, gen, count)

    def _owned(self, gen: np.random.Generator, count: int) -> list[str]:
        while len(self._queue) < count:
            self._queue += [self.owned[index] for index in gen.permutation(len(self.owned)).tolist()]
        taken, self._queue = self._queue[:count], self._queue[count:]
        return taken

    def _fresh(self, blocks: InertBlocks, gen: np.random.Generator, count: int) -> list[str]:
        """Draw inert numbers, each once as long as the block is far from used up."""
        phones = blocks.draw(gen, count)
        if 2 ** (blocks.bits - 2) < len(self._seen) + count:
            return phones
        new = set(phones)
        if len(new) == count and self._seen.isdisjoint(new):
            self._seen |= new
            return phones
        for row, phone in enumerate(phones):
            while phone in self._seen:
                phone = blocks.draw(gen, 1)[0]
            self._seen.add(phone)
            phones[row] = phone
        return phones


def phone_digits(text: str) -> str | None:
    """Give the canonical digits of a phone; eleven digits from 1 on are their own canonical form."""
    return text if _MOBILE.fullmatch(text) else canonical("phone", text)
