"""Which rows of the sample canaries are modelled on: chosen for many places at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from canary.generators.balance import Balance
from canary.generators.draws import generator
from canary.generators.moments import Moments
from canary.generators.profile import HostProfile, Place

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

WINDOW = 0.05  # of the sample, to either side of a place, out of which the row to model a canary on is taken
BESIDE = 0.125  # of that reach within which no row is taken: those are of the same hour of the same day
DRAWN, CHOICE = 64, 8  # rows of it that are drawn, and of which those are left whose time of day is nearest


@dataclass(frozen=True, slots=True)
class Templates:
    """Chooses rows: not beside a place, lest they repeat, but near it, and of its time of day."""

    profile: HostProfile
    moments: Moments
    balances: Sequence[Balance]  # one for each way in which rows are chosen

    @property
    def _reach(self) -> int:
        return max(DRAWN, int(WINDOW * len(self.profile.sample)))

    @property
    def apart(self) -> int:
        """Give how far from a place the nearest row of the sample is that may be taken, in rows of it."""
        return int(BESIDE * self._reach) + 1

    def near(self, places: Sequence[Place | None]) -> Ints:
        """Give the index of the sample row nearest each place (None: after the last row)."""
        import numpy as np

        rows = self.profile.rows
        positions = np.array([rows if place is None else place.position for place in places], np.int64)
        numbers = self.profile.indexed
        right = np.minimum(np.searchsorted(numbers, positions), len(numbers) - 1)
        left = np.maximum(right - 1, 0)
        nearest: Ints = np.where(positions - numbers[left] < numbers[right] - positions, left, right)
        return nearest

    def choose(self, places: Sequence[Place | None], near: Ints, rng: Random) -> Ints:
        """Choose a row of the sample for each place in each way (places × ways), every one of them on its own."""
        import numpy as np

        size, shape = len(self.profile.sample), (len(places), len(self.balances), DRAWN)
        far = np.arange(self.apart, self._reach + 1)
        steps = np.concatenate([-far, far])[generator(rng).integers(0, 2 * len(far), shape, np.int32)]
        rows = near[:, None, None] + steps
        outside = (rows < 0) | (rows >= size)
        rows[outside] = (rows - 2 * steps)[outside] % size  # to the other side
        likely = self.moments.alike(places, rows, CHOICE)
        chosen: Ints = np.stack(
            [each.choose(likely[:, way]) for way, each in enumerate(self.balances)], axis=1
        )
        return chosen
