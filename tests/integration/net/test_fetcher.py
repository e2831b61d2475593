"""Fetching from real servers on loopback: kind ones, slow ones, endless ones and liars."""

from __future__ import annotations

import gzip
import ipaddress
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler

import pytest

from canary.errors import OutsideError, UsageError
from canary.net.fetch import NetSettings
from canary.net.pace import Later, MemoryHosts
from tests.watch_tools import LOOPBACK, NOW_MS, HandClock, Site, fetcher, send, web_site

SHORT = NetSettings(LOOPBACK, timeout=0.6, max_bytes=100_000, host_requests_per_minute=1000)


@pytest.fixture
def site():  # type: ignore[no-untyped-def]
    with web_site() as made:
        yield made


def raw_page(site: Site, path: str, work: Callable[[BaseHTTPRequestHandler], None]) -> None:
    site.pages[path] = lambda _site, handler: work(handler)


def test_a_page_is_fetched_as_it_is(site: Site) -> None:
    site.page("/a", "中文".encode(), ETag='"1"')
    got = fetcher().get(f"{site.url}/a#part", {"If-None-Match": '"0"'})
    assert (got.status, got.body, got.headers["etag"]) == (200, "中文".encode(), '"1"')
    [asked] = site.headers
    assert asked["if-none-match"] == '"0"'
    assert asked["user-agent"].startswith("canary-trace")
    assert asked["host"] == f"127.0.0.1:{site.port}"
    assert site.asked == ["/a"]


def test_a_password_in_the_address_is_sent_and_never_told(site: Site) -> None:
    site.page("/a", b"x")
    fetcher().get(f"http://user:secret@127.0.0.1:{site.port}/a")
    assert site.headers[0]["authorization"] == "Basic dXNlcjpzZWNyZXQ="
    with pytest.raises(OutsideError) as told:
        fetcher(NetSettings()).get(f"http://user:secret@127.0.0.1:{site.port}/a?key=secret")
    assert "secret" not in told.value.message + told.value.hint


@pytest.mark.parametrize("address", ["", "x", "file:///etc/passwd", "ftp://x/", "http://", "http://[::1"])
def test_other_addresses_are_wrong_use(address: str) -> None:
    with pytest.raises(UsageError):
        fetcher().get(address)


def test_loopback_is_refused_unless_it_is_allowed(site: Site) -> None:
    site.page("/a", b"x")
    for name in ("127.0.0.1", "localhost", "127.1", "2130706433"):
        with pytest.raises(OutsideError, match="private"):
            fetcher(NetSettings()).get(f"http://{name}:{site.port}/a")
    assert site.asked == []


def test_redirects_are_followed_and_each_is_checked(site: Site) -> None:
    site.page("/a", b"", 302, Location="/b")
    site.page("/b", b"", 307, Location=f"{site.url}/c?x=1")
    site.page("/c", b"here")
    assert fetcher().get(f"{site.url}/a").body == b"here"
    assert site.asked == ["/a", "/b", "/c?x=1"]
    site.page("/evil", b"", 302, Location="http://169.254.169.254/latest/meta-data")
    with pytest.raises(OutsideError, match="private"):
        fetcher().get(f"{site.url}/evil")
    site.page("/file", b"", 302, Location="file:///etc/passwd")
    with pytest.raises(OutsideError, match="not an http"):
        fetcher().get(f"{site.url}/file")


def test_a_redirect_to_another_host_takes_no_headers_with_it(site: Site) -> None:
    with web_site() as other:
        other.page("/b", b"x")
        site.page("/a", b"", 302, Location=f"{other.url}/b")
        fetcher().get(f"{site.url}/a", {"Authorization": "Bearer 1", "If-None-Match": "2"})
        assert "authorization" not in other.headers[0]
        assert "if-none-match" not in other.headers[0]


def test_endless_redirects_end(site: Site) -> None:
    site.page("/a", b"", 302, Location="/a")
    with pytest.raises(OutsideError, match="redirects more than 5"):
        fetcher().get(f"{site.url}/a")
    assert len(site.asked) == 6


def test_a_name_that_changes_its_address_is_called_where_it_was_checked(site: Site) -> None:
    site.page("/a", b"x")
    answers = iter([["127.0.0.1"], ["169.254.169.254"]])
    looked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        looked.append(host)
        return next(answers)

    one = fetcher(resolve=resolve)
    assert one.get(f"http://rebind.example:{site.port}/a").body == b"x"
    assert site.headers[0]["host"] == f"rebind.example:{site.port}"
    assert looked == ["rebind.example"]
    with pytest.raises(OutsideError, match="private"):
        one.get(f"http://rebind.example:{site.port}/a")


def test_a_name_without_address(site: Site) -> None:
    def nothing(host: str, port: int) -> list[str]:
        raise socket.gaierror(8, "unknown")

    with pytest.raises(OutsideError, match="no address"):
        fetcher(resolve=nothing).get("http://nowhere.example/")


def test_a_resolver_that_hangs_ends_with_the_time() -> None:
    waiting = threading.Event()

    def hang(host: str, port: int) -> list[str]:
        waiting.wait(5)
        return []

    began = time.monotonic()
    with pytest.raises(OutsideError, match="no whole answer"):
        fetcher(SHORT, resolve=hang).get("http://slow.example/")
    assert time.monotonic() - began < 2
    waiting.set()


def drip_head(handler: BaseHTTPRequestHandler) -> None:
    for _ in range(100):
        handler.wfile.write(b"X")
        time.sleep(0.05)


def drip_body(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b"x")
        time.sleep(0.05)


@pytest.mark.parametrize("work", [drip_head, drip_body, lambda handler: time.sleep(3)])
def test_slow_answers_end_with_the_time(site: Site, work: Callable[[BaseHTTPRequestHandler], None]) -> None:
    raw_page(site, "/slow", work)
    began = time.monotonic()
    with pytest.raises(OutsideError, match="no whole answer"):
        fetcher(SHORT).get(f"{site.url}/slow")
    assert 0.5 < time.monotonic() - began < 2


def test_an_endless_answer_is_cut(site: Site) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not site.ending.is_set():
            handler.wfile.write(b"x" * 65_536)

    raw_page(site, "/endless", endless)
    with pytest.raises(OutsideError, match="more than 100000 bytes"):
        fetcher(SHORT).get(f"{site.url}/endless")


def test_a_claimed_size_is_enough_to_refuse(site: Site) -> None:
    raw_page(site, "/big", lambda handler: send(handler, 200, b"", {"Content-Length": "100001"}))
    with pytest.raises(OutsideError, match="more than"):
        fetcher(SHORT).get(f"{site.url}/big")


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_bombs_do_not_go_off(site: Site, pack: Callable[[bytes], bytes]) -> None:
    encoding = "gzip" if pack is gzip.compress else "deflate"
    bomb = pack(bytes(30_000_000))
    assert len(bomb) < 100_000
    site.page("/bomb", bomb, Content_Encoding=encoding)
    with pytest.raises(OutsideError, match="more than 100000 bytes"):
        fetcher(SHORT).get(f"{site.url}/bomb")
    site.page("/good", pack(b"x" * 100_000), Content_Encoding=encoding)
    assert fetcher(SHORT).get(f"{site.url}/good").body == b"x" * 100_000


@pytest.mark.parametrize(
    ("body", "encoding", "said"),
    [
        (b"not gzip", "gzip", "damaged"),
        (gzip.compress(b"x" * 1000, mtime=0)[:-9], "gzip", "half"),
        (gzip.compress(b"x", mtime=0), "gzip, gzip", "asked for"),
        (b"x", "br", "asked for"),
    ],
)
def test_strange_encodings_are_refused(site: Site, body: bytes, encoding: str, said: str) -> None:
    site.page("/a", body, Content_Encoding=encoding)
    with pytest.raises(OutsideError, match=said):
        fetcher().get(f"{site.url}/a")


def test_gzip_in_several_members(site: Site) -> None:
    site.page("/a", gzip.compress(b"one ") + gzip.compress(b"two"), Content_Encoding="gzip")
    assert fetcher().get(f"{site.url}/a").body == b"one two"


def nonsense(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"\x00\xff\r\n\r\n")


def short(handler: BaseHTTPRequestHandler) -> None:
    send(handler, 200, b"abc", {"Content-Length": "10"})
    handler.close_connection = True


def nothing(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


@pytest.mark.parametrize("work", [nonsense, short, nothing])
def test_broken_answers_are_outside_errors(
    site: Site, work: Callable[[BaseHTTPRequestHandler], None]
) -> None:
    raw_page(site, "/a", work)
    with pytest.raises(OutsideError, match="cannot fetch"):
        fetcher().get(f"{site.url}/a")


def test_nobody_listens() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        with pytest.raises(OutsideError, match="cannot fetch"):
            fetcher().get(f"http://127.0.0.1:{held.getsockname()[1]}/")


def test_header_splitting_is_refused(site: Site) -> None:
    with pytest.raises(OutsideError):
        fetcher().get(f"{site.url}/a", {"X": "a\r\nEvil: 1"})
    assert site.asked == []


def test_a_storm_of_429_gets_one_request(site: Site) -> None:
    site.page("/busy", b"", 429, Retry_After="5")
    clock, hosts = HandClock(), MemoryHosts()
    for _ in range(50):
        with pytest.raises(Later):
            fetcher(clock=clock, hosts=hosts).get(f"{site.url}/busy")
        clock.ms += 90
    assert len(site.asked) == 1
    clock.ms = NOW_MS + 5_000
    with pytest.raises(Later):
        fetcher(clock=clock, hosts=hosts).get(f"{site.url}/busy")
    assert len(site.asked) == 2


def test_redirects_are_paid_for(site: Site) -> None:
    site.page("/a", b"", 302, Location="/b")
    site.page("/b", b"x")
    one = fetcher(NetSettings(LOOPBACK, host_requests_per_minute=3), HandClock())
    one.get(f"{site.url}/a")
    with pytest.raises(Later):
        one.get(f"{site.url}/a")
    assert site.asked == ["/a", "/b", "/a"]


def test_a_patient_fetcher_waits_for_its_budget(site: Site) -> None:
    site.page("/a", b"x")
    clock = HandClock()
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.ms += int(seconds * 1000) + 1

    settings = NetSettings(LOOPBACK, timeout=5, host_requests_per_minute=2)
    one = fetcher(settings, clock, patience=90, sleep=sleep)
    for _ in range(3):
        one.get(f"{site.url}/a")
    assert len(site.asked) == 3
    assert sum(slept) == pytest.approx(60)
    impatient = fetcher(settings, clock, MemoryHosts(), patience=10, sleep=sleep)
    impatient.get(f"{site.url}/a")
    impatient.get(f"{site.url}/a")
    with pytest.raises(Later):
        impatient.get(f"{site.url}/a")


def test_a_post_is_sent_once_and_not_redirected(site: Site) -> None:
    site.page("/hook", b"", 307, Location="/other")
    got = fetcher().post(f"{site.url}/hook", b'{"a":1}', {"Content-Type": "application/json"})
    assert got.status == 307
    assert (site.asked, site.bodies) == (["/hook"], [b'{"a":1}'])
    assert site.headers[0]["content-length"] == "7"


def test_stopping_ends_a_running_fetch(site: Site) -> None:
    raw_page(site, "/slow", lambda handler: site.ending.wait(20) and None)
    one = fetcher(NetSettings(LOOPBACK, timeout=20))
    threading.Timer(0.2, one.stop).start()
    began = time.monotonic()
    with pytest.raises(Later, match="stopping"):
        one.get(f"{site.url}/slow")
    assert time.monotonic() - began < 3


def test_tls_is_verified_under_the_name_that_was_asked_for(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that talks plain HTTP fails the handshake; the name goes into it though the address was resolved."""
    names: list[str | None] = []
    real = ssl.SSLContext.wrap_socket

    def wrap(self: ssl.SSLContext, sock: socket.socket, *args: object, **more: object) -> ssl.SSLSocket:
        names.append(more.get("server_hostname"))  # type: ignore[arg-type]
        assert self.verify_mode == ssl.CERT_REQUIRED
        assert self.check_hostname
        return real(self, sock, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(ssl.SSLContext, "wrap_socket", wrap)
    with pytest.raises(OutsideError, match="cannot fetch"):
        fetcher(resolve=lambda host, port: ["127.0.0.1"]).get(f"https://secure.example:{site.port}/")
    assert names == ["secure.example"]


def test_ipv6_hosts_have_their_own_budget() -> None:
    hosts = MemoryHosts()
    with pytest.raises(OutsideError):
        fetcher(NetSettings((ipaddress.ip_network("::1/128"),), timeout=2), hosts=hosts).get(
            "http://[::1]:1/"
        )
    assert list(hosts.states) == ["[::1]:1"]
