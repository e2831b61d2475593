"""Probabilities over all source sets of at most eight, exact where recipients share no observation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, log, log2

import numpy as np
from numpy.typing import NDArray

from canary.trace.case import Case, Priors
from canary.trace.copies import Scene, log2_survived, survey
from canary.trace.groups import NOBODY, Group, Marked, connect, judge, judge_alone
from canary.trace.symmetric import MOST_SOURCES, WIDTH, alike, log2_binomial, multiply, outsides

Floats = NDArray[np.float64]

MOST_LEAVES = 256  # recipients outside groups whose sums are exact; the others, all less likely, are averaged
MOST_MARKED = 8  # recipients whose marks are judged together
STEP = 0.5  # of log s in the integral of responsibilities; the trapezoid rule is exact to 1e-7 there
LOG2_E = 1 / log(2)


@dataclass(frozen=True, slots=True)
class Posterior:
    """log2 of Z; for each eligible recipient P(it is a source) and its share, if recipients leaked."""

    log2_z: float
    contributed: Mapping[str, float]
    share: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Lone:
    """Recipients that share no observation: names, log2 Λ and observations explained, most likely first."""

    names: tuple[str, ...]
    log2_ratio: Floats
    explained: Floats


def weigh(case: Case, eligible: Sequence[str], scores: Mapping[str, float], priors: Priors) -> Posterior:
    """Sum over all source sets of eligible recipients; −inf and no shares where nobody is eligible."""
    if not eligible:
        return Posterior(-inf, {}, {})
    marked = _marked(case, eligible)
    scene = survey(case, eligible, scores, marked)
    together = scene.copies if case.mark_sets is not None else marked
    marks = Marked({name: case.marks[name] for name in together if name in case.marks}, case.mark_sets)
    connected = connect(scene, together)
    groups = [judge(scene, members, marks) for members in connected if len(members) > 1]
    alone = {members[0]: judge_alone(scene, members[0], marks) for members in connected if len(members) == 1}
    lone = _gather(case, eligible, scene, alone, groups)
    return _Sum(lone, groups, _size_weights(len(eligible), priors)).result()


def _marked(case: Case, eligible: Sequence[str]) -> list[str]:
    """Give the recipients whose marks are judged together: those of the joint ratios, else the best."""
    able = set(eligible)
    if case.mark_sets is not None:
        return [name for name in case.mark_sets.members if name in able]
    return sorted(able & set(case.marks), key=lambda name: (-case.marks[name].log2_m, name))[:MOST_MARKED]


def _size_weights(eligible: int, priors: Priors) -> Floats:
    possible = min(eligible, MOST_SOURCES)
    total = sum(priors.sources[:possible])
    weights = np.full(WIDTH, -inf)
    for size in range(1, possible + 1):
        prior = priors.sources[size - 1] / total
        weights[size] = log2(prior) - log2_binomial(eligible, size) if prior > 0 else -inf
    return weights


def _gather(
    case: Case,
    eligible: Sequence[str],
    scene: Scene,
    alone: Mapping[str, tuple[float, float]],
    groups: Sequence[Group],
) -> Lone:
    beyond = [name for group in groups for name in group.beyond]
    untouched = [name for name in eligible if name not in scene.copies]
    issued = [case.issued.get(name, 0) for name in untouched]
    if case.carried:
        foreign = (case.carried.get(name, {}) for name in untouched)
        issued = [own + sum(counts.values()) for own, counts in zip(issued, foreign, strict=True)]
    missed = {count: log2_survived(count, np.zeros(0)) for count in set(issued)}
    unmarked = [min(0.0, case.marks[name].log2_m) if name in case.marks else 0.0 for name in untouched]
    ratios = np.array(
        [
            *(ratio for ratio, _ in alone.values()),
            *(ratio for group in groups for ratio in group.beyond_alone.tolist()),
            *(missed[count] + left for count, left in zip(issued, unmarked, strict=True)),
        ]
    )
    explained = np.full(len(ratios), NOBODY)
    explained[: len(alone)] = [amount for _, amount in alone.values()]
    order = np.argsort(-ratios, kind="stable")
    names = [*alone, *beyond, *untouched]
    return Lone(tuple(names[i] for i in order.tolist()), ratios[order], explained[order])


class _Sum:
    """The sum over source sets, at damping 0 and at each node s of ∫ h·e^(−s·h) ds = 1.

    A set's members share its observations: u explains h_u of h(S). With h_u/h(S) = ∫ h_u·e^(−s·h(S)) ds the
    weight of a set stays a product over its members at every node, so that shares cost no enumeration.
    """

    def __init__(self, lone: Lone, groups: Sequence[Group], sizes: Floats) -> None:
        self.lone, self.groups, self.sizes = lone, groups, sizes
        self.leaves = min(len(lone.names), MOST_LEAVES)
        self.nodes = np.concatenate([[0.0], np.exp(self._exponents())])
        self.outside, product = outsides(self._polynomials())
        self.log2_z = float(self._ending(product[:1], 0)[0])

    def _exponents(self) -> Floats:
        """Give log s from where the most explained is not yet damped to where nothing is left."""
        most = float(self.lone.explained.sum()) + sum(
            float(group.explained.max(initial=0.0)) * MOST_SOURCES
            + float(group.beyond_explained.max(initial=0.0))
            for group in self.groups
        )
        return np.arange(log(1e-6 / (most + NOBODY)), log(30 / NOBODY), STEP)

    def _damped(self, log2_ratio: Floats, explained: Floats) -> Floats:
        """Give log2 of Λ·e^(−s·h) at every node, (nodes, n)."""
        return np.asarray(log2_ratio[None, :] - LOG2_E * self.nodes[:, None] * explained[None, :])

    def _polynomials(self) -> Floats:
        """Give every leaf's polynomial at every node.

        Lone recipients, groups, and the crowd, (nodes, leaves, 9).
        """
        count = self.leaves
        parts = np.full((len(self.nodes), count + len(self.groups) + 1, WIDTH), -inf)
        parts[:, :, 0] = 0.0
        parts[:, :count, 1] = self._damped(self.lone.log2_ratio[:count], self.lone.explained[:count])
        for number, group in enumerate(self.groups):
            parts[:, count + number] = self._group_polynomial(group)
        self.crowd = len(self.lone.names) - count
        self.typical = self._typical(count)
        parts[:, -1] = alike(self.typical, self.crowd)
        return parts

    def _group_polynomial(self, group: Group) -> Floats:
        weights = self._damped(group.log2_ratio, group.explained.sum(axis=1))
        single = self._damped(group.beyond_ratio, group.beyond_explained)
        sizes = group.sets.sum(axis=1)
        polynomial = np.full((len(self.nodes), WIDTH), -inf)
        for size in range(int(sizes.max(initial=0)) + 1):
            polynomial[:, size] = np.logaddexp2.reduce(weights[:, sizes == size], axis=1)
        if single.size:
            together = np.concatenate([polynomial[:, 1:2], single], axis=1)
            polynomial[:, 1] = np.logaddexp2.reduce(together, axis=1)
        return polynomial

    def _typical(self, count: int) -> Floats:
        """Give log2 of the crowd's mean Λ·e^(−s·h) at every node."""
        if not self.crowd:
            return np.zeros(len(self.nodes))
        ratios, explained = self.lone.log2_ratio[count:], self.lone.explained[count:]
        idle = explained <= NOBODY
        total = np.full(len(self.nodes), -inf)
        if idle.any():
            total = np.logaddexp2.reduce(ratios[idle]) - LOG2_E * self.nodes * NOBODY
        for start in range(0, int((~idle).sum()), 4096):
            chunk = self._damped(ratios[~idle][start : start + 4096], explained[~idle][start : start + 4096])
            total = np.logaddexp2(total, np.logaddexp2.reduce(chunk, axis=1))
        return np.asarray(total - log2(self.crowd))

    def _ending(self, outside: Floats, size: int) -> Floats:
        """Give log2 Σ_m prior(size + m)·outside[m] along the last axis."""
        return np.asarray(np.logaddexp2.reduce(self.sizes[size:] + outside[..., : WIDTH - size], axis=-1))

    def _integrate(self, weights: Floats, explained: Floats) -> tuple[Floats, Floats]:
        """From log2 weights (nodes, n) of sets and a member's observations (n,) give P(set) and its share."""
        relative = np.exp2(weights - self.log2_z)
        spread = STEP * (self.nodes[1:, None] * relative[1:]).sum(axis=0)
        return relative[0], explained * spread

    def result(self) -> Posterior:
        """Give Z, and for each recipient the probability of being a source and the expected share."""
        names, chance, part = self._of_crowd()
        contributed, share = (
            dict(zip(names, chance.tolist(), strict=True)),
            dict(zip(names, part.tolist(), strict=True)),
        )
        for names, chance, part in [*map(self._of_group, range(len(self.groups))), self._of_lone()]:
            for name, c, p in zip(names, chance.tolist(), part.tolist(), strict=True):
                contributed[name] = min(1.0, contributed.get(name, 0.0) + c)
                share[name] = share.get(name, 0.0) + p
        total = sum(share.values())
        return Posterior(self.log2_z, contributed, {name: part / total for name, part in share.items()})

    def _of_lone(self) -> tuple[Sequence[str], Floats, Floats]:
        count = self.leaves
        own = self._damped(self.lone.log2_ratio[:count], self.lone.explained[:count])
        weights = own + self._ending(self.outside[:, :count], 1)
        return self.lone.names[:count], *self._integrate(weights, self.lone.explained[:count])

    def _of_crowd(self) -> tuple[Sequence[str], Floats, Floats]:
        if not self.crowd:
            return (), np.zeros(0), np.zeros(0)
        others = multiply(self.outside[:, -1], alike(self.typical, self.crowd - 1))
        ending = self._ending(others, 1)
        ratios, explained = self.lone.log2_ratio[self.leaves :], self.lone.explained[self.leaves :]
        nobody = np.array([NOBODY])
        unit = self._integrate(self._damped(np.zeros(1), nobody) + ending[:, None], nobody)
        chance, part = np.exp2(ratios) * unit[0], np.exp2(ratios) * unit[1]
        busy = np.flatnonzero(explained > NOBODY)
        for start in range(0, len(busy), 4096):
            some = busy[start : start + 4096]
            weights = self._damped(ratios[some], explained[some]) + ending[:, None]
            chance[some], part[some] = self._integrate(weights, explained[some])
        return self.lone.names[self.leaves :], chance, part

    def _of_group(self, number: int) -> tuple[Sequence[str], Floats, Floats]:
        group, outside = self.groups[number], self.outside[:, self.leaves + number]
        ending = np.stack([self._ending(outside, size) for size in range(WIDTH)], axis=1)
        sizes = group.sets.sum(axis=1)
        weights = self._damped(group.log2_ratio, group.explained.sum(axis=1)) + ending[:, sizes]
        chance, spread = self._integrate(weights, np.ones(len(sizes)))
        single = self._damped(group.beyond_ratio, group.beyond_explained) + ending[:, 1:2]
        beyond, beyond_part = self._integrate(single, group.beyond_explained)
        return (
            (*group.core, *group.beyond),
            np.concatenate([(group.sets * chance[:, None]).sum(axis=0), beyond]),
            np.concatenate([(group.explained * spread[:, None]).sum(axis=0), beyond_part]),
        )
