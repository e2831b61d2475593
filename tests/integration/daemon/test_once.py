"""`watch --once`: each source once, alerts delivered, one bad source harming no other."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import time
from pathlib import Path

import pytest

from canary.daemon.polling import Polled
from canary.daemon.sources import run_source, source_states, try_source, turn_source
from canary.errors import OutsideError, UsageError
from canary.model.sight import Sighting
from canary.store import incidents, journal, outbox, sightings, sources
from canary.store.registry import Registry
from tests.integration.daemon.conftest import NET, MakeWatcher
from tests.watch_tools import SIGNER, Planted, RealClock, Site


def stored(registry: Registry) -> list[Sighting]:
    with registry.read() as tx:
        return sightings.list_all(tx)


def pastes(site: Site, texts: dict[str, str]) -> None:
    listed = [{"key": key, "scrape_url": f"{site.url}/raw/{key}"} for key in reversed(texts)]
    site.page("/list", json.dumps(listed).encode())
    for key, text in texts.items():
        site.page(f"/raw/{key}", text.encode())


def by_name(answers: list[Polled]) -> dict[str, Polled]:
    return {one.name: one for one in answers}


def test_a_leak_is_seen_told_and_not_told_again(
    watcher: MakeWatcher, registry: Registry, planted: list[Planted], site: Site
) -> None:
    pastes(site, {"a": "nothing", "b": f"{planted[0].alias},{planted[0].phone}"})
    site.page("/hook", b"")
    monitors = {"pastes": {"kind": "paste", "list_url": f"{site.url}/list"}}
    alerts = {"webhook": [{"name": "ops", "url": f"{site.url}/hook", "secret": "s"}]}
    [polled] = watcher(monitors, alerts).once()
    assert (polled.name, polled.items, polled.matches, polled.error) == ("pastes", 2, 1, None)
    [body] = [body for path, body in zip(site.asked, site.bodies, strict=True) if path == "/hook"]
    told = json.loads(body)
    assert told["event"] == "incident.opened"
    with registry.read() as tx:
        [incident] = incidents.list_all(tx)
        assert journal.verify(tx, SIGNER.public).ok
        assert outbox.counts(tx) == {"sent": 1}
    assert told["incident"] == incident.id
    assert incident.recipients_frozen == 9
    signature = site.headers[-1]["x-canary-signature"]
    assert signature == "sha256=" + hmac.new(b"s", body, hashlib.sha256).hexdigest()
    [again] = watcher(monitors, alerts).once()
    assert (again.items, again.matches) == (0, 0)
    assert site.asked.count("/hook") == 1
    assert site.asked.count("/raw/b") == 1


def test_one_bad_source_harms_no_other(
    watcher: MakeWatcher, registry: Registry, planted: list[Planted], site: Site, tmp_path: Path
) -> None:
    pastes(site, {"b": planted[0].alias})
    site.page("/bad", b"<html>")
    site.pages["/slow"] = lambda site, handler: site.ending.wait(20) and None
    dump = tmp_path / "dumps" / "x.csv"
    dump.parent.mkdir()
    dump.write_text(planted[1].alias + planted[1].waybill)
    monitors = {
        "pastes": {"kind": "paste", "list_url": f"{site.url}/list"},
        "bad": {"kind": "feed", "url": f"{site.url}/bad"},
        "slow": {"kind": "feed", "url": f"{site.url}/slow"},
        "private": {"kind": "url", "url": "http://10.0.0.1/"},
        "gone": {"kind": "drop", "path": "nothing"},
        "dumps": {"kind": "drop", "path": "dumps"},
        "mail": {"kind": "smtp", "listen": "127.0.0.1:0"},
    }
    began = time.monotonic()
    answers = by_name(watcher(monitors).once())
    assert time.monotonic() - began < 8
    assert set(answers) == set(monitors) - {"mail"}
    assert {name for name, one in answers.items() if one.error} == {"bad", "slow", "private", "gone"}
    assert (answers["pastes"].matches, answers["dumps"].matches) == (1, 1)
    health = {
        one.name: one
        for one in source_states(registry, {"monitors": monitors, "net": NET}, RealClock(), tmp_path)
    }
    assert {name: one.state for name, one in health.items()} == {
        "bad": "failing", "dumps": "ok", "gone": "failing", "mail": "never", "pastes": "ok", "private": "failing",
        "slow": "failing",
    }  # fmt: skip
    assert health["pastes"].lag is not None
    assert health["pastes"].lag < 30
    assert health["bad"].last_success_ms is None
    assert "no feed" in (health["bad"].error or "")
    assert "private" in (health["private"].error or "")


def test_a_fresh_dump_is_waited_for(
    watcher: MakeWatcher, registry: Registry, planted: list[Planted], tmp_path: Path
) -> None:
    (tmp_path / "dumps").mkdir()
    (tmp_path / "dumps" / "x.csv").write_text(planted[1].alias)
    [polled] = watcher({"dumps": {"kind": "drop", "path": "dumps"}}).once()
    assert (polled.items, polled.matches) == (1, 1)


def test_a_file_that_is_never_finished_does_not_hold_the_end(watcher: MakeWatcher, tmp_path: Path) -> None:
    (tmp_path / "dumps").mkdir()
    path = tmp_path / "dumps" / "x.csv"

    class Growing:
        def __init__(self) -> None:
            self.waits = 0

        def __call__(self, seconds: float) -> None:
            self.waits += 1
            path.write_text("x" * self.waits)
            os.utime(path)

    path.write_text("")
    one = watcher({"dumps": {"kind": "drop", "path": "dumps"}})
    growing = Growing()
    one._poller._sleep = growing
    [polled] = one.once()
    assert (polled.items, polled.error) == (0, None)
    assert growing.waits == 39


def test_the_own_budget_is_waited_for(watcher: MakeWatcher, site: Site, planted: list[Planted]) -> None:
    pastes(site, {f"k{n}": f"text {n}" for n in range(8)})
    one = watcher(
        {"pastes": {"kind": "paste", "list_url": f"{site.url}/list"}}, net={"host_requests_per_minute": 5}
    )
    slept: list[float] = []

    class Shifted(RealClock):
        def now_ms(self) -> int:
            return super().now_ms() + int(sum(slept) * 1000)

    one._patient._clock = one._patient._budget._clock = Shifted()
    one._patient._sleep = slept.append
    [polled] = one.once()
    assert (polled.items, polled.error) == (8, None)
    assert 55 < sum(slept) < 65
    assert len(site.asked) == 9


def test_a_busy_host_is_asked_once(watcher: MakeWatcher, registry: Registry, site: Site) -> None:
    site.page("/list", b"", 429, Retry_After="60")
    monitors = {
        "pastes": {"kind": "paste", "list_url": f"{site.url}/list"},
        "feed": {"url": f"{site.url}/feed"},
    }
    for _ in range(5):
        answers = by_name(watcher({"pastes": monitors["pastes"]}).once())
        assert answers["pastes"].error is not None
    assert site.asked == ["/list"]
    assert by_name(watcher(monitors).once())["feed"].error is not None
    assert site.asked == ["/list"]


def test_pause_resume_run_and_test(
    watcher: MakeWatcher, registry: Registry, planted: list[Planted], site: Site, tmp_path: Path
) -> None:
    pastes(site, {"b": planted[0].alias})
    config: dict[str, object] = {
        "net": NET,
        "monitors": {
            "pastes": {"kind": "paste", "list_url": f"{site.url}/list"},
            "bad": {"kind": "feed", "url": f"{site.url}/bad"},
            "mail": {"kind": "smtp", "listen": "127.0.0.1:0"},
        },
    }
    turn_source(registry, "pastes", "pause", config, tmp_path)
    states = {one.name: one.state for one in source_states(registry, config, RealClock(), tmp_path)}
    assert states == {"bad": "never", "mail": "never", "pastes": "paused"}
    monitors = config["monitors"]
    assert isinstance(monitors, dict)
    paused = watcher(monitors, only="pastes")
    [polled] = paused.once()
    assert polled.skipped
    with pytest.raises(UsageError, match="paused"):
        run_source(paused)
    turn_source(registry, "pastes", "resume", config, tmp_path)
    tried = try_source("pastes", config, RealClock(), tmp_path)
    assert (tried.ok, tried.detail) == (True, "1 items")
    assert stored(registry) == []
    assert try_source("mail", config, RealClock(), tmp_path).ok
    assert try_source("bad", config, RealClock(), tmp_path) == try_source(
        "bad", config, RealClock(), tmp_path
    )
    assert not try_source("bad", config, RealClock(), tmp_path).ok
    assert run_source(watcher(monitors, only="pastes")).items == 1
    with pytest.raises(OutsideError, match="404"):
        run_source(watcher(monitors, only="bad"))
    with pytest.raises(UsageError, match="receiver"):
        run_source(watcher(monitors, only="mail"))
    with pytest.raises(UsageError, match="no source"):
        watcher(monitors, only="nothing")
    with pytest.raises(UsageError, match="cannot be told"):
        turn_source(registry, "pastes", "dance", config, tmp_path)


def test_a_monitor_that_stumbles_is_told(
    watcher: MakeWatcher, registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_: object) -> None:
        raise KeyError("secret")

    monkeypatch.setattr("canary.monitors.drop.Drop.poll", stumble)
    config = {"monitors": {"dumps": {"kind": "drop", "path": "x"}}}
    [polled] = watcher(config["monitors"]).once()
    assert polled.error == "the monitor stumbled: KeyError"
    assert not try_source("dumps", config, RealClock(), tmp_path).ok
    with registry.read() as tx:
        state = sources.get(tx, "dumps")
    assert state is not None
    assert state.failures == 1


def test_old_raw_bytes_without_match_are_forgotten(
    watcher: MakeWatcher, registry: Registry, planted: list[Planted], site: Site
) -> None:
    pastes(site, {"a": "nothing of ours", "b": planted[0].alias})
    one = watcher({"pastes": {"kind": "paste", "list_url": f"{site.url}/list"}})
    one.settings = type(one.settings)(one.settings.net, 1, one.settings.sources, 1, 1, keep_ms=-60_000)
    one.once()
    with registry.read() as tx:
        kept = {seen.item: sightings.raw(tx, seen.id) for seen in sightings.list_all(tx)}
    assert kept == {"a": None, "b": planted[0].alias.encode()}
