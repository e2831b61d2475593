"""Reading on: the scan of what was taken in fast, made when there is time; a kill between leaves it for the next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from canary.model.sight import Item, Match, Sighting
from canary.steps.arrivals import Arrival, Seen, beyond, looked, merge
from canary.steps.lookout import Look
from canary.steps.storing import Entry, store_all
from canary.steps.watch import room_of
from canary.store import journal, unread
from canary.store import sightings as store
from canary.store.matches import Found, add_matches

if TYPE_CHECKING:
    from canary.steps.storing import Room
    from canary.steps.watch import Taker

A_TURN = 100  # sightings scanned before their transaction


@dataclass(frozen=True, slots=True)
class _Message:
    """One message as it was stored, once for each contact it reached, and what its bytes hold."""

    sightings: tuple[tuple[int, Sighting], ...]
    raw: bytes
    look: Look

    @property
    def serials(self) -> tuple[int, ...]:
        """Give the serials of its sightings."""
        return tuple(serial for serial, _ in self.sightings)


def read_on(taker: Taker, most: int = A_TURN) -> int:
    """Scan the messages that wait longest, and store what that adds; gives how many sightings they were."""
    with taker.registry.read() as tx:
        waiting = unread.waiting(tx, most)
        found = store.kept_of(tx, list(waiting.values())) if waiting else []
    if not waiting:
        return 0
    messages = _messages(taker, found)
    now = taker.clock.now_ms()
    with taker.registry.begin() as tx:
        mine = unread.done(tx, list(waiting.values()))
        ready = [one for one in messages if mine.issuperset(one.serials)]
        data = [extra for one in ready for extra in _beyond(one)]
        room = room_of(tx, taker, [*data, *(_as_seen(one) for one in ready)], now)
        add_matches(tx, [match for one in ready for match in _stronger(room, one)])
        entries: list[Entry] = store_all(room, data)
        journal.append_many(tx, entries, taker.signer, now)
        room.told.announce()
    return len(waiting)


def _messages(taker: Taker, found: Iterable[tuple[int, Sighting, bytes]]) -> list[_Message]:
    """Gather the sightings of each message and scan its bytes once."""
    grouped: dict[str, list[tuple[int, Sighting]]] = {}
    items: dict[str, Item] = {}
    for serial, sighting, raw in found:
        grouped.setdefault(sighting.sha256, []).append((serial, sighting))
        items.setdefault(sighting.sha256, _item(sighting, raw))
    looks = looked(taker.eyes, items)
    return [_Message(tuple(members), items[sha256].raw, looks[sha256]) for sha256, members in grouped.items()]


def _item(one: Sighting, raw: bytes) -> Item:
    return Item(one.item, raw, one.time_ms, one.event, one.contact, detail=one.detail)


def _as_seen(one: _Message) -> Seen:
    """Give a message with all it holds, for what must be known of its canaries."""
    sighting = one.sightings[0][1]
    arrival = Arrival(sighting.source, sighting.kind, _item(sighting, b""))
    return Seen(arrival, sighting.sha256, sighting.bytes, matches=(*sighting.matches, *one.look.matches))


def _beyond(one: _Message) -> list[Seen]:
    """Give what a message holds of canaries that it was not sent to."""
    addressed = {match.canary for _, sighting in one.sightings for match in sighting.matches}
    rest = tuple(match for match in one.look.matches if match.canary not in addressed)
    if not rest:
        return []
    sighting = one.sightings[0][1]
    arrival = Arrival(sighting.source, sighting.kind, _item(sighting, one.raw))
    return [beyond(Seen(arrival, sighting.sha256, sighting.bytes), rest, one.look.reading)]


def _stronger(room: Room, one: _Message) -> Iterable[Found]:
    """Give the matches by contact again, with the fields that the bytes hold."""
    mine: Mapping[str, Match] = {match.canary: match for match in one.look.matches}
    for serial, sighting in one.sightings:
        for match in sighting.matches:
            if match.canary in mine:
                whole = merge(match, mine[match.canary])
                yield Found(serial, room.facts[match.canary].serial, *store.kept_name(sighting), whole)


def read_all(taker: Taker, turns: Sequence[int] = range(10_000)) -> int:
    """Read on until nothing waits; gives how many sightings that were."""
    whole = 0
    for _ in turns:
        count = read_on(taker)
        if not count:
            break
        whole += count
    return whole
