"""Polling one source: begun for its slot, fetched, taken in under its fence, and due again when it is good for it."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from canary.daemon.meter import Meter
from canary.daemon.pacing import OPEN, PATIENT_FAILURES, after_failure, after_success, at_trial
from canary.daemon.settings import Source
from canary.errors import CanaryError
from canary.model.sight import Poll
from canary.net.pace import Later
from canary.ports import Fetch
from canary.steps.alarms import source_alarm
from canary.steps.watch import Advance, Arrival, Taken, Taker, take
from canary.store import runs, sources
from canary.store.leases import Overtaken
from canary.store.runs import Next, Run

if TYPE_CHECKING:
    from canary.store.tx import Tx

LEASE_MS: Final = 6_000  # renewed while a run goes on; another node may begin it when that runs out
EMPTY_ROUNDS: Final = 40  # polls in a row that promise more and give nothing
EMPTY_SECONDS: Final = 0.25
MORE_MS: Final = 1_000  # until a source is asked again that promised more and gave nothing
LOG: Final = logging.getLogger("canary.watch")


@dataclass(slots=True)
class Polled:
    """What one poll of a source came to."""

    name: str
    items: int = 0
    matches: int = 0
    error: str | None = None
    skipped: bool = False
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
        node: str = "here",
        leads: Callable[[Tx], None] | None = None,
    ) -> None:
        self.taker, self._rng, self._sleep, self._node, self._leads = taker, rng, sleep, node, leads
        self._stopping = stopping or threading.Event()
        self._active: dict[str, Run] = {}
        self._lock = threading.Lock()

    def poll(self, source: Source, fetch: Fetch, at_once: bool = False) -> Polled:
        """Poll a source if it is due and this node leads, or `at_once`; a failure is told, never raised."""
        polled = Polled(source.name)
        run: Run | None = None
        meter = Meter(fetch, self.taker.clock)
        try:
            run = self._begin(source, at_once)
            if run is None:
                polled.skipped = True
            else:
                self._rounds(source, meter, run, polled, at_once)
        except Overtaken as overtaken:
            polled.skipped = True
            LOG.warning("%s: %s", source.name, overtaken.message)
        except Exception as error:  # one hostile source must never end the others
            polled.error = _said(error)
            self._note_failure(source, run, meter, error, polled)
        finally:
            with self._lock:
                if run is not None and self._active.get(source.name) is run:
                    del self._active[source.name]
        return polled

    def _begin(self, source: Source, at_once: bool) -> Run | None:
        now = self.taker.clock.now_ms()
        with self.taker.registry.begin() as tx:
            if self._leads is not None and not at_once:
                self._leads(tx)
            sources.ensure(tx, source.name, source.kind)
            run = runs.begin(tx, source.name, self._node, now, now + LEASE_MS, at_once)
        if run is not None:
            with self._lock:
                self._active[source.name] = run
        return run

    def _rounds(self, source: Source, meter: Meter, run: Run, polled: Polled, at_once: bool) -> None:
        """Poll until the source has no more; what a round gave is stored before the next begins."""
        assert source.monitor is not None  # noqa: S101 - receivers are never polled
        cursor, empty = run.cursor, 0
        while True:
            poll = source.monitor.poll(cursor, meter)
            empty = 0 if poll.items else empty + 1
            again = (
                poll.more and not self._stopping.is_set() and (empty < EMPTY_ROUNDS if at_once else not empty)
            )
            polled.add(self._store(source, poll, run, meter, again))
            cursor = poll.cursor
            if not again:
                return
            if empty:
                self._sleep(EMPTY_SECONDS)

    def _store(self, source: Source, poll: Poll, run: Run, meter: Meter, again: bool) -> Taken:
        arrivals = [Arrival(source.name, source.kind, item) for item in poll.items]
        traffic = meter.traffic()
        after = None if again else self._after(source, poll, run, traffic.pace_ms)
        advance = Advance(
            source.name, poll.cursor, poll.gap, run=run, after=after, traffic=traffic,
            exchanges=meter.exchanges(),
        )  # fmt: skip
        return take(self.taker, arrivals, advance)

    def _after(self, source: Source, poll: Poll, run: Run, asked_ms: int | None) -> Next:
        """Give when the source is due again: sooner after a gap, never sooner than its host asked for."""
        now = self.taker.clock.now_ms()
        if poll.more:
            return Next(now + MORE_MS, now + MORE_MS)
        pace = max(source.interval_ms // 2 if poll.gap else source.interval_ms, asked_ms or 0)
        return after_success(run.slot, pace, now, self._rng)

    def _note_failure(
        self, source: Source, run: Run | None, meter: Meter, error: Exception, polled: Polled
    ) -> None:
        """Note a failure and back off; where the registry itself fails, only the log can say so."""
        now = self.taker.clock.now_ms()
        try:
            if run is None:
                raise error if isinstance(error, CanaryError) else Overtaken(f"source {source.name}")
            with self.taker.registry.begin() as tx:
                runs.fence(tx, run)
                if self._stopping.is_set():  # it was cut short by us: nobody is to blame, and it is due again
                    runs.put_back(tx, run, now)
                    return
                said = self._fail(tx, source, run, meter, error, polled.error or "", now)
            LOG.warning("source %s fails: %s", source.name, said)
        except Overtaken as overtaken:
            LOG.warning("%s: %s", source.name, overtaken.message)
        except CanaryError as worse:
            LOG.error("source %s fails and so does the registry: %s", source.name, worse.message)

    def _fail(
        self, tx: Tx, source: Source, run: Run, meter: Meter, error: Exception, said: str, now: int
    ) -> str:
        state = sources.get(tx, source.name)
        failures = (state.failures if state else run.failures) + 1
        setback = after_failure(source.interval_ms, failures, at_trial(run.breaker), self._rng)
        until = error.until_ms if isinstance(error, Later) else 0
        due = max(until, now + (0 if until else setback.pause_ms))
        told = _told(said, failures, due - now)
        runs.fail(tx, run, told, setback.breaker, now, meter.traffic(), Next(due, due))
        if setback.breaker == OPEN and run.breaker != OPEN:
            source_alarm(tx, self.taker, source.name, "it fails", now)
        return told

    def renew(self) -> None:
        """Keep the sources that are being polled here."""
        with self._lock:
            running = list(self._active)
        if running:
            until = self.taker.clock.now_ms() + LEASE_MS
            with self.taker.registry.begin() as tx:
                runs.renew(tx, self._node, running, until)


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
