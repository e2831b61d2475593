"""Innocents with fresh secrets against fixed leaks: the bound holds, and each mistake that voids it shows."""

from __future__ import annotations

from dataclasses import replace
from math import log2

import numpy as np
import pytest

from canary.trace import bound, evalue, verdict
from canary.trace.verdict import conclude


def run(simulation, name, trials, judge=conclude):
    mix = next(each for each in simulation.MIXES if each.name == name)
    return simulation.validate(mix, trials, seed=5, at_once=1500, judge=judge)


@pytest.mark.parametrize("number", range(8))
def test_innocents_reach_t_at_most_once_in_t(simulation, number):
    result = simulation.validate(simulation.MIXES[number], 2000, seed=number, at_once=1000)
    assert result.violations() == []
    assert result.mean > 0.9  # evidence is not simply thrown away


def test_the_simulation_reaches_high_values_at_all(simulation):
    result = run(simulation, "one field, likely hits", 6000)
    assert result.above[5.0] > 0
    assert result.violations() == []


def test_not_paying_for_the_number_of_tuples_shows(simulation, monkeypatch):
    def unpaid(shape, records, candidates, stale=frozenset()):
        return honest(shape, records, candidates, stale) * len(evalue.tuples_of(evalue.merge_roles(shape)))

    honest = evalue.score
    roles = ("email", "phone", "waybill_no", "order_no")
    mix = simulation.Mix("four fields of one canary", dict.fromkeys(roles, 16), 1, dict.fromkeys(roles, 1))
    assert simulation.validate(mix, 3000, 5, 1500).violations() == []
    monkeypatch.setattr(evalue, "score", unpaid)
    assert simulation.validate(mix, 3000, 5, 1500).violations() != []


def test_picking_the_best_survival_shows(simulation, monkeypatch):
    def best(issued, scores):
        total = max(issued, len(scores))
        survivals = np.array([1 / total, *evalue.SURVIVALS])
        return float(evalue.log2_products(survivals, total, np.asarray(scores, dtype=np.float64)).max())

    name = "one field, likely hits"
    assert run(simulation, name, 3000).violations() == []
    monkeypatch.setattr(bound, "log2_c", best)
    assert run(simulation, name, 3000).violations() != []


def test_counting_a_shared_phone_in_every_canary_shows(simulation):
    def per_row(case):
        hits = tuple(
            replace(hit, fields=tuple(replace(f, shared=False, token="") for f in hit.fields))
            for hit in case.hits
        )
        return conclude(replace(case, hits=hits))

    mix = simulation.Mix("one phone in all", {"phone": 32}, 1, {"phone": 1}, shared=frozenset({"phone"}))

    def spread(case):
        """Give every recipient ten canaries that all carry the number it drew."""
        hits = tuple(replace(hit, id=f"{hit.id}-{k}") for hit in case.hits for k in range(10))
        return replace(case, hits=hits, issued=dict.fromkeys(case.issued, 10))

    ours = simulation.validate(mix, 3000, 5, 1500, lambda case: conclude(spread(case)))
    theirs = simulation.validate(mix, 3000, 5, 1500, lambda case: per_row(spread(case)))
    assert ours.violations() == []
    assert theirs.violations() != []


def test_nobody_innocent_is_named_by_any_of_the_worlds(simulation):
    rng = np.random.default_rng(1)
    for mix in simulation.MIXES[:4]:
        answer = verdict.conclude(simulation.innocents(mix, 500, rng))
        assert [one for one in answer.suspects if one.status == "named"] == []
        assert max(answer.log2_e.values()) < log2(500 / 1e-6)
