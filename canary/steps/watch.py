"""Watch: take in what monitors saw, with all that follows from it in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final

from canary.alerts.policy import AlertPolicy
from canary.fields.canonical import canonical
from canary.ledger.note import Signer
from canary.ports import Clock
from canary.steps import selftest, warcs
from canary.steps.announce import Announcer
from canary.steps.arrivals import Arrival, Eyes, Seen, look
from canary.steps.incidents import Grouper, facts_of
from canary.steps.storing import Room, store_all
from canary.store import captures, journal, runs, sources
from canary.store.rows import rows_among
from canary.store.runs import Next, Run, Traffic
from canary.store.tx import Tx

if TYPE_CHECKING:
    from canary.store.registry import Registry

__all__ = ["Advance", "Arrival", "Eyes", "Taken", "Taker", "knows", "knows_many", "room_of", "take"]


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


def room_of(tx: Tx, taker: Taker, seen: Sequence[Seen], now_ms: int) -> Room:
    """Gather what storing these sightings works with."""
    facts = facts_of(tx, (match.canary for one in seen for match in one.matches))
    told = Announcer(tx, taker.policy, taker.local, now_ms)
    grouper = Grouper(tx, facts, now_ms, taker.window_ms)
    return Room(tx, taker.policy, facts, told, grouper, now_ms)


def take(
    taker: Taker, arrivals: Sequence[Arrival], advance: Advance | None = None, read: bool = True
) -> Taken:
    """Store a batch with all that follows from it, whole or not at all; a repeated item changes nothing.

    Without `read`, the bytes of what reached a contact are left to `read_on`. An item whose contact is not ours
    is left out. Raises OutsideError where the registry fails, and Overtaken, with nothing stored, where a later
    run of the source was begun.
    """
    seen = look(taker.registry, taker.eyes, arrivals, read)
    fetched = warcs.captures_of(advance.exchanges, {one.sha256 for one in seen}) if advance else []
    ours = [False] * len(arrivals)
    for one in seen:
        if one.place is not None:
            ours[one.place] = one.ours
    now = taker.clock.now_ms()
    with taker.registry.begin() as tx:
        if advance is not None and advance.run is not None:
            runs.fence(tx, advance.run)
        room = room_of(tx, taker, seen, now)
        entries = store_all(room, [one for one in seen if one.ours])
        journal.append_many(tx, entries, taker.signer, now)
        room.told.announce()
        if advance is not None:
            _keep(tx, advance, fetched, entries)
            _advance(tx, advance, len(entries), now)
        else:
            for source, count in Counter(str(body["source"]) for _, body in entries).items():
                sources.count_items(tx, source, count)
    return Taken(tuple(ours), len(entries), room.told.matches, tuple(room.told.opened))


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
    own = {str(body["sha256"]) for _, body in entries}
    pages = [serial for each, serial in zip(fetched, serials, strict=True) if each.sha256 not in own]
    answers = {each.sha256: serial for each, serial in zip(fetched, serials, strict=True)}
    links: list[tuple[str, int]] = []
    for _, body in entries:
        mine = answers.get(str(body["sha256"]))
        links.extend((str(body["sighting"]), serial) for serial in [*pages, *([mine] if mine else [])])
    captures.link(tx, links)


def _advance(tx: Tx, advance: Advance, items: int, now: int) -> None:
    if advance.run is None:
        sources.succeeded(tx, advance.source, advance.cursor, now, advance.due_ms, advance.gap)
    else:
        run, after = advance.run, advance.after
        runs.advance(tx, run, advance.cursor, advance.gap, items, now, advance.traffic, after)


def knows(registry: Registry, alias: str) -> bool:
    """Tell whether a mail address is the alias of a canary or a self-test; OutsideError where the registry fails."""
    return knows_many(registry, [alias])[0]


def knows_many(registry: Registry, aliases: Sequence[str]) -> list[bool]:
    """Tell of mail addresses whether each is an alias of a canary or a self-test."""
    addresses = [canonical("email", alias) for alias in aliases]
    with registry.read() as tx:
        digests = {one: tx.keys.digest("email", one) for one in addresses if one is not None}
        head = "digest FROM identifiers"
        ours = {bytes(one) for (one,) in rows_among(tx.conn, head, "digest", list(digests.values()))}
        known = {one for one, digest in digests.items() if digest in ours}
        if len(known) < len(digests):
            words = selftest.pending(tx).values()
            known.update(one for one in digests if any(word in one for word in words))
    return [one in known for one in addresses]
