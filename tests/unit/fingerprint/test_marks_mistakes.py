"""Mistakes that would void the bound, put back into the program: the same check passes without them, and not with them.

What is exact is enumerated: over all 256 values of the bytes that a recipient's symbols come from.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from math import log2

import numpy as np
import pytest

from benchmarks.marks_symbols import observed, plan_of, symbols_of
from canary.fingerprint import close, decode, evidence, groups, joint, matching, score
from canary.fingerprint.close import View, log2_alone, log2_of_hits
from canary.fingerprint.decode import Observations
from canary.fingerprint.lines import agreeing, group, lay
from canary.fingerprint.soft import soft_part
from canary.steps import decoding
from tests.markslab import SECRET, exceeds, keys_of, lab, rows_of

SLACK = 1e-12
INNOCENTS = keys_of(1600, seed=21)
BITS = (1, 2, 3, 5, 6, 7, 9)


def broken(log2_m):
    return any(exceeds(np.asarray(log2_m), bits) for bits in BITS)


# ---- factors, by enumeration


def enumerated(read):
    """Every recipient there can be: a row for each combination of the bytes of the inputs' words that are looked at."""
    laid = lay(read)
    of = np.unique(np.stack([laid.place, laid.byte, np.asarray(read.digest % 2**32, np.int64)]), axis=1,
                   return_inverse=True)[1].reshape(-1)  # fmt: skip
    every = np.array(list(product(range(256), repeat=int(of.max()) + 1)), np.uint8)
    words = every[:, of]
    starts = np.flatnonzero(np.concatenate([[True], read.row[1:] != read.row[:-1]]))
    return View(read, words, agreeing(words, laid), read.counts(), starts)


def mean_of(read):
    return float(np.exp2(log2_alone(enumerated(read))).mean())


def of_channel(parcels, part, symbols, rows=1):
    """Some symbols read of one input of a channel."""
    number = next(at for at, one in enumerate(parcels.plan.channels) if one.part == part)
    count = len(symbols)
    return Observations(
        parcels.plan, np.full(count, 7, np.uint64), np.full(count, parcels.plan.channels[number].anchor),
        np.full(count, number), np.array(symbols), np.arange(count) // max(1, count // rows),
        np.full(count, count == 1), count, count,
    )  # fmt: skip


PARTS = ("unit", "building", "fine", "coarse", "omit")


@pytest.mark.parametrize("part", PARTS)
def test_the_whole_mixture_has_mean_at_most_one_for_every_symbol(parcels, part):
    channel = next(one for one in parcels.plan.channels if one.part == part)
    assert max(mean_of(of_channel(parcels, part, [y])) for y in range(channel.q)) <= 1 + SLACK
    assert mean_of(of_channel(parcels, part, range(min(channel.q, 4)))) <= 1 + SLACK


def test_two_inputs_in_one_row_have_mean_at_most_one(parcels):
    two = decode.joined([of_channel(parcels, "unit", [0]), of_channel(parcels, "coarse", [3])], parcels.keys)
    for rows in (np.zeros(2, np.int64), np.arange(2)):
        assert mean_of(replace(two, row=rows)) <= 1 + SLACK


def test_several_symbols_of_one_input_have_no_soft_table(parcels):
    """Neighbours' rows of a table rise and fall together: the mean of their product is above one."""
    read = of_channel(parcels, "coarse", [4, 5])
    together = [np.exp2(part).mean() for part in close._soft(enumerated(read))]
    assert (np.array(together) <= np.array([weight for _, _, weight in evidence.AVERAGES]) + SLACK).all()
    alone = replace(read, single=np.ones(2, np.bool_))
    wrong = [np.exp2(part).mean() for part in close._soft(enumerated(alone))]
    assert max(one / weight for one, (_, _, weight) in zip(wrong, evidence.AVERAGES, strict=True)) > 1.1
    assert not len(soft_part(read))


def test_beside_a_known_other_the_mean_is_at_most_one(parcels):
    """Over noises, units and unknown others E beside a known one is averaged: the best of them would be none."""
    read = of_channel(parcels, "coarse", [3])
    laid, made = lay(read), np.zeros((2, 256))
    for other in (0, 90, 255):  # of whom 90 alone agrees
        for byte in range(256):
            words = np.array([[other], [byte]], np.uint8)
            view = View(read, words, agreeing(words, laid), read.counts(), np.array([0]))
            bench = joint.Bench(view, np.array([9.0, 0.0]))
            made[:, byte] = bench.log2_beside(1, [0]), bench.log2_paired(1, np.array([0]))
        assert np.exp2(made).mean(axis=1).max() <= 1 + SLACK


def exact_chance_is_rounded(monkeypatch):
    def rounded(read):
        return np.array([256 / read.plan.channels[one].q for one in read.channel])

    monkeypatch.setattr(Observations, "counts", rounded)


def table_is_not_normalised(monkeypatch):
    evidence.soft_table.cache_clear()
    monkeypatch.setattr(evidence, "normalised", lambda shape, alphabet: shape * alphabet.q)


def best_component_is_taken(monkeypatch):
    def best(view):
        return np.max(np.stack([close._of_hits(view), *close._soft(view)]), axis=0) - log2(0.5)

    monkeypatch.setitem(globals(), "log2_alone", best)


def weights_are_too_large(monkeypatch):
    monkeypatch.setattr(evidence, "CELLS", tuple((share, 1.2 * weight) for share, weight in evidence.CELLS))


@pytest.mark.parametrize("mistake", [exact_chance_is_rounded, table_is_not_normalised, weights_are_too_large,
                                     best_component_is_taken])  # fmt: skip
def test_mistakes_in_the_factors_have_a_larger_mean(parcels, monkeypatch, mistake):
    q = 10
    right = max(mean_of(of_channel(parcels, "coarse", [y])) for y in range(q))
    mistake(monkeypatch)
    wrong = max(mean_of(of_channel(parcels, "coarse", [y])) for y in range(q))
    monkeypatch.undo()
    evidence.soft_table.cache_clear()
    assert right <= 1 + SLACK < wrong


# ---- what is read, and which reading


@pytest.fixture(scope="module")
def shared():
    """Every phone on three rows."""
    made = lab(rows=240)
    return lab(rows=240, table={**made.table, "phone": np.repeat(made.table["phone"][:80], 3)})


def score_of(read, keys=INNOCENTS):
    return score.score(read, keys).log2_m


def test_counting_an_input_in_each_row_names_innocents(shared, monkeypatch):
    """The same three rows, seventy times: one phone, and what it serves counts once or two hundred times."""
    leak = rows_of(shared.copy(keys_of(1)[0]), np.tile(np.arange(3), 70))
    assert not broken(score_of(shared.read(leak)))
    monkeypatch.setattr(decode, "counted_once", lambda read: read)
    monkeypatch.setattr(decode.read_anchored, "__defaults__", (decode.counted_once,))
    wrong = score_of(
        decode.read_anchored(shared.plan, shared.keys, *decode.flattened(shared.plan, shared.keys, leak))
    )
    assert broken(wrong)
    assert (wrong >= log2(1600 / 1e-6)).mean() > 0.05


def test_counting_an_input_in_each_batch_breaks_the_bound(shared, monkeypatch):
    """A table is read in batches, a leak has several tables: what one of them said is not said again by the next."""
    read = shared.read(rows_of(shared.copy(keys_of(1)[0]), np.arange(3)))
    again = [read] * 70
    assert not broken(score_of(decode.joined(again, shared.keys)))
    monkeypatch.setattr(decode, "counted_once", lambda read: read)
    assert broken(score_of(decode.joined(again, shared.keys)))


def few(plan, rng, count=8):
    """Eight cells of two symbols each, read from nobody's rows."""
    return observed(plan, rng.integers(0, 2**63, count).astype(np.uint64), rng.integers(0, 2, (count, 1)))


def test_choosing_the_reading_that_scores_best_breaks_the_bound(monkeypatch):
    """Sixteen ways to read renamed columns, under two plans: the evidence is averaged, and the best one is none."""
    rng = np.random.default_rng(8)
    ways = [few(plan_of(2, 1), rng) for _ in range(16)]
    keys = {str(number): key for number, key in enumerate(INNOCENTS)}

    def scored(read):
        found = decoding._scored(decoding.NO_MARKS, read, keys, decoding.Bar(1e-6))
        return [one.log2_m for one in found.scores.values()]

    read = [ways[:8], ways[8:]]  # under two plans
    assert not broken(scored(read))
    monkeypatch.setattr(matching, "averaged", lambda log2_m: np.max(np.stack(log2_m), axis=0))
    assert broken(scored(read))


# ---- beside known others


def guilty_leak(rows=60, cells=4):
    plan, guilty = plan_of(2, cells), keys_of(1, seed=3)[0]
    digests = np.random.default_rng(4).integers(0, 2**63, rows).astype(np.uint64)
    return observed(plan, digests, symbols_of(plan, guilty, digests)), guilty


def test_a_pairs_joint_ratio_names_whoever_stands_beside_the_guilty(monkeypatch):
    read, guilty = guilty_leak()
    keys = [guilty, *INNOCENTS[:300]]
    bar = log2(301 / 1e-6)
    right = score_of(read, keys)
    assert right[0] >= bar > right[1:].max()

    def joint_ratio(bench, place, partners):
        unit = bench.pairing[0]
        return max(float((np.logaddexp2(unit[place], unit[one]) - 1).sum()) for one in partners.tolist())

    monkeypatch.setattr(joint.Bench, "log2_paired", joint_ratio)
    wrong = score_of(read, keys)
    assert (wrong[1:] >= bar).sum() > 20


def test_the_accused_does_not_choose_beside_whom_he_is_weighed(monkeypatch):
    """The pool of known others is the same whatever the accused's own score is."""
    read, guilty = guilty_leak()
    view = close.view_of(read, [guilty, *INNOCENTS[:80]])
    alone = log2_alone(view)
    for accused in (0, 5, 40):
        pools = [pool_beside(joint.Bench(view, one), accused) for one in raised(alone, accused)]
        assert pools[0] == pools[1]
        assert accused not in pools[1]
    monkeypatch.setattr(joint.Bench, "others", lambda bench, place: np.arange(len(bench.order) - 1))
    pools = [pool_beside(joint.Bench(view, one), 5) for one in raised(alone, 5)]
    assert pools[0] != pools[1]


def raised(alone, at):
    """Scores as they are, and as they would be if one recipient had scored far better."""
    made = alone.copy()
    made[at] = 900.0
    return alone, made


def pool_beside(bench, accused):
    """The recipients out of whom known others are chosen for the accused."""
    place = int(np.flatnonzero(bench.order == accused)[0]) if accused in bench.order else len(bench.order) - 1
    return set(bench.order[bench.others(place)].tolist())


# ---- resting


def test_a_look_never_cuts_an_input_in_two(shared, monkeypatch):
    """An input of which several symbols were read is looked at whole, on the first look and at the most there is."""
    rows = np.arange(240)
    copies = [shared.copy(key) for key in keys_of(3, seed=6)]
    read = decode.joined([shared.read(rows_of(copy, rows)) for copy in copies], shared.keys)
    assert (~read.single).sum() > 200
    names = np.stack([read.digest, read.anchor.astype(np.uint64)])
    first = score.first_look(read)
    of = np.unique(names, axis=1, return_inverse=True)[1].reshape(-1)
    blocks = np.array([(one.anchor << 8) + one.block for one in read.plan.channels])[read.channel]
    mine = blocks == blocks[first][0]
    assert 0 < first.sum() < mine.sum() or len(np.unique(of[mine])) <= score.FIRST_LOOK
    assert not set(of[first]) & set(of[mine & ~first])
    for most in range(1, 200):
        kept = score._whole(read, most)
        assert kept <= most
        assert kept == 0 or read.digest[kept] != read.digest[kept - 1]
        monkeypatch.setattr(decoding, "MOST_OBSERVATIONS", most)
        assert len(decoding.first_of(read)) == kept


def test_who_ended_the_first_look_alone_is_weighed_beside_nobody(monkeypatch):
    """Had he never been, the look would have gone on, and the others' ranking would be another."""
    plan, keys = plan_of(2, 4), keys_of(30, seed=3)
    digests = np.random.default_rng(4).integers(0, 2**63, 400).astype(np.uint64)
    most, few_ = (symbols_of(plan, key, digests) for key in keys[:2])
    read = observed(plan, digests, np.where(np.arange(400)[:, None] % 8 == 0, few_, most))
    asked = []

    def together(view, alone, solitary):
        asked.append(solitary.tolist())
        return joint.log2_together(view, alone, solitary)

    monkeypatch.setattr(score, "log2_together", together)
    found = score_of(read, keys)
    view = close.view_of(read, keys)
    assert asked == [[0]]
    assert found[0] == pytest.approx(log2_alone(view)[0] + log2(evidence.ALONE))
    assert found[1] > log2_alone(view)[1] + log2(evidence.ALONE) + 1


# ---- group canaries


def dealt(rng, recipients, canaries, each):
    """Membership balanced by hand: every group canary to the same number of recipients."""
    order = rng.random((canaries, recipients)).argsort(axis=1)
    held = np.zeros((recipients, canaries), np.bool_)
    held[order[:, :each].T, np.arange(canaries)] = True
    return held


def test_hand_balanced_membership_names_innocents():
    """Ten of twenty publish the group canaries that one of them alone has.

    Dealt to five recipients each, four of the ten innocents have every one of these: more than a quarter, which their
    factors take for evidence. Under the keyed function it stays a quarter, whatever the colluders choose.
    """
    rng, keys, ids = np.random.default_rng(12), keys_of(20, seed=5), [f"c-{n:05d}" for n in range(6000)]
    keyed = np.stack([groups.members_of(SECRET, key, ids) for key in keys])
    bar = log2(20 / 1e-6)
    for held, harmed in ((keyed, False), (dealt(rng, 20, len(ids), 5), True)):
        left = np.flatnonzero(held[:10].sum(axis=0) == 1)
        read = groups.observed(SECRET, [ids[one] for one in left])
        found = log2_of_hits(held[:, left].sum(axis=1)[:, None], group(read))
        assert (found[10:] >= bar).any() == harmed
        assert held[10:, left].mean() == pytest.approx(0.4 if harmed else 0.25, abs=0.02)


def test_scoring_reads_membership_from_the_keys_alone():
    """Whoever deals by hand changes nobody's score: what is looked up is the keyed function."""
    ids, keys = [f"c-{n:04d}" for n in range(80)], keys_of(30)
    held = np.stack([groups.members_of(SECRET, key, ids) for key in keys])
    read = groups.observed(SECRET, ids)
    assert (score.score(read, keys).agreeing == held.sum(axis=1)).all()
