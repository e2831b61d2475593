"""The quick ways of learning and drafting give what the plain ones do."""

from __future__ import annotations

import random

import numpy as np
import pyarrow as pa
import pytest

from canary.generators import gaps
from canary.generators.draws import Dice
from canary.generators.gaps import Reservoir
from canary.generators.masks import KeyMask
from canary.generators.neighbours import take_all
from canary.generators.series import AROUND, around


@pytest.mark.parametrize("cell", ["XT12Z", "YT12Y", "YT1-Z", "YT١Z"])
def test_one_row_of_another_make_leaves_the_others_readable(cell: str) -> None:
    numbers, fits = KeyMask("YT", "Z", 2).read_all(pa.array(["YT34Z", cell, "YT56Z"]))
    assert fits.tolist() == [True, False, True]
    assert numbers[[0, 2]].tolist() == [34, 56]


@pytest.mark.parametrize("size", [0, 1, AROUND, 2 * AROUND, 2 * AROUND + 1, 2 * AROUND + 2, 400])
def test_the_mean_about_each_place_is_that_of_a_window(size: int) -> None:
    values = np.random.default_rng(size).integers(0, 9, size)
    windows = [values[max(0, at - AROUND) : at + AROUND + 1].mean() for at in range(size)]
    assert np.allclose(around(values), windows)


def test_dice_give_the_same_numbers_for_the_same_source() -> None:
    one, two = Dice(random.Random(5)), Dice(random.Random(5))
    first = [one.random() for _ in range(1000)]
    assert first == [two.random() for _ in range(1000)]
    assert len(set(first)) == 1000
    assert first != [Dice(random.Random(6)).random()] * 1000


def test_dice_draw_evenly_from_all_that_is_asked_for() -> None:
    dice = Dice(random.Random(1))
    drawn = [
        sum(dice.choice(range(4)) == 3 for _ in range(4000)),
        sum(dice.below(4) == 0 for _ in range(4000)),
        sum(dice.randint(7, 10) == 10 for _ in range(4000)),
        sum(dice.randrange(4) == 2 for _ in range(4000)),
        sum(dice.random() < 0.25 for _ in range(4000)),
        sum(dice.getrandbits(2) == 1 for _ in range(4000)),
        sum(dice.randint(0, (1 << 40) - 1) >> 38 == 1 for _ in range(4000)),
    ]
    assert all(abs(count - 1000) < 150 for count in drawn), drawn


def test_rows_of_equal_weight_are_kept_as_evenly_as_weighed_ones() -> None:
    kept = []
    gen = np.random.default_rng(3)
    for _ in range(60):
        reservoir = Reservoir.empty(lambda _: 50, 0)
        for start in range(0, 1000, 100):
            rows = _rows(np.arange(start, start + 100))
            reservoir.feed_evenly(gen, 100, lambda keep, rows=rows: take_all(rows, keep), start + 100)
        reservoir.settle()
        assert len(set(reservoir.positions.tolist())) == 50
        assert reservoir.weight == 1000
        kept += reservoir.positions.tolist()
    parts = np.bincount(np.array(kept) // 100, minlength=10)
    assert abs(parts - 300).max() < 75, parts


@pytest.mark.parametrize("rare", [0.0, 0.2])
def test_rows_are_kept_by_their_weights_though_few_have_a_draw_of_their_own(
    rare: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gaps, "RARE", rare)
    gen, heavy, first = np.random.default_rng(5), 0, 0
    for _ in range(80):
        reservoir = Reservoir.empty(lambda _: 50, 0)
        for start in range(0, 4000, 200):
            rows = _rows(np.arange(start, start + 200))
            weights = np.where(rows[0] % 2 == 0, 3.0, np.where(rows[0] % 4 == 1, 1.0, 0.0))
            reservoir.feed(gen, weights, lambda keep, rows=rows: take_all(rows, keep), start + 200)
        reservoir.settle()
        assert len(set(reservoir.positions.tolist())) == 50
        assert reservoir.weight == 4000 * (3 / 2 + 1 / 4)
        assert not (reservoir.positions % 4 == 3).any()
        heavy += int((reservoir.positions % 2 == 0).sum())
        first += int((reservoir.positions < 2000).sum())
        assert (np.diff(reservoir.draws) >= 0).all()
    assert abs(heavy / 4000 - 6 / 7) < 0.025, heavy  # 2,000 rows of weight 3 beside 1,000 of weight 1
    assert abs(first / 4000 - 1 / 2) < 0.035, first


def _rows(
    positions: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    none = np.empty((len(positions), 0), np.int64)
    return positions, np.ones(len(positions), np.int64), np.zeros(len(positions)), none, none


@pytest.mark.parametrize("chance", [0.003, 0.05, 0.19, 0.7])
def test_every_row_is_chosen_with_its_chance_apart_from_the_others(chance):
    gen, rows, times = np.random.default_rng(8), 400, 500
    counts, pairs = np.zeros(rows), 0
    for _ in range(times):
        some = gaps.some_of(gen, rows, chance)
        assert (np.diff(some) > 0).all()
        counts[some] += 1
        pairs += int((np.diff(some) == 1).sum())
    total = rows * times
    assert abs(counts.sum() - total * chance) < 5 * (total * chance * (1 - chance)) ** 0.5
    assert ((counts - times * chance) ** 2).sum() / (times * chance * (1 - chance)) < rows + 6 * (
        2 * rows
    ) ** 0.5
    beside = (rows - 1) * times * chance**2  # neighbours are chosen together as often as chance has it
    assert abs(pairs - beside) < 6 * (beside + 3 * beside * chance) ** 0.5 + 3


@pytest.mark.parametrize(("rows", "chance", "found"), [(5, 1.0, 5), (5, 0.0, 0), (0, 0.5, 0), (5, 1e-300, 0)])
def test_sure_and_hopeless_chances(rows, chance, found):
    assert len(gaps.some_of(np.random.default_rng(1), rows, chance)) == found
