"""How well "these copies are in the leak" explains what was found, against chance.

The ratios of the posterior.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import log2

import numpy as np
from numpy.typing import NDArray

from canary.trace.case import Case, HitCanary, SideEvent
from canary.trace.evalue import log2_products, stands_in_time

Floats = NDArray[np.float64]

# Share of a leaked copy's canaries that survives: nobody knows it beforehand, so all scales weigh the same.
SURVIVED = np.array([0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 0.6, 0.9])
SURVIVED_LOG2 = np.log2(np.full(len(SURVIVED), 1 / len(SURVIVED)))
SEPARATE = 0.1  # weight of "each owner's canaries in a derived copy fared on their own"
CAP = log2(20)  # what side evidence may add to or take from one recipient, in all
MOST_SHARERS = 8  # a number that more recipients hold tells nothing about any of them
SIDE_RATE = {"mail": 1.0, "probe": 0.3, "call": 0.3, "sms": 0.3, "access": 0.5}  # if the contact leaked
SIDE_CAP = {"mail": 20.0, "probe": 2.0, "call": 1.5, "sms": 1.5, "access": 4.0}  # a bare call tells little
QUIET = 1e-3  # no number is quieter than this


@dataclass(frozen=True, slots=True)
class Copy:
    """What one recipient's copies held: hit canaries (numbers into `Scene.hits`), and counts by owner."""

    recipient: str
    hits: tuple[int, ...]
    counts: Mapping[str, int]

    @property
    def issued(self) -> int:
        """Give the number of canaries in the copies, hit or not."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Scene:
    """All that the posterior looks at.

    Hit canaries with their X, the copies that hold any, side observations; `absent` is log2 of what speaks against
    recipients whose exports held few of the rows.
    """

    hits: tuple[HitCanary, ...]
    scores: Floats
    copies: Mapping[str, Copy]
    side: tuple[
        tuple[float, frozenset[str]], ...
    ]  # log2 ratio of one observation, and who holds what it reached
    absent: Mapping[str, float] = field(default_factory=dict)


def survey(
    case: Case, eligible: Sequence[str], scores: Mapping[str, float], marked: Sequence[str] = ()
) -> Scene:
    """Gather the copies of all eligible recipients, the canaries that count, and the side observations."""
    hits = tuple(
        hit
        for hit in sorted(case.hits, key=lambda each: each.id)
        if hit.id in scores and hit.records and not (hit.control or hit.group) and stands_in_time(case, hit)
    )
    allowed = frozenset(eligible)
    standing: dict[str, dict[int, str]] = {}
    for number, hit in enumerate(hits):
        for holder in hit.holders:
            if holder.recipient in allowed and case.in_time(holder.created_ms):
                standing.setdefault(holder.recipient, {})[number] = hit.owner
    side = _observations(case.side, allowed)
    touched = {*standing, *marked, *(name for _, holders in side for name in holders)}
    copies = {name: _copy(case, name, standing.get(name, {})) for name in sorted(touched)}
    values = np.array([scores[hit.id] for hit in hits], dtype=np.float64)
    return Scene(hits, values, copies, side, _absent(case, copies))


def _absent(case: Case, names: Iterable[str]) -> dict[str, float]:
    """Give log2 of what speaks against whoever held less than half of the recognised rows, down to the cap."""
    known = case.rows_recognised
    if not known:
        return {}
    held = {name: case.marks[name].rows_held for name in names if name in case.marks}
    shares = {name: rows / known for name, rows in held.items() if rows is not None}
    return {name: -CAP * (1 - 2 * share) for name, share in shares.items() if share < 1 / 2}


def _copy(case: Case, recipient: str, standing: Mapping[int, str]) -> Copy:
    counts = {recipient: case.issued.get(recipient, 0), **case.carried.get(recipient, {})}
    found: dict[str, int] = {}
    for owner in standing.values():
        found[owner] = found.get(owner, 0) + 1
    raised = {owner: max(counts.get(owner, 0), found.get(owner, 0)) for owner in counts.keys() | found.keys()}
    return Copy(recipient, tuple(standing), raised)


def side_ratio(event: SideEvent) -> float:
    """Give the likelihood ratio of one event, "its contact leaked" against its baseline, between 1 and 20."""
    rate = SIDE_RATE.get(event.kind, 0.3)
    cap = 20.0 if event.asked_name else SIDE_CAP.get(event.kind, 1.5)
    return min(cap, 1.0 + rate / max(event.baseline, QUIET))


def _observations(
    events: Sequence[SideEvent], allowed: frozenset[str]
) -> tuple[tuple[float, frozenset[str]], ...]:
    best: dict[str, tuple[float, frozenset[str]]] = {}
    for event in events:
        holders = allowed.intersection(event.holders)
        if event.control or not holders or len(holders) > MOST_SHARERS:
            continue
        ratio = log2(side_ratio(event))
        before, known = best.get(event.key, (0.0, frozenset()))
        best[event.key] = (max(before, ratio), known | holders)
    return tuple(best[key] for key in sorted(best))


def log2_survived(issued: int, scores: Floats) -> float:
    """Give log2 of the mean over survivals of ∏((1 − w) + w·X) for one copy."""
    return float(np.logaddexp2.reduce(SURVIVED_LOG2 + log2_products(SURVIVED, issued, scores)))


def log2_standing(parts: Sequence[tuple[int, Floats]]) -> float:
    """Give log2 of the ratio of one copy from (issued, scores) of each owner whose canaries stand in it.

    Mostly all of them survive alike; with weight SEPARATE each owner's fared on its own, as where somebody who knows
    two copies removes what differs. So a derived copy is never ruled out by its own canaries' absence alone.
    """
    pooled = log2_survived(
        sum(issued for issued, _ in parts), np.concatenate([np.zeros(0), *(s for _, s in parts)])
    )
    if len(parts) < 2:
        return pooled
    apart = sum(log2_survived(issued, scores) for issued, scores in parts)
    return float(np.logaddexp2(log2(1 - SEPARATE) + pooled, log2(SEPARATE) + apart))


def genuine(issued: int, scores: Floats) -> tuple[float, Floats]:
    """Give `log2_survived`, and P(no chance hit) of each hit if the copy is in the leak."""
    weights = SURVIVED_LOG2 + log2_products(SURVIVED, issued, scores)
    total = np.logaddexp2.reduce(weights)
    present = SURVIVED[:, None] * scores
    return float(total), np.asarray(
        np.exp2(weights - total) @ (present / (present + (1 - SURVIVED)[:, None]))
    )


def log2_side(scene: Scene, members: Sequence[str]) -> float:
    """Give log2 of the side evidence of a source set.

    Each observation once, each member within [1/20, 20].
    """
    gained = {name: scene.absent.get(name, 0.0) for name in members}
    for ratio, holders in scene.side:
        sharing = holders.intersection(gained)
        for member in sharing:
            gained[member] += ratio / len(sharing)
    return sum(min(max(each, -CAP), CAP) for each in gained.values())
