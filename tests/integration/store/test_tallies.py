"""Counts and bulk look-ups of what was issued, on both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from canary.errors import OutsideError
from canary.keys import Keys
from canary.model.canary import Canary, Placement
from canary.model.data import DatasetVersion
from canary.model.people import Recipient, RecipientKind
from canary.store import canaries, datasets, lookups, recipients, tallies
from canary.store.registry import Registry


def test_canaries_are_counted_by_owner_before_and_after_a_time(issued: Registry) -> None:
    with issued.begin() as tx:
        assert tallies.issued(tx, None) == ({"acme": 2, "bolt": 2}, {})
        assert tallies.issued(tx, 150) == ({"acme": 2}, {"bolt": 2})
        canaries.burn(tx, ["c-1"], 120)
        assert tallies.issued(tx, 150) == ({"acme": 1}, {"bolt": 2})
        assert tallies.issued(tx, 110) == ({"acme": 2}, {"bolt": 2})
        assert tallies.issued(tx, None) == ({"acme": 1, "bolt": 2}, {})


def test_carried_canaries_are_counted_by_holder_and_owner(issued: Registry) -> None:
    with issued.begin() as tx:
        assert tallies.carried(tx) == {}
        canaries.issue(tx, [], [Placement(each, "r-2", 0, carried=True) for each in ("c-1", "c-2")])
        assert tallies.carried(tx) == {"bolt": {"acme": 2}}


def test_releases_and_controls_are_told(issued: Registry) -> None:
    with issued.begin() as tx:
        assert tallies.held(tx) == [("acme", "r-1", 100), ("bolt", "r-2", 200)]
        assert tallies.controls(tx) == 0
        (one,) = canaries.by_ids(tx, ["c-1"])
        canaries.issue(tx, [replace(one, id="c-9", fields=(), control=True)])
        assert tallies.controls(tx) == 1


def test_unique_values_are_looked_up_in_bulk(issued: Registry) -> None:
    with issued.read() as tx:
        unique = tx.keys.digest("email", "li.wei3@mail.example")
        shared = tx.keys.digest("phone", "15400000001")
        assert lookups.unique_by_digest(tx, [unique, shared, bytes(16)]) == {unique: "c-3"}


@pytest.mark.postgresql
def test_a_value_postgresql_refuses_in_bulk_is_told(postgresql_url: str, keys: Keys) -> None:
    registry = Registry.create(postgresql_url, keys)
    try:
        with registry.begin() as tx:
            datasets.put_version(tx, DatasetVersion("f" * 64, "waybills", (), ""))
            recipients.add(tx, Recipient("acme", RecipientKind.PARTNER))
        with pytest.raises(OutsideError, match="too long"), registry.begin() as tx:
            canaries.issue(tx, [Canary("c-1", "acme", "waybills", "k" * 65, (), {})])
        with registry.read() as tx:
            assert canaries.counts(tx).issued == 0
    finally:
        registry.close()
