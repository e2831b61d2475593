"""What was fetched from the web: WARC records, and answers of HTTP with their bodies as they were sent."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO, Final, cast

from canary.scan.budget import Refused, Rewound
from canary.scan.compressed import CODINGS, Unpack
from canary.scan.limited import Limited

MOST_HEAD: Final = 1 << 20  # bytes of the headers of one record or answer
STEP: Final = 1 << 16

MAGIC: Final = {"gzip": b"\x1f\x8b", "x-gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}

_HTTP = re.compile(rb"(?:HTTP/[0-9.]{1,3} [0-9]{3}|[A-Z]{3,8} [^\r\n ]{1,8192} HTTP/[0-9.]{1,3}\r?\n)")
_END = re.compile(rb"\r?\n\r?\n")


def is_warc(head: bytes) -> bool:
    """Tell whether a part is a file of WARC records."""
    return head.startswith((b"WARC/1.", b"WARC/0."))


def is_http(head: bytes) -> bool:
    """Tell whether a part is one message of HTTP."""
    return _HTTP.match(head) is not None


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its name, its headers as they stand, its body."""

    name: str
    headers: bytes
    body: BinaryIO


class Lines(io.RawIOBase):
    """A stream that can be read up to a border, and on from there."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self._held, self._stream = head, stream

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Read on."""
        if size is None or size < 0:
            return b"".join(iter(lambda: self.read(STEP), b""))
        if not self._held:
            return self._stream.read(size)
        data, self._held = self._held[:size], self._held[size:]
        return data

    def until(self, border: re.Pattern[bytes]) -> bytes:
        """Read up to a border and past it; to the end where there is none; Refused where that is far."""
        searched = 0
        while True:
            found = border.search(self._held, searched)
            if found is not None:
                data, self._held = self._held[: found.start()], self._held[found.end() :]
                return data
            searched = max(0, len(self._held) - 4)
            more = self._stream.read(STEP)
            if not more:
                data, self._held = self._held, b""
                return data
            self._held += more
            if len(self._held) > MOST_HEAD + STEP:
                raise Refused(f"headers longer than {MOST_HEAD} bytes")

    def peek(self) -> bytes:
        """Give some of what comes next, without reading past it."""
        while len(self._held) < 64 and (more := self._stream.read(STEP)):
            self._held += more
        return self._held[:STEP]

    def blank(self) -> None:
        """Skip new lines."""
        while True:
            self._held = self._held.lstrip(b"\r\n")
            if self._held:
                return
            self._held = self._stream.read(STEP)
            if not self._held:
                return


class Body(Limited):
    """The next so many bytes of a stream; tells where they end early."""

    def read(self, size: int = -1) -> bytes:
        """Read on; raises EOFError where the record is cut off."""
        data = super().read(size)
        if not data and self.left and size:
            raise EOFError("the record is cut off")
        return data

    def skip(self) -> None:
        """Read past what is left of it, up to where it breaks off."""
        with suppress(EOFError):
            super().skip()


def records(head: bytes, stream: BinaryIO) -> Iterator[Record]:
    """Give the records of a WARC file; each is read before the next is asked for. ValueError where there is none."""
    lines = Lines(head, stream)
    number = 0
    while True:
        lines.blank()
        headers = lines.until(_END)
        if not headers:
            return
        number += 1
        fields = fields_of(headers)
        size = fields.get("content-length", "")
        if not headers.startswith(b"WARC/") or not size.isascii() or not size.isdigit() or len(size) > 15:
            raise ValueError(f"record {number} of the WARC file is damaged")
        body = Body(cast(BinaryIO, lines), int(size))
        kind = fields.get("warc-type", "record")
        yield Record(f"{kind} {number}", headers, cast(BinaryIO, body))
        body.skip()


def message(head: bytes, stream: BinaryIO) -> tuple[bytes, BinaryIO]:
    """Give the headers of a message of HTTP, and its body as it was before it was sent."""
    lines = Lines(head, stream)
    headers = lines.until(_END)
    fields = fields_of(headers)
    body = cast(BinaryIO, lines)
    if "chunked" in fields.get("transfer-encoding", "").lower():
        body = cast(BinaryIO, Chunked(lines))
    for coding in reversed(fields.get("content-encoding", "").lower().split(",")):
        unpack = CODINGS.get(coding.strip())
        if unpack is not None:
            body = _opened(coding.strip(), unpack, body)
    return headers, body


def _opened(coding: str, unpack: Unpack, body: BinaryIO) -> BinaryIO:
    """Open a compressed body; some archives keep it opened already and the header as it was."""
    start = body.read(STEP)
    again = cast(BinaryIO, Rewound(start, body))
    magic = MAGIC.get(coding)
    return again if magic is not None and not start.startswith(magic) else unpack(again)


def fields_of(headers: bytes) -> dict[str, str]:
    """Give the fields of headers by their names in lower case."""
    found: dict[str, str] = {}
    for line in headers.decode("utf-8", "replace").splitlines()[1:]:
        name, colon, value = line.partition(":")
        if colon:
            found[name.strip().lower()] = value.strip()
    return found


_SIZE = re.compile(rb"\r?\n")


class Chunked(io.RawIOBase):
    """A body that was sent in chunks, joined; one that was joined before it was kept is given as it is."""

    def __init__(self, lines: Lines) -> None:
        self._lines, self._left = lines, 0
        self._plain = self._done = self._begun = False

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Read on; raises EOFError where a chunk is cut off."""
        if size is None or size < 0:
            return b"".join(iter(lambda: self.read(STEP), b""))
        if not self._left and not self._done and not self._plain:
            self._next()
        if self._plain:
            return self._lines.read(size)
        if self._done:
            return b""
        data = self._lines.read(min(size, self._left))
        if not data:
            raise EOFError("a chunk is cut off")
        self._left -= len(data)
        return data

    def _next(self) -> None:
        if self._begun:
            self._lines.until(_SIZE)
        start = self._lines.peek()
        found = re.match(rb"([0-9A-Fa-f]{1,12})[ \t]*(?:;[^\r\n]*)?\r?\n", start)
        if found is None:
            self._plain, self._done = not self._begun, self._begun
            return
        self._begun = True
        self._lines.read(found.end())
        self._left = int(found[1], 16)
        self._done = not self._left
