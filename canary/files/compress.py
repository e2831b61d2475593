"""Plain, gzip and zstd streams: opened for reading, wrapped for writing, always the same bytes."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from canary.files.outside import reading


class Reader(Protocol):
    """Whatever bytes are read from, one after the other."""

    def read(self, size: int = -1, /) -> bytes:
        """Read so many bytes, fewer only where that is all there are for now."""
        ...

    def readinto(self, room: memoryview, /) -> int | None:
        """Fill a buffer as far as that goes; gives how far."""
        ...


class Writer(Protocol):
    """Whatever takes bytes."""

    def write(self, data: bytes | memoryview, /) -> object:
        """Take all of the bytes."""
        ...

    def writelines(self, pieces: Iterable[bytes | memoryview], /) -> object:
        """Take all of the pieces, one behind the other."""
        ...


MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_LEVEL = 6


def compression_of(head: bytes) -> str | None:
    """Tell the compression from a file's first bytes."""
    return next((name for magic, name in MAGIC.items() if head.startswith(magic)), None)


@contextmanager
def opened(path: Path, compression: str | None) -> Iterator[Reader]:
    """Open a file for reading, decompressed; raises OutsideError where it cannot be opened."""
    with reading(path):
        raw = path.open("rb")
    with raw:
        if compression == "gzip":
            with gzip.GzipFile(fileobj=raw) as stream:
                yield stream
        elif compression == "zstd":
            import pyarrow as pa

            with pa.CompressedInputStream(pa.PythonFile(raw, "r"), "zstd") as stream:
                yield stream
        else:
            yield raw


def read_into(stream: Reader, room: memoryview) -> int:
    """Fill a buffer; gives how many bytes were read, fewer than it takes only at the end."""
    done = 0
    while done < len(room):
        count = stream.readinto(room[done:])
        if not count:
            break
        done += count
    return done


def read_full(stream: Reader, size: int) -> bytes:
    """Read exactly `size` bytes, fewer only at the end."""
    data = stream.read(size)
    if len(data) == size or not data:
        return data
    parts = [data]
    while data and sum(map(len, parts)) < size:
        data = stream.read(size - sum(map(len, parts)))
        parts.append(data)
    return b"".join(parts)


class Digesting:
    """A stream whose bytes are digested as they are read."""

    def __init__(self, stream: Reader) -> None:
        self._stream, self.digest = stream, hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        """Read bytes."""
        data = self._stream.read(size)
        self.digest.update(data)
        return data

    def readinto(self, room: memoryview, /) -> int:
        """Fill a buffer."""
        count = self._stream.readinto(room) or 0
        self.digest.update(room[:count])
        return count


class Shield(io.RawIOBase):
    """A file that only takes bytes: it cannot be closed or sought, so that every sink gets the same ones."""

    def __init__(self, file: Writer) -> None:
        super().__init__()
        self._file, self._at = file, 0

    def writable(self) -> bool:
        """Say that it takes bytes."""
        return True

    def write(self, data: object) -> int:
        """Hand the bytes on, all of them."""
        view = memoryview(cast(bytes, data)).cast("B")
        self._file.write(view)
        self._at += view.nbytes
        return view.nbytes

    def tell(self) -> int:
        """Count the bytes that were written."""
        return self._at

    def seek(self, _offset: int, _whence: int = os.SEEK_SET, /) -> int:
        """Refuse: a stream goes forward."""
        raise io.UnsupportedOperation("seek")


@contextmanager
def compressing(file: Writer, compression: str | None) -> Iterator[Writer]:
    """Wrap a file for writing; it stays open afterwards, and equal input gives equal bytes (gzip time 0)."""
    if compression == "gzip":
        with gzip.GzipFile("", "wb", _LEVEL, cast(BinaryIO, Shield(file)), mtime=0) as stream:
            yield cast(Writer, stream)
    elif compression == "zstd":
        import pyarrow as pa

        with pa.CompressedOutputStream(pa.PythonFile(Shield(file), "w"), "zstd") as stream:
            yield cast(Writer, stream)
    else:
        yield file
