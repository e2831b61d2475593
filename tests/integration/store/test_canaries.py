"""Issuing canaries and finding them again, on both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from canary.errors import SafetyError, UsageError
from canary.ledger.entry import canary_leaf, canary_opening
from canary.model.canary import Canary, CanaryField, Placement
from canary.store import canaries
from canary.store.registry import Registry
from canary.store.tables import canaries as rows
from canary.store.tables import identifiers, placements


def make(number: int, recipient: str = "acme", phone: str = "15400000001") -> Canary:
    waybill, alias = f"YT{number:013d}", f"li.wei{number}@mail.example"
    fields = (
        CanaryField("waybill_no", "运单号", waybill, waybill, 23.0),
        CanaryField("phone", "电话", phone, phone, 12.0, shared=True),
        CanaryField("email", "邮箱", alias.upper(), alias, 36.0),
        CanaryField("name", "姓名", "李小伟", "李小伟", 4.0),
    )
    row = {"运单号": waybill, "电话": phone, "姓名": "李小伟", "备注": None, "路径": "\udc80\x00"}
    return Canary(f"c-{number}", recipient, "waybills", "waybill", fields, row, issued_ms=number)


def total(registry: Registry) -> tuple[int, ...]:
    with registry.read() as tx:
        return tuple(
            tx.conn.scalar(select(func.count()).select_from(each)) or 0
            for each in (rows, identifiers, placements)
        )


def test_canaries_come_back_as_they_were_issued(stocked: Registry) -> None:
    batch = [make(1), replace(make(2), control=True, burned_ms=9), make(3)]
    with stocked.begin() as tx:
        canaries.issue(tx, batch)
        assert canaries.by_ids(tx, ["c-3", "c-1", "none", "c-2"]) == [batch[2], batch[0], batch[1]]
        serials = sorted({serial for _, serial, _, _ in canaries.scan_rows(tx)})
        assert canaries.by_serials(tx, [serials[2], 999, serials[0]]) == [batch[2], batch[0]]
    assert list(batch[0].row) == ["运单号", "电话", "姓名", "备注", "路径"]
    with stocked.read() as tx:
        assert list(canaries.by_ids(tx, ["c-1"])[0].row) == list(batch[0].row)


def test_canaries_are_found_by_any_value_of_their_form(issued: Registry) -> None:
    with issued.read() as tx:
        assert [each.id for each in canaries.by_value(tx, "email", "li.wei3@mail.example")] == ["c-3"]
        assert [each.id for each in canaries.by_value(tx, "phone", "15400000001")] == [
            "c-1",
            "c-2",
            "c-3",
            "c-4",
        ]
        as_order = canaries.by_value(tx, "order_no", "YT0000000000002")
        assert [each.id for each in as_order] == ["c-2"]
        assert canaries.by_value(tx, "email", "15400000001") == []
        assert canaries.by_value(tx, "name", "李小伟") == []


def test_a_unique_value_is_issued_once(issued: Registry) -> None:
    before = total(issued)
    again = replace(make(9), fields=(make(2).fields[2], make(3).fields[0], make(9).fields[1]))
    with issued.begin() as tx:
        with pytest.raises(canaries.Collision, match="email, waybill_no") as caught:
            canaries.issue(tx, [make(8), again], [Placement("c-8", "r-1", 0)])
        canaries.issue(tx, [make(7)])
    assert caught.value.roles == ("email", "waybill_no")
    assert caught.value.canaries == ("c-9",)
    assert isinstance(caught.value, SafetyError)
    assert total(issued) == (before[0] + 1, before[1] + 3, before[2])


def test_a_unique_value_twice_in_one_batch_is_a_collision(stocked: Registry) -> None:
    twin = replace(make(2), fields=make(1).fields)
    with stocked.begin() as tx, pytest.raises(canaries.Collision) as caught:
        canaries.issue(tx, [make(1), twin])
    assert caught.value.canaries == ("c-1", "c-2")
    assert total(stocked) == (0, 0, 0)


def test_a_value_is_unique_across_roles_of_one_form(issued: Registry) -> None:
    same = CanaryField("order_no", "订单号", "YT-1", "YT0000000000001", 20.0)
    with issued.begin() as tx, pytest.raises(canaries.Collision) as caught:
        canaries.issue(tx, [replace(make(9), fields=(same,))])
    assert caught.value.roles == ("order_no",)


def test_shared_values_stand_in_many_canaries(stocked: Registry) -> None:
    with stocked.begin() as tx:
        canaries.issue(tx, [make(number, phone="15412345678") for number in range(20)])
        assert len(canaries.by_value(tx, "phone", "15412345678")) == 20
        assert canaries.issued_by_form(tx) == {"code": 20, "phone": 1, "email": 20}


def test_values_without_meaning_get_no_identifier(stocked: Registry) -> None:
    empty = CanaryField("phone", "电话", "", "", 0.0)
    with stocked.begin() as tx:
        canaries.issue(
            tx, [replace(make(1), fields=(empty, make(1).fields[3])), replace(make(2), fields=(empty,))]
        )
    assert total(stocked) == (2, 0, 0)


def test_unknown_names_are_refused_and_nothing_is_written(stocked: Registry) -> None:
    with stocked.begin() as tx:
        with pytest.raises(UsageError, match="do not fit"):
            canaries.issue(tx, [make(1), make(2, "nobody")])
        with pytest.raises(UsageError, match="'r-9', which the releases lack"):
            canaries.issue(tx, [make(1)], [Placement("c-1", "r-9", 0)])
        with pytest.raises(UsageError, match="'c-8', which the canaries lack"):
            canaries.issue(tx, [make(1)], [Placement("c-8", "r-1", 0)])
        canaries.issue(tx, [make(3)])
        with pytest.raises(UsageError, match="exist already"):
            canaries.issue(tx, [replace(make(4), id="c-3")])
    assert total(stocked) == (1, 3, 0)


def test_a_release_gives_its_canaries_by_position(issued: Registry) -> None:
    with issued.begin() as tx:
        carried = [Placement("c-1", "r-2", 4, key="主键-1", carried=True)]
        canaries.issue(tx, [], carried)
        found = canaries.of_release(tx, "r-2")
    assert [(place.canary, place.position, each.id) for place, each in found] == [
        ("c-1", 4, "c-1"),
        ("c-4", 8, "c-4"),
        ("c-3", 9, "c-3"),
    ]
    assert found[0][0] == carried[0]
    with issued.read() as tx:
        assert canaries.of_release(tx, "r-9") == []


def test_a_recipients_canaries_of_a_dataset_leave_controls_out(issued: Registry) -> None:
    with issued.begin() as tx:
        canaries.issue(tx, [replace(make(7), control=True)])
        assert [each.id for each in canaries.of_recipient_dataset(tx, "acme", "waybills")] == ["c-1", "c-2"]
        assert canaries.of_recipient_dataset(tx, "acme", "orders") == []


def test_leaves_bind_salt_and_opening(issued: Registry) -> None:
    with issued.begin() as tx:
        given = canaries.issue(
            tx, [make(7), make(8)], [Placement("c-8", "r-1", 0), Placement("c-7", "r-1", 1)]
        )
        stored = canaries.leaves_of_release(tx, "r-1")
        opened = canaries.opening(tx, "c-7")
        assert canaries.opening(tx, "none") is None
    assert stored[:2] == [("c-8", given[1]), ("c-7", given[0])]
    assert opened is not None
    assert opened[1] == canary_opening(make(7))
    assert canary_leaf(*opened) == given[0]
    assert len({*given, *(leaf for _, leaf in stored)}) == 4


def test_burning_is_noted_once(issued: Registry) -> None:
    with issued.begin() as tx:
        assert canaries.burn(tx, ["c-1", "c-3", "none"], 500) == 2
        assert canaries.burn(tx, ["c-1", "c-2"], 900) == 1
        assert [each.burned_ms for each in canaries.by_ids(tx, ["c-1", "c-2", "c-3", "c-4"])] == [
            500,
            900,
            500,
            None,
        ]
        assert canaries.counts(tx) == canaries.Counts(issued=4, control=0, burned=3)


def test_scan_rows_carry_what_the_index_needs(issued: Registry) -> None:
    with issued.begin() as tx:
        found = list(canaries.scan_rows(tx))
        assert len(found) == 12
        key = int(tx.keys.scan_keys("email", ["li.wei3@mail.example"])[0])
        ((_, serial, form, bits),) = [row for row in found if row[0] == key]
        assert (form, bits) == ("email", 36.0)
        assert [each.id for each in canaries.by_serials(tx, [serial])] == ["c-3"]
        assert {row[1] for row in canaries.scan_rows(tx, after=serial)} == {serial + 1}
        assert set(map(type, found[0])) == {int, str, float}


def test_holdings_tell_who_held_what_since_when(issued: Registry) -> None:
    with issued.begin() as tx:
        canaries.issue(tx, [], [Placement("c-1", "r-2", 0, carried=True)])
        found = list(canaries.holdings(tx))
    assert found[:2] == [("c-1", "acme", "r-1", 100, False), ("c-1", "bolt", "r-2", 200, True)]
    assert [each.canary for each in found] == ["c-1", "c-1", "c-2", "c-3", "c-4"]


def test_serials_go_on_after_what_another_transaction_issued(stocked: Registry) -> None:
    for number in range(3):
        with stocked.begin() as tx:
            canaries.issue(tx, [make(number)])
    with stocked.read() as tx:
        serials = [serial for _, serial, _, _ in canaries.scan_rows(tx)]
    assert len(set(serials)) == 3
