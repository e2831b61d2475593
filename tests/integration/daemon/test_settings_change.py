"""Settings that change while the watch runs, self-tests that it plants, and what Prometheus is told of it."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from canary.cli.main import run
from canary.daemon import chores, service
from canary.daemon.watcher import Watcher
from canary.errors import OutsideError, UsageError
from canary.store import selftests, sightings
from canary.store.registry import Registry
from canary.wiring import open_tools
from tests.integration.daemon.conftest import NET, MakeWatcher
from tests.integration.daemon.test_running import listens, running, send_mail
from tests.watch_tools import Planted, Site, free_port, until

RSS = b"<rss version='2.0'><channel></channel></rss>"


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("canary.daemon.watcher.CARE_SECONDS", 0.1)
    monkeypatch.setattr("canary.daemon.watcher.LOOK_SECONDS", 0.05)
    monkeypatch.setattr("canary.daemon.watcher.CHORE_SECONDS", 0.1)


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_sources_come_go_and_change_while_it_runs(
    watcher: MakeWatcher, registry: Registry, planted: list[Planted], site: Site
) -> None:
    for name in ("/a", "/b", "/c"):
        site.page(name, RSS)
    first, second, metrics = free_port(), free_port(), free_port()
    before = {
        "a": {"kind": "feed", "url": f"{site.url}/a", "interval": 0.1},
        "mail": {"kind": "smtp", "listen": f"127.0.0.1:{first}"},
        "stays": {"kind": "smtp", "listen": f"127.0.0.1:{second}"},
    }
    after = {
        "b": {"kind": "feed", "url": f"{site.url}/b", "interval": 0.1},
        "mail": {"kind": "drop", "path": "empty"},
        "stays": before["stays"],
    }
    one = watcher(before)
    with running(one):
        until(lambda: "/a" in site.asked and listens(first) and listens(second))
        stays = one._receivers._places[1].receiver
        listen = {"listen": f"127.0.0.1:{metrics}"}
        one.use({"net": {**NET, "timeout": 4}, "monitors": after, "metrics": listen})
        until(lambda: "/b" in site.asked and not listens(first))
        assert [place.receiver for place in one._receivers._places] == [stays]
        asked = site.asked.count("/a")
        until(lambda: site.asked.count("/b") >= 3)
        assert site.asked.count("/a") <= asked + 1
        send_mail(second, planted[0].alias)
        status, text = get(f"http://127.0.0.1:{metrics}/metrics")
        assert status == 200
        assert 'canary_source_up{source="b",kind="feed"} 1\n' in text
        assert "canary_leader 1\n" in text
        assert get(f"http://127.0.0.1:{metrics}/healthz") == (200, "ok\n")
        assert get(f"http://127.0.0.1:{metrics}/secrets")[0] == 404
    with registry.read() as tx:
        assert len(sightings.list_all(tx)) == 1


def test_metrics_tell_that_the_registry_fails_and_need_a_free_port(
    watcher: MakeWatcher, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    from canary.daemon.metrics import MetricsServer

    def fail(*_: object) -> None:
        raise OutsideError("the registry's database failed: password=secret", "")

    server = MetricsServer(("127.0.0.1", 0), watcher())
    try:
        monkeypatch.setattr("canary.daemon.metrics.watch_health", fail)
        assert get(f"http://127.0.0.1:{server.port}/metrics") == (503, "the registry does not answer\n")
        with pytest.raises(OutsideError, match="cannot listen"):
            MetricsServer(("127.0.0.1", server.port), watcher())
    finally:
        server.close()


def call(*arguments: str) -> None:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        assert run([*arguments]) == 0


@pytest.fixture
def home(tmp_path: Path) -> Path:
    call("init", "--home", str(tmp_path / "home"))
    (tmp_path / "home" / "dumps").mkdir()
    return tmp_path / "home"


def add(home: Path, text: str) -> None:
    with (home / "config.toml").open("a", encoding="utf-8") as config:
        config.write(f"\n{text}\n")


def test_a_changed_file_is_read_again_and_a_bad_one_is_told(
    home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tools = open_tools(home)
    try:
        one = service.watcher(tools)
        one._care()
        assert one.settings.sources == ()
        add(home, '[monitors.dumps]\nkind = "drop"\npath = "dumps"')
        one._care()
        assert [source.name for source in one.settings.sources] == ["dumps"]
        add(home, "[monitors.other]\nkind = 5")
        one._care()
        one._care()
        assert caplog.text.count("monitors.other") == 1
        add(home, "[broken")
        one._care()
        assert "not valid TOML" in caplog.text
        assert [source.name for source in one.settings.sources] == ["dumps"]
        (home / "config.toml").unlink()
        one._care()
        one.leader.release()
    finally:
        tools.registry.close()


def test_a_hangup_asks_for_the_settings(watcher: MakeWatcher, caplog: pytest.LogCaptureFixture) -> None:
    one = watcher()
    asked = threading.Event()

    def reload() -> None:
        if one._hangup.is_set() or not asked.is_set():
            asked.set()

    one.reload = reload
    caplog.set_level("INFO", "canary.watch")
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGHUP))
    ending = threading.Event()
    threading.Thread(target=lambda: (until(lambda: "did not change" in caplog.text), ending.set())).start()
    timer.start()
    one.run(ending)
    assert asked.is_set()


def test_self_tests_are_planted_and_come_back_or_alarm(
    watcher: MakeWatcher, registry: Registry, tmp_path: Path
) -> None:
    (tmp_path / "dumps").mkdir()
    port = free_port()
    monitors = {
        "dumps": {"kind": "drop", "path": "dumps", "interval": 0.2, "self_test": 3600},
        "mail": {"kind": "smtp", "listen": f"127.0.0.1:{port}", "self_test": 3600},
    }

    def seen() -> set[str]:
        with registry.read() as tx:
            return {one.source for one in selftests.list_all(tx) if one.seen_ms is not None}

    with running(watcher(monitors)):
        until(lambda: seen() == {"dumps", "mail"})
    with registry.read() as tx:
        planted = {one.source: one.token for one in selftests.list_all(tx)}
    assert (tmp_path / "dumps" / "canary-self-test.txt").read_text() == planted["dumps"] + "\n"
    assert chores.plant_due(watcher(monitors).taker, watcher(monitors).settings.sources) == []


def test_a_test_that_cannot_be_planted_is_told(
    watcher: MakeWatcher, registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    monitors = {
        "dumps": {"kind": "drop", "path": "nowhere", "self_test": 3600},
        "mail": {"kind": "smtp", "listen": f"127.0.0.1:{free_port()}", "self_test": 3600},
    }
    one = watcher(monitors)
    assert chores.plant_due(one.taker, one.settings.sources) == ["dumps", "mail"]
    assert caplog.text.count("could not be planted") == 2
    with registry.begin() as tx:
        late = [test.source for test in selftests.missing(tx, 10**14)]
    assert late == ["dumps", "mail"]
    with pytest.raises(UsageError, match="no self-test can be planted"):
        watcher({"news": {"kind": "feed", "url": "https://x.example/", "self_test": 5}})


def test_a_deaf_source_alarms_once(
    watcher: MakeWatcher, registry: Registry, site: Site, tmp_path: Path
) -> None:
    from canary.daemon.health import watch_health
    from canary.store import outbox, sources

    monitors = {"news": {"kind": "feed", "url": f"{site.url}/news", "interval": 0.1}}
    alerts = {"webhook": [{"name": "ops", "url": f"{site.url}/hook", "secret": "s"}]}
    one: Watcher = watcher(monitors, alerts)
    now = one.taker.clock.now_ms()
    with registry.begin() as tx:
        sources.ensure(tx, "news", "feed")
        sources.succeeded(tx, "news", "c", now, now)
        selftests.plant(tx, "news", "word", now - 400, now - 200)
    [health] = watch_health(registry, one.settings.sources, now).sources
    assert (health.state, health.self_test) == ("deaf", "missing")
    chores.alarm(one.taker)
    chores.alarm(one.taker)
    with registry.read() as tx:
        [letter] = outbox.list_all(tx)
    assert letter.event == "source.alarm"
    assert "self-test did not come back" in letter.body
