"""A report as one JSON object: stable names, and the plain words of one language."""

from __future__ import annotations

import json
from dataclasses import asdict

from canary.model.canary import Release
from canary.model.sight import Sighting
from canary.model.verdict import Suspect
from canary.steps.render.compose import alternatives, ancestors, meaning
from canary.steps.render.document import clean, local_text, utc_text
from canary.steps.render.phrases import Tongue
from canary.steps.render.report import Report
from canary.steps.render.translate import translate


def to_json(report: Report, lang: str) -> str:
    """Write a report as JSON with two spaces of indent; texts from outside are cleaned."""
    say = Tongue(lang)
    incident, trace = report.incident, report.trace
    body = {
        "lang": lang,
        "made": utc_text(report.made_ms),
        "incident": {"id": incident.id, "opened": utc_text(incident.opened_ms), "state": incident.state},
        "outcome": trace.outcome,
        "suspects": [_suspect(one, report) for one in trace.suspects],
        "unknown_source": trace.unknown_source,
        "registry_compromised": trace.registry_compromised,
        "rows": trace.rows,
        "rows_recognised": trace.rows_recognised,
        "explanation": [translate(sentence, lang) for sentence in trace.explanation],
        "alternatives": alternatives(report, say),
        "limits": meaning(say),
        "matches": [asdict(one) for one in report.matches],
        "sightings": [_sighting(one, report) for one in report.sightings],
        "releases": [_release(one, report) for one in report.releases],
        "ledger": None if report.ledger is None else asdict(report.ledger),
        "priors": {"false_accusation_limit": report.limits.false_accusation, **asdict(report.limits.priors)},
        "errors": list(trace.errors),
    }
    return json.dumps(_cleaned(body), ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def _cleaned(value: object) -> object:
    """Clean every text of a nested structure."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(key): _cleaned(each) for key, each in value.items()}
    return [_cleaned(each) for each in value] if isinstance(value, list | tuple) else value


def _suspect(one: Suspect, report: Report) -> dict[str, object]:
    known = {each.id: each for each in report.recipients}
    recipient = known.get(one.recipient)
    return {
        **asdict(one),
        "name": recipient.name if recipient else None,
        "kind": recipient.kind.value if recipient else None,
        "parents": ancestors(one.recipient, known),
    }


def _sighting(one: Sighting, report: Report) -> dict[str, object]:
    return {
        "id": one.id,
        "source": one.source,
        "kind": one.kind,
        "event": one.event,
        "time": utc_text(one.time_ms),
        "local_time": local_text(one.time_ms, report.zone),
        "sha256": one.sha256,
        "bytes": one.bytes,
    }


def _release(one: Release, report: Report) -> dict[str, object]:
    return {
        "release": one.id,
        "recipient": one.recipient,
        "time": utc_text(one.created_ms),
        "local_time": local_text(one.created_ms, report.zone),
        "file": one.output,
        "sha256": one.sha256_out,
        "rows": one.rows_out,
        "ledger_index": one.ledger_index,
    }
