"""Source sets weighed by all marks together: who of the best wrote them, alone or mixed, and in which shares.

For probabilities alone, never for the bound. A set's members share the units (cells, or rows) in unknown proportions;
these are fitted (expectation-maximisation), and what fitting gains by chance is taken off (Schwarz 1978). Or they have
compared their copies and left what all of them agree in: then every cell speaks for each of them. Or their numbers were
averaged, or blurred: then each copy has moved every number for itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from math import log2
from typing import Final

import numpy as np

from canary.fingerprint import evidence
from canary.fingerprint.close import View, soft_totals
from canary.fingerprint.evidence import Floats
from canary.fingerprint.lattice import Ints

MOST_MEMBERS: Final = 8
MOST_CELLS: Final = 2000
STANDS_OUT: Final = 5.0  # bits from which somebody's sets are looked at
NOISES: Final = (1e-3, 0.05, 0.3)
ROUNDS: Final = 12  # of fitting


@dataclass(frozen=True, slots=True)
class Sets:
    """The best recipients, best first, and every subset of them judged together.

    `members` are numbers into the keys; `log2_ratio` [2^k] is the joint ratio of the subset with these bits, 0 for the
    empty one; `explained` [2^k, k] how many agreeing cells each of its members explains.
    """

    members: tuple[int, ...]
    log2_ratio: Floats
    explained: Floats


def judge_sets(view: View, members: Ints) -> tuple[Floats, Floats]:
    """Judge every subset of at most eight members of a view; gives `log2_ratio` and `explained`."""
    cells, starts = _cut(view)
    hits = view.hits[members][:, :cells]
    reads = [evidence.log2_reads(hits, view.counts[:cells], noise) for noise in NOISES]
    units = [
        np.exp2(np.clip(each, -900, 900)) for read in reads for each in (read, evidence.by_unit(read, starts))
    ]
    together = np.stack([read.sum(axis=1) for read in reads])
    softened = soft_totals(replace(view, words=view.words[members], hits=view.hits[members]))
    ratio, explained = np.zeros(1 << len(members)), np.zeros((1 << len(members), len(members)))
    scale = view.hits.shape[1] / max(1, cells)
    for size in range(1, len(members) + 1):
        chosen = np.array(list(combinations(range(len(members)), size)), np.int64)
        numbers = (1 << chosen).sum(axis=1)
        fitted = [_fit(unit[chosen]) for unit in units]
        terms = np.stack([log2_ratio for log2_ratio, _ in fitted])
        for whole in (together[: len(together) * (size > 1)], softened):
            terms = np.concatenate([terms, whole[:, chosen].sum(axis=2)])
        ratio[numbers] = np.logaddexp2.reduce(terms) - log2(len(terms))
        by_cell = terms[: len(fitted) : 2].argmax(axis=0)
        shares = np.stack([weighted for _, weighted in fitted[::2]])[by_cell, np.arange(len(chosen))]
        explained[numbers[:, None], chosen] = scale * (shares * hits[chosen]).sum(axis=2)
    return ratio, explained


def _cut(view: View) -> tuple[int, Ints]:
    """Give how many cells are looked at, whole rows, and where their rows start."""
    if view.hits.shape[1] <= MOST_CELLS:
        return view.hits.shape[1], view.starts
    rows = max(1, int(np.searchsorted(view.starts, MOST_CELLS, "right")) - 1)
    return int(view.starts[rows]) if rows < len(view.starts) else MOST_CELLS, view.starts[:rows]


def _fit(unit: Floats) -> tuple[Floats, Floats]:
    """Give log2 of the ratios of sets from their members' R [sets, k, units], and whose each unit is."""
    count, size = unit.shape[1:]
    shares = np.full(unit.shape[:2], 1 / count)
    for _ in range(ROUNDS if count > 1 else 0):
        weighted = shares[:, :, None] * unit
        shares = (weighted / weighted.sum(axis=1, keepdims=True)).mean(axis=2)
    weighted = shares[:, :, None] * unit
    total = weighted.sum(axis=1)
    penalty = (count - 1) * (log2(size) / 2 + 1) if size > 1 else 0.0
    return np.log2(total).sum(axis=1) - penalty, weighted / total[:, None]
