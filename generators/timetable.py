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
DRAWN = 400  # rows drawn for a place, of which those out of reach are left out, and those that its run has already
LEARNT = 5000  # real rows, and places, by which the weights are learned
BINS = 12  # equal parts of the real rows, by each feature
TAILS = (
    0.005,
    0.01,
    0.02,
    0.04,
)  # shares at either end that are parts of their own: what is odd stands there
LOWEST = 1e-300
RUNS = 400  # runs up to which each has its share
LEAST = -300.0  # logarithm of odds below which all are alike
FADING = 0.03  # share of a weight that each sweep takes back: what only a few rows ask for does not grow
OFTEN = 0.2  # different pairs, as a share of the rows, up to which they tell another column and not each row
SWEEPS = 30
STEP = 2.0  # most by which a part's weight changes at once
TAKEN = 0.22  # share of the places that are taken: some more than are needed, of those that are kept


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
    positions: Ints  # of the places that the weights were learned on, sorted
    learnt: Fitting  # the rows that fit them, by their numbers in `positions`

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
        nothing = Fitting(order[:0], Seats(order[:0], order[:0], order[:0], real=False), np.empty(0))
        blank = cls(recall, values, values[order], order, shows, (), (), 1.0, told, order[:0], nothing)
        return blank._learned(profile, rng)

    def _learned(self, profile: HostProfile, rng: Random) -> Timetable:
        import numpy as np

        gen, size = generator(rng), len(self.recall)
        some = np.sort(gen.permutation(size)[: 2 * LEARNT])
        real = self.shows.shown(Seats(some, some, some, real=True))
        places = profile.places.part(0, LEARNT)
        places = places.chosen(np.argsort(places.positions, kind="stable"))
        fits = self._fitting(list(places), gen)
        edges = [_edges(one, KINDS if at else RUNS) for at, one in enumerate(real)]
        wanted = [_parts(one, at) for one, at in zip(real, edges, strict=True)]
        found = [_parts(one, at) for one, at in zip(self.shows.shown(fits.seats), edges, strict=True)]
        weights, ceiling = _raked(wanted, found, [len(at) + 1 for at in edges], fits, len(places))
        learnt = replace(fits, odds=fits.odds * _odds(found, weights))
        return replace(
            self, edges=edges, weights=weights, ceiling=ceiling, positions=places.positions, learnt=learnt
        )

    def rows(
        self, places: Sequence[Place], rng: Random, taken: set[tuple[int, ...]], *, anyhow: bool = False
    ) -> list[Row | None]:
        """Choose a row for each place; None where none fits, or where what fits is unlikely (`anyhow`: taken too).

        What stands once in its run in the host, and is `taken` there already, is left out; `taken` gets what is chosen.
        """
        import numpy as np

        gen = generator(rng)
        fits = self._weighed(places, gen, whole=True) if anyhow else self._likely(places, gen)
        owner, seats, odds = fits.owner, fits.seats, fits.odds
        if not len(owner):
            return [None] * len(places)
        chances = _summed(odds, owner, len(places))
        likely = (chances > 0) & (anyhow | (gen.random(len(places)) * self.ceiling < chances))
        starts, ends = (
            np.searchsorted(owner, np.arange(len(places)), side=side) for side in ("left", "right")
        )
        marks = np.cumsum(
            odds / np.maximum(chances * DRAWN, LOWEST)[owner]
        )  # a whole step for each place that has a row
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

    def _likely(self, places: Sequence[Place], gen: np.random.Generator) -> Fitting:
        """Give the rows that fit places: those the weights were learned on, where they were, else drawn anew.

        Weights learned on some rows make those have the spread of real ones; others but about so.
        """
        import numpy as np

        asked = np.array([place.position for place in places], np.int64)
        at = np.searchsorted(self.positions, asked)
        known = np.append(self.positions, MISSING)[at] == asked
        starts, ends = (np.searchsorted(self.learnt.owner, at, side=side) for side in ("left", "right"))
        sizes = np.where(known, ends - starts, 0)
        owner = np.repeat(np.arange(len(places)), sizes)
        which = np.arange(len(owner)) + np.repeat(starts - (np.cumsum(sizes) - sizes), sizes)
        found = self.learnt.part(which, owner)
        if known.all():
            return found
        others = np.flatnonzero(~known)
        drawn = self._weighed([places[place] for place in others.tolist()], gen)
        return found.joined(drawn, others)

    def _weighed(self, places: Sequence[Place], gen: np.random.Generator, *, whole: bool = False) -> Fitting:
        """Draw rows that fit places, and weigh them by what was learned."""
        fits = self._fitting(places, gen, whole=whole)
        found = [_parts(one, at) for one, at in zip(self.shows.shown(fits.seats), self.edges, strict=True)]
        return replace(fits, odds=fits.odds * _odds(found, self.weights))

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

    def _fitting(self, places: Sequence[Place], gen: np.random.Generator, *, whole: bool = False) -> Fitting:
        """Draw rows that fit between the two at each place, without those that its run has already (`whole`: with)."""
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
        later = np.where(first[:, None] >= 0, first[:, None] == 1, second)  # it goes on with the run after
        owner, column = np.nonzero(fits)
        keys, often = np.unique(
            (owner * 2 + later[owner, column]) * size + rows[owner, column], return_counts=True
        )
        owner, found = keys // (2 * size), keys % size
        run = np.clip(at[owner] - 1 + keys // size % 2, 0, size - 1)
        fitting = Fitting(owner, Seats(at[owner], found, run, real=False), often.astype(float))
        alone = np.flatnonzero(~self.shows.doubled(fitting.seats))
        return fitting if whole else fitting.part(alone, owner[alone])

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


def _edges(feature: Floats, kinds: int) -> Floats:
    """Give where the parts of a feature begin: each of few values is one, many are cut evenly, ends apart."""
    import numpy as np

    values = np.unique(feature)
    if len(values) <= kinds:
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


def _odds(found: Sequence[Ints], weights: Sequence[Floats]) -> Floats:
    """Give the odds of rows by the weights of what they show."""
    import numpy as np

    odds: Floats = np.exp(np.maximum(_score(found, weights), LEAST))
    return odds


def _raked(
    wanted: Sequence[Ints], found: Sequence[Ints], sizes: Sequence[int], fits: Fitting, places: int
) -> tuple[list[Floats], float]:
    """Weigh rows so that each feature, alone, has the spread that is wanted, though no place counts for more than one.

    Gives the logarithms of the weights, and the chance from which a place is taken at once.
    """
    import numpy as np

    weights, ceiling, owner = [np.zeros(size) for size in sizes], 1.0, fits.owner
    odds, held = fits.odds.copy(), fits.odds.copy()
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
        ceiling = _ceiling(chances, TAKEN)
        held = odds * np.minimum(1.0, ceiling / np.maximum(chances, LOWEST))[owner]
    return weights, ceiling


def _ceiling(chances: Floats, share: float) -> float:
    """Give the chance from which a place is taken at once, for such a share of the places to be taken."""
    import numpy as np

    falling = np.sort(chances)[::-1]
    rest = np.cumsum(falling[::-1])[::-1]
    left = share * len(falling) - np.arange(
        len(falling)
    )  # to be taken of the rest, the first ones being taken
    bounds = rest / np.maximum(left, LOWEST)
    enough = np.flatnonzero((falling <= bounds) | (left <= 1))
    return max(float(bounds[enough[0]]) if len(enough) else 0.0, LOWEST)
