"""Sums over source sets against going through all of them."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from itertools import combinations
from math import comb, isfinite, log2

import numpy as np
import pytest

from canary.model.evidence import Candidates
from canary.trace import posterior as module
from canary.trace.case import (
    Case,
    Held,
    HitCanary,
    Holder,
    IssuedField,
    MarkScore,
    MarkSets,
    Priors,
    SideEvent,
)
from canary.trace.copies import log2_side, side_ratio, survey
from canary.trace.evalue import score_all
from canary.trace.groups import Judge, Marked, judge
from canary.trace.posterior import weigh
from canary.trace.symmetric import alike, log2_binomial, multiply, one, outsides
from canary.trace.verdict import assess, conclude

EMAIL, PHONE = IssuedField("email", "email", 40.0), IssuedField("phone", "phone", 10.0)


def draw(rng, size, shared, marked=False):
    names = tuple(f"r{i}" for i in range(size))
    issued = {name: rng.choice([0, 5, 50, 160]) for name in names}
    hits = []
    for owner in names:
        for _ in range(min(issued[owner], rng.choice([0, 0, 1, 2, 7]))):
            holders = [Holder(owner, f"rel-{owner}", 1)]
            if shared and rng.random() < 0.5:
                others = [name for name in rng.sample(names, min(size, 2)) if name != owner]
                holders += [Holder(name, f"rel-{name}", 1, carried=True) for name in others]
            found = frozenset(rng.choice([["email"], ["phone"], ["email", "phone"]]))
            hits.append(HitCanary(f"c{len(hits):04d}", owner, (EMAIL, PHONE), (found,), tuple(holders)))
    side = tuple(
        SideEvent(
            f"k{i}", tuple(rng.sample(names, min(size, 2 if shared else 1))), kind, rng.random() < 0.3, 0.01
        )
        for i, kind in enumerate(rng.choices(["mail", "call"], k=rng.choice([0, 1, 3])))
    )
    marks = {name: MarkScore(rng.uniform(-5, 20), 30, 9) for name in names} if marked else {}
    sets = drawn_sets(rng, names) if marked and rng.random() < 0.5 else None
    candidates = Candidates({"email": 20, "phone": 30}, {("email", "phone"): 20})
    releases = {name: (Held(f"rel-{name}", 1),) for name in names}
    return Case(names, releases, issued, tuple(hits), candidates, side=side, marks=marks, mark_sets=sets)


def drawn_sets(rng, names):
    """Joint ratios as marks give them, of all recipients here so that every one can be looked at."""
    count = 1 << len(names)
    explained = np.array(
        [[rng.uniform(0, 9) * (one >> at & 1) for at in range(len(names))] for one in range(count)]
    )
    return MarkSets(names, np.array([0.0, *(rng.uniform(-8, 25) for _ in range(count - 1))]), explained)


def every_set(case, scores, priors):
    """Go through all source sets one by one."""
    names = case.recipients
    scene = survey(case, names, scores, names)
    bench = Judge(scene, names, Marked(case.marks, case.mark_sets))
    possible = min(8, len(names))
    total = sum(priors.sources[:possible])
    weights, sets = [], []
    for size in range(1, possible + 1):
        for chosen in combinations(names, size):
            sets.append(chosen)
            prior = priors.sources[size - 1] / total / comb(len(names), size)
            weights.append(log2(prior) + bench.log2_ratio(chosen))
    log2_z = np.logaddexp2.reduce(np.array(weights))
    contributed, share = dict.fromkeys(names, 0.0), dict.fromkeys(names, 0.0)
    for weight, chosen in zip(np.exp2(np.array(weights) - log2_z), sets, strict=True):
        explained = bench.explained(chosen)
        for name in chosen:
            contributed[name] += weight
            share[name] += weight * explained[name] / sum(explained.values())
    return log2_z, contributed, share


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("size", [1, 2, 3, 6, 10])
def test_sums_are_those_of_every_set(size, shared):
    rng = random.Random(size)
    for _ in range(3 if size < 10 else 1):
        case = draw(rng, size, shared, marked=shared and size <= 8)
        scores = score_all(case.hits, case.candidates)
        log2_z, contributed, share = every_set(case, scores, Priors())
        got = weigh(case, case.recipients, scores, Priors())
        assert got.log2_z == pytest.approx(log2_z, abs=1e-9)
        for name in case.recipients:
            assert got.contributed[name] == pytest.approx(contributed[name], abs=1e-9)
            assert got.share[name] == pytest.approx(share[name], abs=2e-6)


def test_two_who_mixed_their_marks_are_both_sources():
    names = tuple(f"r{i}" for i in range(30))
    ratio = np.array([0.0, 40.0, 38.0, 150.0])
    explained = np.array([[0, 0], [30, 0], [0, 30], [32, 30]], float)
    marks = {name: MarkScore(-30.0, 60, 4) for name in names} | {
        "r3": MarkScore(80.0, 60, 34),
        "r7": MarkScore(78.0, 60, 32),
    }
    releases = {name: (Held(f"rel-{name}", 1),) for name in names}
    case = Case(names, releases, {}, marks=marks, mark_sets=MarkSets(("r3", "r7"), ratio, explained))
    answer = conclude(case)
    assert [one.recipient for one in answer.suspects if one.status == "named"] == ["r3", "r7"]
    assert [one.probability for one in answer.suspects] == pytest.approx([32 / 62, 30 / 62], abs=0.01)


def test_marks_of_nobody_speak_for_an_unknown_source():
    names = tuple(f"r{i}" for i in range(30))
    releases = {name: (Held(f"rel-{name}", 1),) for name in names}
    case = Case(names, releases, {}, marks={name: MarkScore(-30.0, 400, 25) for name in names})
    answer = conclude(case)
    assert answer.outcome == "inconclusive"
    assert answer.unknown_source > 0.99


def test_a_crowd_of_unlikely_ones_is_averaged_without_harm(monkeypatch):
    case = draw(random.Random(4), 200, False)
    scores = score_all(case.hits, case.candidates)
    exact = weigh(case, case.recipients, scores, Priors())
    monkeypatch.setattr(module, "MOST_LEAVES", 150)
    averaged = weigh(case, case.recipients, scores, Priors())
    assert averaged.log2_z == pytest.approx(exact.log2_z, abs=1e-3)
    for name in case.recipients:
        assert averaged.contributed[name] == pytest.approx(exact.contributed[name], abs=1e-3)
        assert averaged.share[name] == pytest.approx(exact.share[name], abs=1e-3)


def test_without_any_evidence_z_is_one():
    case = Case(("a", "b", "c"), {name: (Held("r", 0),) for name in "abc"}, {})
    got = weigh(case, case.recipients, {}, Priors())
    assert got.log2_z == pytest.approx(0.0, abs=1e-12)
    assert list(got.share.values()) == pytest.approx([1 / 3] * 3, abs=1e-9)
    assert not isfinite(weigh(case, (), {}, Priors()).log2_z)


def test_polynomials():
    two, three = alike(np.array(1.0), 1), alike(np.array(log2(3)), 1)
    both = multiply(two, three)
    assert np.exp2(both)[:4].tolist() == pytest.approx([1, 5, 6, 0])
    assert np.exp2(alike(np.array(0.0), 10))[:4].tolist() == pytest.approx([1, 10, 45, 120])
    outside, product = outsides(np.stack([two, three, one()])[None])
    assert np.exp2(product[0, :3]).tolist() == pytest.approx([1, 5, 6])
    assert np.exp2(outside[0, 0, :2]).tolist() == pytest.approx([1, 3])
    assert np.exp2(outside[0, 2, :3]).tolist() == pytest.approx([1, 5, 6])
    assert log2_binomial(3, 4) == -np.inf


def test_many_equal_holders_stay_equal(hit, case):
    """One vendor's copy, handed on to thirty others without canaries of their own."""
    others = [f"p{i}" for i in range(1, 31)]
    found = [hit(i, "p0", ["email"], others) for i in range(20)]
    settings = {"issued": {"p0": 160}, "carried": {name: {"p0": 160} for name in others}}
    answer = conclude(case(31, found, **settings))
    shares = [answer.probabilities[f"p{i}"] for i in range(31)]
    assert max(shares) == pytest.approx(min(shares), rel=1e-3)
    chances = assess(case(31, found, **settings)).standing.contributed
    assert max(chances.values()) == pytest.approx(min(chances.values()), rel=0.05)
    assert max(chances.values()) < 0.08  # sets of several are counted more than once, evenly
    assert answer.suspects == ()  # more than twenty cannot be told apart
    assert sum(shares) + answer.unknown_source + answer.registry_compromised == pytest.approx(1, abs=1e-9)


def test_a_guilty_one_in_a_large_family_is_found(hit, case):
    others = [f"p{i}" for i in range(1, 31)]
    found = [hit(i, "p0", ["email"], others) for i in range(20)] + [
        hit(100 + i, "p7", ["email"]) for i in range(15)
    ]
    answer = conclude(case(31, found, carried={name: {"p0": 160} for name in others}))
    assert [(one.recipient, one.status) for one in answer.suspects] == [("p7", "named")]


def test_side_evidence_is_capped_counted_once_and_shared():
    events = [SideEvent(f"k{i}", ("a",), "mail") for i in range(5)] + [
        SideEvent("n", ("a", "b"), "call", True)
    ]
    case = Case(("a", "b"), {"a": (Held("r", 0),), "b": (Held("s", 0),)}, {}, side=tuple(events))
    scene = survey(case, case.recipients, {})
    assert log2_side(scene, ("a",)) == pytest.approx(log2(20))
    assert log2_side(scene, ("b",)) == pytest.approx(log2(20))
    assert log2_side(scene, ("a", "b")) == pytest.approx(log2(20) + log2(20) / 2)
    repeated = Case(("a",), {"a": (Held("r", 0),)}, {}, side=(SideEvent("k", ("a",), "call"),) * 9)
    assert log2_side(survey(repeated, ("a",), {}), ("a",)) == pytest.approx(log2(1.5))


@pytest.mark.parametrize(
    ("kind", "asked", "baseline", "ratio"),
    [("mail", False, 0.0, 20.0), ("call", False, 0.0, 1.5), ("call", True, 0.0, 20.0), ("call", True, 3.0, 1.1),
     ("probe", False, 30.0, 1.01), ("fax", False, 0.0, 1.5)],
)  # fmt: skip
def test_side_ratios(kind, asked, baseline, ratio):
    assert side_ratio(SideEvent("k", ("a",), kind, asked, baseline)) == pytest.approx(ratio)


def test_a_number_that_everybody_holds_tells_nothing():
    names = tuple("abcdefghi")
    held = {name: (Held("r", 0),) for name in names}
    scene = survey(Case(names, held, {}, side=(SideEvent("k", names, "mail"),)), names, {})
    assert scene.side == ()


def test_large_groups_keep_ties_out_of_the_core(hit, case):
    others = [f"p{i}" for i in range(1, 13)]
    tied = case(
        13, [hit(1, "p0", ["email"], others)], issued={"p0": 160}, carried={n: {"p0": 160} for n in others}
    )
    scene = survey(tied, [f"p{i}" for i in range(13)], score_all(tied.hits, tied.candidates))
    group = judge(scene, sorted(scene.copies), Marked({}))
    assert group.core == ()
    assert len(group.beyond) == 13


def test_a_hundred_thousand_recipients_and_thousands_of_hits_take_about_a_second():
    rng, size = random.Random(3), 100_000
    names = tuple(f"r{i}" for i in range(size))
    issued = {name: rng.randrange(400) for name in names}
    releases = {name: (Held("rel-" + name, 1),) for name in names}
    hits = []
    for number in range(5000):
        owner = names[min(size - 1, int(rng.expovariate(1 / 3000)))]
        found = frozenset({"email" if number % 100 == 0 else "phone"})
        hits.append(
            HitCanary(f"c{number:06d}", owner, (EMAIL, PHONE), (found,), (Holder(owner, "rel-" + owner, 1),))
        )
    case = Case(names, releases, issued, tuple(hits), Candidates({"email": 20_000, "phone": 30_000}))
    began = time.process_time()
    answer = conclude(case)
    assert time.process_time() - began < 5
    assert sum(
        answer.probabilities.values()
    ) + answer.unknown_source + answer.registry_compromised == pytest.approx(1, abs=1e-9)
    assert len(answer.log2_e) == size


def test_who_held_less_than_half_of_the_recognised_rows_loses_up_to_the_cap():
    marks = {
        "a": MarkScore(rows_held=100),
        "b": MarkScore(rows_held=25),
        "c": MarkScore(),
        "d": MarkScore(rows_held=0),
    }
    case = Case(
        tuple("abcd"), {name: (Held("r", 1),) for name in "abcd"}, {}, marks=marks, rows_recognised=100
    )
    scene = survey(case, case.recipients, {}, case.recipients)
    told = [log2_side(scene, (name,)) for name in "abcd"]
    assert told == pytest.approx([0, -log2(20) / 2, 0, -log2(20)])
    unknown = survey(replace(case, rows_recognised=None), case.recipients, {}, case.recipients)
    assert log2_side(unknown, ("d",)) == 0
