"""Simulates leaks of symbols: how often somebody is named at the sizes that were to be reached. No files, no tables.

Symbols come from the keyed function and are scored by canary.fingerprint.score; what is left out is reading cells.
Every leak is scored among its colluders and 24 innocents, with the bar of N recipients.

    python -m benchmarks.marks_symbols [--trials 200]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, exp, lgamma, log, log2

import numpy as np
from numpy.typing import NDArray

from canary.fingerprint.decode import Observations, in_order
from canary.fingerprint.evidence import _averaged
from canary.fingerprint.plan import AnchorPlan, Channel, ColumnPlan, MarkPlan
from canary.fingerprint.prf import blocks_of, dataset_keys, words_of
from canary.fingerprint.score import score

INNOCENTS = 24
LIMIT = 1e-6
KEYS = dataset_keys(b"simulated symbols of no dataset!", "symbols")
# Rows that are enough where what the strategy leaves says too little for 20, 36 and 62; 0: more than there are.
LIMITED = {"average": {2: 60, 3: 120, 5: 250}, "erase": {2: 72, 3: 1100, 5: 0}}
Symbols = NDArray[np.int64]


@dataclass(frozen=True)
class Case:
    """One row of the table: cells of q symbols a row, colluders, what they do, N, and the rows to be reached."""

    name: str
    q: int
    cells: int
    colluders: int
    strategy: str
    recipients: int
    rows: int
    noise: float = 0.0


def plan_of(q: int, cells: int) -> MarkPlan:
    """A plan of `cells` channels of q symbols, all served by one anchor."""
    return MarkPlan(
        "symbols",
        (AnchorPlan(("id",), ("other",)),),
        (ColumnPlan("c", "text"),),
        tuple(Channel("c", str(number), 0, number, q) for number in range(cells)),
    )


def symbols_of(plan: MarkPlan, key: bytes, digests: NDArray[np.uint64]) -> Symbols:
    word = words_of(key, blocks_of(digests, 0))
    tables = [channel.alphabet.table[word[:, channel.slot]] for channel in plan.channels]
    return np.stack(tables, axis=1).astype(np.int64)


def merged(copies: Symbols, strategy: str, rng: np.random.Generator) -> Symbols:
    """One leak from the colluders' symbols [colluders, rows, cells]; −1 is erased."""
    count, rows, cells = copies.shape
    if strategy == "erase":
        return np.where((copies == copies[0]).all(axis=0), copies[0], -1)
    if strategy == "row":
        which = np.repeat(rng.integers(0, count, (rows, 1)), cells, axis=1)
    elif strategy == "cell":
        which = rng.integers(0, count, (rows, cells))
    else:
        votes = (copies[:, None] == copies[None]).sum(axis=1) + rng.random(copies.shape) / 2
        which = votes.argmin(axis=0) if strategy == "minority" else votes.argmax(axis=0)
    return np.take_along_axis(copies, which[None], axis=0)[0]


def observed(plan: MarkPlan, digests: NDArray[np.uint64], leak: Symbols) -> Observations:
    row, cell = np.nonzero(leak >= 0)
    read = Observations(
        plan, digests[row], np.zeros(len(row), np.int64), cell, leak[row, cell], row, np.ones(len(row), bool),
        len(leak), len(leak),
    )  # fmt: skip
    return in_order(read, KEYS)


def trial(case: Case, rows: int, rng: np.random.Generator) -> tuple[bool, bool]:
    """Give whether a colluder is named, and whether an innocent is."""
    plan = plan_of(case.q, case.cells)
    keys = [rng.bytes(16) for _ in range(case.colluders + INNOCENTS)]
    digests = rng.integers(0, 2**63, rows).astype(np.uint64)
    copies = np.stack([symbols_of(plan, key, digests) for key in keys[: case.colluders]])
    leak = merged(copies, case.strategy, rng)
    drawn = rng.integers(0, case.q, leak.shape)
    leak = np.where((rng.random(leak.shape) < case.noise) & (leak >= 0), drawn, leak)
    found = score(observed(plan, digests, leak), keys, LIMIT, case.recipients).log2_m
    named = found >= log2(case.recipients / LIMIT)
    return bool(named[: case.colluders].any()), bool(named[case.colluders :].any())


def interval(hits: int, trials: int) -> tuple[float, float]:
    """The 95 % interval of a rate (Wilson 1927)."""
    z, share = 1.96, hits / trials
    middle = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z * np.sqrt(share * (1 - share) / trials + z * z / (4 * trials**2)) / (1 + z * z / trials)
    return max(0.0, middle - half), min(1.0, middle + half)


def limit_rows(case: Case) -> float:
    """Rows below which no decoder can name with that bound: log2(N/ε) over the information of a row about one of c.

    Where differing cells are erased, the rows of which enough cells are left with chance .95.
    """
    bits = log2(case.recipients / LIMIT)
    if case.strategy == "erase":
        return limit_of_erasing(bits, case.q, case.cells, case.colluders)
    if case.strategy == "average":
        shape = _averaged(case.q, case.colluders)
        there = shape[shape > 0]
        return bits / float(log2(case.q) + (there * np.log2(there)).sum()) / case.cells
    a = (1 - case.noise) / case.colluders
    hit, miss = a + (1 - a) / case.q, (1 - a) * (1 - 1 / case.q)
    information = hit * log2(hit * case.q) + (miss * log2(1 - a) if miss > 0 else 0.0)
    if case.strategy == "row":
        q = case.q**case.cells
        hit, miss = a + (1 - a) / q, (1 - a) * (1 - 1 / q)
        information = (hit * log2(hit * q) + (miss * log2(1 - a) if miss > 0 else 0.0)) / case.cells
    return bits / information / case.cells


def limit_of_erasing(bits: float, q: int, cells: int, colluders: int) -> float:
    """Give the rows of which c copies agree in enough cells with chance .95: one cell in q^(c − 1) is left.

    An innocent has all k symbols that are left with chance q^-k, and nothing else is known of anybody: so k cells are
    needed with q^-k ≤ ε/N, however they are scored.
    """
    needed, chance = ceil(bits / log2(q)), q ** -(colluders - 1)
    mean = 1.0 * needed
    while 1 - sum(exp(-mean + k * log(mean) - lgamma(k + 1)) for k in range(needed)) < 0.95:
        mean *= 1.001
    return mean / chance / cells


def cases() -> list[Case]:
    made = []
    for recipients, one, four in ((1_000, 32, 8), (100_000, 41, 11)):
        made.append(Case("one leaker, 1 bit a row", 2, 1, 1, "cell", recipients, one))
        made.append(Case("one leaker, 4 bits a row", 2, 4, 1, "cell", recipients, four))
    for colluders, cell, row in ((2, (51, 62), (29, 35)), (5, (292, 354), (120, 146))):
        for recipients, by_cell, by_row in zip((1_000, 100_000), cell, row, strict=True):
            name = f"{colluders} colluders, 4 bits a row"
            made.append(Case(f"{name}, cell by cell", 2, 4, colluders, "cell", recipients, by_cell))
            made.append(Case(f"{name}, row by row", 2, 4, colluders, "row", recipients, by_row))
    for colluders, rows in ((2, 20), (3, 36), (5, 62)):
        for strategy in ("cell", "row", "majority", "minority", "average", "erase"):
            name = f"{colluders} colluders, four 16-ary cells, {strategy}"
            enough = LIMITED.get(strategy, {}).get(colluders, rows)
            q = (
                17 if strategy == "average" else 16
            )  # odd: a number moves to the nearest value, sums are not kept
            if enough:
                made.append(Case(name.replace("16", str(q)), q, 4, colluders, strategy, 100_000, enough))
    made.append(Case("half of 16-ary cells drawn anew (55 cells)", 16, 1, 1, "cell", 100_000, 55, 0.5))
    return made


def told(case: Case, trials: int, rng: np.random.Generator) -> tuple[str, bool]:
    results = [trial(case, case.rows, rng) for _ in range(trials)]
    hits, wrong = sum(one for one, _ in results), sum(two for _, two in results)
    low, high = interval(hits, trials)
    line = (
        f"| {case.name} | {case.recipients:,} | {case.rows} | {limit_rows(case):.1f} "
        f"| {hits / trials:.3f} ({low:.3f}–{high:.3f}) | {wrong} |"
    )
    return line, high >= 0.95 and wrong == 0


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--only", default="")
    given = parser.parse_args(arguments)
    rng = np.random.default_rng(20260101)
    print("## Marks: simulated symbols, not files\n")
    print(
        "| case | N | rows to be enough | rows at the limit of one decoder alone | named (95 %) | innocents |"
    )
    print("| --- | --- | --- | --- | --- | --- |")
    good = True
    for case in cases():
        if given.only in case.name and case.strategy != "average":  # numbers are averaged, symbols are not
            line, kept = told(case, given.trials, rng)
            print(line, flush=True)
            good = good and kept
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
