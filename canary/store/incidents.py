"""Incidents: sightings judged to be one leak, their verdict and every trace of them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, update

from canary.errors import UsageError
from canary.model.sight import Incident
from canary.store import recipients
from canary.store.ids import new_id
from canary.store.rows import LOOKUP_KEYS, AnyRow, AnySelect, chunks, next_serials
from canary.store.tables import canaries, incidents, matches, sightings
from canary.store.tables import traces as answers
from canary.store.text import dump, load_list, seal_text, unseal_text
from canary.store.tx import Tx


@dataclass(frozen=True, slots=True)
class SavedTrace:
    """One trace of an incident as it was answered, at `made_ms`."""

    made_ms: int
    answer: Mapping[str, Any]


def open(tx: Tx, now_ms: int) -> Incident:
    """Open an incident; the number of recipients, ghosts included, is frozen now."""
    fresh = Incident(new_id("i-"), now_ms, "open", recipients.count(tx, ghosts=True))
    tx.conn.execute(
        insert(incidents).values(
            id=fresh.id,
            opened_ms=now_ms,
            state=fresh.state,
            recipients_frozen=fresh.recipients_frozen,
            suspects=dump([]),
        )
    )
    return fresh


def attach(tx: Tx, incident: str, sighting_ids: Iterable[str]) -> None:
    """Count sightings to an incident; raises UsageError where one of them does not exist."""
    if get(tx, incident) is None:
        raise _unknown(incident)
    for part in chunks(sighting_ids, LOOKUP_KEYS):
        changed = tx.conn.execute(update(sightings).where(sightings.c.id.in_(part)).values(incident=incident))
        if changed.rowcount != len(set(part)):
            raise UsageError("no such sighting", "list them with canary sighting list")


def _unknown(incident: str) -> UsageError:
    return UsageError(f"no incident {incident!r}", "list them with canary incident list")


def list_all(tx: Tx, state: str | None = None) -> list[Incident]:
    """List incidents, oldest first, in one state (open, closed) where asked for."""
    wanted = select(incidents).order_by(incidents.c.opened_ms, incidents.c.id)
    if state is not None:
        wanted = wanted.where(incidents.c.state == state)
    return _nouns(tx, wanted)


def get(tx: Tx, incident: str) -> Incident | None:
    """Give an incident with its sightings and canaries, None where there is none."""
    return next(iter(_nouns(tx, select(incidents).where(incidents.c.id == incident))), None)


def _nouns(tx: Tx, wanted: AnySelect) -> list[Incident]:
    nouns: list[Incident] = []
    for part in chunks(tx.conn.execute(wanted).all(), LOOKUP_KEYS):
        ids = [row.id for row in part]
        seen = select(sightings.c.incident, sightings.c.id).where(sightings.c.incident.in_(ids))
        shown = select(sightings.c.incident, canaries.c.id, matches.c.canary).distinct()
        shown = shown.join(matches, matches.c.sighting == sightings.c.serial)
        shown = shown.join(canaries, canaries.c.serial == matches.c.canary)
        shown = shown.where(sightings.c.incident.in_(ids)).order_by(matches.c.canary)
        of_sightings = _grouped(tx, seen.order_by(sightings.c.serial))
        of_canaries = _grouped(tx, shown)
        nouns += [_noun(row, of_sightings[row.id], of_canaries[row.id]) for row in part]
    return nouns


def _grouped(tx: Tx, wanted: AnySelect) -> Mapping[str, list[str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for row in tx.conn.execute(wanted):
        groups[row[0]].append(row[1])
    return groups


def _noun(row: AnyRow, seen: Sequence[str], shown: Sequence[str]) -> Incident:
    suspects = load_list(row.suspects)
    frozen = row.recipients_frozen
    return Incident(
        row.id, row.opened_ms, row.state, frozen, tuple(seen), tuple(shown), row.outcome, suspects
    )


def set_verdict(tx: Tx, incident: str, outcome: str, suspects: Sequence[str]) -> None:
    """Note the outcome of an incident's newest trace and whom it names or shortlists."""
    _change(tx, incident, {"outcome": outcome, "suspects": dump(list(suspects))})


def close(tx: Tx, incident: str, now_ms: int) -> None:
    """Close an incident; it keeps its number and may be traced again."""
    _change(tx, incident, {"state": "closed", "closed_ms": now_ms})


def _change(tx: Tx, incident: str, values: dict[str, object]) -> None:
    changed = tx.conn.execute(update(incidents).where(incidents.c.id == incident).values(values))
    if changed.rowcount != 1:
        raise _unknown(incident)


def _place(serial: int, incident: str) -> str:
    return f"traces.answer:{serial}:{incident}"


def save_trace(tx: Tx, incident: str, answer: Mapping[str, object], now_ms: int) -> None:
    """Keep a trace's whole answer (a JSON object), sealed; raises UsageError without such an incident."""
    if get(tx, incident) is None:
        raise _unknown(incident)
    serial = next_serials(tx.conn, answers, 1)[0]
    sealed = seal_text(tx.keys, dump(answer), _place(serial, incident))
    row = {"serial": serial, "incident": incident, "made_ms": now_ms, "answer": sealed}
    tx.conn.execute(insert(answers).values(row))


def traces(tx: Tx, incident: str) -> list[SavedTrace]:
    """List the traces of an incident, oldest first."""
    wanted = select(answers).where(answers.c.incident == incident).order_by(answers.c.serial)
    return [
        SavedTrace(row.made_ms, json.loads(unseal_text(tx.keys, row.answer, _place(row.serial, incident))))
        for row in tx.conn.execute(wanted)
    ]
