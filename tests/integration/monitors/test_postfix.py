"""Postfix passes mail on to the listener: many recipients, over TLS, and again after the registry was down."""

from __future__ import annotations

import smtplib
from pathlib import Path

import pytest

from canary.monitors.smtp import MailListener, receiver
from tests.rooms import room_of
from tests.servers import answers, make_certificate, postfix_server
from tests.watch_tools import alias, until

pytestmark = pytest.mark.postfix


def send(port: int, name: str, to: list[str]) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
        client.sendmail("a@sender.example", to, f"Message-ID: <{name}@x>\r\n\r\nhello {name}\r\n".encode())


def test_postfix_delivers_all_of_it_and_nothing_twice(tmp_path: Path) -> None:
    make_certificate(tmp_path)
    certificate, key = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")
    listener = receiver(
        {"listen": "127.0.0.1:0", "certificate": certificate, "certificate_key": key, "dkim": False}
    )
    assert isinstance(listener, MailListener)
    many = [alias(number) for number in range(100)]
    with room_of(listener) as room, postfix_server(listener.port) as port:
        until(lambda: answers(port), 60)
        send(port, "1", many)
        until(lambda: len(room.items) >= 100, 60)
        room.broken = True
        send(port, "2", many[:1])
        until(lambda: room.refused > 0, 60)
        room.broken = False
        until(lambda: len(room.items) > 100, 60)
    first, [second] = room.items[:100], room.items[100:]
    assert sorted(item.contact or "" for item in first) == many
    assert {item.detail["tls"] for item in room.items} == {"TLSv1.3"}
    assert (second.contact, second.detail["message_id"]) == (many[0], "<2@x>")
