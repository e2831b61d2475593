"""Arrivals: what monitors hand in, looked at before anything is stored, so that a slow item holds up no writer."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from canary.fields.canonical import canonical
from canary.model.evidence import Reading
from canary.model.people import ContactKind
from canary.model.sight import Item, Match
from canary.steps import selftest
from canary.steps.lookout import Look, Thing
from canary.store import canaries as canary_store
from canary.store import contacts
from canary.store.canaries import Holder
from canary.store.tx import Tx

if TYPE_CHECKING:
    from canary.store.registry import Registry

ROLE_OF: Final = {"mail": "email", "probe": "email", "call": "phone", "sms": "phone"}
READ: Final = frozenset(
    {"data", "mail", "sms", "access"}
)  # events whose bytes may hold more than the contact
STRONG: Final = 1e-6  # chance hits to be expected of an alias that was reached


class Eyes(Protocol):
    """What finds canaries in bytes or files."""

    def look_all(self, things: Sequence[Thing]) -> list[Look]:
        """Find canaries in each of some things; raises OutsideError only where the registry fails."""
        ...


@dataclass(frozen=True, slots=True)
class Arrival:
    """One item of one source."""

    source: str
    kind: str
    item: Item


@dataclass(frozen=True, slots=True)
class Seen:
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
    test: str | None = None  # the self-test that came back in it
    unread: bool = False  # its bytes are left for later


def look(registry: Registry, eyes: Eyes, arrivals: Sequence[Arrival], read: bool = True) -> list[Seen]:
    """Scan and look up before the transaction, so that a slow item holds up no other writer.

    Without `read`, the bytes of what reached a contact are left for later.
    """
    with registry.read() as tx:
        reached = _reached(tx, selftest.pending(tx), arrivals)
    if not read:
        return [_left(one) if one.contact is not None else one for one in _read(eyes, reached, False)]
    return _read(eyes, reached, True)


def _left(one: Seen) -> Seen:
    wants = one.ours and one.test is None and one.arrival.item.event in READ
    return replace(one, unread=wants)


def _read(eyes: Eyes, reached: Sequence[Seen], contacts_too: bool) -> list[Seen]:
    """Add what the bytes hold; those of one message are scanned once."""
    wanted: dict[str, Item] = {}
    addressed: dict[str, set[str]] = {}
    for one in reached:
        addressed.setdefault(one.sha256, set()).update(match.canary for match in one.matches)
        if one.ours and one.arrival.item.event in READ and (contacts_too or one.contact is None):
            wanted.setdefault(one.sha256, one.arrival.item)
    looks = looked(eyes, wanted)
    expanded: list[Seen] = []
    for one in reached:
        seen = looks.get(one.sha256) if contacts_too or one.contact is None else None
        expanded.extend(content(one, seen, addressed[one.sha256]))
    return expanded


def looked(eyes: Eyes, items: Mapping[str, Item]) -> dict[str, Look]:
    """Scan items, by their digests."""
    if not items:
        return {}
    things = [(one.detail.get("file") or one.key, _bytes_of(one)) for one in items.values()]
    return dict(zip(items, eyes.look_all(things), strict=True))


def _bytes_of(item: Item) -> bytes | Path:
    return Path(item.file) if item.file else item.raw


def _reached(tx: Tx, tests: Mapping[str, str], arrivals: Sequence[Arrival]) -> list[Seen]:
    """Look up whom contacts reach: the one canary of an alias, all holders of a number."""
    firsts = [_first(tests, arrival, place) for place, arrival in enumerate(arrivals)]
    roles = [ROLE_OF.get(one.arrival.item.event) for one in firsts]
    asked = [
        (role, one.contact)
        for one, role in zip(firsts, roles, strict=True)
        if role is not None and one.contact is not None and one.ours and one.test is None
    ]
    known = canary_store.holders_of(tx, asked)
    pool = _pool(tx, [contact for role, contact in asked if role == "phone" and not known[role, contact]])
    made = []
    for one, role in zip(firsts, roles, strict=True):
        if role is None or one.contact is None or not one.ours or one.test is not None:
            made.append(one)
            continue
        found = known[role, one.contact]
        matches = tuple(_contact_match(each, role) for each in found)
        made.append(replace(one, ours=bool(found) or one.contact in pool, matches=matches))
    return made


def _pool(tx: Tx, numbers: Sequence[str]) -> set[str]:
    """Choose those of some numbers that are contacts of ours."""
    return {one for one in dict.fromkeys(numbers) if contacts.find(tx, ContactKind.PHONE, one) is not None}


def _first(tests: Mapping[str, str], arrival: Arrival, place: int) -> Seen:
    """Digest an arrival and make its contact canonical; one whose contact is none is not ours."""
    item = arrival.item
    size = int(item.detail["bytes"]) if item.file else len(item.raw)
    sha256 = item.detail["sha256"] if item.file else hashlib.sha256(item.raw).hexdigest()
    test = selftest.found(tests.get(arrival.source), item)
    role = ROLE_OF.get(item.event)
    if item.contact is None or role is None:
        return Seen(arrival, sha256, size, place=place, test=test)
    contact = canonical(role, item.contact)
    ours = contact is not None or test is not None
    return Seen(arrival, sha256, size, contact or item.contact, ours, place=place, test=test)


def _contact_match(holder: Holder, role: str) -> Match:
    chance = 2.0**-holder.bits
    strong = role == "email" and chance <= STRONG
    strength = "strong" if strong else "weak"
    return Match(holder.canary, role, (role,), "plain", strength, expected_chance_hits=chance)


def content(one: Seen, seen: Look | None, addressed: Collection[str]) -> Iterable[Seen]:
    """Add what the bytes hold: of a message its own canary's fields, the rest as data apart."""
    if seen is None:
        return [one]
    if one.contact is None:
        return [replace(one, matches=seen.matches, error=seen.error, reading=seen.reading)]
    mine = {match.canary: match for match in seen.matches}
    merged = tuple(merge(match, mine.get(match.canary)) for match in one.matches)
    kept = replace(one, matches=merged, error=seen.error)
    rest = tuple(match for match in seen.matches if match.canary not in addressed)
    return [kept, beyond(one, rest, seen.reading)] if rest else [kept]


def merge(reached: Match, found: Match | None) -> Match:
    """Add what the bytes hold of a canary to the match by its contact."""
    if found is None:
        return reached
    fields = tuple(sorted({*reached.fields, *found.fields}))
    stronger = found if found.strength == "strong" and reached.strength != "strong" else reached
    return replace(stronger, fields=fields)


def beyond(one: Seen, rest: tuple[Match, ...], reading: Reading | None) -> Seen:
    """Make the sighting of what a message holds of canaries that it was not sent to."""
    item = one.arrival.item
    name = item.detail.get("message_id") or f"sha256-{one.sha256[:32]}"
    data = replace(item, key=f"{name}#data", event="data", contact=None)
    return Seen(replace(one.arrival, item=data), one.sha256, one.size, matches=rest, reading=reading)
