"""The crowd of runs under way: a start finds hundreds of sources due, and they must not starve each other.

Only a run that is at work takes a place: while it waits for its host it is away. One that is at work for long
keeps its place for a moment alone, so that sixteen big ones stop nobody.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from canary.ports import Answer, Fetch

YOUNG: Final = 16  # runs that may be at work for a moment at once
YOUNG_SECONDS: Final = 2.0  # one that is at work for longer keeps nobody waiting
LOOK_SECONDS: Final = 0.1  # how often one that comes back looks whether others have grown old


class Crowd:
    """Counts the runs that began to work a moment ago and still do."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._began: dict[int, float] = {}
        self._asked: list[float] = []
        self._left = threading.Condition()

    def room(self) -> bool:
        """Take a place for a run that is to begin; False while too many are young."""
        with self._left:
            if self._full():
                return False
            self._asked.append(self._monotonic())
            return True

    def _full(self) -> bool:
        since = self._monotonic() - YOUNG_SECONDS
        self._asked = [moment for moment in self._asked if moment > since]
        return sum(moment > since for moment in self._began.values()) + len(self._asked) >= YOUNG

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Be a run under way, in the place that was taken for it."""
        me = threading.get_ident()
        with self._left:
            if self._asked:
                self._asked.pop(0)
            self._began[me] = self._monotonic()
        try:
            yield
        finally:
            self._leave(me)

    @contextmanager
    def away(self) -> Iterator[None]:
        """Wait for somebody else, and come back when there is room."""
        me = threading.get_ident()
        self._leave(me)
        try:
            yield
        finally:
            with self._left:
                while self._full():
                    self._left.wait(LOOK_SECONDS)
                self._began[me] = self._monotonic()

    def _leave(self, me: int) -> None:
        with self._left:
            self._began.pop(me, None)
            self._left.notify()


@dataclass(frozen=True, slots=True)
class Away:
    """A fetcher for runs of a crowd: who waits for an answer takes no place."""

    crowd: Crowd
    fetch: Fetch

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Fetch one address."""
        with self.crowd.away():
            return self.fetch.get(url, headers)
