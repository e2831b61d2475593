"""Choosing rows that may be added to a table whose rows recur by a timetable, so that they recur as its own do.

A flight stands once a day, in its minute: who adds a second one on the same day shows it. Many rows that fit a place
are compared by what they would show (`recurrence`), and are taken by weights under which every feature, alone, has the
spread it has among real rows (raking; Deming and Stephan 1940).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING

from canary.generators.draws import generator
from canary.generators.gaps import MISSING
from canary.generators.recurrence import FEW, KINDS, Recurrence, Seats

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from canary.generators.profile import HostProfile, Place, Row
    from canary.generators.recall import Recall

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

REACH = 0.15  # of the table, to either side of a place, out of which a fitting row is taken
DRAWN = 40  # rows drawn for a place, of which those out of reach are left out
LEARNT = 5000  # real rows, and places, by which the weights are learned
BINS = 12  # equal parts of the real rows, by each feature
TAILS = (
    0.005,
    0.01,
    0.02,
    0.04,
)  # shares at either end that are parts of their own: what is odd stands there
LEAST = -300.0  # logarithm of odds below which all are alike
FADING = 0.1  # share of a weight that each sweep takes back: what only a few rows ask for does not grow
OFTEN = 0.2  # different pairs, as a share of the rows, up to which they tell another column and not each row
SWEEPS = 12
STEP = 2.0  # most by which a part's weight changes at once
ROOM = 0.75  # share of places whose rows are likely below that of one taken at once


@dataclass(frozen=True, slots=True)
class Timetable:
    """A table's rows sorted by the column that rises anew again and again, and the weights of what they show."""

    recall: Recall
    values: Ints  # of that column, MISSING where a row has none
    keys: Ints  # sorted values
    order: Ints  # rows in that order
    shows: Recurrence
    edges: Sequence[Floats]
    weights: Sequence[Floats]  # logarithms, for each part of each feature
    ceiling: float
    told: Mapping[str, tuple[str, Ints, Ints]]  # columns that the run and a category tell

    @classmethod
    def of(
        cls,
        profile: HostProfile,
        recall: Recall,
        tide: str,
        local: Sequence[str],
        drawn: Set[str],
        rng: Random,
    ) -> Timetable:
        """Learn a profile's timetable; columns `drawn` are not taken over from the rows that are chosen."""
        import numpy as np

        codec = profile.series[tide].codec
        read = [codec.read(text or "") for text in recall.texts[tide]]
        values = np.array([MISSING if one is None else one for one in read], np.int64)[recall.codes[tide]]
        order = np.argsort(values, kind="stable")
        shows = Recurrence(recall.without(drawn), local, values)
        told = _told(recall, shows, drawn)
        blank = cls(recall, values, values[order], order, shows, (), (), 1.0, told)
        return blank._learned(profile, rng)

    def _learned(self, profile: HostProfile, rng: Random) -> Timetable:
        import numpy as np

        gen, size = generator(rng), len(self.recall)
        some = np.sort(gen.permutation(size)[:LEARNT])
        real = self.shows.shown(Seats(some, some, some, real=True))
        places = profile.places.part(0, LEARNT)
        owner, seats = self._fitting(list(places), gen)
        edges = [_edges(one) for one in real]
        wanted = [_parts(one, at) for one, at in zip(real, edges, strict=True)]
        found = [_parts(one, at) for one, at in zip(self.shows.shown(seats), edges, strict=True)]
        weights, ceiling = _raked(wanted, found, [len(at) + 1 for at in edges], owner, len(places))
        return replace(self, edges=edges, weights=weights, ceiling=ceiling)

    def rows(
        self, places: Sequence[Place], rng: Random, taken: set[tuple[int, ...]], *, anyhow: bool = False
    ) -> list[Row | None]:
        """Choose a row for each place; None where none fits, or where what fits is unlikely (`anyhow`: taken too).

        What stands once in its run in the host, and is `taken` there already, is left out; `taken` gets what is chosen.
        """
        import numpy as np

        gen = generator(rng)
        owner, seats = self._fitting(places, gen)
        if not len(owner):
            return [None] * len(places)
        found = [_parts(one, at) for one, at in zip(self.shows.shown(seats), self.edges, strict=True)]
        odds = np.exp(np.maximum(_score(found, self.weights), LEAST))
        chances = _summed(odds, owner, len(places))
        likely = (chances > 0) & (anyhow | (gen.random(len(places)) * self.ceiling < chances))
        starts, ends = (
            np.searchsorted(owner, np.arange(len(places)), side=side) for side in ("left", "right")
        )
        marks = np.cumsum(odds / (chances * DRAWN)[owner])  # a whole step for each place that has a row
        below = np.where(starts > 0, marks[starts - 1], 0.0)
        at = np.searchsorted(marks, below + gen.random(len(places)), side="right")
        at = np.clip(at, starts, np.maximum(ends - 1, starts))
        rows: list[Row | None] = [None] * len(places)
        alone = self.shows.alone(seats.part(np.minimum(at, len(owner) - 1)))
        for place in np.flatnonzero(likely).tolist():
            if taken.isdisjoint(alone[place]):
                taken.update(alone[place])
                rows[place] = self._row(seats, int(at[place]))
        return rows

    def _row(self, seats: Seats, at: int) -> Row:
        """Give a chosen row, its runs those of its place."""
        at_row, at_run = int(seats.rows[at]), int(seats.runs[at])
        row, run = self.recall.row(at_row), self.recall.row(at_run)
        row |= {name: run[name] for name in self.shows.local}
        return row | {
            name: text for name in self.told if (text := self._tells(name, at_row, at_run)) is not None
        }

    def _tells(self, name: str, row: int, run: int) -> str | None:
        """Give what run and category tell of a column; None where no row of the run has that category."""
        import numpy as np

        other, keys, rows = self.told[name]
        key = int(self.shows.runs()[run]) * FEW + int(self.shows.groups[other][row])
        found = int(np.searchsorted(keys, key))
        if found == len(keys) or keys[found] != key:
            return None
        return self.recall.texts[name][int(self.recall.codes[name][rows[found]])]

    def _fitting(self, places: Sequence[Place], gen: np.random.Generator) -> tuple[Ints, Seats]:
        """Draw rows that fit between the two at each place: which place each is for, and the seats."""
        import numpy as np

        size = len(self.recall)
        at = np.searchsorted(self.recall.numbers, [place.position for place in places])
        padded = np.concatenate([[MISSING], self.values, [MISSING]])
        low, high, first = self._ranges(
            padded[at], padded[at + 1], np.array([one.tied for one in places]), gen
        )
        sizes = np.maximum(high - low, 0)  # places × the two ranges
        total = sizes.sum(axis=1)
        drawn = (gen.random((len(places), DRAWN)) * total[:, None]).astype(np.int64)
        second = drawn >= sizes[:, :1]
        ranks = np.where(second, high[:, 1:] - total[:, None] + drawn, low[:, :1] + drawn)
        rows = self.order[np.clip(ranks, 0, size - 1)]
        fits = (np.abs(rows - at[:, None]) <= max(DRAWN, REACH * size)) & (total[:, None] > 0)
        later = np.where(first[:, None] >= 0, first[:, None] == 1, second)
        runs = np.clip(at[:, None] - 1 + later, 0, size - 1)
        owner, column = np.nonzero(fits)
        return owner, Seats(at[owner], rows[owner, column], runs[owner, column], real=False)

    def _ranges(
        self, start: Ints, end: Ints, tied: Floats, gen: np.random.Generator
    ) -> tuple[Ints, Ints, Ints]:
        """Give, for each place, two ranges of sorted rows that fit, and the side whose run it joins (-1: the range's).

        Between rising values both are one: those between them, or, where a time is shared, one of the two. Where a run
        ends, the first range goes on with the run before and the second begins the run after.
        """
        import numpy as np

        rising = (start != MISSING) & (end != MISSING) & (end >= start)
        shared = gen.random(len(start)) < np.abs(tied)
        mine = np.where(tied > 0, start, end)
        low = np.where(shared, mine, start + 1)
        high = np.where(shared, mine, end - 1)
        known = int(np.searchsorted(self.keys, MISSING, side="right"))  # rows below have no value
        size = len(self.keys)
        before = np.where(start == MISSING, 0, np.searchsorted(self.keys, start))
        after = np.where(end == MISSING, known, np.searchsorted(self.keys, end, side="right"))
        lows = np.stack([np.where(rising, np.searchsorted(self.keys, low), before), np.zeros_like(before)], 1)
        highs = np.stack([np.searchsorted(self.keys, high, side="right"), np.zeros_like(before)], 1)
        highs[:, 0] = np.where(rising, highs[:, 0], np.where(start == MISSING, known, size))
        lows[:, 1] = np.where(rising, 0, np.where(end == MISSING, 0, known))
        highs[:, 1] = np.where(rising, 0, after)
        side = np.where(
            rising, np.where(shared & (tied > 0), 0, np.where(shared, 1, gen.integers(0, 2, len(start)))), -1
        )
        return lows, highs, side


def _edges(feature: Floats) -> Floats:
    """Give where the parts of a feature begin: each of few values is one, many are cut evenly, ends apart."""
    import numpy as np

    values = np.unique(feature)
    if len(values) <= KINDS:
        return values[1:]
    shares = [*TAILS, *np.linspace(0, 1, BINS + 1)[1:-1], *(1 - tail for tail in TAILS)]
    return np.unique(np.quantile(feature, shares))


def _told(recall: Recall, shows: Recurrence, drawn: Set[str]) -> dict[str, tuple[str, Ints, Ints]]:
    """Find the columns that a category and the run together tell: an hour and the day tell a time.

    Gives for each the category, the known pairs of run and category, sorted, and a row that has each.
    """
    import numpy as np

    run = shows.runs()
    found: dict[str, tuple[str, Ints, Ints]] = {}
    for name in sorted(drawn & recall.codes.keys()):
        many = len(recall.texts[name])
        for other, codes in shows.groups.items():
            keys, first = np.unique(run * FEW + codes, return_index=True)
            whole = run * FEW + codes
            both = np.unique(whole * many + recall.codes[name])
            if len(both) == len(keys) <= OFTEN * len(recall):
                found[name] = other, keys, first
                break
    return found


def _parts(feature: Floats, edges: Floats) -> Ints:
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


def _summed(odds: Floats, owner: Ints, places: int) -> Floats:
    """Give the chance of each place: the odds of its rows, of all that were drawn for it."""
    import numpy as np

    summed: Floats = np.bincount(owner, odds, minlength=places) / DRAWN
    return summed


def _raked(
    wanted: Sequence[Ints], found: Sequence[Ints], sizes: Sequence[int], owner: Ints, places: int
) -> tuple[list[Floats], float]:
    """Weigh rows so that each feature, alone, has the spread that is wanted, though no place counts for more than one.

    Gives the logarithms of the weights, and the chance from which a place is taken at once.
    """
    import numpy as np

    weights, ceiling = [np.zeros(size) for size in sizes], 1.0
    odds, held = np.ones(len(owner)), np.ones(len(owner))
    real = [
        np.bincount(parts, minlength=size) / len(parts) for parts, size in zip(wanted, sizes, strict=True)
    ]
    for _ in range(SWEEPS if len(odds) else 0):
        for at, parts in enumerate(found):
            have = np.bincount(parts, held, minlength=sizes[at])
            ratio = (real[at] + 1 / LEARNT) / (have / held.sum() + 1 / LEARNT)
            step = np.log(np.clip(ratio, 1 / STEP, STEP))
            step -= FADING * (weights[at] + step)
            weights[at] += step
            more = np.exp(step)[parts]
            odds *= more
            held *= more
        weights[0] -= np.log(odds.mean())
        odds /= odds.mean()
        chances = _summed(odds, owner, places)
        ceiling = max(float(np.quantile(chances, ROOM)), 1e-12)
        held = odds * np.minimum(1.0, ceiling / np.maximum(chances, 1e-300))[owner]
    return weights, ceiling
