"""The watcher: receivers, scheduled polls and alerts of one process; safe to kill at any moment."""

from __future__ import annotations

import logging
import os
import random
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from canary.daemon import chores
from canary.daemon.budgets import RegistryHosts
from canary.daemon.crowd import Away, Crowd
from canary.daemon.deliver import Delivery
from canary.daemon.leader import Leader
from canary.daemon.polling import Polled, Poller, poll_all
from canary.daemon.receiving import Receivers
from canary.daemon.settings import Source, WatchSettings, read_channels, read_policy, read_settings
from canary.errors import CanaryError
from canary.net.fetch import Fetcher
from canary.steps.alarms import mended_channel
from canary.steps.lookout import Lookout
from canary.steps.reading import read_all
from canary.steps.watch import Eyes, Taker
from canary.store.clock import DatabaseClock

if TYPE_CHECKING:
    from canary.alerts.channel import Channel
    from canary.ledger.note import Signer
    from canary.net.pace import Hosts
    from canary.ports import Answer, Clock
    from canary.store.registry import Registry

ONCE_PATIENCE: Final = 120.0  # seconds that `--once` waits for its own budget of a host
LOOK_SECONDS: Final = 0.25  # how often sources that are due are looked for
TICK_SECONDS: Final = 1.0  # how often alerts are
CARE_SECONDS: Final = 1.5  # how often receivers, leases and settings are
CHORE_SECONDS: Final = 15.0  # how often self-tests and channels that fail are
HOUR_SECONDS: Final = 3_600.0
SPREAD_MS: Final = 1_000  # over which the first polls are spread
END_SECONDS: Final = 4.0  # that running polls may take to end
LOG: Final = logging.getLogger("canary.watch")

Reload = Callable[[], Mapping[str, object] | None]
"""Gives the settings where they changed since it was last asked, else None; raises CanaryError where they are bad."""


class Watcher:
    """Watches the sources of one home until it is told to stop."""

    def __init__(
        self,
        settings: WatchSettings,
        taker: Taker,
        delivery: Delivery,
        fetchers: Callable[[WatchSettings], tuple[Fetcher, Fetcher]],
        rng: random.Random,
        node: str | None = None,
    ) -> None:
        self.settings, self.taker, self._delivery = settings, taker, delivery
        self._fetchers, self._rng = fetchers, rng
        self._fetcher, self._patient = fetchers(settings)
        self._stopping = threading.Event()
        self.node = node or node_name(rng)
        self.leader = Leader(taker.registry, taker.clock, self.node, time.monotonic)
        self._poller = Poller(taker, rng, time.sleep, self._stopping, self.node, self.leader.check)
        self._receivers = Receivers(settings.sources, taker)
        self._led: int | None = None
        self._crowd = Crowd(time.monotonic)
        self._hangup = threading.Event()
        self._scheduler: Any = None
        self._threads: Any = None
        self._metrics: Any = None
        self.reload: Reload | None = None
        self._resolve: Callable[[Mapping[str, object]], tuple[WatchSettings, Taker, tuple[Channel, ...]]]
        self._resolve = lambda _config: (settings, taker, ())

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
        shared = DatabaseClock(registry, clock, time.monotonic)
        hosts = RegistryHosts(registry)
        looking = eyes or Lookout(registry, home_folder)

        def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
            return made._fetcher.post(url, body, headers)

        def resolve(given: Mapping[str, object]) -> tuple[WatchSettings, Taker, tuple[Channel, ...]]:
            settings = read_settings(given, home_folder, only)
            channels = read_channels(given, post, socket.gethostname(), shared.now_ms)
            policy = read_policy(given, channels)
            return settings, Taker(registry, signer, shared, looking, policy, settings.window_ms), channels

        settings, taker, channels = resolve(config)
        delivery = Delivery(registry, channels, shared, chance, settings.retry_ms)
        fetchers = partial(make_fetchers, hosts=hosts, clock=shared, rng=chance)
        made = cls(settings, taker, delivery, fetchers, chance)
        made._resolve = resolve
        delivery.use(channels, partial(_mended, made))
        return made

    @property
    def polled(self) -> tuple[Source, ...]:
        """Give the sources that are polled."""
        return tuple(one for one in self.settings.sources if one.monitor is not None)

    def once(self) -> list[Polled]:
        """Poll each source once, deliver what is due, and end; paused sources are left alone."""
        answers = poll_all(self._poller, self.polled, self._patient)
        with told("the watch"):
            read_all(self.taker)
            chores.alarm(self.taker)
        self._delivery.turn(wait=True)
        with told("the watch"):
            chores.forget(self.taker, self.settings)
        return answers

    watch_once = once

    def run(self, stop: threading.Event | None = None) -> None:
        """Watch until SIGTERM, SIGINT or `stop`; what was accepted is committed before it ends."""
        wanted = stop or threading.Event()
        with _signals(wanted, self._hangup):
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

        logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a busy machine misses a look now and then
        self._threads = ThreadEach()
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": self._threads},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._care()
        self._receivers.start()
        self._open_metrics()
        for seconds, work in (
            (LOOK_SECONDS, self._look),
            (TICK_SECONDS, self._deliver),
            (CARE_SECONDS, self._care),
            (CHORE_SECONDS, self._chores),
            (HOUR_SECONDS, self._forget),
        ):
            self._scheduler.add_job(work, "interval", seconds=seconds)
        self._scheduler.start()

    def _open_metrics(self) -> None:
        from canary.daemon.metrics import MetricsServer

        if self._metrics is not None:
            self._metrics.close()
            self._metrics = None
        if self.settings.metrics is not None:
            self._metrics = MetricsServer(self.settings.metrics, self)

    def _look(self) -> None:
        """Begin the runs that are due, if this node leads; each in a thread of its own."""
        token = self.leader.token
        if token is None or not self.polled or self._stopping.is_set():
            return
        with told("the schedule"):
            if token != self._led:
                chores.enlist(self.taker, self.polled, self._rng, SPREAD_MS)
                self._led = token
            by_name = {one.name: one for one in self.polled}
            for name in chores.due(self.taker):
                idle = name in by_name and not self._threads.busy(name)
                if idle and self._crowd.room() and self._threads.claim(name):
                    self._threads.spawn(name, partial(self._poll, by_name[name]))

    def _poll(self, source: Source) -> None:
        with self._crowd.entered():
            polled = self._poller.poll(source, Away(self._crowd, self._fetcher))
        for incident in polled.opened:
            LOG.warning("incident %s opened by source %s", incident, source.name)

    def _deliver(self) -> None:
        with told("alerts"):
            self._delivery.turn()

    def _care(self) -> None:
        with told("the watch"):
            self._heed_settings()
            if not self._stopping.is_set():
                self.leader.turn()
            self._poller.renew()
            self._receivers.care()

    def _heed_settings(self) -> None:
        """Read the settings again where they changed; bad ones are told, and the old ones stay."""
        asked = self._hangup.is_set()
        self._hangup.clear()
        if self.reload is None:
            return
        config = self.reload()
        if config is not None:
            self.use(config)
        elif asked:
            LOG.info("the settings did not change")

    def use(self, config: Mapping[str, object]) -> None:
        """Go on with other settings (resolved); sources that did not change go on as they are."""
        settings, taker, channels = self._resolve(config)
        before, self.settings, self.taker = self.settings, settings, taker
        self._poller.taker = taker
        self._delivery.use(channels, partial(_mended, self))
        if settings.net != before.net:
            self._fetcher, self._patient = self._fetchers(settings)
        self._receivers.use(settings.sources, taker)
        self._led = None
        if settings.metrics != before.metrics:
            self._open_metrics()
        LOG.info("the settings were read again: %d sources", len(settings.sources))

    def _chores(self) -> None:
        if self.leader.token is not None:
            with told("the watch"):
                chores.plant_due(self.taker, self.settings.sources)
            with told("the watch"):
                chores.alarm(self.taker)
            with told("the watch"):
                chores.read_leftovers(self.taker)

    def _forget(self) -> None:
        if self.leader.token is not None:
            with told("the watch"):
                chores.forget(self.taker, self.settings)

    def waiting(self) -> int:
        """Count the arrivals of receivers that wait for their commit."""
        return self._receivers.waiting()

    def stop(self) -> None:
        """End within 15 s; what cannot end is abandoned, which loses nothing."""
        self._stopping.set()
        self._fetcher.stop()
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)
        self._receivers.stop()
        if self._metrics is not None:
            self._metrics.close()
        if self._threads is not None and not self._threads.join(END_SECONDS):
            LOG.warning("a poll does not end and is abandoned; it will be repeated")
        with told("the watch"):
            self.leader.release()


def make_fetchers(
    settings: WatchSettings, hosts: Hosts, clock: Clock, rng: random.Random
) -> tuple[Fetcher, Fetcher]:
    """Make the fetcher of scheduled polls, and the patient one of `--once`."""
    first, second = (
        Fetcher(settings.net, hosts, clock, rng, time.sleep, time.monotonic, patience)
        for patience in (0.0, ONCE_PATIENCE)
    )
    return first, second


def node_name(rng: random.Random) -> str:
    """Name this process among those on a registry: host, process and a word of its own."""
    return f"{socket.gethostname()[:30]}:{os.getpid()}:{rng.getrandbits(32):08x}"


def _mended(watcher: Watcher, tx: Any, name: str, since_ms: int, now_ms: int) -> None:
    mended_channel(tx, watcher.taker, name, since_ms, now_ms)


@contextmanager
def _signals(stop: threading.Event, hangup: threading.Event) -> Iterator[None]:
    """Let SIGTERM and SIGINT ask for the end, and SIGHUP for the settings, where signals can be caught at all."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    wanted = {signal.SIGTERM: stop, signal.SIGINT: stop, signal.SIGHUP: hangup}
    before = {one: signal.signal(one, _setter(event)) for one, event in wanted.items()}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _setter(event: threading.Event) -> Callable[[int, object], None]:
    return lambda _number, _frame: event.set()


@contextmanager
def told(what: str) -> Iterator[None]:
    """Say in the log what failed: the next turn tries again."""
    try:
        yield
    except CanaryError as error:
        LOG.error("%s: %s", what, error.message)
