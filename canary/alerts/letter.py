"""What an alert says: counts and names of ours, never a value, a contact or a recipient."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

OPENED: Final = "incident.opened"
DIGEST: Final = "incident.digest"
ALLOWED: Final = "sighting.allowed"
SUPPRESS: Final = "suppress.alarm"
SOURCE: Final = "source.alarm"
BROKEN: Final = "channel.broken"
MENDED: Final = "channel.mended"
TEST: Final = "test"
URGENT: Final = frozenset({OPENED, SUPPRESS, SOURCE, BROKEN})


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert for one channel; `body` is the same on every retry, and so is `key`."""

    key: str
    event: str
    incident: str | None
    body: str

    def told(self) -> Mapping[str, object]:
        """Read the body."""
        read = json.loads(self.body)
        return read if isinstance(read, dict) else {}


@dataclass(frozen=True, slots=True)
class News:
    """What is new of one incident: how many sightings and canaries, where from, and when."""

    incident: str
    time_ms: int
    sightings: int
    canaries: int
    sources: tuple[str, ...]
    datasets: tuple[str, ...]
    seen_as: tuple[str, ...]


def rfc3339(ms: int) -> str:
    """Spell a time in UTC to the second."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def body_of(event: str, news: News) -> str:
    """Spell the body of an alert (canonical JSON, so that a retry has the same bytes)."""
    return dump(
        {
            "event": event,
            "incident": news.incident,
            "time": rfc3339(news.time_ms),
            "sightings": news.sightings,
            "canaries": news.canaries,
            "sources": sorted(news.sources),
            "datasets": sorted(news.datasets),
            "seen_as": sorted(news.seen_as),
        }
    )


def added(body: str, more: str) -> str:
    """Add the counts of one digest to those of another of the same incident."""
    old, new = json.loads(body), json.loads(more)
    lists = {key: sorted({*old[key], *new[key]}) for key in ("sources", "datasets", "seen_as")}
    return dump({**new, **lists, **{key: old[key] + new[key] for key in ("sightings", "canaries")}})


def allowed_body(sighting: str, rule: str) -> str:
    """Spell the note that a sighting was an allowed use."""
    return dump({"event": ALLOWED, "sighting": sighting, "rule": rule})


def suppress_body(caller: str, rows: int, time_ms: int) -> str:
    """Spell the alarm that a caller's files held more canaries than the owner's own data can."""
    return dump(
        {"event": SUPPRESS, "incident": None, "caller": caller, "rows": rows, "time": rfc3339(time_ms)}
    )


def source_body(source: str, reason: str, time_ms: int) -> str:
    """Spell the alarm that a source does not work."""
    told = {"source": source, "reason": reason, "time": rfc3339(time_ms)}
    return dump({"event": SOURCE, "incident": None, **told})


def channel_body(event: str, channel: str, since_ms: int) -> str:
    """Spell the news that a channel fails, or works again."""
    return dump({"event": event, "incident": None, "channel": channel, "since": rfc3339(since_ms)})


def dump(value: Mapping[str, object]) -> str:
    """Spell canonical JSON."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def key_of(*parts: object) -> str:
    """Make an idempotency key (64 hex digits) of what makes an alert the same one."""
    return hashlib.sha256("\0".join(map(str, parts)).encode("utf-8", "surrogatepass")).hexdigest()


def sentence(alert: Alert) -> str:
    """Say an alert in one line, for people."""
    told = alert.told()
    if alert.event == SUPPRESS:
        return f"canary suppress stopped caller {told.get('caller')}: look into it before it is lifted"
    if alert.event == SOURCE:
        return f"canary source {told.get('source')} needs care: {told.get('reason')}"
    if alert.event in (BROKEN, MENDED):
        how = "does not deliver" if alert.event == BROKEN else "delivers again, which it did not"
        return f"canary alert channel {told.get('channel')} {how} since {told.get('since')}"
    what = "opened" if alert.event == OPENED else "has more" if alert.event == DIGEST else alert.event
    told_sources, told_sets = told.get("sources"), told.get("datasets")
    sources = ", ".join(map(str, told_sources)) if isinstance(told_sources, list) else ""
    datasets = ", ".join(map(str, told_sets)) if isinstance(told_sets, list) else ""
    counts = f"{told.get('sightings', 0)} sightings of {told.get('canaries', 0)} canaries"
    where = f"{f' of {datasets}' if datasets else ''}{f' by {sources}' if sources else ''}"
    return f"canary incident {alert.incident or '-'} {what}: {counts}{where}"
