"""Alarms of the watch itself: a source that fails or went deaf, and a channel by which nobody is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from canary.alerts import letter
from canary.store import channels, journal, outbox, selftests
from canary.store.tx import Tx

if TYPE_CHECKING:
    from canary.steps.watch import Taker


def source_alarm(tx: Tx, taker: Taker, source: str, reason: str, now_ms: int) -> None:
    """Tell everybody who is told of incidents that a source does not work."""
    body = letter.source_body(source, reason, now_ms)
    due = taker.policy.not_before(now_ms, taker.local)
    for channel in taker.policy.channels:
        key = letter.key_of(letter.SOURCE, source, reason, now_ms, channel)
        outbox.add(tx, key=key, event=letter.SOURCE, channel=channel, body=body, due_ms=due)


def deaf_sources(tx: Tx, taker: Taker, now_ms: int) -> list[str]:
    """Alarm for every source whose self-test did not come back in time; gives their names."""
    late = [one.source for one in selftests.missing(tx, now_ms) if selftests.alarmed(tx, one.source, now_ms)]
    for source in late:
        source_alarm(tx, taker, source, "its self-test did not come back", now_ms)
    return late


def broken_channels(tx: Tx, taker: Taker, now_ms: int, patience_ms: int) -> list[str]:
    """Tell by the other channels, at any hour, and in the ledger, that a channel fails; gives the names."""
    found = [
        one
        for one in channels.untold(tx, now_ms - patience_ms)
        if one.name in taker.policy.channels and channels.told(tx, one.name, now_ms)
    ]
    for one in found:
        body = letter.channel_body(letter.BROKEN, one.name, one.since_ms or now_ms)
        _tell_others(tx, taker, letter.BROKEN, one.name, body, now_ms)
        entry = {"alarm": letter.BROKEN, "channel": one.name, "since_ms": one.since_ms}
        journal.append(tx, "watch", entry, taker.signer, now_ms)
    return [one.name for one in found]


def mended_channel(tx: Tx, taker: Taker, name: str, since_ms: int, now_ms: int) -> None:
    """Tell by the other channels that a channel works again, of which was told that it failed."""
    _tell_others(tx, taker, letter.MENDED, name, letter.channel_body(letter.MENDED, name, since_ms), now_ms)


def _tell_others(tx: Tx, taker: Taker, event: str, name: str, body: str, now_ms: int) -> None:
    for channel in taker.policy.channels:
        if channel != name:
            key = letter.key_of(event, name, now_ms, channel)
            outbox.add(tx, key=key, event=event, channel=channel, body=body, due_ms=now_ms)
