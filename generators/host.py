"""Learning a host table in one pass over its batches: columns, a sample, and places for canaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from operator import itemgetter
from random import Random
from typing import TYPE_CHECKING

from canary.errors import UsageError
from canary.fields.roles import KEYS
from canary.generators.clocks import Clock, learn_clock
from canary.generators.draws import generator
from canary.generators.gaps import MISSING, Reservoir
from canary.generators.masks import KeyMask, learn_mask
from canary.generators.neighbours import every, gather_gaps, going_along, take_all, tide_of, with_last
from canary.generators.profile import ColumnProfile, HostProfile, Places, canary_count
from canary.generators.recall import Memory
from canary.generators.sampling import SampleRows
from canary.generators.series import LEAST_READ, Series, by_neighbours

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from canary.files import RowBatch

    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]

FOLLOWS = 0.5  # correlation of gaps above which one column tells the other
SAMPLE = 4000  # whole rows kept
LOOK = 2000  # values by which a column's spelling is learned
SLACK, SPARE = 6, 256  # places kept beyond those asked for: some are found unfit when drafted
CHOICE = 12  # so many in tables with a timetable, where those are taken that rows fit best
KEYLIKE = KEYS | {"account_no"}
TIDAL = frozenset({"count", "measure", "other"})
TIMELIKE = frozenset({"time", "date"})


class HostLearner:
    """Learns a table from its batches.

    `canaries` is a count or, below 1, a share of the rows; `copies` the number of recipients that each get so many.
    `ranges` gives, by heading or role, the range of numbers that is reserved for canaries.
    """

    def __init__(
        self,
        headings: Sequence[str],
        roles: Mapping[str, str],
        rng: Random,
        canaries: float = 0,
        *,
        copies: int = 1,
        ranges: Mapping[str, tuple[int, int]] | None = None,
        native: Mapping[str, str] | None = None,
    ) -> None:
        canary_count(canaries, 0)
        self.headings, self.roles = tuple(headings), {name: roles.get(name, "other") for name in headings}
        self._canaries, self._copies = canaries, copies
        self._ranges, self._native = dict(ranges or {}), dict(native or {})
        self._gen = generator(rng)
        self.rows = 0  # up to the last one seen, those left out by the reader included
        self._read = 0
        self._nulls = dict.fromkeys(headings, 0)
        self._sample = SampleRows(SAMPLE)
        self._series: list[Series] | None = None
        self._anywhere: Reservoir | None = None
        self._last: Ints | None = None
        self._memory: Memory | None = None
        self._weighed: dict[int, tuple[Ints, tuple[Floats, Floats]]] = {}  # of this batch, by series

    def _wanted(self, rows: int) -> int:
        return canary_count(self._canaries, rows) * self._copies

    def _room(self, rows: int) -> int:
        return (CHOICE if self._memory else SLACK) * self._wanted(rows) + SPARE

    def feed(self, batch: RowBatch) -> None:
        """Learn from the next batch; raises UsageError where its columns are not those of the table."""
        table, numbers = batch.rows, batch.numbers()
        if tuple(table.schema.names) != self.headings:
            raise UsageError("a batch has other columns than the table", "feed all batches of one table")
        if not table.num_rows:
            return
        if self._series is None:
            self._series = self._start(table)
        self.rows, self._read = int(numbers[-1]) + 1, self._read + table.num_rows
        for name in self.headings:
            self._nulls[name] += batch.nulls(name)
        self._sample.feed(self._gen, table, numbers)
        if self._memory is not None:
            self._memory.feed(table, numbers)
        self._take_places(batch, numbers)

    def _start(self, table: pa.RecordBatch) -> list[Series]:
        """Find the columns that may order the table, by the first rows."""
        found = []
        step = max(1, table.num_rows // LOOK)
        for name in self.headings:
            role = self.roles[name]
            if role in TIDAL and (tide := tide_of(name, table)) is not None:
                found.append(tide)
            if role not in KEYLIKE | TIMELIKE:
                continue
            values = table.column(name).take(every(table.num_rows, step)).to_pylist()
            codec = learn_mask(values) if role in KEYLIKE else learn_clock(values)
            if codec is not None and getattr(codec, "fast", True):
                bounds = self._ranges.get(name, self._ranges.get(role)) if role in KEYLIKE else None
                found.append(Series(name, codec, Reservoir.empty(self._room, 0), bounds))
        if any(one.tidal for one in found):
            self._memory = Memory(self.headings)
        for series in found:
            series.reservoir = Reservoir.empty(self._room, len(found))
        self._anywhere = Reservoir.empty(self._room, len(found))
        return found

    def _take_places(self, batch: RowBatch, numbers: Ints) -> None:
        import numpy as np

        series = self._series or []
        read = [_read(one.codec, batch, one.heading) for one in series]
        values = np.empty(
            (batch.rows.num_rows, len(series)), np.int64, order="F"
        )  # a column lies in one piece
        for at, (column, fits) in enumerate(read):
            values[:, at] = column if fits.all() else np.where(fits, column, MISSING)
        self._weighed = {}
        for at, (one, (column, fits)) in enumerate(zip(series, read, strict=True)):
            one.feed(column, fits)
            if not one.tidal:
                self._take_gaps(one, at, values, numbers, fits)
        self._take_anywhere(values, numbers)
        self._last = values[-1]

    def _take_anywhere(self, values: Ints, numbers: Ints) -> None:
        """Choose among all gaps of a batch, for tables that nothing orders."""
        import numpy as np

        if self._anywhere is None:
            return
        rows = with_last(values, self._last)
        offset = len(rows) - len(values)
        at = next((at for at, one in enumerate(self._series or []) if one.tidal), None)
        if at is None:
            free, tied = np.ones(len(values), np.int64), np.zeros(len(values))
            gather = partial(gather_gaps, rows, rows, numbers, free, tied, offset - 1)
            self._anywhere.feed_evenly(self._gen, len(values), gather, self.rows)
            return
        weights, tied = self._tides(rows, at)
        places = numbers if offset else numbers[1:]
        gather = partial(gather_gaps, rows, rows, places, np.ones(len(places), np.int64), tied, 0)
        self._anywhere.feed(self._gen, weights, gather, self.rows)

    def _tides(self, rows: Ints, at: int) -> tuple[Floats, Floats]:
        """Weigh the gaps between rows by the column that rises again and again."""
        import numpy as np

        series, values = (self._series or [])[at], rows[:, at]
        start, end = values[:-1], values[1:]
        broken = (start == MISSING) | (end == MISSING) | (end < start)
        ranks = series.ranks(values)
        apart = np.maximum(np.diff(ranks), (end != start).astype(np.int64))
        weights, tied = series.weigh(ranks[:-1], ranks[:-1] + np.where(broken, 1, apart), self._gen)
        return np.where(broken, 1.0, weights), np.where(broken, 0.0, tied)

    def _take_gaps(self, one: Series, at: int, values: Ints, numbers: Ints, fits: Bools) -> None:
        """Let a series that may still order the table choose among the gaps of a batch."""
        import numpy as np

        if not (one.rising or one.falling) or not fits.any():
            return
        whole = bool(fits.all())
        rows, places = (values, numbers) if whole else (values[fits], numbers[fits])
        known = one.last is not None
        rows = with_last(rows, one.last)
        one.last = rows[-1].copy()
        one.first = rows[0].copy() if one.first is None else one.first
        places = places if known else places[1:]
        start, end = rows[:-1, at], rows[1:, at]
        if not one.follow(end - start):
            one.reservoir = Reservoir.empty(self._room, values.shape[1])
            return
        free = one.free_places(start, end)
        if one.is_key:
            weights, tied = self._times_between(rows, end - start)
            weights = np.where(free > 0, weights * by_neighbours(free), 0.0)
        else:
            weights, tied = self._weigh(one, at, rows)
        gather = partial(gather_gaps, rows, rows, places, free, tied, 0)
        one.reservoir.feed(self._gen, weights, gather, self.rows, float(free.sum()))

    def _weigh(self, one: Series, at: int, rows: Ints) -> tuple[Floats, Floats]:
        """Weigh the gaps of a series of times between rows, once where a key asks for the same."""
        found = self._weighed.get(at)
        if found is None or found[0].shape != rows.shape or not (found[0][:, at] == rows[:, at]).all():
            found = self._weighed[at] = (rows, one.weigh(rows[:-1, at], rows[1:, at], self._gen))
        return found[1]

    def _times_between(self, rows: Ints, gaps: Ints) -> tuple[Floats, Floats]:
        """Weigh the gaps of a key by those of a time that rises with it but does not follow it; gives the ties too."""
        import numpy as np

        for at, other in enumerate(self._series or []):
            between = np.diff(rows[:, at])
            if other.tidal or other.is_key or not (other.rising or other.falling) or not between.any():
                continue
            ordered = (between >= 0).all() or (between <= 0).all()
            if ordered and not (rows[:, at] == MISSING).any():
                weights, tied = self._weigh(other, at, rows)
                return (weights, tied) if going_along(gaps, between) < FOLLOWS else (np.ones(len(gaps)), tied)
        return np.ones(len(gaps)), np.zeros(len(gaps))

    def finish(self) -> HostProfile:
        """Conclude what was learned."""
        numbers, sample = self._sample.rows()
        series = {one.heading: one for one in self._series or [] if one.count >= LEAST_READ * self._read}
        order = self._order(list(series.values()))
        reservoir = series[order].reservoir if order else self._anywhere
        reservoir = reservoir or Reservoir.empty(self._room, 0)
        if order:
            self._add_ends(series[order], reservoir)
        reservoir.settle()
        names = tuple(one.heading for one in self._series or [])
        places = Places(
            names, reservoir.positions, reservoir.free, reservoir.tied, reservoir.before, reservoir.after
        )
        columns = {name: self._column(name, series.get(name), sample) for name in self.headings}
        return HostProfile(
            self.headings, self.roles, self.rows, columns, series, order, places, reservoir.weight,
            numbers, sample, self._notes(series, order), self._memory.finish() if self._memory else None,
        )  # fmt: skip

    def _order(self, series: Sequence[Series]) -> str | None:
        """Choose the column that orders the table: the key with the least free places, else a time."""
        keys = [one for one in series if one.is_key and one.ordered]
        times = [one for one in series if not one.is_key and one.ordered]
        if keys:
            return min(keys, key=lambda one: one.reservoir.weight).heading
        return times[0].heading if times else None

    def _add_ends(self, one: Series, reservoir: Reservoir) -> None:
        """Add the parts of a reserved range that lie before the first or after the last row."""
        import numpy as np

        if one.bounds is None or one.first is None or one.last is None:
            return
        outside = np.full((1, len(one.last)), MISSING)
        below = max(0, min(one.bounds[1], one.low - 1) - one.bounds[0] + 1)
        above = max(0, one.bounds[1] - max(one.bounds[0], one.high + 1) + 1)
        head, tail = (below, above) if one.rising else (above, below)
        ends = ((head, 0, outside, one.first[None, :]), (tail, self.rows, one.last[None, :], outside))
        for free, position, before, after in ends:
            if free:
                row = (np.array([position]), np.array([free]), np.zeros(1), before, after)
                reservoir.bound = float("inf")
                reservoir.feed(self._gen, np.array([float(free)]), partial(take_all, row), self.rows)

    def _notes(self, series: Mapping[str, Series], order: str | None) -> tuple[str, ...]:
        if order is None or not series[order].is_key:
            return ()
        one = series[order]
        if one.reservoir.weight >= self._wanted(self.rows) or one.bounds is not None:
            return ()
        return (
            f"{one.heading} is a dense series: canaries stand after its last number, so their place tells",
        )

    def _column(
        self, name: str, one: Series | None, sample: Sequence[Mapping[str, str | None]]
    ) -> ColumnProfile:
        values = list(map(itemgetter(name), sample))
        filled = list(filter(None, values))
        nulls = self._nulls[name] / self._read if self._read else 0.0
        empties = values.count("") / len(values) if values else 0.0
        unique = len(filled) > 1 and len(set(filled)) == len(filled)
        role, native = self.roles[name], self._native.get(name, "text")
        if one is None:
            clock = learn_clock(filled) if role in TIMELIKE | {"birth_date"} else None
            mask = learn_mask(filled) if role in KEYLIKE else None
            return ColumnProfile(name, role, native, nulls, empties, unique, mask=mask, clock=clock)
        mask = one.codec if isinstance(one.codec, KeyMask) else None
        clock = one.codec if isinstance(one.codec, Clock) else None
        return ColumnProfile(
            name,
            role,
            native,
            nulls,
            empties,
            unique,
            one.rising,
            one.falling,
            one.low,
            one.high,
            mask,
            clock,
        )


def _read(codec: KeyMask | Clock, batch: RowBatch, heading: str) -> tuple[Ints, Bools]:
    """Read a column of a batch: its numbers, and which rows have one."""
    import numpy as np

    numbers = codec.read_spans(batch.spans(heading))
    if numbers is None:
        return codec.read_all(batch.rows.column(heading))
    return numbers, np.ones(len(numbers), np.bool_)
