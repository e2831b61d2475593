"""From a report to a document in one language."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING, Context

from canary.model.people import Recipient
from canary.model.verdict import Suspect
from canary.steps.render.document import Document, Section, Table, clean, local_text, utc_text
from canary.steps.render.phrases import Tongue
from canary.steps.render.report import Report
from canary.steps.render.translate import translate


def compose(report: Report, lang: str) -> Document:
    """Give the document of a report; every text from outside is cleaned here."""
    say = Tongue(lang)
    made = say("made", utc=utc_text(report.made_ms), local=local_text(report.made_ms, report.zone))
    sections = (
        _result(report, say),
        _suspects(report, say),
        Section(say("meaning"), points=tuple(meaning(say))),
        Section(
            say("reasons"), points=tuple(clean(translate(s, say.lang)) for s in report.trace.explanation)
        ),
        Section(say("alternatives"), points=tuple(alternatives(report, say))),
        _matches(report, say),
        _sightings(report, say),
        _releases(report, say),
        _ledger(report, say),
        Section(say("priors"), points=tuple(priors(report, say))),
        Section(say("errors"), points=tuple(clean(error) for error in report.trace.errors)),
    )
    shown = tuple(each for each in sections if each.paragraphs or each.points or each.table)
    return Document(f"{say('title')} {clean(report.incident.id)}", made, shown)


def chance(value: float) -> str:
    """Write a probability without claiming certainty."""
    if value < 0.0005:
        return "< 0.001"
    return "> 0.999" if value > 0.9995 else f"{value:.3f}"


def bound(value: float) -> str:
    """Write a bound rounded up to one digit."""
    digit = Context(prec=1, rounding=ROUND_CEILING).create_decimal_from_float(min(value, 1.0))
    return f"{digit:.0e}".replace("e+0", "")


def meaning(say: Tongue) -> list[str]:
    """Give the limits of the result in plain words."""
    return [say("says"), say("bound"), say("probabilities"), say("canaries_note")]


def alternatives(report: Report, say: Tongue) -> list[str]:
    """Give what else could explain the leak, with probabilities where there are any."""
    told = [
        say("alt_unknown", p=chance(report.trace.unknown_source)),
        say("alt_compromised", p=chance(report.trace.registry_compromised)),
    ]
    return [*told, say("alt_stolen"), say("alt_runs")] if report.trace.suspects else told


def priors(report: Report, say: Tongue) -> list[str]:
    """Give the limits and priors that were used."""
    used = report.limits.priors
    return [
        say("prior_bound", limit=f"{report.limits.false_accusation:.0e}", named=report.limits.named),
        say("prior_weights", recipients=used.recipients, unknown=used.unknown, compromised=used.compromised),
        say("prior_sources", sources=", ".join(f"{each:g}" for each in used.sources)),
    ]


def _result(report: Report, say: Tongue) -> Section:
    trace, incident = report.trace, report.incident
    listed = [one for one in trace.suspects if one.status == trace.outcome]
    names = ", ".join(clean(one.recipient) for one in listed) or say("none")
    word = trace.outcome if trace.outcome in ("named", "shortlisted") else "inconclusive"
    sightings, canaries = len(report.sightings), len(report.matches)
    return Section(
        say("result"),
        paragraphs=(say(f"on_{word}", names=names),),
        points=(
            f"{say('outcome')}: {say(word)}",
            f"{say('incident')}: {clean(incident.id)}, {say('state')}: {clean(say.known(incident.state))}",
            f"{say('opened')}: {_both(report, incident.opened_ms)}",
            say("counts", rows=f"{trace.rows:,}", canaries=f"{canaries:,}", sightings=f"{sightings:,}"),
        ),
    )


def _both(report: Report, ms: int) -> str:
    return f"{utc_text(ms)} ({local_text(ms, report.zone)})"


def _suspects(report: Report, say: Tongue) -> Section:
    known = {one.id: one for one in report.recipients}
    words = (
        "recipient", "name", "kind", "parents", "status", "grade", "contributed", "probability",
        "false_accusation", "evidence",
    )  # fmt: skip
    rows = tuple(_suspect_row(one, known, say) for one in report.trace.suspects)
    return Section(say("suspects"), table=_table(say, words, rows))


def _suspect_row(one: Suspect, known: dict[str, Recipient], say: Tongue) -> tuple[str, ...]:
    recipient = known.get(one.recipient)
    return (
        clean(one.recipient),
        clean(recipient.name) if recipient else "",
        say.known(recipient.kind.value) if recipient else "",
        " < ".join(clean(each) for each in ancestors(one.recipient, known)),
        clean(say.known(one.status)),
        clean(say.known(one.grade)),
        chance(one.contributed),
        chance(one.probability),
        bound(one.false_accusation),
        _evidence(one, say),
    )


def _evidence(one: Suspect, say: Tongue) -> str:
    seen = one.evidence
    told = say("evidence_text", canaries=f"{seen.canaries:,}", fields=f"{seen.fields:,}")
    if not seen.marks_read:
        return told
    return told + "; " + say("marks_text", read=f"{seen.marks_read:,}", agreeing=f"{seen.marks_agreeing:,}")


def ancestors(recipient: str, known: dict[str, Recipient]) -> list[str]:
    """Give the recipients above one, nearest first; a circle ends it."""
    found: list[str] = []
    here = known.get(recipient)
    while here and here.parent and here.parent not in (recipient, *found):
        found.append(here.parent)
        here = known.get(here.parent)
    return found


def _matches(report: Report, say: Tongue) -> Section:
    rows = tuple(
        (
            clean(one.canary),
            clean(", ".join(one.fields)),
            clean(say.known(one.strength)),
            f"{one.sightings:,}",
            clean(", ".join(one.recipients)),
            clean(one.release or ""),
        )
        for one in report.matches
    )
    return Section(
        say("matches"),
        table=_table(say, ("canary", "fields", "strength", "seen", "given", "release"), rows),
    )


def _sightings(report: Report, say: Tongue) -> Section:
    rows = tuple(
        (
            clean(one.id),
            clean(one.source),
            clean(one.kind),
            clean(one.event),
            utc_text(one.time_ms),
            local_text(one.time_ms, report.zone),
            clean(one.sha256),
            f"{one.bytes:,}",
        )
        for one in report.sightings
    )
    words = ("sighting", "source", "kind", "event", "utc", "local", "sha256", "bytes")
    return Section(say("sightings"), table=_table(say, words, rows))


def _releases(report: Report, say: Tongue) -> Section:
    rows = tuple(
        (
            clean(one.id),
            clean(one.recipient),
            utc_text(one.created_ms),
            local_text(one.created_ms, report.zone),
            clean(one.output),
            clean(one.sha256_out),
            f"{one.rows_out:,}",
            str(one.ledger_index) if one.ledger_index >= 0 else "",
        )
        for one in report.releases
    )
    words = ("release", "recipient", "utc", "local", "file", "sha256", "rows", "ledger_index")
    return Section(say("releases"), table=_table(say, words, rows))


def _ledger(report: Report, say: Tongue) -> Section:
    state = report.ledger
    if state is None:
        return Section(say("ledger"))
    told = say(
        "ledger_ok" if state.ok else "ledger_bad",
        entries=f"{state.entries:,}",
        root=clean(state.root),
        first_bad="?" if state.first_bad is None else state.first_bad,
    )
    return Section(say("ledger"), points=(told, say("ledger_closed" if state.checkpoint else "ledger_open")))


def _table(say: Tongue, words: Sequence[str], rows: tuple[tuple[str, ...], ...]) -> Table | None:
    return (
        Table(tuple(say.known(word) if word != "sha256" else "SHA-256" for word in words), rows)
        if rows
        else None
    )
