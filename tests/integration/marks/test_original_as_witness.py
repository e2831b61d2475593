"""With the original at hand there are two witnesses of the same cells: the bound holds for their mean alone.

A number of 33 symbols leaks: what `trace` says of everybody by one row, by another one, and so on, with and without
each mistake.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.marks_home import hold_all, home_of
from canary.fields.policy import parse_policy
from canary.fingerprint import matching
from canary.steps import decoding, informed
from canary.steps.tag import tag
from canary.steps.tagging import TagRequest

ROWS, INNOCENTS = 5, 800
POLICY = """
[dataset]
name = "t"
anchors = [["no"]]
canaries = 0
[columns.no]
role = "order_no"
[columns.size]
role = "measure"
mark = "number"
tolerance = 16
"""


class World:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names = [f"r{number}" for number in range(INNOCENTS + 1)]
        self.tools = home_of(folder, self.names)
        rng = np.random.default_rng(2)
        self.rows = [
            f"OR{5 * n + 10**6},{size}" for n, size in enumerate(rng.integers(10**4, 10**6, ROWS).tolist())
        ]
        self.original = self.write("in.csv", self.rows)
        request = TagRequest(
            str(self.original), ("r0",), str(folder / "out.csv"), policy=parse_policy(POLICY)
        )
        tag(self.tools, request)
        hold_all(self.tools, self.names)
        self.copy = (folder / "out.csv").read_text("utf-8").splitlines()[1:]

    def write(self, name: str, rows: list[str]) -> Path:
        path = self.folder / name
        path.write_text("\n".join(["no,size", *rows]) + "\n", "utf-8")
        return path

    def scores(self) -> np.ndarray:
        """E of everybody from the marks of each row of the copy: a line for a leaked row, the source first in it."""
        made = []
        for row in self.copy:
            leak = self.write("leak.csv", [row])
            found = decoding.marks_of(self.tools, [leak], decoding.Bar(1e-6), original=self.original)
            made.append([found.scores[name].log2_m for name in self.names])
        return np.exp2(made)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    made = World(tmp_path_factory.mktemp("witness"))
    yield made
    made.tools.registry.close()


def is_above_one(found):
    """Whether the mean is above one by more than chance explains: five standard errors."""
    return found.mean() > 1 + 5 * found.std() / found.size**0.5


def added(log2_m):
    return np.logaddexp2.reduce(np.stack(log2_m))


def multiplied(log2_m):
    return np.sum(np.stack(log2_m), axis=0)


def test_the_mean_of_both_witnesses_stays_a_bound(world):
    found = world.scores()
    assert not is_above_one(found[:, 1:])
    assert found[:, 0].mean() > 5


@pytest.mark.parametrize("mistake", [added, multiplied])
def test_adding_or_multiplying_them_breaks_it(world, monkeypatch, mistake):
    monkeypatch.setattr(matching, "averaged", mistake)
    assert is_above_one(world.scores()[:, 1:])


def test_reading_the_same_numbers_twice_breaks_it(world, monkeypatch):
    """The mistake: numbers that the original speaks for are among the marks that multiply it."""
    monkeypatch.setattr(informed, "_of_text", lambda read: read)
    assert is_above_one(world.scores()[:, 1:])
