"""Which rows of the sample canaries are modelled on: chosen for many places at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from canary.generators.draws import generator
from canary.generators.moments import Moments
from canary.generators.profile import HostProfile, Place

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

WINDOW = 0.05  # of the sample, to either side of a place, out of which the row to model a canary on is taken
CHOICE = 16  # rows of it that are compared by the time of day


@dataclass(frozen=True, slots=True)
class Templates:
    """Chooses rows: not beside a place, lest they repeat, but near it, and of its time of day."""

    profile: HostProfile
    moments: Moments

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

    def choose(self, places: Sequence[Place | None], near: Ints, ways: int, rng: Random) -> list[list[int]]:
        """Choose so many rows of the sample for each place, every one of them on its own."""
        import numpy as np

        size = len(self.profile.sample)
        reach = max(CHOICE, int(WINDOW * size))
        low = np.maximum(near - reach, 0)
        span = np.minimum(near + reach + 1, size) - low
        shares = generator(rng).random((len(places), ways, CHOICE))
        rows = (low[:, None, None] + (shares * span[:, None, None])).astype(np.int64)
        best = self.moments.alike(places, rows)
        found: list[list[int]] = np.take_along_axis(rows, best[:, :, None], 2)[:, :, 0].tolist()
        return found
