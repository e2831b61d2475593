"""A stretch of a stream as a stream of its own: one member of an archive, the body of one record."""

from __future__ import annotations

import io
from typing import BinaryIO, Final

STEP: Final = 1 << 16


class Limited(io.RawIOBase):
    """The next so many bytes of a stream; `left` are still to be read."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream, self.left = stream, size

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Read on; without a size to its end."""
        if size is None or size < 0:
            return b"".join(iter(lambda: self.read(STEP), b""))
        data = self._stream.read(min(size, self.left))
        self.left -= len(data)
        return data

    def skip(self) -> None:
        """Read past what is left of it."""
        while self.left and self.read(STEP):
            pass
