"""The crowd of runs under way: a start finds hundreds of sources due, and they must not starve each other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

YOUNG: Final = 16  # runs that may be young at once
YOUNG_SECONDS: Final = 2.0  # one that takes longer waits for its host, and keeps nobody waiting


class Crowd:
    """Counts the runs that began a moment ago and still go on."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._began: dict[int, float] = {}
        self._asked: list[float] = []
        self._lock = threading.Lock()

    def room(self) -> bool:
        """Take a place for a run that is to begin; False while too many are young."""
        with self._lock:
            now = self._monotonic()
            since = now - YOUNG_SECONDS
            self._asked = [moment for moment in self._asked if moment > since]
            young = sum(moment > since for moment in self._began.values()) + len(self._asked)
            if young >= YOUNG:
                return False
            self._asked.append(now)
            return True

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Be a run under way, in the place that was taken for it."""
        me = threading.get_ident()
        with self._lock:
            if self._asked:
                self._asked.pop(0)
            self._began[me] = self._monotonic()
        try:
            yield
        finally:
            with self._lock:
                del self._began[me]
