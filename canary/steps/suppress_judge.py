"""Whether what a caller's files held can be the owner's own data: budgets, base rates and the alarm."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from canary.model.suppress import Known, Window

DAY_MS: Final = 86_400_000
LONG_DAYS: Final = 30  # an attack that keeps below the alarm of a day is summed up for so long
WINDOWS_MS: Final = (0, DAY_MS, LONG_DAYS * DAY_MS)  # the file itself, the last day, the last thirty
FACTOR: Final = 3.0  # times the base rate above which the share of canaries is no longer the owner's
LEVEL: Final = 1e-6  # chance of a false alarm of one check, of data at FACTOR times the base rate
LATELY_DAYS: Final = (
    7  # in a dense series new canaries stand together: a job that takes the newest rows meets all
)
LATELY_SHARE: Final = 0.1  # of its rows
STRAYS: Final = 3  # different canaries of copies that were handed out which own data never holds together


def upper_tail(hits: int, rows: int, share: float) -> float:
    """Give P(X ≥ hits) of a binomial X of so many rows, each a hit with a chance of `share` (exact sum)."""
    rows = max(rows, hits)
    if hits <= rows * share:
        return 1.0
    if share <= 0.0:
        return 0.0
    log = math.lgamma(rows + 1) - math.lgamma(hits + 1) - math.lgamma(rows - hits + 1)
    term = math.exp(log + hits * math.log(share) + (rows - hits) * math.log1p(-share))
    total, odds = term, share / (1.0 - share)
    for count in range(hits, rows):
        term *= (rows - count) / (count + 1) * odds
        total += term
        if term <= total * 1e-12:
            break
    return min(1.0, total)


def window(rows: int, met: Iterable[Known], now_ms: int) -> Window:
    """Count different canaries as the alarm does."""
    different = {one.serial: one for one in met}.values()
    counted = Counter(
        (one.dataset, now_ms - one.seeded_ms < LATELY_DAYS * DAY_MS) for one in different if not one.stray
    )
    return Window(rows, counted, sum(one.stray for one in different))


def alarm(windows: Sequence[Window], shares: Mapping[str, float]) -> str | None:
    """Say why a caller's files cannot be the owner's own data, None where they can.

    Each dataset is tested in each window against FACTOR times its base rate, at LEVEL for all tests together.
    """
    strays = max((one.strays for one in windows), default=0)
    if strays >= STRAYS:
        return f"{strays} canaries of copies that were handed out"
    level = LEVEL / max(1, 2 * len(windows) * len(shares))
    for one in windows:
        for (dataset, lately), hits in sorted(one.met.items()):
            base = max(shares.get(dataset, 0.0), LATELY_SHARE if lately else 0.0)
            if upper_tail(hits, one.rows, min(1.0, FACTOR * base)) < level:
                return (
                    f"{hits} canaries of {dataset} in {one.rows} rows, above {FACTOR:g} times the base rate"
                )
    return None
