"""What every polled monitor keeps to: new once, then nothing new; changes told; bad sources are outside errors."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from canary.errors import OutsideError, UsageError
from canary.model.sight import Item, Poll
from canary.monitors import kind_names, load_kind
from canary.net.fetch import NetSettings
from canary.net.pace import Later
from canary.ports import Fetch, Monitor
from tests.watch_tools import LOOPBACK, Site, fetcher, send, web_site

QUICK = NetSettings(LOOPBACK, timeout=1, max_bytes=200_000, host_requests_per_minute=10_000)
CALL = (
    '"","{src}","{dst}","in","""x"" <{src}>","SIP/1","","Hangup","","2026-01-01 10:00:{n:02d}","",'
    '"2026-01-01 10:00:59",5,0,"NO ANSWER","DOCUMENTATION","{n}.1",""\n'
)


@dataclass
class World:
    """One kind of source that a test can fill, change and break."""

    kind: str
    monitor: Monitor
    add: Callable[[int], None]  # puts item n where the monitor looks
    change: Callable[[int], None] | None  # changes item n
    fetch: Fetch

    def poll(self, cursor: str | None) -> Poll:
        return self.monitor.poll(cursor, self.fetch)

    def all_of(self, cursor: str | None) -> tuple[list[Item], str, bool]:
        """Poll until there is no more; gives the items, the cursor and whether there was a gap."""
        items: list[Item] = []
        gap = False
        for _ in range(50):
            poll = self.poll(cursor)
            items.extend(poll.items)
            cursor, gap = poll.cursor, gap or poll.gap
            if not poll.more:
                return items, cursor, gap
        raise AssertionError("it never had enough")


def rss_world(site: Site, folder: Path) -> World:
    entries: dict[int, str] = {}

    def show() -> None:
        items = "".join(
            f"<item><guid>g{n}</guid><title>t{n}</title><description>{text}</description></item>"
            for n, text in reversed(entries.items())
        )
        site.page(
            "/feed", f'<?xml version="1.0"?><rss version="2.0"><channel>{items}</channel></rss>'.encode()
        )

    return _texts("feed", {"url": f"{site.url}/feed"}, entries, show)


def atom_world(site: Site, folder: Path) -> World:
    entries: dict[int, str] = {}

    def show() -> None:
        items = "".join(
            f"<entry><id>urn:{n}</id><title>t{n}</title><content>{text}</content></entry>"
            for n, text in reversed(entries.items())
        )
        site.page("/feed", f'<feed xmlns="http://www.w3.org/2005/Atom">{items}</feed>'.encode())

    return _texts("feed", {"url": f"{site.url}/feed"}, entries, show)


def json_world(site: Site, folder: Path) -> World:
    entries: dict[int, str] = {}

    def show() -> None:
        items = [
            {"id": f"j{n}", "content_text": text, "title": "标题"} for n, text in reversed(entries.items())
        ]
        feed = {"version": "https://jsonfeed.org/version/1.1", "title": "x", "items": items}
        site.page("/feed", json.dumps(feed).encode())

    return _texts("feed", {"url": f"{site.url}/feed"}, entries, show)


def paste_world(site: Site, folder: Path) -> World:
    entries: dict[int, str] = {}

    def show() -> None:
        listed = [
            {"key": f"k{n}", "scrape_url": f"{site.url}/raw/{n}", "date": str(n), "title": "x"}
            for n in reversed(entries)
        ]
        site.page("/list", json.dumps(listed).encode())
        for n, text in entries.items():
            site.page(f"/raw/{n}", text.encode())

    return _texts("paste", {"list_url": f"{site.url}/list"}, entries, show, changes=False)


def drop_world(site: Site, folder: Path) -> World:
    entries: dict[int, str] = {}

    def show() -> None:
        for n, text in entries.items():
            path = folder / "sub" / f"dump{n}.txt"
            path.parent.mkdir(exist_ok=True)
            if not path.exists() or path.read_text() != text:
                path.write_text(text)
                os.utime(path, ns=(time.time_ns() - 10**10 + len(text), time.time_ns() - 10**10 + len(text)))

    return _texts("drop", {"path": str(folder)}, entries, show)


def url_world(site: Site, folder: Path) -> World:
    entries: dict[int, str] = {}

    def show() -> None:
        site.page("/page", "".join(entries.values()).encode())

    return _texts("url", {"url": f"{site.url}/page"}, entries, show)


def described_world(site: Site, folder: Path) -> World:
    """A list of another shape than Pastebin's, its texts in the list itself."""
    entries: dict[int, str] = {}

    def show() -> None:
        posts = [
            {"no": n, "body": {"text": text}, "board": {"name": "x"}} for n, text in reversed(entries.items())
        ]
        site.page("/list", json.dumps({"data": {"posts": posts}}).encode())

    shape = {"items": "data.posts", "key": "no", "text": "body.text", "told": ["board.name"]}
    return _texts("paste", {"list_url": f"{site.url}/list", "list": shape}, entries, show, changes=False)


def gists_world(site: Site, folder: Path) -> World:
    entries: dict[int, str] = {}

    def show() -> None:
        listed = []
        for n, text in reversed(entries.items()):
            place = f"/raw/{n}/{len(text)}"
            site.page(place, text.encode())
            files = {"a.txt": {"filename": "a.txt", "raw_url": site.url + place}}
            listed.append({"id": f"g{n}", "files": files, "owner": {"login": "x"}, "updated_at": "2026"})
        site.page("/gists/public", json.dumps(listed).encode())

    return _texts("gists", {"api": site.url}, entries, show)


def events_world(site: Site, folder: Path) -> World:
    entries: dict[int, str] = {}

    def show() -> None:
        listed = [
            {"id": str(n), "type": "IssuesEvent", "payload": {"issue": {"body": text}}}
            for n, text in reversed(entries.items())
        ]
        site.page("/events", json.dumps(listed).encode())

    return _texts("gists", {"api": site.url, "what": "events"}, entries, show, changes=False)


def hibp_world(site: Site, folder: Path) -> World:
    entries: dict[int, str] = {}

    def show() -> None:
        told = {text.replace(" ", "."): [f"Breach{n}"] for n, text in entries.items()}
        site.page("/breacheddomain/alias.example.com", json.dumps(told).encode())

    settings = {"api": site.url, "domain": "Alias.Example.com", "api_key": "k"}
    return _texts("hibp", settings, entries, show)


def telegram_world(site: Site, folder: Path) -> World:
    entries: dict[int, str] = {}

    def show() -> None:
        messages = [
            {
                "id": n, "type": "message", "date": f"2026-01-{n:02d}T10:00:00", "date_unixtime": str(n), "from": "x",
                "text": [text[:3], {"type": "phone", "text": text[3:]}],
            }
            for n, text in entries.items()
        ]  # fmt: skip
        told = {"name": "chat", "type": "private_supergroup", "id": 5, "messages": messages}
        _put(folder / "exports" / "result.json", json.dumps(told))

    (folder / "exports").mkdir(exist_ok=True)
    return _texts("chat", {"path": str(folder / "exports")}, entries, show)


def qq_world(site: Site, folder: Path) -> World:
    entries: dict[int, str] = {}

    def show() -> None:
        said = "".join(
            f"2026-01-{n:02d} 10:00:00 昵称(12345)\r\n{text}\r\n\r\n" for n, text in entries.items()
        )
        _put(folder / "exports" / "群.txt", said)

    (folder / "exports").mkdir(exist_ok=True)
    return _texts("chat", {"path": str(folder / "exports")}, entries, show)


def bot_world(site: Site, folder: Path) -> World:
    entries: dict[int, str] = {}

    def answer(site: Site, handler: BaseHTTPRequestHandler) -> None:
        asked = parse_qs(urlsplit(handler.path).query)
        begin = int(asked.get("offset", ["0"])[0])
        result = [
            {"update_id": n, "message": {"message_id": n, "date": n, "chat": {"id": -5}, "text": text}}
            for n, text in entries.items()
            if n >= begin
        ]
        send(handler, 200, json.dumps({"ok": True, "result": result[:100]}).encode())

    def show() -> None:
        site.pages["/bot1:token/getUpdates"] = answer

    return _texts("chat", {"api": site.url, "token": "1:token"}, entries, show, changes=False)


def _put(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")
    before = time.time_ns() - 10**10 + len(text)
    os.utime(path, ns=(before, before))


def asterisk_world(site: Site, folder: Path) -> World:
    path = folder / "Master.csv"
    path.touch()

    def add(n: int) -> None:
        with path.open("a") as file:
            file.write(CALL.format(src="13900000000", dst=f"1400000{n:04d}", n=n))

    return World(
        "asterisk", load_kind("asterisk").monitor({"path": str(path), "utc": True}), add, None, fetcher(QUICK)
    )


def access_world(site: Site, folder: Path) -> World:
    path = folder / "access.jsonl"
    path.touch()

    def add(n: int) -> None:
        with path.open("a") as file:
            file.write(json.dumps({"account": f"a{n}", "time": n, "text": f"item {n}"}) + "\n")

    settings = {"path": str(path), "format": "jsonl"}
    return World("access_log", load_kind("access_log").monitor(settings), add, None, fetcher(QUICK))


def _texts(
    kind: str,
    settings: dict[str, object],
    entries: dict[int, str],
    show: Callable[[], None],
    changes: bool = True,
) -> World:
    def add(n: int) -> None:
        entries[n] = f"item {n}"
        show()

    def change(n: int) -> None:
        entries[n] = f"item {n} changed"
        show()

    show()
    return World(kind, load_kind(kind).monitor(settings), add, change if changes else None, fetcher(QUICK))


WORLDS = [
    rss_world, atom_world, json_world, paste_world, drop_world, url_world, asterisk_world, access_world,
    described_world, gists_world, events_world, hibp_world, telegram_world, qq_world, bot_world,
]  # fmt: skip
WEB = [rss_world, paste_world, url_world, gists_world, hibp_world, bot_world]
PAGES = (
    "/feed",
    "/list",
    "/page",
    "/gists/public",
    "/breacheddomain/alias.example.com",
    "/bot1:token/getUpdates",
)
UNCHANGING = [paste_world, asterisk_world, access_world, described_world, events_world, bot_world]
MakeWorld = Callable[[Site, Path], World]


@pytest.fixture
def site() -> Iterator[Site]:
    with web_site() as made:
        yield made


@pytest.mark.parametrize("make", WORLDS)
def test_new_once_then_nothing_new(make: MakeWorld, site: Site, tmp_path: Path) -> None:
    world = make(site, tmp_path)
    for n in (1, 2, 3):
        world.add(n)
    items, cursor, gap = world.all_of(None)
    assert len(items) == (1 if world.kind == "url" else 3)
    assert len({item.key for item in items}) == len(items)
    assert not gap
    assert all(item.raw for item in items)
    again, cursor, gap = world.all_of(cursor)
    assert (again, gap) == ([], False)
    world.add(4)
    newer, cursor, gap = world.all_of(cursor)
    assert len(newer) == 1
    assert not gap
    assert b"4" in newer[0].raw
    assert world.all_of(cursor)[0] == []


@pytest.mark.parametrize("make", WORLDS)
def test_a_repeated_poll_names_items_alike(make: MakeWorld, site: Site, tmp_path: Path) -> None:
    """After kill -9 the same poll runs again: the registry must recognise what it stored."""
    world = make(site, tmp_path)
    for n in (1, 2):
        world.add(n)
    first, _, _ = world.all_of(None)
    second, _, _ = world.all_of(None)
    assert [(item.key, item.raw) for item in first] == [(item.key, item.raw) for item in second]


@pytest.mark.parametrize("make", [one for one in WORLDS if one not in UNCHANGING])
def test_what_changes_is_told_again(make: MakeWorld, site: Site, tmp_path: Path) -> None:
    world = make(site, tmp_path)
    for n in (1, 2):
        world.add(n)
    _, cursor, _ = world.all_of(None)
    assert world.change is not None
    world.change(1)
    items, cursor, gap = world.all_of(cursor)
    assert len(items) == 1
    assert b"changed" in items[0].raw
    assert not gap
    assert world.all_of(cursor)[0] == []


@pytest.mark.parametrize("make", WORLDS)
@pytest.mark.parametrize(
    "cursor", ["", "nonsense", "[]", "{}", '{"seen": 5, "files": [], "offset": "x", "waiting": {}}']
)
def test_a_cursor_of_something_else_is_no_cursor(
    make: MakeWorld, cursor: str, site: Site, tmp_path: Path
) -> None:
    world = make(site, tmp_path)
    world.add(1)
    items, _, gap = world.all_of(cursor)
    assert len(items) == 1
    assert not gap


@pytest.mark.parametrize("make", WEB)
def test_a_dead_source_is_an_outside_error(make: MakeWorld, tmp_path: Path) -> None:
    with web_site() as dead:
        world = make(dead, tmp_path)
    with pytest.raises(OutsideError):
        world.poll(None)


@pytest.mark.parametrize("make", WEB)
@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_an_error_page_is_an_outside_error(make: MakeWorld, status: int, site: Site, tmp_path: Path) -> None:
    world = make(site, tmp_path)
    if (world.kind, status) == ("hibp", 404):
        status = 410  # there, 404 says that nothing was found
    for path in PAGES:
        site.page(path, b"sorry", status)
    with pytest.raises(OutsideError, match=str(status)):
        world.poll(None)


@pytest.mark.parametrize("make", WEB)
def test_a_busy_source_wants_peace(make: MakeWorld, site: Site, tmp_path: Path) -> None:
    world = make(site, tmp_path)
    for path in PAGES:
        site.page(path, b"", 429, Retry_After="5")
    before = len(site.asked)
    for _ in range(20):
        with pytest.raises(Later):
            world.poll(None)
    assert len(site.asked) - before <= 2  # the page, and robots.txt before it


HOSTILE = [
    b"",
    b"\x00" * 1000,
    b"<html><body>we moved</body></html>",
    b"[" * 100_000,
    b'{"items": 5}',
    b"{",
    b"/etc/passwd",
]


HOSTILE_LISTS = [rss_world, paste_world, described_world, gists_world, events_world, hibp_world, bot_world]


@pytest.mark.parametrize("make", HOSTILE_LISTS)
@pytest.mark.parametrize("body", HOSTILE)
def test_what_is_no_feed_is_an_outside_error(
    make: MakeWorld, body: bytes, site: Site, tmp_path: Path
) -> None:
    world = make(site, tmp_path)
    for path in (*PAGES, "/events"):
        site.page(path, body)
    with pytest.raises(OutsideError):
        world.poll(None)


@pytest.mark.parametrize("make", [rss_world, url_world, bot_world])
def test_a_slow_source_ends_in_time(make: MakeWorld, site: Site, tmp_path: Path) -> None:
    world = make(site, tmp_path)
    world.fetch = fetcher(replace(QUICK, timeout=0.3))
    for path in PAGES:
        site.pages[path] = lambda site, handler: site.ending.wait(10) and None
    began = time.monotonic()
    with pytest.raises(OutsideError):
        world.poll(None)
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    ("make", "path"), [(rss_world, "/feed"), (url_world, "/page"), (gists_world, "/gists/public")]
)
def test_what_did_not_change_is_not_sent(make: MakeWorld, path: str, site: Site, tmp_path: Path) -> None:
    world = make(site, tmp_path)
    world.add(1)
    inner = site.pages[path]

    def answer(site: Site, handler: object) -> None:
        if site.headers[-1].get("if-none-match") == '"v1"':
            assert site.headers[-1]["if-modified-since"] == "Thu, 01 Jan 2026 00:00:00 GMT"
            send(handler, 304, b"")  # type: ignore[arg-type]
            return
        inner(site, Tagging(handler))  # type: ignore[arg-type]

    class Tagging:
        def __init__(self, handler: object) -> None:
            self._handler = handler

        def __getattr__(self, name: str) -> object:
            return getattr(self._handler, name)

        def end_headers(self) -> None:
            self._handler.send_header("ETag", '"v1"')  # type: ignore[attr-defined]
            self._handler.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")  # type: ignore[attr-defined]
            self._handler.end_headers()  # type: ignore[attr-defined]

    site.pages[path] = answer
    items, cursor, _ = world.all_of(None)
    assert len(items) == 1
    poll = world.poll(cursor)
    assert (poll.items, poll.cursor, poll.gap) == ((), cursor, False)


@pytest.mark.parametrize(
    "make", [rss_world, paste_world, described_world, gists_world, events_world, bot_world]
)
def test_a_list_that_shares_nothing_with_the_last_has_a_gap(
    make: MakeWorld, site: Site, tmp_path: Path
) -> None:
    world = make(site, tmp_path)
    world.add(1)
    _, cursor, _ = world.all_of(None)
    other = make(site, tmp_path)
    other.add(7)
    items, cursor, gap = other.all_of(cursor)
    assert gap
    assert len(items) == 1
    assert other.all_of(cursor) == ([], other.poll(cursor).cursor, False)


SETTINGS: dict[str, dict[str, object]] = {
    "feed": {"url": "https://x.example/"},
    "url": {"url": "https://x.example/"},
    "paste": {"list_url": "https://x.example/"},
    "drop": {"path": "dumps"},
    "asterisk": {"path": "Master.csv"},
    "access_log": {"path": "access.log", "format": "combined"},
    "gists": {"what": "events"},
    "hibp": {"domain": "x.example", "api_key": "k"},
    "imap": {"url": "imaps://user@mail.example/INBOX", "password": "p"},
    "chat": {"path": "exports"},
    "smtp": {"listen": "127.0.0.1:0"},
    "sip": {"listen": "127.0.0.1:0"},
    "phone": {"listen": "127.0.0.1:0", "generic": {"secret": "s"}},
}


def test_every_kind_is_tested_here() -> None:
    assert set(kind_names()) == set(SETTINGS)


@pytest.mark.parametrize("kind", sorted(SETTINGS))
def test_settings_are_checked(kind: str) -> None:
    module = load_kind(kind)
    make = getattr(module, "monitor", None) or module.receiver
    make(SETTINGS[kind])
    with pytest.raises(UsageError, match="surprise"):
        make({**SETTINGS[kind], "surprise": 1})
    for key in SETTINGS[kind]:
        if key != "what":  # the one that has a default
            with pytest.raises(UsageError):
                make({name: value for name, value in SETTINGS[kind].items() if name != key})
        with pytest.raises(UsageError):
            make({**SETTINGS[kind], key: 5})


def test_an_unknown_kind_names_the_known_ones() -> None:
    with pytest.raises(UsageError) as told:
        load_kind("telepathy")
    assert "paste" in told.value.hint
    for name in ("__init__", "parts", "../smtp"):
        with pytest.raises(UsageError):
            load_kind(name)
