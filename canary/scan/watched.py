"""Reading that is watched: how far it has come, and whether it is to end."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from typing import BinaryIO, Final, cast

STEP: Final = 1 << 20


class Stopped(BaseException):
    """Ends a scan that was interrupted; nothing that reads hostile files takes it for one of their errors."""


class Watch:
    """Counts the bytes that were read, in all threads, and stops them."""

    def __init__(self, tell: Callable[[int], None]) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._done = 0
        self._stopped = False

    def stop(self) -> None:
        """Let every reader end at its next step."""
        self._stopped = True

    def add(self, size: int) -> None:
        """Count bytes; raises Stopped where the scan is to end."""
        if self._stopped:
            raise Stopped
        if size > 0:
            with self._lock:
                self._done += size
                self._tell(self._done)


def _untold(_done: int) -> None:
    """Tell nobody."""


UNWATCHED: Final = Watch(_untold)


class Watched(io.RawIOBase):
    """A file that is watched; `start` and `end` give a stretch of it, which has places of its own from 0."""

    def __init__(self, file: BinaryIO, watch: Watch, size: int, start: int = 0) -> None:
        self._file, self._watch, self._start, self._size = file, watch, start, size
        self._place = self._furthest = 0
        if start:
            file.seek(start)

    @property
    def stream(self) -> BinaryIO:
        """Itself, as what reads files takes it."""
        return cast(BinaryIO, self)

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def seekable(self) -> bool:
        """Tell that it can be sought in."""
        return True

    def read(self, size: int | None = -1) -> bytes:
        """Read on; raises Stopped where the scan is to end."""
        left = self._size - self._place
        data = self._file.read(left if size is None or size < 0 else min(size, max(0, left)))
        self._count(len(data))
        return data

    def _count(self, size: int) -> None:
        self._place += size
        self._watch.add(self._place - self._furthest)
        self._furthest = max(self._furthest, self._place)

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read on into a buffer."""
        count = self._file.readinto(buffer[: max(0, self._size - self._place)])  # type: ignore[attr-defined]
        self._count(count)
        return int(count)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        base = (0, self._place, self._size)[whence]
        self._place = self._file.seek(self._start + max(0, base + offset)) - self._start
        return self._place

    def tell(self) -> int:
        """Give the place."""
        return self._place

    def close(self) -> None:
        """Count what nobody cared to read as well."""
        if not self.closed and self._furthest < self._size and not self._watch._stopped:
            self._watch.add(self._size - self._furthest)
        super().close()
