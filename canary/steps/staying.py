"""What stands in the copies of a table besides new canaries of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from canary.model.canary import Canary
from canary.steps import groups, retained
from canary.steps.planned import Planned, with_kept

if TYPE_CHECKING:
    from canary.generators.profile import HostProfile
    from canary.steps.datasets import Chosen
    from canary.steps.tools import Tools


@dataclass(frozen=True)
class Staying:
    """The canaries of each recipient's earlier copies and those of its groups; `count` is what a copy gets in all.

    `key` names the column in whose order the table stands, empty where it is in the order of none.
    """

    kept: Mapping[str, retained.Kept]
    pool: groups.Pool
    key: str
    count: int

    @classmethod
    def of(
        cls,
        tools: Tools,
        chosen: Chosen,
        profile: HostProfile,
        keys: retained.KeyColumn | None,
        known: Mapping[str, Sequence[Canary]],
        count: int,
        recipients: Sequence[str],
        *,
        room: bool,
        but: Mapping[str, int],
    ) -> Staying:
        """Give what stays of the canaries `known` of earlier copies, and the pool of the groups.

        New ones of a pool only where there is `room`; those that stand in the table already (`but`) are left out.
        """
        kept = retained.covered(known, keys, profile.headings, count) if keys else {}
        pool = groups.pool_for(tools, chosen, recipients, keys, profile, count, room=room, but=but)
        return cls(kept, pool, keys.name if keys else "", count)

    def missing(self, recipient: str) -> int:
        """Give how many new canaries of its own a recipient's copy needs."""
        return max(0, self.count - len(self.kept.get(recipient, ())) - self.pool.count(recipient))

    def joined(self, plan: Planned, shared: Planned, recipient: str) -> Planned:
        """Add what stays to a recipient's plan of new ones; `shared` are the pool's new ones."""
        plan = with_kept(plan, self.kept.get(recipient, ()), self.key)
        return groups.with_groups(plan, self.pool, shared, recipient, self.key)
