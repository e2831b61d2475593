"""The hook listener over real HTTP."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import http.client
import json
import socket
import threading
from collections.abc import Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from canary.errors import OutsideError
from canary.model.sight import Item
from canary.monitors import phone
from canary.monitors.phone import HookListener, receiver
from tests.watch_tools import NOW_MS, until

SECRET = "s3cret"
SETTINGS: dict[str, object] = {
    "listen": "127.0.0.1:0",
    "public_url": "https://hooks.example.org",
    "generic": {"secret": SECRET},
    "twilio": {"auth_token": "12345"},
}


@dataclass
class Room:
    """A hook listener on a loop of its own."""

    listener: HookListener
    loop: asyncio.AbstractEventLoop
    items: list[Item] = field(default_factory=list)
    broken: bool = False

    async def desk(self, items: list[Item]) -> list[bool]:
        if self.broken:
            raise OutsideError("the registry is down", "")
        self.items.extend(items)
        return [False] * len(items)

    async def known(self, number: str) -> bool:
        return False

    def call(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self.loop).result(15)

    def post(
        self, path: str, body: bytes, headers: Mapping[str, str] | None = None, method: str = "POST"
    ) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.listener.port, timeout=10)
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def generic(self, told: object, secret: str = SECRET, stamp: int = NOW_MS // 1000) -> tuple[int, bytes]:
        body = json.dumps(told).encode()
        mac = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        headers = {"X-Canary-Timestamp": str(stamp), "X-Canary-Signature": f"sha256={mac}"}
        return self.post("/hooks/generic", body, headers)


@pytest.fixture
def room() -> Iterator[Room]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    listener = receiver(SETTINGS, lambda: NOW_MS / 1000)
    assert isinstance(listener, HookListener)
    made = Room(listener, loop)
    made.call(listener.start(made.desk, made.known))
    yield made
    made.call(listener.stop())
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


TOLD = {"id": "1", "event": "sms", "to": "14000000001", "from": "139", "text": "你好"}


def test_a_signed_hook_is_taken(room: Room) -> None:
    assert room.generic(TOLD) == (200, b'{"taken": true}')
    [item] = room.items
    assert (item.key, item.event, item.contact) == ("1", "sms", "14000000001")
    assert json.loads(item.raw) == TOLD


def test_what_is_not_signed_is_forbidden_and_leaves_nothing(room: Room) -> None:
    assert room.generic(TOLD, secret="other")[0] == 403
    assert room.generic(TOLD, stamp=NOW_MS // 1000 - 301)[0] == 403
    assert room.post("/hooks/generic", b"{}")[0] == 403
    assert room.post("/hooks/twilio", b"To=1")[0] == 403
    assert (
        room.post("/hooks/twilio", b"To=1", {"X-Twilio-Signature": "签".encode().decode("latin-1")})[0] == 403
    )
    assert room.items == []


def test_other_paths_and_methods(room: Room) -> None:
    assert room.post("/hooks/plivo", b"")[0] == 404
    assert room.post("/", b"")[0] == 404
    assert room.post("/hooks/generic", b"", method="GET")[0] == 405
    assert room.generic({"event": "sms"})[0] == 400
    assert room.items == []


def test_too_big_a_body_is_refused(room: Room) -> None:
    assert room.post("/hooks/generic", b"x" * 1_000_001)[0] == 413


def test_too_slow_a_body_is_refused(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phone, "BODY_SECONDS", 0.2)
    with socket.create_connection(("127.0.0.1", room.listener.port), 10) as connection:
        connection.sendall(b"POST /hooks/generic HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nab")
        assert connection.recv(100).startswith(b"HTTP/1.1 413")


def test_a_failing_desk_means_later(room: Room) -> None:
    room.broken = True
    assert room.generic(TOLD)[0] == 503
    room.broken = False
    assert room.generic(TOLD)[0] == 200


def test_nonsense_does_not_end_it(room: Room) -> None:
    for said in (b"\x00" * 1000 + b"\r\n\r\n", b"POST /hooks/generic HTTP/9.9\r\n\r\n", b"A" * 200_000):
        with socket.create_connection(("127.0.0.1", room.listener.port), 10) as connection:
            connection.settimeout(10)
            try:
                connection.sendall(said)
                connection.recv(100)
            except OSError:
                pass
    assert room.generic(TOLD)[0] == 200


def test_twilio_calls_are_rejected_after_they_were_taken(room: Room) -> None:
    import base64

    body = b"CallSid=CA1&To=%2B8614000000001"
    signed = b"https://hooks.example.org/hooks/twilio?a=1" + b"CallSidCA1To+8614000000001"
    mac = base64.b64encode(hmac.new(b"12345", signed, hashlib.sha1).digest()).decode()
    headers = {"X-Twilio-Signature": mac, "Content-Type": "application/x-www-form-urlencoded"}
    status, answer = room.post("/hooks/twilio?a=1", body, headers)
    assert (status, b"<Reject/>" in answer) == (200, True)
    assert room.items[0].contact == "+8614000000001"


def test_a_taken_address_is_an_outside_error(room: Room) -> None:
    second = receiver({**SETTINGS, "listen": f"127.0.0.1:{room.listener.port}"})
    for other in (second, receiver({**SETTINGS, "listen": "no.such.host.invalid:1"})):
        with pytest.raises(OutsideError, match="cannot listen"):
            room.call(other.start(room.desk, room.known))
        room.call(other.stop())


def test_it_can_be_stopped_and_started_again(room: Room) -> None:
    room.call(room.listener.stop())
    assert room.listener.port == 0
    room.call(room.listener.start(room.desk, room.known))
    until(lambda: room.generic(TOLD)[0] == 200)
