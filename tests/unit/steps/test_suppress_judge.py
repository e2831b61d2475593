"""The alarm: an exact tail, budgets of chance, and attacks in small portions."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext

import pytest

from canary.model.suppress import Known, Window
from canary.steps.suppress_judge import DAY_MS, FACTOR, LATELY_DAYS, LEVEL, alarm, upper_tail, window

NOW = 100 * DAY_MS
OLD = NOW - (LATELY_DAYS + 1) * DAY_MS


def exact(hits: int, rows: int, share: float) -> float:
    with localcontext() as context:
        context.prec = 60
        chance = Decimal(share)
        return float(
            sum(
                Decimal(math.comb(rows, count)) * chance**count * (1 - chance) ** (rows - count)
                for count in range(hits, rows + 1)
            )
        )


@pytest.mark.parametrize(
    ("hits", "rows", "share"), [(3, 10, 0.05), (9, 10, 0.5), (10, 10, 0.3), (40, 2000, 0.012), (1, 1, 0.01)]
)
def test_the_tail_is_the_binomial_one(hits: int, rows: int, share: float) -> None:
    assert upper_tail(hits, rows, share) == pytest.approx(exact(hits, rows, share), rel=1e-9)


@pytest.mark.parametrize(
    ("hits", "rows", "share", "chance"),
    [(0, 0, 0.0, 1.0), (5, 100, 0.1, 1.0), (1, 10, 0.0, 0.0), (4, 2, 1.0, 1.0), (1, 10**9, 1e-12, 1e-3)],
)
def test_the_ends_of_the_tail(hits: int, rows: int, share: float, chance: float) -> None:
    assert upper_tail(hits, rows, share) == pytest.approx(chance, rel=1e-3)


def canaries(count: int, seeded_ms: int = OLD, first: int = 0) -> list[Known]:
    return [Known(first + number, "orders", False, seeded_ms) for number in range(count)]


def test_own_data_never_alarms() -> None:
    """The whole table, a tenth with its due share, a lone canary in a small batch, and nothing at all."""
    shares = {"orders": 0.002}
    for rows, hits in ((10_000, 20), (1_000, 2), (1_000, 9), (5, 1), (3, 0), (0, 0)):
        assert alarm([window(rows, canaries(hits), NOW)], shares) is None


def test_more_than_three_times_the_base_rate_alarms_where_chance_cannot_do_it() -> None:
    shares = {"orders": 0.002}
    assert alarm([window(10_000, canaries(60), NOW)], shares) is None
    assert alarm([window(10_000, canaries(110), NOW)], shares) is not None
    assert "110 canaries of orders in 10000 rows" in str(alarm([window(10_000, canaries(110), NOW)], shares))


def test_portions_are_summed_up() -> None:
    """Single rows, each a canary: one file never alarms, the sum does after a few."""
    shares = {"orders": 0.002}
    single = window(1, canaries(1), NOW)
    assert alarm([single], shares) is None
    learned = next(n for n in range(1, 50) if alarm([single, *[window(n, canaries(n), NOW)] * 2], shares)) - 1
    assert learned == 3


def test_the_same_canary_again_tells_nothing_new() -> None:
    seen = canaries(2) * 30
    assert window(30, seen, NOW).met == {("orders", False): 2}


def test_canaries_seeded_lately_may_stand_together() -> None:
    """A job that takes the newest rows of a dense series meets all new canaries at once; later nobody does."""
    shares = {"orders": 1e-6}
    assert alarm([window(58, canaries(8, NOW), NOW)], shares) is None
    assert alarm([window(58, canaries(8, OLD), NOW)], shares) is not None
    assert alarm([window(20, canaries(20, NOW), NOW)], shares) is not None


def test_strays_alarm_whatever_the_number_of_rows() -> None:
    strays = [Known(number, "orders", True) for number in range(3)]
    assert alarm([window(10**7, strays[:2], NOW)], {}) is None
    assert alarm([window(10**7, strays, NOW)], {}) == "3 canaries of copies that were handed out"


def test_a_false_alarm_is_as_rare_as_the_level_says() -> None:
    """At exactly FACTOR times the base rate the alarm's own chance stays below the level."""
    share, rows = 0.002, 1_000
    least = next(
        n for n in range(1, rows) if alarm([Window(rows, {("orders", False): n})], {"orders": share})
    )
    assert exact(least, rows, FACTOR * share) < LEVEL / 2 <= exact(least - 1, rows, FACTOR * share)
