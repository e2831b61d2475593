"""P(E ≥ t) ≤ 1/t for innocents, through reading and scoring of real columns; what would void it is shown to.

A leak is scored under fresh keys. The table shares phones between rows, has cells that could not be marked, and the
leak repeats rows. The whole, with 100,000 keys and files, is benchmarks/marks_trace.py.
"""

from __future__ import annotations

from dataclasses import replace
from math import log2

import numpy as np
import pytest

from canary.fingerprint import evidence
from canary.fingerprint.close import log2_of_hits, view_of
from canary.fingerprint.decode import read_marks
from canary.fingerprint.lines import group
from canary.fingerprint.prf import even
from canary.fingerprint.score import score
from tests.markslab import exceeds, keys_of, lab, rows_of

GUILTY = keys_of(2, seed=1)
INNOCENTS = keys_of(1600, seed=2)
BITS = (1, 2, 3, 5, 7, 9)


@pytest.fixture(scope="module")
def shared():
    """Every phone on three rows, weights that often stand at a bound."""
    made = lab(rows=240, phones=None, tolerance="0.5")
    phones = np.repeat(made.table["phone"][:80], 3)
    light = np.where(np.arange(240) % 2, made.table["kg"], "0.03")
    return lab(rows=240, table={**made.table, "phone": phones, "kg": light})


def leak_of(made, rows=60, repeats=1):
    rng = np.random.default_rng(3)
    copies = [made.copy(key) for key in GUILTY]
    mixed = {name: np.where(np.arange(240) % 2, *(copy[name] for copy in copies)) for name in copies[0]}
    return rows_of(mixed, rng.permutation(np.repeat(np.arange(rows), repeats)))


def log2_of(read, keys=INNOCENTS):
    """The part of the mixture that is computed for everybody."""
    view = view_of(read, keys)
    groups = group(view.read)
    return log2_of_hits(
        np.stack([np.bincount(groups.of[row], minlength=len(groups.reads)) for row in view.hits]), groups
    )


@pytest.mark.parametrize("rows", [6, 60])
def test_innocents_stay_below_the_bound(shared, rows):
    read = shared.read(leak_of(shared, rows, repeats=3))
    found = score(read, [*GUILTY, *INNOCENTS]).log2_m
    assert not any(exceeds(found[2:], bits) for bits in BITS)
    assert not any(exceeds(log2_of(read), bits) for bits in BITS)
    assert found[2:].max() < 16
    assert found[:2].min() > found[2:].max()


def test_each_channel_alone_stays_below_the_bound(shared):
    read = shared.read(leak_of(shared))
    for number in range(len(shared.plan.channels)):
        mine = read.chosen(read.channel == number)
        if len(mine):
            assert not any(exceeds(log2_of(mine), bits) for bits in BITS)


def test_innocents_who_hold_the_same_rows_unmarked(shared):
    """The original itself leaks: everybody's rows, nobody's marks."""
    found = score(shared.read(rows_of(shared.table, np.arange(100))), INNOCENTS).log2_m
    assert not any(exceeds(found, bits) for bits in BITS)


def of_share(read, share, keys=INNOCENTS):
    """One component alone: the product over cells for one share."""
    view = view_of(read, keys)
    return np.where(view.hits, *evidence.hit_and_miss(share, view.counts)).sum(axis=1)


def of_part(made, read, part):
    """The observations of one channel."""
    return read.chosen(np.array([one.part == part for one in made.plan.channels])[read.channel])


def test_counting_per_row_voids_the_bound(shared):
    """The mistake: an input that three rows share counts three times."""
    leak = rows_of(shared.copy(GUILTY[0]), np.arange(60))
    right = of_part(shared, shared.read(leak), "unit")
    wrong = of_part(shared, read_marks(shared.plan, shared.keys, leak, once=lambda read: read), "unit")
    assert (len(right), len(wrong)) == (20, 60)
    assert not any(exceeds(of_share(right, 0.5), bits) for bits in BITS)
    assert any(exceeds(of_share(wrong, 0.5), bits) for bits in BITS)


def test_skipping_where_a_mark_did_not_fit_voids_the_bound(shared):
    """The mistake: at a bound of the domain, cells do not count for recipients whose class lies beyond it."""
    mine = of_part(
        shared, shared.read(rows_of(shared.table, np.arange(0, 240, 2))), "coarse"
    )  # "0.03" all over
    view = view_of(mine, INNOCENTS)
    factors = np.where(view.hits, *evidence.hit_and_miss(0.05, view.counts))
    fits = (even(10).table[view.words].astype(int) - view.read.symbol) % 10 < 5
    assert not any(exceeds(factors.sum(axis=1), bits) for bits in BITS)
    assert exceeds(np.where(fits, factors, 0.0).sum(axis=1), 3)


def test_choosing_the_reading_by_its_score_voids_the_bound(shared):
    """The mistake: of many readings of renamed columns the one that scores best is taken; their mean is none."""
    base = of_part(shared, shared.read(leak_of(shared, rows=4)), "unit")
    readings = [
        of_share(replace(base, digest=base.digest ^ np.uint64(turn << 40)), 0.999) for turn in range(16)
    ]
    mean = np.logaddexp2.reduce(np.stack(readings)) - log2(len(readings))
    assert not any(exceeds(mean, bits) for bits in BITS)
    assert exceeds(np.max(readings, axis=0), 0.99 * len(base))


def test_a_pairs_joint_ratio_would_name_innocents(shared):
    """The mistake: a pair that explains the leak names both of its members."""
    read = shared.read(rows_of(shared.copy(GUILTY[0]), np.arange(60)))
    view = view_of(read, [GUILTY[0], *INNOCENTS[:300]])
    log2_r = evidence.log2_reads(view.hits, view.counts, 0.05)
    joint = (np.logaddexp2(log2_r[1:], log2_r[0]) - 1).sum(axis=1)
    assert (joint > 40).all()
    assert not any(exceeds(evidence.log2_mixed(log2_r[1:], log2_r[0]), bits) for bits in BITS)
    assert score(read, [GUILTY[0], *INNOCENTS[:300]]).log2_m[1:].max() < 14


def test_choosing_known_others_by_the_accused_voids_the_bound(shared):
    """The mistake: of many possible others the one is taken beside whom the accused looks worst."""
    read = of_part(shared, shared.read(leak_of(shared, rows=9)), "unit").chosen(slice(0, 3))
    view = view_of(read, INNOCENTS)
    log2_r = evidence.log2_reads(view.hits, view.counts, 1e-3)
    others, accused = log2_r[:40], log2_r[40:]
    beside = np.stack([evidence.log2_mixed(accused, one) for one in others])
    mean = np.logaddexp2.reduce(beside) - log2(len(beside))
    assert not any(exceeds(one, bits) for one in (beside[0], mean) for bits in (1.4, *BITS))
    assert exceeds(beside.max(axis=0), 1.4)


def test_another_datasets_keys_say_nothing(shared):
    read = read_marks(shared.plan, shared.keys, leak_of(shared))
    assert score(read, INNOCENTS[:500]).log2_m.max() < 12
    assert even(2).q == 2
