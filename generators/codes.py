"""Patterns of record numbers, with the check digits some of them carry."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from canary.errors import UsageError
from canary.generators.draws import bits_of, integers

if TYPE_CHECKING:
    import numpy as np

_PART = re.compile(r"\{(\d+)([dAX])\}|\{s10\}|\[([^\]]+)\]|([^{}\[\]]+)")
_S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)
_SETS = {"d": "0123456789", "A": "ABCDEFGHJKLMNPQRSTUVWXYZ", "X": "0123456789ABCDEF"}


def s10_check(serial: str) -> str:
    """Compute the check digit of the eight digits of a postal item (UPU S10: 47312482 gives 9)."""
    rest = 11 - sum(weight * int(digit) for weight, digit in zip(_S10_WEIGHTS, serial, strict=True)) % 11
    return str({10: 0, 11: 5}.get(rest, rest))


def luhn_check(body: str) -> str:
    """Compute the Luhn check digit of a row of digits."""
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


@lru_cache(maxsize=256)
def parts_of(pattern: str) -> tuple[str | tuple[str, int], ...]:
    """Read a pattern: literals, {8d} digits, {2A} letters, {4X} hex, [3-68] one of, {s10} serial and check.

    Raises UsageError on anything else.
    """
    found: list[str | tuple[str, int]] = []
    end = 0
    for part in _PART.finditer(pattern):
        if part.start() != end:
            break
        end = part.end()
        if part[1]:
            found.append((_SETS[part[2]], int(part[1])))
        elif part[3]:
            found.append((_choices(part[3]), 1))
        else:
            found.append(("s10", 8) if part[0] == "{s10}" else part[4])
    if end != len(pattern) or not pattern:
        raise UsageError(
            f"pattern {pattern!r} cannot be read", "use literals, {8d}, {2A}, {4X}, [3-68] and {s10}"
        )
    return tuple(found)


def _choices(text: str) -> str:
    spread = re.sub(r"(.)-(.)", lambda ends: "".join(map(chr, range(ord(ends[1]), ord(ends[2]) + 1))), text)
    return "".join(dict.fromkeys(spread))


def pattern_bits(pattern: str) -> float:
    """Give the min-entropy of one draw of a pattern."""
    sizes = [
        10 ** part[1] if part[0] == "s10" else len(part[0]) ** part[1]
        for part in parts_of(pattern)
        if not isinstance(part, str)
    ]
    return bits_of(*sizes)


def draw_pattern(gen: np.random.Generator, pattern: str, count: int) -> list[str]:
    """Draw numbers of a pattern, every free place evenly."""
    columns = [_column(gen, part, count) for part in parts_of(pattern)]
    return ["".join(row) for row in zip(*columns, strict=True)]


def _column(gen: np.random.Generator, part: str | tuple[str, int], count: int) -> list[str]:
    if isinstance(part, str):
        return [part] * count
    letters, length = part
    if letters == "s10":
        serials = [f"{word:08d}" for word in integers(gen, count, 10**8)]
        return [serial + s10_check(serial) for serial in serials]
    if letters == _SETS["d"] and length <= 18:
        return [f"{word:0{length}d}" for word in integers(gen, count, 10**length)]
    rows = zip(*(integers(gen, count, len(letters)) for _ in range(length)), strict=True)
    return ["".join(letters[index] for index in row) for row in rows]


def with_digits(pattern: str, number: int) -> str:
    """Write a number into the digit places of a pattern (one run of digits, or s10), padded with zeros."""
    frame = _frame(pattern)
    if frame is not None:
        head, width, tail = frame
        return f"{head}{number % 10**width:0{width}d}{tail}"
    text = ""
    for part in parts_of(pattern):
        if isinstance(part, str):
            text += part
        elif part[0] == "s10":
            serial = f"{number % 10**8:08d}"
            text += serial + s10_check(serial)
        else:
            text += f"{number % 10 ** part[1]:0{part[1]}d}"
    return text


@lru_cache(maxsize=256)
def _frame(pattern: str) -> tuple[str, int, str] | None:
    """Give what stands before, the length, and what stands after the only run of digits of a pattern."""
    found = re.fullmatch(r"([^{}\[\]]*)\{(\d+)d\}([^{}\[\]]*)", pattern)
    return (found[1], int(found[2]), found[3]) if found else None
