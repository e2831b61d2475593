"""Aliases in the host's own shapes: how its mails are put together, how strong each shape is, their domains."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, log2
from typing import TYPE_CHECKING

from canary.generators.draws import Weighted, integers
from canary.generators.emails import LEAST_BITS, LONGEST_RUN, cut_syllables, syllables
from canary.generators.safety import is_public_provider

if TYPE_CHECKING:
    import numpy as np

LEAST = 50  # aliases below which nothing is learned of them
MOST = 0.5  # share of letters that must be of one make
ENOUGH = 0.05  # share of the host's aliases whose shapes are strong as they are, below which others are made longer
SHORTEST_NAME = 4
MOST_ALIKE = 0.3  # share of one letter above which letters are too alike to be drawn one by one
EVEN = 0.5  # bits a letter's neighbours tell of it, below which letters stand by chance
_RUNS = re.compile(r"[a-z]+|\d+|[._-]+")
_PLAIN = re.compile(r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*")
_SOUNDS = tuple(head + tail for head in "bdfghjklmnprstvz" for tail in ("a", "e", "i", "o", "u"))

Token = tuple[
    str, int | str
]  # "name" and "head" (of the person), "parts" or "digits" and how many, "sign" and which


@dataclass(frozen=True, slots=True)
class Fill:
    """What stands in the places of letters: syllables, sounds, or letters as often as the host has each."""

    parts: Weighted
    spoken: bool  # Chinese syllables, in which the host's own runs can be read

    @property
    def bits(self) -> float:
        """Give the min-entropy of one part."""
        return -log2(self.parts.peak)

    def count(self, letters: str) -> int | None:
        """Give how many parts a run of letters has, None where it cannot be read so."""
        if self.spoken:
            found = cut_syllables(letters)
            return len(found) if found else None
        return -(-len(letters) // len(self.parts.texts[0]))


@dataclass(frozen=True, slots=True)
class AliasWays:
    """Shapes of aliases by how often the host has them; `bits` is the min-entropy of the weakest, name and shape known.

    A text tells its shape and its parts in one way, so that no text is likelier than its shape's draw alone makes it.
    """

    shapes: tuple[tuple[Token, ...], ...]
    weights: tuple[int, ...]
    fill: Fill
    zeros: bool  # a run of digits may begin with a zero
    domains: tuple[int, ...]  # how many of the sample stand on each domain that is no provider's
    bits: float

    @classmethod
    def of(cls, mails: Sequence[str], names: Sequence[tuple[str, str]]) -> AliasWays | None:
        """Learn from mails beside the spelt names (whole, short) of their rows; None where they teach nothing."""
        split = [mail.strip().partition("@") for mail in mails]
        heads = [head.lower() for head, _, _ in split]
        if len(heads) < LEAST:
            return None
        fill = _fill(heads, names)
        runs = [run for head in heads for run in re.findall(r"\d+", head)]
        zeros = sum(run[0] == "0" for run in runs) > 0.02 * len(runs)
        found: Counter[tuple[Token, ...]] = Counter()
        for head, name in zip(heads, names, strict=True):
            if _PLAIN.fullmatch(head) and (shape := _shape(head, name, fill)) is not None:
                found[shape] += 1
        kept = _strong(found, fill, zeros=zeros, total=len(heads))
        if not kept:
            return None
        shapes = sorted(kept, key=repr)
        weakest = min(bits_of_shape(shape, fill, zeros=zeros) for shape in shapes)
        bits = int(100 * weakest) / 100
        return cls(tuple(shapes), tuple(kept[one] for one in shapes), fill, zeros, _tail(split), bits)

    def draw(self, gen: np.random.Generator, names: Sequence[str], heads: Sequence[str]) -> list[str]:
        """Draw what stands before the @ of each person, whose name is spelt so, whole and short."""
        import numpy as np

        steps = np.cumsum(self.weights)
        which = np.searchsorted(steps, gen.integers(0, steps[-1], len(names)), side="right")
        drawn = [""] * len(names)
        for number in np.unique(which).tolist():
            rows = np.flatnonzero(which == number).tolist()
            known = {"name": [names[row] for row in rows], "head": [heads[row] for row in rows]}
            pieces = [self._column(gen, token, len(rows), known) for token in self.shapes[number]]
            for row, texts in zip(rows, zip(*pieces, strict=True), strict=True):
                drawn[row] = "".join(texts)
        return drawn

    def _column(
        self, gen: np.random.Generator, token: Token, count: int, known: Mapping[str, list[str]]
    ) -> list[str]:
        """Draw the texts of one token for so many persons."""
        what, size = token[0], int(token[1]) if token[0] in ("digits", "parts") else 0
        if what == "digits":
            low = 0 if self.zeros else 10 ** (size - 1)
            return [f"{low + drawn:0{size}d}" for drawn in integers(gen, count, 10**size - low)]
        if what == "parts":
            parts = self.fill.parts.draw(gen, size * count)
            return ["".join(parts[at : at + size]) for at in range(0, size * count, size)]
        return known.get(what) or [str(token[1])] * count

    def shares(self, gen: np.random.Generator, domains: int, aliases: int) -> list[float]:
        """Give the shares of our domains: as the host's own tail has them, or even where that is too thin."""
        if not self.domains or not domains:
            return [1.0] * domains
        drawn = [self.domains[at] for at in integers(gen, domains, len(self.domains))]
        return [float(one) for one in drawn] if sum(drawn) >= aliases else [1.0] * domains


def bits_of_shape(shape: Sequence[Token], fill: Fill, *, zeros: bool) -> float:
    """Give the min-entropy of a draw of a shape, the person's name being known."""
    bits = 0.0
    for what, size in shape:
        if what == "parts":
            bits += int(size) * fill.bits
        elif what == "digits":
            bits += log2(10 ** int(size) - (0 if zeros else 10 ** (int(size) - 1)))
    return bits


def _tail(split: Sequence[tuple[str, str, str]]) -> tuple[int, ...]:
    """Give, for each mail that is on no provider's domain, how many stand on its domain."""
    counts = Counter(domain.lower() for _, _, domain in split)
    own = [count for domain, count in counts.items() if not is_public_provider(domain)]
    return tuple(sorted(count for count in own for _ in range(count)))


def _fill(heads: Sequence[str], names: Sequence[tuple[str, str]]) -> Fill:
    """Tell what the letters of a column are, its people's names left out."""
    runs = [run for head, name in zip(heads, names, strict=True) for run in _others(head, name)]
    spoken = sum(len(run) for run in runs if cut_syllables(run)) > MOST * sum(map(len, runs))
    if spoken or not runs:
        return Fill(Weighted.of(syllables(), [1.0] * len(syllables())), spoken=True)
    letters = Counter(letter for run in runs for letter in run)
    varied = max(letters.values()) < MOST_ALIKE * letters.total()
    if varied and _told_by_neighbours(runs, letters) < EVEN:
        return Fill(Weighted.of(sorted(letters), [letters[one] for one in sorted(letters)]), spoken=False)
    return Fill(Weighted.of(_SOUNDS, [1.0] * len(_SOUNDS)), spoken=False)


def _others(head: str, name: tuple[str, str]) -> list[str]:
    """Give the runs of letters of an alias without its person's name."""
    start = _named(head, name)
    return re.findall(r"[a-z]+", head[len(start[1]) :] if start else head)


def _named(head: str, name: tuple[str, str]) -> tuple[str, str] | None:
    """Tell whether an alias begins with its person's name ("name") or a short form ("head"), and with which letters."""
    whole, short = name
    if len(whole) >= SHORTEST_NAME and head.startswith(whole):
        return "name", whole
    if len(short) > 1 and head.startswith(short) and not "a" <= head[len(short) : len(short) + 1] <= "z":
        return "head", short
    return None


def _told_by_neighbours(runs: Sequence[str], letters: Counter[str]) -> float:
    """Give how many bits the letter before tells of a letter."""
    pairs = Counter(run[at : at + 2] for run in runs for at in range(len(run) - 1))
    first, second, total = Counter[str](), Counter[str](), pairs.total()
    for pair, count in pairs.items():
        first[pair[0]] += count
        second[pair[1]] += count
    bias = len(letters) ** 2 / (2 * log2(2.72) * max(1, total))  # what few pairs seem to tell by chance
    return (
        sum(
            count / total * log2(count * total / (first[pair[0]] * second[pair[1]]))
            for pair, count in pairs.items()
        )
        - bias
    )


def _shape(head: str, name: tuple[str, str], fill: Fill) -> tuple[Token, ...] | None:
    """Take an alias apart; None where it has a long run of digits or letters that the fill cannot be read in."""
    shape: list[Token] = []
    start = _named(head, name)
    if start:
        shape.append((start[0], 0))
        head = head[len(start[1]) :]
    for run in _RUNS.findall(head):
        if run[0].isdigit():
            if len(run) > LONGEST_RUN:
                return None
            shape.append(("digits", len(run)))
        elif run[0].isalpha():
            count = fill.count(run)
            if count is None:
                return None
            shape.append(("parts", count))
        else:
            shape.append(("sign", run))
    return tuple(shape)


def _strong(
    found: Counter[tuple[Token, ...]], fill: Fill, *, zeros: bool, total: int
) -> dict[tuple[Token, ...], int]:
    """Keep the shapes that are strong enough; where they are too few, make the others longer."""
    strong = {
        shape: count
        for shape, count in found.items()
        if bits_of_shape(shape, fill, zeros=zeros) >= LEAST_BITS
    }
    if sum(strong.values()) >= ENOUGH * total:
        return strong
    longer: Counter[tuple[Token, ...]] = Counter()
    for shape, count in found.items():
        longer[_lengthened(shape, fill, zeros=zeros)] += count
    return dict(longer)


def _lengthened(shape: tuple[Token, ...], fill: Fill, *, zeros: bool) -> tuple[Token, ...]:
    """Give a shape the parts it lacks, where its letters stand; a short form takes a whole name's place."""
    lacking = LEAST_BITS - bits_of_shape(shape, fill, zeros=zeros)
    if lacking <= 0:
        return shape
    more = ceil(lacking / fill.bits)
    at = next((at for at, (what, _) in enumerate(shape) if what == "parts"), None)
    if at is not None:
        return (*shape[:at], ("parts", int(shape[at][1]) + more), *shape[at + 1 :])
    if shape and shape[0][0] in ("name", "head"):
        return (("head", 0), ("parts", more), *shape[1:])
    return (("parts", more), *shape)
