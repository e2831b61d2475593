"""Who leaked this.

From a case to named or listed suspects, each with probability and bound (docs/verdict.md).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import log2

import numpy as np

from canary.model.verdict import EvidenceCount, Suspect, Trace
from canary.trace import sentences
from canary.trace.bound import combine, false_accusation, limit_of_incident, log2_e_of
from canary.trace.case import Case, Limits, MarkScore, Priors
from canary.trace.compromise import Alarm, sound
from canary.trace.evalue import own_hits, score_all
from canary.trace.naming import Standing, bar_of, confirm, name_sources, shortlist, telling
from canary.trace.posterior import weigh

__all__ = ["assess", "conclude", "confirm", "decide", "limit_of_incident"]

DEFAULT_LIMITS = Limits()
UNTRUSTED = 0.5  # compromised, from which nobody is named; with unknown, from which nobody is listed


@dataclass(frozen=True, slots=True)
class Odds:
    """Probabilities of the three kinds of explanation; they sum to 1."""

    recipients: float
    unknown: float
    compromised: float


@dataclass(frozen=True, slots=True)
class Assessment:
    """Everything known before names are decided."""

    standing: Standing
    alarm: Alarm
    odds: Odds


def conclude(case: Case, limits: Limits = DEFAULT_LIMITS) -> Trace:
    """Name, list or clear; log2_e of the answer is of this trace alone, to be handed to the incident's next one."""
    return decide(assess(case, limits), limits)


def assess(case: Case, limits: Limits = DEFAULT_LIMITS) -> Assessment:
    """Give E of everybody, the alarm, and the probabilities of every source and explanation."""
    eligible = [name for name in case.recipients if name not in case.ghosts and case.held_in_time(name)]
    scores = score_all(case.hits, case.candidates)
    own = own_hits(case)
    alone = log2_e_of(case, own, scores)
    log2_e = combine(case.earlier, alone)
    bar = bar_of(case, limits)
    alarm = sound(case, eligible, scores, log2_e, bar)
    posterior = weigh(case, eligible, scores, limits.priors)
    odds = _odds(posterior.log2_z, alarm.log2_factor, limits.priors)
    standing = Standing(
        case=case,
        own=own,
        scores=scores,
        alone=alone,
        log2_e=log2_e,
        probability={name: share * odds.recipients for name, share in posterior.share.items()},
        contributed={name: min(1.0, each) * odds.recipients for name, each in posterior.contributed.items()},
        bar=bar,
    )
    return Assessment(standing, alarm, odds)


def decide(assessment: Assessment, limits: Limits = DEFAULT_LIMITS) -> Trace:
    """Apply the limits to an assessment."""
    standing, alarm, odds = assessment.standing, assessment.alarm, assessment.odds
    case = standing.case
    trusted = odds.compromised < UNTRUSTED and not alarm.ghosts
    named, explained = name_sources(standing, limits) if trusted else ([], {})
    listed = shortlist(standing, named, limits)
    outcome = _outcome(named, listed, odds)
    suspects = _suspects(standing, named, listed) if outcome != "inconclusive" else ()
    return Trace(
        outcome=outcome,
        suspects=suspects,
        unknown_source=odds.unknown,
        registry_compromised=odds.compromised,
        rows=case.rows,
        rows_recognised=case.rows_recognised,
        errors=case.errors,
        explanation=_explain(assessment, limits, explained, suspects),
        probabilities={name: standing.probability.get(name, 0.0) for name in case.recipients},
        log2_e=dict(standing.alone),
    )


def _odds(log2_z: float, log2_factor: float, priors: Priors) -> Odds:
    weights = np.array(
        [
            log2(priors.recipients) + log2_z,
            log2(priors.unknown),
            log2(priors.compromised) + max(log2_z, 0.0) + log2_factor,
        ]
    )
    shares = np.exp2(weights - weights.max())
    recipients, unknown, compromised = (shares / shares.sum()).tolist()
    return Odds(recipients, unknown, compromised)


def _outcome(named: Collection[str], listed: Collection[str], odds: Odds) -> str:
    if named:
        return "named"
    return "shortlisted" if listed and odds.unknown + odds.compromised < UNTRUSTED else "inconclusive"


def _suspects(standing: Standing, named: Sequence[str], listed: Sequence[str]) -> tuple[Suspect, ...]:
    def rank(name: str) -> tuple[float, str]:
        return -standing.probability[name], name

    return (
        *(_suspect(standing, name, "named", "probable") for name in sorted(named, key=rank)),
        *(_suspect(standing, name, "shortlisted", "lead") for name in sorted(listed, key=rank)),
    )


def _suspect(standing: Standing, name: str, status: str, grade: str) -> Suspect:
    case, hits = standing.case, telling(standing, name)
    mark = case.marks.get(name, MarkScore())
    holding = {
        h.release for hit in hits for h in hit.holders if h.recipient == name and case.in_time(h.created_ms)
    }
    held = case.held_in_time(name)
    return Suspect(
        recipient=name,
        status=status,
        probability=standing.probability[name],
        contributed=standing.contributed[name],
        false_accusation=false_accusation(standing.log2_e[name], case.population),
        grade=grade,
        releases=tuple(release for release in held if release in holding) or held,
        evidence=EvidenceCount(
            canaries=len(hits),
            fields=sum(len(frozenset().union(*hit.records)) for hit in hits),
            marks_read=mark.read,
            marks_agreeing=mark.agreeing,
            rows_held=mark.rows_held or 0,
        ),
    )


def _explain(
    assessment: Assessment,
    limits: Limits,
    explained: Mapping[str, Sequence[str]],
    suspects: Sequence[Suspect],
) -> tuple[str, ...]:
    standing, odds = assessment.standing, assessment.odds
    case = standing.case
    found = sum(1 for hit in case.hits if hit.records and not hit.control)
    of_suspects = (sentences.of_suspect(standing, one.recipient, one.status == "named") for one in suspects)
    return (
        *sentences.of_unknown(case, found, odds.unknown)[:1],
        *(sentence for told in of_suspects for sentence in told),
        *sentences.of_explained(explained),
        *sentences.of_left_out(case),
        *(() if suspects else ("nobody can be named or listed from this",)),
        *sentences.of_unknown(case, found, odds.unknown)[1:],
        *sentences.of_alarm(assessment.alarm, odds.compromised),
        sentences.of_time(case),
        *sentences.of_bound(case, limits),
    )
