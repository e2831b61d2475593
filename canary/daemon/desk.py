"""The desk: where receivers hand in arrivals; what comes within 20 ms is committed together."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from canary.daemon.reader import Reader
from canary.errors import CanaryError, OutsideError
from canary.model.sight import Item
from canary.ports import Desk, Known
from canary.steps.watch import Arrival, Taker, knows_many, take

GATHER_SECONDS: Final = 0.02
ASK_SECONDS: Final = 0.005
BUSY_SECONDS: Final = 0.5  # after an arrival others may follow: reading gives way
MOST: Final = 500  # arrivals in one transaction, but what was handed in together stays together
MOST_BYTES: Final = 50_000_000
LOG: Final = logging.getLogger("canary.watch")


@dataclass(slots=True)
class _Handed:
    """What one receiver handed in at once, and who waits for it."""

    arrivals: list[Arrival]
    done: asyncio.Future[list[bool]]

    def size(self) -> int:
        """Count the bytes; the recipients of one message share theirs."""
        return max(len(one.item.raw) for one in self.arrivals)


class GroupDesk:
    """Commits arrivals of all receivers in groups; lives on one event loop."""

    def __init__(self, taker: Taker) -> None:
        self._taker = taker
        self._waiting: list[_Handed] = []
        self._writer = ThreadPoolExecutor(1, "canary-desk")
        self._readers = ThreadPoolExecutor(1, "canary-known")
        self._flusher: asyncio.Task[None] | None = None
        self._asked: list[tuple[str, asyncio.Future[bool]]] = []
        self._answerer: asyncio.Task[None] | None = None
        self._last = 0.0  # when something was handed in
        self._reader = Reader(lambda: self._taker, self._busy)

    def _busy(self) -> bool:
        return bool(self._waiting) or time.monotonic() - self._last < BUSY_SECONDS

    def wake(self) -> None:
        """Have read what a killed node left unread."""
        self._reader.wake()

    def use(self, taker: Taker) -> None:
        """Go on with other settings."""
        self._taker = taker

    def waiting(self) -> int:
        """Count the arrivals that wait for their commit."""
        return sum(len(handed.arrivals) for handed in self._waiting)

    def desk_of(self, source: str, kind: str) -> Desk:
        """Give the desk of one receiver."""

        async def desk(items: list[Item]) -> list[bool]:
            return await self._hand_in([Arrival(source, kind, item) for item in items])

        return desk

    def known(self) -> Known:
        """Give the look-up whether an alias is ours; what is asked within 5 ms is looked up together."""

        async def known(alias: str) -> bool:
            asked = asyncio.get_running_loop().create_future()
            self._asked.append((alias, asked))
            if self._answerer is None or self._answerer.done():
                self._answerer = asyncio.create_task(self._answer())
            return bool(await asyncio.shield(asked))

        return known

    async def _answer(self) -> None:
        await asyncio.sleep(ASK_SECONDS)
        while self._asked:
            asked, self._asked = self._asked, []
            loop = asyncio.get_running_loop()
            work = partial(knows_many, self._taker.registry, [alias for alias, _ in asked])
            try:
                answers = await loop.run_in_executor(self._readers, work)
                _answer_all([one for _, one in asked], answers)
            except Exception as error:
                said = error if isinstance(error, CanaryError) else _not_stored()
                _fail([one for _, one in asked], said)

    async def _hand_in(self, arrivals: list[Arrival]) -> list[bool]:
        if not arrivals:
            return []
        handed = _Handed(arrivals, asyncio.get_running_loop().create_future())
        self._waiting.append(handed)
        self._last = time.monotonic()
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush())
        return await asyncio.shield(handed.done)

    async def _flush(self) -> None:
        await asyncio.sleep(GATHER_SECONDS)
        while self._waiting:
            group = self._next_group()
            try:
                await self._commit(group)
                self._reader.wake()
            except CanaryError as error:
                _fail([handed.done for handed in group], error)
            except Exception as error:
                LOG.error("a group of %d arrivals was not stored: %s", len(group), type(error).__name__)
                await self._one_by_one(group)

    def _next_group(self) -> list[_Handed]:
        count, size = 0, 0
        for place, handed in enumerate(self._waiting):
            count, size = count + len(handed.arrivals), size + handed.size()
            if place and (count > MOST or size > MOST_BYTES):
                group, self._waiting = self._waiting[:place], self._waiting[place:]
                return group
        group, self._waiting = self._waiting, []
        return group

    async def _commit(self, group: Sequence[_Handed]) -> None:
        arrivals = [one for handed in group for one in handed.arrivals]
        loop = asyncio.get_running_loop()
        taken = await loop.run_in_executor(self._writer, partial(take, self._taker, arrivals, read=False))
        at = 0
        for handed in group:
            count = len(handed.arrivals)
            if not handed.done.done():
                handed.done.set_result(list(taken.ours[at : at + count]))
            at += count

    async def _one_by_one(self, group: Sequence[_Handed]) -> None:
        """Store each apart, so that one that cannot be stored does not take the others with it."""
        for handed in group:
            try:
                await self._commit([handed])
            except Exception:
                _fail([handed.done], _not_stored())

    async def close(self) -> None:
        """Wait for what was handed in, then end."""
        if self._flusher is not None:
            await asyncio.gather(self._flusher, return_exceptions=True)
        await asyncio.get_running_loop().run_in_executor(None, self._reader.stop)
        self._writer.shutdown(wait=True)
        self._readers.shutdown(wait=True)


def _not_stored() -> OutsideError:
    return OutsideError("an arrival could not be stored", "see the log of the watch")


def _answer_all(asked: Sequence[asyncio.Future[bool]], answers: Sequence[bool]) -> None:
    for one, answer in zip(asked, answers, strict=True):
        if not one.done():
            one.set_result(answer)


def _fail(waiting: Sequence[asyncio.Future[Any]], error: CanaryError) -> None:
    for one in waiting:
        if not one.done():
            one.set_exception(error)
            one.exception()  # a client that left does not fetch it
