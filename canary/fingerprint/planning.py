"""How many canaries and marks are enough for somebody's sizes, and the chance that a leak then names its source.

A pack is drawn evenly from a copy's rows, and each of its rows survives cleaning alike. What a number of bits names is
the bound's own arithmetic, log2(N/ε) and the weights; that the decoder keeps to it is measured in docs/fingerprint.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, erf, exp, lgamma, log, log2, sqrt
from typing import Final

LIMIT: Final = 1e-6
WEIGHTS: Final = 2.0  # bits that the mixture over circumstances and the canaries' .9 take from marks
CANARY_BITS: Final = (
    20.0  # of one canary by two fields: a key from a gap of 10^6 or more, and what stands beside it
)
CANARY_WEIGHT: Final = 9.0  # bits that the canaries' mixture takes from their product
ENOUGH: Final = 0.95
# Share of a row's bits that c colluders leave about one of them, cell by cell, where its cells are binary; wider cells
# leave more. Fitted to simulated leaks (tests/unit/fingerprint/test_planning_simulated.py).
COLLUSION: Final = {1: 1.0, 2: 0.286, 3: 0.14, 4: 0.076, 5: 0.05, 6: 0.033, 7: 0.024, 8: 0.018}
SPREAD: Final = (
    0.35  # standard deviation of the bits read, for each row's bits and root of the rows that count
)


@dataclass(frozen=True, slots=True)
class Expected:
    """What is to be expected of one size of pack: rows left of it, and the two chances."""

    pack: int
    left: int
    p_canary: float
    p_named: float


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is enough: canaries a copy, marked bits a row; with the two chances, and those of other sizes of pack."""

    canaries: int
    marks_per_row: float
    p_canary: float
    p_named: float
    table: tuple[Expected, ...]


def plan_for(
    rows: int,
    pack: int,
    *,
    survival: float = 1.0,
    recipients: int = 100,
    colluders: int = 1,
    canaries: float | None = None,
    bits_a_row: float = 4.0,
) -> Outlook:
    """Say what is enough; `canaries` is a count from 1 on or a share below, None for the fewest with .95 to be seen."""
    pack = min(pack, rows)
    count = enough_canaries(rows, pack, survival) if canaries is None else _count(canaries, rows)
    sizes = sorted({max(1, min(rows, round(pack * factor))) for factor in (0.1, 0.3, 1, 3, 10)} | {pack})
    told = [expected(rows, size, survival, recipients, colluders, count, bits_a_row) for size in sizes]
    mine = told[sizes.index(pack)]
    left = max(1, mine.left)
    needed = bar(recipients) / (left * COLLUSION[colluders])
    return Outlook(count, round(needed, 2), mine.p_canary, mine.p_named, tuple(told))


def _count(canaries: float, rows: int) -> int:
    return int(canaries) if canaries >= 1 else ceil(round(canaries * rows, 9))


def bar(recipients: int) -> float:
    """Give the bits that name one of so many recipients, the weights among them."""
    return log2(max(1, recipients) / LIMIT) + WEIGHTS


def expected(
    rows: int, pack: int, survival: float, recipients: int, colluders: int, canaries: int, bits_a_row: float
) -> Expected:
    """Give the chances for one size of pack."""
    left = round(pack * survival)
    p_marks = chance_of_bits(left * COLLUSION[colluders], bits_a_row, bar(recipients))
    copies = rows + canaries
    wanted = ceil((log2(max(1, recipients) / LIMIT) + CANARY_WEIGHT) / CANARY_BITS)
    share = survival / colluders
    p_canary = 1.0 - below(copies, canaries, pack, share, 1)
    p_by_canaries = 1.0 - below(copies, canaries, pack, share, wanted)
    return Expected(pack, left, p_canary, 1.0 - (1.0 - p_marks) * (1.0 - p_by_canaries))


def chance_of_bits(rows: float, bits_a_row: float, needed: float) -> float:
    """Give the chance that the bits of some rows, spread about their mean, reach what is needed."""
    mean = rows * bits_a_row
    if mean <= 0:
        return 0.0
    deviation = SPREAD * bits_a_row * sqrt(rows)
    return 0.5 * (1.0 + erf((mean - needed) / (deviation * sqrt(2))))


def enough_canaries(rows: int, pack: int, survival: float) -> int:
    """Give the fewest canaries of which a pack holds one with chance .95."""
    share = pack * survival / rows
    if share <= 0:
        return 0
    low, high = 1, 1
    while 1.0 - below(rows + high, high, pack, survival, 1) < ENOUGH and high < rows:
        low, high = high, high * 2
    while low < high:
        middle = (low + high) // 2
        if 1.0 - below(rows + middle, middle, pack, survival, 1) < ENOUGH:
            low = middle + 1
        else:
            high = middle
    return low


def below(copies: int, canaries: int, pack: int, survival: float, wanted: int) -> float:
    """Give the chance that fewer than `wanted` canaries stand in what survives of a pack.

    The pack is hypergeometric, survival thins it: the sum over drawn canaries of both.
    """
    total = 0.0
    for drawn in range(min(canaries, pack) + 1):
        if pack - drawn > copies - canaries:
            continue
        chance = exp(_log_hypergeometric(copies, canaries, pack, drawn))
        total += chance * _thinned(drawn, survival, wanted)
        if drawn > wanted and chance < 1e-18 and drawn > pack * canaries / copies:
            break
    return min(1.0, total)


def _thinned(drawn: int, survival: float, wanted: int) -> float:
    """Give the chance that fewer than `wanted` of the drawn survive."""
    if drawn < wanted:
        return 1.0
    if survival >= 1.0:
        return 0.0
    if survival <= 0.0:
        return 1.0
    return sum(
        exp(_log_choose(drawn, kept) + kept * log(survival) + (drawn - kept) * log(1 - survival))
        for kept in range(wanted)
    )


def _log_hypergeometric(copies: int, canaries: int, pack: int, drawn: int) -> float:
    return (
        _log_choose(canaries, drawn)
        + _log_choose(copies - canaries, pack - drawn)
        - _log_choose(copies, pack)
    )


def _log_choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
