"""Capacity that is honest: the bits of a marked column that are left after the best of the known removals.

Each removal guesses the original value and writes the guess: the nearest heap, the batch's commonest value, a moving
mean in key order, a regression on the other columns. What survives is measured, not reckoned: the information between
a copy's class and the class that the removal leaves. Inputs count, not rows: a phone on three rows gives
one symbol of a channel, however often it leaks. On how many rows it stands is asked of the whole file, where it is
known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import log2
from typing import Final

import numpy as np

from canary.fingerprint import codec, lattice
from canary.fingerprint.columns import Flags, texts_of
from canary.fingerprint.embed import Prepared, mark
from canary.fingerprint.evidence import Floats
from canary.fingerprint.lattice import Ints
from canary.fingerprint.learn import Seen
from canary.fingerprint.plan import Channel, ColumnPlan, MarkPlan

KEPT: Final = 0.5  # of the nominal bits; a column that keeps less is not proposed
_WINDOWS: Final = (5, 25, 201)


@dataclass(frozen=True, slots=True)
class Capacity:
    """Bits of one cell of a column: nominal, as read back untouched, and after the removal that leaves least."""

    column: str
    nominal: float
    readable: float
    kept: float
    removal: str

    @property
    def is_proposed(self) -> bool:
        """Whether enough is left for the column to be proposed."""
        return self.kept >= KEPT * self.nominal and self.kept > 0


def nominal_bits(plan: MarkPlan, heading: str) -> float:
    """Give log2 of the symbols of all channels of a column, a cell."""
    chances = [plan.channels[number].alphabet.chances for number in plan.of_column(heading)]
    return float(sum(-(chance * np.log2(chance)).sum() for chance in chances))


def capacities(prepared: Prepared, key: bytes, seen: Seen | None = None) -> list[Capacity]:
    """Measure every marked column on one prepared batch, marked with a throw-away key.

    `seen` is the first pass over the whole file; without it the batch is the file.
    """
    marked = mark(prepared, key)
    values = {one.plan.heading: one.values for one in prepared.parsed if one.values is not None}
    return [
        _numeric(prepared, one, marked.columns[one.plan.heading], values, seen)
        if one.values is not None
        else _spelt(prepared, one, marked.columns[one.plan.heading], seen)
        for one in prepared.parsed
    ]


def _spelt(prepared: Prepared, parsed: codec.Parsed, column: object, seen: Seen | None) -> Capacity:
    """Measure a column of spellings by the cells that read back; only a clean-up takes those marks away."""
    plan, heading = prepared.plan, parsed.plan.heading
    classes = codec.read(parsed.plan, texts_of(column))
    names = codec.parts_of(parsed.plan)
    bits = 0.0
    for number in plan.of_column(heading):
        channel = plan.channels[number]
        chance = channel.alphabet.chances
        share = inputs_of(prepared, channel, classes[:, names.index(channel.part)] >= 0, seen)
        thin = channel.thin / 256 if channel.thin else 1.0
        bits += share * thin * float(-(chance * np.log2(chance)).sum())
    return Capacity(heading, nominal_bits(plan, heading), bits, bits, "none")


def inputs_of(prepared: Prepared, channel: Channel, read: Flags, seen: Seen | None = None) -> float:
    """Give how many distinct inputs a channel has in the rows that are read, for each row of the batch.

    A value that stands on three rows of the whole file is a third of an input on each.
    """
    anchored = prepared.anchors[channel.anchor]
    if anchored is None or not len(read):
        return 0.0
    there = anchored.digests[read & anchored.valid]
    alone = len(np.unique(there)) / len(read)
    if seen is None:
        return alone
    on = np.maximum(seen.counts.count(channel.anchor, there), 1)
    return min(alone, float((1.0 / on).sum()) / len(read))


def _numeric(
    prepared: Prepared, parsed: codec.Parsed, column: object, values: Mapping[str, Ints], seen: Seen | None
) -> Capacity:
    plan, heading = parsed.plan, parsed.plan.heading
    copy = codec.parse(plan, texts_of(column)).values
    original = parsed.values
    if copy is None or original is None or not len(copy):
        return Capacity(heading, 0.0, 0.0, 0.0, "none")
    nominal = nominal_bits(prepared.plan, heading)
    there = parsed.open & (lattice.classes_of(copy, plan) >= 0).all(axis=1)
    read = there & lattice.is_open(copy, plan)
    channels = [prepared.plan.channels[number] for number in prepared.plan.of_column(heading)]
    each = np.array([(log2(one.q), inputs_of(prepared, one, read, seen)) for one in channels])
    share = float(each[:, 0] @ each[:, 1] / each[:, 0].sum())
    removals = removals_of(plan, copy, {name: each for name, each in values.items() if name != heading})
    left = {name: surviving(plan, copy[there], made()[there]) for name, made in removals.items()}
    worst = min(left, key=lambda name: left[name])
    readable = min(nominal, share * nominal)
    return Capacity(heading, nominal, readable, float(min(readable, share * left[worst])), worst)


def removals_of(plan: ColumnPlan, copy: Ints, others: Mapping[str, Ints]) -> dict[str, Callable[[], Ints]]:
    """Give the removals by name; each makes the values that an attacker who knows the copy alone would write."""
    made: dict[str, Callable[[], Ints]] = {
        "nearest heap": lambda: nearest_heap(copy, plan.heap),
        "batch mode": lambda: batch_mode(copy, plan.tolerance),
    }
    for window in _WINDOWS:
        made[f"moving mean of {window}"] = _smoother(copy, window)
    if others:
        made["regression"] = lambda: regressed(copy, others)
    return made


def _smoother(copy: Ints, window: int) -> Callable[[], Ints]:
    return lambda: smoothed(copy, window)


def nearest_heap(values: Ints, heap: int) -> Ints:
    """Write the nearest multiple of the step on which the column's values stand in heaps (0: it has none)."""
    return np.asarray((values + heap // 2) // heap * heap) if heap else values.copy()


def batch_mode(values: Ints, tolerance: int) -> Ints:
    """Write the commonest value of those within the tolerance instead of each."""
    names, counts = np.unique(values, return_counts=True)
    cell = names // max(1, tolerance)
    order = np.lexsort((-counts, cell))
    first = np.concatenate([[True], cell[order][1:] != cell[order][:-1]])
    best = dict(zip(cell[order][first].tolist(), names[order][first].tolist(), strict=True))
    near: Ints = np.array([best[one] for one in (values // max(1, tolerance)).tolist()], np.int64)
    common = counts.max() > max(3.0, 0.05 * len(values))
    return near if common else values.copy()


def smoothed(values: Ints, window: int) -> Ints:
    """Write the moving mean over a window of rows in their order."""
    if len(values) < window:
        return values
    padded = np.pad(values.astype(np.float64), window // 2, mode="edge")
    return np.rint(np.convolve(padded, np.ones(window) / window, "valid")).astype(np.int64)


def regressed(values: Ints, others: Mapping[str, Ints]) -> Ints:
    """Write what a linear regression on the other numeric columns predicts."""
    design = np.stack([np.ones(len(values)), *(each.astype(np.float64) for each in others.values())], axis=1)
    scale = np.maximum(np.abs(design).max(axis=0), 1.0)
    found = np.linalg.lstsq(design / scale, values.astype(np.float64), rcond=None)[0]
    return np.asarray(np.rint(design / scale @ found), np.int64)


def surviving(plan: ColumnPlan, copy: Ints, made: Ints) -> float:
    """Give the bits a cell keeps: information of the distance between the guess and the copy, within the period.

    A guess that is far off for most cells is no removal but destroys the value: beyond twice the tolerance
    nobody could use it, and the cells count as kept.
    """
    if not len(copy):
        return 0.0
    near = np.abs(made - copy) <= 2 * plan.tolerance
    distance = (made - copy)[near] % plan.modulus
    counts = np.bincount(distance, minlength=plan.modulus).astype(np.float64)
    total = counts.sum()
    if total == 0:
        return log2(plan.modulus)
    share = counts[counts > 0] / total
    bias = (len(share) - 1) / (2 * total * np.log(2))
    known = max(0.0, log2(plan.modulus) + float((share * np.log2(share)).sum()) - bias)
    share_near = float(near.mean())
    return float(share_near * known + (1 - share_near) * log2(plan.modulus))


def bits_per_row(measured: list[Capacity]) -> Floats:
    """Give (nominal, readable, kept) bits a row over all columns."""
    return np.asarray(np.array([[one.nominal, one.readable, one.kept] for one in measured]).sum(axis=0))
