"""What `plan` says is enough, against simulated leaks that are scored."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.marks_symbols import Case, trial
from canary.fingerprint.planning import COLLUSION, bar, chance_of_bits, expected

BITS = 4.0
TRIALS = 6


def rows_for(colluders, chance):
    """The fewest rows at which the plan sees that chance of naming one of 1,000."""
    rows = 1
    while chance_of_bits(rows * COLLUSION[colluders], BITS, bar(1000)) < chance:
        rows += 1
    return rows


def named(colluders, rows, rng):
    case = Case("", 2, 4, colluders, "cell", 1000, rows)
    return sum(trial(case, rows, rng)[0] for _ in range(TRIALS)) / TRIALS


@pytest.mark.parametrize("colluders", [1, 2, 3])
def test_marks_name_where_the_plan_says_so_and_not_much_before(colluders):
    rng = np.random.default_rng(colluders)
    assert named(colluders, rows_for(colluders, 0.98), rng) >= 0.8
    assert named(colluders, rows_for(colluders, 0.02) - 1, rng) <= 0.2


def test_packs_hold_canaries_as_often_as_the_plan_says():
    rng = np.random.default_rng(1)
    rows, canaries, pack, survival = 4000, 40, 250, 0.4
    drawn = rng.hypergeometric(canaries, rows, pack, 20_000)
    seen = (rng.binomial(drawn, survival) >= 1).mean()
    told = expected(rows, pack, survival, 1000, 1, canaries, 0.0)
    assert told.p_canary == pytest.approx(seen, abs=0.02)


def test_two_canaries_name_as_often_as_they_survive():
    rng = np.random.default_rng(2)
    rows, canaries, pack, survival = 4000, 60, 300, 0.5
    left = rng.binomial(rng.hypergeometric(canaries, rows, pack, 20_000), survival)
    told = expected(rows, pack, survival, 1000, 1, canaries, 0.0)
    assert told.p_named == pytest.approx((left >= 2).mean(), abs=0.02)
