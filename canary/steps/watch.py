"""Watch: take in what monitors saw, with all that follows from it in one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from sqlalchemy import select, update

from canary.alerts.policy import AlertPolicy
from canary.fields.canonical import canonical
from canary.ledger.note import Signer
from canary.model.canary import Canary
from canary.model.evidence import Reading
from canary.model.people import ContactKind
from canary.model.sight import Item, Match, Sighting
from canary.ports import Clock
from canary.steps.announce import Announcer
from canary.steps.incidents import Clue, Fact, Grouper, earlier, facts_of
from canary.steps.lookout import Look
from canary.store import canaries as canary_store
from canary.store import contacts, journal, readings, sources
from canary.store import sightings as store
from canary.store.ids import new_id
from canary.store.tables import identifiers, sightings
from canary.store.tx import Tx

if TYPE_CHECKING:
    from canary.store.registry import Registry

ROLE_OF: Final = {"mail": "email", "probe": "email", "call": "phone", "sms": "phone"}
READ: Final = frozenset({"data", "mail", "sms"})  # events whose bytes may hold more than the contact
STRONG: Final = 1e-6  # chance hits to be expected of an alias that was reached


def local_time(ms: int) -> datetime:
    """Give a time as the machine's own clock shows it."""
    return datetime.fromtimestamp(ms / 1000).astimezone()


class Eyes(Protocol):
    """What finds canaries in bytes or a file."""

    def look(self, name: str, data: bytes | Path) -> Look:
        """Find canaries; raises OutsideError only where the registry fails."""
        ...


@dataclass(frozen=True, slots=True)
class Arrival:
    """One item of one source."""

    source: str
    kind: str
    item: Item


@dataclass(frozen=True, slots=True)
class Advance:
    """How far a polled source has come with the items it is stored with."""

    source: str
    cursor: str
    gap: bool
    due_ms: int | None


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
class _Seen:
    """One sighting to be: an arrival, or what a mail holds beyond the aliases it was sent to."""

    arrival: Arrival
    sha256: str
    size: int
    contact: str | None = None
    ours: bool = True
    matches: tuple[Match, ...] = ()
    error: str | None = None
    reading: Reading | None = None
    place: int | None = None  # of its arrival in the batch


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

    An item whose contact is not ours is left out. Raises OutsideError where the registry fails.
    """
    seen = _look(taker, arrivals)
    ours = [False] * len(arrivals)
    now = taker.clock.now_ms()
    with taker.registry.begin() as tx:
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
            sources.succeeded(tx, advance.source, advance.cursor, now, advance.due_ms, advance.gap)
    return Taken(tuple(ours), len(entries), told.matches, tuple(told.opened))


def knows(registry: Registry, alias: str) -> bool:
    """Tell whether a mail address is the alias of a canary; raises OutsideError where the registry fails."""
    address = canonical("email", alias)
    if address is None:
        return False
    with registry.read() as tx:
        wanted = select(identifiers.c.serial).where(identifiers.c.digest == tx.keys.digest("email", address))
        return tx.conn.scalar(wanted.limit(1)) is not None


def _look(taker: Taker, arrivals: Sequence[Arrival]) -> list[_Seen]:
    """Scan and look up before the transaction, so that a slow item holds up no other writer."""
    looks: dict[str, Look] = {}
    reached: dict[str, list[Canary]] = {}
    with taker.registry.read() as tx:
        pairs = [_reach(tx, arrival, place) for place, arrival in enumerate(arrivals)]
    for one, found in pairs:
        reached.setdefault(one.sha256, []).extend(found)
        if one.ours and one.arrival.item.event in READ and one.sha256 not in looks:
            looks[one.sha256] = _scan(taker.eyes, one.arrival.item)
    expanded: list[_Seen] = []
    for one, _ in pairs:
        expanded.extend(_content(one, looks.get(one.sha256), reached))
    return expanded


def _scan(eyes: Eyes, item: Item) -> Look:
    name = item.detail.get("file") or item.key
    return eyes.look(name, Path(item.file) if item.file else item.raw)


def _reach(tx: Tx, arrival: Arrival, place: int) -> tuple[_Seen, list[Canary]]:
    """Look up whom a contact reaches: the one canary of an alias, all holders of a number."""
    item = arrival.item
    size = int(item.detail["bytes"]) if item.file else len(item.raw)
    sha256 = item.detail["sha256"] if item.file else hashlib.sha256(item.raw).hexdigest()
    role = ROLE_OF.get(item.event)
    if item.contact is None or role is None:
        return _Seen(arrival, sha256, size, place=place), []
    contact = canonical(role, item.contact)
    if contact is None:
        return _Seen(arrival, sha256, size, item.contact, False, place=place), []
    found = canary_store.by_value(tx, role, contact)
    ours = bool(found) or (role == "phone" and contacts.find(tx, ContactKind.PHONE, contact) is not None)
    matches = tuple(_contact_match(one, role, contact) for one in found)
    return _Seen(arrival, sha256, size, contact, ours, matches, place=place), found


def _contact_match(canary: Canary, role: str, contact: str) -> Match:
    bits = max(
        (one.bits for one in canary.fields if one.role == role and one.canonical == contact), default=0.0
    )
    chance = 2.0**-bits
    strong = role == "email" and chance <= STRONG
    return Match(
        canary.id, role, (role,), "plain", "strong" if strong else "weak", expected_chance_hits=chance
    )


def _content(one: _Seen, look: Look | None, reached: dict[str, list[Canary]]) -> Iterable[_Seen]:
    """Add what the bytes hold: of a message its own canary's fields, the rest as data apart."""
    if look is None:
        return [one]
    if one.contact is None:
        return [replace(one, matches=look.matches, error=look.error, reading=look.reading)]
    addressed = {canary.id for canary in reached[one.sha256]}
    mine = {match.canary: match for match in look.matches}
    kept = replace(
        one, matches=tuple(_merged(match, mine.get(match.canary)) for match in one.matches), error=look.error
    )
    rest = tuple(match for match in look.matches if match.canary not in addressed)
    return [kept, _beyond(one, rest, look.reading)] if rest else [kept]


def _merged(reached: Match, found: Match | None) -> Match:
    if found is None:
        return reached
    fields = tuple(sorted({*reached.fields, *found.fields}))
    stronger = found if found.strength == "strong" and reached.strength != "strong" else reached
    return replace(stronger, fields=fields)


def _beyond(one: _Seen, rest: tuple[Match, ...], reading: Reading | None) -> _Seen:
    item = one.arrival.item
    name = item.detail.get("message_id") or f"sha256-{one.sha256[:32]}"
    data = replace(item, key=f"{name}#data", event="data", contact=None)
    return _Seen(replace(one.arrival, item=data), one.sha256, one.size, matches=rest, reading=reading)


def _store(room: _Room, one: _Seen) -> dict[str, object] | None:
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
    clue = Clue(sighting.source, sighting.sha256, sighting.event, one.matches)
    incident, opened = (None, False) if rule else room.grouper.join(clue)
    if incident is not None:
        _attach(room.tx, sighting.id, incident)
        room.told.note(incident, opened, sighting, fresh, {each.dataset for each in about})
    elif rule:
        room.told.allowed(sighting.id, rule)
    room.told.matches += len(fresh)
    return _entry(sighting, one.matches, incident, opened)


def _sighting(one: _Seen, rule: str | None, now: int) -> Sighting:
    arrival, item = one.arrival, one.arrival.item
    detail = {
        **item.detail,
        **({"path": str(Path(item.file).absolute())} if item.file else {}),
        **({"allowed": rule} if rule else {}),
        **({"scan": one.error} if one.error else {}),
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
