"""Mailboxes: whom a message reached, what settings say, and servers that are broken or hostile."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from canary.errors import OutsideError, UsageError
from canary.monitors import imap
from canary.monitors.imap import _items
from canary.monitors.parts import mailbox
from canary.monitors.parts.mailbox import Message
from tests.watch_tools import CannedFetch

NONE = CannedFetch({})


def reached(head: str, raw: bytes = b"") -> list[str | None]:
    return [item.contact for item in _items(Message(raw or f"{head}\r\n\r\nbody".encode(), 0, 0))]


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ('To: A@x.example, "B, C" <b@x.example>\r\nCc: a@x.example', ["a@x.example", "b@x.example"]),
        ("X-Original-To: a@x.example\r\nDelivered-To: box@x.example\r\nTo: b@x.example", ["a@x.example"]),
        ("Envelope-To: a@x.example\r\nTo: b@x.example", ["a@x.example"]),
        ("Delivered-To: box@x.example\r\nTo: b@x.example", ["box@x.example", "b@x.example"]),
        ("To: undisclosed-recipients:;\r\nReceived: from a by b for <a@x.example>; Mon", ["a@x.example"]),
        ("Subject: nobody", []),
        ("To: nobody\r\nCc: =?utf-8?b?/////w==?=", []),
    ],
)  # fmt: skip
def test_whom_a_message_reached(head: str, expected: list[str]) -> None:
    assert reached(head) == expected


@pytest.mark.parametrize(
    "raw", [b"", b"\xff" * 1000, b"To: " + b"(" * 10_000 + b"\r\n\r\n", b"\r\n\r\nTo: a@x.example"]
)
def test_headers_that_are_none(raw: bytes) -> None:
    assert reached("", raw) == [] or raw == b""


def test_one_of_many_addresses_is_named_by_message_and_address() -> None:
    many = ", ".join(f"a{n}@x.example" for n in range(300))
    raw = f"To: {many}\r\nMessage-ID: <1@x>\r\n\r\n".encode()
    items = list(_items(Message(raw, len(raw), 5)))
    assert len(items) == len({item.key for item in items}) == 200
    assert items[0].key.startswith("<1@x>#")
    [lone] = _items(Message(b"To: a@x.example\r\n\r\n", 0, 5))
    assert lone.key.startswith("sha256-")


@pytest.mark.parametrize(
    "url",
    ["", "https://user@x/INBOX", "imaps://x.example/INBOX", "imaps://user:word@x/INBOX", "imaps://user@x/垃圾", "imaps://user@x:99999/"],
)  # fmt: skip
def test_a_url_names_a_mailbox_and_no_password(url: str) -> None:
    with pytest.raises(UsageError) as told:
        imap.monitor({"url": url, "password": "s3cret"})
    assert "word" not in told.value.message.replace("password", "")
    assert "s3cret" not in repr(imap.monitor({"url": "imaps://a%40b@x", "password": "s3cret"}))


@contextmanager
def server(*answers: bytes | Callable[[socket.socket], None]) -> Iterator[int]:
    """Serve one client: a greeting, then an answer to each of its lines, in which TAG stands for its tag."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listening.accept()
        with connection, connection.makefile("rb") as lines:
            connection.settimeout(5)
            tag = b""
            for one in answers:
                try:
                    if callable(one):
                        one(connection)
                    else:
                        connection.sendall(one.replace(b"TAG", tag))
                    tag = lines.readline().split(b" ")[0]
                except OSError:
                    return

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        thread.join()
        listening.close()


def drip(connection: socket.socket) -> None:
    for _ in range(1_000):
        connection.sendall(b"x")
        time.sleep(0.01)


HELLO = (b"* OK hello\r\n", b"* CAPABILITY IMAP4rev1\r\nTAG OK done\r\n", b"TAG OK logged in\r\n")
OPEN = (*HELLO, b"* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 9] x\r\nTAG OK [READ-ONLY] open\r\n")
BAD = [
    (b"",),
    (b"\x00" * 10_000,),
    (b"220 mail.example ESMTP\r\n",),
    (*HELLO[:2], b"TAG NO [AUTHENTICATIONFAILED] no\r\n"),
    (*HELLO, b"TAG OK [READ-ONLY] no UIDVALIDITY\r\n"),
    (*HELLO, b"* OK [UIDVALIDITY x] x\r\nTAG OK open\r\n"),
    (*OPEN, b"* 1 FETCH (UID 1 RFC822.SIZE 5)\r\nTAG OK done\r\n", b"* 1 FETCH (BODY[]<0> {99999999999}\r\n"),
    (*OPEN, b"* 1 FETCH (UID 1 RFC822.SIZE 5)\r\nTAG OK done\r\n", b"* 1 FETCH (BODY[]<0> {50}\r\nhalf"),
    (*OPEN, b"x" * 1_100_000),
    (*OPEN, drip),
    (*OPEN, b"* OK still here\r\n" * 200_000),
]


@pytest.mark.parametrize("answers", BAD, ids=range(len(BAD)))
def test_a_bad_server_is_an_outside_error_in_time(
    answers: tuple[bytes, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "POLL_SECONDS", 0.3)
    monkeypatch.setattr(mailbox, "SILENCE_SECONDS", 0.3)
    monkeypatch.setattr(mailbox, "MOST_BYTES", 2_000_000)
    with server(*answers) as port, pytest.raises(OutsideError) as told:
        imap.monitor({"url": f"imap://u@127.0.0.1:{port}", "password": "s3cret"}).poll(None, NONE)
    assert "s3cret" not in str(told.value)


def test_a_server_that_says_little_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """It names other messages than those asked for, and one that is gone when it is fetched."""
    sizes = b"* 1 FETCH (RFC822.SIZE 5 UID 3)\r\n* 2 FETCH (UID 4 RFC822.SIZE 5)\r\n"
    sizes += b"* 9 FETCH (UID 4000)\r\nTAG OK done\r\n"
    gone, here = (
        b"TAG OK done\r\n",
        b"* 2 FETCH (BODY[]<0> {20}\r\nTo: a@x.example\r\n\r\nx)\r\nTAG OK done\r\n",
    )
    with server(*OPEN, sizes, gone, here) as port:
        poll = imap.monitor({"url": f"imap://u@127.0.0.1:{port}", "password": "p"}).poll(None, NONE)
    [item] = poll.items
    assert (item.contact, item.time_ms, poll.cursor) == ("a@x.example", 0, '{"uid":8,"validity":7}')


def test_a_dead_server_is_an_outside_error() -> None:
    with server(b"") as port:
        socket.create_connection(("127.0.0.1", port)).close()
    with pytest.raises(OutsideError, match="refused"):
        imap.monitor({"url": f"imap://u@127.0.0.1:{port}", "password": "p"}).poll(None, NONE)
