"""Metrics for Prometheus (text format 0.0.4), served over HTTP where [metrics] says so."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final

from canary.daemon.health import SourceHealth, WatchHealth, watch_health
from canary.daemon.pacing import CLOSED, HALF_OPEN, OPEN
from canary.errors import CanaryError, OutsideError

if TYPE_CHECKING:
    from canary.daemon.watcher import Watcher

MEDIA: Final = "text/plain; version=0.0.4; charset=utf-8"
READ_SECONDS: Final = 5.0
STATES: Final = ("ok", "failing", "paused", "never", "stopped", "deaf")
LOG: Final = logging.getLogger("canary.watch")

Sample = tuple[Mapping[str, str], float]


def text_of(health: WatchHealth, leads: bool, arrivals: int) -> str:
    """Spell the metrics."""
    return "".join(_families(health, leads, arrivals))


def _families(health: WatchHealth, leads: bool, arrivals: int) -> Iterator[str]:
    each = health.sources

    def of(value: Callable[[SourceHealth], float | None]) -> list[Sample]:
        found = [({"source": one.name, "kind": one.kind}, value(one)) for one in each]
        return [(labels, number) for labels, number in found if number is not None]

    yield _family("source_up", "gauge", "1 while a source works", of(lambda one: one.state == "ok"))
    yield _family("source_state", "gauge", "1 for the state a source is in", _states(each, STATES, "state"))
    yield _family(
        "source_breaker", "gauge", "1 for the state of a source's breaker",
        _states(each, (CLOSED, OPEN, HALF_OPEN), "breaker"),
    )  # fmt: skip
    yield _family("source_lag_seconds", "gauge", "since a source last worked", of(lambda one: one.lag))
    yield _family("source_overdue_seconds", "gauge", "since a source is due", of(lambda one: one.overdue))
    yield _family(
        "source_gaps_total", "counter", "times something may have been missed", of(lambda one: one.gaps)
    )
    yield _family("source_polls_total", "counter", "polls that ended", of(lambda one: one.polls))
    yield _family("source_items_total", "counter", "items that were new", of(lambda one: one.items))
    yield _family("source_requests_total", "counter", "requests", of(lambda one: one.requests))
    yield _family("source_bytes_total", "counter", "bytes that were fetched", of(lambda one: one.bytes))
    yield _family("source_skipped_total", "counter", "slots that went by unrun", of(lambda one: one.skipped))
    share = of(lambda one: one.unchanged_share)
    yield _family("source_unchanged_ratio", "gauge", "share of requests answered 304", share)
    yield _family("leader", "gauge", "1 on the node that polls", [({}, leads)])
    yield _family("lease_token", "counter", "times that leadership changed hands", [({}, health.token)])
    yield _family("arrivals_waiting", "gauge", "arrivals not committed yet", [({}, arrivals)])
    about = "sightings whose bytes are not scanned yet"
    yield _family("unread_waiting", "gauge", about, [({}, health.unread)])
    about = "since the oldest of them came in"
    yield _family("unread_oldest_seconds", "gauge", about, [({}, health.unread_oldest)])
    yield _family("alerts_waiting", "gauge", "alerts that are not delivered", [({}, health.alerts_waiting)])
    about = "since the oldest alert is due"
    yield _family("alerts_oldest_seconds", "gauge", about, [({}, health.alerts_oldest)])
    broken = len(health.channels_broken)
    yield _family("channels_broken", "gauge", "channels that do not deliver", [({}, broken)])


def _states(each: Sequence[SourceHealth], states: Sequence[str], field: str) -> list[Sample]:
    return [
        ({"source": one.name, field: state}, getattr(one, field) == state) for one in each for state in states
    ]


def _family(name: str, kind: str, about: str, samples: Sequence[Sample]) -> str:
    head = f"# HELP canary_{name} {about}\n# TYPE canary_{name} {kind}\n"
    return head + "".join(f"canary_{name}{_labels(labels)} {_number(value)}\n" for labels, value in samples)


def _labels(labels: Mapping[str, str]) -> str:
    pairs = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{pairs}}}" if pairs else ""


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(round(value, 6))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent: a scraper that hangs up is no error."""


class MetricsServer:
    """Answers GET /metrics, and /healthz while the registry answers; OutsideError where it cannot listen."""

    def __init__(self, address: tuple[str, int], watcher: Watcher) -> None:
        self._watcher = watcher
        try:
            self._server = _Server(address, self._handler())
        except OSError as error:
            said = error.strerror or type(error).__name__
            raise OutsideError(
                f"cannot listen on {address[0]}:{address[1]}: {said}", "choose another metrics.listen"
            ) from None
        self.port = int(self._server.server_address[1])
        serve = self._server.serve_forever
        self._thread = threading.Thread(target=serve, args=(0.2,), name="canary-metrics", daemon=True)
        self._thread.start()

    def _answer(self, path: str) -> tuple[int, str]:
        if path not in ("/metrics", "/healthz"):
            return 404, "not found\n"
        watcher = self._watcher
        try:
            now = watcher.taker.clock.now_ms()
            health = watch_health(watcher.taker.registry, watcher.settings.sources, now)
        except CanaryError as error:
            LOG.warning("metrics: %s", error.message)
            return 503, "the registry does not answer\n"
        if path == "/healthz":
            return 200, "ok\n"
        return 200, text_of(health, watcher.leader.token is not None, watcher.waiting())

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        answer = self._answer

        class Handler(BaseHTTPRequestHandler):
            timeout = READ_SECONDS

            def do_GET(self) -> None:
                status, text = answer(self.path.partition("?")[0])
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Type", MEDIA)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Stay silent."""

        return Handler

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(2)
