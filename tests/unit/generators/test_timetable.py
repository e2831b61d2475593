"""Rows added to a table whose rows recur by a timetable: they recur as its own do, and stand where they fit."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from canary.files.table import RowBatch
from canary.generators.host import HostLearner
from canary.generators.neighbours import tide_of
from canary.generators.profile import HostProfile
from canary.generators.raking import DRAWN, SWEEPS, Fitting, raked
from canary.generators.recall import MOST, Memory
from canary.generators.recurrence import Recurrence, Seats
from canary.generators.timetable import Timetable

DAYS, LINES = 40, 60
ROLES = {"day": "category", "minute": "count", "line": "code", "stop": "category"}


def buses(seed: int = 1, share: float = 0.75) -> dict[str, list[str]]:
    """A line leaves once a day about its minute, on three days of four; sorted by day and minute."""
    rng = random.Random(seed)
    columns: dict[str, list[str]] = {name: [] for name in ROLES}
    for day in range(DAYS):
        runs = sorted(
            (300 + 17 * line + rng.randint(-6, 6), line) for line in range(LINES) if rng.random() < share
        )
        for minute, line in runs:
            for name, value in zip(ROLES, (day, minute, f"L{line:03d}", f"S{line % 7}"), strict=True):
                columns[name].append(str(value))
    return columns


def learned(columns: dict[str, list[str]], batch: int = 700) -> HostProfile:
    roles = {name: ROLES.get(name, "category") for name in columns}
    learner = HostLearner(tuple(columns), roles, random.Random(2), 100)
    table = pa.RecordBatch.from_pydict(columns)
    for start in range(0, table.num_rows, batch):
        learner.feed(RowBatch(start, table.slice(start, batch)))
    return learner.finish()


@pytest.fixture(scope="module")
def columns() -> dict[str, list[str]]:
    return buses()


@pytest.fixture(scope="module")
def profile(columns) -> HostProfile:
    return learned(columns)


@pytest.fixture(scope="module")
def timetable(profile) -> Timetable:
    assert profile.recall is not None
    blank = Timetable.of(profile, profile.recall, "minute", ("day",), set(), random.Random(3))
    return blank.learned(profile.places, 100, random.Random(3))


def test_the_whole_table_is_remembered(columns, profile):
    recall = profile.recall
    assert recall is not None
    assert len(recall) == len(columns["day"])
    for at in (0, 699, 700, len(recall) - 1):
        assert recall.row(at) == {name: cells[at] for name, cells in columns.items()}
    assert set(recall.without({"day"}).codes) == {"minute", "line", "stop"}


def test_a_table_that_is_too_large_is_not_remembered():
    memory = Memory(("a",))
    batch = pa.RecordBatch.from_pydict({"a": [None, "x"]})
    memory.feed(batch, np.arange(2))
    found = memory.finish()
    assert found is not None
    assert [found.row(at)["a"] for at in range(2)] == [None, "x"]
    memory._room = MOST - MOST  # as after so many rows
    memory.feed(batch, np.arange(2, 4))
    assert memory.finish() is None


def test_what_a_row_shows_is_reckoned_rightly(columns, profile):
    recall = profile.recall
    shows = Recurrence(recall, ("day",), np.array(list(map(int, columns["minute"]))))
    some = np.arange(300, 500)
    names = list(shows._sorted)
    at = 4 + 5 * names.index("line")  # after place, minute, and how often its run and its day stand
    before, after, times = shows.shown(Seats(some, some, some, real=True))[at : at + 3]
    for row, one, two, count in zip(some.tolist(), before, after, times, strict=True):
        line, cells = columns["line"][row], columns["line"]
        back = next(step for step in range(1, row + 1) if cells[row - step] == line)
        ahead = next(step for step in range(1, len(cells)) if cells[row + step] == line)
        assert (round(np.exp(one)), round(np.exp(two)), count) == (back, ahead, cells.count(line))
    added = shows.shown(Seats(some, some, some, real=False))  # the same rows once more, before themselves
    assert np.exp(added[at]) == pytest.approx(np.exp(before))
    assert (added[at + 1] == 0).all()
    assert (added[at + 2] == times + 1).all()


def test_rows_that_are_added_fit_and_recur_like_real_ones(columns, profile, timetable):
    places = list(profile.places.part(0, 300))
    rows = timetable.rows(places, random.Random(4), set())
    found = [(place, row) for place, row in zip(places, rows, strict=True) if row is not None]
    assert len(found) > 30
    days, minutes = list(map(int, columns["day"])), list(map(int, columns["minute"]))
    lines = {(day, line) for day, line in zip(columns["day"], columns["line"], strict=True)}
    for place, row in found:
        at, day, minute = place.position, int(row["day"]), int(row["minute"])
        assert day in days[at - 1 : at + 1]
        assert days[at - 1] < day or minutes[at - 1] <= minute
        assert at == len(days) or days[at] > day or minute <= minutes[at]
        assert (row["day"], row["line"]) not in lines  # a line leaves once a day


def test_where_every_line_leaves_every_day_rows_are_doubled_at_last():
    full = learned(buses(share=2.0))
    assert full.recall is not None
    blank = Timetable.of(full, full.recall, "minute", ("day",), set(), random.Random(3))
    table = blank.learned(full.places, 50, random.Random(3))
    places = list(full.places.part(0, 100))
    assert not any(table.rows(places, random.Random(4), set()))
    assert sum(row is not None for row in table.rows(places, random.Random(4), set(), anyhow=True)) > 50


def test_rows_are_chosen_for_places_that_nothing_was_learned_on(profile, timetable):
    """More recipients than weights are learned for: some of their places are known, others are not."""
    known = set(timetable.positions.tolist())
    places = list(profile.places.part(0, 40))
    new = [at for at in range(1, 1800) if at not in known]
    rest = [replace(places[0], position=at) for at in (new[0], new[-1])]
    assert {place.position for place in places} <= known
    mixed = [rest[0], *places, rest[1]]
    both = [timetable._likely(some, np.random.default_rng(3)) for some in (places, mixed)]
    inner = (both[1].owner > 0) & (both[1].owner < len(mixed) - 1)
    assert both[1].owner[inner].tolist() == (both[0].owner + 1).tolist()
    assert both[1].odds[inner].tolist() == both[0].odds.tolist()
    assert (np.diff(both[1].owner) >= 0).all()
    assert (both[1].seats.at[both[1].owner == 0] == new[0]).all()


def test_what_stands_once_in_its_run_is_found(columns):
    """Two companies number their lines anew: number and company stand once a day together, a number does not."""
    lines = [int(line[1:]) for line in columns["line"]]
    told = {
        "day": columns["day"],
        "minute": columns["minute"],
        "number": [str(line % 57) for line in lines],
        "company": [str(line // 57) for line in lines],
    }
    recall = learned(told).recall
    assert recall is not None
    some = np.arange(len(lines))
    alone = Recurrence(recall, ("day",), some).alone(Seats(some, some, some, real=True))
    assert len({one[-1] for one in alone}) == len(lines)  # the last one is the number's


def test_rows_taken_already_are_left_out(profile, timetable, monkeypatch):
    places = list(profile.places.part(0, 100))
    monkeypatch.setattr(Recurrence, "alone", lambda self, seats: [[(0, 7, 7)]] * len(seats.at))
    taken = set()
    rows = timetable.rows(places, random.Random(4), taken)
    assert sum(row is not None for row in rows) == 1
    assert taken == {(0, 7, 7)}
    assert not any(timetable.rows(places, random.Random(5), taken))


def test_what_no_clock_shows_is_no_room():
    """Between 1259 and 1300 there is no time: a gap is as long as the times that stand in it."""
    cells = [f"{hour}{minute:02}" for _ in range(40) for hour in range(10, 20) for minute in range(0, 60, 2)]
    series = tide_of("time", pa.RecordBatch.from_pydict({"time": cells}))
    assert series is not None
    ranks = series.ranks(np.array([1000, 1058, 1100, 1102]))
    assert np.diff(ranks).tolist() == [29, 1, 1]


def test_by_chance_lines_would_be_doubled(columns, profile, timetable):
    """Most rows that fit stand on that day already."""
    rng = np.random.default_rng(5)
    places = list(profile.places.part(0, 200))
    lines = {(day, line) for day, line in zip(columns["day"], columns["line"], strict=True)}
    for whole in (True, False):
        fits = timetable._fitting(places, rng, whole=whole)
        pairs = zip(fits.seats.runs, fits.seats.rows, fits.odds, strict=True)
        doubled = [((columns["day"][run], columns["line"][row]) in lines, often) for run, row, often in pairs]
        share = sum(often for twice, often in doubled if twice) / sum(often for _, often in doubled)
        assert share > 0.5 if whole else share == 0


def test_raking_gives_each_feature_the_spread_that_is_wanted():
    rng = np.random.default_rng(6)
    wanted = [rng.integers(0, 2, 4000), (rng.random(4000) < 0.3).astype(int)]
    found = [(rng.random(3000) < 0.8).astype(int), (rng.random(3000) < 0.6).astype(int)]
    owner = np.repeat(np.arange(300), 10)
    fits = Fitting(owner, Seats(owner, owner, owner, real=False), np.ones(3000))
    shares = [np.bincount(one) / len(one) for one in wanted]
    weights, ceiling = raked(shares, found, [np.zeros(2), np.zeros(2)], fits, 300, 0.2, SWEEPS)
    odds = np.exp(weights[0][found[0]] + weights[1][found[1]])
    chances = np.bincount(owner, odds) / DRAWN
    assert np.minimum(1, chances / ceiling).mean() == pytest.approx(0.2, abs=0.01)
    odds *= np.minimum(1, ceiling / chances)[owner]
    for want, have in zip(wanted, found, strict=True):
        assert (odds * have).sum() / odds.sum() == pytest.approx(want.mean(), abs=0.05)
