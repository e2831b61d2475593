"""The mail listener, talked to by real clients and by raw bytes."""

from __future__ import annotations

import asyncio
import hashlib
import os
import smtplib
import socket
import ssl
import subprocess
import threading
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from canary.errors import OutsideError
from canary.model.sight import Item
from canary.monitors import smtp
from canary.monitors.parts import smtp_session, smtp_wire
from canary.monitors.parts.streams import Certificate
from canary.monitors.smtp import MailListener, receiver
from tests.rooms import room_of
from tests.servers import make_certificate
from tests.signed import EXAMPLE, RECORD
from tests.watch_tools import NOW_MS, alias, until

KNOWN = {alias(n) for n in range(200)}


@dataclass
class Room:
    """A mail listener on a loop of its own, with a desk that notes what is handed in."""

    listener: MailListener
    loop: asyncio.AbstractEventLoop
    handed: list[list[Item]] = field(default_factory=list)
    broken: bool = False
    slow: float = 0.0

    @property
    def port(self) -> int:
        return self.listener.port

    @property
    def items(self) -> list[Item]:
        return [item for handed in self.handed for item in handed]

    async def desk(self, items: list[Item]) -> list[bool]:
        await asyncio.sleep(self.slow)
        if self.broken:
            raise OutsideError("the registry is down", "")
        self.handed.append(items)
        return [True] * len(items)

    async def known(self, address: str) -> bool:
        if self.broken:
            raise OutsideError("the registry is down", "")
        return address in KNOWN

    def call(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self.loop).result(15)

    def client(self) -> smtplib.SMTP:
        return smtplib.SMTP("127.0.0.1", self.port, timeout=10)

    def raw(self, sent: bytes, half_close: bool = True) -> bytes:
        """Send bytes as they are and give all that comes back."""
        with socket.create_connection(("127.0.0.1", self.port), 10) as connection:
            connection.sendall(sent)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
            answer = b""
            while part := connection.recv(65536):
                answer += part
        return answer


@pytest.fixture
def room() -> Iterator[Room]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    made = Room(MailListener(("127.0.0.1", 0), 20_000, "mx.example.com", lambda: NOW_MS / 1000), loop)
    made.call(made.listener.start(made.desk, made.known))
    yield made
    made.call(made.listener.stop())
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def message(text: str = "hello", name: str = "<1@x>") -> bytes:
    return f"From: a@b.example\r\nMessage-ID: {name}\r\nSubject: s\r\n\r\n{text}\r\n".encode()


def test_one_message_to_many_aliases(room: Room) -> None:
    aliases = sorted(KNOWN)[:100]
    with room.client() as client:
        client.sendmail("a@b.example", aliases, message())
    [handed] = room.handed
    assert [item.contact for item in handed] == aliases
    assert {item.raw for item in handed} == {message()}
    assert len({item.key for item in handed}) == 100
    one = handed[0]
    assert (one.event, one.media, one.time_ms) == ("mail", "message/rfc822", NOW_MS)
    assert one.detail["message_id"] == "<1@x>"
    assert (one.detail["mail_from"], one.detail["subject"], one.detail["peer"]) == (
        "a@b.example",
        "s",
        "127.0.0.1",
    )


@pytest.mark.swaks
def test_swaks_reaches_a_hundred_aliases(room: Room) -> None:
    aliases = sorted(KNOWN)[:100]
    command = ["swaks", "--server", "127.0.0.1", "--port", str(room.port), "--to", ",".join(aliases)]
    done = subprocess.run(
        [*command, "--from", "a@b.example", "--body", "x"], capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout
    assert {item.contact for item in room.items} == set(aliases)
    assert len(room.items) == 100


def test_messages_of_one_connection_stay_apart(room: Room) -> None:
    with room.client() as client:
        for n in range(20):
            client.sendmail(f"s{n}@b.example", [alias(n)], message(f"text {n}", f"<{n}@x>"))
    assert [(item.contact, item.detail["message_id"], item.detail["mail_from"]) for item in room.items] == [
        (alias(n), f"<{n}@x>", f"s{n}@b.example") for n in range(20)
    ]
    assert [item.raw for item in room.items] == [message(f"text {n}", f"<{n}@x>") for n in range(20)]


def test_an_unknown_alias_is_refused(room: Room) -> None:
    with room.client() as client:
        client.ehlo("c")
        client.mail("a@b.example")
        assert client.rcpt("nobody@alias.example.com")[0] == 550
        assert client.docmd("DATA")[0] == 503
        assert client.rcpt(alias(1).upper())[0] == 250
        assert client.data(message())[0] == 250
    assert [item.contact for item in room.items] == [alias(1)]
    with pytest.raises(smtplib.SMTPRecipientsRefused), room.client() as client:
        client.sendmail("a@b.example", ["x@y.example"], message())
    assert len(room.items) == 1


@pytest.mark.parametrize("end", ["RSET", "QUIT", "EHLO again", "HELO again", None])
def test_asking_alone_is_a_probe(end: str | None, room: Room) -> None:
    client = room.client()
    client.ehlo("prober")
    client.mail("a@b.example")
    client.rcpt(alias(1))
    client.rcpt(alias(2))
    client.rcpt(alias(1))
    if end is not None:
        client.docmd(end)
    client.close()
    until(lambda: len(room.items) == 2)
    assert [(item.event, item.contact) for item in room.items] == [("probe", alias(1)), ("probe", alias(2))]
    assert len({item.key for item in room.items}) == 2
    assert room.items[0].raw == f"EHLO prober\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<{alias(1)}>\r\n".encode()


def test_two_probes_of_one_connection_are_two(room: Room) -> None:
    with room.client() as client:
        client.ehlo("c")
        for _ in range(2):
            client.mail("a@b.example")
            client.rcpt(alias(1))
            client.rset()
    assert len({item.key for item in room.items}) == len(room.items) == 2


def test_a_probe_before_a_message_is_not_mixed_with_it(room: Room) -> None:
    with room.client() as client:
        client.ehlo("c")
        client.mail("a@b.example")
        client.rcpt(alias(1))
        client.rset()
        client.sendmail("a@b.example", [alias(2)], message())
    assert [(item.event, item.contact) for item in room.items] == [("probe", alias(1)), ("mail", alias(2))]


def test_a_message_too_big_leaves_nothing(room: Room) -> None:
    with room.client() as client:
        client.ehlo("c")
        assert client.mail("a@b.example", ["SIZE=20001"])[0] == 552
        client.mail("a@b.example")
        client.rcpt(alias(1))
        assert client.data(b"x" * 78 + b"\r\n" + b"y\r\n" * 7_000)[0] == 552
        client.sendmail("a@b.example", [alias(2)], message())
    assert [item.contact for item in room.items] == [alias(2)]


@pytest.mark.parametrize(("size", "code"), [(20_000, 250), (20_001, 552)])
@pytest.mark.parametrize("cut", [1, 3, 7, 19_999, 10**6])
def test_the_limit_is_exact_however_the_bytes_arrive(size: int, code: int, cut: int, room: Room) -> None:
    body = b"x" * (size - 2) + b"\r\n.\r\n"
    with room.client() as client:
        client.ehlo("c")
        client.mail("a@b.example")
        client.rcpt(alias(1))
        client.docmd("DATA")
        parts = (
            [body[:-5], *(body[-5:][at : at + 1] for at in range(5))]
            if cut == 1
            else [body[:cut], body[cut:]]
        )
        for part in parts:
            assert client.sock is not None
            client.sock.sendall(part)
        assert client.getreply()[0] == code
        assert client.noop()[0] == 250
    assert [len(item.raw) for item in room.items] == ([size] if code == 250 else [])


def test_a_connection_that_breaks_within_a_message_leaves_nothing(room: Room) -> None:
    start = f"EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<{alias(1)}>\r\nDATA\r\nSubject: x\r\n\r\nhalf".encode()
    assert room.raw(start).endswith(b"354 end with a lone dot\r\n")
    until(lambda: not room.listener._sessions)
    assert room.items == []


def test_all_at_once_is_understood(room: Room) -> None:
    said = b"EHLO c\nMAIL FROM:<>\r\nRCPT TO:<%b>\r\nDATA\r\nS: 1\r\n\r\n..a\r\n.\r\n"
    said += b"mail from: x@y\r\nrcpt to: <@relay.example:%b> NOTIFY=NEVER\r\nDATA\r\n.\r\nQUIT\r\n"
    answer = room.raw(said % (alias(1).encode(), alias(2).encode()), half_close=False)
    assert [line[:3] for line in answer.splitlines() if line[3:4] != b"-"] == [
        b"220", b"250", b"250", b"250", b"354", b"250", b"250", b"250", b"354", b"250", b"221",
    ]  # fmt: skip
    assert [(item.contact, item.raw, item.detail["mail_from"]) for item in room.items] == [
        (alias(1), b"S: 1\r\n\r\n.a\r\n", ""),
        (alias(2), b"", "x@y"),
    ]


def test_a_message_may_hold_anything(room: Room) -> None:
    body = bytes(range(256)) + b"\r\n.\n\n.\r\r\n" + "中文".encode() + b"\r\n"
    with room.client() as client:
        client.ehlo("c")
        client.mail("用户@例子.example", ["SMTPUTF8", "BODY=8BITMIME"])
        client.rcpt(alias(1))
        client.docmd("DATA")
        assert client.sock is not None
        client.sock.sendall(b"Subject: \xff\r\n\r\n" + body.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        assert client.getreply()[0] == 250
    [item] = room.items
    assert item.raw == b"Subject: \xff\r\n\r\n" + body
    assert item.key.startswith(f"sha256-{hashlib.sha256(item.raw).hexdigest()[:32]}#")
    assert item.detail["message_id"] == ""


NONSENSE = [
    b"\r\n" * 100, b"\x00\xff\xfe\r\n" * 100, b"A" * 10_000_000, b"RCPT TO:<a@b>\r\n", b"DATA\r\n",
    b"DATA x\r\n", b"MAIL FROM:<a\r\n", b"MAIL TO:<a@b>\r\n", b"MAIL FROM:<a@b>\r\nMAIL FROM:<a@b>\r\n",
    b"VRFY x\r\nNOOP\r\nEXPN\r\n", b"MAIL FROM:<a@b>\r\nRCPT TO:<>\r\n", b"MAIL FROM:" + b"<" * 3000 + b"\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
]  # fmt: skip


@pytest.mark.parametrize("said", NONSENSE)
def test_nonsense_is_answered_and_leaves_nothing(said: bytes, room: Room) -> None:
    answer = room.raw(said)
    assert answer.startswith(b"220 mx.example.com ESMTP\r\n")
    assert all(line[:3].isdigit() for line in answer.splitlines())
    assert room.items == []
    with room.client() as client:
        assert client.noop()[0] == 250


def test_a_long_line_is_refused_and_the_next_one_heard(room: Room) -> None:
    answer = room.raw(b"NOOP " + b"x" * 100_000 + b"\r\nNOOP\r\n")
    assert answer.splitlines()[1:] == [b"500 5.5.2 line too long", b"250 2.0.0 ok"]


def test_too_many_errors_end_the_connection(room: Room) -> None:
    assert room.raw(b"X\r\n" * 50, half_close=False).splitlines()[-1].startswith(b"421")


def test_harvesting_ends_the_connection(room: Room) -> None:
    asked = b"".join(b"RCPT TO:<x%d@alias.example.com>\r\n" % n for n in range(200))
    answer = room.raw(b"EHLO c\r\nMAIL FROM:<a@b>\r\n" + asked, half_close=False)
    assert answer.count(b"550 5.1.1") == smtp_session.MAX_UNKNOWN
    assert answer.splitlines()[-1].startswith(b"421")


def test_too_many_recipients(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp_session, "MAX_RECIPIENTS", 2)
    with room.client() as client:
        client.ehlo("c")
        client.mail("a@b.example")
        assert [client.rcpt(alias(n))[0] for n in range(4)] == [250, 250, 452, 452]


def test_a_message_without_end_is_cut(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp_wire, "PATIENCE", 2)
    start = f"EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<{alias(1)}>\r\nDATA\r\n".encode()
    with socket.create_connection(("127.0.0.1", room.port), 10) as connection:
        connection.sendall(start)
        with pytest.raises(OSError):  # the listener hangs up
            connection.sendall(b"x" * 100_000_000)
    assert room.items == []


def test_a_failing_desk_means_later(room: Room) -> None:
    with room.client() as client:
        client.ehlo("c")
        client.mail("a@b.example")
        client.rcpt(alias(1))
        room.broken = True
        assert client.rcpt(alias(2))[0] == 451
        assert client.data(message())[0] == 451
        client.mail("a@b.example")
        room.broken = False
        client.rcpt(alias(1))
        room.broken = True
        assert client.rset()[0] == 250
        room.broken = False
        client.sendmail("a@b.example", [alias(3)], message())
    assert [item.contact for item in room.items] == [alias(3)]


def test_the_answer_waits_for_the_commit(room: Room) -> None:
    room.slow = 0.3
    with room.client() as client:
        client.sendmail("a@b.example", [alias(1)], message())
        assert len(room.items) == 1


def test_stopping_lets_a_commit_finish(room: Room) -> None:
    room.slow = 0.5
    idle = room.client()
    answers: list[int] = []

    def send() -> None:
        client = room.client()
        client.ehlo("c")
        client.mail("a@b.example")
        client.rcpt(alias(1))
        answers.append(client.data(message())[0])
        client.close()

    thread = threading.Thread(target=send)
    thread.start()
    until(
        lambda: any(
            session is not None and session.busy for session in list(room.listener._sessions.values())
        )
    )
    room.call(room.listener.stop())
    thread.join()
    idle.close()
    assert (answers, len(room.items)) == ([250], 1)
    room.call(room.listener.stop())


def test_silence_ends_a_connection(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("canary.monitors.smtp.IDLE_SECONDS", 0.2)
    assert room.raw(b"EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<%b>\r\n" % alias(1).encode(), half_close=False)
    until(lambda: len(room.items) == 1)


def test_too_many_connections(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("canary.monitors.smtp.MAX_CONNECTIONS", 1)
    with room.client() as first:
        assert first.noop()[0] == 250
        assert room.raw(b"").startswith(b"421")


def test_a_taken_address_is_an_outside_error(room: Room) -> None:
    second = MailListener(("127.0.0.1", room.port), 1000, "x", lambda: 0.0)
    assert second.port == 0
    with pytest.raises(OutsideError, match="cannot listen"):
        room.call(second.start(room.desk, room.known))
    room.call(second.stop())


@pytest.fixture
def secure(room: Room, tmp_path: Path) -> Room:
    """The same room with a certificate."""
    make_certificate(tmp_path)
    room.call(room.listener.stop())
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    made = receiver(
        {"listen": "127.0.0.1:0", "certificate": str(certificate), "certificate_key": str(key)},
        lambda: NOW_MS / 1000,
    )
    assert isinstance(made, MailListener)
    room.listener = made
    room.call(made.start(room.desk, room.known))
    return room


def test_a_mail_over_starttls(secure: Room, tmp_path: Path) -> None:
    context = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
    with smtplib.SMTP("localhost", secure.port, timeout=10) as client:
        client.ehlo()
        assert client.has_extn("starttls")
        client.mail("early@b.example")
        client.rcpt(alias(1))
        client.starttls(context=context)
        client.ehlo()
        assert not client.has_extn("starttls")
        assert client.docmd("STARTTLS")[0] == 502
        client.sendmail("a@b.example", [alias(2)], message("x" * 10_000))
    probe, mail = secure.items
    assert (probe.event, probe.contact) == ("probe", alias(1))
    assert (mail.contact, mail.detail["tls"], mail.detail["mail_from"]) == (
        alias(2),
        "TLSv1.3",
        "a@b.example",
    )


def test_what_was_sent_ahead_of_the_handshake_is_forgotten(secure: Room) -> None:
    """CVE-2011-0411 of others: commands put behind STARTTLS by somebody in the middle."""
    context = ssl._create_unverified_context()
    with socket.create_connection(("127.0.0.1", secure.port), 10) as plain:
        plain.sendall(
            b"EHLO x\r\nSTARTTLS\r\nMAIL FROM:<evil@x.example>\r\nRCPT TO:<%b>\r\n" % alias(1).encode()
        )
        said = b""
        while b"220 2.0.0" not in said:
            said += plain.recv(65_536)
        with context.wrap_socket(plain) as tls:
            tls.sendall(b"EHLO x\r\nDATA\r\n")
            said = b""
            while b"503" not in said:
                said += tls.recv(65_536)
    assert secure.items == []


@pytest.mark.parametrize("sent", [b"\x16\x03\x01" + b"\xff" * 500, b"hello\r\n", b""])
def test_a_handshake_that_fails_harms_nobody(secure: Room, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", secure.port), 10) as plain:
        plain.sendall(b"EHLO x\r\nSTARTTLS\r\n")
        while b"220 2.0.0" not in plain.recv(65_536):
            pass
        plain.sendall(sent)
        plain.shutdown(socket.SHUT_WR)
        while plain.recv(65_536):
            pass
    with secure.client() as client:
        client.sendmail("a@b.example", [alias(2)], message())
    assert len(secure.items) == 1


def test_without_a_certificate_there_is_no_starttls(room: Room) -> None:
    with room.client() as client:
        client.ehlo()
        assert not client.has_extn("starttls")
        assert client.docmd("STARTTLS")[0] == 502


def test_a_certificate_is_read_again_when_it_changes(tmp_path: Path) -> None:
    make_certificate(tmp_path)
    certificate = Certificate(tmp_path / "cert.pem", tmp_path / "key.pem")
    first = certificate.context()
    assert certificate.context() is first
    make_certificate(tmp_path)
    os.utime(tmp_path / "cert.pem", (1, 1))
    second = certificate.context()
    assert second is not first
    (tmp_path / "cert.pem").write_text("half-written")
    assert certificate.context() is second


@pytest.mark.parametrize("more", [{"certificate": "x.pem"}, {"certificate_key": "x"}])
def test_a_certificate_that_is_none_is_an_outside_error(room: Room, more: dict[str, str]) -> None:
    other = receiver({"listen": "127.0.0.1:0", **more})
    with pytest.raises(OutsideError, match="certificate"):
        room.call(other.start(room.desk, room.known))


def test_the_signature_of_a_mail_is_noted_and_never_keeps_it_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a resolver that knows the key, one that fails, one that is slow, and one that stumbles."""
    waiting = threading.Event()
    resolvers = ["good", "dead", "slow", "odd"]

    def lookup(name: str) -> list[bytes]:
        kind = resolvers.pop(0)
        if kind == "dead":
            raise OSError
        if kind == "slow":
            waiting.wait(5)
        return [RECORD] if kind == "good" else [5]  # type: ignore[list-item]

    monkeypatch.setattr(smtp, "CHECK_SECONDS", 0.5)
    listener = receiver({"listen": "127.0.0.1:0"}, lambda: NOW_MS / 1000, lookup)
    assert isinstance(listener, MailListener)
    with room_of(listener) as room:
        for mail in (message(), *[EXAMPLE] * 4):
            with smtplib.SMTP("127.0.0.1", listener.port, timeout=10) as client:
                client.sendmail("a@b.example", [alias(1)], mail)
        waiting.set()
    assert [item.detail["dkim"] for item in room.items] == [
        "none", "pass d=football.example.com", "temperror d=football.example.com", "unchecked (slow)",
        "unchecked (stumbled)",
    ]  # fmt: skip


def test_signatures_are_left_alone_where_it_is_told(room: Room) -> None:
    with room.client() as client:
        client.sendmail("a@b.example", [alias(1)], EXAMPLE)
    assert "dkim" not in room.items[0].detail
