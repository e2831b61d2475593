"""kill -9 during `watch`: no acknowledged mail, dropped file or feed entry is lost, and none is seen twice."""

from __future__ import annotations

import csv
import random
import signal
import smtplib
import socket
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests.kill import harness
from tests.watch_tools import Site, send, web_site

READY_SECONDS = 30
SETTLE_SECONDS = 60
END_SECONDS = 15
MOMENT_SECONDS = 1.2


@dataclass
class Post:
    """A mail client that sends until told to stop, and keeps what was not acknowledged for another try."""

    port: int
    aliases: list[str]
    acknowledged: set[str] = field(default_factory=set)
    waiting: dict[str, str] = field(default_factory=dict)
    sent: int = 0
    answered: threading.Event = field(default_factory=threading.Event)

    def send_until(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self.sent += 1
            name = f"<{self.sent}@sender.example>"
            self.waiting[name] = self.aliases[self.sent % len(self.aliases)]
            if not self.try_again():
                return

    def try_again(self) -> bool:
        """Send what waits, as a mail server does that got no answer: the same bytes again."""
        try:
            with smtplib.SMTP("127.0.0.1", self.port, timeout=10) as client:
                for name, alias in list(self.waiting.items()):
                    client.sendmail("spam@sender.example", [alias], mail(name, alias))
                    self.acknowledged.add(name)
                    del self.waiting[name]
                    self.answered.set()
        except (OSError, smtplib.SMTPException):
            return False
        return True


def mail(name: str, alias: str) -> bytes:
    head = f"From: spam@sender.example\r\nTo: {alias}\r\nMessage-ID: {name}\r\nSubject: loan\r\n"
    return f"{head}\r\ncheap loans, {name[1:-1]}\r\n".encode()


def drop(folder: Path, number: int, row: dict[str, str]) -> None:
    """Put a file into the watched folder as uploads do: written beside it, then renamed."""
    draft = folder.parent / f"draft-{number}"
    draft.write_text(f"dump {number}\n" + ",".join(row.values()) + "\n", "utf-8")
    draft.rename(folder / f"dump-{number}.txt")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_open(port: int) -> None:
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    pytest.fail("watch did not open its port")


@pytest.fixture
def home(tmp_path: Path) -> harness.Home:
    made = harness.make_home(tmp_path, ["acme"])
    harness.write_table(tmp_path / "in.csv", 500)
    made.call("tag", "in.csv", "--recipient", "acme", "--output", "acme.csv", "--canaries", "40")
    return made


def canary_rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "acme.csv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["邮箱"].endswith("@" + harness.DOMAIN)]


@pytest.mark.parametrize("kills", [3, pytest.param(70, marks=pytest.mark.soak)])
def test_watch(kills: int, home: harness.Home) -> None:
    port, dumps = free_port(), home.folder / "dumps"
    dumps.mkdir()
    rows = canary_rows(home.folder)
    assert len(rows) == 40
    with web_site() as site:
        growing(site, rows)
        settings(home, port, dumps, site.url)
        killed(home, Post(port, [row["邮箱"] for row in rows]), rows, kills, dumps)


def growing(site: Site, rows: list[dict[str, str]]) -> None:
    """Put up a feed that has one entry more at each request, and all of before."""
    served = [0]

    def answer(_site: Site, handler: BaseHTTPRequestHandler) -> None:
        served[0] += 1
        entries = "".join(
            f"<item><guid>{at}</guid>{rows[at % len(rows)]['邮箱']}</item>" for at in range(served[0])
        )
        send(handler, 200, f"<rss version='2.0'><channel>{entries}</channel></rss>".encode())

    site.pages["/feed"] = answer


def settings(home: harness.Home, port: int, dumps: Path, url: str) -> None:
    path = home.path / "config.toml"
    text = path.read_text("utf-8").replace("allow_addresses = []", 'allow_addresses = ["127.0.0.0/8"]')
    text = text.replace("host_requests_per_minute = 30", "host_requests_per_minute = 6000")
    path.write_text(text, "utf-8")
    with (home.path / "config.toml").open("a", encoding="utf-8") as config:
        config.write(f'\n[monitors.smtp]\nlisten = "127.0.0.1:{port}"\n')
        config.write(f'\n[monitors.dumps]\nkind = "drop"\npath = "{dumps}"\ninterval = 1\n')
        config.write(f'\n[monitors.news]\nkind = "feed"\nurl = "{url}/feed"\ninterval = 0.2\n')


def killed(home: harness.Home, post: Post, rows: list[dict[str, str]], kills: int, dumps: Path) -> None:
    chance = random.SystemRandom()
    for number in range(kills):
        drop(dumps, number, rows[number % len(rows)])
        one_kill(home, post, chance.uniform(0.0, MOMENT_SECONDS), number % 3 > 0)
        home.counts["while a mail was under way" if post.waiting else "between two mails"] += 1
        harness.check_registry(home)
        check_sightings(home, post)
    settle(home, post, kills)
    entries = sum(one["source"] == "news" for one in home.call("sighting", "list"))
    what = f"{len(post.acknowledged)} mails acknowledged, {kills} files dropped, {entries} entries of a feed"
    mails = f"{what}: each seen exactly once"
    print(harness.told("watch", home, 0, MOMENT_SECONDS) + f"; {mails}")


def one_kill(home: harness.Home, post: Post, moment: float, settled: bool) -> None:
    """Kill the watch at a moment after it listened or, where `settled`, after its first answer."""
    process = home.start("watch")
    post.answered.clear()
    try:
        wait_until_open(post.port)
        stop = threading.Event()
        sender = threading.Thread(target=post.send_until, args=(stop,))
        sender.start()
        if settled:
            post.answered.wait(READY_SECONDS)
        time.sleep(moment)
    finally:
        harness.kill(process)
    stop.set()
    sender.join()


def check_sightings(home: harness.Home, post: Post) -> dict[str, int]:
    """Check that what was acknowledged is there, once, and give the number of sightings a kind."""
    seen = home.call("sighting", "list")
    mails = Counter(one["detail"]["message_id"] for one in seen if one["source"] == "smtp")
    bare = {name.strip("<>") for name in post.acknowledged}
    known = Counter({name.strip("<>"): count for name, count in mails.items()})
    assert bare - set(known) == set()
    assert {name: count for name, count in known.items() if count > 1} == {}
    files = Counter(one["sha256"] for one in seen if one["source"] == "dumps")
    assert all(count == 1 for count in files.values())
    assert all(one["matches"] for one in seen)
    entries = sorted(int(one["item"]) for one in seen if one["source"] == "news")
    assert entries == list(range(len(entries)))
    return {"mails": len(known), "files": len(files)}


def settle(home: harness.Home, post: Post, files: int) -> None:
    """Let it run undisturbed: what waited is sent again, every file is seen, and it ends when asked to."""
    process = home.start("watch")
    try:
        wait_until_open(post.port)
        assert post.try_again()
        end = time.monotonic() + SETTLE_SECONDS
        while check_sightings(home, post)["files"] < files and time.monotonic() < end:
            time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(END_SECONDS) == 0
    finally:
        harness.kill(process)
    assert check_sightings(home, post) == {"mails": post.sent, "files": files}
    harness.check_registry(home)
