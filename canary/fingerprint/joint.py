"""Beside known others: once one colluder is known, the cells that he does not explain speak for the next.

For a recipient v, the set S of others is chosen from the other recipients' own scores alone, never from v's symbols;
so every factor has mean 1 over v's symbols given S. A pair's joint ratio never names: E_v is a mean over partners.
"""

from __future__ import annotations

from math import log2
from typing import Final

import numpy as np

from canary.fingerprint import evidence
from canary.fingerprint.close import View
from canary.fingerprint.columns import Flags
from canary.fingerprint.evidence import MOST_TOGETHER, Floats
from canary.fingerprint.lattice import Ints

POOL: Final = 32  # the best others, out of whom S is chosen; one more is looked at
PARTNERS: Final = 12
MOST_CELLS: Final = 2000
KNOWN: Final = (
    5.0  # bits from which another one counts as known; where nobody does, nothing is weighed beside him
)
NOISES: Final = (1e-3, 0.05, 0.3)
UNKNOWN: Final = (0, 1, 3)  # colluders beside S and v
_REFERENCE = 0.05  # noise at which the next of S is chosen


class Bench:
    """The best recipients' log2 R for each noise and unit (cells, rows), and who stands where in the ranking."""

    def __init__(self, view: View, alone: Floats) -> None:
        self.order = np.argsort(-alone, kind="stable")[: POOL + 1]
        rows = (
            int(np.searchsorted(view.starts, MOST_CELLS, "right"))
            if view.hits.shape[1] > MOST_CELLS
            else None
        )
        starts = view.starts[:rows] if rows is None else view.starts[: max(1, rows - 1)]
        cells = view.hits.shape[1] if rows is None else int(view.starts[len(starts)])
        hits: Flags = view.hits[self.order][:, :cells]
        reads = [evidence.log2_reads(hits, view.counts[:cells], noise) for noise in NOISES]
        self.units = [*reads, *(evidence.by_unit(each, starts) for each in reads)]
        self.reference = reads[NOISES.index(_REFERENCE)]
        self.pairing = self.units[1::3]
        self.alone = alone[self.order]
        self.masses: dict[tuple[int, int, tuple[int, ...]], Floats] = {}

    def others(self, place: int) -> Ints:
        """Give the pool without one recipient: the best others, as they would rank had he never been."""
        return np.delete(np.arange(len(self.order)), place)

    def sources(self, pool: Ints) -> list[int]:
        """Choose up to eight of a pool, each the one that explains most beside those chosen before."""
        chosen = [int(pool[self.alone[pool].argmax()])] if len(pool) else []
        while chosen and len(chosen) < min(MOST_TOGETHER, len(pool)):
            known = np.logaddexp2.reduce(self.reference[chosen], axis=0)
            left = np.array([one for one in pool.tolist() if one not in chosen])
            chosen.append(int(left[evidence.log2_mixed(self.reference[left], known).argmax()]))
        return chosen

    def log2_beside(self, place: int, known: list[int]) -> float:
        """Give log2 of the mean over noises, units and unknown others of E of one recipient beside known ones."""
        terms = [
            float(evidence.log2_mixed(unit[place], self.mass(number, known, unknown)))
            for number, unit in enumerate(self.units)
            for unknown in UNKNOWN
        ]
        return float(np.logaddexp2.reduce(np.array(terms))) - log2(len(terms))

    def log2_paired(self, place: int, partners: Ints) -> float:
        """Give log2 of the mean over partners of E of one recipient beside each of them."""
        terms = [
            float(evidence.log2_mixed(unit[place], unit[one]))
            for unit in self.pairing
            for one in partners.tolist()
        ]
        return float(np.logaddexp2.reduce(np.array(terms))) - log2(len(terms))

    def mass(self, unit: int, known: list[int], unknown: int) -> Floats:
        """Give log2 B: what known others and some unknown ones make of each cell or row."""
        key = (unit, unknown, tuple(known))
        if key not in self.masses:
            mass = np.asarray(np.logaddexp2.reduce(self.units[unit][known], axis=0))
            self.masses[key] = np.logaddexp2(mass, log2(unknown)) if unknown else mass
        return self.masses[key]


def log2_together(view: View, alone: Floats, solitary: Ints) -> tuple[Floats, Ints]:
    """Give log2 of Σ_S w_S·E beside known others for each recipient of a view, and the others that were chosen.

    −inf for those that are not looked at: who has no known other, and `solitary` ones: had they never been, the
    first look would have gone on, so the others' ranking would not be free of them.
    """
    found = np.full(len(view), -np.inf)
    if len(view) < 2 or alone.max() < KNOWN:
        return found, np.zeros(0, np.int64)
    bench = Bench(view, alone)
    everybody = bench.sources(np.arange(len(bench.order)))
    for place, recipient in enumerate(bench.order.tolist()):
        pool = bench.others(place)
        if recipient in solitary.tolist() or bench.alone[pool].max() < KNOWN:
            continue
        best = bench.sources(pool) if place in everybody else everybody
        found[recipient] = _mixed(bench, place, best, pool[:PARTNERS])
    return found, bench.order[everybody]


def _mixed(bench: Bench, place: int, best: list[int], partners: Ints) -> float:
    terms = [
        log2(evidence.TOGETHER) + bench.log2_beside(place, best[:size]) for size in range(1, len(best) + 1)
    ]
    terms.append(log2(evidence.PAIRS) + bench.log2_paired(place, partners))
    return float(np.logaddexp2.reduce(np.array(terms)))
