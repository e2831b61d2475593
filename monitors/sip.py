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
AGAIN_SECONDS: Final = (0.5, 1.0, 2.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0)  # timer G of RFC 3261, over 32 seconds
STOP_SECONDS: Final = 5.0
TEXT_CHARS: Final = 500
RECEIVE_BYTES: Final = 1 << 21
Address = tuple[Any, ...]


class SipListener(asyncio.DatagramProtocol):
    """Answers INVITE and MESSAGE with 603 after the commit; a repeated Call-ID is one item."""

    def __init__(self, address: tuple[str, int], now: Callable[[], float]) -> None:
        self._address, self._now = address, now
        self._socket: socket.socket | None = None
        self._transport: asyncio.DatagramTransport | None = None
        self._desk: Desk | None = None
        self._answers: OrderedDict[str, bytes | None] = OrderedDict()  # by call; None while it is committed
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting: dict[str, asyncio.TimerHandle] = {}
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
        for timer in self._waiting.values():
            timer.cancel()
        self._waiting.clear()
        if self._transport is not None:
            self._transport.close()
        self._transport = self._socket = None

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """Take one packet; what is no request is passed over."""
        request = read_request(data)
        if request is None:
            return
        call = request.first("call-id")
        if request.method == "ACK":
            if (timer := self._waiting.pop(call, None)) is not None:
                timer.cancel()
        elif request.method in ("INVITE", "MESSAGE"):
            self._called(request, call, addr)
        elif request.method in ("OPTIONS", "CANCEL"):
            self._send(request, "200 OK", addr, (f"Allow: {ALLOW}",))
        elif request.method == "BYE":
            self._send(request, "481 Call/Transaction Does Not Exist", addr)
        else:
            status = "405 Method Not Allowed" if request.method in METHODS else "501 Not Implemented"
            self._send(request, status, addr, (f"Allow: {ALLOW}",))

    def error_received(self, exc: Exception) -> None:
        """Pass over what a dead client's host sends back."""

    def _called(self, request: Request, call: str, addr: Address) -> None:
        if call in self._answers:
            self._again(call, addr)
            return
        if not request.number:
            self._send(request, "484 Address Incomplete", addr)
            return
        if len(self._tasks) >= MOST_PENDING:
            self._send(request, "503 Service Unavailable", addr, ("Retry-After: 5",))
            return
        self._remember(call, None)
        if request.method == "INVITE":
            self._send(request, "100 Trying", addr)
        task = asyncio.get_running_loop().create_task(self._commit(request, call, addr))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _again(self, call: str, addr: Address) -> None:
        answer = self._answers[call]
        if answer is not None and self._transport is not None:
            self._transport.sendto(answer, addr)

    def _remember(self, call: str, answer: bytes | None) -> None:
        self._answers[call] = answer
        while len(self._answers) > MOST_CALLS:
            self._answers.popitem(last=False)

    async def _commit(self, request: Request, call: str, addr: Address) -> None:
        try:
            if self._desk is not None:
                await self._desk([self._item(request, call, addr)])
        except CanaryError:
            self._answers.pop(call, None)  # nothing is stored: a repeated packet tries again
            self._send(request, "503 Service Unavailable", addr, ("Retry-After: 5",))
            return
        answer = self._send(request, "603 Decline", addr)
        self._remember(call, answer)
        if request.method == "INVITE":
            self._repeat(call, answer, (addr[0], answer_port(request, addr[1])), 0)

    def _repeat(self, call: str, answer: bytes, place: tuple[str, int], turn: int) -> None:
        """Send a final answer again until the caller says that it came."""
        if turn >= len(AGAIN_SECONDS) or len(self._waiting) >= MOST_CALLS:
            self._waiting.pop(call, None)
            return
        if turn > 0 and self._transport is not None:
            self._transport.sendto(answer, place)
        loop = asyncio.get_running_loop()
        self._waiting[call] = loop.call_later(
            AGAIN_SECONDS[turn], self._repeat, call, answer, place, turn + 1
        )

    def _item(self, request: Request, call: str, addr: Address) -> Item:
        key = call if len(call) <= 200 else "sha256-" + hashlib.sha256(call.encode()).hexdigest()
        detail = {"from": request.caller[:TEXT_CHARS], "peer": str(addr[0])}
        agent = request.first("user-agent")[:TEXT_CHARS]
        kept = {name: text for name, text in {**detail, "agent": agent}.items() if text}
        event = "call" if request.method == "INVITE" else "sms"
        return Item(key, request.raw, int(self._now() * 1000), event, request.number, "message/sip", kept)

    def _send(self, request: Request, status: str, addr: Address, more: tuple[str, ...] = ()) -> bytes:
        tag = hashlib.blake2b(request.first("call-id").encode(), key=self._secret, digest_size=8).hexdigest()
        answer = answer_to(request, status, tag, (str(addr[0]), int(addr[1])), more)
        if self._transport is not None:
            self._transport.sendto(answer, (addr[0], answer_port(request, int(addr[1]))))
        return answer


def receiver(settings: Mapping[str, object], now: Callable[[], float] = time.time) -> Receiver:
    """Make the SIP listener from `listen` (UDP)."""
    read = Settings(settings)
    made = SipListener(read.listen(), now)
    read.done()
    return made
