"""The bound on false accusation: E of every recipient, and what several traces of one incident add up to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf, log2, pi

from canary.trace.case import Case, HitCanary
from canary.trace.evalue import log2_c

FIRST_TRACE = 0.98  # weight of the first trace of an incident; later ones share the rest
SMALLEST = 1e-300  # a bound is never written as zero


def log2_e_of(
    case: Case, own: Mapping[str, Sequence[HitCanary]], scores: Mapping[str, float]
) -> dict[str, float]:
    """Give log2 E of everybody in the registry from this leak and their own hits alone: E = Σ_S w_S·M·C."""
    missed: dict[int, float] = {}
    found: dict[str, float] = {}
    for name in case.recipients:
        issued = case.issued.get(name, 0)
        if name in own:
            found[name] = log2_c(issued, [scores[hit.id] for hit in own[name]])
        else:
            found[name] = missed.get(issued, inf)
            if found[name] == inf:
                found[name] = missed[issued] = log2_c(issued, ())
    for name, mark in case.marks.items():
        if name in found:
            found[name] += mark.log2_m
    return found


def conditional_log2_e(
    case: Case, name: str, hits: Sequence[HitCanary], scores: Mapping[str, float], explained: frozenset[str]
) -> float:
    """Give log2 E of a recipient as if the canaries in `explained` had never been issued to it."""
    left = [scores[hit.id] for hit in hits if hit.id not in explained]
    issued = max(case.issued.get(name, 0) - (len(hits) - len(left)), len(left))
    mark = case.marks[name].log2_m if name in case.marks else 0.0
    return log2_c(issued, left) + mark


def trace_weight(number: int) -> float:
    """Give the weight of an incident's trace 1, 2, 3 ….

    All of them together weigh 1, however many there are.
    """
    return FIRST_TRACE if number == 1 else (1 - FIRST_TRACE) / ((number - 1) * number)


def combine(earlier: Sequence[Mapping[str, float]], current: Mapping[str, float]) -> dict[str, float]:
    """Give log2 of Σ_i c_i·E_i over all traces of the incident, weights fixed beforehand.

    The sum only grows and has mean at most 1 in the end, so its bound holds at every trace at once (Ville);
    the plain mean of k traces would be exceeded up to 1 + ln k times as often by whoever posts a leak in k
    pieces.
    """
    weights = [log2(trace_weight(number)) for number in range(1, len(earlier) + 2)]
    combined = {name: weights[-1] + each for name, each in current.items()}
    for weight, trace in zip(weights, earlier, strict=False):
        for name in combined.keys() & trace.keys():
            combined[name] = _add(combined[name], weight + trace[name])
    return combined


def _add(a: float, b: float) -> float:
    high, low = max(a, b), min(a, b)
    return high + log2(1.0 + 2.0 ** max(low - high, -1000.0))


def false_accusation(log2_e: float, population: int) -> float:
    """Give min(1, N/E), never zero."""
    exponent = log2(population) - log2_e
    return 1.0 if exponent >= 0 else max(2.0 ** max(exponent, -1000.0), SMALLEST)


def limit_of_incident(number: int, limit_year: float) -> float:
    """Give the limit of the year's incident 1, 2, 3 ….

    Shares 6/(π²k²), which together make the yearly limit.
    """
    return limit_year * 6.0 / (pi**2 * number**2)
