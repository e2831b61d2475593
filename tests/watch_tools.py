"""What the tests of watching share: a registry with canaries, hand-set clocks, and hostile web servers on loopback."""

from __future__ import annotations

import ipaddress
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from canary.keys import Keys
from canary.ledger.note import Signer
from canary.model.canary import Canary, CanaryField, Placement, Release, ReleaseState
from canary.model.data import DatasetVersion
from canary.model.people import Contact, ContactKind, Recipient, RecipientKind
from canary.model.sight import Match
from canary.net.fetch import Fetcher, NetSettings, Reply
from canary.net.pace import Hosts, MemoryHosts
from canary.steps.lookout import Look, Thing
from canary.store import canaries, contacts, datasets, recipients, releases
from canary.store.registry import Registry

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
SIGNER = Signer(bytes(range(1, 33)))
NOW_MS = 1_750_000_000_000
DATASET = "waybills"


@dataclass
class HandClock:
    """A clock that moves when it is told to."""

    ms: int = NOW_MS

    def now_ms(self) -> int:
        return self.ms


class RealClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


@dataclass
class Planted:
    """A canary as the tests know it."""

    id: str
    recipient: str
    alias: str
    phone: str
    waybill: str
    release: str


def alias(number: int) -> str:
    return f"zhang.wei{number:08d}@alias.example.com"


def phone(number: int) -> str:
    return f"140{number:08d}"


def plant(
    registry: Registry,
    count: int,
    recipient: str = "acme",
    first: int = 0,
    phones: int = 0,
    control: bool = False,
) -> list[Planted]:
    """Issue canaries of one release to a recipient; `phones` is how many numbers they have in common (0: none)."""
    release = f"r-{recipient}-{first}"
    made: list[Planted] = []
    nouns: list[Canary] = []
    with registry.begin() as tx:
        if recipients.get(tx, recipient) is None:
            recipients.add(tx, Recipient(recipient, RecipientKind.PARTNER))
        recipients.ensure_ghosts(tx, DATASET, 8, NOW_MS)
        datasets.put_version(tx, DatasetVersion("0" * 64, DATASET, ("a", "b"), ""))
        if not control:
            releases.add(tx, release_of(release, recipient, count))
        for number in range(first, first + count):
            number_phone = phone(number if not phones else number % phones)
            one = Planted(
                f"c-{number}",
                recipient,
                alias(number),
                number_phone,
                f"YT{9_000_000_000_000 + number}",
                release,
            )
            if not contacts.find(tx, ContactKind.PHONE, one.phone):
                contacts.add(tx, Contact(ContactKind.PHONE, one.phone))
            made.append(one)
            nouns.append(canary_of(one, shared=bool(phones), control=control))
        places = [Placement(one.id, release, at) for at, one in enumerate(made)] if not control else []
        canaries.issue(tx, nouns, places)
    return made


def canary_of(one: Planted, shared: bool = False, control: bool = False) -> Canary:
    fields = (
        CanaryField("email", "邮箱", one.alias, one.alias, 40.0),
        CanaryField("phone", "电话", one.phone, one.phone, 5.0 if shared else 8.0, True),
        CanaryField("waybill_no", "运单号", one.waybill, one.waybill, 23.0),
    )
    row = {each.column: each.value for each in fields}
    return Canary(one.id, one.recipient, DATASET, "waybill", fields, row, control=control, issued_ms=NOW_MS)


def release_of(name: str, recipient: str, count: int) -> Release:
    return Release(
        name, f"identity-{name}", DATASET, "0" * 64, recipient, "export", ReleaseState.DONE, "in.csv", "out.csv",
        "csv", 10, 10 + count, count, 0, "0" * 64, "1" * 64, NOW_MS - 1000,
    )  # fmt: skip


@contextmanager
def fresh_registry(folder: Path) -> Iterator[Registry]:
    registry = Registry.create(f"sqlite:///{folder / 'canary.db'}", Keys(bytes(range(32))))
    try:
        yield registry
    finally:
        registry.close()


@dataclass
class PlainEyes:
    """Finds the planted values as plain text, which is all these tests need."""

    planted: Sequence[Planted]
    looked: list[str] = field(default_factory=list)

    def look_all(self, things: Sequence[Thing]) -> list[Look]:
        return [self.look(*each) for each in things]

    def look(self, name: str, data: bytes | Path) -> Look:
        self.looked.append(name)
        text = (data.read_bytes() if isinstance(data, Path) else data).decode("utf-8", "replace")
        found = []
        for one in self.planted:
            roles = {"email": one.alias, "phone": one.phone, "waybill_no": one.waybill}
            hits = tuple(role for role, value in roles.items() if value in text)
            if hits:
                strong = "email" in hits or len(hits) > 1
                found.append(
                    Match(
                        one.id,
                        hits[0],
                        hits,
                        "plain",
                        "strong" if strong else "weak",
                        expected_chance_hits=1e-9 if strong else 0.5,
                    )
                )
        return Look(tuple(found))


Answering = Callable[["Site", BaseHTTPRequestHandler], None]


@dataclass
class Site:
    """A web site on loopback whose answers a test sets, and which notes every request."""

    port: int = 0
    pages: dict[str, Answering] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    ending: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def page(self, path: str, body: bytes, status: int = 200, **headers: str) -> None:
        """Set a page; `_` in header names stands for a dash."""

        def answer(_site: Site, handler: BaseHTTPRequestHandler) -> None:
            send(handler, status, body, {name.replace("_", "-"): value for name, value in headers.items()})

        self.pages[path] = answer


def send(
    handler: BaseHTTPRequestHandler, status: int, body: bytes, headers: Mapping[str, str] | None = None
) -> None:
    handler.send_response(status)
    given = {"Content-Length": str(len(body)), **(headers or {})}
    for name, value in given.items():
        handler.send_header(name, value)
    handler.end_headers()
    if status != 304:
        handler.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent: clients of these tests hang up on purpose."""


@contextmanager
def web_site() -> Iterator[Site]:
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.times.append(time.monotonic())
            site.asked.append(self.path)
            site.headers.append({name.lower(): value for name, value in self.headers.items()})
            site.bodies.append(self.rfile.read(int(self.headers.get("content-length") or 0)))
            answer = site.pages.get(self.path.partition("?")[0])
            if answer is None:
                send(self, 404, b"")
            else:
                answer(site, self)

        do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Stay silent."""

    server = _Server(("127.0.0.1", 0), Handler)
    site.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        site.ending.set()
        server.shutdown()
        server.server_close()
        thread.join()


def fetcher(
    settings: NetSettings | None = None,
    clock: HandClock | RealClock | None = None,
    hosts: Hosts | None = None,
    patience: float = 0.0,
    sleep: Callable[[float], object] = time.sleep,
    resolve: Callable[[str, int], Sequence[str]] | None = None,
) -> Fetcher:
    """Make a fetcher that may call loopback."""
    more = {} if resolve is None else {"resolve": resolve}
    return Fetcher(
        settings or NetSettings(LOOPBACK, timeout=5, host_requests_per_minute=1000),
        hosts if hosts is not None else MemoryHosts(),
        clock or RealClock(),
        random.Random(7),
        sleep,
        time.monotonic,
        patience,
        **more,
    )


@dataclass
class CannedFetch:
    """A fetch that answers from a table and notes what was asked."""

    pages: dict[str, Reply | Exception]
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Reply:
        self.asked.append((url, dict(headers or {})))
        answer = self.pages[url]
        if isinstance(answer, Exception):
            raise answer
        return answer


def reply(body: bytes | str = b"", status: int = 200, **headers: str) -> Reply:
    whole = body.encode() if isinstance(body, str) else body
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, whole, "")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(done: Callable[[], bool], seconds: float = 15.0) -> None:
    """Wait until something is so, or fail."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.02)
