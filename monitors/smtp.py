"""A mail listener for the alias domains: who writes to a canary, or only asks whether it exists, is seen."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Mapping
from email.parser import BytesHeaderParser
from itertools import count
from typing import Final

from canary.errors import OutsideError
from canary.model.sight import Item
from canary.monitors.parts.cursors import short_digest
from canary.monitors.parts.settings import Settings
from canary.monitors.parts.smtp_session import Envelope, Host, Session
from canary.monitors.parts.smtp_wire import Wire
from canary.ports import Desk, Known, Receiver

MAX_CONNECTIONS: Final = 500
IDLE_SECONDS: Final = 300.0  # RFC 5321, 4.5.3.2.7
STOP_SECONDS: Final = 5.0  # for messages that are being committed
HEADER_BYTES: Final = 65_536
DETAIL_CHARS: Final = 500
TOLD: Final = {
    "message_id": "Message-ID",
    "subject": "Subject",
    "authentication_results": "Authentication-Results",
}


class MailListener:
    """Listens for SMTP; a message to n aliases is n items, each answered 250 only after the commit of all."""

    def __init__(
        self, address: tuple[str, int], max_size: int, hostname: str, now: Callable[[], float]
    ) -> None:
        self._address, self._max_size, self._hostname, self._now = address, max_size, hostname, now
        self._server: asyncio.Server | None = None
        self._sessions: dict[asyncio.Task[None], Session] = {}
        self._numbers = count(1)
        self._desk: Desk | None = None
        self._known: Known | None = None

    @property
    def port(self) -> int:
        """Give the port it listens on, 0 before it started."""
        return int(self._server.sockets[0].getsockname()[1]) if self._server and self._server.sockets else 0

    async def start(self, desk: Desk, known: Known) -> None:
        """Listen; raises OutsideError where the address is not to be had."""
        self._desk, self._known = desk, known
        try:
            self._server = await asyncio.start_server(self._serve, *self._address)
        except OSError as error:
            raise OutsideError(
                f"cannot listen on {self._address[0]}:{self._address[1]}: {error.strerror or error}",
                "choose another `listen`, or end what holds it",
            ) from None

    async def stop(self) -> None:
        """Stop listening; what is being committed is let finish, the rest is told to come again."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        for task, session in list(self._sessions.items()):
            if not session.busy:
                task.cancel()
        if self._sessions:
            await asyncio.wait(list(self._sessions), timeout=STOP_SECONDS)
        for task in list(self._sessions):
            task.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)
        await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or self._known is None or self._server is None:
            writer.close()
            return
        try:
            if len(self._sessions) >= MAX_CONNECTIONS:
                writer.write(b"421 4.7.0 too many connections\r\n")
                return
            host = Host(self._hostname, self._max_size, self._known, self._mail, self._probe)
            session = Session(host, Wire(reader, IDLE_SECONDS), writer)
            self._sessions[task] = session
            await session.run()
        except (OSError, asyncio.CancelledError):
            pass  # the client went, or we are stopping: nothing was accepted that is not committed
        finally:
            await _close(writer)
            self._sessions.pop(task, None)

    async def _mail(self, session: Session, envelope: Envelope, message: bytes) -> None:
        detail = {
            "mail_from": envelope.sender,
            "helo": session.helo,
            "peer": session.peer,
            **_headers(message),
        }
        name = detail["message_id"] or f"sha256-{hashlib.sha256(message).hexdigest()[:32]}"
        await self._deliver(
            [
                Item(
                    f"{name}#{_short(alias)}",
                    message,
                    self._now_ms(),
                    "mail",
                    alias,
                    "message/rfc822",
                    detail,
                )
                for alias in envelope.aliases
            ]
        )

    async def _probe(self, session: Session, envelope: Envelope) -> None:
        detail = {"mail_from": envelope.sender, "helo": session.helo, "peer": session.peer, "message_id": ""}
        now = self._now_ms()
        items = []
        for alias in envelope.aliases:
            said = f"EHLO {session.helo}\r\nMAIL FROM:<{envelope.sender}>\r\nRCPT TO:<{alias}>\r\n"
            raw = said.encode("utf-8", "replace")
            key = f"probe-{now}-{next(self._numbers)}-{_short(alias + session.peer)}"
            items.append(Item(key, raw, now, "probe", alias, "text/plain", detail))
        await self._deliver(items)

    async def _deliver(self, items: list[Item]) -> None:
        if self._desk is not None:
            await self._desk(items)

    def _now_ms(self) -> int:
        return int(self._now() * 1000)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    try:
        async with asyncio.timeout(1):
            await writer.wait_closed()
    except (OSError, TimeoutError, asyncio.CancelledError):
        writer.transport.abort()


def _headers(message: bytes) -> dict[str, str]:
    """Read the headers worth telling; a hostile header reads as empty."""
    top = message[:HEADER_BYTES].partition(b"\r\n\r\n")[0]
    try:
        parsed = BytesHeaderParser().parsebytes(top + b"\r\n\r\n")
        return {name: str(parsed.get(header, "")).strip()[:DETAIL_CHARS] for name, header in TOLD.items()}
    except Exception:  # the email package raises whatever it stumbles over
        return dict.fromkeys(TOLD, "")


def _short(text: str) -> str:
    return short_digest(text.encode("utf-8", "surrogatepass"))


def receiver(settings: Mapping[str, object], now: Callable[[], float] = time.time) -> Receiver:
    """Make the mail listener from `listen`, `max_size` (bytes) and `hostname`."""
    read = Settings(settings)
    address = read.listen()
    made = MailListener(
        address, read.whole("max_size", 20_000_000, 1_000), read.text("hostname", "localhost"), now
    )
    read.done()
    return made
