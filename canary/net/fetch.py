"""The fetcher: whatever leaves by HTTP leaves here, politely, guarded and within its time."""

from __future__ import annotations

import base64
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import httpcore
import httpx

from canary.errors import OutsideError, UsageError
from canary.net.body import read_body
from canary.net.guard import Deadline, Guard, Network, system_addresses
from canary.net.pace import Budget, Hosts, Later
from canary.ports import Clock

if TYPE_CHECKING:
    import ssl

MAX_REDIRECTS: Final = 5
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class NetSettings:
    """The [net] table: limits of every fetch; `timeout` in seconds for the whole of it."""

    allow_addresses: tuple[Network, ...] = ()
    timeout: float = 30.0
    max_bytes: int = 50_000_000
    host_requests_per_minute: int = 30
    user_agent: str = "canary-trace (leak monitoring by the owner of the data)"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a host answered; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


class Fetcher:
    """Fetches politely and safely; what it raises is an OutsideError. Safe to share between threads.

    `patience` is how many seconds it waits by itself for its own budget before it raises Later.
    """

    def __init__(
        self,
        settings: NetSettings,
        hosts: Hosts,
        clock: Clock,
        rng: random.Random,
        sleep: Callable[[float], object],
        monotonic: Callable[[], float],
        patience: float = 0.0,
        resolve: Callable[[str, int], Sequence[str]] = system_addresses,
    ) -> None:
        self._settings, self._clock, self._sleep, self._monotonic = settings, clock, sleep, monotonic
        self._patience, self._resolve = patience, resolve
        self._budget = Budget(settings.host_requests_per_minute, hosts, clock, rng)
        self._stopped = threading.Event()
        self._tls: ssl.SSLContext | None = None
        self._tls_lock = threading.Lock()

    def stop(self) -> None:
        """End running fetches within a second or two, and refuse new ones."""
        self._stopped.set()

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Reply:
        """Fetch a page, following up to 5 redirects, each of them checked and paid for."""
        target, sent = _parse(url), dict(headers or {})
        deadline = Deadline(self._settings.timeout, self._monotonic, self._stopped)
        for _ in range(MAX_REDIRECTS + 1):
            reply = self._exchange("GET", target, sent, None, deadline)
            place = reply.headers.get("location")
            if reply.status not in REDIRECTS or not place:
                return reply
            onward = _parse(place, target)
            if _host_of(onward) != _host_of(target) or onward.scheme != target.scheme:
                sent = {}  # nothing meant for one host is told to another
            target = onward
        raise OutsideError(
            f"{_host_of(target)} redirects more than {MAX_REDIRECTS} times", "check the address"
        )

    def post(self, url: str, body: bytes, headers: Mapping[str, str] | None = None) -> Reply:
        """Send a body under the same limits; redirects are not followed."""
        deadline = Deadline(self._settings.timeout, self._monotonic, self._stopped)
        return self._exchange("POST", _parse(url), dict(headers or {}), body, deadline)

    def _exchange(
        self, method: str, target: httpx.URL, headers: dict[str, str], body: bytes | None, deadline: Deadline
    ) -> Reply:
        host = _host_of(target)
        deadline.extend(self._enter(host))
        try:
            reply = self._send(method, target, headers, body, deadline)
        except httpcore.TimeoutException:
            if self._stopped.is_set():
                raise Later(host, self._clock.now_ms(), "the watch is stopping") from None
            raise OutsideError(
                f"no whole answer from {host} in {self._settings.timeout:g} s",
                "raise net.timeout if it is slow",
            ) from None
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            raise OutsideError(f"cannot fetch from {host}: {_said(error)}", "check that it is up") from None
        self._budget.heed(host, reply.status, reply.headers)
        return reply

    def _enter(self, host: str) -> float:
        """Spend one request of the budget; gives the seconds that were waited for it."""
        waited = 0.0
        while True:
            try:
                self._budget.enter(host)
                return waited
            except Later as later:
                wait = max(0.05, (later.until_ms - self._clock.now_ms()) / 1000)
                if not later.own or waited + wait > self._patience or self._stopped.is_set():
                    raise
                self._sleep(wait)
                waited += wait

    def _send(
        self, method: str, target: httpx.URL, headers: dict[str, str], body: bytes | None, deadline: Deadline
    ) -> Reply:
        names = {name.lower() for name in headers}
        own = {"User-Agent": self._settings.user_agent, "Accept": "*/*", "Accept-Encoding": "gzip"}
        if target.userinfo:
            own["Authorization"] = "Basic " + base64.b64encode(target.userinfo).decode()
        sent = {name: value for name, value in own.items() if name.lower() not in names} | headers
        lines = [(_wire(name), _wire(value)) for name, value in sent.items()]
        guard = Guard(self._settings.allow_addresses, self._resolve, deadline)
        where = str(target.copy_with(userinfo=None, fragment=None))
        with (
            httpcore.ConnectionPool(ssl_context=self._context(target), network_backend=guard) as pool,
            pool.stream(method, where, headers=lines, content=body) as response,
        ):
            got = {name.decode("latin-1").lower(): _text(value) for name, value in response.headers}
            whole = read_body(response.iter_stream(), got, self._settings.max_bytes, _host_of(target))
            return Reply(response.status, got, whole, where)

    def _context(self, target: httpx.URL) -> ssl.SSLContext | None:
        if target.scheme != "https":
            return None
        with self._tls_lock:
            if self._tls is None:
                self._tls = httpx.create_ssl_context()
            return self._tls


def _parse(url: str, base: httpx.URL | None = None) -> httpx.URL:
    try:
        parsed = base.join(url) if base is not None else httpx.URL(url)
        good = parsed.scheme in ("http", "https") and bool(parsed.raw_host)
    except (httpx.InvalidURL, ValueError, UnicodeError):
        good = False
    if not good:
        kind = UsageError if base is None else OutsideError
        raise kind("not an http or https address", "give one such as https://example.org/feed")
    return parsed


def _host_of(url: httpx.URL) -> str:
    port = url.port or (443 if url.scheme == "https" else 80)
    host = url.raw_host.decode("ascii", "replace").lower()
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _wire(text: str) -> bytes:
    return text.encode("latin-1", "replace")


def _text(wire: bytes) -> str:
    return wire.decode("latin-1")


def _said(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return text[0][:200] if text else type(error).__name__
