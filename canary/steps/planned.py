"""The canaries of one release to come, each with its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from canary.model.canary import Canary, Placement, Release
from canary.steps import retained
from canary.store import canaries as store
from canary.store.recipients import is_group_owner
from canary.store.tx import Tx


@dataclass(frozen=True)
class Planned:
    """The canaries of one release to come, each with the real row that it stands before."""

    canaries: tuple[Canary, ...] = ()
    positions: tuple[int, ...] = ()
    rows_in: int = 0
    kept: frozenset[str] = frozenset()  # ids of those that were not issued with this release
    shared: frozenset[str] = frozenset()  # ids of the group canaries among them

    def in_order(self) -> Iterator[tuple[int, Canary]]:
        """Give (position, canary) by position; those at one place in the order they were drawn."""
        pairs = zip(self.positions, self.canaries, strict=True)
        yield from sorted(pairs, key=lambda pair: pair[0])

    def placements(self, release: str) -> list[Placement]:
        """Give the placements in a release."""
        return [Placement(canary.id, release, position) for position, canary in self.in_order()]


NOTHING = Planned()


def of_release(tx: Tx, release: Release) -> Planned:
    """Give the canaries of a release that was made before, at their places."""
    own = [
        (placement, canary) for placement, canary in store.of_release(tx, release.id) if not placement.carried
    ]
    canaries = tuple(canary for _, canary in own)
    shared = frozenset(one.id for one in canaries if is_group_owner(one.recipient))
    places = tuple(placement.position for placement, _ in own)
    return Planned(canaries, places, release.rows_in, shared=shared)


def with_kept(plan: Planned, kept: retained.Kept, key: str) -> Planned:
    """Add canaries that stay to a plan; several before one row stand in the order of their keys."""
    if not kept:
        return plan
    both = [*zip(plan.canaries, plan.positions, strict=True), *kept]
    both.sort(key=lambda pair: (pair[1], retained.natural(pair[0].row.get(key) or "")))
    return replace(
        plan,
        canaries=tuple(canary for canary, _ in both),
        positions=tuple(place for _, place in both),
        kept=plan.kept | frozenset(canary.id for canary, _ in kept),
    )
