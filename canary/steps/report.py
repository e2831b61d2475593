"""The case of an incident, written for a person or a program."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from canary.model.sight import Incident
from canary.model.verdict import Trace
from canary.steps import cases, trace
from canary.steps.outputs import write_text
from canary.steps.render import LedgerState, Report, matched_canaries, render
from canary.steps.tools import Tools
from canary.store import journal, recipients, releases
from canary.store.tx import Tx


def report(tools: Tools, incident: str, format: str, lang: str) -> str:
    """Render the case of an incident from a fresh trace of what it holds; the trace is kept like any other."""
    found = cases.get(tools, incident)
    answer = trace.trace_incident(tools, incident)
    return render(_gathered(tools, found, answer), format, lang)


def _gathered(tools: Tools, incident: Incident, answer: Trace) -> Report:
    named = {one.recipient for one in answer.suspects}
    with tools.registry.read() as tx:
        seen = tuple(cases.sightings_of(tx, incident))
        shown = [release for one in answer.suspects for release in one.releases]
        checked = journal.verify(tx, tools.signer.public)
        return Report(
            incident=incident,
            trace=answer,
            made_ms=tools.clock.now_ms(),
            sightings=seen,
            matches=matched_canaries(seen),
            recipients=tuple(who for id in _with_ancestors(tx, named) if (who := recipients.get(tx, id))),
            releases=tuple(one for id in dict.fromkeys(shown) if (one := releases.get(tx, id))),
            ledger=LedgerState(checked.entries, checked.root, checked.ok, checked.first_bad),
            limits=cases.limits_of(tools, incident),
            zone=datetime.now().astimezone().tzinfo or UTC,
        )


def _with_ancestors(tx: Tx, ids: set[str]) -> list[str]:
    return sorted({*ids, *(above for one in ids for above in recipients.ancestors(tx, one))})


def write(text: str, path: Path, *, force: bool) -> None:
    """Write a report into a file."""
    write_text(text if text.endswith("\n") else text + "\n", path, force=force)
