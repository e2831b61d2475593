"""Persons come again as often, where, and after as many rows as the host's do."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest

from canary.generators.returning import LEAST, returning, visits_of


def host(rows: int = 20_000, back: float = 300.0) -> list[str]:
    """Draw persons of whom a third stand some hundreds of rows before, and none in the first half."""
    rng, found = random.Random(1), list[str]()
    for row in range(rows):
        ago = 1 + int(rng.expovariate(1 / back))
        again = row > rows // 2 and rng.random() < 1 / 3
        found.append(found[row - ago] if again else f"P{row}")
    return found


def test_visits_are_those_of_the_sample():
    assert visits_of([(3, "a"), (5, "b"), (9, "a"), (10, "a"), (11, "b")]) == [(9, 6), (10, 1), (11, 6)]
    assert visits_of([]) == []


def test_persons_come_again_where_and_when_the_hosts_do():
    cells = host()
    sample = sorted(random.Random(2).sample(range(len(cells)), 4000))
    visits = visits_of((row, cells[row]) for row in sample)
    assert len(visits) > 100
    rng, gaps, later = random.Random(3), list[int](), list[int]()
    for _ in range(30):
        places = sorted(rng.sample(range(len(cells)), 1000))
        last: dict[int, int] = {}
        for place, person in zip(places, returning(places, 0.2, visits, rng), strict=True):
            if person in last:
                gaps.append(place - last[person])
                later.append(place)
            last[person] = place
    assert 0.15 < len(gaps) / 30_000 < 0.21
    assert np.median(gaps) == pytest.approx(np.median([ago for _, ago in visits]), rel=0.2)
    assert np.mean(np.array(later) > len(cells) * 0.45) > 0.97


@pytest.mark.parametrize("known", [0, LEAST])
def test_each_visit_is_followed_by_another_with_the_same_odds(known):
    rng, sizes = random.Random(5), Counter[int]()
    visits = [(row, rng.randrange(1, row)) for row in (rng.randrange(2, 10_000) for _ in range(10 * known))]
    for _ in range(40):
        places = [rng.randrange(10_000) for _ in range(200)]
        sizes.update(Counter(returning(places, 0.3, visits, rng)).values())
    persons = sum(sizes.values())
    assert sizes[1] / persons == pytest.approx(0.7, abs=0.06)
    assert sizes[2] / persons == pytest.approx(0.21, abs=0.06)


def test_hosts_are_themselves_hosted_by_nobody():
    rng = random.Random(6)
    found = returning([rng.randrange(100) for _ in range(50)], 0.8, [(50, 3)] * LEAST, rng)
    assert all(found[host] == host for host in found)
    assert returning([], 0.5, (), rng) == []
    assert returning([5], 0.9, (), rng) == [0]
    assert returning([5, 7], 0.0, (), rng) == [0, 1]
