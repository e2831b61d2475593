"""Keys of signers, asked of a real resolver on loopback."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest

from canary.monitors.parts import dkim
from canary.monitors.parts.dkim import ask_dns

TEXTS = {"s._domainkey.a.example.": '"v=DKIM1; " "p=abc"', "empty.example.": None}


@contextmanager
def resolver(monkeypatch: pytest.MonkeyPatch, silent: bool = False) -> Iterator[None]:
    """Let the system's resolver be one that knows two names, or one that never answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        ours = dns.resolver.Resolver(configure=False)
        ours.nameservers, ours.port = ["127.0.0.1"], server.getsockname()[1]
        monkeypatch.setattr(dns.resolver, "default_resolver", ours)
        thread = threading.Thread(target=serve, args=(server, silent))
        thread.start()
        yield
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", server.getsockname())
        thread.join()


def serve(server: socket.socket, silent: bool) -> None:
    while True:
        packet, client = server.recvfrom(4096)
        if not packet:
            return
        if silent:
            continue
        query = dns.message.from_wire(packet)
        name, answer = str(query.question[0].name), dns.message.make_response(query)
        if name not in TEXTS:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif (text := TEXTS[name]) is not None:
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", text))
        server.sendto(answer.to_wire(), client)


def test_a_record_in_pieces_is_joined_and_none_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    with resolver(monkeypatch):
        assert ask_dns("s._domainkey.a.example") == [b"v=DKIM1; p=abc"]
        assert ask_dns("empty.example") == []
        assert ask_dns("nobody.example") == []


def test_a_resolver_that_is_silent_or_a_name_that_is_none_is_an_error_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dkim, "LOOKUP_SECONDS", 0.2)
    with resolver(monkeypatch, silent=True):
        for name in ("s.example", "x" * 64 + ".example", "a..b"):
            with pytest.raises(OSError, match=r".+"):
                ask_dns(name)
