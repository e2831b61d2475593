"""Decompressors that the standard library has not: deflate without the frame of gzip, and those of pyarrow."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO, cast

STEP = 1 << 16


def arrow(codec: str) -> Callable[[BinaryIO], BinaryIO]:
    """Give what opens a stream of a codec of pyarrow (zstd, lz4, brotli)."""

    def unpack(stream: BinaryIO) -> BinaryIO:
        import pyarrow as pa

        opened: Any = pa.CompressedInputStream(pa.PythonFile(stream, mode="r"), codec)
        return cast(BinaryIO, Buffers(opened))

    return unpack


class Buffers(io.RawIOBase):
    """A stream of pyarrow that is read by buffers: its `read` never frees what it held when a stream breaks."""

    def __init__(self, opened: Any) -> None:
        self._opened = opened

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def read(self, size: int | None = -1) -> bytes:
        """Read on."""
        if size is None or size < 0:
            return b"".join(iter(lambda: self.read(STEP), b""))
        data: bytes = self._opened.read_buffer(size).to_pybytes()
        return data


class Inflated(io.RawIOBase):
    """A deflated stream, decompressed as it is read; without `bits` it is told from the first bytes which it is."""

    def __init__(self, stream: BinaryIO, bits: int | None) -> None:
        self._stream = stream
        self._bits = bits
        self._engine: zlib._Decompress | None = None
        self._held = b""

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Read on, at most `size` bytes; raises zlib.error where the stream is broken or ends early."""
        if size is None or size < 0:
            return b"".join(iter(lambda: self.read(STEP), b""))
        while size:
            if self._engine is not None and self._engine.eof:
                return b""
            packed = self._held or self._stream.read(STEP)
            if not packed:
                if self._engine is None:
                    return b""
                raise zlib.error("incomplete or truncated stream")
            if self._engine is None:
                self._engine = zlib.decompressobj(_bits(packed) if self._bits is None else self._bits)
            data = self._engine.decompress(packed, size)
            self._held = self._engine.unconsumed_tail
            if data:
                return data
        return b""


def _bits(head: bytes) -> int:
    """Tell a zlib header, whose two bytes are a multiple of 31, from a bare stream."""
    framed = len(head) > 1 and head[0] & 15 == 8 and int.from_bytes(head[:2], "big") % 31 == 0
    return zlib.MAX_WBITS if framed else -zlib.MAX_WBITS
