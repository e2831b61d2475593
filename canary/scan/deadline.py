"""A limit of time for what a library does with a hostile document."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from canary.scan.budget import Refused

AGAIN = 0.5  # seconds after which a thread that went on all the same is stopped once more


class _TimeUp(BaseException):
    """Ends the running code of one thread; no library catches it as an error of its own."""


class Deadline:
    """So many seconds for all that is done `within` it; what is done between counts for nothing."""

    def __init__(self, seconds: float) -> None:
        self._all = self._left = seconds

    @contextmanager
    def within(self) -> Iterator[None]:
        """Run plain Python that may never end; raises Refused when the time is up."""
        if self._left <= 0:
            raise self._refusal()
        watch = _Watch(threading.get_ident(), self._left)
        began = time.monotonic()
        try:
            yield
        except _TimeUp:
            self._left = 0
            raise self._refusal() from None
        finally:
            watch.end()
            self._left -= time.monotonic() - began

    def _refusal(self) -> Refused:
        return Refused(f"not read within {self._all:g} seconds")


class _Watch:
    """Stops a thread when its time is up, unless it ended before."""

    def __init__(self, thread: int, seconds: float) -> None:
        self._thread = thread
        self._lock = threading.Lock()
        self._ended = self._fired = False
        self._timer = self._start(seconds)

    def _start(self, seconds: float) -> threading.Timer:
        timer = threading.Timer(seconds, self._fire)
        timer.daemon = True
        timer.start()
        return timer

    def _fire(self) -> None:
        with self._lock:
            if not self._ended:
                self._fired = True
                _raise_in(self._thread, _TimeUp)
                self._timer = self._start(AGAIN)

    def end(self) -> None:
        """End the watch; what was fired and has not arrived is taken back."""
        with self._lock:
            self._ended = True
            self._timer.cancel()
            if self._fired:
                _raise_in(self._thread, None)


def _raise_in(thread: int, error: type[BaseException] | None) -> None:
    wanted = ctypes.py_object(error) if error is not None else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), wanted)
