"""One SMTP connection: envelope by envelope, each knowing nothing of the one before."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from canary.errors import CanaryError
from canary.monitors.parts.smtp_wire import Hangup, Wire, parse_path
from canary.monitors.parts.streams import Certificate, secured

MAX_RECIPIENTS: Final = 1_000
MAX_UNKNOWN: Final = 100  # refused recipients on one connection, against harvesting
MAX_BAD: Final = 20  # commands that make no sense


@dataclass(slots=True)
class Envelope:
    """One mail transaction; `begun` once its message was announced."""

    sender: str
    aliases: dict[str, None] = field(default_factory=dict)
    begun: bool = False


@dataclass(frozen=True, slots=True)
class Host:
    """What a session is given: name, limit, the look-up, and where mails and probes go."""

    hostname: str
    max_size: int
    known: Callable[[str], Awaitable[bool]]
    mail: Callable[[Session, Envelope, bytes], Awaitable[None]]
    probe: Callable[[Session, Envelope], Awaitable[None]]
    certificate: Certificate | None = None


class Session:
    """Talks to one client until it quits, goes, or misbehaves too often."""

    def __init__(self, host: Host, wire: Wire, writer: asyncio.StreamWriter) -> None:
        self._host, self._wire, self.writer = host, wire, writer
        self._envelope: Envelope | None = None
        self._unknown = self._bad = 0
        self._ended = False
        self.helo = ""
        self.peer = str((writer.get_extra_info("peername") or ("",))[0])
        self.busy = False
        self.tls = ""  # the version that was agreed on, "" without

    async def run(self) -> None:
        """Answer commands until the end; a transaction that was given up after RCPT is a probe."""
        await self._say(f"220 {self._host.hostname} ESMTP")
        try:
            while not self._ended:
                line = await self._wire.line()
                await self._command(line)
        except (Hangup, OSError):
            pass
        finally:
            await self._give_up()

    async def _say(self, *lines: str) -> None:
        self.writer.write("".join(f"{line}\r\n" for line in lines).encode("utf-8", "replace"))
        await self.writer.drain()

    async def _command(self, line: bytes | None) -> None:
        if line is None:
            return await self._refuse("500 5.5.2 line too long")
        verb, _, argument = line.strip().partition(b" ")
        name = verb.upper().decode("ascii", "replace")
        answer = _COMMANDS.get(name)
        if answer is None:
            return await self._refuse("500 5.5.1 command unknown")
        await answer(self, argument.strip())
        return None

    async def _refuse(self, reply: str) -> None:
        self._bad += 1
        if self._bad > MAX_BAD:
            self._ended = True
            reply = "421 4.7.0 too many errors"
        await self._say(reply)

    async def _give_up(self) -> None:
        """End the envelope; where it reached an alias and never began its message, that was a probe."""
        envelope, self._envelope = self._envelope, None
        if envelope is None or envelope.begun or not envelope.aliases:
            return
        self.busy = True
        try:
            await self._host.probe(self, envelope)
        except CanaryError:
            pass  # the desk has said why; the client cannot help it
        finally:
            self.busy = False

    async def _helo(self, argument: bytes) -> None:
        await self._give_up()
        self.helo = argument.decode("utf-8", "replace")[:255]
        await self._say(f"250 {self._host.hostname}")

    async def _ehlo(self, argument: bytes) -> None:
        await self._give_up()
        self.helo = argument.decode("utf-8", "replace")[:255]
        can = [f"SIZE {self._host.max_size}", "8BITMIME", "PIPELINING", "ENHANCEDSTATUSCODES"]
        if self._host.certificate is not None and not self.tls:
            can.append("STARTTLS")
        await self._say(*(f"250-{one}" for one in (self._host.hostname, *can)), "250 SMTPUTF8")

    async def _starttls(self, argument: bytes) -> None:
        if self._host.certificate is None or self.tls:
            return await self._refuse("502 5.5.1 not now")
        if argument:
            return await self._refuse("501 5.5.4 syntax: STARTTLS")
        await self._give_up()
        self.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await self._say("220 2.0.0 ready")
        reader, self.writer = await secured(self.writer, self._host.certificate.context())
        self._wire, self.helo = self._wire.over(reader), ""
        self.tls = str(self.writer.get_extra_info("ssl_object").version() or "TLS")
        return None

    async def _mail(self, argument: bytes) -> None:
        path = parse_path(argument, "FROM")
        if self._envelope is not None:
            return await self._refuse("503 5.5.1 a transaction is open already")
        if path is None:
            return await self._refuse("501 5.5.4 syntax: MAIL FROM:<address>")
        if _size(path[1]) > self._host.max_size:
            return await self._say("552 5.3.4 message too big")
        self._envelope = Envelope(path[0])
        await self._say("250 2.1.0 ok")
        return None

    async def _rcpt(self, argument: bytes) -> None:
        path = parse_path(argument, "TO")
        if self._envelope is None:
            return await self._refuse("503 5.5.1 MAIL comes first")
        if path is None or not path[0]:
            return await self._refuse("501 5.5.4 syntax: RCPT TO:<address>")
        if len(self._envelope.aliases) >= MAX_RECIPIENTS:
            return await self._say("452 4.5.3 too many recipients")
        alias = path[0].lower()
        try:
            ours = await self._host.known(alias)
        except CanaryError:
            return await self._say("451 4.3.0 try again later")
        if ours:
            self._envelope.aliases[alias] = None
            return await self._say("250 2.1.5 ok")
        self._unknown += 1
        if self._unknown > MAX_UNKNOWN:
            self._ended = True
            return await self._say("421 4.7.0 too many unknown recipients")
        return await self._say("550 5.1.1 no such user")

    async def _data(self, argument: bytes) -> None:
        envelope = self._envelope
        if argument:
            return await self._refuse("501 5.5.4 syntax: DATA")
        if envelope is None or not envelope.aliases:
            return await self._refuse("503 5.5.1 RCPT comes first")
        envelope.begun = True
        await self._say("354 end with a lone dot")
        message = await self._wire.message(self._host.max_size)
        self._envelope = None
        if message is None:
            return await self._say("552 5.3.4 message too big")
        self.busy = True
        try:
            await self._host.mail(self, envelope, message)
        except CanaryError:
            return await self._say("451 4.3.0 try again later")
        finally:
            self.busy = False
        return await self._say("250 2.0.0 ok")

    async def _rset(self, _argument: bytes) -> None:
        await self._give_up()
        await self._say("250 2.0.0 ok")

    async def _quit(self, _argument: bytes) -> None:
        await self._give_up()
        self._ended = True
        await self._say("221 2.0.0 bye")

    async def _noop(self, _argument: bytes) -> None:
        await self._say("250 2.0.0 ok")

    async def _vrfy(self, _argument: bytes) -> None:
        await self._say("252 2.1.5 send some mail and see")


def _size(parameters: str) -> int:
    """Read SIZE=n of the MAIL parameters, 0 where it is not said."""
    for one in parameters.split():
        name, _, value = one.partition("=")
        if name == "SIZE" and value.isascii() and value.isdigit():
            return int(value[:18])
    return 0


_COMMANDS: Final[dict[str, Callable[[Session, bytes], Awaitable[None]]]] = {
    "HELO": Session._helo,
    "EHLO": Session._ehlo,
    "MAIL": Session._mail,
    "RCPT": Session._rcpt,
    "DATA": Session._data,
    "RSET": Session._rset,
    "QUIT": Session._quit,
    "STARTTLS": Session._starttls,
    "NOOP": Session._noop,
    "VRFY": Session._vrfy,
}
