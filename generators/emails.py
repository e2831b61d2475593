"""Aliases on owned domains: believable by their name part, strong by a random part that is counted."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache
from operator import add
from typing import TYPE_CHECKING, Protocol

from canary.generators.draws import Weighted, bits_of, integers
from canary.generators.names import pinyin

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEAST_BITS = 36  # of the random part, for every alias
LONGEST_RUN = 4  # digits in a row
NAME_LETTERS = 18
LONGEST_SYLLABLE = 6
# Initials and the finals each takes; no syllable begins with a vowel, so that a row of them reads in one way.
_FINALS = {
    "b": "a ai an ang ao ei en eng i ian iao ie in ing o u",
    "p": "a ai an ang ao ei en eng i ian iao ie in ing o ou u",
    "m": "a ai an ang ao ei en eng i ian iao ie in ing o ou u",
    "f": "a an ang ei en eng o ou u",
    "d": "a ai an ang ao e eng i ian iao ie ing iu ong ou u uan ui un uo",
    "t": "a ai an ang ao e eng i ian iao ie ing ong ou u uan ui un uo",
    "n": "a ai an ang ao e ei en eng i ian iang iao ie in ing iu ong u uan uo",
    "l": "a ai an ang ao e ei eng i ia ian iang iao ie in ing iu ong ou u uan un uo",
    "g": "a ai an ang ao e ei en eng ong ou u ua uai uan uang ui un uo",
    "k": "a ai an ang ao e en eng ong ou u ua uai uan uang ui un uo",
    "h": "a ai an ang ao e ei en eng ong ou u ua uai uan uang ui un uo",
    "j": "i ia ian iang iao ie in ing iong iu u uan ue un",
    "q": "i ia ian iang iao ie in ing iong iu u uan ue un",
    "x": "i ia ian iang iao ie in ing iong iu u uan ue un",
    "zh": "a ai an ang ao e en eng i ong ou u ua uai uan uang ui un uo",
    "ch": "a ai an ang ao e en eng i ong ou u uai uan uang ui un uo",
    "sh": "a ai an ang ao e ei en eng i ou u ua uai uan uang ui un uo",
    "r": "an ang ao e en eng i ong ou u uan ui un uo",
    "z": "a ai an ang ao e ei en eng i ong ou u uan ui un uo",
    "c": "a ai an ang ao e en eng i ong ou u uan ui un uo",
    "s": "a ai an ang ao e en eng i ong ou u uan ui un uo",
    "y": "a an ang ao e i in ing ong ou u uan ue un",
    "w": "a ai an ang ei en eng o u",
}


@cache
def syllables() -> tuple[str, ...]:
    """Give the syllables aliases are drawn from; any row of them can be read in one way only."""
    return tuple(head + tail for head, tails in _FINALS.items() for tail in tails.split())


@lru_cache(maxsize=65536)
def cut_syllables(letters: str) -> tuple[str, ...] | None:
    """Cut letters into syllables, the only way there is; None where they are no row of syllables."""
    if not letters:
        return ()
    for size in range(min(LONGEST_SYLLABLE, len(letters)), 0, -1):
        if letters[:size] in _known():
            rest = cut_syllables(letters[size:])
            if rest is not None:
                return letters[:size], *rest
    return None


@cache
def _known() -> frozenset[str]:
    return frozenset(syllables())


@cache
def words() -> int:
    """Give the number of random parts an alias can have: two syllables and six digits, drawn as one."""
    size = len(syllables())
    return size * size * 1_000_000


@cache
def alias_bits() -> float:
    """Give the min-entropy of an alias's random part, name, shape and domain being known."""
    return bits_of(words())


class Ways(Protocol):
    """Shapes of aliases that were learned of a host."""

    # ruff: noqa: D102

    @property
    def bits(self) -> float: ...
    def draw(self, gen: np.random.Generator, names: Sequence[str], heads: Sequence[str]) -> list[str]: ...
    def shares(self, gen: np.random.Generator, domains: int, aliases: int) -> list[float]: ...


class AliasDraw:
    """Draws aliases on the owned domains, never one random part twice; '' without a domain."""

    def __init__(self, domains: Sequence[str]) -> None:
        self.domains = tuple(dict.fromkeys(domain.strip().lower().lstrip("@") for domain in domains))
        self._seen: set[int] = set()
        self._given: set[str] = set()

    def bits(self, ways: Ways | None = None) -> float:
        """Give the min-entropy of one alias, in the shapes of a host or (None) in our own."""
        return 0.0 if not self.domains else alias_bits() if ways is None else ways.bits

    def like(
        self,
        gen: np.random.Generator,
        names: Sequence[str],
        heads: Sequence[str],
        ways: Ways,
        shares: Sequence[float],
    ) -> list[str]:
        """Draw an alias for each person in the shapes of a host, on our domains by their shares."""
        if not self.domains:
            return [""] * len(names)
        domains = Weighted.of(self.domains, shares).draw(gen, len(names))
        drawn = ways.draw(gen, names, heads)
        for row, (name, head) in enumerate(zip(names, heads, strict=True)):
            while drawn[row] in self._given:
                (drawn[row],) = ways.draw(gen, [name], [head])
            self._given.add(drawn[row])
        return [f"{one}@{domain}" for one, domain in zip(drawn, domains, strict=True)]

    def draw(self, gen: np.random.Generator, names: Sequence[str], heads: Sequence[str]) -> list[str]:
        """Draw an alias for each person, given the name in ASCII letters and a short head of it."""
        if not self.domains:
            return [""] * len(names)
        count = len(names)
        drawn, shapes = self._words(gen, count), integers(gen, count, len(_SHAPES))
        ends = [f"@{domain}" for domain in self.domains]
        domains = [ends[at] for at in integers(gen, count, len(ends))]
        return list(map(add, local_parts(names, heads, drawn, shapes), domains))

    def _words(self, gen: np.random.Generator, count: int) -> list[int]:
        """Draw distinct integers below the number of random parts."""
        drawn = integers(gen, count, words())
        new = set(drawn)
        if len(new) == count and self._seen.isdisjoint(new):
            self._seen |= new
            return drawn
        for row, word in enumerate(drawn):
            while word in self._seen:
                word = integers(gen, 1, words())[0]
            self._seen.add(word)
            drawn[row] = word
        return drawn


# What stands in an alias of each shape, from left to right; each shows all of the random part.
_SHAPES = (
    ("name", "two", ".", "first", "second", "four"),
    ("first", "second", "two", ".", "name", "four"),
    ("head", "two", ".", "first", ".", "second", "four"),
    ("first", "second", ".", "head", "two", ".", "four"),
    ("name", ".", "first", "two", "second", "four"),
)


@cache
def _digits(width: int) -> tuple[str, ...]:
    return tuple(f"{number:0{width}d}" for number in range(10**width))


def local_part(name: str, head: str, word: int, shape: int) -> str:
    """Write a random word beside a name and its head, into one of the shapes."""
    parts = syllables()
    word, digits = divmod(word, 1_000_000)
    second, first = divmod(word, len(parts))
    known = {
        "name": name, "head": head, "first": parts[first], "second": parts[second],
        "two": _digits(2)[digits // 10_000], "four": _digits(4)[digits % 10_000],
    }  # fmt: skip
    return "".join(known.get(piece, piece) for piece in _SHAPES[shape])


def local_parts(
    names: Sequence[str], heads: Sequence[str], drawn: Sequence[int], shapes: Sequence[int]
) -> list[str]:
    """Write many such at once."""
    import numpy as np

    word, digits = np.divmod(np.array(drawn, np.int64), 1_000_000)
    second, first = np.divmod(word, len(syllables()))
    two, four = np.divmod(digits, 10_000)
    known = {
        "name": _column(names), "head": _column(heads), ".": np.full(len(names), ".", object),
        "first": _column(syllables())[first], "second": _column(syllables())[second],
        "two": _column(_digits(2))[two], "four": _column(_digits(4))[four],
    }  # fmt: skip
    found, which = np.empty(len(names), object), np.array(shapes)
    for number, shape in enumerate(_SHAPES):
        rows = np.flatnonzero(which == number)
        pieces = (known[piece][rows].tolist() for piece in shape)
        found[rows] = _column(["".join(row) for row in zip(*pieces, strict=True)])
    texts: list[str] = found.tolist()
    return texts


def _column(texts: Sequence[str]) -> NDArray[np.object_]:
    import numpy as np

    column = np.empty(len(texts), object)
    column[:] = texts
    return column


def chinese_letters(surname: str, given: str) -> tuple[str, str]:
    """Spell a Chinese name for an alias: whole (wangxiaoming) and short (wxm)."""
    first, second = _spelt(surname, surname=True), _spelt(given)
    return (first[0] + second[0])[:NAME_LETTERS], first[1] + second[1]


def chinese_letters_of(surnames: Sequence[str], given: Sequence[str]) -> list[tuple[str, str]]:
    """Spell many names so."""
    first = {name: _spelt(name, surname=True) for name in set(surnames)}
    second = {name: _spelt(name) for name in set(given)}
    pairs = zip(map(first.__getitem__, surnames), map(second.__getitem__, given), strict=True)
    return [((one + two)[:NAME_LETTERS], short + rest) for (one, short), (two, rest) in pairs]


@lru_cache(maxsize=65536)
def _spelt(text: str, *, surname: bool = False) -> tuple[str, str]:
    parts = pinyin(text, surname=surname)
    return "".join(parts), "".join(part[0] for part in parts)


def latin_letters(name: str) -> tuple[str, str]:
    """Spell any name in ASCII letters for an alias: whole and short; 'user' where it has none."""
    plain = unicodedata.normalize("NFKD", name.lower())
    parts = re.findall(r"[a-z]+", "".join(letter for letter in plain if not unicodedata.combining(letter)))
    if not parts:
        return "user", "u"
    return ".".join(parts)[:NAME_LETTERS].strip("."), parts[0][0] + parts[-1][:8]
