"""From findings and sightings to the case that a verdict is concluded from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from canary.fields.roles import form_of
from canary.keys import Keys
from canary.model.canary import Canary
from canary.model.evidence import Findings
from canary.model.sight import Sighting
from canary.steps.decoding import NO_MARKS, MarksFound
from canary.store import canaries as canary_store
from canary.store import contacts, recipients, releases, tallies
from canary.store.tx import Tx
from canary.trace.case import Case, Held, HitCanary, Holder, IssuedField, SideEvent
from canary.trace.evalue import score_all
from canary.trace.naming import TELLING
from canary.trace.records import records_of

REACHED = frozenset({"mail", "probe", "call", "sms", "access"})
NAMED = frozenset({"name", "name_address"})  # what a caller can only know from the record


@dataclass(frozen=True)
class Seen:
    """What is known about when and where a leak was seen; `earliest_ms` None: only the files themselves are known."""

    earliest_ms: int | None = None
    n_frozen: int = 0
    sightings: tuple[Sighting, ...] = ()
    earlier: tuple[Mapping[str, float], ...] = ()


def build_case(
    tx: Tx,
    findings: Findings,
    seen: Seen,
    found: MarksFound = NO_MARKS,
    hits: tuple[HitCanary, ...] | None = None,
) -> Case:
    """Gather all that one trace may look at, from the registry, the findings and the marks."""
    everybody = recipients.roll(tx)
    issued, late = tallies.issued(tx, seen.earliest_ms)
    return Case(
        recipients=tuple(name for name, _ in everybody),
        ghosts=frozenset(name for name, ghost in everybody if ghost),
        parents=recipients.parents(tx),
        releases=_held(tx),
        issued=issued,
        late=late,
        carried=tallies.carried(tx),
        controls=tallies.controls(tx),
        hits=hit_canaries(tx, findings, seen) if hits is None else hits,
        candidates=findings.candidates,
        n_frozen=seen.n_frozen,
        earliest_ms=seen.earliest_ms,
        side=_side_events(tx, seen.sightings),
        marks=found.scores,
        mark_sets=found.sets,
        earlier=seen.earlier,
        rows=max(findings.rows, found.rows),
        rows_recognised=found.recognised,
        errors=tuple(_told(error.file, error.member, error.reason) for error in findings.errors),
    )


def _told(file: str, member: str | None, reason: str) -> str:
    return f"{file}{f' ({member})' if member else ''}: {reason}"


def _held(tx: Tx) -> dict[str, tuple[Held, ...]]:
    found: dict[str, list[Held]] = {}
    for recipient, release, created_ms in tallies.held(tx):
        found.setdefault(recipient, []).append(Held(release, created_ms))
    return {recipient: tuple(held) for recipient, held in found.items()}


def hit_canaries(tx: Tx, findings: Findings, seen: Seen) -> tuple[HitCanary, ...]:
    """Give the canaries that were found, with all that the bound asks of each."""
    records = records_of(findings.hits)
    holders = _holders(tx, records)
    first = _first_seen(seen.sightings)
    return tuple(
        HitCanary(
            id=canary.id,
            owner=canary.recipient,
            fields=_issued_fields(tx.keys, canary),
            records=records[canary.id],
            holders=holders.get(canary.id, ()),
            control=canary.control,
            burned=_burned(canary, seen.earliest_ms),
            seen_ms=first.get(canary.id, seen.earliest_ms),
            group=recipients.is_group_owner(canary.recipient),
        )
        for canary in canary_store.by_ids(tx, records)
    )


def groups_found(hits: Sequence[HitCanary], findings: Findings, earliest_ms: int | None) -> tuple[str, ...]:
    """Give the group canaries that stand in a leak beyond coincidence, unburned and handed out by then."""
    shared = [one for one in hits if one.group and not one.burned]
    scores = score_all(shared, findings.candidates)
    return tuple(
        one.id
        for one in shared
        if scores[one.id] >= TELLING
        and any(earliest_ms is None or holder.created_ms <= earliest_ms for holder in one.holders)
    )


def _first_seen(sightings: Sequence[Sighting]) -> dict[str, int]:
    """Give, for each canary, when it was first seen."""
    first: dict[str, int] = {}
    for one in sightings:
        for match in one.matches:
            first[match.canary] = min(one.seen_ms, first.get(match.canary, one.seen_ms))
    return first


def _burned(canary: Canary, earliest_ms: int | None) -> bool:
    """Tell whether a canary was public before this leak was seen; its own incident's close comes after."""
    return canary.burned_ms is not None and (earliest_ms is None or canary.burned_ms <= earliest_ms)


def _holders(tx: Tx, canaries: Iterable[str]) -> dict[str, tuple[Holder, ...]]:
    found: dict[str, list[Holder]] = {}
    for one in releases.holders(tx, canaries):
        found.setdefault(one.canary, []).append(
            Holder(one.recipient, one.release, one.created_ms, one.carried)
        )
    return {canary: tuple(held) for canary, held in found.items()}


def _issued_fields(keys: Keys, canary: Canary) -> tuple[IssuedField, ...]:
    return tuple(
        IssuedField(
            role=field.role,
            form=form_of(field.role),
            bits=field.bits,
            shared=field.shared,
            token=keys.digest(form_of(field.role) or field.role, field.canonical).hex(),
        )
        for field in canary.fields
    )


def _side_events(tx: Tx, sightings: Sequence[Sighting]) -> tuple[SideEvent, ...]:
    """Turn what reached contacts into side evidence: one event a contact and kind, for all who were given it.

    Of a touch in an access log it is the account that touched, where that is a recipient.
    """
    reached = [one for one in sightings if one.event in REACHED and one.matches]
    holders = _holders(tx, {match.canary for one in reached for match in one.matches})
    noise = {kind: _noise(tx, kind) for kind in {one.event for one in reached}}
    events: dict[tuple[str, str], SideEvent] = {}
    for one in reached:
        key, given = _touched(tx, one) if one.event == "access" else _reached(tx, one, holders)
        known = events.get((key, one.event))
        events[key, one.event] = SideEvent(
            key=key,
            holders=tuple(sorted({*given, *(known.holders if known else ())})),
            kind=one.event,
            asked_name=(known.asked_name if known else False)
            or any(NAMED & {*match.fields} for match in one.matches),
            baseline=noise[one.event],
        )
    return tuple(events[place] for place in sorted(events))


def _reached(tx: Tx, one: Sighting, holders: Mapping[str, Sequence[Holder]]) -> tuple[str, frozenset[str]]:
    """Name the canary or contact that was reached, and who was given it."""
    alone = len(one.matches) == 1
    key = one.matches[0].canary if alone else tx.keys.digest("contact", one.contact or "").hex()
    return key, frozenset(
        holder.recipient for match in one.matches for holder in holders.get(match.canary, ())
    )


def _touched(tx: Tx, one: Sighting) -> tuple[str, frozenset[str]]:
    account = one.detail.get("account", "")
    known = recipients.get(tx, account) if account else None
    return f"account:{account}", frozenset([account] if known is not None else [])


def _noise(tx: Tx, kind: str) -> float:
    """Give how many such events a contact gets by chance: those on contacts that no canary carries, on average."""
    quiet = len(contacts.controls(tx)) + contacts.unused(tx)
    return tallies.unmatched(tx, kind) / quiet if quiet else 0.0
