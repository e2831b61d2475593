"""The reader: scans what receivers took in, in a thread of its own, with what time they leave."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from canary.errors import CanaryError
from canary.steps.reading import read_on
from canary.steps.watch import Taker

A_TURN: Final = 20  # sightings, after which it looks whether receivers are busy
REST: Final = 3.0  # while they are, it rests so many times as long as a turn took: they have three quarters
LOG: Final = logging.getLogger("canary.watch")


class Reader:
    """Reads on when woken, until nothing waits; a kill leaves the rest for the next node."""

    def __init__(
        self,
        taker: Callable[[], Taker],
        busy: Callable[[], bool],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._taker, self._busy, self._monotonic = taker, busy, monotonic
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._more = False
        self._stopping = threading.Event()

    def wake(self) -> None:
        """Begin to read, or go on after what is being read."""
        with self._lock:
            self._more = True
            if self._thread is None and not self._stopping.is_set():
                self._thread = threading.Thread(target=self._run, name="canary-reader", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while self._asked():
            try:
                began = self._monotonic()
                while not self._stopping.is_set() and read_on(self._taker(), A_TURN):
                    took = self._monotonic() - began
                    self._stopping.wait(REST * took if self._busy() else 0)
                    began = self._monotonic()
            except CanaryError as error:
                LOG.error("what was taken in is not read yet: %s", error.message)
            except Exception as error:  # a hostile mail must not end the reading of the others
                LOG.error("what was taken in is not read yet: %s", type(error).__name__)

    def _asked(self) -> bool:
        """Tell whether there is more to do; where there is not, the thread is over."""
        with self._lock:
            more, self._more = self._more and not self._stopping.is_set(), False
            if not more:
                self._thread = None
            return more

    def stop(self) -> None:
        """End after the turn that runs."""
        self._stopping.set()
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join()
