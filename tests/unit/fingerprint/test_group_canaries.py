"""Group canaries: who has which is the keyed function's choice; scoring keeps to the bound, counting does not."""

from __future__ import annotations

import numpy as np
import pytest

from canary.fingerprint import evidence
from canary.fingerprint.groups import (
    CHANNEL,
    beside,
    digests_of,
    members_of,
    observed,
    pool_size,
)
from canary.fingerprint.prf import words_of
from canary.fingerprint.score import score
from tests.markslab import SECRET, exceeds, keys_of, rows_of

IDS = [f"c-{number:04d}" for number in range(600)]


def test_a_quarter_of_all_recipients_has_a_group_canary_each_by_its_key():
    held = np.stack([members_of(SECRET, key, IDS) for key in keys_of(400)])
    assert held.mean() == pytest.approx(0.25, abs=0.004)
    assert np.corrcoef(held[:, :40].T)[np.triu_indices(40, 1)] == pytest.approx(0, abs=0.25)
    assert (held[0] == members_of(SECRET, keys_of(400)[0], IDS)).all()


def test_a_copy_has_the_wanted_share_of_group_canaries_on_average():
    size = pool_size(100, 0.5)
    held = [members_of(SECRET, key, IDS[:size]).sum() for key in keys_of(400)]
    assert np.mean(held) == pytest.approx(50, abs=1.5)


@pytest.mark.parametrize("read", [0, 1])
def test_every_factor_of_a_biased_cell_has_mean_at_most_one(read):
    chances, counts = CHANNEL.alphabet.chances, np.array(CHANNEL.alphabet.counts)
    agree = np.arange(2) == read
    means = []
    for share in {a for a, _ in evidence.CELLS} | set(evidence.CHANNEL_SHARES):
        hit, miss = evidence.hit_and_miss(share, counts[[read]])
        means.append(chances @ np.where(agree, 2 ** hit[0], 2 ** miss[0]))
    for colluders, noise, _ in evidence.ROWS:
        log2_r = evidence.log2_reads(agree[:, None], counts[[read]], noise)
        ratio = evidence.log2_mixed(log2_r, np.log2([colluders - 1]))
        means.append(chances @ 2**ratio)
    assert max(means) <= 1 + 1e-12


def test_they_count_once_and_beside_all_other_marks(parcels):
    copy = parcels.copy(keys_of(1)[0])
    read = parcels.read(rows_of(copy, np.arange(5)))
    both = beside(read, observed(SECRET, [*IDS[:30], *IDS[:30]]))
    assert len(both) == len(read) + 30
    mine = [one for one, has in zip(IDS, members_of(SECRET, keys_of(1)[0], IDS), strict=True) if has][:10]
    alone = score(read, keys_of(50)).log2_m
    joint = score(beside(read, observed(SECRET, mine)), keys_of(50)).log2_m
    assert joint[0] - alone[0] == pytest.approx(2 * 10, abs=1)
    assert beside(read, observed(SECRET, [])) is read


def test_their_inputs_are_no_inputs_of_marks(parcels):
    words = {tuple(row) for row in words_of(b"k" * 16, _blocks(parcels)).tolist()}
    assert len(words) == len(parcels.table["number"])
    assert CHANNEL.anchor > max(one.anchor for one in parcels.plan.channels)
    assert len(set(digests_of(SECRET, IDS).tolist())) == len(IDS)


def _blocks(parcels):
    return next(iter(parcels.prepared.blocks.values()))


def leak_of(keys, guilty, rng, *, compared):
    """The group canaries in a leak of colluders: those that all have, or each from one of them."""
    held = np.stack([members_of(SECRET, keys[one], IDS) for one in guilty])
    there = (
        held.all(axis=0) if compared else held[rng.integers(0, len(guilty), len(IDS)), np.arange(len(IDS))]
    )
    return [one for one, present in zip(IDS, there, strict=True) if present]


def test_colluders_who_compare_are_named_and_nobody_else():
    rng, keys = np.random.default_rng(4), keys_of(300)
    for guilty in ([0], [1, 2], [7, 8]):
        found = score(observed(SECRET, leak_of(keys, guilty, rng, compared=True)), keys).log2_m
        assert set(np.flatnonzero(found >= np.log2(300 / 1e-6))) == set(guilty)


def test_intersection_scoring_would_name_innocents():
    """The mistake: naming whoever has all that is left, or as many of it as the guilty have."""
    rng, keys = np.random.default_rng(5), keys_of(1000)
    held = np.stack([members_of(SECRET, key, IDS) for key in keys])
    wrong = 0
    for _ in range(200):
        guilty = rng.choice(1000, 3, replace=False)
        left = np.flatnonzero(held[guilty].all(axis=0))[:4]
        everybody = np.flatnonzero(held[:, left].all(axis=1))
        wrong += bool(set(everybody.tolist()) - set(guilty.tolist()))
    assert wrong >= 0.95 * 200
    leak = leak_of(keys, [0, 1, 2], rng, compared=False)
    found = score(observed(SECRET, leak), keys).log2_m
    assert set(np.flatnonzero(found >= np.log2(1000 / 1e-6))) <= {0, 1, 2}


@pytest.mark.parametrize("compared", [True, False])
def test_the_bound_holds_for_fresh_keys(compared):
    rng, keys = np.random.default_rng(6), keys_of(3, seed=91)
    leak = leak_of(keys, [0, 1, 2], rng, compared=compared)
    found = score(observed(SECRET, leak), keys_of(8000)).log2_m
    assert not any(exceeds(found, bits) for bits in (1, 2, 3, 5, 7, 10))
