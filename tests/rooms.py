"""A receiver on an event loop of its own, with a desk that notes what is handed in."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from canary.errors import OutsideError
from canary.model.sight import Item
from canary.ports import Receiver


@dataclass
class Room:
    """A receiver that listens; `broken` makes the registry fail, `slow` is how long a commit takes."""

    receiver: Receiver
    loop: asyncio.AbstractEventLoop
    items: list[Item] = field(default_factory=list)
    broken: bool = False
    slow: float = 0.0
    refused: int = 0

    async def desk(self, items: list[Item]) -> list[bool]:
        await asyncio.sleep(self.slow)
        if self.broken:
            self.refused += 1
            raise OutsideError("the registry is down", "")
        self.items.extend(items)
        return [True] * len(items)

    async def known(self, address: str) -> bool:
        return True

    def call(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self.loop).result(15)


@contextmanager
def room_of(receiver: Receiver) -> Iterator[Room]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    room = Room(receiver, loop)
    try:
        room.call(receiver.start(room.desk, room.known))
        yield room
        room.call(receiver.stop())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
