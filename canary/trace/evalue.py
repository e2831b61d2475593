"""Canary hits as e-values.

What is never more than one on average when the canary's secret was not in play.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from math import log2

import numpy as np
from numpy.typing import NDArray

from canary.model.evidence import Candidates
from canary.trace.case import Case, HitCanary, IssuedField

Floats = NDArray[np.float64]
Shape = tuple[tuple[str, str | None, float], ...]  # role, form and bits of each predeclared field

SURVIVALS = (0.01, 0.05, 0.2, 0.5)  # and 1/K: shares of a copy's canaries that may have survived
STAKE = 0.1  # what canaries may multiply; the rest stays at one, for leaks where none survived
MOST_BITS = 900.0  # keeps 2**bits a float; lowering bits only weakens evidence
TINY = 1e-300  # instead of zero, so that logarithms stay finite
OVERLAPPING = ({"name", "name_address"}, {"address", "name_address"})  # one is part of the other


def merge_roles(shape: Shape, stale: frozenset[str] = frozenset()) -> dict[str, tuple[float, bool]]:
    """Give each role's bits and whether it is looked up alone.

    The bits of `stale` roles were counted already.

    Two fields of one role are found as one: P(either) is at most the sum.
    """
    chances: dict[str, float] = {}
    indexed: dict[str, bool] = {}
    for role, form, bits in shape:
        left = 0.0 if role in stale else min(max(bits, 0.0), MOST_BITS)
        chances[role] = chances.get(role, 0.0) + 2.0**-left
        indexed[role] = indexed.get(role, True) and form is not None
    return {role: (max(0.0, -log2(chance)), indexed[role]) for role, chance in chances.items()}


def tuples_of(roles: Mapping[str, tuple[float, bool]]) -> list[tuple[str, ...]]:
    """Give the predeclared tuples.

    Every single role that is looked up, every pair with at least one such role.
    """
    singles: list[tuple[str, ...]] = [(role,) for role in sorted(roles) if roles[role][1]]
    pairs = [
        pair
        for pair in combinations(sorted(roles), 2)
        if (roles[pair[0]][1] or roles[pair[1]][1]) and set(pair) not in OVERLAPPING
    ]
    return singles + pairs


def count_candidates(
    found: tuple[str, ...], forms: Mapping[str, str | None], candidates: Candidates
) -> float | None:
    """Give the number of distinct candidates of a tuple in the leak, at least 1.

    None where nobody counted them.
    """
    names = [{role, forms.get(role) or role} for role in found]
    if len(found) == 2:
        counts = [n for (a, b), n in candidates.pair.items() if _same(names, a, b)]
        if counts:
            return float(max(*counts, 1))
    product = 1.0
    for alternatives in names:
        singles = [candidates.single[name] for name in alternatives if name in candidates.single]
        if not singles:
            return None
        product *= max(*singles, 1)
    return product


def _same(names: list[set[str]], a: str, b: str) -> bool:
    first, second = names
    return (a in first and b in second) or (b in first and a in second)


def score(
    shape: Shape,
    records: Sequence[frozenset[str]],
    candidates: Candidates,
    stale: frozenset[str] = frozenset(),
) -> float:
    """Give X of one canary: the mean over its predeclared tuples of [found]/p, p = min(1, n·2^−h).

    Its mean over the secret is at most 1, given any leak and any other canary (docs/verdict.md, lemmas 1
    and 2).
    """
    forms = {role: form for role, form, _ in shape}
    roles = merge_roles(shape, stale)
    declared = tuples_of(roles)
    total = 0.0
    for each in declared:
        if not stale.issuperset(each) and any(record.issuperset(each) for record in records):
            n = count_candidates(each, forms, candidates)
            bits = min(sum(roles[role][0] for role in each), MOST_BITS)
            total += 1.0 if n is None else max(1.0, 2.0**bits / n)
    return total / len(declared) if declared else 0.0


def score_all(hits: Iterable[HitCanary], candidates: Candidates) -> dict[str, float]:
    """Give X of every hit canary that is not burned; canary → X.

    Within one owner a value that several canaries carry (a phone of a pool, a person in linked tables) counts in
    the first of them by id that was hit, and nowhere once it is burned.
    """
    ordered = sorted(hits, key=lambda hit: hit.id)
    burned = {token for hit in ordered if hit.burned for token in _tokens(hit.fields)}
    seen: dict[str, set[str]] = {}
    done: dict[tuple[Shape, tuple[frozenset[str], ...], frozenset[str]], float] = {}
    scores: dict[str, float] = {}
    for hit in (each for each in ordered if not each.burned):
        counted = seen.setdefault(hit.owner, set(burned))
        shape = tuple((each.role, each.form, each.bits) for each in hit.fields)
        stale = frozenset(e.role for e in hit.fields if e.token in counted or (e.shared and not e.token))
        counted.update(_tokens(hit.fields))
        key = (shape, hit.records, stale)
        if key not in done:
            done[key] = score(shape, hit.records, candidates, stale)
        scores[hit.id] = done[key]
    return scores


def _tokens(fields: Iterable[IssuedField]) -> list[str]:
    return [each.token for each in fields if each.token]


def log2_products(survivals: Floats, issued: int, scores: Floats) -> Floats:
    """Give log2 ∏((1 − w) + w·X) over a copy's canaries for each survival w.

    Canaries without score were not hit.
    """
    missed = max(issued - len(scores), 0)
    absent = 1 - survivals
    products = np.log2(np.maximum(absent[:, None] + survivals[:, None] * scores, TINY)).sum(axis=1)
    return np.asarray(products + missed * np.log2(np.maximum(absent, TINY)))


def log2_c(issued: int, scores: Sequence[float]) -> float:
    """Give log2 of C = .9 + .1·mean_w ∏_k((1 − w) + w·X_k) for a recipient with `issued` own canaries."""
    total = max(issued, len(scores))
    if not total:
        return 0.0
    survivals = np.array([1 / total, *SURVIVALS])
    products = log2_products(survivals, total, np.asarray(scores, dtype=np.float64))
    mean = np.logaddexp2.reduce(products) - np.log2(len(survivals))
    return float(np.logaddexp2(np.log2(1 - STAKE), np.log2(STAKE) + mean))


def own_hits(case: Case) -> dict[str, list[HitCanary]]:
    """Give, for each recipient, its own canaries in the leak that count.

    In time (or of a ghost), unburned.
    """
    own: dict[str, list[HitCanary]] = {}
    for hit in sorted(case.hits, key=lambda each: each.id):
        if hit.control or hit.burned or hit.group or not hit.records:
            continue
        if hit.owner in case.ghosts or stands_in_time(case, hit):
            own.setdefault(hit.owner, []).append(hit)
    return own


def stands_in_time(case: Case, hit: HitCanary) -> bool:
    """Tell whether the canary stood in a release of its owner that can be in the leak."""
    return any(
        case.in_time(holder.created_ms)
        for holder in hit.holders
        if not holder.carried and holder.recipient == hit.owner
    )
