"""Protocols of one or two methods, each for what has at least two kinds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from canary.model.sight import Item, Poll


class Clock(Protocol):
    """Where the time comes from: the machine, the database, or a story."""

    def now_ms(self) -> int:
        """Give the time in milliseconds since 1970, UTC."""
        ...


class Answer(Protocol):
    """What a polite fetch gives back; `body` is at most net.max_bytes after decompression."""

    @property
    def status(self) -> int:
        """The status of HTTP."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers by their names in lower case."""
        ...

    @property
    def body(self) -> bytes:
        """The bytes of the answer."""
        ...


class Fetch(Protocol):
    """Polite fetching, as handed to a monitor; raises OutsideError when the answer cannot be had."""

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Fetch one address."""
        ...


class Monitor(Protocol):
    """A source that is polled; sees neither registry nor ledger."""

    def poll(self, cursor: str | None, fetch: Fetch) -> Poll:
        """Give what is new since the cursor (None: never polled), the next cursor and whether there was a gap."""
        ...


Desk = Callable[[list[Item]], Awaitable[list[bool]]]
"""Where a receiver hands arrivals in: returns after the commit, True for each item whose contact is ours."""


Known = Callable[[str], Awaitable[bool]]
"""Tells a receiver whether an alias is ours, before anything is accepted for it."""


class Receiver(Protocol):
    """A source that is reached: listens from `start` until `stop`; raises OutsideError where it cannot listen."""

    async def start(self, desk: Desk, known: Known) -> None:
        """Begin to listen."""
        ...

    async def stop(self) -> None:
        """End listening; what was accepted is committed."""
        ...
