"""Weighing rows that might be added so that what they show has, feature by feature, the spread of real rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from canary.generators.recurrence import Seats

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

DRAWN = 400  # rows drawn for a place, of which those out of reach are left out, and those that its run has already
LEARNT = 5000  # half of the real rows by which it is known what is wanted
BINS = 12  # equal parts of the real rows, by each feature
# Shares at either end that are parts of their own: what is odd stands there.
TAILS = (0.005, 0.01, 0.02, 0.04)
LOWEST = 1e-300
LEAST = -300.0  # logarithm of odds below which all are alike
FADING = 0.03  # share of a weight that each sweep takes back: what only a few rows ask for does not grow
SWEEPS, AGAIN = 30, 10  # of weighing, at first and for those that come after
STEP = 2.0  # most by which a part's weight changes at once


@dataclass(frozen=True, slots=True)
class Fitting:
    """Rows that fit places: which place each is for (rising), its seat, and its odds."""

    owner: Ints
    seats: Seats
    odds: Floats

    def part(self, which: Ints, owner: Ints) -> Fitting:
        """Give some of them, for places of other numbers."""
        return Fitting(owner, self.seats.part(which), self.odds[which])

    def joined(self, other: Fitting, places: Ints) -> Fitting:
        """Add rows for other places, which have these numbers."""
        import numpy as np

        owner = np.concatenate([self.owner, places[other.owner]])
        seats = Seats(
            np.concatenate([self.seats.at, other.seats.at]),
            np.concatenate([self.seats.rows, other.seats.rows]),
            np.concatenate([self.seats.runs, other.seats.runs]),
            real=False,
        )
        order = np.argsort(owner, kind="stable")
        return Fitting(owner, seats, np.concatenate([self.odds, other.odds])).part(order, owner[order])


def edges_of(feature: Floats, kinds: int) -> Floats:
    """Give where the parts of a feature begin: each of few values is one, many are cut evenly, ends apart."""
    import numpy as np

    values = np.unique(feature)
    if len(values) <= kinds:
        return values[1:]
    shares = [*TAILS, *np.linspace(0, 1, BINS + 1)[1:-1], *(1 - tail for tail in TAILS)]
    return np.unique(np.quantile(feature, shares))


def parts_of(feature: Floats, edges: Floats) -> Ints:
    """Give the part of the real rows that each row's feature falls into."""
    import numpy as np

    return np.searchsorted(edges, feature, side="right")


def _score(found: Sequence[Ints], weights: Sequence[Floats]) -> Floats:
    """Add up the weights of each row's features."""
    import numpy as np

    total = np.zeros(len(found[0]))
    for parts, each in zip(found, weights, strict=True):
        total += each[parts]
    return total


def summed(odds: Floats, owner: Ints, places: int) -> Floats:
    """Give the chance of each place: the odds of its rows, of all that were drawn for it."""
    import numpy as np

    summed: Floats = np.bincount(owner, odds, minlength=places) / DRAWN
    return summed


def odds_of(found: Sequence[Ints], weights: Sequence[Floats]) -> Floats:
    """Give the odds of rows by the weights of what they show."""
    import numpy as np

    odds: Floats = np.exp(np.maximum(_score(found, weights), LEAST))
    return odds


def raked(
    wanted: Sequence[Floats],
    found: Sequence[Ints],
    weights: Sequence[Floats],
    fits: Fitting,
    places: int,
    share: float,
    sweeps: int,
) -> tuple[list[Floats], float]:
    """Weigh rows so that each feature, alone, has the spread that is wanted, a share of the places being taken.

    Gives the logarithms of the weights, and the chance from which a place is taken at once.
    """
    import numpy as np

    weights, ceiling, owner = [one.copy() for one in weights], 1.0, fits.owner
    odds = fits.odds * odds_of(found, weights)
    held = odds.copy()
    for _ in range(sweeps if odds.any() else 0):
        for at, parts in enumerate(found):
            have = np.bincount(parts, held, minlength=len(wanted[at]))
            ratio = (wanted[at] + 1 / LEARNT) / (have / held.sum() + 1 / LEARNT)
            step = np.log(np.clip(ratio, 1 / STEP, STEP))
            step -= FADING * (weights[at] + step)
            weights[at] += step
            more = np.exp(step)[parts]
            odds *= more
            held *= more
        weights[0] -= np.log(odds.mean())
        odds /= odds.mean()
        chances = summed(odds, owner, places)
        ceiling = _ceiling(chances, share)
        held = odds * np.minimum(1.0, ceiling / np.maximum(chances, LOWEST))[owner]
    return weights, ceiling


def _ceiling(chances: Floats, share: float) -> float:
    """Give the chance from which a place is taken at once, for such a share of the places to be taken."""
    import numpy as np

    falling = np.sort(chances)[::-1]
    rest = np.cumsum(falling[::-1])[::-1]
    # How many are to be taken of the rest, the first ones being taken.
    left = share * len(falling) - np.arange(len(falling))
    bounds = rest / np.maximum(left, LOWEST)
    enough = np.flatnonzero((falling <= bounds) | (left <= 1))
    return max(float(bounds[enough[0]]) if len(enough) else 0.0, LOWEST)
