"""Which rows are a canary's: never a real customer's."""

from __future__ import annotations

import pytest

from canary.model.canary import Canary, CanaryField
from canary.steps.suppress_rule import Columns, is_of

ROLES = {
    "id": "key", "buyer": "name", "mail": "email", "phone": "phone", "other_phone": "phone",
    "address": "address", "order": "order_no", "note": "text",
}  # fmt: skip
COLUMNS = Columns(ROLES)
FIELDS = (
    CanaryField("key", "id", "10501", "10501", 3.0),
    CanaryField("order_no", "order", "ORD-10501", "ORD10501", 3.0),
    CanaryField("email", "mail", "Li.Wei77@post.example", "li.wei77@post.example", 36.0),
    CanaryField("phone", "phone", "140 1234 5678", "14012345678", 12.0, shared=True),
    CanaryField("name_address", "address", "李伟|杭州市文三路5号", "李伟|杭州市文三路5号", 30.0),
)
CANARY = Canary("c-1", "ops", "orders", "order", FIELDS, {})
REAL = {"id": "7", "buyer": "王芳", "mail": "w@x.example", "phone": "13000000000", "address": "别处1号"}


def judged(row: dict[str, str | None], ranges: dict[str, tuple[int, int]] | None = None) -> bool:
    return is_of(CANARY, row, COLUMNS, ranges or {})


@pytest.mark.parametrize(
    "cells",
    [
        {"mail": "li.wei77@POST.example"},
        {"id": "10501", "phone": "+86 14012345678"},
        {"order": "ord 10501", "other_phone": "14012345678"},
    ],
)
def test_a_canary_is_known_by_its_alias_or_two_values(cells: dict[str, str]) -> None:
    assert judged({**REAL, **cells})


@pytest.mark.parametrize(
    "cells",
    [
        {},
        {"id": "10501"},
        {"order": "ORD-10501"},
        {"id": "10501", "order": "ORD-10501"},
        {"phone": "14012345678"},
        {"phone": "14012345678", "other_phone": "14012345678"},
        {"note": "li.wei77@post.example 14012345678 10501"},
        {"mail": None, "phone": "", "id": None},
    ],
)
def test_what_a_real_row_can_hold_is_no_canary(cells: dict[str, str | None]) -> None:
    """Not even both numbers: two regions may count in step."""
    assert not judged({**REAL, **cells})


def test_numbers_of_accounts_and_orders_may_run_in_step() -> None:
    fields = (FIELDS[1], CanaryField("account_no", "account", "A10501", "A10501", 3.0))
    columns = Columns({**ROLES, "account": "account_no"})
    row = {**REAL, "order": "ORD-10501", "account": "A10501"}
    assert not is_of(Canary("c-2", "ops", "orders", "order", fields, {}), row, columns, {})
    with_phone = Canary("c-2", "ops", "orders", "order", (*fields, FIELDS[3]), {})
    assert is_of(with_phone, {**row, "phone": "14012345678"}, columns, {})


def test_name_and_address_are_one_value() -> None:
    field = FIELDS[-1]
    fields = (*FIELDS[:-1], CanaryField(*(
        "name_address", field.column, field.value, str(name_address_form()), field.bits
    )))  # fmt: skip
    canary = Canary("c-1", "ops", "orders", "order", fields, {})
    home = {"buyer": "李伟", "address": "杭州市文三路5号"}
    assert not is_of(canary, {**REAL, **home}, COLUMNS, {})
    assert is_of(canary, {**REAL, **home, "id": "10501"}, COLUMNS, {})
    assert is_of(canary, {**REAL, **home, "phone": "14012345678"}, COLUMNS, {})
    assert not is_of(canary, {**REAL, "buyer": "李伟", "id": "10501"}, COLUMNS, {})


def name_address_form() -> str | None:
    from canary.fields.canonical import name_address

    return name_address("李伟", "杭州市文三路5号")


def test_a_key_of_a_reserved_range_suffices_in_its_own_column() -> None:
    reserved = {"order": (10_000, 11_000)}
    assert judged({**REAL, "order": "ORD-10501"}, reserved)
    assert judged({**REAL, "order": "ORD-10501"}, {"order_no": (10_000, 11_000)})
    assert not judged({**REAL, "id": "ORD-10501"}, reserved)
    assert not judged({**REAL, "order": "ORD-10501"}, {"order": (1, 5)})
    assert not judged({**REAL, "phone": "14012345678"}, {"phone": (1, 10**12)})


def test_columns_are_read_by_what_they_can_hold() -> None:
    assert COLUMNS.wanted == ("id", "mail", "phone", "other_phone", "order", "buyer", "address")
    assert Columns({"a": "text", "b": "money"}).wanted == ()
