"""What is left of a zip whose directory is missing: its members are found by the headers that stand before them."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final, cast

from canary.scan.budget import Refused
from canary.scan.inflated import STEP, Inflated

_LOCAL: Final = b"PK\x03\x04"
_HEADER: Final = struct.Struct("<4sHHHHHIIIHH")  # APPNOTE 4.3.7


@dataclass(frozen=True, slots=True)
class Left:
    """A member that is left: its name, where its bytes begin, how long they are (0: unknown), how they are packed."""

    name: str
    place: int
    size: int
    method: int
    encrypted: bool


def left_of(stream: BinaryIO) -> Iterator[Left]:
    """Give the members of a zip that can be sought in, by their local headers, as far as they go."""
    place, held = 0, b""
    stream.seek(0)
    while data := stream.read(1 << 20):
        held += data
        at = 0
        while (found := held.find(_LOCAL, at)) >= 0 and found + 70_000 <= len(held):
            yield from _left(held, found, place)
            at = found + 4
        keep = max(at, len(held) - 70_000)
        place, held = place + keep, held[keep:]
        stream.seek(place + len(held))  # whoever read a member has moved it
    at = 0
    while (found := held.find(_LOCAL, at)) >= 0:
        yield from _left(held, found, place)
        at = found + 4


def _left(held: bytes, at: int, place: int) -> Iterator[Left]:
    if at + _HEADER.size > len(held):
        return
    _, _, flags, method, _, _, _, packed, _, names, extra = _HEADER.unpack_from(held, at)
    start = at + _HEADER.size
    end = start + names + extra
    if not names or end > len(held) or method not in (0, 8):
        return
    name = held[start : start + names].decode("utf-8" if flags & 0x800 else "cp437", "replace")
    if not name.endswith("/"):
        yield Left(
            name, place + end, 0 if flags & 8 or packed == 0xFFFFFFFF else packed, method, bool(flags & 1)
        )


class Member(io.RawIOBase):
    """The bytes of such a member, unpacked as far as they go."""

    def __init__(self, stream: BinaryIO, left: Left) -> None:
        self._stream, self._place = stream, left.place
        self._left = left.size or (1 << 62)
        if left.encrypted:
            raise Refused("encrypted")
        if left.method == 0 and not left.size:
            raise Refused("its length is lost")
        self._inner = Inflated(cast(BinaryIO, _Packed(self)), -zlib.MAX_WBITS) if left.method == 8 else None

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def read(self, size: int | None = -1) -> bytes:
        """Read on; raises zlib.error where it is broken or cut off."""
        size = STEP if size is None or size < 0 else size
        return self._inner.read(size) if self._inner is not None else self.packed(size)

    def packed(self, size: int) -> bytes:
        """Read on in what is packed."""
        self._stream.seek(self._place)
        data = self._stream.read(min(size, self._left))
        self._place += len(data)
        self._left -= len(data)
        return data


class _Packed(io.RawIOBase):
    """The packed bytes of a member, as what unpacks them reads them."""

    def __init__(self, member: Member) -> None:
        self._member = member

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        return self._member.packed(STEP if size is None or size < 0 else size)
