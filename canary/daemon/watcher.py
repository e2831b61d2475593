"""The watcher: receivers, scheduled polls and alerts of one process; safe to kill at any moment."""

from __future__ import annotations

import logging
import random
import signal
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from canary.daemon.budgets import RegistryHosts
from canary.daemon.deliver import Delivery
from canary.daemon.polling import Polled, Poller, poll_all
from canary.daemon.receiving import Receivers
from canary.daemon.settings import Source, WatchSettings, read_channels, read_policy, read_settings
from canary.errors import CanaryError
from canary.net.fetch import Fetcher
from canary.steps.lookout import Lookout
from canary.steps.watch import Eyes, Taker
from canary.store import sightings

if TYPE_CHECKING:
    from canary.ledger.note import Signer
    from canary.ports import Clock
    from canary.store.registry import Registry

ONCE_PATIENCE: Final = 120.0  # seconds that `--once` waits for its own budget of a host
TICK_SECONDS: Final = 1.0  # how often alerts are looked for
CARE_SECONDS: Final = 2.0  # how often receivers and leases are
HOUR_SECONDS: Final = 3_600.0
SPREAD_MS: Final = 1_000  # over which the first polls are spread
END_SECONDS: Final = 4.0  # that running polls may take to end
LOG: Final = logging.getLogger("canary.watch")


class Watcher:
    """Watches the sources of one home until it is told to stop."""

    def __init__(
        self,
        settings: WatchSettings,
        taker: Taker,
        delivery: Delivery,
        fetcher: Fetcher,
        patient: Fetcher,
        rng: random.Random,
    ) -> None:
        self.settings, self._taker, self._delivery = settings, taker, delivery
        self._fetcher, self._patient, self._rng = fetcher, patient, rng
        self._stopping = threading.Event()
        self._poller = Poller(taker, rng, time.sleep, self._stopping)
        self._receivers = Receivers(settings.sources, taker)
        self._numbers = count(1)
        self._scheduler: Any = None
        self._threads: Any = None

    @classmethod
    def from_config(
        cls,
        registry: Registry,
        config: Mapping[str, object],
        signer: Signer,
        clock: Clock,
        home_folder: Path,
        only: str | None = None,
        rng: random.Random | None = None,
        eyes: Eyes | None = None,
    ) -> Watcher:
        """Make the watcher of a home from resolved settings; raises UsageError that names the table."""
        chance = rng or random.SystemRandom()
        settings = read_settings(config, home_folder, only)
        hosts = RegistryHosts(registry)
        fetcher, patient = (
            Fetcher(settings.net, hosts, clock, chance, time.sleep, time.monotonic, patience)
            for patience in (0.0, ONCE_PATIENCE)
        )
        channels = read_channels(config, fetcher.post, socket.gethostname(), clock.now_ms)
        policy = read_policy(config, channels)
        taker = Taker(registry, signer, clock, eyes or Lookout(registry), policy, settings.window_ms)
        delivery = Delivery(registry, channels, clock, chance, settings.retry_ms)
        return cls(settings, taker, delivery, fetcher, patient, chance)

    @property
    def polled(self) -> tuple[Source, ...]:
        """Give the sources that are polled."""
        return tuple(one for one in self.settings.sources if one.monitor is not None)

    def once(self) -> list[Polled]:
        """Poll each source once, deliver what is due, and end; paused sources are left alone."""
        answers = poll_all(self._poller, self.polled, self._patient)
        self._delivery.turn(wait=True)
        self._forget()
        return answers

    watch_once = once

    def run(self, stop: threading.Event | None = None) -> None:
        """Watch until SIGTERM, SIGINT or `stop`; what was accepted is committed before it ends."""
        wanted = stop or threading.Event()
        with _signals(wanted):
            self.start()
            try:
                while not wanted.wait(1.0):
                    pass
            finally:
                self.stop()

    def start(self) -> None:
        """Start receivers, polls and the delivery of alerts, each in threads of its own."""
        from apscheduler.schedulers.background import BackgroundScheduler

        from canary.daemon.threads import ThreadEach

        self._threads = ThreadEach()
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": self._threads},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._receivers.start()
        for seconds, work in (
            (TICK_SECONDS, self._deliver),
            (CARE_SECONDS, self._care),
            (HOUR_SECONDS, self._forget),
        ):
            self._scheduler.add_job(work, "interval", seconds=seconds)
        now = self._taker.clock.now_ms()
        for source in self.polled:
            self._schedule(source, now + int(self._rng.uniform(0, min(SPREAD_MS, source.interval_ms))))
        self._scheduler.start()

    def _schedule(self, source: Source, at_ms: int) -> None:
        """Put the next poll of a source on the clock; only the end of one poll schedules the next."""
        if self._stopping.is_set():
            return
        when = datetime.fromtimestamp(at_ms / 1000, UTC)
        name = f"{source.name}#{next(self._numbers)}"
        with suppress(RuntimeError):  # the scheduler was shut down meanwhile
            self._scheduler.add_job(self._poll, "date", run_date=when, args=(source,), id=name)

    def _poll(self, source: Source) -> None:
        polled = self._poller.poll(source, self._fetcher)
        for incident in polled.opened:
            LOG.warning("incident %s opened by source %s", incident, source.name)
        self._schedule(source, max(polled.next_ms, self._taker.clock.now_ms() + 50))

    def _deliver(self) -> None:
        with _told("alerts"):
            self._delivery.turn()

    def _care(self) -> None:
        with _told("the watch"):
            self._poller.renew()
            self._receivers.care()

    def _forget(self) -> None:
        """Keep by hash only what is older than `keep_days` and matched nothing."""
        with _told("the watch"), self._taker.registry.begin() as tx:
            sightings.forget_raw(tx, self._taker.clock.now_ms() - self.settings.keep_ms)

    def stop(self) -> None:
        """End within 15 s; what cannot end is abandoned, which loses nothing."""
        self._stopping.set()
        self._fetcher.stop()
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)
        self._receivers.stop()
        if self._threads is not None and not self._threads.join(END_SECONDS):
            LOG.warning("a poll does not end and is abandoned; it will be repeated")


@contextmanager
def _signals(stop: threading.Event) -> Iterator[None]:
    """Let SIGTERM and SIGINT ask for the end, where signals can be caught at all."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {one: signal.signal(one, lambda *_: stop.set()) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Say in the log what failed: the next turn tries again."""
    try:
        yield
    except CanaryError as error:
        LOG.error("%s: %s", what, error.message)
