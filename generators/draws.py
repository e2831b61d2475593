"""Draws that can be weighed: uniform and weighted picks, many at once, all from the randomness handed in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log2
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def generator(rng: Random) -> np.random.Generator:
    """Make a numpy generator from 128 bits of the randomness handed in."""
    import numpy as np

    return np.random.default_rng(rng.getrandbits(128))


def integers(gen: np.random.Generator, count: int, size: int) -> list[int]:
    """Draw `count` integers evenly from 0 to size - 1."""
    drawn: list[int] = gen.integers(0, size, count).tolist()
    return drawn


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
