"""How much a scan may read out of hostile containers."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of one scan, in bytes: `held` for what must be read whole, `free` before the ratios count."""

    depth: int = 3  # containers in containers
    bytes: int = 1 << 40  # decompressed, in all
    held: int = 256 << 20
    ratio: int = 200  # decompressed to packed, of a member
    free: int = 64 << 20
    members: int = 100_000


class Refused(Exception):
    """A part that cannot or must not be read on; the reason is for a person."""


@dataclass(slots=True)
class Spent:
    """What a scan has used of its budget."""

    budget: Budget
    bytes: int = 0
    members: int = 0

    def member(self) -> None:
        """Count one member; raises Refused above the limit."""
        self.members += 1
        if self.members > self.budget.members:
            raise Refused(f"more than {self.budget.members} members")


class Metered(io.RawIOBase):
    """A decompressed stream that stops a bomb: raises Refused beyond its ratio or the total."""

    def __init__(self, stream: BinaryIO, spent: Spent, packed: int) -> None:
        self._read = getattr(stream, "read1", stream.read)  # what a broken stream gave before it broke
        self._spent = spent
        self._most = max(spent.budget.free, spent.budget.ratio * packed)
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
        self._spent.bytes += len(data)
        if self._size > self._most:
            raise Refused(
                f"expands to more than {self._most} bytes, {self._spent.budget.ratio} times its size"
            )
        if self._spent.bytes > self._spent.budget.bytes:
            raise Refused(f"more than {self._spent.budget.bytes} bytes in all")
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


def seekable(head: bytes, stream: BinaryIO, limit: int) -> BinaryIO:
    """Give a stream from its start that can be sought in: the file itself, else the part in memory."""
    if stream.seekable():
        stream.seek(0)
        return stream
    return io.BytesIO(held(head, stream, limit))
