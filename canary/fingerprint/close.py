"""The close look at the best recipients: every observation, row by row, with soft tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log2
from typing import Final

import numpy as np

from canary.fingerprint import evidence
from canary.fingerprint.columns import Flags
from canary.fingerprint.decode import Observations
from canary.fingerprint.evidence import Floats
from canary.fingerprint.lattice import Ints
from canary.fingerprint.lines import Groups, agreeing, bytes_of, group, lay
from canary.fingerprint.prf import Bytes
from canary.fingerprint.soft import is_soft, soft_tables

_AT_ONCE: Final = 400_000  # cells of a table of floats


@dataclass(frozen=True, slots=True)
class View:
    """Some recipients seen closely: bytes and agreement for every observation, which are sorted by row.

    `starts` is the first observation of each row, `counts` the chances of the symbols in 1/256.
    """

    read: Observations
    words: Bytes
    hits: Flags
    counts: Ints
    starts: Ints

    def __len__(self) -> int:
        return len(self.hits)


def view_of(read: Observations, keys: Sequence[bytes]) -> View:
    """Look at some recipients closely."""
    laid = lay(read)
    words = bytes_of(keys, laid)
    hits = agreeing(words, laid)
    order = np.argsort(read.row, kind="stable")
    sorted_ = read.chosen(order)
    starts = np.flatnonzero(np.concatenate([[True], sorted_.row[1:] != sorted_.row[:-1]]))
    return View(
        sorted_,
        np.ascontiguousarray(words[:, order]),
        np.ascontiguousarray(hits[:, order]),
        sorted_.counts(),
        starts,
    )


def log2_alone(view: View) -> Floats:
    """Give log2 of the whole mixture without known others, for each recipient of the view."""
    parts = [_of_hits(view)]
    parts += [log2(weight) + _rowwise(view, c, noise) for c, noise, weight in evidence.ROWS]
    parts += _soft(view)
    return np.asarray(np.logaddexp2.reduce(np.stack(parts)))


def _of_hits(view: View) -> Floats:
    groups = group(view.read)
    hits = np.stack([np.bincount(groups.of[row], minlength=len(groups.reads)) for row in view.hits])
    return log2_of_hits(hits, groups)


def log2_of_hits(hits: Ints, groups: Groups) -> Floats:
    """Give log2 of the part of the mixture that needs no more than counts of agreeing cells."""
    floats, reads = hits.astype(np.float64), groups.reads.astype(np.float64)
    cells = evidence.log2_cells(floats, reads, groups.counts)
    weights = np.log2([weight for _, weight in evidence.CELLS])
    channels = evidence.log2_channels(floats, reads, groups.counts, groups.channel)
    both = np.concatenate([cells + weights[:, None], channels[None] + log2(evidence.CHANNELS)])
    return np.asarray(np.logaddexp2.reduce(both))


def _rowwise(view: View, colluders: int, noise: float) -> Floats:
    others = np.full(len(view.starts), log2(colluders - 1))
    return np.concatenate(
        [
            evidence.log2_mixed(
                evidence.by_unit(evidence.log2_reads(part, view.counts, noise), view.starts), others
            )
            for part in batches(view.hits)
        ]
    )


def batches(hits: Flags) -> list[Flags]:
    """Cut a table of recipients into pieces whose floats fit into memory."""
    height = max(1, _AT_ONCE // max(1, hits.shape[1]))
    return [hits[at : at + height] for at in range(0, len(hits), height)]


def _soft(view: View) -> list[Floats]:
    """Give log2 of each soft component with its weight."""
    weights = [log2(weight) for _, _, weight in evidence.AVERAGES]
    return [total + weight for total, weight in zip(soft_totals(view), weights, strict=False)]


def soft_totals(view: View) -> Floats:
    """Give log2 of each soft component, float64[components, n]; none where no channel is soft.

    An input of which several symbols were read says nothing there.
    """
    channels = view.read.plan.channels
    if not any(is_soft(view.read.plan, channel) for channel in channels):
        return np.zeros((0, len(view)))
    tables = soft_tables(view.read.plan)
    totals = np.zeros((len(evidence.AVERAGES), len(view)))
    for number, channel in enumerate(channels):
        mine = np.flatnonzero((view.read.channel == number) & view.read.single)
        if not is_soft(view.read.plan, channel) or not len(mine):
            continue
        table = tables[number][:, view.read.symbol[mine]]
        for at in range(len(view)):
            symbols = channel.alphabet.table[view.words[at, mine]]
            totals[:, at] += table[:, np.arange(len(mine)), symbols].sum(axis=1)
    return totals


def explain(view: View, recipients: Ints) -> list[list[tuple[str, str, int, int]]]:
    """Give (column, part, cells read, cells agreeing) of every channel for some recipients of the view."""
    told: list[list[tuple[str, str, int, int]]] = [[] for _ in recipients]
    hits = view.hits[recipients]
    for number, channel in enumerate(view.read.plan.channels):
        mine = view.read.channel == number
        if mine.any():
            for mine_of, agree in zip(told, hits[:, mine].sum(axis=1).tolist(), strict=True):
                mine_of.append((channel.column, channel.part, int(mine.sum()), agree))
    return told
