"""How much a scan may read out of hostile containers."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of one scan, in bytes: `held` for what must be in memory whole, `free` before the ratios count."""

    depth: int = 3  # containers in containers
    bytes: int = 1 << 40  # decompressed, in all
    held: int = 256 << 20
    spooled: int = 8 << 30  # of a member that must be sought in: beyond `held` in an unnamed temporary file
    ratio: int = 200  # decompressed to packed, of a member
    free: int = 64 << 20
    file_ratio: int = 1000  # decompressed to the size of a file, of all that is in it
    file_free: int = 1 << 30
    members: int = 100_000  # of one file
    seconds: float = 60.0  # for one document that a library reads


class Refused(Exception):
    """A part that cannot or must not be read on; the reason is for a person."""


@dataclass(slots=True)
class Spent:
    """What a scan has used of its budget."""

    budget: Budget
    bytes: int = 0
    members: int = 0
    _end: int | None = None  # of what may be decompressed of this file, counted like `bytes`

    def file(self, size: int) -> None:
        """Begin another file: its members and what they become are counted anew."""
        self.members = 0
        self._end = self.bytes + max(self.budget.file_free, self.budget.file_ratio * size)

    def member(self) -> None:
        """Count one member; raises Refused above the limit."""
        self.members += 1
        if self.members > self.budget.members:
            raise Refused(f"more than {self.budget.members} members")

    def add(self, size: int) -> None:
        """Count bytes that were decompressed; raises Refused above the limit of all."""
        self.bytes += size
        if self.bytes > self.budget.bytes:
            raise Refused(f"more than {self.budget.bytes} bytes in all")
        if self._end is not None and self.bytes > self._end:
            raise Refused("the whole file expands to more than it may")

    def most(self, packed: int) -> int:
        """Give how long something may become that has so many bytes behind it."""
        return max(self.budget.free, self.budget.ratio * packed)

    def too_long(self, most: int) -> Refused:
        """Make the refusal of a bomb."""
        return Refused(f"expands to more than {most} bytes, {self.budget.ratio} times its size")

    def texts(self, chunks: Iterable[str], packed: int) -> Iterator[str]:
        """Pass the text of a document on within the ratio: a few bytes may refer to the same text again and again."""
        most, size = self.most(packed), 0
        for chunk in chunks:
            size += len(chunk)
            self.add(len(chunk))
            if size > most:
                raise self.too_long(most)
            yield chunk


class Metered(io.RawIOBase):
    """A decompressed stream that stops a bomb: raises Refused beyond its ratio or the total."""

    def __init__(self, stream: BinaryIO, spent: Spent, packed: int) -> None:
        self._read = getattr(stream, "read1", stream.read)  # what a broken stream gave before it broke
        self._spent = spent
        self._most = spent.most(packed)
        self._size = 0

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Read on and count; without a size in steps, so that a bomb stops early."""
        if size is None or size < 0:
            return b"".join(iter(lambda: self.read(1 << 20), b""))
        data = self._read(size)
        self._size += len(data)
        if self._size > self._most:
            raise self._spent.too_long(self._most)
        self._spent.add(len(data))
        return data


class Rewound(io.RawIOBase):
    """A stream whose first bytes were read already and are given again."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self._head = head
        self._stream = stream

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Read on, from the kept bytes first."""
        if size is None or size < 0:
            head, self._head = self._head, b""
            return head + self._stream.read()
        if self._head:
            data, self._head = self._head[:size], self._head[size:]
            return data
        return self._stream.read(size)


def held(head: bytes, stream: BinaryIO, limit: int) -> bytes:
    """Read a part whole, its head was read already; raises Refused where it is longer than `limit` bytes."""
    parts, size = [head], len(head)
    while size <= limit and (data := stream.read(1 << 20)):
        parts.append(data)
        size += len(data)
    if size > limit:
        raise Refused(f"longer than {limit} bytes, and it must be read whole")
    return b"".join(parts)


@contextmanager
def seekable(head: bytes, stream: BinaryIO, budget: Budget) -> Iterator[BinaryIO]:
    """Give a stream from its start that can be sought in: the file itself, else a copy.

    The copy is in memory, a long one in a temporary file without a name: whatever happens, nothing of it stays.
    """
    if stream.seekable():
        stream.seek(0)
        yield stream
        return
    with SpooledTemporaryFile(max_size=budget.held) as copy:
        size = 0
        for data in chain([head], iter(lambda: stream.read(1 << 20), b"")):
            size += copy.write(data)
            if size > budget.spooled:
                raise Refused(f"longer than {budget.spooled} bytes, and it must be read whole")
        copy.seek(0)
        yield cast(BinaryIO, copy)
