"""Reading config.toml for the watcher: errors name their table."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from canary.daemon.pacing import backoff_ms
from canary.daemon.settings import read_channels, read_policy, read_settings
from canary.errors import UsageError
from canary.monitors import kind_names
from canary.net.fetch import Reply
from canary.settings import default_text

FOLDER = Path("/nowhere/at/all")


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
    return Reply(200, {}, b"", url)


def channels(alerts: Mapping[str, object]) -> list[str]:
    return [one.name for one in read_channels({"alerts": alerts}, post, "host", lambda: 0)]


def test_every_kind_stands_in_the_commented_settings_and_works_when_its_mark_is_taken_off() -> None:
    lines = [line.removeprefix("# ") for line in default_text().splitlines()]
    tables = tomllib.loads(
        "\n".join(line for line in lines if re.match(r"\[|[a-z_]+ = |Authorization = ", line))
    )
    sources = read_settings({"monitors": tables["monitors"]}, FOLDER).sources
    assert {one.kind for one in sources} == set(kind_names())


def test_nothing_is_configured() -> None:
    read = read_settings({}, FOLDER)
    assert read.sources == ()
    assert (read.net.timeout, read.net.max_bytes, read.net.host_requests_per_minute) == (30, 50_000_000, 30)
    assert (read.retry_ms, read.digest_ms, read.keep_ms) == (30_000, 3_600_000, 30 * 86_400_000)
    assert channels({}) == []


def test_sources_are_named_by_their_tables() -> None:
    tables = {
        "smtp": {"listen": "127.0.0.1:0"},
        "news": {"kind": "feed", "url": "https://x.example/"},
        "dumps": {"kind": "drop", "path": "dumps", "interval": 0.5},
        "feed": {"url": "https://x.example/"},
    }
    read = read_settings({"monitors": tables}, FOLDER)
    assert [(one.name, one.kind, one.interval_ms) for one in read.sources] == [
        ("dumps", "drop", 500), ("feed", "feed", 300_000), ("news", "feed", 300_000), ("smtp", "smtp", 0),
    ]  # fmt: skip
    assert read.sources[0].monitor.folder == FOLDER / "dumps"  # type: ignore[union-attr]
    assert read.sources[3].receiver is not None
    assert [one.name for one in read_settings({"monitors": tables}, FOLDER, "news").sources] == ["news"]


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ({"x": {}}, "monitors.x"), ({"x": 5}, "monitors.x"), ({"x": {"kind": "feed"}}, "monitors.x"),
        ({"x": {"kind": "feed", "url": "https://x/", "color": 1}}, "color"),
        ({"feed": {"url": "https://x/", "interval": 0}}, "interval"),
        ({"feed": {"url": "https://x/", "interval": "1"}}, "interval"),
        ({"feed": {"url": "file:///etc/passwd"}}, "monitors.feed"),
    ],
)  # fmt: skip
def test_bad_sources_are_named(tables: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_settings({"monitors": tables}, FOLDER)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"net": {"allow_addresses": ["10.0.0.0/40"]}}, "allow_addresses"),
        ({"net": {"allow_addresses": "10"}}, "list"),
        ({"net": {"timeout": -1}}, "timeout"), ({"net": {"timeout": True}}, "timeout"), ({"net": 5}, "net"),
        ({"monitors": []}, None), ({"monitors": [5]}, "monitors"), ({"alerts": {"digest": "x"}}, "digest"),
    ],
)  # fmt: skip
def test_bad_tables_are_named(config: dict[str, object], said: str | None) -> None:
    if said is None:
        assert read_settings(config, FOLDER).sources == ()
        return
    with pytest.raises(UsageError, match=said):
        read_settings(config, FOLDER)


def test_channels_have_names() -> None:
    alerts = {
        "webhook": [
            {"name": "ops", "url": "https://x/", "secret": "s"},
            {"url": "https://y/", "secret": "s"},
        ],
        "syslog": [{"address": "udp://127.0.0.1:514", "format": "cef"}],
        "apprise": [{"name": "chat", "url": "dingtalk://x"}],
    }
    assert channels(alerts) == [
        "webhook:ops",
        "webhook:webhook",
        "syslog:udp://127.0.0.1:514",
        "apprise:chat",
    ]
    policy = read_policy(
        {"alerts": {**alerts, "quiet_hours": "22:00-07:00", "digest": 2}},
        read_channels({"alerts": alerts}, post, "h", lambda: 0),
    )
    assert policy.channels == tuple(channels(alerts))
    assert policy.digest_ms == 2000
    assert policy.quiet is not None


@pytest.mark.parametrize(
    "alerts",
    [
        {"webhook": [{"url": "https://x/"}]}, {"webhook": [{"url": "x", "secret": "s"}]}, {"webhook": [5]},
        {"webhook": {"url": "x"}}, {"webhook": [{"url": "https://x/", "secret": "s", "more": 1}]},
        {"webhook": [{"url": "https://x/", "secret": "s"}] * 2}, {"syslog": [{"address": "x"}]},
        {"syslog": [{"address": "udp://x", "format": "xml"}]}, {"apprise": [{"name": "x"}]},
        {"syslog": [{"address": "udp://x", "more": 1}]}, {"apprise": [{"url": "x://", "more": 1}]},
    ],
)  # fmt: skip
def test_bad_channels(alerts: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        channels(alerts)


def test_backoff_doubles_up_to_an_hour() -> None:
    assert [backoff_ms(60_000, failures) for failures in (1, 2, 3, 4, 9, 50)] == [
        60_000, 60_000, 120_000, 240_000, 3_600_000, 3_600_000,
    ]  # fmt: skip
    assert backoff_ms(7_200_000, 50) == 7_200_000
