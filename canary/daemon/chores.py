"""What the leading node does besides polling: the schedule, self-tests, alarms, and forgetting in time."""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from typing import Final

from canary.daemon.settings import Source, WatchSettings
from canary.errors import CanaryError
from canary.steps import alarms, selftest
from canary.steps.reading import read_all
from canary.steps.watch import Taker
from canary.store import callers, captures, runs, selftests, sightings, sources, unread

RUNS_MS: Final = 7 * 86_400_000  # how long it is known what ran
PATIENCE_MS: Final = 60_000  # a channel that fails for so long is told of: well within five minutes
TEST_MS: Final = 60_000  # in which a receiver's self-test must come back; twice
LEFT_TURNS: Final = 5  # of reading what it left, at a time
UNREAD_MS: Final = 60_000  # what waits for so long was left by a node that is gone
LOG: Final = logging.getLogger("canary.watch")


def enlist(taker: Taker, polled: Sequence[Source], rng: random.Random, spread_ms: int) -> None:
    """Put sources on the schedule: first polls are spread over a second, later ones over the interval."""
    now = taker.clock.now_ms()
    with taker.registry.begin() as tx:
        for source in polled:
            first = now + int(rng.uniform(0, min(spread_ms, source.interval_ms)))
            latest = now + source.interval_ms + spread_ms * 2
            phase = int(rng.uniform(0, source.interval_ms))
            sources.enlist(tx, source.name, source.kind, first, latest, phase)


def due(taker: Taker) -> list[str]:
    """Name the sources that are due."""
    with taker.registry.read() as tx:
        return runs.due(tx, taker.clock.now_ms())


def plant(taker: Taker, source: Source) -> str:
    """Plant a self-test at a source, or only note its word where a person has to; gives the word."""
    now = taker.clock.now_ms()
    with taker.registry.begin() as tx:
        word = selftest.plant(tx, source.name, now, source.interval_ms or TEST_MS)
    if source.plant is not None:
        source.plant(word)
    return word


def plant_due(taker: Taker, chosen: Sequence[Source]) -> list[str]:
    """Plant the self-tests whose time has come; gives the sources."""
    now = taker.clock.now_ms()
    with taker.registry.read() as tx:
        known = {one.source: one for one in selftests.list_all(tx)}
        paused = {one.name for one in sources.list_all(tx) if one.paused}
    ready = [
        one
        for one in chosen
        if one.test_ms and one.name not in paused
        and (one.name not in known or known[one.name].planted_ms + one.test_ms <= now)
    ]  # fmt: skip
    for source in ready:
        try:
            plant(taker, source)
        except CanaryError as error:
            LOG.warning("the self-test of source %s could not be planted: %s", source.name, error.message)
    return [one.name for one in ready]


def alarm(taker: Taker) -> None:
    """Alarm for sources that went deaf and channels that fail."""
    now = taker.clock.now_ms()
    with taker.registry.begin() as tx:
        for name in alarms.deaf_sources(tx, taker, now):
            LOG.error("source %s is deaf: its self-test did not come back", name)
        for name in alarms.broken_channels(tx, taker, now, PATIENCE_MS):
            LOG.error("alerts to %s are not delivered: who is told must be told otherwise", name)


def read_leftovers(taker: Taker) -> int:
    """Read what was taken in a while ago by a node that is gone, a few turns of it: alarms must not wait for all.

    Gives how many sightings.
    """
    with taker.registry.read() as tx:
        since = unread.oldest(tx)
    late = since is not None and since < taker.clock.now_ms() - UNREAD_MS
    return read_all(taker, range(LEFT_TURNS)) if late else 0


def forget(taker: Taker, settings: WatchSettings) -> None:
    """Keep by hash only what is older than `keep_days` and matched nothing; forget callers and old runs."""
    now = taker.clock.now_ms()
    with taker.registry.begin() as tx:
        sightings.forget_raw(tx, now - settings.keep_ms)
        captures.forget(tx, now - settings.keep_ms)
        callers.forget(tx, now - settings.callers_ms)
        runs.forget(tx, now - RUNS_MS)
