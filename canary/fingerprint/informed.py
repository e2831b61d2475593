"""With the original at hand: numbers near what a recipient was given, through averaging and noise as wide as the marks.

Each leaked number of a recognised row is a unit with all inputs of its column. Its likelihood under every combination
of symbols is computed from the original value, and divided by its mean over them: so the factor has mean 1 over the
recipient's symbols, whatever was leaked. Whoever uses both takes the mean of this E and the one without original.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2
from typing import Final

import numpy as np

from canary.fingerprint import codec, lattice, numbers, times
from canary.fingerprint.columns import Column, Texts, texts_of
from canary.fingerprint.embed import Prepared, to_class
from canary.fingerprint.evidence import Floats
from canary.fingerprint.lattice import Ints
from canary.fingerprint.plan import Channel, ColumnPlan
from canary.fingerprint.prf import SLOTS, Bytes, Recipients, blocks_of

# (copies averaged, noise in tolerances, weight); the floor stands for anything else.
MODELS: Final = (
    (1, 0.02, 0.3),
    (1, 0.3, 0.1),
    (1, 1.0, 0.2),
    (2, 0.05, 0.15),
    (3, 0.05, 0.15),
    (5, 0.05, 0.1),
)
FLOOR: Final = 0.02
MOST: Final = 4000

Span = tuple[Ints, Ints, Ints]  # original values, and how low and high each may go


@dataclass(frozen=True, slots=True)
class Unit:
    """Some leaked cells of one column: log2 factors [cell, combination of symbols, model], and their inputs.

    `inputs[part]` are the AES blocks of the cells for each channel of the column.
    """

    channels: tuple[Channel, ...]
    log2_ratio: Floats
    inputs: tuple[Bytes, ...]


def informed_units(prepared: Prepared, leak: Mapping[str, Column], rows: Ints) -> list[Unit]:
    """Give the units of a leak whose row i is the original's row rows[i] (−1: not recognised).

    A row of the original counts once, the first time it stands in the leak; a cell that shares an input with
    one before it is left out.
    """
    _, first = np.unique(rows, return_index=True)
    there = np.sort(first[rows[first] >= 0])[:MOST]
    made = []
    for parsed in prepared.parsed:
        plan = parsed.plan
        if parsed.values is None or plan.heading not in leak:
            continue
        values, good = _leaked(plan, texts_of(leak[plan.heading]))
        unit = _unit(prepared, parsed, rows[there], values[there], good[there])
        if unit is not None:
            made.append(unit)
    return made


def _leaked(plan: ColumnPlan, cells: Texts) -> tuple[Ints, np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]:
    if plan.kind == "time":
        return times.read_times(cells, plan.template, plan.step)
    values, decimals = numbers.read_numbers(cells, plan.places)
    return values, decimals >= 0


def _unit(
    prepared: Prepared,
    parsed: codec.Parsed,
    rows: Ints,
    leaked: Ints,
    good: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
) -> Unit | None:
    channels = [prepared.plan.channels[number] for number in prepared.plan.of_column(parsed.plan.heading)]
    usable = good & parsed.open[rows]
    for channel in channels:
        anchored = prepared.anchors[channel.anchor]
        if anchored is None:
            return None
        digests = anchored.digests[rows]
        fresh = np.zeros(len(rows), np.bool_)
        fresh[np.unique(digests, return_index=True)[1]] = True
        usable &= anchored.valid[rows] & fresh
    kept = np.flatnonzero(usable)
    if not len(kept) or parsed.values is None or parsed.low is None or parsed.high is None:
        return None
    chosen = rows[kept]
    span = parsed.values[chosen], parsed.low[chosen], parsed.high[chosen]
    moves = _moves(prepared, parsed.plan, span, channels, chosen)
    ratio = _ratios(parsed.plan, channels, moves, leaked[kept] - span[0])
    inputs = [_inputs(prepared, channel, chosen) for channel in channels]
    return Unit(tuple(channels), ratio, tuple(inputs))


def _inputs(prepared: Prepared, channel: Channel, rows: Ints) -> Bytes:
    anchored = prepared.anchors[channel.anchor]
    digests = np.zeros(0, np.uint64) if anchored is None else anchored.digests[rows]
    return blocks_of(digests, channel.anchor, channel.block)


def _moves(prepared: Prepared, plan: ColumnPlan, span: Span, channels: Sequence[Channel], rows: Ints) -> Ints:
    """Give by how much each cell would have been moved for every combination of symbols, int64[cells, combinations]."""
    sizes = [channel.q for channel in channels]
    made = np.zeros((len(rows), int(np.prod(sizes))), np.int64)
    values, low, high = span
    able = lattice.is_open(values, plan)
    for number, symbols in enumerate(np.ndindex(*sizes)):
        targets = np.stack(
            [
                to_class(channel, np.full(len(rows), symbol, np.uint8),
                         prepared.dithers[channel.anchor, channel.block][rows, channel.slot % SLOTS])
                for channel, symbol in zip(channels, symbols, strict=True)
            ],
            axis=1,
        )  # fmt: skip
        made[:, number] = lattice.moved(values, targets, plan, able, low, high) - values
    return made


def _ratios(plan: ColumnPlan, channels: Sequence[Channel], moves: Ints, leaked: Ints) -> Floats:
    """Give log2 of the factors, normalised over the exact chances of the combinations."""
    chance = np.ones(1)
    for channel in channels:
        chance = np.multiply.outer(chance, channel.alphabet.chances).reshape(-1)
    size = max(plan.tolerance, 1)
    made = []
    for copies, noise, _ in MODELS:
        width = (noise * size) ** 2 + 1 / 12 + (copies - 1) * (size**2 / 3) / copies**2
        likelihood = np.exp(-((leaked[:, None] - moves / copies) ** 2) / (2 * width)) / np.sqrt(width)
        likelihood = likelihood + FLOOR / size
        made.append(np.log2(likelihood / (likelihood @ chance)[:, None]))
    return np.stack(made, axis=2)


def log2_informed(units: Sequence[Unit], keys: Sequence[bytes]) -> Floats:
    """Give log2 of the mixture over models of the product over all cells, for every recipient."""
    totals = np.zeros((len(keys), len(MODELS)))
    recipients = Recipients(keys)
    for recipient in range(len(keys)):
        for unit in units:
            place = np.zeros(len(unit.log2_ratio), np.int64)
            for channel, inputs in zip(unit.channels, unit.inputs, strict=True):
                word = np.empty((1, inputs.size + SLOTS), np.uint8)
                recipients.write(recipient, recipient + 1, inputs, word)
                symbols = channel.alphabet.table[word[0, channel.slot % SLOTS : inputs.size : SLOTS]]
                place = place * channel.q + symbols
            totals[recipient] += unit.log2_ratio[np.arange(len(place)), place].sum(axis=0)
    weights = np.array([log2(weight) for _, _, weight in MODELS])
    return np.asarray(np.logaddexp2.reduce(totals + weights, axis=1))
