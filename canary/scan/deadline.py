"""A limit of time for what a library does with a hostile document."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from canary.scan.budget import Refused

Made = TypeVar("Made")
AGAIN = 0.5  # seconds after which a thread that went on all the same is stopped once more


class _TimeUp(BaseException):
    """Ends the running code of one thread; no library catches it as an error of its own."""


class Deadline:
    """So many seconds for all that is run under it; what is done between counts for nothing."""

    def __init__(self, seconds: float) -> None:
        self._all = self._left = seconds

    def run(self, work: Callable[[], Made]) -> Made:
        """Run plain Python that may never end; raises Refused when the time is up.

        It is no block of `with`: a stop that arrived between the block and its end would stray.
        """
        if self._left <= 0:
            raise self._refusal()
        began = time.monotonic()
        watch = _Watch(threading.get_ident())
        try:
            try:
                watch.start(self._left)
                return work()
            finally:
                watch.end()
        except _TimeUp:  # it may also have arrived while the watch was being ended
            watch.end()
            self._left = 0
            raise self._refusal() from None
        finally:
            self._left -= time.monotonic() - began

    def _refusal(self) -> Refused:
        return Refused(f"not read within {self._all:g} seconds")


class _Watch:
    """Stops a thread when its time is up, unless it ended before."""

    def __init__(self, thread: int) -> None:
        self._thread = thread
        self._lock = threading.RLock()  # a stop that arrives while it is taken must not lock its thread out
        self._ended = self._fired = False
        self._timer: threading.Timer | None = None

    def start(self, seconds: float) -> None:
        """Begin to count."""
        self._timer = threading.Timer(seconds, self._fire)
        self._timer.daemon = True
        self._timer.start()

    def _fire(self) -> None:
        with self._lock:
            if not self._ended:
                self._fired = True
                _stop(self._thread)
                self.start(AGAIN)

    def end(self) -> None:
        """End the watch, in the watched thread; what was fired and has not arrived is waited for."""
        with self._lock:
            self._ended = True
            if self._timer is not None:
                self._timer.cancel()
        if self._fired:
            _take_in()


def _take_in() -> None:
    """Let a stop arrive that is under way: it does so where a loop begins again.

    It must not be taken back: CPython 3.11 then loops for ever in a thread that is traced.
    """
    try:
        for _ in range(100):
            pass
    except _TimeUp:
        pass


def _stop(thread: int) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(_TimeUp))
