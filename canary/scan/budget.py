"""How much a scan may read out of hostile containers."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of one scan: nesting, decompressed bytes in all and in memory, ratio once past `free` bytes, members."""

    depth: int = 3
    bytes: int = 1 << 40
    held: int = 256 << 20  # a part that must be held whole: a container in a container, a mail, a workbook
    ratio: int = 200
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
    sources: dict[str, int] = field(default_factory=dict)

    def member(self) -> None:
        """Count one member; raises Refused above the limit."""
        self.members += 1
        if self.members > self.budget.members:
            raise Refused(f"more than {self.budget.members} members")


class Metered(io.RawIOBase):
    """A decompressed stream that stops a bomb: raises Refused beyond ratio or size."""

    def __init__(self, stream: BinaryIO, spent: Spent, packed: int) -> None:
        self._stream = stream
        self._spent = spent
        self._packed = max(packed, 1)
        self._size = 0

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read on and count."""
        data = self._stream.read(len(buffer))
        self._size += len(data)
        self._spent.bytes += len(data)
        budget = self._spent.budget
        if self._size > max(budget.free, budget.ratio * self._packed):
            raise Refused(f"expands to more than {budget.ratio} times its size")
        if self._spent.bytes > budget.bytes:
            raise Refused(f"more than {budget.bytes} bytes in all")
        buffer[: len(data)] = data
        return len(data)


def held(stream: BinaryIO, limit: int) -> bytes:
    """Read a part whole; raises Refused where it is longer than `limit` bytes."""
    data = stream.read(limit + 1)
    if len(data) > limit:
        raise Refused(f"longer than {limit} bytes and must be read whole")
    return data
