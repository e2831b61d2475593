"""The SIP listener, called by sipp and by packets as they are."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from canary.errors import OutsideError
from canary.monitors import sip
from canary.monitors.sip import SipListener, receiver
from tests.rooms import Room, room_of
from tests.watch_tools import NOW_MS, until

SCENARIO = Path(__file__).with_name("decline.xml")


@pytest.fixture
def room() -> Iterator[Room]:
    with room_of(receiver({"listen": "127.0.0.1:0"}, lambda: NOW_MS / 1000)) as made:
        yield made


def port_of(room: Room) -> int:
    assert isinstance(room.receiver, SipListener)
    return room.receiver.port


def request(
    method: str, call: str, number: str = "14000000001", via: str = ";rport", body: str = ""
) -> bytes:
    target = f"sip:{number}@127.0.0.1" if number else "sip:127.0.0.1"
    return (
        f"{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9{via};branch=z9hG4bK{call}\r\n"
        f'From: "loan" <sip:+8613900000000@x.example>;tag=1\r\nTo: <{target}>\r\n'
        f"Call-ID: {call}\r\nCSeq: 1 {method}\r\nUser-Agent: friendly-scanner\r\n\r\n{body}"
    ).encode()


def ask(room: Room, packet: bytes, answers: int = 1) -> list[str]:
    """Send a packet and give the answers, and that there are no more."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.sendto(packet, ("127.0.0.1", port_of(room)))
        got = [client.recv(65_535).decode() for _ in range(answers)]
        client.settimeout(0.05)
        with pytest.raises(TimeoutError):
            client.recv(65_535)
        return got


@pytest.mark.sipp
def test_sipp_is_declined_once_each_call_was_noted(room: Room, tmp_path: Path) -> None:
    numbers = tmp_path / "numbers.csv"
    numbers.write_text("SEQUENTIAL\n" + "".join(f"1400000{n:04d};139{n:08d};\n" for n in range(100)))
    done = subprocess.run(
        ["sipp", f"127.0.0.1:{port_of(room)}", "-sf", str(SCENARIO), "-inf", str(numbers), "-i", "127.0.0.1",
         "-m", "100", "-r", "400", "-timeout", "30", "-timeout_error", "-nostdin"],
        cwd=tmp_path, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    assert sorted(item.contact or "" for item in room.items) == [f"1400000{n:04d}" for n in range(100)]
    one = next(item for item in room.items if item.contact == "14000000007")
    assert (one.event, one.media, one.time_ms) == ("call", "message/sip", NOW_MS)
    assert one.detail == {"from": "13900000007", "peer": "127.0.0.1"}
    assert one.raw.startswith(b"INVITE sip:14000000007@")


def test_a_repeated_call_id_is_one_call_and_is_answered_again(room: Room) -> None:
    for _ in range(3):
        [answer] = ask(room, request("INVITE", "call-1"))
        assert answer.startswith("SIP/2.0 603 Decline\r\n")
        assert "branch=z9hG4bKcall-1;received=127.0.0.1" in answer
    assert ask(room, request("ACK", "call-1"), 0) == []
    [item] = room.items
    assert (item.key, item.contact, item.event) == ("call-1", "14000000001", "call")
    assert item.detail == {"from": "+8613900000000", "peer": "127.0.0.1", "agent": "friendly-scanner"}


def test_what_is_not_committed_is_not_declined(room: Room) -> None:
    room.broken = True
    [answer] = ask(room, request("INVITE", "call-1"))
    assert answer.startswith("SIP/2.0 503 ")
    room.broken = False
    [answer] = ask(room, request("INVITE", "call-1"))
    assert answer.startswith("SIP/2.0 603 ")
    assert len(room.items) == 1


def test_a_call_repeated_while_it_is_committed_gets_one_answer(room: Room) -> None:
    room.slow = 0.2
    assert len(ask(room, request("INVITE", "call-1") + b"", 1)) == 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        for _ in range(3):
            client.sendto(request("INVITE", "call-2"), ("127.0.0.1", port_of(room)))
        assert client.recv(65_535).startswith(b"SIP/2.0 603")
        client.settimeout(0.1)
        with pytest.raises(TimeoutError):
            client.recv(65_535)
    assert [item.key for item in room.items] == ["call-1", "call-2"]


def test_too_many_calls_at_once_are_told_to_come_again(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sip, "MOST_PENDING", 0)
    [answer] = ask(room, request("INVITE", "call-1"))
    assert answer.startswith("SIP/2.0 503 ")
    assert "Retry-After: 5" in answer
    assert room.items == []


def test_only_so_many_calls_are_remembered(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sip, "MOST_CALLS", 2)
    for call in ("a", "b", "c", "a"):
        ask(room, request("INVITE", call))
    assert [item.key for item in room.items] == [
        "a",
        "b",
        "c",
        "a",
    ]  # the registry knows the last by its bytes


def test_a_message_is_a_text(room: Room) -> None:
    [answer] = ask(room, request("MESSAGE", "m-1", body="您好，贷款"))
    assert answer.startswith("SIP/2.0 603 ")
    [item] = room.items
    assert (item.event, item.contact) == ("sms", "14000000001")
    assert "您好，贷款".encode() in item.raw


@pytest.mark.parametrize(
    ("method", "status"),
    [("OPTIONS", "200"), ("BYE", "481"), ("REGISTER", "405"), ("PUBLISH", "501"), ("SUBSCRIBE", "501")],
)
def test_other_requests_are_answered_and_leave_nothing(room: Room, method: str, status: str) -> None:
    [answer] = ask(room, request(method, "c"))
    assert answer.startswith(f"SIP/2.0 {status} ")
    assert room.items == []


def test_a_call_to_nobody_is_incomplete(room: Room) -> None:
    [answer] = ask(room, request("INVITE", "c", number=""))
    assert answer.startswith("SIP/2.0 484 ")
    assert room.items == []


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"\r\n\r\n",  # what keeps a NAT open
        b"\xff" * 60_000,
        b"SIP/2.0 200 OK\r\n\r\n",
        request("CANCEL", "c"),
        request("INVITE", "c").replace(b"Call-ID: c\r\n", b""),
        request("INVITE", "c").replace(b"CSeq", b"X: 1\nCSeq"),
        request("INVITE", "c").replace(b"CSeq", b"no colon\r\nCSeq"),
        request("INVITE", "c").replace(b"CSeq", b"X: 1\r\n" * 101 + b"CSeq"),
        b"invite sip:1@x SIP/2.0\r\n\r\n",
    ],
)
def test_nonsense_gets_no_answer(room: Room, packet: bytes) -> None:
    assert ask(room, packet, 0) == []
    assert len(ask(room, request("INVITE", "good"))) == 1
    assert [item.key for item in room.items] == ["good"]


def test_an_answer_goes_where_the_request_says(room: Room) -> None:
    """Without rport (RFC 3581) that is the port its Via names."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waiting:
        waiting.bind(("127.0.0.1", 0))
        waiting.settimeout(5)
        packet = request("INVITE", "c", via="").replace(b":9;", f":{waiting.getsockname()[1]};".encode())
        assert ask(room, packet, 0) == []
        assert waiting.recv(65_535).startswith(b"SIP/2.0 603")


def test_it_stops_after_what_is_being_committed_and_starts_again(room: Room) -> None:
    room.slow = 0.1
    assert isinstance(room.receiver, SipListener)
    tasks = room.receiver._tasks
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.sendto(request("INVITE", "c"), ("127.0.0.1", port_of(room)))
        until(lambda: bool(tasks))
        room.call(room.receiver.stop())
        assert client.recv(65_535).startswith(b"SIP/2.0 603")
    assert len(room.items) == 1
    assert port_of(room) == 0
    room.call(room.receiver.start(room.desk, room.known))
    assert len(ask(room, request("INVITE", "d"))) == 1


def test_a_taken_address_is_an_outside_error(room: Room) -> None:
    other = receiver({"listen": f"127.0.0.1:{port_of(room)}"})
    with pytest.raises(OutsideError, match="cannot listen"):
        room.call(other.start(room.desk, room.known))
