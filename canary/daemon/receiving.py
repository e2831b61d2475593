"""The receivers of one watcher: an event loop in its own thread, each receiver cared for alone."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Final

from canary.daemon.desk import GroupDesk
from canary.daemon.pacing import backoff_ms
from canary.daemon.settings import Source
from canary.errors import CanaryError
from canary.ports import Receiver
from canary.steps.watch import Taker
from canary.store import sources

SIGN_OF_LIFE_MS: Final = 30_000
RETRY_MS: Final = 5_000
STOP_SECONDS: Final = 9.0
LOG: Final = logging.getLogger("canary.watch")


@dataclass(slots=True)
class _Place:
    """One receiver and how it fares."""

    source: Source
    receiver: Receiver
    listening: bool = False
    next_ms: int = 0
    failures: int = 0


class Receivers:
    """Runs receivers; one that cannot listen is tried again and never keeps another from listening."""

    def __init__(self, chosen: Sequence[Source], taker: Taker) -> None:
        self._places = _places(chosen)
        self._taker = taker
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._desk: GroupDesk | None = None
        self._caring = threading.Lock()

    def start(self) -> None:
        """Start the loop and whatever can listen."""
        if not self._places:
            return
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="canary-receivers", daemon=True)
        self._thread.start()
        self._desk = GroupDesk(self._taker)
        self._desk.wake()
        self.care()

    def use(self, chosen: Sequence[Source], taker: Taker) -> None:
        """Go on with other receivers: those whose tables stayed keep listening."""
        with self._caring:
            kept = {(one.source.name, one.source.mark): one for one in self._places}
            wanted = [kept.pop((one.source.name, one.source.mark), one) for one in _places(chosen)]
            self._taker = taker
            for place in kept.values():
                if place.listening:
                    self._call(place.receiver.stop())
            self._places = wanted
            if self._desk is not None:
                self._desk.use(taker)
        self.start() if self._loop is None else self.care()

    def care(self) -> None:
        """Start, stop and note receivers as the registry wants them; called every few seconds."""
        if self._loop is None or not self._caring.acquire(blocking=False):
            return
        try:
            for place in self._places:
                with contextlib.suppress(CanaryError):
                    self._care_for(place)
        finally:
            self._caring.release()

    def _care_for(self, place: _Place) -> None:
        source, now = place.source, self._taker.clock.now_ms()
        with self._taker.registry.read() as tx:
            state = sources.get(tx, source.name)
        if state is not None and state.paused:
            if place.listening:
                self._call(place.receiver.stop())
                place.listening, place.next_ms = False, 0
            return
        if now < place.next_ms:
            return
        try:
            if not place.listening:
                self._listen(place)
            place.failures, place.next_ms = 0, now + SIGN_OF_LIFE_MS
            self._note(source, None)
        except CanaryError as error:
            place.failures += 1
            place.next_ms = now + min(60_000, backoff_ms(RETRY_MS, place.failures))
            LOG.warning("source %s fails: %s", source.name, error.message)
            self._note(source, error.message)

    def _listen(self, place: _Place) -> None:
        assert self._desk is not None  # noqa: S101 - made with the loop
        desk = self._desk.desk_of(place.source.name, place.source.kind)
        self._call(place.receiver.start(desk, self._desk.known()))
        place.listening = True

    def _note(self, source: Source, error: str | None) -> None:
        now = self._taker.clock.now_ms()
        with self._taker.registry.begin() as tx:
            sources.ensure(tx, source.name, source.kind)
            if error is None:
                sources.succeeded(tx, source.name, None, now, None)
            else:
                sources.failed(tx, source.name, error, now, None)

    def _call(self, work: Coroutine[Any, Any, None], seconds: float = STOP_SECONDS) -> None:
        assert self._loop is not None  # noqa: S101 - started
        asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds)

    def stop(self) -> None:
        """Stop listening once what was handed in is committed, then end the loop."""
        if self._loop is None or self._thread is None:
            return
        with self._caring, contextlib.suppress(TimeoutError, CanaryError):
            self._call(self._stop_all(), STOP_SECONDS + 1)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(2)
        if not self._thread.is_alive():
            self._loop.close()
        self._loop = None

    def waiting(self) -> int:
        """Count the arrivals that wait for their commit."""
        return self._desk.waiting() if self._desk is not None else 0

    async def _stop_all(self) -> None:
        listening = [place.receiver.stop() for place in self._places if place.listening]
        await asyncio.wait_for(asyncio.gather(*listening, return_exceptions=True), STOP_SECONDS)
        for place in self._places:
            place.listening = False
        if self._desk is not None:
            await self._desk.close()
        await asyncio.get_running_loop().shutdown_asyncgens()


def _places(chosen: Sequence[Source]) -> list[_Place]:
    return [_Place(one, one.receiver) for one in chosen if one.receiver is not None]
