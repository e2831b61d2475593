"""Whether a row fits its table, told without asking the database."""

from __future__ import annotations

import pytest

from canary.steps.live_fit import Mould
from canary.steps.live_mariadb import MariadbTongue
from canary.steps.live_model import Check, LiveColumn, LiveTable, Row

TABLE = LiveTable(
    schema=None,
    name="t",
    columns=(
        LiveColumn("id", "integer", given=True),
        LiveColumn("name", "text", nullable=False, length=4),
        LiveColumn("sex", "text", choices=("男", "女")),
        LiveColumn("age", "integer", low=0, high=200),
        LiveColumn("price", "number"),
        LiveColumn("seen", "timestamp", nullable=False, default=True),
        LiveColumn("photo", "binary"),
    ),
    key=("id",),
    checks=(Check("adult", "age >= 18"),),
)
MOULD = Mould(TABLE, MariadbTongue())
GOOD: Row = {"name": "王伟", "sex": "男", "age": "30", "price": "1.50", "seen": "2024-01-01", "photo": "00FF"}


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({}, None),
        ({"name": None}, "name not null"),
        ({"name": "欧阳娜娜娜"}, "name text"),
        ({"name": "a\0b"}, "name text"),
        ({"sex": "M"}, "sex text"),
        ({"sex": None}, None),
        ({"age": "forty"}, "age integer"),
        ({"age": "201"}, "age integer"),
        ({"age": "-1"}, "age integer"),
        ({"age": "17"}, "adult"),
        ({"price": "cheap"}, "price number"),
        ({"photo": "not hex"}, "photo binary"),
    ],
)
def test_a_misfit_names_its_column_or_constraint(cells: Row, reason: str | None) -> None:
    assert MOULD.misfit(MOULD.cast({**GOOD, **cells})) == reason


def test_an_empty_cell_is_null_or_the_default_where_it_cannot_stand() -> None:
    cast = MOULD.cast({"id": "7", "name": "", "sex": "", "age": "", "seen": ""})
    assert cast == {"name": "", "sex": "", "age": None}
