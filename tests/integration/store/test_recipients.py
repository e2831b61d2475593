"""Recipients in the registry: ids, the tree, ghosts and mark keys, on both databases."""

from __future__ import annotations

import pytest

from canary.errors import UsageError
from canary.model.people import Recipient, RecipientKind
from canary.store import recipients
from canary.store.registry import Registry

PARTNER = RecipientKind.PARTNER


def person(id_: str, parent: str | None = None) -> Recipient:
    return Recipient(id_, PARTNER, parent=parent)


def test_a_recipient_comes_back_as_it_was_added(registry: Registry) -> None:
    acme = Recipient("Acme.cn_1-x", RecipientKind.INSIDER, "顶点 \x00公司", None, 17)
    with registry.begin() as tx:
        recipients.add(tx, acme)
        recipients.add(tx, Recipient("acme.cn_1-x", RecipientKind.ACCOUNT, parent="Acme.cn_1-x"))
    with registry.read() as tx:
        found = recipients.get(tx, "Acme.cn_1-x")
        assert found == Recipient("Acme.cn_1-x", RecipientKind.INSIDER, "顶点 \ufffd公司", None, 17)
        assert recipients.get(tx, "ACME.CN_1-X") is None
        assert [each.id for each in recipients.list_all(tx)] == sorted(["Acme.cn_1-x", "acme.cn_1-x"])
        assert recipients.count(tx) == 2


@pytest.mark.parametrize("bad", ["", "a b", "a/b", "a\n", "顶点", "a" * 201, "ghost.x"])
def test_bad_ids_are_refused(registry: Registry, bad: str) -> None:
    with pytest.raises(UsageError, match="recipient id"), registry.begin() as tx:
        recipients.add(tx, person(bad))
    with registry.read() as tx:
        assert recipients.count(tx, ghosts=True) == 0


def test_an_import_is_taken_in_any_order_or_not_at_all(registry: Registry) -> None:
    with registry.begin() as tx:
        recipients.add_many(
            tx, [person("leaf", "twig"), person("twig", "root"), person("root"), person("side")]
        )
        assert recipients.ancestors(tx, "leaf") == ["twig", "root"]
        assert recipients.descendants(tx, "root") == ["leaf", "twig"]
        assert recipients.descendants(tx, "side") == []
        assert recipients.parents(tx) == {"leaf": "twig", "twig": "root"}
    with pytest.raises(UsageError, match="'root' exists already"), registry.begin() as tx:
        recipients.add_many(tx, [person("new"), person("root")])
    with pytest.raises(UsageError, match="'leaf' and 1 more exists already"), registry.begin() as tx:
        recipients.add_many(tx, [person("side"), person("leaf")])
    with registry.read() as tx:
        assert recipients.get(tx, "new") is None


def test_repeats_circles_and_unknown_parents_are_refused(registry: Registry) -> None:
    with pytest.raises(UsageError, match="stands twice"), registry.begin() as tx:
        recipients.add_many(tx, [person("a"), Recipient("a", RecipientKind.SYSTEM)])
    with pytest.raises(UsageError, match="their own ancestors"), registry.begin() as tx:
        recipients.add_many(tx, [person("a", "b"), person("b", "a")])
    with pytest.raises(UsageError, match="their own ancestors: a → a"), registry.begin() as tx:
        recipients.add(tx, person("a", "a"))
    with pytest.raises(UsageError, match="no recipient 'nobody' to be a parent"), registry.begin() as tx:
        recipients.add(tx, person("a", "nobody"))
    with registry.read() as tx:
        assert recipients.list_all(tx) == []


def test_the_same_recipient_twice_is_a_repeat_too(registry: Registry) -> None:
    same = person("a")
    with pytest.raises(UsageError, match="stands twice"), registry.begin() as tx:
        recipients.add_many(tx, [same, same])


def test_ghosts_stand_apart_and_are_made_once(registry: Registry) -> None:
    with registry.begin() as tx:
        recipients.add(tx, person("acme"))
        ghosts = recipients.ensure_ghosts(tx, "运单", 8, 33)
        first = dict(recipients.mark_keys(tx))
        assert recipients.ensure_ghosts(tx, "运单", 8, 44) == ghosts
        assert dict(recipients.mark_keys(tx)) == first
        others = recipients.ensure_ghosts(tx, "orders", 2, 33)
    assert len({each.id for each in [*ghosts, *others]}) == 10
    assert all(each.ghost and each.kind == "system" and each.added_ms == 33 for each in ghosts)
    assert all(each.id.startswith("ghost.") for each in ghosts)
    with registry.read() as tx:
        assert [each.id for each in recipients.list_all(tx)] == ["acme"]
        assert (recipients.count(tx), recipients.count(tx, ghosts=True)) == (1, 11)
        everybody = recipients.list_all(tx, ghosts=True)
        assert len(everybody) == 11
        assert recipients.roll(tx) == [(each.id, each.ghost) for each in everybody]


def test_group_canaries_belong_to_a_ghost_of_their_own(registry: Registry) -> None:
    with registry.begin() as tx:
        owner = recipients.ensure_group_owner(tx, "运单", 5)
        assert recipients.ensure_group_owner(tx, "运单", 6) == owner == recipients.group_owner("运单")
        assert recipients.group_owner("orders") != owner
        assert recipients.is_group_owner(owner)
        assert not any(recipients.is_group_owner(each.id) for each in recipients.ensure_ghosts(tx, "运单", 8))
        assert not recipients.is_group_owner("a.groups")
        assert recipients.list_all(tx) == []


def test_mark_keys_are_random_and_open_with_the_master_key(registry: Registry) -> None:
    with registry.begin() as tx:
        recipients.add_many(tx, [person(f"p{number}") for number in range(50)])
    with registry.read() as tx:
        keys = dict(recipients.mark_keys(tx))
        assert recipients.mark_key(tx, "p7") == keys["p7"]
        with pytest.raises(UsageError, match="no recipient 'nobody'"):
            recipients.mark_key(tx, "nobody")
    assert len(set(keys.values())) == 50
    assert {len(each) for each in keys.values()} == {16}
    assert list(keys) == sorted(keys)


def test_a_stream_that_is_left_early_harms_nothing(registry: Registry) -> None:
    with registry.begin() as tx:
        recipients.add_many(tx, [person(f"p{number}") for number in range(5_000)])
        first, _ = next(recipients.mark_keys(tx))
    with registry.read() as tx:
        assert next(recipients.mark_keys(tx))[0] == first
    with registry.begin() as tx:
        assert recipients.count(tx) == 5_000
