"""Draws that can be weighed: uniform and weighted picks, many at once, all from the randomness handed in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log2
from random import Random
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from _typeshed import SupportsLenAndGetItem
    from numpy.typing import NDArray

T = TypeVar("T")
SHORT = 1 << 32  # spans that a number of 53 bits covers evenly enough
LEAST_READY, MOST_READY = 64, 4096  # numbers that dice draw at once


def generator(rng: Random) -> np.random.Generator:
    """Make a numpy generator from 128 bits of the randomness handed in."""
    import numpy as np

    return np.random.default_rng(rng.getrandbits(128))


def integers(gen: np.random.Generator, count: int, size: int) -> list[int]:
    """Draw `count` integers evenly from 0 to size - 1."""
    drawn: list[int] = gen.integers(0, size, count).tolist()
    return drawn


class Dice(Random):
    """The randomness handed in, drawn in bulk: as unforeseeable as its source, and many times as fast."""

    def __init__(self, source: Random) -> None:
        super().__init__(0)  # its own state is never used
        self._source = source
        self._ready: list[float] = []
        self._next = LEAST_READY

    def random(self) -> float:
        """Give the next number of 53 bits from 0 up to 1."""
        if not self._ready:
            self._fill()
        return self._ready.pop()

    def getrandbits(self, k: int, /) -> int:
        """Give bits of the source."""
        return self._source.getrandbits(k)

    def below(self, size: int) -> int:
        """Draw evenly from 0 to size - 1, for sizes far below 2^53."""
        return int(self.random() * size)

    def randint(self, a: int, b: int) -> int:
        """Draw evenly from a to b."""
        return a + self.below(b - a + 1) if 0 <= b - a < SHORT else super().randint(a, b)

    def choice(self, seq: SupportsLenAndGetItem[T]) -> T:
        """Choose one of some things."""
        return seq[int(self.random() * len(seq))]

    def _fill(self) -> None:
        import numpy as np

        count, self._next = self._next, min(MOST_READY, 2 * self._next)
        words = np.frombuffer(self._source.getrandbits(64 * count).to_bytes(8 * count, "little"), "<u8")
        self._ready = ((words >> np.uint64(11)) * 2.0**-53).tolist()


@lru_cache(maxsize=4096)
def bits_of(*sizes: int) -> float:
    """Give the min-entropy in bits of independent uniform draws, rounded down to a hundredth."""
    return sum(int(log2(size) * 100) for size in sizes if size > 0) / 100


@dataclass(frozen=True, slots=True)
class Weighted:
    """Texts with weights, drawn by bisection; `peak` is the largest probability."""

    texts: tuple[str, ...]
    steps: NDArray[np.float64]
    peak: float

    @classmethod
    def of(cls, texts: Sequence[str], weights: Sequence[float]) -> Weighted:
        """Make a table of distinct texts (the weights of equal texts are added)."""
        import numpy as np

        total: dict[str, float] = {}
        for text, weight in zip(texts, weights, strict=True):
            total[text] = total.get(text, 0.0) + weight
        steps = np.cumsum(np.array(list(total.values()), dtype=float))
        steps /= steps[-1]
        steps[-1] = 1.0
        return cls(tuple(total), steps, max(total.values()) / sum(total.values()))

    def picks(self, gen: np.random.Generator, count: int) -> NDArray[np.intp]:
        """Draw indexes of texts."""
        return self.steps.searchsorted(gen.random(count), side="right")

    def draw(self, gen: np.random.Generator, count: int) -> list[str]:
        """Draw texts."""
        return [self.texts[index] for index in self.picks(gen, count).tolist()]
