"""A watcher that runs: receivers and polls side by side, two watchers on one registry, and the end in time."""

from __future__ import annotations

import json
import smtplib
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from canary.daemon import deliver, receiving
from canary.daemon.sources import source_states, turn_source
from canary.daemon.watcher import Watcher
from canary.model.sight import Sighting
from canary.store import leases, outbox, runs, sightings, sources
from canary.store.registry import Registry
from tests.integration.daemon.conftest import MakeWatcher
from tests.watch_tools import Planted, RealClock, Site, free_port, send, until


@contextmanager
def running(one: Watcher) -> Iterator[Watcher]:
    """Run a watcher in a thread, and see that it ends within 15 seconds."""
    stop = threading.Event()
    thread = threading.Thread(target=one.run, args=(stop,))
    thread.start()
    try:
        yield one
    finally:
        began = time.monotonic()
        stop.set()
        thread.join(20)
        assert not thread.is_alive()
        assert time.monotonic() - began < 15


def stored(registry: Registry) -> list[Sighting]:
    with registry.read() as tx:
        return sightings.list_all(tx)


def letters(registry: Registry) -> list[outbox.Letter]:
    with registry.read() as tx:
        return outbox.list_all(tx)


def listens(port: int) -> bool:
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=2):
            return True
    except OSError:
        return False


def send_mail(port: int, to: str, name: str = "<1@x>") -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        client.sendmail("a@b.example", [to], f"Message-ID: {name}\r\nTo: {to}\r\n\r\nhello\r\n")


def test_mails_and_polls_side_by_side(
    watcher: MakeWatcher, registry: Registry, planted: list[Planted], site: Site, tmp_path: Path
) -> None:
    port = free_port()
    site.page("/feed", b"<rss version='2.0'><channel></channel></rss>")
    site.pages["/slow"] = lambda site, handler: site.ending.wait(30) and None
    monitors: Mapping[str, object] = {
        "mail": {"kind": "smtp", "listen": f"127.0.0.1:{port}"},
        "feed": {"url": f"{site.url}/feed", "interval": 0.2},
        "slow": {"kind": "feed", "url": f"{site.url}/slow", "interval": 0.2},
        "phone": {"kind": "phone", "listen": f"127.0.0.1:{port}", "generic": {"secret": "s"}},
    }
    with running(watcher(monitors)):
        until(lambda: listens(port))
        for n in range(5):
            send_mail(port, planted[n].alias.upper(), f"<{n}@x>")
            assert len(stored(registry)) == n + 1
        until(lambda: site.asked.count("/feed") >= 4)
        site.page(
            "/feed", f"<rss version='2.0'><channel><item>{planted[9].alias}</item></channel></rss>".encode()
        )
        until(lambda: len(stored(registry)) == 6)
        states = {
            one.name: one.state
            for one in source_states(registry, {"monitors": monitors}, RealClock(), tmp_path)
        }
    assert states == {"mail": "ok", "feed": "ok", "slow": "never", "phone": "failing"}
    assert {one.matches[0].canary for one in stored(registry)} == {"c-0", "c-1", "c-2", "c-3", "c-4", "c-9"}
    assert site.asked.count("/slow") == 1


def test_many_sources_that_hang_delay_no_other(
    watcher: MakeWatcher, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("canary.daemon.crowd.YOUNG", 2)
    monkeypatch.setattr("canary.daemon.crowd.YOUNG_SECONDS", 60.0)
    site.page("/feed", b"<rss version='2.0'><channel></channel></rss>")
    site.pages["/slow"] = lambda site, handler: site.ending.wait(30) and None
    slow = {f"slow{n}": {"kind": "feed", "url": f"{site.url}/slow", "interval": 0.2} for n in range(6)}
    with running(watcher({**slow, "well": {"kind": "feed", "url": f"{site.url}/feed", "interval": 0.2}})):
        until(lambda: site.asked.count("/slow") == 6 and site.asked.count("/feed") >= 4)


def test_mails_of_many_clients_are_committed_in_groups(
    watcher: MakeWatcher, registry: Registry, planted: list[Planted]
) -> None:
    port = free_port()
    with running(watcher({"mail": {"kind": "smtp", "listen": f"127.0.0.1:{port}"}})):
        until(lambda: listens(port))
        threads = [
            threading.Thread(target=send_mail, args=(port, planted[n % 20].alias, f"<{n}@x>"))
            for n in range(40)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    seen = stored(registry)
    assert len(seen) == 40
    assert len({one.seen_ms for one in seen}) < 40


def test_a_receiver_is_paused_and_resumed(
    watcher: MakeWatcher,
    registry: Registry,
    planted: list[Planted],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("canary.daemon.watcher.CARE_SECONDS", 0.1)
    port = free_port()
    config = {"monitors": {"mail": {"kind": "smtp", "listen": f"127.0.0.1:{port}"}}}
    with running(watcher(config["monitors"])):
        until(lambda: listens(port))
        turn_source(registry, "mail", "pause", config, tmp_path)
        until(lambda: not listens(port))
        turn_source(registry, "mail", "resume", config, tmp_path)
        until(lambda: listens(port))
        send_mail(port, planted[0].alias)
    assert len(stored(registry)) == 1


def test_a_receiver_that_cannot_listen_is_tried_again(
    watcher: MakeWatcher, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    monkeypatch.setattr("canary.daemon.watcher.CARE_SECONDS", 0.1)
    monkeypatch.setattr(receiving, "RETRY_MS", 100)
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        one = watcher({"mail": {"kind": "smtp", "listen": f"127.0.0.1:{port}"}})
        with running(one):

            def failures() -> int:
                with registry.read() as tx:
                    state = sources.get(tx, "mail")
                return state.failures if state else 0

            until(lambda: failures() > 1)
            held.close()
            until(lambda: listens(port))
            until(lambda: failures() == 0)


def test_two_watchers_poll_a_source_once(watcher: MakeWatcher, site: Site, registry: Registry) -> None:
    site.page("/feed", b"<rss version='2.0'><channel></channel></rss>")
    monitors = {"feed": {"url": f"{site.url}/feed", "interval": 1}}
    with running(watcher(monitors)), running(watcher(monitors)):
        until(lambda: len(site.asked) >= 4)
        gaps = [after - before for before, after in zip(site.times, site.times[1:], strict=False)]
    assert min(gaps) > 0.8


def test_another_watcher_takes_over(
    watcher: MakeWatcher, site: Site, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A watcher that was killed while it polled holds its source no longer than the lease."""
    monkeypatch.setattr("canary.daemon.watcher.CARE_SECONDS", 0.2)
    site.page("/feed", b"<rss version='2.0'><channel></channel></rss>")
    now = RealClock().now_ms()
    with registry.begin() as tx:
        sources.enlist(tx, "feed", "feed", now, now)
        assert leases.acquire(tx, "schedule", "killed", now, 1_000) == 1
        assert runs.begin(tx, "feed", "killed", now, now + 1_000) is not None
    began = time.monotonic()
    with running(watcher({"feed": {"url": f"{site.url}/feed", "interval": 60}})):
        until(lambda: len(site.asked) == 1)
    assert 0.5 < time.monotonic() - began < 10


def test_a_long_poll_stays_claimed(watcher: MakeWatcher, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("canary.daemon.polling.LEASE_MS", 600)
    monkeypatch.setattr("canary.daemon.watcher.CARE_SECONDS", 0.1)
    site.pages["/feed"] = lambda site, handler: (
        site.ending.wait(2) or send(handler, 200, b"<rss version='2.0'/>")
    )
    monitors = {"feed": {"url": f"{site.url}/feed", "interval": 60}}
    with running(watcher(monitors)), running(watcher(monitors)):
        time.sleep(2.5)
    assert len(site.asked) == 1


def alerts_to(site: Site) -> Mapping[str, object]:
    return {"webhook": [{"name": "ops", "url": f"{site.url}/hook", "secret": "s"}], "digest": 1}


def test_a_webhook_that_was_down_gets_every_event_once(
    watcher: MakeWatcher, registry: Registry, planted: list[Planted], site: Site
) -> None:
    site.page("/hook", b"", 500)
    port = free_port()
    with running(watcher({"mail": {"kind": "smtp", "listen": f"127.0.0.1:{port}"}}, alerts_to(site))):
        until(lambda: listens(port))
        send_mail(port, planted[0].alias)
        until(lambda: len(site.asked) >= 2)
        send_mail(port, planted[1].alias, "<2@x>")
        time.sleep(1.2)
        site.page("/hook", b"")
        failed = len(site.asked)
        until(lambda: {one.state for one in letters(registry)} == {"sent"})
    keys = [headers["idempotency-key"] for headers in site.headers]
    by_key = {
        key: {body for each, body in zip(keys, site.bodies, strict=True) if each == key} for key in keys
    }
    assert {len(bodies) for bodies in by_key.values()} == {1}
    good = keys[failed:]
    assert sorted(good) == sorted(set(good))
    events = [json.loads(body)["event"] for body in site.bodies[failed:]]
    assert sorted(events) == ["incident.digest", "incident.opened"]


def test_a_dead_channel_holds_up_no_other(
    watcher: MakeWatcher, registry: Registry, planted: list[Planted], site: Site
) -> None:
    site.page("/hook", b"")
    site.pages["/dead"] = lambda site, handler: site.ending.wait(20) and None
    alerts = {
        "webhook": [
            {"name": "dead", "url": f"{site.url}/dead", "secret": "s"},
            {"name": "ops", "url": f"{site.url}/hook", "secret": "s"},
        ]
    }
    port = free_port()
    with running(watcher({"mail": {"kind": "smtp", "listen": f"127.0.0.1:{port}"}}, alerts)):
        until(lambda: listens(port))
        send_mail(port, planted[0].alias)
        until(lambda: "/hook" in site.asked, 5)
    states = {one.channel: one.state for one in letters(registry)}
    assert states == {"webhook:ops": "sent", "webhook:dead": "waiting"}


def test_a_channel_that_is_not_set_up_any_more_keeps_its_letters(
    watcher: MakeWatcher, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    with registry.begin() as tx:
        outbox.add(tx, key="k", event="e", channel="webhook:gone", body="{}", due_ms=0)
    watcher().once()
    [letter] = letters(registry)
    assert letter.state == "waiting"
    assert letter.due_ms > RealClock().now_ms() + deliver.UNKNOWN_MS - 60_000


def test_a_letter_is_sent_by_one_of_two_watchers(
    watcher: MakeWatcher, registry: Registry, site: Site
) -> None:
    site.page("/hook", b"")
    for n in range(20):
        with registry.begin() as tx:
            outbox.add(tx, key=f"k{n}", event="e", channel="webhook:ops", body="{}", due_ms=0)
    alerts = alerts_to(site)
    with running(watcher(alerts=alerts)), running(watcher(alerts=alerts)):
        until(lambda: {one.state for one in letters(registry)} == {"sent"})
    assert len(site.asked) == 20


def test_signals_ask_for_the_end(watcher: MakeWatcher) -> None:
    import os
    import signal

    before = signal.getsignal(signal.SIGTERM)
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM)).start()
    began = time.monotonic()
    watcher().run()
    assert time.monotonic() - began < 10
    assert signal.getsignal(signal.SIGTERM) is before
