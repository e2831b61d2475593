"""Channels, each against what really listens at its other end."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import socket
import sys
import threading
from collections.abc import Iterator

import pytest

from canary.alerts import letter
from canary.alerts.apprise import Apprise
from canary.alerts.letter import Alert, News
from canary.alerts.syslog import Syslog, parse_address
from canary.alerts.webhook import Webhook
from canary.errors import OutsideError, UsageError
from tests.watch_tools import NOW_MS, Site, fetcher, web_site

NEWS = News("i-1", NOW_MS, 3, 2, ("mail", "feed"), ("waybills",), ("mail", "data"))


def alert(event: str = letter.OPENED) -> Alert:
    return Alert(letter.key_of(event, "i-1"), event, "i-1", letter.body_of(event, NEWS))


@pytest.fixture
def site() -> Iterator[Site]:
    with web_site() as made:
        yield made


def test_a_webhook_is_signed_and_keyed(site: Site) -> None:
    site.page("/hook", b"ok", 204)
    hook = Webhook("ops", f"{site.url}/hook", "s3cret", fetcher().post)
    hook.send(alert())
    hook.send(alert())
    [body, again] = site.bodies
    [headers, headers_again] = site.headers
    assert body == again
    assert headers["idempotency-key"] == headers_again["idempotency-key"] == alert().key
    assert headers["x-canary-signature"] == "sha256=" + hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
    assert headers["content-type"] == "application/json"
    assert json.loads(body) == {
        "event": "incident.opened", "incident": "i-1", "time": "2025-06-15T15:06:40Z", "sightings": 3, "canaries": 2,
        "sources": ["feed", "mail"], "datasets": ["waybills"], "seen_as": ["data", "mail"],
    }  # fmt: skip
    assert hook.name == "webhook:ops"
    assert "s3cret" not in repr(hook)
    assert site.url not in repr(hook)


@pytest.mark.parametrize("status", [199 + 101, 302, 400, 404, 410, 500, 503, 429])
def test_anything_but_2xx_is_a_failure(status: int, site: Site) -> None:
    site.page("/hook", b"", status, Location="/other")
    with pytest.raises(OutsideError):
        Webhook("ops", f"{site.url}/hook", "s", fetcher().post).send(alert())
    assert site.asked == ["/hook"]


def syslog(scheme: str, port: int, form: str) -> Syslog:
    return Syslog(scheme, "127.0.0.1", port, form, "host", lambda: NOW_MS)


HEAD = re.compile(
    rb"<(\d+)>1 2025-06-15T15:06:40Z host canary - incident\.(opened|digest) "
    rb"\[canary@32473 key=\"\w{64}\" incident=\"i-1\"\] "
)
SENTENCE = "canary incident i-1 opened: 3 sightings of 2 canaries of waybills by feed, mail"


def test_syslog_over_udp() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)
        syslog("udp", server.getsockname()[1], "rfc5424").send(alert())
        said = server.recv(65536)
    found = HEAD.match(said)
    assert found is not None
    assert found[1] == b"105"
    assert said[found.end() :] == SENTENCE.encode()


def test_cef_over_tcp_is_counted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        got: list[bytes] = []

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                got.append(connection.recv(65536))

        thread = threading.Thread(target=serve)
        thread.start()
        one = syslog("tcp", server.getsockname()[1], "cef")
        one.send(alert(letter.DIGEST))
        thread.join()
    count, _, said = got[0].partition(b" ")
    assert int(count) == len(said)
    found = HEAD.match(said)
    assert found is not None
    assert found[1] == b"109"
    assert said[found.end() :].startswith(
        b"CEF:0|canary|canary|1|incident.digest|incident.digest|4|externalId=i-1 msg="
    )
    assert one.name.startswith("syslog:tcp://127.0.0.1:")


def test_a_dead_syslog_is_a_failure() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        with pytest.raises(OutsideError, match="cannot reach"):
            syslog("tcp", held.getsockname()[1], "rfc5424").send(alert())
    with pytest.raises(OutsideError, match="cannot reach"):
        Syslog("udp", "no.such.host.invalid", 514, "cef", "h", lambda: 0).send(alert())


@pytest.mark.parametrize(
    ("text", "place"),
    [("udp://127.0.0.1:514", ("udp", "127.0.0.1", 514)), ("tcp://log.example", ("tcp", "log.example", 514))],
)
def test_syslog_addresses(text: str, place: tuple[str, str, int]) -> None:
    assert parse_address(text) == place


@pytest.mark.parametrize("text", ["", "127.0.0.1:514", "http://x", "udp://", "udp://x:y", "udp://x:99999"])
def test_bad_syslog_addresses(text: str) -> None:
    with pytest.raises(UsageError):
        parse_address(text)


def test_apprise(site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """The package itself, told to post JSON; who is told by it sees ids and counts."""
    site.page("/s3cret", b"")
    chat = Apprise("chat", f"json://127.0.0.1:{site.port}/s3cret")
    chat.send(alert())
    [body] = site.bodies
    told = json.loads(body)
    assert (told["title"], told["message"]) == ("canary", SENTENCE)
    assert chat.name == "apprise:chat"
    assert "s3cret" not in repr(chat)
    site.page("/s3cret", b"", 500)
    for one in (chat, Apprise("chat", "no-such-service://s3cret")):
        with pytest.raises(OutsideError) as refused:
            one.send(alert())
        assert "s3cret" not in refused.value.message + refused.value.hint + caplog.text
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(OutsideError, match="not installed"):
        chat.send(alert())


def test_digests_add_up() -> None:
    more = News("i-1", NOW_MS + 1, 2, 5, ("paste",), (), ("data",))
    both = json.loads(letter.added(letter.body_of(letter.DIGEST, NEWS), letter.body_of(letter.DIGEST, more)))
    assert (both["sightings"], both["canaries"]) == (5, 7)
    assert both["sources"] == ["feed", "mail", "paste"]


def test_other_events_are_said_plainly() -> None:
    assert (
        letter.sentence(Alert("k", "test", None, "{}")) == "canary incident - test: 0 sightings of 0 canaries"
    )
    assert Alert("k", "test", None, "[]").told() == {}
