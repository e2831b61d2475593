"""Signs that keys or registry are not ours alone: data of controls, ghosts, and of copies not yet made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2

from canary.trace.case import Case, HitCanary
from canary.trace.copies import side_ratio
from canary.trace.evalue import log2_c, stands_in_time

MOST = 40.0  # log2: beyond that the answer is the same
GHOSTS = 8  # at least so many are scored
SIDE_MOST = 20.0  # calls of control numbers, against their measured rate


@dataclass(frozen=True, slots=True)
class Alarm:
    """log2 of the Bayes factor of a compromised registry, and what speaks for one.

    `controls` stand in the leak by more than chance, `ghosts` and `outsiders` (who hold nothing) stand above the bar.
    """

    log2_factor: float = 0.0
    controls: tuple[str, ...] = ()
    ghosts: tuple[str, ...] = ()
    outsiders: tuple[str, ...] = ()


def sound(
    case: Case, eligible: Sequence[str], scores: Mapping[str, float], log2_e: Mapping[str, float], bar: float
) -> Alarm:
    """Give the alarm of a trace; `log2_e` is of everybody, `bar` the log2 E that names."""
    holders = frozenset(eligible)
    ghosts = {name: each for name, each in log2_e.items() if name in case.ghosts}
    outsiders = _outsiders(case, holders, scores, log2_e)
    found = [hit for hit in case.hits if hit.control and not hit.burned and scores.get(hit.id, 0.0) > 0.0]
    above = tuple(sorted(name for name, each in outsiders.items() if each >= bar))
    factors = [
        0.0,
        _log2_controls(case, found, scores),
        max(ghosts.values(), default=0.0) - log2(max(GHOSTS, len(ghosts))),
        *(outsiders[name] - log2(max(len(outsiders), 1)) for name in above),
    ]
    return Alarm(
        min(MOST, max(factors) + _log2_calls(case)),
        tuple(sorted(hit.id for hit in found if scores[hit.id] > 1.0)),
        tuple(sorted(name for name, each in ghosts.items() if each >= bar)),
        above,
    )


def _log2_controls(case: Case, found: Sequence[HitCanary], scores: Mapping[str, float]) -> float:
    """Give log2 of the mean of [hit]/p over all control canaries, an e-value against an intact registry."""
    if not found:
        return 0.0
    mean = sum(scores[hit.id] for hit in found) / max(case.controls, len(found))
    return max(0.0, log2(mean)) if mean > 0 else 0.0


def _log2_calls(case: Case) -> float:
    best: dict[str, float] = {}
    for event in case.side:
        if event.control:
            best[event.key] = max(best.get(event.key, 1.0), side_ratio(event))
    return log2(min(SIDE_MOST, max(best.values(), default=1.0)))


def _outsiders(
    case: Case, holders: frozenset[str], scores: Mapping[str, float], log2_e: Mapping[str, float]
) -> dict[str, float]:
    """Give log2 E of everybody who cannot be a source, from canaries seen before they were issued."""
    early: dict[str, list[float]] = {}
    for hit in case.hits:
        if hit.control or hit.group or hit.id not in scores or stands_in_time(case, hit):
            continue
        if _seen_too_early(hit):
            early.setdefault(hit.owner, []).append(scores[hit.id])
    outside = {name: each for name, each in log2_e.items() if name not in holders and name not in case.ghosts}
    for name, values in early.items():
        if name in outside:
            outside[name] = max(outside[name], log2_c(max(case.late.get(name, 0), len(values)), values))
    return outside


def _seen_too_early(hit: HitCanary) -> bool:
    made = [
        holder.created_ms for holder in hit.holders if holder.recipient == hit.owner and not holder.carried
    ]
    return hit.seen_ms is None or not made or hit.seen_ms < min(made)
