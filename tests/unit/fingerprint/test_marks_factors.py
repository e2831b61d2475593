"""Every factor has mean at most 1 over the recipient's symbol, by enumeration; mistakes have not."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from canary.fingerprint import evidence
from canary.fingerprint.prf import GRAIN, even, weighted

SLACK = 1e-12
ALPHABETS = [even(q) for q in range(2, 257)] + [
    weighted((3, 253)),
    weighted((200, 30, 20, 6)),
    weighted((1, 255)),
]
NOISES = (1e-3, 0.05, 0.1, 0.3)


def over_symbols(alphabet, factor):
    """The mean of factor(agrees, y) over x, for every y."""
    return [
        p * factor(True, count) + (1 - p) * factor(False, count)
        for p, count in zip(alphabet.chances.tolist(), alphabet.counts, strict=True)
    ]


def test_chances_are_exact():
    for alphabet in ALPHABETS:
        assert sum(alphabet.counts) == GRAIN
        assert np.bincount(alphabet.table, minlength=alphabet.q).tolist() == list(alphabet.counts)


@pytest.mark.parametrize("share", sorted({a for a, _ in evidence.CELLS} | set(evidence.CHANNEL_SHARES)))
def test_cells(share):
    for alphabet in ALPHABETS:
        hit, miss = evidence.hit_and_miss(share, np.array(alphabet.counts))
        means = alphabet.chances * 2.0**hit + (1 - alphabet.chances) * 2.0**miss
        assert means.max() <= 1 + SLACK
        product_of_one = evidence.log2_products(
            [share], np.ones((1, 1)), np.ones(1), np.array(alphabet.counts[:1])
        )
        assert product_of_one[0, 0] == pytest.approx(hit[0])


def test_a_rounded_chance_would_not_do():
    """The mistake: 1/q in place of the exact chance of a symbol."""
    ten = even(10)
    means = over_symbols(ten, lambda agrees, _: 0.999 * 10 * agrees + 0.001)
    assert max(means) > 1 + 1e-3


def ratio(agree, counts, noise, others):
    log2_r = evidence.log2_reads(np.array([agree]), np.array(counts), noise)
    unit = evidence.by_unit(log2_r, np.array([0]))
    return 2.0 ** float(evidence.log2_mixed(unit, np.array([others]))[0])


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("others", [-np.inf, 0.0, 1.0, 2.0, 7.3, -6.0])
def test_units_beside_any_others(noise, others):
    """Rows of up to three cells, whatever mass B the others have."""
    for alphabets in ([even(2)], [even(16)], [even(3), even(10)], [even(2), weighted((3, 253)), even(7)]):
        mean = 0.0
        for symbols in product(*(range(a.q) for a in alphabets)):
            chance = np.prod([a.chances[x] for a, x in zip(alphabets, symbols, strict=True)])
            agree = [x == 0 for x in symbols]
            mean += chance * ratio(agree, [a.counts[0] for a in alphabets], noise, others)
        assert mean <= 1 + SLACK


@pytest.mark.parametrize("several", [2, 3, 4])
def test_several_symbols_of_one_input(several):
    """Different symbols read of one input are observations of their own: the mean of their product falls."""
    for alphabet in (even(4), even(5), even(16), weighted((200, 30, 20, 6))):
        ys = range(several)
        for share, _ in evidence.CELLS:
            hit, miss = evidence.hit_and_miss(share, np.array(alphabet.counts))
            mean = sum(
                p * np.prod([2.0 ** float(hit[y] if x == y else miss[y]) for y in ys])
                for x, p in enumerate(alphabet.chances)
            )
            assert mean <= 1 + SLACK
        for noise in NOISES:
            for masses in product((0.0, 1.0, 8.0), repeat=several):
                mean = sum(
                    p * np.prod([
                        (((1 - noise) * (x == y) * GRAIN / alphabet.counts[y] + noise) + b) / (1 + b)
                        for y, b in zip(ys, masses, strict=True)
                    ])
                    for x, p in enumerate(alphabet.chances)
                )  # fmt: skip
                assert mean <= 1 + SLACK


def test_an_input_must_not_be_cut_in_two_by_resting():
    """The mistake: to look at the second symbol of an input only where the first one did not agree."""
    share, two = 0.5, even(2)
    hit, miss = (2.0 ** float(one[0]) for one in evidence.hit_and_miss(share, np.array([two.counts[0]])))
    looking_on = 0.5 * hit + 0.5 * miss * hit
    together = 0.5 * hit * miss + 0.5 * miss * hit
    assert looking_on > 1.1
    assert together <= 1 + SLACK


def test_soft_tables():
    for q in range(2, 65):
        for colluders, width, _ in evidence.AVERAGES:
            table = 2.0 ** evidence.soft_table(even(q), colluders, width).log2_ratio
            assert (table @ even(q).chances).max() <= 1 + SLACK


def test_a_table_that_is_not_normalised_would_not_do():
    """The mistake: P(y | x)·q without dividing by its mean over the recipient's symbol."""
    alphabet = weighted((200, 30, 20, 6))
    shape = np.full((4, 4), 0.1) + 0.6 * np.eye(4)
    assert ((4 * shape) @ alphabet.chances).max() > 1.5
    assert (evidence.normalised(shape, alphabet) @ alphabet.chances).max() <= 1 + SLACK


def test_weights_sum_to_one():
    assert evidence.weights_total() == pytest.approx(1)
    assert evidence.CELLS[0] == (0.999, 0.5)
    assert pytest.approx(1) == evidence.ALONE + evidence.MOST_TOGETHER * evidence.TOGETHER + evidence.PAIRS


def test_the_best_component_in_place_of_their_mean_would_not_do():
    """The mistake: to take the largest of several factors."""
    two = even(2)
    best = over_symbols(two, lambda agrees, _: max(2 * 0.999 * agrees + 0.001, 0.1 * 2 * agrees + 0.9, 1.0))
    assert max(best) > 1.4


def test_channels_mix_on_their_own():
    """Two channels of one cell each: the product of their mixtures has mean 1 over all pairs of symbols."""
    a, b = even(3), even(10)
    mean = 0.0
    for x, y in product(range(3), range(10)):
        hits = np.array([[float(x == 1), float(y == 9)]])
        counts = np.array([a.counts[1], b.counts[9]])
        e = evidence.log2_channels(hits, np.ones(2), counts, np.array([0, 1]))
        mean += a.chances[x] * b.chances[y] * 2.0 ** float(e[0])
    assert mean <= 1 + SLACK


def test_sums_are_those_of_numpy():
    rng = np.random.default_rng(4)
    values = np.concatenate([rng.normal(0, 1, 500), rng.normal(0, 40, 500), [0.0, -1000.0, 1000.0]])
    others = np.concatenate([rng.permutation(values)[:-2], [-np.inf, 0.0]])
    assert evidence.log2_sum(values, others) == pytest.approx(
        np.logaddexp2(values, others), rel=1e-14, abs=1e-14
    )
    assert evidence.log2_sum(np.zeros((2, 3)), np.zeros(3)).tolist() == [[1.0] * 3] * 2
    assert evidence.log2_sum(np.float64(3.0), np.float64(-np.inf)) == 3.0
