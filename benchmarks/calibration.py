"""Validity and calibration of the verdict, by simulation through the whole of `conclude`.

    python benchmarks/calibration.py            full size, some minutes: docs/figures/calibration.txt
    python benchmarks/calibration.py --small    seconds

The leaks are symbolic: canaries, fields and chance hits are drawn as numbers, no file is written or scanned.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations, product

import numpy as np

from canary.model.evidence import Candidates
from canary.model.verdict import Trace
from canary.trace.case import Case, Held, HitCanary, Holder, IssuedField, Priors
from canary.trace.verdict import assess, conclude, decide

# ---------------------------------------------------------------- validity: one leak, fresh secrets


@dataclass(frozen=True)
class Mix:
    """A small world: fields with their number of equally likely values, canaries a recipient, shape of the leak."""

    name: str
    spaces: Mapping[str, int]
    canaries: int
    leaked: Mapping[str, int]
    grid: bool = False  # every combination of leaked values stands in a row, else value i beside value i
    shared: frozenset[str] = frozenset()


MIXES = (
    Mix("one field, likely hits", {"email": 64}, 8, {"email": 4}),
    Mix("three fields, diagonal rows", {"email": 256, "phone": 128, "waybill_no": 64}, 10,
        {"email": 8, "phone": 8, "waybill_no": 8}),
    Mix("three fields, every combination", {"email": 32, "phone": 32, "waybill_no": 32}, 6,
        {"email": 3, "phone": 3, "waybill_no": 3}, grid=True),
    Mix("a phone shared within a recipient", {"phone": 16, "email": 4096}, 24, {"phone": 1, "email": 16},
        shared=frozenset({"phone"})),
    Mix("shared phone and name", {"phone": 16, "name": 32}, 16, {"phone": 2, "name": 4}, grid=True,
        shared=frozenset({"phone"})),
    Mix("long odds", {"email": 1 << 14, "phone": 1 << 10}, 40, {"email": 4, "phone": 2}),
    Mix("one canary each", {"email": 1 << 12, "waybill_no": 1 << 9}, 1, {"email": 2, "waybill_no": 2}),
    Mix("more candidates than values", {"email": 1 << 12, "phone": 64}, 3, {"email": 16, "phone": 64}),
)  # fmt: skip


def leak_rows(mix: Mix) -> list[tuple[int, ...]]:
    """Give the leak: rows of values, fixed before any secret is drawn."""
    sizes = [mix.leaked[role] for role in mix.spaces]
    if mix.grid:
        return list(product(*map(range, sizes)))
    return [tuple(min(i, size - 1) for size in sizes) for i in range(max(sizes))]


def count_leak(mix: Mix, rows: Sequence[tuple[int, ...]]) -> Candidates:
    """Count what the scan would: distinct values by role, distinct pairs in one row."""
    roles = list(mix.spaces)
    single = {role: len({row[i] for row in rows}) for i, role in enumerate(roles)}
    pairs = combinations(range(len(roles)), 2)
    return Candidates(
        single, {(roles[i], roles[j]): len({(row[i], row[j]) for row in rows}) for i, j in pairs}
    )


def innocents(mix: Mix, count: int, rng: np.random.Generator) -> Case:
    """Draw fresh secrets for `count` recipients that had nothing to do with the leak, and scan it for them."""
    roles, rows = list(mix.spaces), leak_rows(mix)
    values = np.stack([rng.integers(0, mix.spaces[role], (count, mix.canaries)) for role in roles], axis=-1)
    looked_up = [i for i, role in enumerate(roles) if role != "name"]
    touched = np.zeros(values.shape[:2], dtype=bool)
    for i in looked_up:
        touched |= np.isin(values[..., i], [row[i] for row in rows])
    bits = [float(np.log2(mix.spaces[role])) for role in roles]
    hits = []
    for u, k in zip(*np.nonzero(touched), strict=True):
        secret = tuple(values[u, k].tolist())
        found = {frozenset(roles[i] for i, v in enumerate(secret) if row[i] == v) for row in rows}
        records = tuple(sorted((roles_ for roles_ in found if roles_ - {"name"}), key=sorted))
        issued = tuple(
            IssuedField(role, None if role == "name" else role, h, role in mix.shared, f"{role}{v}")
            for role, h, v in zip(roles, bits, secret, strict=True)
        )
        hits.append(HitCanary(f"{u:06d}-{k:03d}", f"u{u}", issued, records, (Holder(f"u{u}", f"r{u}", 0),)))
    names = tuple(f"u{u}" for u in range(count))
    held = {name: (Held(f"r{name[1:]}", 0),) for name in names}
    return Case(names, held, dict.fromkeys(names, mix.canaries), tuple(hits), count_leak(mix, rows))


THRESHOLDS = (*(10.0**k for k in range(6)), 2.0, 5.0, 30.0)


@dataclass
class Validity:
    """How often innocents' E reached t, against 1/t, and its mean."""

    trials: int = 0
    above: dict[float, int] = field(default_factory=lambda: dict.fromkeys(sorted(THRESHOLDS), 0))
    total: float = 0.0
    squares: float = 0.0

    def add(self, log2_e: np.ndarray) -> None:
        """Take in some innocents' log2 E."""
        e = np.exp2(log2_e)
        self.trials += len(e)
        self.total += float(e.sum())
        self.squares += float((e**2).sum())
        for t in self.above:
            self.above[t] += int((e >= t * (1 - 1e-12)).sum())

    @property
    def mean(self) -> float:
        """Give the mean of E."""
        return self.total / self.trials

    @property
    def error(self) -> float:
        """Give the standard error of the mean."""
        return float(np.sqrt(max(self.squares / self.trials - self.mean**2, 0.0) / self.trials))

    def violations(self) -> list[str]:
        """Tell where the bound is exceeded beyond four standard errors of the simulation."""
        told = []
        for t, seen in self.above.items():
            expected = self.trials / t
            if seen > expected + 4 * np.sqrt(expected) + 4:
                told.append(f"P(E >= {t:g}) = {seen / self.trials:.3g} > {1 / t:.3g}")
        if self.mean > 1 + 4 * self.error + 1e-9:
            told.append(f"mean {self.mean:.4f} ± {self.error:.4f}")
        return told


def validate(
    mix: Mix, trials: int, seed: int, at_once: int = 20_000, judge: Callable[[Case], Trace] = conclude
) -> Validity:
    """Score `trials` innocents with fresh secrets against one leak, through the whole of `conclude`."""
    rng, result = np.random.default_rng(seed), Validity()
    for start in range(0, trials, at_once):
        answer = judge(innocents(mix, min(at_once, trials - start), rng))
        result.add(np.array(list(answer.log2_e.values())))
    return result


# ---------------------------------------------------------------- calibration: leaks from the stated priors

KINDS = ({"email": 50.0, "name": 9.0}, {"waybill_no": 23.0, "name": 9.0}, {"email": 50.0, "waybill_no": 23.0})


@dataclass(frozen=True)
class World:
    """A registry: who holds what, by what fields its canaries can be known, and which copies derive from others."""

    names: tuple[str, ...]
    issued: Mapping[str, int]
    bits: Mapping[str, float]
    carried: Mapping[
        str, Mapping[str, tuple[int, ...]]
    ]  # recipient → owner → numbers of the owner's canaries


@dataclass(frozen=True)
class Leak:
    """One simulated leak: the case, who was in it, and the share of what can be attributed that came from each."""

    case: Case
    sources: frozenset[str]
    share: Mapping[str, float]


def draw_world(rng: random.Random) -> World:
    """Draw a registry of 5 to 60 recipients; in some, copies of one recipient were derived from another's."""
    names = tuple(f"p{i}" for i in range(rng.choice((5, 8, 12, 20, 35, 60))))
    rate = round(10 ** rng.uniform(0.5, 2.3))
    issued = {name: max(0, round(rate * rng.uniform(0.3, 2))) for name in names}
    bits = {**rng.choice(KINDS), "phone": rng.uniform(11, 18)}
    carried: dict[str, dict[str, tuple[int, ...]]] = {}
    if rng.random() < 0.3:
        for child in rng.sample(names[1:], min(3, len(names) - 1)):
            parent = rng.choice([name for name in names if name != child and name not in carried])
            kept = rng.choice((1.0, 0.7, 0.3))
            carried[child] = {parent: tuple(k for k in range(issued[parent]) if rng.random() < kept)}
    return World(names, issued, bits, carried)


def draw_leak(rng: random.Random, priors: Priors | None = None) -> Leak:
    """Draw one leak: unknown source, registry compromised or one to eight recipients, by the stated priors."""
    priors = priors or Priors()
    world = draw_world(rng)
    what = rng.choices(
        ("recipients", "unknown", "compromised"), (priors.recipients, priors.unknown, priors.compromised)
    )
    sizes = range(1, min(8, len(world.names)) + 1)
    size = rng.choices(sizes, priors.sources[: len(sizes)])[0]
    sources = frozenset(rng.sample(world.names, size)) if what == ["recipients"] else frozenset()
    genuine = survivors(rng, world, sources)
    if what == ["compromised"]:
        framed = rng.choice(world.names)
        genuine = {(framed, k): frozenset() for k in range(min(3, world.issued[framed]))}
    n = round(10 ** rng.uniform(1.5, 5.5))
    lost = frozenset(role for role in world.bits if rng.random() < 0.3)
    found = {key: roles for key in genuine if (roles := kept_roles(rng, world, lost))}
    share = shares(genuine, found, sources)
    hits = [*observed(world, found), *chance_hits(rng, world, found, lost, n)]
    case = case_of(world, hits, n, lost)
    if what == ["compromised"]:
        case = forged(case, world)
    return Leak(case, sources, share)


def survivors(
    rng: random.Random, world: World, sources: frozenset[str]
) -> dict[tuple[str, int], frozenset[str]]:
    """Give the canaries that survive, (owner, number) → sources whose copies they came from."""
    kept: dict[tuple[str, int], set[str]] = {}
    overall = 10 ** rng.uniform(-2.7, 0)
    parts = {name: rng.gammavariate(rng.choice((0.5, 1, 4)), 1) for name in sorted(sources)}
    most = max(parts.values(), default=1.0)
    for name, part in parts.items():
        copy = [(name, k) for k in range(world.issued[name])]
        copy += [(owner, k) for owner, numbers in world.carried.get(name, {}).items() for k in numbers]
        for key in copy:
            if rng.random() < overall * part / most:
                kept.setdefault(key, set()).add(name)
    return {key: frozenset(names) for key, names in kept.items()}


def kept_roles(rng: random.Random, world: World, lost: frozenset[str]) -> frozenset[str]:
    """Give the roles by which a surviving canary can still be found; a name alone finds nothing."""
    roles = frozenset(role for role in world.bits if role not in lost and rng.random() < 0.85)
    return roles if roles - {"name"} else frozenset()


def shares(
    genuine: Mapping[tuple[str, int], frozenset[str]],
    found: Mapping[tuple[str, int], frozenset[str]],
    sources: frozenset[str],
) -> dict[str, float]:
    """Give each source's share of the canaries found; equal shares where none was found."""
    share = dict.fromkeys(sources, 0.0)
    for key in found:
        for name in genuine[key]:
            share[name] += 1 / len(genuine[key])
    total = sum(share.values())
    return {name: part / total if total else 1 / len(share) for name, part in share.items()}


def observed(world: World, found: Mapping[tuple[str, int], frozenset[str]]) -> Iterator[HitCanary]:
    """Give the hits on surviving canaries."""
    for (owner, number), roles in found.items():
        yield hit_of(world, owner, number, roles)


def chance_hits(
    rng: random.Random,
    world: World,
    found: Mapping[tuple[str, int], frozenset[str]],
    lost: frozenset[str],
    n: int,
) -> Iterator[HitCanary]:
    """Give the hits that chance makes: each field of each canary stands among n candidates with n·2^−bits."""
    for owner, issued in world.issued.items():
        for role in sorted(world.bits.keys() - lost - {"name"}):
            chance = min(1.0, n * 2.0 ** -world.bits[role])
            if chance * issued < 1e-6:
                continue
            for number in range(issued):
                if rng.random() < chance and (owner, number) not in found:
                    yield hit_of(world, owner, number, frozenset({role}))


def hit_of(world: World, owner: str, number: int, roles: frozenset[str]) -> HitCanary:
    """Give one hit canary with all its holders."""
    fields = tuple(
        IssuedField(role, None if role == "name" else role, bits) for role, bits in world.bits.items()
    )
    holders = [Holder(owner, f"r-{owner}", 0)]
    for name, owners in world.carried.items():
        if number in owners.get(owner, ()):
            holders.append(Holder(name, f"r-{name}", 0, carried=True))
    return HitCanary(f"{owner}-{number:05d}", owner, fields, (roles,), tuple(holders))


def case_of(world: World, hits: Sequence[HitCanary], n: int, lost: frozenset[str]) -> Case:
    """Give the case; a canary that was hit by several fields by chance is merged."""
    merged: dict[str, HitCanary] = {}
    for hit in hits:
        known = merged.get(hit.id)
        merged[hit.id] = replace(hit, records=(*known.records, *hit.records)) if known else hit
    ghosts = tuple(f"ghost-{i}" for i in range(8))
    roles = sorted(world.bits.keys() - lost)
    return Case(
        recipients=(*world.names, *ghosts),
        releases={name: (Held(f"r-{name}", 0),) for name in world.names},
        issued=world.issued,
        hits=tuple(merged.values()),
        candidates=Candidates(dict.fromkeys(roles, n), dict.fromkeys(combinations(roles, 2), n)),
        ghosts=frozenset(ghosts),
        carried={name: {o: len(ks) for o, ks in owners.items()} for name, owners in world.carried.items()},
        controls=20,
        rows=n,
    )


def forged(case: Case, world: World) -> Case:
    """Give the case of a forger with the registry: control canaries stand in the leak as well."""
    control = replace(
        hit_of(world, world.names[0], 0, frozenset(world.bits)), id="control-1", owner="", control=True
    )
    return replace(case, hits=(*case.hits, control))


@dataclass
class Calibration:
    """Stated probabilities against the truth, and who was named."""

    leaks: int = 0
    pairs: dict[str, list[tuple[float, float]]] = field(
        default_factory=lambda: {"probability": [], "contributed": []}
    )
    sure: int = 0
    sure_wrong: int = 0
    named: int = 0
    named_wrong: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)

    def add(self, leak: Leak, answer: Trace, contributed: Mapping[str, float]) -> None:
        """Take in one leak and its verdict."""
        self.leaks += 1
        self.outcomes[answer.outcome] = self.outcomes.get(answer.outcome, 0) + 1
        for name, stated in contributed.items():
            self.pairs["contributed"].append((stated, float(name in leak.sources)))
            self.pairs["probability"].append((answer.probabilities[name], leak.share.get(name, 0.0)))
            self.sure += stated >= 0.95
            self.sure_wrong += stated >= 0.95 and name not in leak.sources
        for one in answer.suspects:
            self.named += one.status == "named"
            self.named_wrong += one.status == "named" and one.recipient not in leak.sources

    def table(self, what: str, least: float = 0.0) -> list[tuple[float, float, int]]:
        """Give (stated mean, true mean, number) for ten bins of the stated value."""
        pairs = np.array([pair for pair in self.pairs[what] if pair[0] >= least]).reshape(-1, 2)
        bins = np.minimum((pairs[:, 0] * 10).astype(int), 9)
        rows = [pairs[bins == b] for b in range(10)]
        return [(float(r[:, 0].mean()), float(r[:, 1].mean()), len(r)) for r in rows if len(r)]

    def error(self, what: str, least: float = 0.0) -> float:
        """Give the expected calibration error over ten bins, of stated values of at least `least`."""
        table = self.table(what, least)
        return sum(n * abs(stated - true) for stated, true, n in table) / max(1, sum(n for *_, n in table))


def calibrate(leaks: int, seed: int) -> Calibration:
    """Draw leaks by the stated priors, conclude each, and compare."""
    rng, result = random.Random(seed), Calibration()
    for _ in range(leaks):
        leak = draw_leak(rng)
        assessment = assess(leak.case)
        result.add(leak, decide(assessment), assessment.standing.contributed)
    return result


def main() -> None:
    """Print both tables."""
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--small", action="store_true")
    small = options.parse_args().small
    show_validity(20_000 if small else 100_000)
    show_calibration(300 if small else 10_000)


def show_validity(trials: int) -> None:
    """Print how often innocents reached each threshold."""
    print(
        f"validity: {trials:,} innocents with fresh secrets against one fixed (symbolic) leak, through conclude()"
    )
    print("observed P(E >= t) against the bound 1/t\n")
    for number, mix in enumerate(MIXES):
        began = time.perf_counter()
        result = validate(mix, trials, seed=100 + number)
        tail = "  ".join(f"{t:g}: {seen / result.trials:.2g}" for t, seen in result.above.items() if t > 1)
        verdict = "; ".join(result.violations()) or "holds"
        took = f"{time.perf_counter() - began:.0f} s"
        print(f"{mix.name:34s} mean {result.mean:.4f} ± {result.error:.4f}  {verdict}  ({took})")
        print(f"    {tail}", flush=True)


def show_calibration(leaks: int) -> None:
    """Print stated against true values."""
    began = time.perf_counter()
    result = calibrate(leaks, seed=7)
    took = f"{time.perf_counter() - began:.0f} s"
    print(f"\ncalibration: {result.leaks:,} simulated (symbolic) leaks drawn by the stated priors ({took})")
    print(
        f"outcomes: {dict(sorted(result.outcomes.items()))}; named {result.named:,}, wrongly {result.named_wrong:,}"
    )
    wrong = result.sure_wrong / max(1, result.sure)
    print(f"contributed >= .95: {result.sure:,}, wrong {result.sure_wrong:,} ({wrong:.3%})")
    for what in ("probability", "contributed"):
        everything, from_05 = result.error(what), result.error(what, 0.05)
        print(f"{what}: error over all {everything:.4f}, over stated values >= .05 {from_05:.4f}")
        for stated, true, n in result.table(what):
            print(f"    stated {stated:.3f}  true {true:.3f}  of {n:,}")


if __name__ == "__main__":
    main()
