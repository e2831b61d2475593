"""Polling one source: claimed, fetched, taken in with its cursor, and due again when it is good for it."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import update

from canary.daemon.settings import Source
from canary.errors import CanaryError
from canary.model.sight import Poll
from canary.net.pace import Later
from canary.ports import Fetch
from canary.steps.watch import Advance, Arrival, Taken, Taker, take
from canary.store import sources
from canary.store.tables import sources as rows

LEASE_MS: Final = 10_000  # renewed while a poll runs; another watcher takes over when it runs out
MAX_BACKOFF_MS: Final = 3_600_000
PATIENT_FAILURES: Final = 2  # this many failures in a row are retried at the usual interval
JITTER: Final = 0.1  # of the interval, at most
MAX_JITTER_MS: Final = 2_000
EMPTY_ROUNDS: Final = 40  # polls in a row that promise more and give nothing
EMPTY_SECONDS: Final = 0.25
LOG: Final = logging.getLogger("canary.watch")


@dataclass(slots=True)
class Polled:
    """What one poll of a source came to; `next_ms` is when to look at it again."""

    name: str
    items: int = 0
    matches: int = 0
    error: str | None = None
    skipped: bool = False
    next_ms: int = 0
    opened: list[str] = field(default_factory=list)

    def add(self, taken: Taken) -> None:
        """Count what was taken in."""
        self.items += taken.sightings
        self.matches += taken.matches
        self.opened.extend(taken.opened)


class Poller:
    """Polls sources for one watcher; safe to call from many threads, one for each source."""

    def __init__(
        self,
        taker: Taker,
        rng: random.Random,
        sleep: Callable[[float], object] = time.sleep,
        stopping: threading.Event | None = None,
    ) -> None:
        self._taker, self._rng, self._sleep = taker, rng, sleep
        self._stopping = stopping or threading.Event()
        self._active: set[str] = set()
        self._lock = threading.Lock()

    def poll(self, source: Source, fetch: Fetch, at_once: bool = False) -> Polled:
        """Poll a source if it is due, or `at_once`; a failure is noted and told, never raised."""
        polled = Polled(source.name)
        try:
            state = self._claim(source, at_once, polled)
            if state is not None:
                self._rounds(source, fetch, state, polled, at_once)
        except Exception as error:  # one hostile source must never end the others
            polled.error = _said(error)
            self._note_failure(source, error, polled)
        finally:
            with self._lock:
                self._active.discard(source.name)
        return polled

    def _claim(self, source: Source, at_once: bool, polled: Polled) -> sources.SourceState | None:
        now = self._taker.clock.now_ms()
        with self._taker.registry.begin() as tx:
            state = sources.ensure(tx, source.name, source.kind)
            wanted = not state.paused and (at_once or sources.claim(tx, source.name, now, now + LEASE_MS))
        if not wanted:
            polled.skipped = True
            due = state.due_ms or 0
            polled.next_ms = min(max(due, now + 500), now + LEASE_MS)
            return None
        with self._lock:
            self._active.add(source.name)
        return state

    def _rounds(
        self, source: Source, fetch: Fetch, state: sources.SourceState, polled: Polled, at_once: bool
    ) -> None:
        """Poll until the source has no more; what a round gave is stored before the next begins."""
        assert source.monitor is not None  # noqa: S101 - receivers are never polled
        cursor, empty = state.cursor, 0
        while True:
            poll = source.monitor.poll(cursor, fetch)
            empty = 0 if poll.items else empty + 1
            again = (
                poll.more and not self._stopping.is_set() and (empty < EMPTY_ROUNDS if at_once else not empty)
            )
            polled.add(self._store(source, poll, polled))
            cursor = poll.cursor
            if not again:
                return
            if empty:
                self._sleep(EMPTY_SECONDS)

    def _store(self, source: Source, poll: Poll, polled: Polled) -> Taken:
        pause = (
            1_000 if poll.more else self._pause(source.interval_ms // 2 if poll.gap else source.interval_ms)
        )
        polled.next_ms = self._taker.clock.now_ms() + pause
        arrivals = [Arrival(source.name, source.kind, item) for item in poll.items]
        return take(self._taker, arrivals, Advance(source.name, poll.cursor, poll.gap, polled.next_ms))

    def _pause(self, interval_ms: int) -> int:
        return interval_ms + int(self._rng.uniform(0, min(JITTER * interval_ms, MAX_JITTER_MS)))

    def _note_failure(self, source: Source, error: Exception, polled: Polled) -> None:
        """Note a failure and back off; where the registry itself fails, only the log can say so."""
        now = self._taker.clock.now_ms()
        polled.next_ms = now + source.interval_ms
        try:
            with self._taker.registry.begin() as tx:
                if self._stopping.is_set():  # it was cut short by us: nobody is to blame, and it is due again
                    tx.conn.execute(update(rows).where(rows.c.name == source.name).values(due_ms=now))
                    return
                failures = sources.ensure(tx, source.name, source.kind).failures + 1
                backoff = self._pause(backoff_ms(source.interval_ms, failures))
                until = error.until_ms if isinstance(error, Later) else 0
                polled.next_ms = max(until, now + backoff) if until <= now + backoff else until
                told = _told(polled.error or "", failures, polled.next_ms - now)
                sources.failed(tx, source.name, told, now, polled.next_ms)
            LOG.warning("source %s fails: %s", source.name, told)
        except CanaryError as worse:
            LOG.error("source %s fails and so does the registry: %s", source.name, worse.message)

    def renew(self) -> None:
        """Keep the sources that are being polled claimed."""
        with self._lock:
            if self._active:
                until = self._taker.clock.now_ms() + LEASE_MS
                with self._taker.registry.begin() as tx:
                    tx.conn.execute(update(rows).where(rows.c.name.in_(self._active)).values(due_ms=until))


def backoff_ms(interval_ms: int, failures: int) -> int:
    """Give the pause after so many failures in a row: the interval, then doubling up to an hour."""
    doubled = interval_ms << min(max(0, failures - PATIENT_FAILURES), 20)
    return max(interval_ms, min(doubled, MAX_BACKOFF_MS))


def _said(error: Exception) -> str:
    return (
        error.message if isinstance(error, CanaryError) else f"the monitor stumbled: {type(error).__name__}"
    )


def _told(said: str, failures: int, pause_ms: int) -> str:
    if failures <= PATIENT_FAILURES:
        return said
    return f"{said} ({failures} failures in a row, next try in {pause_ms // 1000} s)"


def poll_all(poller: Poller, chosen: Sequence[Source], fetch: Fetch) -> list[Polled]:
    """Poll sources at once, each in its own thread, so that a dead one delays only the end."""
    done: dict[str, Polled] = {}

    def one(source: Source) -> None:
        done[source.name] = poller.poll(source, fetch, at_once=True)

    threads = [threading.Thread(target=one, args=(source,), daemon=True) for source in chosen]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [done[source.name] for source in chosen]
