"""Arrivals: what monitors hand in, looked at before anything is stored, so that a slow item holds up no writer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from canary.fields.canonical import canonical
from canary.model.canary import Canary
from canary.model.evidence import Reading
from canary.model.people import ContactKind
from canary.model.sight import Item, Match
from canary.steps import selftest
from canary.steps.lookout import Look
from canary.store import canaries as canary_store
from canary.store import contacts
from canary.store.tx import Tx

if TYPE_CHECKING:
    from canary.store.registry import Registry

ROLE_OF: Final = {"mail": "email", "probe": "email", "call": "phone", "sms": "phone"}
READ: Final = frozenset({"data", "mail", "sms"})  # events whose bytes may hold more than the contact
STRONG: Final = 1e-6  # chance hits to be expected of an alias that was reached


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


def look(registry: Registry, eyes: Eyes, arrivals: Sequence[Arrival]) -> list[Seen]:
    """Scan and look up before the transaction, so that a slow item holds up no other writer."""
    looks: dict[str, Look] = {}
    reached: dict[str, list[Canary]] = {}
    with registry.read() as tx:
        tests = selftest.pending(tx)
        pairs = [_reach(tx, tests, arrival, place) for place, arrival in enumerate(arrivals)]
    for one, found in pairs:
        reached.setdefault(one.sha256, []).extend(found)
        if one.ours and one.arrival.item.event in READ and one.sha256 not in looks:
            looks[one.sha256] = _scan(eyes, one.arrival.item)
    expanded: list[Seen] = []
    for one, _ in pairs:
        expanded.extend(_content(one, looks.get(one.sha256), reached))
    return expanded


def _scan(eyes: Eyes, item: Item) -> Look:
    name = item.detail.get("file") or item.key
    return eyes.look(name, Path(item.file) if item.file else item.raw)


def _reach(tx: Tx, tests: Mapping[str, str], arrival: Arrival, place: int) -> tuple[Seen, list[Canary]]:
    """Look up whom a contact reaches: the one canary of an alias, all holders of a number."""
    item = arrival.item
    size = int(item.detail["bytes"]) if item.file else len(item.raw)
    sha256 = item.detail["sha256"] if item.file else hashlib.sha256(item.raw).hexdigest()
    role = ROLE_OF.get(item.event)
    test = selftest.found(tests.get(arrival.source), item)
    if item.contact is None or role is None:
        return Seen(arrival, sha256, size, place=place, test=test), []
    contact = canonical(role, item.contact)
    if contact is None or test is not None:
        return Seen(arrival, sha256, size, item.contact, test is not None, place=place, test=test), []
    found = canary_store.by_value(tx, role, contact)
    ours = bool(found) or (role == "phone" and contacts.find(tx, ContactKind.PHONE, contact) is not None)
    matches = tuple(_contact_match(one, role, contact) for one in found)
    return Seen(arrival, sha256, size, contact, ours, matches, place=place), found


def _contact_match(canary: Canary, role: str, contact: str) -> Match:
    bits = max(
        (one.bits for one in canary.fields if one.role == role and one.canonical == contact), default=0.0
    )
    chance = 2.0**-bits
    strong = role == "email" and chance <= STRONG
    return Match(
        canary.id, role, (role,), "plain", "strong" if strong else "weak", expected_chance_hits=chance
    )


def _content(one: Seen, look: Look | None, reached: dict[str, list[Canary]]) -> Iterable[Seen]:
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


def _beyond(one: Seen, rest: tuple[Match, ...], reading: Reading | None) -> Seen:
    item = one.arrival.item
    name = item.detail.get("message_id") or f"sha256-{one.sha256[:32]}"
    data = replace(item, key=f"{name}#data", event="data", contact=None)
    return Seen(replace(one.arrival, item=data), one.sha256, one.size, matches=rest, reading=reading)
