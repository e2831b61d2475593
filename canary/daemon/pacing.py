"""When a source is due again: slots in step, jitter, full-jitter backoff, and the breaker of one that keeps failing."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

from canary.store.runs import Next

JITTER: Final = 0.1  # of the pace, at most
MAX_JITTER_MS: Final = 2_000
PATIENT_FAILURES: Final = 2  # this many failures in a row are retried at the usual interval
BREAK_AFTER: Final = 5  # failures in a row that open the breaker
MAX_BACKOFF_MS: Final = 3_600_000
CLOSED: Final = "closed"
OPEN: Final = "open"
HALF_OPEN: Final = "half-open"


@dataclass(frozen=True, slots=True)
class Setback:
    """What a failure means: the breaker's state and the pause until the next try."""

    breaker: str
    pause_ms: int


def after_success(slot: int, pace_ms: int, now_ms: int, rng: random.Random) -> Next:
    """Give the first slot after now that is in step with this one; those that went by unrun are skipped."""
    steps = max(1, (now_ms - slot) // pace_ms + 1)
    following = slot + steps * pace_ms
    return Next(following, following + jitter(pace_ms, rng), steps - 1)


def jitter(pace_ms: int, rng: random.Random) -> int:
    """Draw up to a tenth of the pace, at most two seconds."""
    return int(rng.uniform(0, min(JITTER * pace_ms, MAX_JITTER_MS)))


def after_failure(interval_ms: int, failures: int, breaker: str, rng: random.Random) -> Setback:
    """Draw the pause after so many failures in a row, this one included: the interval at least, an hour at most.

    Full jitter: evenly below a span that doubles with every failure beyond the first two. The breaker opens at the
    fifth; its one trial that fails opens it again.
    """
    shut = breaker == HALF_OPEN or failures >= BREAK_AFTER
    span = backoff_ms(interval_ms, failures)
    pause = max(interval_ms, int(rng.uniform(0, span))) + jitter(interval_ms, rng)
    return Setback(OPEN if shut else CLOSED, max(pause, span // 2) if shut else pause)


def backoff_ms(interval_ms: int, failures: int) -> int:
    """Give the span of the backoff: the interval, then doubling up to an hour."""
    doubled = interval_ms << min(max(0, failures - PATIENT_FAILURES), 20)
    return max(interval_ms, min(doubled, MAX_BACKOFF_MS))


def at_trial(breaker: str) -> str:
    """Give the breaker's state while a run is under way: an open one lets a single trial through."""
    return HALF_OPEN if breaker == OPEN else breaker
