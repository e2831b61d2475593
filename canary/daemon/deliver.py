"""Delivery of the outbox: each channel by itself, each letter claimed, sent and noted; none is given up."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from sqlalchemy import update

from canary.alerts.channel import Channel
from canary.alerts.letter import Alert
from canary.errors import CanaryError
from canary.net.pace import Later
from canary.ports import Clock
from canary.store import channels, outbox
from canary.store.tables import outbox as rows
from canary.store.tx import Tx

if TYPE_CHECKING:
    from canary.store.registry import Registry

CLAIM_MS: Final = 60_000  # above the time of a fetch: a letter whose sender was killed leaves again after it
MAX_RETRY_MS: Final = 3_600_000
UNKNOWN_MS: Final = 3_600_000  # a channel that is not set up any more is asked for again after this
JITTER: Final = 0.1
A_TURN: Final = 1_000
WORKED_MS: Final = 60_000  # how often it is noted that a channel works
LOG: Final = logging.getLogger("canary.watch")

Mended = Callable[[Tx, str, int, int], None]
"""Told of a channel's name, since when it failed, and the time, in the transaction that notes its delivery."""


class Delivery:
    """Delivers due letters; a channel that fails rests as a whole and holds up no other."""

    def __init__(
        self, registry: Registry, channels: Sequence[Channel], clock: Clock, rng: random.Random, retry_ms: int
    ) -> None:
        self._registry, self._clock, self._rng, self._retry_ms = registry, clock, rng, retry_ms
        self._channels: Mapping[str, Channel] = {channel.name: channel for channel in channels}
        self._busy: set[str] = set()
        self._resting: dict[str, tuple[int, int]] = {}  # failures in a row, and until when to leave it alone
        self._lock = threading.Lock()
        self._mended: Mended | None = None

    def use(self, chosen: Sequence[Channel], mended: Mended | None = None) -> None:
        """Go on with other channels; `mended` is called where one works again of which was told that it failed."""
        self._channels = {channel.name: channel for channel in chosen}
        self._mended = mended

    def turn(self, wait: bool = False) -> None:
        """Deliver what is due, each channel in its own thread; `wait` for all of them."""
        now = self._clock.now_ms()
        with self._registry.read() as tx:
            due = outbox.due(tx, now, A_TURN)
        by_channel: dict[str, list[outbox.Letter]] = {}
        for one in due:
            if self._resting.get(one.channel, (0, 0))[1] <= now:
                by_channel.setdefault(one.channel, []).append(one)
        threads = [
            threading.Thread(target=self._channel, args=(name, letters), name="canary-alerts", daemon=True)
            for name, letters in by_channel.items()
            if self._enter(name)
        ]
        for thread in threads:
            thread.start()
        for thread in threads if wait else ():
            thread.join()

    def _enter(self, name: str) -> bool:
        with self._lock:
            free = name not in self._busy
            self._busy.add(name)
            return free

    def _channel(self, name: str, due: Sequence[outbox.Letter]) -> None:
        try:
            channel = self._channels.get(name)
            if channel is None:
                self._rest(name, self._clock.now_ms() + UNKNOWN_MS)
                return
            for one in due:
                if self._claim(one) and not self._send(channel, one):
                    return
        except CanaryError as error:
            LOG.error("alerts to %s: %s", name, error.message)
        finally:
            with self._lock:
                self._busy.discard(name)

    def _claim(self, one: outbox.Letter) -> bool:
        """Claim a letter; False where another watcher was first."""
        same = rows.c.serial == one.serial, rows.c.state == outbox.WAITING, rows.c.due_ms == one.due_ms
        with self._registry.begin() as tx:
            until = self._clock.now_ms() + CLAIM_MS
            return tx.conn.execute(update(rows).where(*same).values(due_ms=until)).rowcount == 1

    def _send(self, channel: Channel, one: outbox.Letter) -> bool:
        """Send a letter and note it; a failure puts off all letters of the channel."""
        try:
            channel.send(Alert(one.key, one.event, one.incident, one.body))
        except Exception as error:  # whatever a channel stumbles over, the letter must stay
            self._failed(channel, one, error)
            return False
        with self._registry.begin() as tx:
            outbox.sent(tx, one.serial)
            self._worked(tx, channel.name)
        return True

    def _worked(self, tx: Tx, name: str) -> None:
        """Note that a channel works, once a while; and tell that it does again where it was told to fail."""
        self._resting.pop(name, None)
        now = self._clock.now_ms()
        before = channels.get(tx, name)
        if before is None or before.since_ms is not None or now - before.last_ms > WORKED_MS:
            channels.worked(tx, name, now)
        if before is not None and before.told_ms is not None and self._mended is not None:
            self._mended(tx, name, before.since_ms or now, now)

    def _failed(self, channel: Channel, one: outbox.Letter, error: Exception) -> None:
        now = self._clock.now_ms()
        said = error.message if isinstance(error, CanaryError) else f"stumbled: {type(error).__name__}"
        failures = self._resting.get(channel.name, (0, 0))[0]
        until = error.until_ms if isinstance(error, Later) else now + self._backoff(failures)
        self._resting[channel.name] = failures + 1, until
        LOG.warning("alert to %s was not delivered: %s", channel.name, said)
        with self._registry.begin() as tx:
            outbox.failed(tx, one.serial, said, until)
            channels.failed(tx, channel.name, said, now)
        self._rest(channel.name, until)

    def _backoff(self, failures: int) -> int:
        pause = min(self._retry_ms << min(failures, 20), max(MAX_RETRY_MS, self._retry_ms))
        return pause + int(self._rng.uniform(0, JITTER * pause))

    def _rest(self, name: str, until: int) -> None:
        """Put off what is due of a channel, so that a dead one is asked once and not once a letter."""
        now = self._clock.now_ms()
        due = rows.c.channel == name, rows.c.state == outbox.WAITING, rows.c.due_ms <= now
        with self._registry.begin() as tx:
            tx.conn.execute(update(rows).where(*due).values(due_ms=until))
