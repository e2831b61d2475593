"""Streams of bytes cut into blocks of whole records, and canary rows spliced into them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from canary.errors import OutsideError
from canary.files.compress import Reader, Writer, read_into
from canary.files.outside import reading
from canary.files.table import Insertion

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Offsets = npt.NDArray[np.int64] | npt.NDArray[np.int32]

CHUNK = 1 << 22
ROOM = 1 << 16  # for what is left of the bytes before
MAX_RECORD = 1 << 27  # a record longer than this is a quote or bracket that is never closed

Extra = TypeVar("Extra")


@dataclass(frozen=True, slots=True)
class Cut(Generic[Extra]):
    """Whole records found in some bytes: where each begins and ends, and how many bytes are done with."""

    starts: Offsets
    ends: Offsets
    used: int
    extra: Extra


@dataclass(frozen=True, slots=True)
class Block(Generic[Extra]):
    """Consecutive bytes of a table with the records in them (offsets in bytes); `first` is the first one's number."""

    data: memoryview
    starts: Offsets
    ends: Offsets
    first: int
    extra: Extra

    @property
    def rows(self) -> int:
        """Give the number of records."""
        return len(self.starts)

    def record(self, place: int) -> bytes:
        """Give the bytes of one record."""
        return bytes(self.data[self.starts[place] : self.ends[place]])


Splitter = Callable[[bytes, bool], Cut[Extra]]


def blocks(
    stream: Reader,
    split: Splitter[Extra],
    path: Path,
    size: int | None = None,
    begun: bytes = b"",
    *,
    buffers: bool = False,
) -> Iterator[Block[Extra]]:
    """Cut a stream into blocks; together they are the stream to the byte.

    `split(data, last)` finds the records at the beginning of the data; what it leaves comes again with more. With
    `buffers` it takes any buffer instead of bytes, and less is copied.
    """
    size = size or CHUNK
    with reading(path):
        carry, ahead = begun, _Ahead.read(stream, size)
    first = 0
    while True:
        lying = ahead.behind(carry)
        with reading(path):
            ahead = _Ahead.read(stream, max(size, len(carry)))
        data: Any = lying if buffers else bytes(lying)
        cut = split(data, not ahead.size)
        if cut.used or not ahead.size:
            yield Block(memoryview(data)[: cut.used], cut.starts, cut.ends, first, cut.extra)
        first += len(cut.starts)
        carry = bytes(data[cut.used :])
        if not ahead.size:
            return
        if len(carry) > MAX_RECORD:
            raise OutsideError(
                f"{path}: row {first + 1} is longer than {MAX_RECORD >> 20} MB",
                "look for a quote that is never closed",
            )


@dataclass(frozen=True, slots=True)
class _Ahead:
    """Bytes that were read ahead, with room before them for what is left of those before."""

    room: memoryview
    size: int

    @classmethod
    def read(cls, stream: Reader, size: int) -> _Ahead:
        """Read so many bytes, fewer only at the end."""
        import numpy as np

        room = np.empty(ROOM + size, np.uint8).data
        return cls(room, read_into(stream, room[ROOM:]))

    def behind(self, left: bytes) -> memoryview:
        """Put what is left before them."""
        start = ROOM - len(left)
        if start < 0:
            return memoryview(left + bytes(self.room[ROOM : ROOM + self.size]))
        self.room[start:ROOM] = left
        return self.room[start : ROOM + self.size]


@dataclass(slots=True)
class Cursor:
    """How far a sink's insertions have been placed."""

    insertions: Sequence[Insertion]
    at: int = 0

    def due(self, rows: int) -> Iterator[Insertion]:
        """Give the insertions whose position is at most `rows`, each once."""
        while self.at < len(self.insertions) and self.insertions[self.at].position <= rows:
            yield self.insertions[self.at]
            self.at += 1


Render = Callable[[Insertion, int], tuple[int, bytes]]


def splice(file: Writer, block: Block[Extra], cursor: Cursor, render: Render) -> None:
    """Write a block's bytes, and the insertions that stand behind its records between them.

    `render(insertion, place)` gives the offset at which the row goes in and its bytes; it stands behind record
    `place` of the block, -1 meaning before the first one.
    """
    done, pieces = 0, list[bytes | memoryview]()
    for insertion in cursor.due(block.first + block.rows):
        offset, row = render(insertion, insertion.position - block.first - 1)
        pieces += block.data[done:offset], row
        done = max(done, offset)
    pieces.append(block.data[done:])
    file.writelines(pieces)
