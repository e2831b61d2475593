"""Retro-hunt: what monitors kept is read again, with better spellings and with canaries that were issued since."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from canary.model.evidence import ScanError
from canary.model.sight import Item, Match, Sighting
from canary.steps.arrivals import Arrival, Seen
from canary.steps.incidents import Clue
from canary.steps.tools import Tools
from canary.store import journal, readings, releases
from canary.store import sightings as store
from canary.store.matches import Found, add_matches

if TYPE_CHECKING:
    from canary.model.canary import Canary
    from canary.model.evidence import Findings
    from canary.steps.index import Lookup
    from canary.steps.storing import Room
    from canary.steps.watch import Taker

A_TURN: Final = 200  # sightings of one unit
BYTES: Final = 32 << 20  # and their bytes


@dataclass(frozen=True, slots=True)
class Again:
    """One match in a sighting, as `scan --kept --json` tells it.

    `new`: the sighting did not show it before. `control`: the sighting is older than the first release of the
    canary, so nobody can have leaked it; chance, or a value that was public before. It names no recipient.
    """

    sighting: str
    source: str
    item: str
    seen_ms: int
    canary: str
    release: str | None
    recipients: tuple[str, ...]
    field: str
    transform: str
    strength: str
    member: str | None
    offset: int
    expected_chance_hits: float
    new: bool
    control: bool


@dataclass(frozen=True, slots=True)
class Rehunted:
    """What a retro-hunt found, and what of it was recorded (None: it was not asked to)."""

    sightings: int
    bytes: int
    seconds: float
    errors: tuple[ScanError, ...]
    matches: tuple[Again, ...]
    recorded: int | None = None
    opened: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Turn:
    """Some sightings that are read in one go."""

    ids: tuple[str, ...]
    size: int
    mark: str


@dataclass(frozen=True)
class _Hunt:
    """One retro-hunt under way."""

    tools: Tools
    lookup: Lookup
    taker: Taker | None


def rehunt(tools: Tools, since_ms: int = 0, threads: int = 1, taker: Taker | None = None) -> Rehunted:
    """Read what is kept since a time again; an interrupted one goes on; with a `taker` what is new is recorded."""
    from canary.scan.engine import ENGINE
    from canary.scan.findings import findings_of, plain_findings
    from canary.scan.units import read_all
    from canary.steps.index import Lookup
    from canary.steps.progress import Progress
    from canary.steps.scan import watch_of

    began = time.monotonic()
    with Lookup.open(tools) as lookup:
        kept = store.kept_ids(lookup.tx, since_ms)
        units = list(_turns(kept))
        hunt = _Hunt(tools, lookup, taker)
        watch = watch_of(tools, sum(size for _, _, size in kept))
        known = repr(readings.known(lookup.tx, ENGINE))
        with Progress(tools.folder, tools.keys, "kept", known) as progress:
            before = {mark: findings_of(one) for mark, one in progress.done.items() if isinstance(one, dict)}

            def done(turn: _Turn, findings: Findings) -> None:
                progress.add(turn.mark, plain_findings(findings))

            def read(turn: _Turn) -> Findings:
                found = _read(hunt, turn)
                watch.add(turn.size)
                return found

            found = read_all(units, read, threads, before, done, watch)
            answer = _answer(hunt, found)
            recorded, opened = _record(hunt, answer) if taker is not None else (None, ())
            progress.forget()
    errors = tuple(error for one in found for error in one.errors)
    seconds = round(time.monotonic() - began, 3)
    size = sum(one.bytes for one in found)
    return Rehunted(len(kept), size, seconds, errors, answer, recorded, opened)


def _turns(kept: Sequence[tuple[str, int, int]]) -> Iterator[_Turn]:
    """Divide the sightings: the same ones again whatever the first is, so that what was done counts next time too."""
    for _, group in groupby(kept, key=lambda one: one[1] // A_TURN):
        held: list[tuple[str, int, int]] = []
        for one in group:
            if held and sum(size for _, _, size in held) + one[2] > BYTES:
                yield _turn(held)
                held = []
            held.append(one)
        yield _turn(held)


def _turn(held: Sequence[tuple[str, int, int]]) -> _Turn:
    ids = tuple(id for id, _, _ in held)
    return _Turn(ids, sum(size for _, _, size in held), f"{ids[0]} to {ids[-1]}")


def _read(hunt: _Hunt, turn: _Turn) -> Findings:
    """Scan the bytes of some sightings, each under its id."""
    from canary.scan.engine import scan_bytes
    from canary.scan.findings import joined
    from canary.steps.lookout import Lookout

    reader = Lookout(hunt.tools.registry)
    found: list[Findings] = []
    for id in turn.ids:
        with hunt.tools.registry.read() as tx:
            data = store.raw(tx, id)
        if data is not None:
            found.append(scan_bytes(data, id, hunt.lookup.index, reader, hunt.tools.keys))
    return joined(found)


def _answer(hunt: _Hunt, found: Sequence[Findings]) -> tuple[Again, ...]:
    """Judge the hits of each sighting by the candidates of its unit."""
    from canary.scan.matches import matches_of
    from canary.steps.lookout import strongest

    answers: list[Again] = []
    canaries = {
        one.id: one for one in hunt.lookup.canaries(hit.canary for each in found for hit in each.hits)
    }
    held = _held(hunt, canaries)
    for findings in found:
        by_sighting: dict[str, list[Match]] = {}
        for hit, match in matches_of(findings, hunt.lookup.index, canaries):
            by_sighting.setdefault(hit.file, []).append(match)
        for id, matches in by_sighting.items():
            sighting = store.get(hunt.lookup.tx, id)
            if sighting is not None:
                answers += [
                    _again(sighting, match, held.get(match.canary, ())) for match in strongest(matches)
                ]
    return tuple(answers)


def _held(hunt: _Hunt, canaries: Mapping[str, Canary]) -> Mapping[str, Sequence[releases.Holding]]:
    found: dict[str, list[releases.Holding]] = {}
    for one in releases.holders(hunt.lookup.tx, canaries):
        found.setdefault(one.canary, []).append(one)
    return found


def _again(sighting: Sighting, match: Match, held: Sequence[releases.Holding]) -> Again:
    by_then = [one for one in held if one.created_ms <= sighting.seen_ms]
    known = next((one for one in sighting.matches if one.canary == match.canary), None)
    return Again(
        sighting=sighting.id,
        source=sighting.source,
        item=sighting.item,
        seen_ms=sighting.seen_ms,
        canary=match.canary,
        release=by_then[0].release if by_then else None,
        recipients=tuple(dict.fromkeys(one.recipient for one in by_then)),
        field=match.field,
        transform=match.transform,
        strength=match.strength,
        member=match.member,
        offset=match.offset,
        expected_chance_hits=match.expected_chance_hits,
        new=known is None or (known.strength != "strong" and match.strength == "strong"),
        control=not by_then,
    )


def _record(hunt: _Hunt, answer: Sequence[Again]) -> tuple[int, tuple[str, ...]]:
    """Store what is new in one transaction, with all that follows; control hits are counted in the ledger alone."""
    from canary.steps.watch import room_of

    taker = hunt.taker
    fresh = _by_sighting(one for one in answer if one.new and not one.control)
    controls = sum(one.control and one.new for one in answer)
    if taker is None or not (fresh or controls):
        return 0, ()
    now = taker.clock.now_ms()
    with taker.registry.begin() as tx:
        serials = {id: serial for id, serial, _ in store.kept_ids(tx)}
        sightings = {id: one for id in fresh if (one := store.get(tx, id)) is not None and id in serials}
        seen = {id: _seen(one, fresh[id]) for id, one in sightings.items()}
        room = room_of(tx, taker, list(seen.values()), now)
        told = [_store(room, sightings[id], serials[id], one) for id, one in seen.items()]
        entries = [("watch", body) for body in told if body is not None]
        entries.append(("watch", {"again": len(entries), "control_hits": controls}))
        journal.append_many(tx, entries, taker.signer, now)
        room.told.announce()
    return len(entries) - 1, tuple(room.told.opened)


def _by_sighting(found: Iterable[Again]) -> dict[str, list[Again]]:
    grouped: dict[str, list[Again]] = {}
    for one in found:
        grouped.setdefault(one.sighting, []).append(one)
    return grouped


def _seen(sighting: Sighting, found: Sequence[Again]) -> Seen:
    """Give a sighting with what it shows now."""
    item = Item(
        sighting.item, b"", sighting.time_ms, sighting.event, sighting.contact, detail=sighting.detail
    )
    matches = tuple(
        Match(
            one.canary, one.field, (one.field,), one.transform, one.strength, one.release, one.recipients, one.member,
            one.offset, one.expected_chance_hits,
        )
        for one in found
    )  # fmt: skip
    return Seen(
        Arrival(sighting.source, sighting.kind, item), sighting.sha256, sighting.bytes, matches=matches
    )


def _store(room: Room, sighting: Sighting, serial: int, seen: Seen) -> dict[str, Any] | None:
    """Add the new matches of a sighting, which joins its incident; gives the ledger entry, None where none is new."""
    found = [
        Found(serial, room.facts[match.canary].serial, *store.kept_name(sighting), match)
        for match in seen.matches
        if match.canary in room.facts
    ]
    fresh = [one.match for one in add_matches(room.tx, found)]
    if not fresh:
        return None
    room.told.matches += len(fresh)
    incident, opened = sighting.incident, False
    if incident is None and "allowed" not in sighting.detail:
        clue = Clue(sighting.source, sighting.sha256, sighting.event, (*sighting.matches, *fresh))
        incident, opened = room.grouper.join(clue)
        if incident is not None:
            store.attach(room.tx, incident, [serial])
    if incident is not None:
        datasets = {room.facts[match.canary].dataset for match in fresh}
        room.told.note(incident, opened, replace(sighting, incident=incident), fresh, datasets)
    canaries = sorted(match.canary for match in fresh)
    return {
        "sighting": sighting.id,
        "again": True,
        "canaries": canaries,
        "incident": incident,
        "opened": opened,
    }
