"""Who is named, who is listed, and with which grade."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from math import log2

from canary.errors import UsageError
from canary.model.verdict import Trace
from canary.trace.bound import conditional_log2_e, trace_weight
from canary.trace.case import Case, HitCanary, Limits

TIED = 1e-6  # relative difference of probabilities below which two recipients are equal
TELLING = 100.0  # score from which a hit is shown: less is a coincidence of more than one in a hundred


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of every eligible recipient when names are decided; probabilities are absolute."""

    case: Case
    own: Mapping[str, Sequence[HitCanary]]
    scores: Mapping[str, float]
    alone: Mapping[str, float]  # log2 E of this trace
    log2_e: Mapping[str, float]  # over all traces of the incident
    probability: Mapping[str, float]
    contributed: Mapping[str, float]
    bar: float


def telling(standing: Standing, name: str) -> Sequence[HitCanary]:
    """Give the canaries of a recipient that tell something: a lone phone of a pool is found in every leak.

    All of them where none does, so that what was seen is never left out.
    """
    own = standing.own.get(name, ())
    return [hit for hit in own if standing.scores.get(hit.id, 0.0) >= TELLING] or own


def bar_of(case: Case, limits: Limits) -> float:
    """Give the log2 E that names: N over the limit."""
    return log2(case.population) - log2(limits.false_accusation)


def carriers(case: Case, hits: Sequence[HitCanary]) -> dict[str, frozenset[str]]:
    """Give who else holds some of these canaries by a derived copy; recipient → canary ids."""
    found: dict[str, set[str]] = {}
    for hit in hits:
        for holder in hit.holders:
            if holder.carried and holder.recipient != hit.owner and case.in_time(holder.created_ms):
                found.setdefault(holder.recipient, set()).add(hit.id)
    return {name: frozenset(ids) for name, ids in found.items()}


def name_sources(standing: Standing, limits: Limits) -> tuple[list[str], dict[str, list[str]]]:
    """Give the named, and for each one that a deeper copy explains, the recipients of those copies."""
    above = [
        name
        for name, each in standing.log2_e.items()
        if each >= standing.bar and name in standing.probability
    ]
    carried = {name: carriers(standing.case, standing.own.get(name, ())) for name in above}
    depth = {name: sum(name in carried[other] for other in above) for name in above}
    named: list[str] = []
    explained: dict[str, list[str]] = {}
    passed: list[str] = []
    for name in sorted(above, key=lambda each: (-depth[each], -standing.log2_e[each], each)):
        deeper = [other for other in passed if other in carried[name]]
        passed.append(name)
        if (
            deeper
            and _without(standing, name, frozenset().union(*(carried[name][other] for other in deeper)))
            < standing.bar
        ):
            explained[name] = deeper
        elif standing.contributed[name] >= limits.named:
            named.append(name)
    return named, explained


def _without(standing: Standing, name: str, explained: frozenset[str]) -> float:
    case = standing.case
    left = conditional_log2_e(case, name, standing.own.get(name, ()), standing.scores, explained)
    return left + log2(trace_weight(len(case.earlier) + 1))


def shortlist(standing: Standing, named: Collection[str], limits: Limits) -> list[str]:
    """Give the smallest set, ties whole, that covers the probability, less named and explained ones."""
    ranked = sorted(standing.probability, key=lambda name: (-standing.probability[name], name))
    wanted = limits.coverage * sum(standing.probability.values())
    chosen: list[str] = []
    covered, last = 0.0, 1.0
    for name in ranked:
        if covered >= wanted and standing.probability[name] < last * (1 - TIED):
            break
        last = standing.probability[name]
        covered += last
        chosen.append(name)
    listed = [
        name
        for name in chosen
        if name not in named
        and standing.contributed[name] >= limits.shortlisted
        and not _all_explained(standing, name, named)
    ]
    return listed if len(listed) <= limits.most else []


def _all_explained(standing: Standing, name: str, named: Collection[str]) -> bool:
    own = standing.own.get(name, ())
    carried = carriers(standing.case, own)
    explained = (
        frozenset().union(*(carried.get(other, frozenset()) for other in named)) if named else frozenset()
    )
    return bool(own) and all(hit.id in explained for hit in own)


def confirm(answer: Trace, recipient: str, reviewer: str, reason: str, *, second_evidence: bool) -> Trace:
    """Raise a named suspect's grade to confirmed.

    UsageError unless independent evidence, reviewer and reason exist.
    """
    if not any(one.recipient == recipient and one.status == "named" for one in answer.suspects):
        raise UsageError(f"{recipient!r} is not named by this trace", "confirm somebody who is")
    if not second_evidence or not reviewer.strip() or not reason.strip():
        raise UsageError(
            "a confirmation without second evidence, reviewer or reason",
            "give a second independent kind of evidence or sighting, a second reviewer and the reason",
        )
    raised = tuple(
        replace(one, grade="confirmed") if one.recipient == recipient else one for one in answer.suspects
    )
    sentence = f"{recipient}: confirmed by {reviewer.strip()}, {reason.strip()}"
    return replace(answer, suspects=raised, explanation=(*answer.explanation, sentence))
