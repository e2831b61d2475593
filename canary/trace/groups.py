"""Recipients whose copies explain the same observations, judged together set by set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import log2

import numpy as np
from numpy.typing import NDArray

from canary.trace.case import MarkScore, MarkSets
from canary.trace.copies import Copy, Scene, genuine, log2_side, log2_standing
from canary.trace.symmetric import MOST_SOURCES

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

MOST_TOGETHER = 10  # recipients of one group whose every subset is looked at
NOBODY = 1e-4  # what a member that explains nothing counts as, so that sets that explain nothing split evenly


@dataclass(frozen=True, slots=True)
class Group:
    """Connected recipients: subsets of its `core`, and everybody `beyond` it alone.

    `sets` (n, core), `log2_ratio` (n,) and `explained` (n, core) describe the subsets, the empty one first;
    `beyond_ratio`, `beyond_explained` (beyond,) the single ones, and `beyond_alone` what they add to
    others' sets.
    """

    core: tuple[str, ...]
    sets: Bools
    log2_ratio: Floats
    explained: Floats
    beyond: tuple[str, ...]
    beyond_ratio: Floats
    beyond_explained: Floats
    beyond_alone: Floats


def connect(scene: Scene, marked: Iterable[str] = ()) -> list[tuple[str, ...]]:
    """Give the groups of recipients that share an observation; most are of one recipient."""
    leader = {name: name for name in scene.copies}

    def find(name: str) -> str:
        while leader[name] != name:
            leader[name] = leader[leader[name]]
            name = leader[name]
        return name

    holders: dict[int, str] = {}
    for name, copy in scene.copies.items():
        for hit in copy.hits:
            leader[find(name)] = find(holders.setdefault(hit, name))
    for linked in [sorted(sharing) for _, sharing in scene.side] + [sorted(marked)]:
        for name in linked[1:]:
            leader[find(name)] = find(linked[0])
    groups: dict[str, list[str]] = {}
    for name in sorted(scene.copies):
        groups.setdefault(find(name), []).append(name)
    return [tuple(members) for members in groups.values()]


class Judge:
    """Λ of any subset of one group.

    Every hit explained once, by the deepest copy of the subset that holds it.
    """

    def __init__(self, scene: Scene, members: Sequence[str], marks: Marked) -> None:
        self.scene, self.marks = scene, marks
        self.real: dict[int, float] = {}
        self.holders = Counter(hit for name in members for hit in scene.copies[name].hits)
        counts: dict[str, list[tuple[int, str]]] = {}
        for name in members:
            copy = scene.copies[name]
            _, chances = genuine(copy.issued, scene.scores[list(copy.hits)])
            for hit, chance in zip(copy.hits, chances.tolist(), strict=True):
                self.real[hit] = max(self.real.get(hit, 0.0), chance)
            for owner, count in copy.counts.items():
                counts.setdefault(owner, []).append((count, name))
        self.most = {owner: sorted(each, reverse=True)[:2] for owner, each in counts.items()}
        self.rank = {name: -_depth(scene.copies[name]) for name in members}
        self.single = {name: self.log2_ratio((name,)) for name in members}
        ranked = sorted(members, key=lambda name: (self.rank[name], -self.single[name], name))
        self.rank = {name: number for number, name in enumerate(ranked)}

    def log2_ratio(self, chosen: Sequence[str]) -> float:
        """Give log2 Λ of a subset."""
        taken: set[int] = set()
        covered: dict[str, int] = {}
        total = log2_side(self.scene, chosen) + self.marks.log2_ratio(chosen)
        for name in sorted(chosen, key=self.rank.__getitem__):
            copy = self.scene.copies[name]
            total += log2_standing(self._left(copy, taken, covered))
            taken.update(copy.hits)
            for owner, count in copy.counts.items():
                covered[owner] = max(covered.get(owner, 0), count)
        return total

    def _left(
        self, copy: Copy, taken: Container[int], covered: Mapping[str, int]
    ) -> list[tuple[int, Floats]]:
        """Give (issued, scores) by owner of what stands in a copy and in no deeper one."""
        parts = []
        for owner, count in copy.counts.items():
            hits = [hit for hit in copy.hits if hit not in taken and self.scene.hits[hit].owner == owner]
            left = max(count - covered.get(owner, 0), len(hits))
            if left:
                parts.append((left, self.scene.scores[hits]))
        return parts

    def explained(self, chosen: Sequence[str]) -> dict[str, float]:
        """Give the genuine observations each member of a subset explains.

        What several explain is split evenly.
        """
        sharing: dict[int, int] = {}
        for name in chosen:
            for hit in self.scene.copies[name].hits:
                sharing[hit] = sharing.get(hit, 0) + 1
        shares = {
            name: NOBODY + sum(self.real[hit] / sharing[hit] for hit in self.scene.copies[name].hits)
            for name in chosen
        }
        for name, weight in self.marks.explained(chosen).items():
            shares[name] += weight
        return shares

    def exclusive(self, name: str) -> float:
        """Give log2 of the ratio of what no other member holds: all it adds where others explain the rest."""
        copy = self.scene.copies[name]
        shared = {hit for hit in copy.hits if self.holders[hit] > 1}
        return log2_standing(
            self._left(copy, shared, {owner: self.elsewhere(owner, name) for owner in copy.counts})
        )

    def elsewhere(self, owner: str, name: str) -> int:
        """Give the most of an owner's canaries that stand in any other member's copy."""
        return next((count for count, holder in self.most.get(owner, ()) if holder != name), 0)


def _depth(copy: Copy) -> int:
    return sum(1 for owner, count in copy.counts.items() if owner != copy.recipient and count)


@dataclass(frozen=True, slots=True)
class Marked:
    """The marks as sets of sources are weighed by them: everybody's score, and the joint ratios of the best."""

    scores: Mapping[str, MarkScore]
    sets: MarkSets | None = None

    def log2_ratio(self, chosen: Sequence[str]) -> float:
        """Give log2 of the marks' ratio of a source set: whoever is none of the best explains none of the marks."""
        if self.sets is None:
            return log2_of_one(self.scores, chosen)
        if subset := self.sets.subset(chosen):
            return float(self.sets.log2_ratio[subset])
        return min(0.0, log2_of_one(self.scores, chosen))

    def explained(self, chosen: Sequence[str]) -> dict[str, float]:
        """Give the marks each member of a set explains."""
        if self.sets is None:
            return split_marks(self.scores, chosen)
        amounts = self.sets.explained[self.sets.subset(chosen)]
        known = dict(zip(self.sets.members, amounts.tolist(), strict=True))
        return {name: known.get(name, 0.0) for name in chosen}


def log2_of_one(marks: Mapping[str, MarkScore], chosen: Sequence[str]) -> float:
    """Give log2 of the marks' ratio of a source set: one of them, nobody knows which, wrote all marks."""
    scores = [marks[name].log2_m for name in chosen if name in marks]
    if not scores:
        return 0.0
    return float(np.logaddexp2.reduce(np.array(scores))) - log2(len(scores))


def split_marks(marks: Mapping[str, MarkScore], chosen: Sequence[str]) -> dict[str, float]:
    """Give the marks each member explains.

    The best one's agreeing marks, shared out by the members' ratios.
    """
    scored = [name for name in chosen if name in marks]
    if not scored:
        return {}
    ratios = np.exp2([marks[name].log2_m - max(marks[other].log2_m for other in scored) for name in scored])
    best = max(scored, key=lambda name: marks[name].log2_m)
    weights = ratios / ratios.sum() * marks[best].agreeing * (marks[best].log2_m > 0)
    return {name: float(weight) for name, weight in zip(scored, weights, strict=True)}


def judge_alone(scene: Scene, name: str, marks: Marked) -> tuple[float, float]:
    """Give log2 Λ and the genuine observations of a recipient that shares none."""
    copy = scene.copies[name]
    ratio, real = genuine(copy.issued, scene.scores[list(copy.hits)])
    marked = marks.explained((name,)).get(name, 0.0)
    return ratio + log2_side(scene, (name,)) + marks.log2_ratio((name,)), NOBODY + float(real.sum()) + marked


def judge(scene: Scene, members: Sequence[str], marks: Marked) -> Group:
    """Look at every subset of a group of at most ten.

    Of a larger one at those of its best, and at each other alone.
    """
    bench = Judge(scene, members, marks)
    core = _core(members, bench.single)
    beyond = tuple(sorted(set(members).difference(core)))
    subsets = [
        chosen for size in range(min(len(core), MOST_SOURCES) + 1) for chosen in combinations(core, size)
    ]
    sets = np.array([[name in chosen for name in core] for chosen in subsets], dtype=np.bool_)
    explained = np.zeros(sets.shape)
    for number, chosen in enumerate(subsets):
        explained[number, sets[number]] = list(bench.explained(chosen).values())
    return Group(
        core,
        sets,
        np.array([bench.log2_ratio(chosen) if chosen else 0.0 for chosen in subsets]),
        explained,
        beyond,
        np.array([bench.single[name] for name in beyond]),
        np.array([bench.explained((name,))[name] for name in beyond]),
        np.array([bench.exclusive(name) for name in beyond]),
    )


def _core(members: Sequence[str], single: Mapping[str, float]) -> tuple[str, ...]:
    if len(members) <= MOST_TOGETHER:
        return tuple(members)
    ranked = sorted((single[name] for name in members), reverse=True)
    cut = ranked[MOST_TOGETHER]  # ties are kept out whole, so that equals stay equal
    return tuple(name for name in members if single[name] > cut + 1e-9)
