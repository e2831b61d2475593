"""The bytes of an SMTP connection: command lines, the message up to its lone dot, and parsed addresses."""

from __future__ import annotations

import asyncio
import re
from typing import Final

from canary.errors import CanaryError

LINE_BYTES: Final = 4_096  # RFC 5321 asks for 512; SMTPUTF8 addresses and parameters need more
CHUNK: Final = 65_536
PATIENCE: Final = 10  # times the size limit that is read and thrown away before the line is cut
_PATH: Final = re.compile(r"(FROM|TO):\s*(?:<([^<>]{0,1000})>|([^<>\s]{1,1000}))(?:\s+(.*))?", re.IGNORECASE)


class Hangup(CanaryError):
    """The other side is gone, silent for too long, or sends without end."""


class Wire:
    """Reads lines and messages from a stream; what comes pipelined stays in its buffer."""

    def __init__(self, reader: asyncio.StreamReader, idle_seconds: float) -> None:
        self._reader, self._idle = reader, idle_seconds
        self._buffer = bytearray()

    def over(self, reader: asyncio.StreamReader) -> Wire:
        """Go on over another stream; what was sent ahead is forgotten."""
        return Wire(reader, self._idle)

    async def _fill(self) -> None:
        try:
            async with asyncio.timeout(self._idle):
                chunk = await self._reader.read(CHUNK)
        except (TimeoutError, OSError):
            raise Hangup("the connection is silent or broken") from None
        if not chunk:
            raise Hangup("the connection was closed")
        self._buffer += chunk

    async def line(self) -> bytes | None:
        """Read one command line without its end, None for one that is too long."""
        too_long = False
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > LINE_BYTES:
                too_long = True
                self._buffer.clear()
            await self._fill()
        line = bytes(self._buffer[:end]).rstrip(b"\r")
        del self._buffer[: end + 1]
        return None if too_long or len(line) > LINE_BYTES else line

    async def message(self, most: int) -> bytes | None:
        """Read a message up to CRLF.CRLF and take its dot-stuffing out; None for one above `most` bytes."""
        body = bytearray(b"\r\n")  # so that a dot on the very first line is one after a line end, too
        size, looked = 0, 0
        while True:
            body += self._buffer
            size += len(self._buffer)
            self._buffer.clear()
            end = body.find(b"\r\n.\r\n", looked)
            if end >= 0:
                self._buffer += body[end + 5 :]
                size -= len(body) - end - 5
                break
            if size > most * PATIENCE:
                raise Hangup("the message does not end")
            if size > most + 3:
                del body[:-4]
            looked = max(0, len(body) - 4)
            await self._fill()
        if size - 3 > most:
            return None
        return bytes(body[: end + 2]).replace(b"\r\n.", b"\r\n")[2:]


def parse_path(argument: bytes, keyword: str) -> tuple[str, str] | None:
    """Read `FROM:<address> parameters` or `TO:…`; None where it is malformed."""
    found = _PATH.fullmatch(argument.decode("utf-8", "replace").strip())
    if found is None or found[1].upper() != keyword:
        return None
    address = found[2] if found[2] is not None else found[3]
    if address.startswith("@"):  # a source route, obsolete and to be ignored (RFC 5321, appendix C)
        address = address.rpartition(":")[2]
    return address.strip(), (found[4] or "").upper()
