"""Scoring: log2 E of every recipient from the observations of a leak, by the keyed function alone.

Everybody is scored cell by cell, first on few observations; where somebody stands far above the bar then, everybody
else rests there. The best thousand are looked at closely: row by row, with soft tables, beside known others. What
is not computed counts as 0, which only weakens evidence; who rests does so at a time that Ville's inequality allows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import log2
from typing import Final

import numpy as np

from canary.fingerprint.close import View, explain, log2_alone, log2_of_hits, view_of
from canary.fingerprint.decode import Observations
from canary.fingerprint.evidence import ALONE, Floats
from canary.fingerprint.joint import log2_together
from canary.fingerprint.lattice import Ints
from canary.fingerprint.lines import Groups, count_hits, group, places_of
from canary.fingerprint.sets import MOST_MEMBERS, STANDS_OUT, Sets, judge_sets
from canary.fingerprint.soft import log2_soft, soft_part

CANDIDATES: Final = 1000
CELLS_LOOKED_AT: Final = 4_000_000  # candidates times observations of the close look
MOST_OBSERVATIONS: Final = 40_000
FIRST_LOOK: Final = 240  # inputs of the busiest block that are looked at first
MARGIN: Final = 20.0  # bits above the bar at which the others rest
TELLS: Final = 0.0  # bits from which another one is looked at as a source beside the best
_FEWEST = 64
_EXPLAINED = 20  # recipients of whom the agreeing cells are told by channel


@dataclass(frozen=True, slots=True)
class ChannelCount:
    """How many cells of one channel were read, and how many of them agree with a recipient."""

    column: str
    part: str
    read: int
    agreeing: int


@dataclass(frozen=True, slots=True)
class Scores:
    """What the marks say of every recipient, in the order of their keys.

    `log2_m` is log2 of Σ_S w_S·M, the factor M of the bound; `read` and `agreeing` count the cells that
    were looked at; `explained` gives the same by channel for the best; `sources` the others beside whom
    recipients were weighed, best first; `sets` the best ones' joint ratios, None where nobody stands out.
    """

    log2_m: Floats
    read: Ints
    agreeing: Ints
    explained: Mapping[int, tuple[ChannelCount, ...]] = field(default_factory=dict)
    sources: tuple[int, ...] = ()
    rows: int = 0
    recognised: int = 0
    sets: Sets | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """Everybody's score where they rest: log2 M without known others, agreeing cells, and who ended the look."""

    log2_m: Floats
    agreeing: Ints
    read: int
    crossed: Ints


def score(
    read: Observations, keys: Sequence[bytes], limit: float = 1e-6, population: int | None = None
) -> Scores:
    """Score recipients by their 16-byte keys; without observations nobody's evidence moves (log2 M = 0).

    `limit` and `population` say where the bar is: they decide when to rest, never what a score is worth.
    """
    nobody = np.zeros(len(keys), np.int64)
    read = read.chosen(slice(0, _whole(read, MOST_OBSERVATIONS)))
    if not len(read) or not len(keys):
        return Scores(np.zeros(len(keys)), nobody, nobody.copy(), rows=read.rows, recognised=read.recognised)
    bar = log2((population or len(keys)) / limit) + MARGIN
    look = look_at_all(read, keys, bar)
    most = max(_FEWEST, min(CANDIDATES, CELLS_LOOKED_AT // len(read)))
    best = np.argsort(-look.log2_m, kind="stable")[:most]
    view = view_of(read, [keys[number] for number in best.tolist()])
    alone = log2_alone(view)
    solitary = np.flatnonzero(np.isin(best, look.crossed)) if len(look.crossed) == 1 else best[:0]
    beside, sources = log2_together(view, alone, solitary)
    log2_m, agreeing, reads = look.log2_m + log2(ALONE), look.agreeing.copy(), nobody + look.read
    log2_m[best] = np.logaddexp2(alone + log2(ALONE), beside)
    agreeing[best], reads[best] = view.hits.sum(axis=1), len(read)
    first = np.argsort(-alone)[:_EXPLAINED]
    explained = {
        int(best[at]): tuple(ChannelCount(*one) for one in told)
        for at, told in zip(first.tolist(), explain(view, first), strict=True)
    }
    return Scores(
        log2_m, reads, agreeing, explained, tuple(best[sources].tolist()), read.rows, read.recognised,
        _sets(view, best, alone, sources, log2_m),
    )  # fmt: skip


def _sets(view: View, best: Ints, alone: Floats, sources: Ints, log2_m: Floats) -> Sets | None:
    """Judge the sets of those who explain most beside one another, the best one among them, and who stands out."""
    if log2_m.max() < STANDS_OUT:
        return None
    first = int(alone.argmax())
    telling = [one for one in sources.tolist() if log2_m[best[one]] > TELLS]
    ranked = np.argsort(-log2_m[best], kind="stable")[:MOST_MEMBERS].tolist()
    standing = [one for one in ranked if log2_m[best[one]] >= STANDS_OUT]
    chosen = list(dict.fromkeys([first, *telling, *standing]))[:MOST_MEMBERS]
    ratio, explained = judge_sets(view, np.array(chosen, np.int64))
    return Sets(tuple(best[chosen].tolist()), ratio, explained)


def look_at_all(read: Observations, keys: Sequence[bytes], bar: float) -> Look:
    """Score everybody cell by cell: on a first look, then on all observations, then with soft tables."""
    groups = group(read)
    first = first_look(read)
    hits = np.zeros((len(keys), len(groups.reads)), np.int64)
    done = np.zeros(len(read), np.bool_)
    look = Look(np.zeros(len(keys)), hits.sum(axis=1), 0, np.zeros(0, np.int64))
    for part in (first, ~first):
        if not part.any() or len(look.crossed):
            continue
        some = replace(groups, of=groups.of[part])
        hits += count_hits(keys, places_of(read.chosen(part), some), len(groups.reads))
        done |= part
        look = _judged(
            hits, replace(groups, reads=np.bincount(groups.of[done], minlength=len(groups.reads))), bar
        )
    soft = soft_part(read)
    if len(soft) and not len(look.crossed):
        log2_m = np.logaddexp2(look.log2_m, log2_soft(soft, keys))
        look = replace(look, log2_m=log2_m)
    return look


def _judged(hits: Ints, groups: Groups, bar: float) -> Look:
    log2_m = log2_of_hits(hits, groups)
    return Look(log2_m, hits.sum(axis=1), int(groups.reads.sum()), np.flatnonzero(log2_m >= bar))


def first_look(read: Observations) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Choose the observations of the first look: whole inputs of the busiest block, in keyed order."""
    blocks = np.array([(one.anchor << 8) + one.block for one in read.plan.channels])[read.channel]
    names, counts = np.unique(blocks, return_counts=True)
    mine = blocks == names[counts.argmax()]
    fresh = np.zeros(len(read), np.bool_)
    there = np.flatnonzero(mine)
    fresh[there] = np.concatenate([[True], read.digest[there][1:] != read.digest[there][:-1]])
    return np.asarray(mine & (np.cumsum(fresh) <= FIRST_LOOK))


def _whole(read: Observations, most: int) -> int:
    """Give how many observations to keep so that no input is cut in two."""
    while 0 < most < len(read) and read.digest[most] == read.digest[most - 1]:
        most -= 1
    return most
