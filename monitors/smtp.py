"""A mail listener for the alias domains: who writes to a canary, or only asks whether it exists, is seen."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import smtplib
import socket
import time
from collections.abc import Callable, Mapping
from email.parser import BytesHeaderParser
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final

from canary.errors import OutsideError
from canary.model.sight import Item
from canary.monitors.parts.binding import bind
from canary.monitors.parts.cursors import short_digest
from canary.monitors.parts.dkim import Lookup, ask_dns, is_signed, results
from canary.monitors.parts.settings import Settings
from canary.monitors.parts.smtp_session import Envelope, Host, Session
from canary.monitors.parts.smtp_wire import Wire
from canary.monitors.parts.streams import Certificate, accepted, close
from canary.ports import Desk, Known, Receiver

MAX_CONNECTIONS: Final = 500
BACKLOG: Final = 128
MOST_CHECKS: Final = 50  # of signatures at once
CHECK_SECONDS: Final = 4.0
LOG: Final = logging.getLogger("canary.watch")
IDLE_SECONDS: Final = 300.0  # RFC 5321, 4.5.3.2.7
STOP_SECONDS: Final = 5.0  # for messages that are being committed
HEADER_BYTES: Final = 65_536
DETAIL_CHARS: Final = 500
PLANT_SECONDS: Final = 10.0
TOLD: Final = {
    "message_id": "Message-ID",
    "subject": "Subject",
    "authentication_results": "Authentication-Results",
}


class MailListener:
    """Listens for SMTP; a message to n aliases is n items, each answered 250 only after the commit of all."""

    def __init__(
        self,
        address: tuple[str, int],
        max_size: int,
        hostname: str,
        now: Callable[[], float],
        certificate: Certificate | None = None,
        lookup: Lookup | None = None,
    ) -> None:
        self._address, self._max_size, self._hostname, self._now = address, max_size, hostname, now
        self._certificate, self._lookup = certificate, lookup
        self._checking = 0
        self._socket: socket.socket | None = None
        self._sessions: dict[asyncio.Task[None], Session | None] = {}
        self._numbers = count(1)
        self._desk: Desk | None = None
        self._known: Known | None = None

    @property
    def port(self) -> int:
        """Give the port it listens on, 0 before it started."""
        return int(self._socket.getsockname()[1]) if self._socket else 0

    async def start(self, desk: Desk, known: Known) -> None:
        """Listen; raises OutsideError where the address is not to be had, or the certificate cannot be used."""
        if self._certificate is not None:
            self._certificate.context()
        self._desk, self._known = desk, known
        self._socket = bind(self._address)
        self._socket.listen(BACKLOG)
        self._hear()

    def _hear(self) -> None:
        """Wait for connections; asyncio's own server (3.11) loses one that comes in while it closes."""
        if self._socket is not None:
            asyncio.get_running_loop().add_reader(self._socket, self._accept, self._socket)

    def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            connection, _ = listening.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError:  # out of file descriptors: some session will end
            loop.remove_reader(listening)
            loop.call_later(1.0, self._hear)
            return
        connection.setblocking(False)
        task = loop.create_task(self._serve(connection))
        self._sessions[task] = None
        task.add_done_callback(partial(self._ended, connection))

    def _ended(self, connection: socket.socket, task: asyncio.Task[None]) -> None:
        self._sessions.pop(task, None)
        connection.close()
        if not task.cancelled() and task.exception() is not None:
            LOG.error("a mail session stumbled: %s", type(task.exception()).__name__)

    async def stop(self) -> None:
        """Stop listening; what is being committed is let finish, the rest is told to come again."""
        if self._socket is None:
            return
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
        self._socket = None
        for task, session in list(self._sessions.items()):
            if session is None or not session.busy:
                task.cancel()
        if self._sessions:
            await asyncio.wait(list(self._sessions), timeout=STOP_SECONDS)
        for task in list(self._sessions):
            task.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)

    async def _serve(self, connection: socket.socket) -> None:
        reader, writer = await accepted(connection)
        task = asyncio.current_task()
        session: Session | None = None
        try:
            if len(self._sessions) > MAX_CONNECTIONS or task is None or self._known is None:
                writer.write(b"421 4.7.0 too many connections\r\n")
                return
            host = Host(
                self._hostname, self._max_size, self._known, self._mail, self._probe, self._certificate
            )
            session = self._sessions[task] = Session(host, Wire(reader, IDLE_SECONDS), writer)
            await session.run()
        except OSError:
            pass  # the client went: nothing was accepted that is not committed
        finally:
            await close(session.writer if session is not None else writer)

    async def _mail(self, session: Session, envelope: Envelope, message: bytes) -> None:
        detail = {
            "mail_from": envelope.sender,
            "helo": session.helo,
            "peer": session.peer,
            **({"tls": session.tls} if session.tls else {}),
            **_headers(message),
            **await self._signatures(message),
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

    async def _signatures(self, message: bytes) -> dict[str, str]:
        """Say what the signatures of a mail are worth, in time: who sends is not kept waiting for a slow resolver."""
        if self._lookup is None:
            return {}
        if not is_signed(message):
            return {"dkim": "none"}
        if self._checking >= MOST_CHECKS:
            return {"dkim": "unchecked (busy)"}
        self._checking += 1
        task = asyncio.create_task(asyncio.to_thread(_checked, message, self._lookup, self._now()))
        task.add_done_callback(self._free)
        done, _ = await asyncio.wait([task], timeout=CHECK_SECONDS)
        return {"dkim": task.result()[:DETAIL_CHARS] if done else "unchecked (slow)"}

    def _free(self, _task: asyncio.Task[str]) -> None:
        self._checking -= 1

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


def _checked(message: bytes, lookup: Lookup, now_s: float) -> str:
    """Check signatures; a mail is taken whatever they hold."""
    try:
        return results(message, lookup, now_s)
    except Exception as error:
        LOG.error("a signature could not be checked: %s", type(error).__name__)
        return "unchecked (stumbled)"


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


def receiver(
    settings: Mapping[str, object], now: Callable[[], float] = time.time, lookup: Lookup = ask_dns
) -> Receiver:
    """Make the mail listener from `listen`, `max_size`, `hostname`, `dkim` (default true: signatures are checked).

    It offers STARTTLS where it has `certificate` and `certificate_key`.
    """
    read = Settings(settings)
    certificate, key = read.text("certificate", ""), read.text("certificate_key", "")
    made = MailListener(
        read.listen(),
        read.whole("max_size", 20_000_000, 1_000),
        read.text("hostname", "localhost"),
        now,
        Certificate(Path(certificate), Path(key)) if certificate or key else None,
        lookup if read.flag("dkim", True) else None,
    )
    read.done()
    return made


def planter(settings: Mapping[str, object]) -> Callable[[str], None]:
    """Make what plants a self-test: a mail to the listener itself."""
    host, port = Settings(settings).listen()

    def plant(word: str) -> None:
        to = f"{word}@selftest.invalid"
        message = f"Message-ID: <{to}>\r\nTo: {to}\r\nSubject: self-test\r\n\r\n{word}\r\n"
        try:
            with smtplib.SMTP(_reachable(host), port, timeout=PLANT_SECONDS) as client:
                client.sendmail("selftest@selftest.invalid", [to], message)
        except (OSError, smtplib.SMTPException) as error:
            raise OutsideError(
                f"no mail can be sent to {host}:{port}: {type(error).__name__}", "see whether it listens"
            ) from None

    return plant


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - compared with
