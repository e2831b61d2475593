"""What the table's own rules decide of a draft: references, opaque cells, roles."""

from __future__ import annotations

import random
import uuid

from canary.fields.policy import parse_policy
from canary.steps.live_model import LiveColumn, LiveTable, Reference, Row
from canary.steps.seed_adjust import Adjuster, roles_for

TABLE = LiveTable(
    schema=None,
    name="t",
    columns=(
        LiveColumn("id", "integer", nullable=False),
        LiveColumn("phone", "text"),
        LiveColumn("owner", "integer"),
        LiveColumn("extra", "json", nullable=False),
        LiveColumn("photo", "binary"),
        LiveColumn("token", "text"),
    ),
    key=("id",),
    references=(Reference("fk", ("owner",), None, "person", ("id",)),),
)


def row(number: int, **more: str | None) -> Row:
    token = str(uuid.UUID(int=number, version=4))
    return {
        "id": str(number),
        "phone": "1",
        "owner": "5",
        "extra": "{}",
        "photo": None,
        "token": token,
        **more,
    }


def adjusted(draft: Row, sample: list[Row]) -> Row:
    return Adjuster(TABLE, sample, random.Random(1)).adjusted(draft, frozenset({"phone"}))


def test_a_reference_to_nobody_is_replaced_by_one_that_a_host_row_has() -> None:
    sample = [row(1), row(2, owner="7"), row(3, owner=None)]
    assert adjusted(row(9, owner="7"), sample)["owner"] == "7"
    assert adjusted(row(9, owner=None), sample)["owner"] is None
    assert adjusted(row(9, owner="6"), sample)["owner"] in {"5", "7", None}


def test_an_opaque_cell_of_one_row_alone_is_never_copied() -> None:
    common = [row(n, extra='{"vip": 1}', photo="00ff") for n in range(3)]
    sample = [*common, row(4, extra='{"name": "王伟"}', photo="89504e47")]
    assert adjusted(row(9, extra='{"name": "王伟"}', photo="89504e47"), sample) | {"token": ""} == row(
        9, extra='{"vip": 1}', photo="00ff", token=""
    )
    lone = adjusted(row(9, extra='{"name": "王伟"}', photo="89504e47"), sample[-1:])
    assert (lone["extra"], lone["photo"]) == ("{}", None)


def test_a_uuid_is_always_a_fresh_one() -> None:
    sample = [row(n) for n in range(5)]
    token = str(adjusted(dict(sample[0]), sample)["token"])
    assert token not in {each["token"] for each in sample}
    assert uuid.UUID(token).version == 4


def test_roles_follow_policy_then_guess_then_the_tables_own_rules() -> None:
    policy = parse_policy('[dataset]\nname = "d"\n[columns.token]\nrole = "code"\n')
    roles = roles_for(TABLE, {"id": "count", "phone": "phone", "owner": "key", "extra": "text"}, policy)
    assert roles == {
        "id": "key", "phone": "phone", "owner": "category", "extra": "category", "photo": "category", "token": "code",
    }  # fmt: skip
