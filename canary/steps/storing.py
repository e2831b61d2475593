"""Storing: sightings of one batch with their matches and incidents, by statements for the whole batch."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from canary.model.sight import Match, Sighting
from canary.steps.accounts import branch_of
from canary.steps.announce import Announcer
from canary.steps.arrivals import Seen
from canary.steps.incidents import Clue, Fact, Grouper, earlier
from canary.store import readings, selftests, unread
from canary.store import sightings as store
from canary.store.ids import new_id
from canary.store.matches import Found, add_matches
from canary.store.tx import Tx

if TYPE_CHECKING:
    from canary.alerts.policy import AlertPolicy

Entry = tuple[str, dict[str, object]]


@dataclass(frozen=True, slots=True)
class Room:
    """What storing one batch works with."""

    tx: Tx
    policy: AlertPolicy
    facts: Mapping[str, Fact]
    told: Announcer
    grouper: Grouper
    now: int


@dataclass(frozen=True, slots=True)
class _Draft:
    """A sighting on its way in, and the rule that allows what it shows."""

    seen: Seen
    sighting: Sighting
    rule: str | None


def store_all(room: Room, batch: Sequence[Seen]) -> list[Entry]:
    """Store sightings with all that follows from them; gives the ledger entries of those that are new."""
    if room.policy.allow:  # what is allowed depends on how many came before, those of this batch too
        return [entry for one in batch for entry in _store(room, [one])]
    return _store(room, batch)


def _store(room: Room, batch: Sequence[Seen]) -> list[Entry]:
    drafts = [_draft(room, one) for one in batch]
    serials = store.add_many(room.tx, [(each.sighting, _kept(each.seen)) for each in drafts])
    new = [each for each in drafts if each.sighting.id in serials]
    fresh = _match(room, new, serials)
    unread.add(room.tx, [serials[each.sighting.id] for each in new if each.seen.unread], room.now)
    belongs: dict[str, list[int]] = {}
    entries = []
    for each in new:
        _note_reading(room, each)
        incident, opened = _join(room, each, fresh.get(each.sighting.id, []))
        if incident is not None:
            belongs.setdefault(incident, []).append(serials[each.sighting.id])
        entries.append(("watch", _entry(each.sighting, each.seen.matches, incident, opened)))
    for incident, members in belongs.items():
        store.attach(room.tx, incident, members)
    return entries


def _draft(room: Room, one: Seen) -> _Draft:
    about = [room.facts[match.canary] for match in one.matches]
    event = one.arrival.item.event
    rule = room.policy.allowed(
        event,
        {each.kind for each in about},
        lambda: earlier(room.tx, [each.serial for each in about], event),
    )
    return _Draft(one, _sighting(one, rule, room.now, _branch(room, one)), rule)


def _branch(room: Room, one: Seen) -> str | None:
    """Say of a touch whether the canary was of the account's own branch."""
    account = one.arrival.item.detail.get("account")
    if one.arrival.item.event != "access" or not account or not one.matches:
        return None
    return branch_of(room.tx, account, {match.canary for match in one.matches})


def _kept(one: Seen) -> bytes | None:
    """Give the bytes to keep; of something too big to be carried none: hash and path tell what it was."""
    return None if one.arrival.item.file else one.arrival.item.raw


def _match(room: Room, new: Sequence[_Draft], serials: Mapping[str, int]) -> dict[str, list[Match]]:
    """Note what the new sightings show; gives the matches that are new, by sighting."""
    by_serial = {serials[each.sighting.id]: each.sighting.id for each in new}
    found = [
        Found(
            serials[each.sighting.id], room.facts[match.canary].serial, *store.kept_name(each.sighting), match
        )
        for each in new
        for match in each.seen.matches
    ]
    fresh: dict[str, list[Match]] = {}
    for one in add_matches(room.tx, found):
        fresh.setdefault(by_serial[one.sighting], []).append(one.match)
    return fresh


def _note_reading(room: Room, each: _Draft) -> None:
    one = each.seen
    if one.reading is not None and one.matches and not one.arrival.item.file:
        readings.add(room.tx, each.sighting.id, one.reading)
    if one.test is not None:
        selftests.seen(room.tx, each.sighting.source, one.test, room.now)


def _join(room: Room, each: _Draft, fresh: Sequence[Match]) -> tuple[str | None, bool]:
    """Find or open the incident of a sighting and tell of it; one of allowed use has none."""
    one, sighting = each.seen, each.sighting
    room.told.matches += len(fresh)
    if each.rule:
        room.told.allowed(sighting.id, each.rule)
        return None, False
    clue = Clue(sighting.source, sighting.sha256, sighting.event, one.matches)
    incident, opened = room.grouper.join(clue)
    if incident is not None:
        datasets = {room.facts[match.canary].dataset for match in one.matches}
        room.told.note(incident, opened, sighting, fresh, datasets)
    return incident, opened


def _sighting(one: Seen, rule: str | None, now: int, branch: str | None) -> Sighting:
    arrival, item = one.arrival, one.arrival.item
    detail = {
        **item.detail,
        **({"path": str(Path(item.file).absolute())} if item.file else {}),
        **({"allowed": rule} if rule else {}),
        **({"branch": branch} if branch else {}),
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
