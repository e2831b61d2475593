"""When a source is due again: slots in step, jitter within a tenth, full-jitter backoff, and the breaker."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from canary.daemon.pacing import (
    BREAK_AFTER,
    CLOSED,
    HALF_OPEN,
    MAX_BACKOFF_MS,
    OPEN,
    after_failure,
    after_success,
    at_trial,
)

PACE = st.integers(100, 86_400_000)


@given(st.integers(0, 10**13), PACE, st.integers(0, 10**9), st.integers(0, 99))
def test_slots_stay_in_step_and_jitter_within_a_tenth(slot: int, pace: int, late: int, seed: int) -> None:
    after = after_success(slot, pace, slot + late, random.Random(seed))
    assert (after.slot - slot) % pace == 0
    assert slot + late < after.slot <= slot + late + pace
    assert after.skipped == late // pace
    assert 0 <= after.due_ms - after.slot <= min(pace * 0.1, 2_000)


@given(PACE, st.integers(1, 100), st.integers(0, 99))
def test_a_failing_source_is_never_asked_more_often_than_a_good_one(
    interval: int, failures: int, seed: int
) -> None:
    setback = after_failure(interval, failures, CLOSED, random.Random(seed))
    assert interval <= setback.pause_ms <= max(interval, MAX_BACKOFF_MS) + 2_000
    assert (setback.breaker == OPEN) == (failures >= BREAK_AFTER)


def test_pauses_grow_and_are_spread_over_their_span() -> None:
    rng = random.Random(5)
    means = []
    for failures in (1, 4, 7, 10):
        drawn = [after_failure(10_000, failures, CLOSED, rng).pause_ms for _ in range(300)]
        means.append(sum(drawn) / len(drawn))
        assert len(set(drawn)) > 100
    assert means == sorted(means)
    assert means[-1] > 20 * means[0]


def test_an_open_breaker_lets_one_trial_through() -> None:
    assert at_trial(OPEN) == HALF_OPEN
    assert at_trial(CLOSED) == CLOSED
    assert after_failure(1_000, 1, HALF_OPEN, random.Random(1)).breaker == OPEN
