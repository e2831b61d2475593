"""Group canaries on their way into copies, and out of what a scan has found.

A dataset has a pool of them, which belongs to no recipient; each copy gets those that its recipient's key picks out.
They are spelt in each copy as its real rows are, else whoever compares two copies would know them by being alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from typing import TYPE_CHECKING

from canary.model.canary import Canary
from canary.model.data import DatasetVersion
from canary.steps import releasing, retained
from canary.steps.marking import SUBKEY
from canary.steps.planned import Planned, with_kept
from canary.steps.tools import Tools
from canary.store import canaries as store
from canary.store import issuing, journal, recipients
from canary.store.ids import new_id
from canary.store.tx import Tx

if TYPE_CHECKING:
    from canary.generators.profile import HostProfile
    from canary.steps.datasets import Chosen

Ids = frozenset[str]


@dataclass(frozen=True)
class Pool:
    """The group canaries that belong into one table: those of before with their places, and the ids of new ones.

    `members` says which of them each recipient has, `order` the keys by which places are found (None: none are).
    """

    kept: retained.Kept = ()
    fresh: tuple[str, ...] = ()
    members: Mapping[str, Ids] = field(default_factory=dict)
    order: retained.KeyColumn | None = None
    rows: int = 0

    def count(self, recipient: str) -> int:
        """Give how many of them a recipient has."""
        return len(self.members.get(recipient, ()))


NO_POOL = Pool()


def wanted(chosen: Chosen) -> bool:
    """Tell whether a policy asks for group canaries."""
    return chosen.policy is not None and chosen.policy.group_canaries > 0


def copies(chosen: Chosen) -> int:
    """Give for how many copies' canaries the pool of a table needs places."""
    from canary.fingerprint.groups import pool_size

    return ceil(pool_size(100, chosen.policy.group_canaries) / 100) if chosen.policy else 0


def pool_for(
    tools: Tools,
    chosen: Chosen,
    names: Sequence[str],
    keys: retained.KeyColumn | None,
    profile: HostProfile,
    count: int,
    *,
    room: bool = True,
    but: Mapping[str, int] | None = None,
) -> Pool:
    """Give the pool of a table whose copies get `count` canaries; new ones only where there is `room` for them.

    Those that stand in the table already (`but`) are left out.
    """
    from canary.fingerprint.groups import members_of, pool_size

    if chosen.policy is None or not wanted(chosen) or not profile.rows:
        return NO_POOL
    with tools.registry.read() as tx:
        mark_keys = {one: recipients.mark_key(tx, one) for one in names}
        owner = recipients.group_owner(chosen.version.dataset)
        known = [
            one
            for one in store.of_recipient_dataset(tx, owner, chosen.version.dataset)
            if one.burned_ms is None and one.id not in (but or {}) and set(one.row) == {*profile.headings}
        ]
    kept = tuple((one, at) for one in known if (at := place_of(one, keys, profile.rows)) is not None)
    short = pool_size(count, chosen.policy.group_canaries) - len(kept) if room else 0
    fresh = tuple(new_id("c-") for _ in range(short))
    ids = [*(one.id for one, _ in kept), *fresh]
    secret = tools.keys.derive(SUBKEY)
    members = {
        name: frozenset(
            [one for one, mine in zip(ids, members_of(secret, key, ids), strict=True) if mine][:count]
        )
        for name, key in mark_keys.items()
    }
    return Pool(kept, fresh, members, keys, profile.rows)


def place_of(canary: Canary, keys: retained.KeyColumn | None, rows: int) -> int | None:
    """Give the row before which a group canary stands in every copy, None where it does not belong into the table."""
    if keys is None:
        return int.from_bytes(canary.id.encode()[-7:], "big") % (rows + 1)
    key = canary.row.get(keys.name)
    return keys.place_of(key) if key else None


def drawn(pool: Pool, made: Planned) -> Planned:
    """Give the new ones of a pool their ids, and the places that every later copy finds again."""
    canaries = tuple(replace(one, id=id) for one, id in zip(made.canaries, pool.fresh, strict=True))
    found = [place_of(one, pool.order, pool.rows) for one in canaries]
    places = tuple(at if one is None else one for one, at in zip(found, made.positions, strict=True))
    return replace(made, canaries=canaries, positions=places)


def with_groups(plan: Planned, pool: Pool, fresh: Planned, recipient: str, key: str) -> Planned:
    """Add to a recipient's plan the group canaries that are its own."""
    mine = pool.members.get(recipient, frozenset())
    every = (*pool.kept, *zip(fresh.canaries, fresh.positions, strict=True))
    shared = tuple(pair for pair in every if pair[0].id in mine)
    if not shared:
        return plan
    return replace(with_kept(plan, shared, key), shared=frozenset(one.id for one, _ in shared))


def issue(tx: Tx, tools: Tools, version: DatasetVersion, fresh: Sequence[Canary]) -> None:
    """Issue the new canaries of a dataset's pool, with their ledger entry."""
    if not fresh:
        return
    now = tools.clock.now_ms()
    owner = recipients.ensure_group_owner(tx, version.dataset, now)
    mine = [replace(one, recipient=owner, dataset=version.dataset, issued_ms=now) for one in fresh]
    leaves = issuing.issue(tx, mine)
    root = releasing.canary_root(tools, mine[0].id, leaves)
    body = {"dataset": version.dataset, "version": version.sha256, "canary_root": root}
    journal.append(tx, "groups", body, tools.signer, now)
