"""Incidents: what a responder works on, with the verdict that was reached."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from canary.errors import UsageError
from canary.files import sha256_file
from canary.model.evidence import Findings
from canary.model.sight import Incident, Sighting
from canary.model.verdict import Trace
from canary.steps import scan
from canary.steps.evidence import Seen
from canary.steps.tools import Tools
from canary.store import canaries as canary_store
from canary.store import contacts, journal
from canary.store import incidents as store
from canary.store import sightings as sighting_store
from canary.store.tx import Tx
from canary.trace.case import Limits
from canary.trace.verdict import limit_of_incident


def list_all(tools: Tools) -> list[Incident]:
    """Give all incidents, oldest first."""
    with tools.registry.read() as tx:
        return list(store.list_all(tx))


def get(tools: Tools, id: str) -> Incident:
    """Give one incident, or raise UsageError."""
    with tools.registry.read() as tx:
        found = store.get(tx, id)
    if found is None:
        raise UsageError(f"no incident {id!r} in the registry", "see canary incident list")
    return found


def row(incident: Incident) -> dict[str, Any]:
    """Give an incident as `incident list --json` tells it (opened in milliseconds)."""
    return {
        "id": incident.id,
        "opened": incident.opened_ms,
        "state": incident.state,
        "sightings": len(incident.sightings),
        "canaries": len(incident.canaries),
        "outcome": incident.outcome,
        "suspects": list(incident.suspects),
    }


def close(tools: Tools, id: str) -> int:
    """Close an incident, burn its canaries and spend their phones: they are public now; gives how many canaries."""
    found = get(tools, id)
    if found.state == "closed":
        raise UsageError(f"incident {id} is closed already", "see canary incident list")
    now = tools.clock.now_ms()
    with tools.registry.begin() as tx:
        store.close(tx, id, now)
        canary_store.burn(tx, list(found.canaries), now)
        burned = canary_store.by_ids(tx, found.canaries)
        contacts.spend(
            tx, [each.canonical for one in burned for each in one.fields if each.role == "phone"], now
        )
        journal.append(tx, "close", {"incident": id, "burned": len(found.canaries)}, tools.signer, now)
    return len(found.canaries)


def limits_of(tools: Tools, incident: Incident | None) -> Limits:
    """Give the limit of false accusation: the set one, or the incident's share of a year's."""
    table = cast("Mapping[str, Any]", tools.config["verdict"])
    yearly = table.get("limit_year")
    if incident is None or yearly is None:
        return Limits(false_accusation=float(table["limit"]))
    number = 1 + sum(one.opened_ms < incident.opened_ms for one in list_all(tools))
    return Limits(false_accusation=min(float(table["limit"]), limit_of_incident(number, float(yearly))))


def gathered(tools: Tools, incident: Incident) -> tuple[Findings, Seen, str]:
    """Read again what an incident's sightings hold; gives findings, circumstances and a digest of the input."""
    with tools.registry.read() as tx:
        seen = sightings_of(tx, incident)
        raws = [(one, sighting_store.raw(tx, one.id)) for one in seen if one.event == "data"]
        kept = [one.answer for one in store.traces(tx, incident.id)]
    digest = hashlib.sha256(
        "\0".join(sorted(f"{one.sha256} {one.item}" for one in seen)).encode()
    ).hexdigest()
    findings = scan.search_kept(
        tools,
        [(one.id, raw) for one, raw in raws if raw is not None],
        _files_of(one for one, raw in raws if raw is None),
    )
    earlier = tuple(answer["log2_e"] for answer in _newest_of_each_input(kept, digest))
    matched = [one.seen_ms for one in seen if one.matches]
    return (
        findings,
        Seen(min(matched, default=incident.opened_ms), incident.recipients_frozen, tuple(seen), earlier),
        digest,
    )


def files_in(tools: Tools, incident: Incident, folder: Path) -> list[Path]:
    """Give the data of an incident's sightings as files: what is kept is written into `folder` for the while."""
    with tools.registry.read() as tx:
        seen = [one for one in sightings_of(tx, incident) if one.event == "data"]
        raws = [(one, sighting_store.raw(tx, one.id)) for one in seen]
    made = []
    for number, (one, raw) in enumerate(raws):
        if raw is not None:
            name = re.sub(r"[^\w.-]", "_", one.item.rpartition("/")[2])[-80:]
            made.append(folder / f"{number}-{name}")
            made[-1].write_bytes(raw)
    return [*made, *_files_of(one for one, raw in raws if raw is None)]


def _files_of(sightings: Iterable[Sighting]) -> list[Path]:
    """Give the files of sightings that were too big to be kept, where they are still what was seen."""
    named = [(Path(one.detail["path"]), one.sha256) for one in sightings if one.detail.get("path")]
    return [path for path, sha256 in named if path.is_file() and sha256_file(path) == sha256]


def sightings_of(tx: Tx, incident: Incident) -> list[Sighting]:
    """Give the sightings of an incident, in the order they were stored."""
    return sighting_store.list_all(tx, incident=incident.id)


def _newest_of_each_input(kept: list[Mapping[str, Any]], digest: str) -> list[Mapping[str, Any]]:
    """Keep one trace for each input other than the present one: a repeat of the same input is no new trace."""
    by_input = {str(answer["input"]): answer for answer in kept}
    return [answer for key, answer in by_input.items() if key != digest]


def keep_verdict(
    tools: Tools, incident: Incident, answer: Trace, digest: str, body: Mapping[str, object]
) -> None:
    """Keep an answer with its incident and in the ledger, in one transaction."""
    now = tools.clock.now_ms()
    kept = {"input": digest, "log2_e": dict(answer.log2_e), "answer": _plain(answer)}
    with tools.registry.begin() as tx:
        store.set_verdict(tx, incident.id, answer.outcome, [one.recipient for one in answer.suspects])
        store.save_trace(tx, incident.id, kept, now)
        journal.append(tx, "trace", {"incident": incident.id, "input": digest, **body}, tools.signer, now)


def _plain(answer: Trace) -> Any:
    import dataclasses

    return json.loads(json.dumps(dataclasses.asdict(answer)))
