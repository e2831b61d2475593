"""The mailbox monitor against Dovecot."""

from __future__ import annotations

import imaplib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from canary.errors import OutsideError
from canary.model.sight import Item
from canary.monitors import imap
from canary.monitors.parts import mailbox
from canary.ports import Monitor
from tests.servers import DOVECOT_PASSWORD, dovecot_server
from tests.watch_tools import CannedFetch

pytestmark = pytest.mark.dovecot
NONE = CannedFetch({})


@dataclass
class Box:
    """A fresh mailbox of somebody, and the server's ports without and with TLS."""

    user: str
    port: int
    tls_port: int
    certificate: Path

    def monitor(self, folder: str = "INBOX", password: str = DOVECOT_PASSWORD) -> Monitor:
        return imap.monitor(
            {"url": f"imap://{self.user}@127.0.0.1:{self.port}/{folder}", "password": password}
        )

    def client(self) -> imaplib.IMAP4:
        client = imaplib.IMAP4("127.0.0.1", self.port)
        client.authenticate("PLAIN", lambda _: f"\0{self.user}\0{DOVECOT_PASSWORD}".encode())
        return client

    def put(self, *messages: bytes, folder: str = "INBOX") -> None:
        client = self.client()
        for one in messages:
            assert client.append(folder, "", '"01-Jan-2026 08:00:00 +0800"', one)[0] == "OK"
        client.logout()


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[int, int, Path]]:
    with dovecot_server() as made:
        yield made


@pytest.fixture
def box(server: tuple[int, int, Path]) -> Box:
    return Box(f"u{uuid.uuid4().hex[:8]}", *server)


def mail(n: int, head: str = "", body: str = "loan") -> bytes:
    to = head or f"To: a{n}@alias.example.com\r\n"
    return f"{to}From: spam@x.example\r\nSubject: s{n}\r\nMessage-ID: <{n}@x>\r\n\r\n{body} {n}\r\n".encode()


def all_of(monitor: Monitor, cursor: str | None) -> tuple[list[Item], str]:
    items: list[Item] = []
    while True:
        poll = monitor.poll(cursor, NONE)
        items, cursor = [*items, *poll.items], poll.cursor
        if not poll.more:
            return items, cursor


def test_new_once_then_nothing_new_and_nothing_is_marked_as_seen(box: Box) -> None:
    box.put(mail(1), mail(2))
    poll = box.monitor().poll(None, NONE)
    assert [item.contact for item in poll.items] == ["a1@alias.example.com", "a2@alias.example.com"]
    one = poll.items[0]
    assert (one.raw, one.event, one.media) == (mail(1), "mail", "message/rfc822")
    assert one.time_ms == 1_767_225_600_000
    assert one.detail["message_id"] == "<1@x>"
    assert one.detail["mail_from"] == "spam@x.example"
    assert box.monitor().poll(poll.cursor, NONE).items == ()
    box.put(mail(3))
    again = box.monitor().poll(poll.cursor, NONE)
    assert ([item.detail["subject"] for item in again.items], again.gap) == (["s3"], False)
    client = box.client()
    client.select("INBOX", readonly=True)
    assert client.search(None, "UNSEEN")[1] == [b"1 2 3"]
    client.logout()


def test_many_come_in_parts_over_gaps_between_uids(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailbox, "A_POLL", 3)
    monkeypatch.setattr(mailbox, "WINDOW", 2)
    box.put(*(mail(n) for n in range(12)))
    client = box.client()
    client.select("INBOX")
    client.store("3:9", "+FLAGS", "\\Deleted")
    client.expunge()
    client.logout()
    items, cursor = all_of(box.monitor(), None)
    assert [item.detail["subject"] for item in items] == [f"s{n}" for n in (0, 1, 9, 10, 11)]
    assert box.monitor().poll(cursor, NONE).items == ()
    repeated, _ = all_of(box.monitor(), None)
    assert [(item.key, item.raw) for item in repeated] == [(item.key, item.raw) for item in items]


def test_much_at_once_comes_in_parts_and_too_big_a_mail_is_cut(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "A_POLL_BYTES", 1_000)
    monkeypatch.setattr(mailbox, "MAX_MESSAGE", 1_500)
    box.put(mail(1, body="x" * 1_000), mail(2), mail(3, body="x" * 2_000))
    first = box.monitor().poll(None, NONE)
    assert ([item.detail["subject"] for item in first.items], first.more) == (["s1"], True)
    items, _ = all_of(box.monitor(), first.cursor)
    assert [item.detail["subject"] for item in items] == ["s2", "s3"]
    assert len(items[1].raw) == 1_500
    assert int(items[1].detail["bytes"]) == len(mail(3, body="x" * 2_000))


def test_a_mailbox_made_anew_is_a_gap_and_is_read_whole(box: Box) -> None:
    client = box.client()
    client.create("Spam")
    box.put(mail(1), folder="Spam")
    first = box.monitor("Spam").poll(None, NONE)
    assert (len(first.items), first.gap) == (1, False)
    client.delete("Spam")
    client.create("Spam")
    client.logout()
    box.put(mail(1), mail(2), folder="Spam")
    second = box.monitor("Spam").poll(first.cursor, NONE)
    assert (len(second.items), second.gap) == (2, True)
    assert second.items[0].key == first.items[0].key


@pytest.mark.parametrize("cursor", ["", "nonsense", '{"uid": "x", "validity": []}', '{"uid": -5}'])
def test_a_cursor_of_something_else_is_no_cursor(box: Box, cursor: str) -> None:
    box.put(mail(1))
    assert len(box.monitor().poll(cursor, NONE).items) == 1


def test_a_wrong_password_and_a_missing_folder_are_outside_errors(box: Box) -> None:
    with pytest.raises(OutsideError, match="failed") as told:
        box.monitor(password="other-word").poll(None, NONE)
    assert "other-word" not in str(told.value)
    with pytest.raises(OutsideError, match="exist"):
        box.monitor('No"such').poll(None, NONE)


def test_over_tls_the_server_must_be_who_it_says(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    box.put(mail(1))
    places = [
        f"imaps://{box.user}@localhost:{box.tls_port}/INBOX",
        f"imap://{box.user}@localhost:{box.port}/INBOX",
    ]
    monitors = [imap.monitor({"url": url, "password": DOVECOT_PASSWORD}) for url in places]
    monkeypatch.setattr(mailbox, "_is_here", lambda host: False)  # so that the second starts TLS
    for one in monitors:
        with pytest.raises(OutsideError, match="certificate"):
            one.poll(None, NONE)
    monkeypatch.setenv("SSL_CERT_FILE", str(box.certificate))
    for one in monitors:
        assert len(one.poll(None, NONE).items) == 1
