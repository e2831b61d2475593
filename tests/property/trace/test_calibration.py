"""Stated probabilities against simulated truth, and what no case may break."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canary.model.evidence import Candidates
from canary.trace.case import Case, Held, HitCanary, Holder, IssuedField, SideEvent
from canary.trace.verdict import conclude

NAMES = tuple(f"p{i}" for i in range(6))
FIELDS = (
    IssuedField("email", "email", 45.0),
    IssuedField("phone", "phone", 14.0, shared=True, token="t"),
    IssuedField("name", None, 8.0),
)


def test_simulated_leaks_are_judged_as_often_right_as_stated(simulation):
    result = simulation.calibrate(100, seed=11)
    assert result.leaks == 100
    assert result.named > 10
    assert result.named_wrong == 0
    assert result.sure_wrong <= 0.01 * result.sure
    for what in ("probability", "contributed"):
        assert result.error(what) <= 0.03


def test_the_measure_of_calibration_can_fail(simulation):
    result = simulation.Calibration()
    result.pairs["contributed"] = [(0.9, 0.0)] * 10
    assert result.error("contributed") == pytest.approx(0.9)


roles = st.sets(st.sampled_from(["email", "phone", "name"]), min_size=1).map(frozenset)
times = st.integers(0, 20)
holders = st.lists(st.builds(Holder, st.sampled_from(NAMES), st.just("r"), times, st.just(True)), max_size=2)
hits = st.builds(
    lambda number, owner, records, others, made, control, burned, seen: HitCanary(
        f"c{number}", "" if control else owner, FIELDS, tuple(records),
        () if control else (Holder(owner, f"r-{owner}", made), *others), control, burned, seen,
    ),
    st.integers(0, 10**6), st.sampled_from(NAMES), st.lists(roles, max_size=2), holders, times,
    st.sampled_from([False, False, False, True]), st.booleans(), st.none() | times,
)  # fmt: skip
side = st.builds(
    SideEvent, st.sampled_from("xyz"), st.lists(st.sampled_from(NAMES), max_size=3).map(tuple),
    st.sampled_from(["mail", "probe", "call", "sms", "access"]), st.booleans(), st.floats(0, 10), st.booleans(),
)  # fmt: skip
cases = st.builds(
    lambda found, events, earliest, ghosts, issued, n: Case(
        (*NAMES, *ghosts),
        {name: (Held(f"r-{name}", 3 * i),) for i, name in enumerate(NAMES)},
        dict.fromkeys(NAMES, issued),
        tuple({hit.id: hit for hit in found}.values()),
        Candidates({"email": n, "phone": n}, {("email", "phone"): n, ("name", "phone"): n}),
        frozenset(ghosts),
        earliest_ms=earliest,
        side=tuple(events),
        controls=3,
    ),
    st.lists(hits, max_size=8), st.lists(side, max_size=4), st.none() | times,
    st.sampled_from([(), ("g0",), tuple(f"g{i}" for i in range(8))]), st.integers(0, 50), st.integers(0, 10**5),
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(cases, st.randoms(use_true_random=False))
def test_whatever_the_case_the_answer_is_whole_and_keeps_its_promises(case, rng):
    answer = conclude(case)
    stated = [*answer.probabilities.values(), answer.unknown_source, answer.registry_compromised]
    assert sum(stated) == pytest.approx(1, abs=1e-9)
    assert min(stated) >= 0
    assert set(answer.probabilities) == set(answer.log2_e) == set(case.recipients)
    for one in answer.suspects:
        assert case.held_in_time(one.recipient)
        assert one.recipient not in case.ghosts
        assert 0 <= one.probability <= one.contributed + 1e-6 <= 0.999
        if one.status == "named":
            assert one.false_accusation <= 1e-6
            assert one.contributed >= 0.95
            assert answer.registry_compromised < 0.5
    assert (answer.outcome == "inconclusive") == (not answer.suspects)
    mixed = list(case.hits)
    rng.shuffle(mixed)
    other = conclude(
        replace(case, hits=tuple(mixed), recipients=tuple(rng.sample(case.recipients, len(case.recipients))))
    )
    assert other.outcome == answer.outcome
    assert other.log2_e == pytest.approx(answer.log2_e)
    assert other.probabilities == pytest.approx(answer.probabilities, abs=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_evidence_against_one_never_lowers_its_bound(seed):
    rng = random.Random(seed)
    found = [
        HitCanary(f"c{i}", "p0", (IssuedField("email", "email", rng.uniform(20, 60)),), (frozenset({"email"}),),
                  (Holder("p0", "r", 0),))
        for i in range(6)
    ]  # fmt: skip
    held = {name: (Held("r", 0),) for name in NAMES}
    values = []
    for count in range(7):
        case = Case(NAMES, held, dict.fromkeys(NAMES, 30), tuple(found[:count]), Candidates({"email": 1000}))
        values.append(conclude(case).log2_e["p0"])
    assert values == sorted(values)
