"""Measures the watch: mails a CPU second, items a minute, how late things are stored, how late alerts arrive.

Run as `python -m benchmarks.watch [--mails N] [--sources N] [--seconds S]`. Sites, mail clients and the webhook run in
processes of their own, so that CPU seconds are the watch's alone.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import random
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from canary.alerts.policy import AlertPolicy
from canary.daemon.reader import Reader
from canary.daemon.watcher import Watcher
from canary.model.sight import Item
from canary.steps.lookout import Lookout
from canary.steps.reading import read_all
from canary.steps.watch import Arrival, Taker, take
from canary.store import sightings, sources, unread
from canary.store.registry import Registry
from tests.servers import answers
from tests.watch_tools import SIGNER, Planted, RealClock, free_port, fresh_registry, plant, until

BODY = "cheap loans for you, call now. " * 40
GROUP = 50  # mails that arrive within 20 ms at 2,500 a second
CLIENTS, CONNECTIONS = 4, 25  # processes, and connections of each
ITEMS_A_MINUTE = 10_000
LIMITS = {"mails a CPU second": 1_000}
NET = {"allow_addresses": ["127.0.0.0/8"], "host_requests_per_minute": 1_000_000, "retry_base": 1}


def share(values: Sequence[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def told(name: str, value: float, unit: str = "") -> None:
    limit = f"  (to reach: {LIMITS[name]:,})" if name in LIMITS else ""
    print(f"{name:<44}{value:>12,.2f} {unit}{limit}", flush=True)


def message(number: int, to: str) -> bytes:
    head = f"From: a@sender.example\r\nTo: {to}\r\nMessage-ID: <{number}@sender.example>\r\nSubject: loan\r\n"
    return f"{head}Content-Type: text/plain; charset=utf-8\r\n\r\n{BODY}\r\n".encode()


# what is taken in, without the network


def taking_in(registry: Registry, planted: Sequence[Planted], count: int) -> None:
    taker = Taker(registry, SIGNER, RealClock(), Lookout(registry), AlertPolicy(("ops",)))
    detail = {"mail_from": "a@sender.example", "helo": "x", "peer": "192.0.2.1", "subject": "loan"}
    arrivals = []
    for number in range(count):
        to = planted[number % len(planted)].alias
        key = f"<{number}@sender.example>#{hashlib.sha256(to.encode()).hexdigest()[:16]}"
        raw = message(number, to)
        arrivals.append(Arrival("mail", "smtp", Item(key, raw, 1, "mail", to, "message/rfc822", detail)))
    rates = []
    for start in range(0, count, max(GROUP, count // 4)):
        part = arrivals[start : start + max(GROUP, count // 4)]
        began = time.process_time()
        for at in range(0, len(part), GROUP):
            take(taker, part[at : at + GROUP], read=False)
        rates.append(len(part) / (time.process_time() - began))
    told("mails a CPU second, taken in", max(rates))
    with registry.read() as tx:
        waiting = unread.count(tx)
    began = time.process_time()
    read_all(taker)
    told("mails a CPU second, read on afterwards", waiting / (time.process_time() - began))


# the whole receiver, over sockets


def post_mails(port: int, first: int, aliases: Sequence[str], count: int) -> None:
    """Send mails over one connection, each when the one before was acknowledged."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        lines = connection.makefile("rb")

        def say(text: bytes) -> None:
            connection.sendall(text)
            while lines.readline()[3:4] == b"-":
                pass

        say(b"EHLO bench.example\r\n")
        lines.readline()
        for number in range(first, first + count):
            to = aliases[number % len(aliases)]
            say(b"MAIL FROM:<a@sender.example>\r\n")
            say(f"RCPT TO:<{to}>\r\n".encode())
            say(b"DATA\r\n")
            say(message(number, to) + b".\r\n")


def client(port: int, first: int, aliases: Sequence[str], count: int) -> None:
    """Send mails over several connections at once."""
    part = count // CONNECTIONS
    threads = [
        threading.Thread(target=post_mails, args=(port, first + at * part, aliases, part))
        for at in range(CONNECTIONS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def receiving(registry: Registry, planted: Sequence[Planted], folder: Path, count: int) -> None:
    port = free_port()
    Reader._asked = lambda _: False  # type: ignore[method-assign]  # what mails hold is measured above
    config = {"net": NET, "monitors": {"smtp": {"listen": f"127.0.0.1:{port}"}}}
    one = Watcher.from_config(registry, config, SIGNER, RealClock(), folder)
    one.start()
    try:
        aliases = [each.alias for each in planted]
        part = count // CLIENTS // CONNECTIONS * CONNECTIONS
        clients = [
            multiprocessing.Process(target=client, args=(port, 10**6 + at * part, aliases, part))
            for at in range(CLIENTS)
        ]
        began, cpu = time.monotonic(), time.process_time()
        for each in clients:
            each.start()
        for each in clients:
            each.join()
        wall, cpu = time.monotonic() - began, time.process_time() - cpu
    finally:
        one.stop()
    with registry.read() as tx:
        stored = len([1 for seen in sightings.list_all(tx) if seen.source == "smtp" and seen.event == "mail"])
    told("mails acknowledged over 100 connections", part * CLIENTS)
    told("of these stored", stored)
    told("mails a second of the clock", part * CLIENTS / wall)
    told("mails a CPU second", part * CLIENTS / cpu)


# sources


class Site(ThreadingHTTPServer):
    """Feeds whose entries appear at a steady rate; a guid is the moment (ms) its entry appeared."""

    daemon_threads = True
    request_queue_size = 512

    def __init__(self, port: int, pace: float, window: float, leak: str, latency: float) -> None:
        super().__init__(("127.0.0.1", port), Feeds)
        self.pace, self.window, self.leak, self.latency = pace, window, leak, latency
        self.began = time.time()

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent: at the end the watch hangs up."""


def entry(feed: int, moment: int, leak: str) -> str:
    """Spell an entry, which stays as it was for as long as the feed shows it."""
    chance = random.Random(moment * 1000 + feed)
    text = f"call {chance.randrange(10**10)} about order {chance.randrange(10**9)} {leak}"
    return f"<item><guid>{moment}</guid>{text}</item>"


class Feeds(BaseHTTPRequestHandler):
    """Answers /N with the entries of feed N of the last three intervals."""

    server: Site

    def do_GET(self) -> None:
        time.sleep(self.server.latency)
        now, feed = time.time(), int(self.path.strip("/"))
        step = self.server.pace
        first = max(0, int((now - self.server.began - self.server.window) / step))
        moments = [
            self.server.began + at * step for at in range(first, int((now - self.server.began) / step))
        ]
        leak = self.server.leak if feed == 0 else ""
        entries = "".join(entry(feed, int(moment * 1000), leak) for moment in reversed(moments))
        body = f"<rss version='2.0'><channel>{entries}</channel></rss>".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


def serve(port: int, pace: float, window: float, leak: str, latency: float) -> None:
    Site(port, pace, window, leak, latency).serve_forever()


def hook(port: int, got: multiprocessing.Queue[tuple[float, str]]) -> None:
    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            got.put((time.time(), body.decode()))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Stay silent."""

    ThreadingHTTPServer(("127.0.0.1", port), Hook).serve_forever()


def aside(target: Callable[..., None], *arguments: object) -> multiprocessing.Process:
    process = multiprocessing.Process(target=target, args=arguments, daemon=True)
    process.start()
    return process


@dataclass(frozen=True)
class Load:
    """What sources offer: how many there are, how often they are asked, and for how long all of it goes on."""

    sources: int
    interval: float
    seconds: float
    rate: float = ITEMS_A_MINUTE  # items a minute of all sources together
    latency: float = 0.0  # seconds until a site answers


def polling(folder: Path, load: Load) -> bool:
    """Watch sources for a while; tells whether it kept up with them."""
    folder.mkdir()
    with fresh_registry(folder) as registry:
        plant(registry, 2_000)
        [leak] = plant(registry, 1, "globex", 5_000)
        return watched(registry, folder, leak.alias, load)


def watched(registry: Registry, folder: Path, leak: str, load: Load) -> bool:
    port, ops = free_port(), free_port()
    got: multiprocessing.Queue[tuple[float, str]] = multiprocessing.Queue()
    pace = 60 * load.sources / load.rate
    helpers = [aside(serve, port, pace, 3 * load.interval, leak, load.latency), aside(hook, ops, got)]
    until(lambda: answers(port) and answers(ops), 30)
    feeds = {
        f"feed{number:03d}": {
            "kind": "feed",
            "url": f"http://127.0.0.1:{port}/{number}",
            "interval": load.interval,
        }
        for number in range(load.sources)
    }
    alerts = {"webhook": [{"name": "ops", "url": f"http://127.0.0.1:{ops}/", "secret": "s"}], "digest": 5}
    config = {"net": NET, "monitors": feeds, "alerts": alerts}
    one = Watcher.from_config(registry, config, SIGNER, RealClock(), folder)
    began = time.time()
    one.start()
    time.sleep(2 * load.interval)
    before = skipped(registry)
    settled, cpu = time.time(), time.process_time()
    time.sleep(load.seconds)
    ended, cpu = time.time(), time.process_time() - cpu
    one.stop()
    for helper in helpers:
        helper.terminate()
    slow = f", each after {load.latency:g} s" if load.latency else ""
    print(f"{load.sources} sources, every {load.interval:g} s, {load.rate:,.0f} items a minute offered{slow}")
    kept_up = tell_polls(registry, load, settled, ended, cpu)
    told("slots that went by unrun", skipped(registry) - before)
    tell_alerts(registry, got, began)
    return kept_up


def skipped(registry: Registry) -> int:
    """Count the slots that went by unrun (as many do at the start, when all sources are due at once)."""
    with registry.read() as tx:
        return sum(one.skipped for one in sources.list_all(tx))


def tell_polls(registry: Registry, load: Load, settled: float, ended: float, cpu: float) -> bool:
    """Tell of what was stored once every source had been asked, and how long after it was there to be seen."""
    with registry.read() as tx:
        stored = [one for one in sightings.list_all(tx) if settled <= one.seen_ms / 1000 < ended]
        states = [one for one in sources.list_all(tx) if one.name.startswith("feed")]
    late = [(one.seen_ms - int(one.item)) / 1000 for one in stored]
    wall, limit = ended - settled, load.interval + 5
    told("items a minute, stored", 60 * len(late) / wall)
    told("items a minute of CPU", 60 * len(late) / cpu)
    told("cores it took", cpu / wall)
    told("polls", sum(one.polls for one in states))
    told("sources that fail", sum(one.failures > 0 for one in states))
    told("seen to stored, p50", share(late, 0.5), "s")
    told("seen to stored, p95", share(late, 0.95), f"s  (to reach: interval {load.interval:g} + 5)")
    return share(late, 0.95) <= limit and 60 * len(late) / wall >= 0.95 * load.rate


def tell_alerts(registry: Registry, got: multiprocessing.Queue[tuple[float, str]], began: float) -> None:
    arrived = []
    while True:
        try:
            arrived.append(got.get(timeout=0.5))
        except Exception:
            break
    opened = [when for when, body in arrived if json.loads(body)["event"] == "incident.opened"]
    told("alerts that arrived", len(arrived))
    with registry.read() as tx:
        found = [one.seen_ms for one in sightings.list_all(tx) if one.incident and one.source == "feed000"]
    if opened and found:
        told("a leak seen, from the start", min(found) / 1000 - began, "s")
        told("incident opened to its alert", min(opened) - min(found) / 1000, "s")


def greatest(folder: Path, load: Load) -> None:
    """Offer more and more until the watch does not keep up."""
    rate = 2.0 * load.rate
    while polling(folder / f"at-{rate:.0f}", replace(load, rate=rate, seconds=2 * load.interval)):
        rate *= 1.5
    told("items a minute, the most kept up with", rate / 1.5)


# alerts by themselves


def alerting(folder: Path, count: int) -> None:
    """Open incidents one by one, and measure from the commit to the webhook."""
    folder.mkdir()
    with fresh_registry(folder) as registry:
        planted = [plant(registry, 1, f"r{number}", number)[0] for number in range(count)]
        port = free_port()
        got: multiprocessing.Queue[tuple[float, str]] = multiprocessing.Queue()
        helper = aside(hook, port, got)
        alerts = {"webhook": [{"name": "ops", "url": f"http://127.0.0.1:{port}/", "secret": "s"}]}
        one = Watcher.from_config(registry, {"net": NET, "alerts": alerts}, SIGNER, RealClock(), folder)
        one.start()
        opened: dict[str, float] = {}
        for number, each in enumerate(planted):
            item = Item(f"k{number}", b"%d" % number, 0, "mail", each.alias)
            taken = take(one.taker, [Arrival("mail", "smtp", item)], read=False)
            opened[taken.opened[0]] = time.time()
            time.sleep(0.2)
        delays = []
        for _ in planted:
            when, body = got.get(timeout=30)
            delays.append(when - opened[json.loads(body)["incident"]])
        one.stop()
        helper.terminate()
    told("alert delay, p50", share(delays, 0.5), "s")
    told("alert delay, p95", share(delays, 0.95), "s")
    told("alert delay, mean", statistics.mean(delays), "s")


def main(argv: Sequence[str]) -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--mails", type=int, default=8_000)
    options.add_argument("--sources", type=int, default=200)
    options.add_argument("--interval", type=float, default=10.0)
    options.add_argument("--seconds", type=float, default=60.0)
    options.add_argument("--latency", type=float, default=2.0)
    options.add_argument("--alerts", type=int, default=50)
    options.add_argument("--no-greatest", dest="greatest", action="store_false")
    chosen = options.parse_args(argv)
    multiprocessing.set_start_method("spawn")
    print(f"{os.cpu_count()} cores, {os.getloadavg()[0]:.1f} of them busy at the start")
    with tempfile.TemporaryDirectory() as folder, fresh_registry(Path(folder)) as registry:
        planted = plant(registry, 2_000)
        taking_in(registry, planted, chosen.mails)
        receiving(registry, planted, Path(folder), chosen.mails)
        load = Load(chosen.sources, chosen.interval, chosen.seconds)
        polling(Path(folder) / "sources", load)
        polling(Path(folder) / "slow", replace(load, latency=chosen.latency))
        if chosen.greatest:
            greatest(Path(folder), load)
        alerting(Path(folder) / "alerts", chosen.alerts)
    print(f"{os.getloadavg()[0]:.1f} cores' worth of work at the end, this one's included")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
