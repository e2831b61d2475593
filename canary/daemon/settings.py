"""From the tables of config.toml to what the watcher runs; every error names its table."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Final, TypedDict

from canary.alerts.apprise import Apprise
from canary.alerts.channel import Channel, Post
from canary.alerts.policy import AlertPolicy, parse_allow, parse_quiet
from canary.alerts.syslog import FORMATS, Syslog, parse_address
from canary.alerts.webhook import Webhook
from canary.errors import UsageError
from canary.monitors import load_kind
from canary.monitors.parts.settings import Settings
from canary.net.fetch import NetSettings
from canary.ports import Monitor, Receiver

INTERVAL: Final = 300.0  # seconds, where a kind says nothing
DAY_MS: Final = 86_400_000
PATHS: Final = ("path", "certificate", "certificate_key")  # relative to the home
OWN_KEYS: Final = ("kind", "interval", "self_test")


Plant = Callable[[str], None]
"""Puts a word where a source looks; raises OutsideError."""


@dataclass(frozen=True, slots=True)
class Source:
    """One table below [monitors]: exactly one of monitor and receiver; `interval_ms` between polls.

    `mark` changes when the table does; `test_ms` is how often the watch plants a self-test, 0 for never.
    """

    name: str
    kind: str
    interval_ms: int
    monitor: Monitor | None = None
    receiver: Receiver | None = None
    mark: str = ""
    test_ms: int = 0
    plant: Plant | None = None


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """All that the watcher reads of the settings."""

    net: NetSettings
    retry_ms: int
    sources: tuple[Source, ...]
    digest_ms: int
    window_ms: int
    keep_ms: int
    callers_ms: int = 90 * DAY_MS
    metrics: tuple[str, int] | None = None


def read_settings(config: Mapping[str, object], folder: Path, only: str | None = None) -> WatchSettings:
    """Read the settings with their sources (all, or the one named `only`); raises UsageError."""
    net, watch, alerts = (_table(config, name) for name in ("net", "watch", "alerts"))
    return WatchSettings(
        net=net_settings(net),
        retry_ms=round(_number(net, "retry_base", 30) * 1000),
        sources=tuple(read_sources(_table(config, "monitors"), folder, only)),
        digest_ms=max(1_000, round(_number(alerts, "digest", 3_600) * 1000)),
        window_ms=round(_number(watch, "incident_days", 30) * DAY_MS),
        keep_ms=round(_number(watch, "keep_days", 30) * DAY_MS),
        callers_ms=round(_number(watch, "callers_days", 90) * DAY_MS),
        metrics=_metrics(_table(config, "metrics")),
    )


def _metrics(table: Mapping[str, object]) -> tuple[str, int] | None:
    """Read [metrics]; None where nothing is to listen."""
    if not table.get("listen"):
        return None
    return Settings(table).listen()


def net_settings(table: Mapping[str, object]) -> NetSettings:
    """Read [net]."""
    allow = table.get("allow_addresses") or ()
    try:
        networks = tuple(ipaddress.ip_network(str(one), strict=False) for one in _items(allow))
    except ValueError as error:
        raise UsageError(f"net.allow_addresses: {error}", "give CIDRs such as 10.0.0.0/8") from None
    return NetSettings(
        allow_addresses=networks,
        timeout=_number(table, "timeout", 30),
        max_bytes=int(_number(table, "max_bytes", 50_000_000)),
        host_requests_per_minute=max(1, int(_number(table, "host_requests_per_minute", 30))),
    )


def read_sources(tables: Mapping[str, object], folder: Path, only: str | None) -> list[Source]:
    """Make the source of every table, or of one; relative paths start at the home."""
    if only is not None and only not in tables:
        raise UsageError(
            f"no source {only!r} in config.toml", "sources: " + (", ".join(sorted(tables)) or "none")
        )
    return [_source(name, tables, folder) for name in sorted(tables) if only in (None, name)]


def _source(name: str, tables: Mapping[str, object], folder: Path) -> Source:
    try:
        table = dict(_table(tables, name))
        kind = str(table.get("kind", name))
        module = load_kind(kind)
        interval = _number(table, "interval", getattr(module, "INTERVAL", INTERVAL))
        rest = {key: value for key, value in table.items() if key not in OWN_KEYS}
        for key in PATHS:
            if rest.get(key) and isinstance(rest[key], str):
                rest[key] = str(folder / str(rest[key]))
        made = Source(name, kind, 0, mark=_mark(table), **_test(module, kind, table, rest))
        if hasattr(module, "receiver"):
            return replace(made, receiver=module.receiver(rest))
        interval_ms = max(100, round(interval * 1000))
        return replace(made, interval_ms=interval_ms, monitor=module.monitor(rest))
    except UsageError as error:
        raise UsageError(f"[monitors.{name}]: {error.message}", error.hint) from None


class _Test(TypedDict):
    test_ms: int
    plant: Plant | None


def _test(module: ModuleType, kind: str, table: Mapping[str, object], rest: Mapping[str, object]) -> _Test:
    """Read how often a source is tested, and who plants the test: its kind (by `planter`), else a person."""
    test_ms = round(_number(table, "self_test", 1) * 1000) if "self_test" in table else 0
    make = getattr(module, "planter", None)
    if test_ms and make is None:
        raise UsageError(
            f"no self-test can be planted in a {kind} by itself", "plant one by hand: canary source plant"
        )
    return {"test_ms": test_ms, "plant": make(rest) if make is not None else None}


def _mark(table: Mapping[str, object]) -> str:
    """Digest a table, which may hold secrets, to see whether it changed."""
    return hashlib.sha256(repr(sorted(table.items())).encode("utf-8", "surrogatepass")).hexdigest()


def read_policy(config: Mapping[str, object], channels: Sequence[Channel]) -> AlertPolicy:
    """Read [alerts]: when whom is told."""
    alerts = _table(config, "alerts")
    return AlertPolicy(
        channels=tuple(channel.name for channel in channels),
        digest_ms=max(1_000, round(_number(alerts, "digest", 3_600) * 1000)),
        quiet=parse_quiet(str(alerts.get("quiet_hours") or "")),
        allow=tuple(parse_allow(_mapping(one, "alerts.allow")) for one in _items(alerts.get("allow"))),
    )


def read_channels(
    config: Mapping[str, object], post: Post, hostname: str, now_ms: Callable[[], int]
) -> tuple[Channel, ...]:
    """Make every channel of [alerts]; two of one name are an error."""
    alerts = _table(config, "alerts")
    made: list[Channel] = []
    for each in _items(alerts.get("webhook")):
        read, name = _entry(each, "webhook")
        made.append(Webhook(name, read.url("url"), read.text("secret"), post))
        read.done()
    for each in _items(alerts.get("syslog")):
        read, _ = _entry(each, "syslog")
        scheme, host, port = parse_address(read.text("address"))
        made.append(Syslog(scheme, host, port, _format(read.text("format", "rfc5424")), hostname, now_ms))
        read.done()
    for each in _items(alerts.get("apprise")):
        read, name = _entry(each, "apprise")
        made.append(Apprise(name, read.text("url")))
        read.done()
    names = [channel.name for channel in made]
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError(f"two alert channels are named {doubled[0]!r}", "give each its own name")
    return tuple(made)


def _entry(value: object, kind: str) -> tuple[Settings, str]:
    read = Settings(_mapping(value, f"alerts.{kind}"))
    return read, read.text("name", kind)


def _format(text: str) -> str:
    if text not in FORMATS:
        raise UsageError(f"[[alerts.syslog]]: unknown format {text!r}", "formats: " + ", ".join(FORMATS))
    return text


def _table(config: Mapping[str, object], name: str) -> Mapping[str, object]:
    return _mapping(config.get(name) or {}, name)


def _mapping(value: object, name: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise UsageError(f"{name} in config.toml is no table", f"write it as [{name}]")
    return value


def _items(value: object) -> Sequence[object]:
    if value is None:
        return ()
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise UsageError("a list in config.toml is none", 'write it as ["…"] or [[…]]')
    return value


def _number(table: Mapping[str, object], key: str, default: float) -> float:
    value = table.get(key, default)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < 1e15:
        raise UsageError(f"the setting {key!r} is no positive number", f"the default is {default:g}")
    return float(value)
