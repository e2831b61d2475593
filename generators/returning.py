"""Who comes again: as many as the host's persons, as often each, and where and after as many rows as they do."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import pairwise
from random import Random

LEAST = 20  # visits below which nothing is learned of them
NEAR = 0.05  # of the table, to either side of a visit of the sample, in which a canary's is put

Visit = tuple[int, int]  # a row, and how many rows before it the same person stands


def visits_of(values: Iterable[tuple[int, str]]) -> list[Visit]:
    """Give the rows whose value stands before; `values` are some rows' numbers, rising, and values.

    Two visits are met as seldom in a sample of rows however far apart they are: its visits are the table's.
    """
    last: dict[str, int] = {}
    found = []
    for row, value in values:
        if value in last:
            found.append((row, row - last[value]))
        last[value] = row
    return found


def returning(places: Sequence[int], share: float, visits: Sequence[Visit], rng: Random) -> list[int]:
    """Give for each of some rows, which stand at `places`, the row whose person it has: itself or, a share, another.

    Each visit is followed by another one with the same odds, and by no more than one.
    """
    links = sum(rng.random() < share for _ in places)
    before = _before(places, links, visits, rng) if len(visits) >= LEAST else _anyhow(len(places), links, rng)
    hosts = list(range(len(places)))
    for row in range(len(places)):
        last = row
        while last in before:
            last = before[last]
        hosts[row] = last
    return hosts


def _anyhow(count: int, links: int, rng: Random) -> dict[int, int]:
    """Put some rows behind any other ones."""
    order = list(range(count))
    rng.shuffle(order)
    pairs = list(pairwise(order))
    return {row: last for last, row in rng.sample(pairs, min(links, len(pairs)))}


def _before(places: Sequence[int], links: int, visits: Sequence[Visit], rng: Random) -> dict[int, int]:
    """Put some rows behind others as visits of the sample stand."""
    starts = sorted((place, row) for row, place in enumerate(places))
    ends, before, reach = list(starts), dict[int, int](), NEAR * max(places, default=0)
    for _ in range(links):
        row, distance = rng.choice(visits)
        at = _nearest(starts, row + rng.uniform(-reach, reach), len(starts))
        later = starts[at]
        free = bisect_left(ends, later)
        if free:
            del starts[at]
            before[later[1]] = ends.pop(_nearest(ends, later[0] - distance, free))[1]
    return before


def _nearest(rows: Sequence[tuple[int, int]], wanted: float, stop: int) -> int:
    """Give which of the first so many rows stands nearest a place."""
    at = min(bisect_left(rows, (wanted, -1)), stop - 1)
    return at - 1 if at and wanted - rows[at - 1][0] < rows[at][0] - wanted else at
