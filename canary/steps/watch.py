"""Watch: take in what monitors saw, with all that follows from it in one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import select, update

from canary.alerts.policy import AlertPolicy
from canary.fields.canonical import canonical
from canary.ledger.note import Signer
from canary.model.sight import Match, Sighting
from canary.ports import Clock
from canary.steps import selftest, warcs
from canary.steps.announce import Announcer
from canary.steps.arrivals import Arrival, Eyes, Seen, look
from canary.steps.incidents import Clue, Fact, Grouper, earlier, facts_of
from canary.store import captures, journal, readings, runs, selftests, sources
from canary.store import sightings as store
from canary.store.ids import new_id
from canary.store.runs import Next, Run, Traffic
from canary.store.tables import identifiers, sightings
from canary.store.tx import Tx

if TYPE_CHECKING:
    from canary.store.registry import Registry

__all__ = ["Advance", "Arrival", "Eyes", "Taken", "Taker", "knows", "take"]


FREE: Final = Traffic()  # what costs nothing


def local_time(ms: int) -> datetime:
    """Give a time as the machine's own clock shows it."""
    return datetime.fromtimestamp(ms / 1000).astimezone()


@dataclass(frozen=True, slots=True)
class Advance:
    """How far a polled source has come with the items it is stored with.

    With a `run` all of it is fenced; `after` says when the source is due again, None where the run goes on.
    """

    source: str
    cursor: str
    gap: bool
    due_ms: int | None = None
    run: Run | None = None
    after: Next | None = None
    traffic: Traffic = FREE
    exchanges: tuple[warcs.Exchange, ...] = ()


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a batch: for each arrival whether its contact is ours, and what is new."""

    ours: tuple[bool, ...]
    sightings: int = 0
    matches: int = 0
    opened: tuple[str, ...] = ()


@dataclass(frozen=True)
class Taker:
    """What taking in needs; built once by the watcher."""

    registry: Registry
    signer: Signer
    clock: Clock
    eyes: Eyes
    policy: AlertPolicy = field(default_factory=AlertPolicy)
    window_ms: int = 30 * 86_400_000
    local: Callable[[int], datetime] = local_time


@dataclass(frozen=True, slots=True)
class _Room:
    """What storing one batch works with."""

    tx: Tx
    taker: Taker
    facts: Mapping[str, Fact]
    told: Announcer
    grouper: Grouper
    now: int


def take(taker: Taker, arrivals: Sequence[Arrival], advance: Advance | None = None) -> Taken:
    """Store a batch with all that follows from it, whole or not at all; a repeated item changes nothing.

    An item whose contact is not ours is left out. Raises OutsideError where the registry fails, and Overtaken,
    with nothing stored, where a later run of the source was begun.
    """
    seen = look(taker.registry, taker.eyes, arrivals)
    fetched = warcs.captures_of(advance.exchanges, {one.sha256 for one in seen}) if advance else []
    ours = [False] * len(arrivals)
    now = taker.clock.now_ms()
    with taker.registry.begin() as tx:
        if advance is not None and advance.run is not None:
            runs.fence(tx, advance.run)
        told = Announcer(tx, taker.policy, taker.local, now)
        facts = facts_of(tx, (match.canary for one in seen for match in one.matches))
        room = _Room(tx, taker, facts, told, Grouper(tx, facts, now, taker.window_ms), now)
        entries: list[tuple[str, dict[str, object]]] = []
        for one in seen:
            if one.place is not None:
                ours[one.place] = one.ours
            if one.ours and (entry := _store(room, one)) is not None:
                entries.append(("watch", entry))
        journal.append_many(tx, entries, taker.signer, now)
        told.announce()
        if advance is not None:
            _keep(tx, advance, fetched, entries)
            _advance(tx, advance, len(entries), now)
    return Taken(tuple(ours), len(entries), told.matches, tuple(told.opened))


def _keep(
    tx: Tx,
    advance: Advance,
    fetched: Sequence[captures.Capture],
    entries: Sequence[tuple[str, Mapping[str, object]]],
) -> None:
    """Keep what was fetched if something new came of it: its own answer for each item, the pages for all."""
    if not entries or not fetched:
        return
    slot = advance.run.slot if advance.run is not None else 0
    serials = captures.add(tx, advance.source, slot, fetched)
    pairs = list(zip(fetched, serials, strict=True))
    own = {str(body["sha256"]) for _, body in entries}
    for _, body in entries:
        mine = [serial for each, serial in pairs if each.sha256 == body["sha256"] or each.sha256 not in own]
        captures.link(tx, [(str(body["sighting"]), serial) for serial in mine])


def _advance(tx: Tx, advance: Advance, items: int, now: int) -> None:
    if advance.run is None:
        sources.succeeded(tx, advance.source, advance.cursor, now, advance.due_ms, advance.gap)
    else:
        run, after = advance.run, advance.after
        runs.advance(tx, run, advance.cursor, advance.gap, items, now, advance.traffic, after)


def knows(registry: Registry, alias: str) -> bool:
    """Tell whether a mail address is the alias of a canary or a self-test; OutsideError where the registry fails."""
    address = canonical("email", alias)
    if address is None:
        return False
    with registry.read() as tx:
        wanted = select(identifiers.c.serial).where(identifiers.c.digest == tx.keys.digest("email", address))
        if tx.conn.scalar(wanted.limit(1)) is not None:
            return True
        return any(token in address for token in selftest.pending(tx).values())


def _store(room: _Room, one: Seen) -> dict[str, object] | None:
    """Store one sighting with its matches and its incident; None where it is known already."""
    item = one.arrival.item
    about = [room.facts[match.canary] for match in one.matches]
    rule = room.taker.policy.allowed(
        item.event,
        {each.kind for each in about},
        lambda: earlier(room.tx, [each.serial for each in about], item.event),
    )
    sighting = _sighting(one, rule, room.now)
    if not store.add(room.tx, sighting, item.raw):
        return None
    if item.file:
        _by_hash_only(room.tx, sighting.id)
    elif one.reading is not None and one.matches:
        readings.add(room.tx, sighting.id, one.reading)
    fresh = [match for match in one.matches if store.add_match(room.tx, sighting.id, match)]
    if one.test is not None:
        selftests.seen(room.tx, sighting.source, one.test, room.now)
    clue = Clue(sighting.source, sighting.sha256, sighting.event, one.matches)
    incident, opened = (None, False) if rule else room.grouper.join(clue)
    if incident is not None:
        _attach(room.tx, sighting.id, incident)
        room.told.note(incident, opened, sighting, fresh, {each.dataset for each in about})
    elif rule:
        room.told.allowed(sighting.id, rule)
    room.told.matches += len(fresh)
    return _entry(sighting, one.matches, incident, opened)


def _sighting(one: Seen, rule: str | None, now: int) -> Sighting:
    arrival, item = one.arrival, one.arrival.item
    detail = {
        **item.detail,
        **({"path": str(Path(item.file).absolute())} if item.file else {}),
        **({"allowed": rule} if rule else {}),
        **({"scan": one.error} if one.error else {}),
        **({"self_test": "came back"} if one.test else {}),
    }
    return Sighting(
        id=new_id("s-"),
        source=arrival.source,
        kind=arrival.kind,
        item=item.key,
        event=item.event,
        contact=one.contact,
        time_ms=item.time_ms or now,
        seen_ms=now,
        sha256=one.sha256,
        bytes=one.size,
        detail=detail,
    )


def _by_hash_only(tx: Tx, sighting: str) -> None:
    """Keep no bytes of something too big to be carried: its hash and its path tell what it was."""
    tx.conn.execute(update(sightings).where(sightings.c.id == sighting).values(raw=None))


def _attach(tx: Tx, sighting: str, incident: str) -> None:
    tx.conn.execute(update(sightings).where(sightings.c.id == sighting).values(incident=incident))


def _entry(
    sighting: Sighting, found: Sequence[Match], incident: str | None, opened: bool
) -> dict[str, object]:
    """Make the ledger entry of a sighting: ids and digests alone."""
    item = hashlib.sha256(sighting.item.encode("utf-8", "surrogatepass")).hexdigest()
    return {
        "sighting": sighting.id,
        "source": sighting.source,
        "source_kind": sighting.kind,
        "item_sha256": item,
        "event": sighting.event,
        "sha256": sighting.sha256,
        "bytes": sighting.bytes,
        "time_ms": sighting.time_ms,
        "canaries": sorted({match.canary for match in found}),
        "incident": incident,
        "opened": opened,
    }
