"""When an alert may leave: quiet hours, digests, and uses that are allowed."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from canary.errors import UsageError

_QUIET: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
EVENTS: Final = ("data", "mail", "probe", "call", "sms", "access")


@dataclass(frozen=True, slots=True)
class Allow:
    """An allowed use: up to `count` sightings by `event` of each canary of a kind are stored, not alerted."""

    name: str
    kind: str
    event: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours in which nobody is told, in minutes after local midnight; may pass midnight."""

    start: int
    end: int

    def covers(self, minute: int) -> bool:
        """Tell whether a minute of the day is quiet."""
        if self.start <= self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end


@dataclass(frozen=True, slots=True)
class AlertPolicy:
    """Who is told (names of channels), how often later sightings are, and what is not told."""

    channels: tuple[str, ...] = ()
    digest_ms: int = 3_600_000
    quiet: Quiet | None = None
    allow: tuple[Allow, ...] = ()

    def not_before(self, ms: int, local: Callable[[int], datetime]) -> int:
        """Give when an alert meant for a time may leave: then, or at the end of the quiet hours."""
        moment = local(ms)
        if self.quiet is None or not self.quiet.covers(moment.hour * 60 + moment.minute):
            return ms
        end = moment.replace(hour=self.quiet.end // 60, minute=self.quiet.end % 60, second=0, microsecond=0)
        if end <= moment:
            end += timedelta(days=1)
        return int(end.timestamp() * 1000)

    def digest_slot(self, ms: int) -> tuple[int, int]:
        """Give the number of the digest a time falls in, and when that ends."""
        slot = ms // self.digest_ms
        return slot, (slot + 1) * self.digest_ms

    def allowed(self, event: str, kinds: Collection[str], earlier: Callable[[], int]) -> str | None:
        """Give the name of the rule that allows a sighting of these kinds, if `earlier` ones are few."""
        rules = [one for one in self.allow if one.event == event and set(kinds) == {one.kind}]
        if not rules:
            return None
        before = earlier()
        return next((one.name for one in rules if before < one.count), None)


def parse_quiet(text: str) -> Quiet | None:
    """Read `22:00-07:00`; empty means none. Raises UsageError."""
    if not text:
        return None
    found = _QUIET.fullmatch(text)
    if found is None or found[1] + found[2] == found[3] + found[4]:
        raise UsageError(f"alerts.quiet_hours is {text!r}", "give two times such as 22:00-07:00")
    hours = [int(part) for part in found.groups()]
    return Quiet(hours[0] * 60 + hours[1], hours[2] * 60 + hours[3])


def parse_allow(table: Mapping[str, object]) -> Allow:
    """Read one [[alerts.allow]]; raises UsageError."""
    unknown = sorted(table.keys() - {"name", "kind", "event", "count"})
    texts = {key: table.get(key) for key in ("name", "kind", "event")}
    count = table.get("count", 1)
    missing = [key for key, value in texts.items() if not isinstance(value, str) or not value]
    if unknown or missing:
        what = f"unknown setting {unknown[0]!r}" if unknown else f"the setting {missing[0]!r} is missing"
        raise UsageError(f"[[alerts.allow]]: {what}", "its settings are name, kind, event and count")
    if texts["event"] not in EVENTS:
        raise UsageError(
            f"[[alerts.allow]]: unknown event {texts['event']!r}", "events: " + ", ".join(EVENTS)
        )
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise UsageError("[[alerts.allow]]: count is no whole number from 1", "give how many are allowed")
    return Allow(str(texts["name"]), str(texts["kind"]), str(texts["event"]), count)
