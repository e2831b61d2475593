"""The answer in plain sentences, each with its numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from math import ceil, floor, log10

from canary.trace.case import Case, HitCanary, Limits
from canary.trace.compromise import Alarm
from canary.trace.evalue import count_candidates, stands_in_time
from canary.trace.naming import Standing, carriers, telling

LISTED = 5  # names in one sentence


def bound_text(log2_e: float, population: int) -> str:
    """Write N/E rounded up to one digit, also below the smallest float: "3e-41"."""
    exponent = min(0.0, log10(population) - log2_e * log10(2))
    power = floor(exponent)
    digit = ceil(10 ** (exponent - power) - 1e-9)
    if power >= -1:
        return f"{min(1.0, digit * 10.0**power):g}"
    return f"1e{power + 1}" if digit >= 10 else f"{digit}e{power}"


def chance_text(probability: float) -> str:
    """Write a probability to three digits, without claiming certainty."""
    if probability < 0.0005:
        return "below 0.001"
    return "above 0.999" if probability > 0.9995 else f"{probability:.3f}"


def few(names: Sequence[str]) -> str:
    """Join names, the first five of many."""
    return ", ".join(names[:LISTED]) + (f" and {len(names) - LISTED} more" if len(names) > LISTED else "")


def counted(number: int, noun: str, plural: str = "") -> str:
    """Write a number with its noun."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def _fullest(hit: HitCanary) -> frozenset[str]:
    return max(hit.records, key=lambda roles: (len(roles), sorted(roles)))


def fields_text(hits: Sequence[HitCanary]) -> str:
    """Write by which fields canaries were found: "name+phone (9), email (9)"."""
    kinds = Counter("+".join(sorted(_fullest(hit))) for hit in hits)
    return ", ".join(
        f"{fields} ({number})" for fields, number in sorted(kinds.items(), key=lambda kv: (-kv[1], kv[0]))
    )


def of_suspect(standing: Standing, name: str, named: bool) -> list[str]:
    """Say what speaks against one suspect and, if it is not named, what is missing."""
    case, hits = standing.case, telling(standing, name)
    bound = bound_text(standing.log2_e[name], case.population)
    issued = max(case.issued.get(name, 0), len(hits))
    stand = "stands" if len(hits) == 1 else "stand"
    found = f"{len(hits):,} of its {counted(issued, 'canary', 'canaries')} {stand} in the leak"
    by = f", by {fields_text(hits)}" if hits else ""
    mark = case.marks.get(name)
    marks = f"; {mark.agreeing:,} of {mark.read:,} marks read agree" if mark and mark.read else ""
    told = [f"{name}: {found}{by}{marks}; false accusation at most {bound}"]
    told.append(
        f"{name}: among the sources with probability {chance_text(standing.contributed[name])}, "
        f"source of {standing.probability[name]:.1%} of what can be attributed"
    )
    if not named and standing.log2_e[name] < standing.bar:
        told.append(f"{name} is not named: the bound on false accusation is above the limit")
    for other, shared in sorted(carriers(case, hits).items())[:LISTED]:
        told.append(
            f"{other} also holds {len(shared):,} of these canaries, in a copy derived from one of {name}"
        )
    return told


def of_explained(explained: Mapping[str, Sequence[str]]) -> list[str]:
    """Say which recipients are cleared by a deeper copy."""
    return [
        f"{name} is not named: a deeper copy, of {few(deeper)}, explains the same canaries"
        for name, deeper in sorted(explained.items())
    ]


def of_alarm(alarm: Alarm, compromised: float) -> list[str]:
    """Say what points to stolen keys, a stolen registry or a fault."""
    told = []
    if alarm.controls:
        number = counted(len(alarm.controls), "control canary", "control canaries")
        told.append(f"{number} stood in the leak, never handed to anybody: {few(alarm.controls)}")
    if alarm.ghosts:
        told.append(
            f"{few(alarm.ghosts)}: never issued anything, yet above the bar; "
            "a fault or a stolen key, nobody is named"
        )
    if alarm.outsiders:
        told.append(
            f"{few(alarm.outsiders)}: above the bar without holding a copy made before the leak was seen"
        )
    told.append(f"registry or keys compromised: probability {chance_text(compromised)}")
    return told


def of_time(case: Case) -> str:
    """Say which releases can stand in the leak."""
    if case.earliest_ms is None:
        return "time of the leak unknown, so every release up to now counts"
    seen = datetime.fromtimestamp(case.earliest_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"only releases made before the leak was first seen, {seen}, count"


def of_bound(case: Case, limits: Limits) -> list[str]:
    """Say what the bound counts, and what an incident's earlier traces weigh."""
    ghosts = f", {counted(len(case.ghosts), 'ghost')} among them" if case.ghosts else ""
    told = [
        f"the bound counts {counted(case.population, 'recipient')}{ghosts}; "
        f"nobody is named above {limits.false_accusation:.0e}"
    ]
    if case.earlier:
        told.append(
            f"this is trace {len(case.earlier) + 1:,} of the incident; all of them share one limit, "
            "with weights fixed beforehand"
        )
    return told


def of_left_out(case: Case) -> list[str]:
    """Say which hits do not count, and why."""
    burned = sum(1 for hit in case.hits if hit.burned)
    others = [hit for hit in case.hits if not (hit.burned or hit.control or hit.owner in case.ghosts)]
    late = sorted({hit.owner for hit in others if not stands_in_time(case, hit)})
    forms = {field.role: field.form for hit in case.hits for field in hit.fields}
    roles = {role for hit in case.hits for record in hit.records for role in record if forms.get(role)}
    blind = sorted(role for role in roles if count_candidates((role,), forms, case.candidates) is None)
    told = []
    if burned:
        told.append(f"{counted(burned, 'canary', 'canaries')} had become public before and count for nothing")
    if late:
        told.append(
            f"{few(late)}: canaries issued only after the leak was first seen stand in it, and do not count"
        )
    if blind:
        told.append(f"nobody counted the candidates for {few(blind)}, so finding one counts as chance")
    return told


def of_unknown(case: Case, hits: int, unknown: float) -> list[str]:
    """Say what was found in all, and what else could explain it."""
    canaries = counted(hits, "canary", "canaries")
    found = (
        f"{canaries} of ours {'stands' if hits == 1 else 'stand'} in the leak"
        if hits
        else "no canary of ours stands in the leak"
    )
    known = "" if case.rows_recognised is None else f", {case.rows_recognised:,} of them recognised"
    return [
        f"{found} ({counted(case.rows, 'row')} read{known})",
        f"a source outside the registry: probability {chance_text(unknown)}",
    ]
