"""Columns that go with a person only by way of a hub: taken from another row that has the hub's value."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from canary.generators.balance import Balance
from canary.generators.bonds import Hub
from canary.generators.copying import Plain
from canary.generators.profile import Row

Pair = tuple[int, int]  # two rows of the sample that have one person
NEAR = 40  # rows of a hub's value to either side of a place, out of which one is taken
CHOICE = 8  # of them that are drawn, for the one whose turn it is


@dataclass(frozen=True, slots=True)
class Crossing:
    """A hub, the parts that another row may give, and the rows of the sample that have each of its values, rising.

    `rest` are the hub and what stays with it; `lasting`: so it does when a person comes again.
    """

    hub: str
    parts: tuple[tuple[str, ...], ...]
    rest: tuple[str, ...]
    lasting: bool
    rows: Mapping[str, Sequence[int]]

    @classmethod
    def of(
        cls, hub: Hub, group: set[str], plain: Plain, kept: set[str], sample: Sequence[Row], visits: Sequence[Pair]
    ) -> Crossing | None:  # fmt: skip
        """Take the parts of a hub without those that tell of a person or a time (`kept`); None where none is left.

        `visits` are the pairs of rows of the sample that have one person.
        """
        free = [tuple(sorted(part)) for part in hub.parts if not part & kept]
        if len(free) == len(hub.parts):  # one stays with the row
            free.remove(max(free, key=len))
        rows: dict[str, list[int]] = {}
        for at, row in enumerate(sample):
            rows.setdefault(row.get(hub.heading) or "", []).append(at)
        same = sum(sample[one].get(hub.heading) == sample[other].get(hub.heading) for one, other in visits)
        rest = tuple(sorted(group.difference(*free)))
        found = cls(hub.heading, tuple(sorted(free)), rest, 2 * same > len(visits), rows)
        return found if free and hub.heading in plain.copied else None

    def cross(
        self, row: dict[str, str | None], near: int, far: int, sample: Sequence[Row], plain: Plain,
        balances: Sequence[Balance], rng: Random,
    ) -> None:  # fmt: skip
        """Put cells of other rows into a row: of rows near index `near`, though not nearer than `far`."""
        import numpy as np

        rows = self.rows.get(row.get(self.hub) or "", ())
        at = bisect_left(rows, near)
        some = [one for one in rows[max(0, at - NEAR) : at + NEAR] if abs(one - near) >= far]
        if len(some) < CHOICE:
            return
        for part, balance in zip(self.parts, balances, strict=True):
            (chosen,) = balance.choose(np.array([[rng.choice(some) for _ in range(CHOICE)]]))
            other = sample[int(chosen)]
            if plain.tame(part, other):
                row.update((name, other.get(name)) for name in part)
