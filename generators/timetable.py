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
from canary.generators.raking import (
    AGAIN,
    DRAWN,
    LEARNT,
    LOWEST,
    SWEEPS,
    Fitting,
    edges_of,
    odds_of,
    parts_of,
    raked,
    summed,
)
from canary.generators.recurrence import FEW, KINDS, Recurrence, Seats

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from canary.generators.profile import HostProfile, Place, Places, Row
    from canary.generators.recall import Recall

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

REACH = 0.25  # of the table, to either side of a place, out of which a fitting row is taken
RUNS = 400  # runs up to which each has its share
OFTEN = 0.2  # different pairs, as a share of the rows, up to which they tell another column and not each row
MORE = 1.3  # times as many places are taken as are needed: some are found unfit when drafted


@dataclass(frozen=True, slots=True)
class Timetable:
    """A table's rows sorted by the column that rises anew again and again, and the weights of what they show."""

    recall: Recall
    values: Ints  # of that column, MISSING where a row has none
    keys: Ints  # sorted values
    order: Ints  # rows in that order
    shows: Recurrence
    edges: Sequence[Floats]
    wanted: Sequence[Floats]  # shares of real rows, for each part of each feature
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
        blank = cls(recall, values, values[order], order, shows, (), (), (), 1.0, told, order[:0], nothing)
        gen, size = generator(rng), len(recall)
        some = np.sort(gen.permutation(size)[: 2 * LEARNT])
        real = shows.shown(Seats(some, some, some, real=True))
        edges = [edges_of(one, KINDS if at else RUNS) for at, one in enumerate(real)]
        wanted = [
            np.bincount(parts_of(one, at), minlength=len(at) + 1) / len(one)
            for one, at in zip(real, edges, strict=True)
        ]
        return replace(blank, edges=edges, wanted=wanted, weights=[np.zeros(len(one)) for one in wanted])

    def learned(self, places: Places, count: int, rng: Random) -> Timetable:
        """Weigh rows that fit places, of which so many are to be taken; starts from the weights known so far."""
        import numpy as np

        places = places.chosen(np.argsort(places.positions, kind="stable"))
        fits = self._fitting(list(places), generator(rng))
        found = [parts_of(one, at) for one, at in zip(self.shows.shown(fits.seats), self.edges, strict=True)]
        share = min(1.0, MORE * count / max(1, len(places)))
        sweeps = AGAIN if len(self.positions) else SWEEPS
        weights, ceiling = raked(self.wanted, found, self.weights, fits, len(places), share, sweeps)
        learnt = replace(fits, odds=fits.odds * odds_of(found, weights))
        return replace(self, weights=weights, ceiling=ceiling, positions=places.positions, learnt=learnt)

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
        chances = summed(odds, owner, len(places))
        likely = (chances > 0) & (anyhow | (gen.random(len(places)) * self.ceiling < chances))
        starts, ends = (
            np.searchsorted(owner, np.arange(len(places)), side=side) for side in ("left", "right")
        )
        # A whole step for each place that has a row.
        marks = np.cumsum(odds / np.maximum(chances * DRAWN, LOWEST)[owner])
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
        found = [parts_of(one, at) for one, at in zip(self.shows.shown(fits.seats), self.edges, strict=True)]
        return replace(fits, odds=fits.odds * odds_of(found, self.weights))

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
