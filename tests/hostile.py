"""A hostile web site on loopback: every way in which a source can harm a watch, each on a page of its own."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler

from tests.watch_tools import Site, send

RSS = b"<rss version='2.0'><channel><item><guid>%d</guid>x</item></channel></rss>"
BILLION = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><rss>&b;</rss>'


def _drip(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b"x")
        time.sleep(0.05)


def _endless(site: Site) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not site.ending.is_set():
            handler.wfile.write(b"x" * 65_536)

    return answer


def _hang(site: Site) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(_handler: BaseHTTPRequestHandler) -> None:
        site.ending.wait(20)

    return answer


def _nothing(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


def _lie(handler: BaseHTTPRequestHandler) -> None:
    send(handler, 200, b"abc", {"Content-Length": "10"})
    handler.close_connection = True


def make_hostile(site: Site) -> list[str]:
    """Put the pages up; gives their names. Every one must fail its source and nothing else."""
    site.page("/429", b"", 429, Retry_After="5")
    site.page("/429-bare", b"", 429)
    site.page("/503-date", b"", 503, Retry_After="Fri, 31 Dec 2100 23:59:59 GMT")
    site.page("/403-spent", b"", 403, X_RateLimit_Remaining="0", X_RateLimit_Reset="600")
    site.page("/500", b"", 500)
    site.page("/404", b"", 404)
    site.page("/loop", b"", 302, Location="/loop")
    site.page("/to-metadata", b"", 302, Location="http://169.254.169.254/latest/meta-data")
    site.page("/to-file", b"", 302, Location="file:///etc/passwd")
    site.page("/bomb", gzip.compress(bytes(30_000_000)), Content_Encoding="gzip")
    site.page("/half-gzip", gzip.compress(b"x" * 1000)[:-9], Content_Encoding="gzip")
    site.page("/not-gzip", b"plain", Content_Encoding="gzip")
    site.page("/brotli", b"x", Content_Encoding="br")
    site.page("/html", b"<html><body>hello</body></html>")
    site.page("/empty", b"")
    site.page("/billion", BILLION)
    site.page("/nested", b"<a>" * 100_000)
    site.page("/json", b'{"items": 5}')
    works = {"drip": _drip, "endless": _endless(site), "hang": _hang(site), "nothing": _nothing, "lie": _lie}
    for name, work in works.items():
        site.pages[f"/{name}"] = _answering(work)
    return sorted(path.strip("/") for path in site.pages)


def _answering(
    work: Callable[[BaseHTTPRequestHandler], None],
) -> Callable[[Site, BaseHTTPRequestHandler], None]:
    return lambda _site, handler: work(handler)
