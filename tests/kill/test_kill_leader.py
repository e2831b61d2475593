"""kill -9 of the node that leads: every slot is run once, nothing is lost or doubled, another takes over in time."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from canary.keys import Keys
from canary.store import journal, leases, runs, sightings, sources
from canary.store.registry import Registry
from tests.kill.harness import ROOT, kill
from tests.watch_tools import SIGNER, RealClock, Site, send, until, web_site

NODES = 3  # one leads, one takes over, one may be starting
LEASE_MS = 1_500
START_SECONDS = 2.0  # at the least between two kills


def growing(site: Site, name: str) -> None:
    """Put up a feed that has one entry more at each request, and all of before."""
    served = [0]

    def answer(_site: Site, handler: object) -> None:
        served[0] += 1
        entries = "".join(f"<item><guid>{at}</guid>{name} {at}</item>" for at in range(served[0]))
        send(handler, 200, f"<rss version='2.0'><channel>{entries}</channel></rss>".encode())  # type: ignore[arg-type]

    site.pages[f"/{name}"] = answer


def start(url: str, config: dict[str, object]) -> subprocess.Popen[bytes]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COV", "PYTHON"))}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.kill.node", url, json.dumps(config), str(LEASE_MS)],
        cwd=ROOT,
        env={**kept, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


@contextmanager
def nodes(url: str, config: dict[str, object]) -> Iterator[dict[int, subprocess.Popen[bytes]]]:
    running = {one.pid: one for one in (start(url, config) for _ in range(NODES))}
    try:
        yield running
    finally:
        for process in running.values():
            kill(process)


def leader(registry: Registry) -> tuple[int, int]:
    """Give the process that leads and its token; (0, token) while none does."""
    with registry.read() as tx:
        found = leases.get(tx, "schedule")
    if found is None or found.until_ms < RealClock().now_ms():
        return 0, found.token if found else 0
    return int(found.holder.split(":")[1]), found.token


def heeds(pid: int, number: signal.Signals) -> bool:
    """Tell whether a process has come so far that it catches a signal."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)


def ended(registry: Registry, names: list[str]) -> int:
    with registry.read() as tx:
        return sum(run.ended_ms is not None for name in names for run in runs.last(tx, name, 10_000))


def kill_the_leader(
    registry: Registry, running: dict[int, subprocess.Popen[bytes]], url: str, config: dict[str, object]
) -> float:
    """Kill the node that leads, start another, and give the seconds until a node leads again."""
    until(lambda: leader(registry)[0] in running, 60)
    pid, token = leader(registry)
    kill(running.pop(pid))
    began = time.monotonic()
    until(lambda: leader(registry)[1] > token, 60)
    took = time.monotonic() - began
    fresh = start(url, config)
    running[fresh.pid] = fresh
    return took


@pytest.mark.postgresql
@pytest.mark.parametrize(
    ("kills", "feeds", "seconds"), [(1, 5, 2), pytest.param(20, 100, 20, marks=pytest.mark.soak)]
)
def test_every_slot_once(kills: int, feeds: int, seconds: int, postgresql_url: str, tmp_path: Path) -> None:
    """In the soak a source's interval is longer than a take-over, so that not even one slot goes by unrun.

    What a slow machine skips while all begin at once is not counted.
    """
    whole = kills > 1
    registry = Registry.create(postgresql_url, Keys(bytes(range(32))))
    names = [f"feed{number:02d}" for number in range(feeds)]
    chance = random.SystemRandom()
    with web_site() as site:
        for name in names:
            growing(site, name)
        tables = {name: {"kind": "feed", "url": f"{site.url}/{name}", "interval": seconds} for name in names}
        net = {"allow_addresses": ["127.0.0.0/8"], "host_requests_per_minute": 60_000}
        config: dict[str, object] = {"net": net, "monitors": tables}
        took = []
        with nodes(postgresql_url, config) as running:
            until(lambda: ended(registry, names) >= (2 if whole else 1) * feeds, 120)
            before = skipped(registry)
            for _ in range(kills):
                took.append(kill_the_leader(registry, running, postgresql_url, config))
                time.sleep(chance.uniform(START_SECONDS, seconds) if whole else 0)
            goal = 1_000 if whole else 4 * feeds
            until(lambda: ended(registry, names) >= goal, 600)
            until(lambda: all(heeds(pid, signal.SIGTERM) for pid in running), 60)  # the last was just started
            for process in running.values():
                process.send_signal(signal.SIGTERM)
            assert [process.wait(15) for process in running.values()] == [0] * NODES
        check(registry, names, seconds * 1_000)
        assert not whole or skipped(registry) == before
        again = sum(run.begins - 1 for run in _all(registry, names))
        print(
            f"{ended(registry, names)} slots of {feeds} sources on {NODES} nodes, {kills} leaders killed: every slot"
            f" once, {again} begun again; take-over after {min(took):.1f} to {max(took):.1f} s (lease {LEASE_MS} ms)"
        )
        assert not whole or max(took) < 3 * LEASE_MS / 1000
    registry.close()


def _all(registry: Registry, names: list[str]) -> list[object]:
    with registry.read() as tx:
        return [run for name in names for run in runs.last(tx, name, 10_000)]


def skipped(registry: Registry) -> dict[str, int]:
    with registry.read() as tx:
        return {one.name: one.skipped for one in sources.list_all(tx)}


def check(registry: Registry, names: list[str], interval: int) -> None:
    """Check that slots follow each other in step, that what went by is told, and that each entry is there once."""
    with registry.read() as tx:
        states = {one.name: one for one in sources.list_all(tx)}
        items: dict[str, list[str]] = {name: [] for name in names}
        for seen in sightings.list_all(tx):
            items[seen.source].append(seen.item)
        for name in names:
            done = sorted(run.slot for run in runs.last(tx, name, 10_000) if run.ended_ms is not None)
            steps = [after - before for before, after in pairwise(done)]
            assert all(step % interval == 0 for step in steps), (name, done)
            assert states[name].skipped >= sum(step // interval - 1 for step in steps)
            assert (states[name].failures, states[name].gaps) == (0, 0)
            assert sorted(map(int, items[name])) == list(range(len(items[name])))
            assert len(items[name]) >= len(done)
        assert journal.verify(tx, SIGNER.public).ok
