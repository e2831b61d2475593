"""The bound over one and over several traces of an incident, and what enters it from a scan."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from canary.model.evidence import Hit
from canary.trace.bound import combine, false_accusation, limit_of_incident, log2_e_of, trace_weight
from canary.trace.case import MarkScore, SideEvent
from canary.trace.records import is_weak, records_of
from canary.trace.sentences import bound_text
from canary.trace.verdict import conclude


def test_weights_of_all_traces_together_stay_below_one():
    weights = [trace_weight(number) for number in range(1, 5000)]
    assert weights[0] == 0.98
    assert weights == sorted(weights, reverse=True)
    assert 0.9999 < sum(weights) < 1


def test_traces_of_one_incident_add_up_with_weights_fixed_beforehand():
    both = combine([{"a": 40.0, "b": 3.0}], {"a": 0.0, "c": 10.0})
    assert 2 ** both["a"] == pytest.approx(0.98 * 2**40 + 0.01)
    assert 2 ** both["c"] == pytest.approx(0.01 * 2**10)
    assert set(both) == {"a", "c"}
    assert combine([], {"a": 5.0})["a"] == pytest.approx(5 + math.log2(0.98))
    assert combine([{"a": 5000.0}], {"a": -3.0})["a"] == pytest.approx(5000 + math.log2(0.98))


def test_posting_a_leak_in_pieces_buys_nothing():
    """Each piece guesses other values of a secret and aims just above the bar; the plain mean gives way to it."""
    space, bar, pieces = 2**16, 100.0, 30

    def crossing(total_of):
        """Count the secrets for which the total reaches the bar after some piece."""
        crossed, used = 0, 0
        for piece in range(1, pieces + 1):
            guesses = next((n for n in range(2000, 0, -1) if total_of(space / n, piece) >= bar), 0)
            crossed += guesses
            used += guesses
        assert used < space
        return crossed / space

    assert crossing(lambda e, piece: e / piece) > 3 / bar
    assert crossing(lambda e, piece: trace_weight(piece) * e) <= 1 / bar


def test_false_accusation_is_a_bound_between_zero_and_one():
    assert false_accusation(-5.0, 100) == 1.0
    assert false_accusation(math.log2(100), 100) == 1.0
    assert false_accusation(40.0, 1024) == pytest.approx(2.0**-30)
    assert 0 < false_accusation(90000.0, 100) <= 1e-300


def test_the_bound_is_written_rounded_up():
    assert bound_text(0.0, 100) == "1"
    assert bound_text(math.log2(100 / 0.034), 100) == "4e-2"
    assert bound_text(math.log2(100 / 0.31), 100) == "0.4"
    assert bound_text(-math.log2(2.9e-41), 1) == "3e-41"
    assert bound_text(math.log2(1 / 9.7e-12), 1) == "1e-11"
    assert bound_text(50000.0, 10) == "4e-15051"


def test_limits_of_a_year_sum_to_the_yearly_limit():
    assert sum(limit_of_incident(k, 1e-4) for k in range(1, 100_000)) == pytest.approx(1e-4, rel=1e-4)
    assert limit_of_incident(1, 1.0) == pytest.approx(6 / math.pi**2)


def test_marks_multiply_canaries(case):
    plain = log2_e_of(case(2), {}, {})
    marked = log2_e_of(case(2, marks={"p0": MarkScore(12.5), "stranger": MarkScore(9.0)}), {}, {})
    assert marked["p0"] == pytest.approx(plain["p0"] + 12.5)
    assert marked["p1"] == plain["p1"]
    assert set(marked) == set(plain)


def test_what_the_leaker_chooses_never_enters_the_bound(case):
    """Which rows leaked, whose exports held them, calls and touches: all of it is his choice, or somebody else's.

    Were "held the rows" a factor, 50 rows of one branch, whose export held one row in 40, would weigh 40^50 for it.
    """
    bare = log2_e_of(case(3, marks={"p0": MarkScore(12.5)}), {}, {})
    events = tuple(
        SideEvent(f"c{n}", ("p0",), kind, True, 0.0) for n in range(50) for kind in ("call", "access")
    )
    told = case(
        3, marks={"p0": MarkScore(12.5, 9, 9, rows_held=50), "p1": MarkScore(0.0, 9, 1, rows_held=50)}, side=events,
        rows=50, rows_recognised=50,
    )  # fmt: skip
    assert log2_e_of(told, {}, {}) == bare
    assert conclude(told).log2_e == conclude(replace(told, side=(), rows_recognised=None)).log2_e
    assert not [one for one in conclude(told).suspects if one.status == "named"]


def test_records_hold_unmasked_roles_of_one_record():
    def hit(canary, record, member=None, **roles):
        return Hit(canary, roles, "leak.zip", member, 0, record)

    found = records_of([
        hit("c1", 1, email="plain"),
        hit("c1", 1, phone="separators"),
        hit("c1", 1, "inner.csv", name="plain"),
        hit("c1", 7, email="plain", phone="masked"),
        hit("c2", 3, phone="masked-middle"),
        hit("c3", 3, phone="base64+masked"),
    ])  # fmt: skip
    assert found == {"c1": (frozenset({"email"}), frozenset({"email", "phone"}), frozenset({"name"}))}
    assert not is_weak("md5")
