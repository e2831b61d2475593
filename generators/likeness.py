"""Names and addresses in the host's own likeness: pieces of many real values, put together anew, never one of them."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import accumulate, chain
from math import log2
from random import Random
from typing import TypeVar

from canary.generators.data import people_table

T = TypeVar("T")
LEARNT = 2500  # values that are learned from at most
LEAST = 200  # values below which nothing is learned of them
MOST = 0.7  # share of values that must be of one make
TRIES = 4  # drawings until an address is no real one
# A value comes by any of the tries, or the other way of drawing where all fail: P(v) ≤ TRIES·p(v) + p'(v), half each.
TRIED_BITS = log2(2 * TRIES)
_HAN_NAME = re.compile(r"[一-鿿]{2,4}")
_UNIT = re.compile(
    r"号楼|号院|号|栋|幢|座|单元|室|楼|层|组|弄|巷|队|房|户|里|期|区|米|[-—#]+|(?:st|nd|rd|th)\b", re.I
)
_NUMBER = re.compile(r"(\d+)")


@dataclass
class Bag:
    """Texts with their counts, ready to be drawn from."""

    counts: Counter[str] = field(default_factory=Counter)
    _texts: list[str] = field(default_factory=list)
    _steps: list[int] = field(default_factory=list)

    def draw(self, rng: Random) -> str:
        """Draw a text by its count."""
        if not self._texts:
            self._texts = sorted(self.counts)
            self._steps = list(accumulate(self.counts[text] for text in self._texts))
        return self._texts[bisect_right(self._steps, int(rng.random() * self._steps[-1]))]

    @cached_property
    def total(self) -> int:
        """Count all texts."""
        return self.counts.total()

    @cached_property
    def lone(self) -> int:
        """Count the texts that stand once."""
        return sum(count == 1 for count in self.counts.values())

    @cached_property
    def peak(self) -> float:
        """Give the probability of the commonest text."""
        return max(self.counts.values()) / self.total


@dataclass(frozen=True, slots=True)
class _Ladder:
    """The bags of some contexts, each with the odds of passing on to the next, and the bits of a draw."""

    steps: tuple[tuple[Bag, float], ...]
    last: Bag
    bits: float


class Chain:
    """Texts that depend on contexts, the nearest first; an unseen one is drawn from the next context.

    Every context gives up the share of its texts that it has once (Good and Turing: so often the next one is new), so
    that new combinations come as often as the host's own rows bring them; `novelty` is how much rarer than in the
    sample they are in the whole host.
    """

    def __init__(self, novelty: float = 1.0) -> None:
        self._bags: defaultdict[Hashable, Bag] = defaultdict(Bag)
        self._ladders: dict[Hashable, _Ladder] = {}
        self._novelty = novelty

    def learn(self, text: str, contexts: Sequence[Hashable]) -> None:
        """Learn one text in its contexts."""
        for context in contexts:
            self._bags[context].counts[text] += 1

    def draw(self, contexts: Sequence[Hashable], rng: Random) -> tuple[str, float]:
        """Draw a text for contexts (the last of which was seen); gives it and the draw's min-entropy in bits.

        The first context settles the others: whoever draws for it again gives the same ones.
        """
        ladder = self._ladders.get(contexts[0])
        if ladder is None:
            ladder = self._ladders[contexts[0]] = self._ladder(contexts)
        for bag, passed in ladder.steps:
            if rng.random() >= passed:
                return bag.draw(rng), ladder.bits
        return ladder.last.draw(rng), ladder.bits

    def _ladder(self, contexts: Sequence[Hashable]) -> _Ladder:
        bags = [bag for context in contexts if (bag := self._bags.get(context)) is not None]
        steps = tuple((bag, self._novelty * bag.lone / bag.total) for bag in bags[:-1])
        left, peak = 1.0, 0.0  # an upper bound of the probability of any text
        for bag, passed in steps:
            peak, left = peak + left * (1 - passed) * bag.peak, left * passed
        return _Ladder(steps, bags[-1], -log2(min(1.0, peak + left * bags[-1].peak)))


def spread(values: Sequence[T]) -> Sequence[T]:
    """Give as many values as are learned from, from all parts of a column."""
    return values[:: -(-len(values) // LEARNT)] if len(values) > LEARNT else values


def novelty_of(seen: int, rows: int) -> float:
    """Estimate how much rarer a new combination is in the next row of a host than in the next row of a sample of it."""
    return float(min(1.0, (seen / max(1, rows)) ** 0.5))


def freedom_of(given: Sequence[tuple[str, str]]) -> float:
    """Tell how freely the letters of given names (beside sexes) go together: 1 where chance joins them.

    Of new pairs that chance makes of one half of the names, how many does the rest bring, against the new ones of the
    rest itself?
    """
    pairs = [((sex, text[0]), (sex, text[1])) for text, sex in given if len(text) == 2]
    known, brought, asked = Counter(pairs[::2]), set(pairs[1::4]), pairs[3::4]
    heads, tails = Counter(head for head, _ in pairs[::2]), Counter(tail for _, tail in pairs[::2])
    new = [pair for pair in asked if pair not in known]
    chance = {
        (head, tail): heads[head] * tails[tail]
        for head in heads
        for tail in tails
        if head[0] == tail[0] and (head, tail) not in known
    }
    met = sum(pair in brought for pair in new) / max(1, len(new))
    made = sum(weight for pair, weight in chance.items() if pair in brought) / max(1, sum(chance.values()))
    return min(1.0, made / met) if met else 0.0


@dataclass(frozen=True, slots=True)
class Named:
    """A name in two parts and the min-entropy of its draw, the sex being known."""

    surname: str
    given: str
    bits: float


class Names:
    """Chinese names as a host has them."""

    def __init__(self, pairs: Iterable[tuple[str, str]], novelty: float = 1.0) -> None:
        """Learn pairs of name and sex; new combinations are as rare as `novelty` says, or as free as they prove."""
        pairs = tuple(pairs)
        freedom = max(novelty, freedom_of([(split_name(name)[1], sex) for name, sex in pairs]))
        self._surnames, self._first, self._second = Bag(), Chain(novelty), Chain(freedom)
        for name, sex in pairs:
            surname, given = split_name(name)
            self._surnames.counts[surname] += 1
            size = len(given)
            self._first.learn(given[0], [("sex", sex), "all"])
            self._second.learn(given[1:], [(given[0], sex, "after"), (sex, "sex"), ("size", size > 1), "all"])

    @classmethod
    def of(cls, values: Sequence[str], sexes: Sequence[str], rows: int) -> Names | None:
        """Learn names of `rows` rows beside their sexes ('' where unknown); None where few are plain ones."""
        known = zip(spread(values), spread(sexes), strict=True)
        pairs = [(name, sex) for name, sex in known if _HAN_NAME.fullmatch(name)]
        return (
            cls(pairs, novelty_of(len(pairs), rows))
            if len(pairs) >= max(LEAST, MOST * len(spread(values)))
            else None
        )

    def draw(self, sex: str, rng: Random) -> Named:
        """Draw a name that fits a sex ('' where the host tells none)."""
        first, one = self._first.draw([("sex", sex), "all"], rng)
        second, two = self._second.draw([(first, sex, "after"), (sex, "sex"), "all"], rng)
        given = first + second
        return Named(self._surnames.draw(rng), given, round(-log2(self._surnames.peak) + one + two, 2))


def split_name(name: str) -> tuple[str, str]:
    """Split a Chinese name into surname and given name."""
    size = 2 if len(name) > 3 or (len(name) == 3 and name[:2] in _compound()) else 1
    return name[:size], name[size:]


@cache
def _compound() -> frozenset[str]:
    return frozenset(re.findall(r"[一-鿿]{2}(?=[\d.])", str(people_table("names_zh")["surnames"])))


@dataclass(frozen=True, slots=True)
class Parts:
    """An address taken apart: divisions, then names, numbers and the units behind the numbers, in turn."""

    divisions: str
    names: tuple[str, ...]
    numbers: tuple[str, ...]
    units: tuple[str, ...]
    shape: tuple[object, ...]  # its make: which units follow its numbers, and where names stand

    def written(self) -> str:
        """Put the address together."""
        return _written(self.divisions, self.names, self.numbers, self.units)


def _written(divisions: str, names: Sequence[str], numbers: Sequence[str], units: Sequence[str]) -> str:
    behind = chain.from_iterable(zip(numbers, units, names[1:], strict=True))
    return f"{divisions}{names[0]}{''.join(behind)}"


def parts_of(text: str, divisions: int) -> Parts:
    """Take an address apart; its first `divisions` letters name the divisions."""
    pieces = _NUMBER.split(text[divisions:])
    names, numbers, units = [pieces[0]], pieces[1::2], []
    for piece in pieces[2::2]:
        found = _UNIT.match(piece)
        unit = found[0] if found else ""
        units.append(unit)
        names.append(piece[len(unit) :])
    shape = (*units, tuple(map(bool, names)))
    return Parts(text[:divisions], tuple(names), tuple(numbers), tuple(units), shape)


@dataclass(frozen=True, slots=True)
class Home:
    """An address as the host would write it, and the min-entropy of its draw, divisions and make being known."""

    text: str
    bits: float


class Homes:
    """Addresses as a host has them: its divisions and ways of writing, names and numbers of many rows mixed."""

    def __init__(self, values: Sequence[str], cut: Callable[[str], int], novelty: float = 1.0) -> None:
        self._cut, self._known = cut, set[tuple[object, ...]]()
        self._names, self._numbers = Chain(novelty), Chain(novelty)
        self._shapes: dict[tuple[object, ...], int] = {}  # numbered, for they are long to look up
        self._apart: dict[str, Parts] = {}
        for text in values:
            parts = self._apart[text] = parts_of(text, cut(text))
            shape = self._shapes.setdefault(parts.shape, len(self._shapes))
            self._known.add(
                (parts.names, parts.numbers)
            )  # wherever it is: divisions and units are spelt in many ways
            for at in range(len(parts.names)):
                self._names.learn(parts.names[at], self._around(parts, shape, parts.names, at))
            for at, number in enumerate(parts.numbers):
                self._numbers.learn(number, ((at, shape),))

    @classmethod
    def of(cls, values: Sequence[str], cut: Callable[[str], int], rows: int) -> Homes | None:
        """Learn addresses of `rows` rows; None where there are few, or most have no number to be drawn anew."""
        values = spread(values)
        numbered = sum(bool(_NUMBER.search(text)) for text in values)
        enough = len(values) >= LEAST and numbered >= MOST * len(values)
        return cls(values, cut, novelty_of(len(values), rows)) if enough else None

    @staticmethod
    def _around(parts: Parts, shape: int, names: Sequence[str], at: int) -> tuple[Hashable, ...]:
        before = names[at - 1] if at else parts.divisions
        return (at, shape, before), (at, shape)

    def draw(self, template: str, rng: Random) -> Home | None:
        """Draw an address in the divisions and the make of a template; None where none but real ones come."""
        old = self._apart.get(template) or parts_of(template, self._cut(template))
        shape = self._shapes.get(old.shape)
        if shape is None:
            return None
        for _ in range(TRIES):
            bits, names, numbers = 0.0, list[str](), list[str]()
            for at, name in enumerate(old.names):
                drawn, more = (
                    self._names.draw(self._around(old, shape, names, at), rng) if name else ("", 0.0)
                )
                names.append(drawn)
                bits += more
            for at in range(len(old.numbers)):
                drawn, more = self._numbers.draw(((at, shape),), rng)
                numbers.append(drawn)
                bits += more
            made = tuple(names), tuple(numbers)
            if made not in self._known:
                text = _written(old.divisions, made[0], made[1], old.units)
                return Home(text, round(max(0.0, bits - TRIED_BITS), 2))
        return None
