"""Announce: what a batch means for those who are told, put into the outbox in the batch's own transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select, update

from canary.alerts import letter
from canary.alerts.letter import News
from canary.alerts.policy import AlertPolicy
from canary.model.sight import Match, Sighting
from canary.store import outbox
from canary.store.tables import outbox as letters
from canary.store.tx import Tx


@dataclass(slots=True)
class _Tally:
    """What a batch brought of one incident."""

    opened: bool = False
    sightings: int = 0
    canaries: set[str] = field(default_factory=set)
    sources: set[str] = field(default_factory=set)
    datasets: set[str] = field(default_factory=set)
    seen_as: set[str] = field(default_factory=set)


class Announcer:
    """Collects what happened in one transaction, then writes one letter an incident and channel."""

    def __init__(self, tx: Tx, policy: AlertPolicy, local: Callable[[int], datetime], now_ms: int) -> None:
        self._tx, self._policy, self._local, self._now = tx, policy, local, now_ms
        self._tallies: dict[str, _Tally] = {}
        self.matches = 0

    @property
    def opened(self) -> list[str]:
        """Give the incidents that were opened."""
        return [incident for incident, tally in self._tallies.items() if tally.opened]

    def note(
        self, incident: str, opened: bool, sighting: Sighting, fresh: Sequence[Match], datasets: Iterable[str]
    ) -> None:
        """Note that a sighting belongs to an incident."""
        tally = self._tallies.setdefault(incident, _Tally())
        tally.opened = tally.opened or opened
        tally.sightings += 1
        tally.canaries.update(match.canary for match in fresh)
        tally.sources.add(sighting.source)
        tally.seen_as.add(sighting.event)
        tally.datasets.update(datasets)

    def allowed(self, sighting: str, rule: str) -> None:
        """Keep a note that a sighting was an allowed use; it is never delivered."""
        body = letter.allowed_body(sighting, rule)
        key = letter.key_of(letter.ALLOWED, sighting)
        outbox.add(
            self._tx,
            key=key,
            event=letter.ALLOWED,
            channel="",
            body=body,
            due_ms=self._now,
            state=outbox.ALLOWED,
        )

    def announce(self) -> None:
        """Write the letters."""
        for incident, tally in self._tallies.items():
            news = News(
                incident, self._now, tally.sightings, len(tally.canaries), tuple(tally.sources),
                tuple(tally.datasets), tuple(tally.seen_as),
            )  # fmt: skip
            for channel in self._policy.channels:
                if tally.opened:
                    self._tell_opened(channel, news)
                else:
                    self._tell_digest(channel, news)

    def _tell_opened(self, channel: str, news: News) -> None:
        outbox.add(
            self._tx,
            key=letter.key_of(letter.OPENED, news.incident, channel),
            event=letter.OPENED,
            channel=channel,
            body=letter.body_of(letter.OPENED, news),
            due_ms=self._policy.not_before(self._now, self._local),
            incident=news.incident,
        )

    def _tell_digest(self, channel: str, news: News) -> None:
        """Add to the digest of this span of time, or begin it; it is not due before the span ends."""
        slot, end = self._policy.digest_slot(self._now)
        key = letter.key_of(letter.DIGEST, news.incident, channel, slot, self._policy.digest_ms)
        body = letter.body_of(letter.DIGEST, news)
        new = outbox.add(
            self._tx,
            key=key,
            event=letter.DIGEST,
            channel=channel,
            body=body,
            due_ms=self._policy.not_before(end, self._local),
            incident=news.incident,
        )
        if not new:
            kept = self._tx.conn.scalar(select(letters.c.body).where(letters.c.key == key).with_for_update())
            both = letter.added(str(kept), body)
            self._tx.conn.execute(update(letters).where(letters.c.key == key).values(body=both))
