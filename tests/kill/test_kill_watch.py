"""kill -9 during `watch`, over all receivers and feeds: nothing acknowledged is lost, and nothing is seen twice."""

from __future__ import annotations

import contextlib
import csv
import random
import signal
import sqlite3
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from canary.monitors import kind_names
from tests.kill import harness
from tests.kill.senders import SECRET, Mailbox, Sender, Surface, calls, hooks, mails, name_of
from tests.servers import answers, dovecot_server
from tests.watch_tools import free_port, until, web_site

READY_SECONDS = 60
SETTLE_SECONDS = 120
END_SECONDS = 15
MOMENT_SECONDS = 1.2
AFTER = ("a poll", "answers", "listening")
ROUNDS = 10  # of the soak, each in a home of its own
NUMBERS = [f"1401234{n:04d}" for n in range(20)]
AGAIN = {"page", "chats", "hibp"}  # sources that tell an item again when it has more in it


@dataclass
class World:
    """A home, who reaches it, and what surfaces."""

    home: harness.Home
    rows: list[dict[str, str]]
    senders: list[Sender]
    surface: Surface
    port: int  # of the mail listener

    def add(self) -> None:
        at = len(self.surface.texts)
        text = ",".join(self.rows[at % len(self.rows)].values()) + f",{at}"
        self.surface.add(text, NUMBERS[at % len(NUMBERS)])

    def waiting(self) -> bool:
        return any(one.waiting for one in self.senders)


@pytest.fixture(scope="module")
def mail_server() -> Iterator[int]:
    with dovecot_server() as (port, _, _):
        yield port


@pytest.fixture
def world(tmp_path: Path, mail_server: int) -> Iterator[World]:
    home = harness.make_home(tmp_path, ["acme"])
    (tmp_path / "numbers.csv").write_text("kind,value\n" + "".join(f"phone,{one}\n" for one in NUMBERS))
    home.call("contact", "import", "numbers.csv")
    harness.write_table(tmp_path / "in.csv", 500)
    home.call("tag", "in.csv", "--recipient", "acme", "--output", "acme.csv", "--canaries", "40")
    with (tmp_path / "acme.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["邮箱"].endswith("@" + harness.DOMAIN)]
    assert len(rows) == 40
    for name in ("dumps", "chats"):
        (tmp_path / name).mkdir()
    with web_site() as site:  # something has surfaced before the first start, and more does in each life
        ports = [free_port() for _ in range(3)]
        aliases = [row["邮箱"] for row in rows]
        senders = [
            Sender("smtp", mails(ports[0], aliases)),
            Sender("phone", hooks(ports[1], NUMBERS)),
            Sender("sip", calls(ports[2], NUMBERS)),
        ]
        mailbox = Mailbox(f"u{uuid.uuid4().hex[:8]}", mail_server)
        made = World(home, rows, senders, Surface(tmp_path, site, mailbox), ports[0])
        made.add()
        settings(made, ports)
        yield made


def settings(world: World, ports: list[int]) -> None:
    path = world.home.path / "config.toml"
    text = path.read_text("utf-8").replace("allow_addresses = []", 'allow_addresses = ["127.0.0.0/8"]')
    text = text.replace("host_requests_per_minute = 30", "host_requests_per_minute = 60000")
    tables: dict[str, dict[str, object]] = {
        one.source: {"listen": f"127.0.0.1:{port}"} for one, port in zip(world.senders, ports, strict=True)
    }
    tables["phone"]["generic"] = {"secret": SECRET}
    tables |= {name: {"interval": 0.3, **table} for name, table in world.surface.tables().items()}
    kinds = {str(table.get("kind", name)) for name, table in tables.items()}
    assert kinds == set(kind_names())
    lines = [line for name, table in tables.items() for line in toml(f"monitors.{name}", table)]
    path.write_text("\n".join([text, *lines]) + "\n", "utf-8")


def toml(name: str, table: dict[str, object]) -> Iterator[str]:
    yield f"[{name}]"
    for key, value in table.items():
        if not isinstance(value, dict):
            yield f"{key} = {str(value).lower() if isinstance(value, bool) else repr(value)}"
    for key, value in table.items():
        if isinstance(value, dict):
            yield from toml(f"{name}.{key}", value)


@pytest.mark.dovecot
@pytest.mark.parametrize(
    ("kills", "turn"), [(2, 0), *(pytest.param(100, n, marks=pytest.mark.soak) for n in range(ROUNDS))]
)
def test_watch(kills: int, turn: int, world: World) -> None:
    chance = random.SystemRandom()
    for number in range(kills):
        one_kill(world, chance.uniform(0.0, MOMENT_SECONDS), AFTER[number % len(AFTER)])
        world.home.counts["while something was under way" if world.waiting() else "between two"] += 1
        harness.check_registry(world.home)
        check_sightings(world)
    settle(world)
    seen = Counter(one["source"] for one in world.home.call("sighting", "list"))
    told = ", ".join(f"{count} of {source}" for source, count in sorted(seen.items()))
    print(harness.told("watch", world.home, 0, MOMENT_SECONDS) + f"; items seen exactly once: {told}")


@contextlib.contextmanager
def sending(world: World) -> Iterator[None]:
    stop = threading.Event()
    threads = [threading.Thread(target=one.send_until, args=(stop,)) for one in world.senders]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def one_kill(world: World, moment: float, after: str) -> None:
    """Kill the watch at a moment after it listened, after its first answers and requests, or its first poll."""
    for one in world.senders:
        one.answered.clear()
    asked, stored = len(world.surface.site.asked), polled(world.home)
    let_the_lease_run_out(world.home)
    process = world.home.start("watch")
    try:
        wait_until_open(world)
        with sending(world):
            if after != "listening":
                for one in world.senders:
                    one.answered.wait(READY_SECONDS)
                until(lambda: len(world.surface.site.asked) > asked, READY_SECONDS)
            if after == "a poll":
                world.add()  # the life before may have seen all there was
                until(lambda: polled(world.home) > stored, READY_SECONDS)
            time.sleep(moment / 2)
            world.add()
            time.sleep(moment / 2)
            harness.kill(process)
    finally:
        harness.kill(process)


def polled(home: harness.Home) -> int:
    """Count what was stored of sources that are polled and read, which comes last."""
    [(count,)] = home.rows("SELECT count(*) FROM sightings WHERE event IN ('data', 'access')")
    return int(count)


def let_the_lease_run_out(home: harness.Home) -> None:
    """Do as if the seconds had passed in which only the killed one may poll."""
    with contextlib.closing(sqlite3.connect(home.registry, timeout=30)) as connection, connection:
        connection.execute("UPDATE leases SET until_ms = 0")


def wait_until_open(world: World) -> None:
    until(lambda: answers(world.port), READY_SECONDS)


def check_sightings(world: World) -> dict[str, list[dict[str, Any]]]:
    """Check that what was acknowledged is there, and nothing twice; gives the sightings of each source."""
    seen: dict[str, list[dict[str, Any]]] = {}
    for one in world.home.call("sighting", "list"):
        seen.setdefault(one["source"], []).append(one)
    for source, found in seen.items():
        times = Counter((one["item"], one["sha256"] if source in AGAIN else "") for one in found)
        assert {name: count for name, count in times.items() if count > 1} == {}, source
    for sender in world.senders:
        names = {named(one) for one in seen.get(sender.source, [])}
        assert {name_of(sender.source, n) for n in sender.acknowledged} - names == set(), sender.source
    return seen


def named(one: dict[str, Any]) -> str:
    """Give the name that who sent or put it knows it by."""
    if one["source"] in ("smtp", "imap"):
        return f"<{one['detail']['message_id'].strip('<>')}>"
    return str(one["detail"]["account"] if one["source"] == "access" else one["item"])


def settle(world: World) -> None:
    """Let it run undisturbed: what waited is sent again, all that surfaced is seen, and it ends when asked to."""
    process = world.home.start("watch")
    try:
        wait_until_open(world)
        until(lambda: all(one.try_again() for one in world.senders), SETTLE_SECONDS)
        until(lambda: missing(world) == {}, SETTLE_SECONDS)
        process.send_signal(signal.SIGTERM)
        assert process.wait(END_SECONDS) == 0
    finally:
        harness.kill(process)
    assert missing(world) == {}
    harness.check_registry(world.home)


def missing(world: World) -> dict[str, set[str]]:
    """Give what was sent or put somewhere and is not seen, by source; nothing that was not may be seen."""
    seen = check_sightings(world)
    wanted = {one.source: {name_of(one.source, n) for n in range(one.sent)} for one in world.senders}
    wanted |= {source: world.surface.expected(source) for source in world.surface.tables()}
    found = {source: {named(one) for one in seen.get(source, [])} for source in wanted}
    assert all(found[source] <= wanted[source] for source in wanted)
    return {source: wanted[source] - found[source] for source in wanted if wanted[source] - found[source]}
