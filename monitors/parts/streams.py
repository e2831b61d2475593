"""Streams over accepted connections, and their way into TLS; nothing that came before it is believed after it."""

from __future__ import annotations

import asyncio
import socket
import ssl
from pathlib import Path
from typing import Final

from canary.errors import OutsideError

HANDSHAKE_SECONDS: Final = 10.0
CLOSE_SECONDS: Final = 1.0
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def accepted(connection: socket.socket) -> Streams:
    """Make the streams of a connection that was accepted."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(loop=loop)
    protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
    transport, _ = await loop.connect_accepted_socket(lambda: protocol, connection)
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


async def secured(writer: asyncio.StreamWriter, context: ssl.SSLContext) -> Streams:
    """Do the handshake on a connection; gives new streams, so that what was sent early is lost. Raises OSError."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(loop=loop)
    protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
    transport = await loop.start_tls(
        writer.transport, protocol, context, server_side=True, ssl_handshake_timeout=HANDSHAKE_SECONDS
    )
    if transport is None:
        raise ConnectionAbortedError("the connection was lost in the handshake")
    protocol.connection_made(transport)
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


async def close(writer: asyncio.StreamWriter) -> None:
    """Close a stream, by force where the other side does not help."""
    writer.close()
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await writer.wait_closed()
    except (OSError, TimeoutError, asyncio.CancelledError):
        writer.transport.abort()


class Certificate:
    """A certificate with its key in files, read again when the first of them changes."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self._files = certificate, key
        self._read_ns = -1
        self._context: ssl.SSLContext | None = None

    def context(self) -> ssl.SSLContext:
        """Give the context of a server; OutsideError where none can be made, later the old one is kept."""
        try:
            now = self._files[0].stat().st_mtime_ns
            if self._context is None or now != self._read_ns:
                made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
                made.load_cert_chain(*self._files)
                self._context, self._read_ns = made, now
        except OSError as error:  # SSLError is one
            if self._context is None:
                said = error.strerror or type(error).__name__
                raise OutsideError(
                    f"the certificate cannot be used: {said}",
                    "give `certificate` and `certificate_key`, two PEM files",
                ) from None
        return self._context
