"""A SIP listener that declines every call and notes who called which of our numbers."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import socket
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Final

from canary.errors import CanaryError
from canary.model.sight import Item
from canary.monitors.parts.binding import bind
from canary.monitors.parts.settings import Settings
from canary.monitors.parts.sip_message import ALLOW, METHODS, Request, answer_port, answer_to, read_request
from canary.ports import Desk, Known, Receiver

MOST_CALLS: Final = 10_000  # remembered, so that a repeated packet is the same call
MOST_PENDING: Final = 500  # being committed at once
STOP_SECONDS: Final = 5.0
TEXT_CHARS: Final = 500
RECEIVE_BYTES: Final = 1 << 21
DECLINE: Final = "603 Decline"
BUSY: Final = "503 Service Unavailable"
Address = tuple[Any, ...]


class SipListener(asyncio.DatagramProtocol):
    """Answers INVITE and MESSAGE with 603 after the commit; a repeated Call-ID is one item.

    Stateless as RFC 3261, 8.2.7, has it: one answer a packet and no answer unasked, so that nobody can make it
    shower a third party. A caller repeats its request until it is answered.
    """

    def __init__(self, address: tuple[str, int], now: Callable[[], float]) -> None:
        self._address, self._now = address, now
        self._socket: socket.socket | None = None
        self._transport: asyncio.DatagramTransport | None = None
        self._desk: Desk | None = None
        self._calls: OrderedDict[str, bool] = OrderedDict()  # whether each is committed
        self._tasks: set[asyncio.Task[None]] = set()
        self._secret = secrets.token_bytes(16)

    @property
    def port(self) -> int:
        """Give the port it listens on, 0 before it started."""
        return int(self._socket.getsockname()[1]) if self._socket else 0

    async def start(self, desk: Desk, known: Known) -> None:  # noqa: ARG002 - unknown numbers are no secret
        """Listen; raises OutsideError where the address is not to be had."""
        self._desk = desk
        self._socket = bind(self._address, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, sock=self._socket)

    async def stop(self) -> None:
        """Stop listening after what is being committed."""
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=STOP_SECONDS)
        for task in list(self._tasks):
            task.cancel()
        if self._transport is not None:
            self._transport.close()
        self._transport = self._socket = None

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """Take one packet; what is no request, or needs no answer, is passed over."""
        request = read_request(data)
        if request is None or request.method in ("ACK", "CANCEL"):
            return
        if request.method in ("INVITE", "MESSAGE"):
            self._called(request, request.first("call-id"), addr)
        elif request.method == "OPTIONS":
            self._send(request, "200 OK", addr, (f"Allow: {ALLOW}",))
        elif request.method == "BYE":
            self._send(request, "481 Call/Transaction Does Not Exist", addr)
        else:
            status = "405 Method Not Allowed" if request.method in METHODS else "501 Not Implemented"
            self._send(request, status, addr, (f"Allow: {ALLOW}",))

    def error_received(self, exc: Exception) -> None:
        """Pass over what a dead client's host sends back."""

    def _called(self, request: Request, call: str, addr: Address) -> None:
        if call in self._calls:
            if self._calls[call]:  # else the answer follows when it is committed
                self._send(request, DECLINE, addr)
        elif not request.number:
            self._send(request, "484 Address Incomplete", addr)
        elif len(self._tasks) >= MOST_PENDING:
            self._send(request, BUSY, addr, ("Retry-After: 5",))
        else:
            self._remember(call, False)
            task = asyncio.get_running_loop().create_task(self._commit(request, call, addr))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _remember(self, call: str, committed: bool) -> None:
        self._calls[call] = committed
        while len(self._calls) > MOST_CALLS:
            self._calls.popitem(last=False)

    async def _commit(self, request: Request, call: str, addr: Address) -> None:
        try:
            if self._desk is not None:
                await self._desk([self._item(request, call, addr)])
        except CanaryError:
            self._calls.pop(call, None)  # nothing is stored: a repeated packet tries again
            self._send(request, BUSY, addr, ("Retry-After: 5",))
            return
        self._remember(call, True)
        self._send(request, DECLINE, addr)

    def _item(self, request: Request, call: str, addr: Address) -> Item:
        key = call if len(call) <= 200 else "sha256-" + hashlib.sha256(call.encode()).hexdigest()
        detail = {"from": request.caller[:TEXT_CHARS], "peer": str(addr[0])}
        agent = request.first("user-agent")[:TEXT_CHARS]
        kept = {name: text for name, text in {**detail, "agent": agent}.items() if text}
        event = "call" if request.method == "INVITE" else "sms"
        return Item(key, request.raw, int(self._now() * 1000), event, request.number, "message/sip", kept)

    def _send(self, request: Request, status: str, addr: Address, more: tuple[str, ...] = ()) -> None:
        tag = hashlib.blake2b(request.first("call-id").encode(), key=self._secret, digest_size=8).hexdigest()
        answer = answer_to(request, status, tag, (str(addr[0]), int(addr[1])), more)
        if self._transport is not None:
            self._transport.sendto(answer, (addr[0], answer_port(request, int(addr[1]))))


def receiver(settings: Mapping[str, object], now: Callable[[], float] = time.time) -> Receiver:
    """Make the SIP listener from `listen` (UDP)."""
    read = Settings(settings)
    made = SipListener(read.listen(), now)
    read.done()
    return made
