"""What makes a seeding the same one again, and how its keys and target are kept."""

from __future__ import annotations

from dataclasses import replace

import pytest

from canary.errors import OutsideError
from canary.fields.policy import parse_policy
from canary.steps.live_model import LiveColumn, LiveTable
from canary.steps.livedb import LiveDb
from canary.steps.seed_model import SeedRequest, Target, identity, key_text, read_key, shown_keys

ASKED = SeedRequest("mysql://app:one@h/d", "t", "acme", 5, request="q")


def name_of(request: SeedRequest, attempt: int = 0) -> str:
    return identity(request, LiveDb.at(request.url), attempt)


def test_the_password_does_not_make_another_seeding_but_all_else_does() -> None:
    same = name_of(ASKED)
    assert name_of(replace(ASKED, url="mariadb://app:two@h/d")) == same
    policy = parse_policy('[dataset]\nname = "d"\n')
    others = [
        name_of(replace(ASKED, **{name: value}))
        for name, value in {
            "url": "mysql://h/e", "table": "u", "recipient": "b", "count": 6, "request": "r",
            "policy": policy, "dataset": "x",
        }.items()
    ]  # fmt: skip
    assert len({same, name_of(ASKED, 1), *others}) == 9


def test_without_a_request_every_call_is_its_own() -> None:
    asked = replace(ASKED, request=None)
    assert name_of(asked) != name_of(asked)


def test_keys_keep_their_text_and_show_numbers_as_numbers() -> None:
    table = LiveTable(None, "t", (LiveColumn("town", "text"), LiveColumn("no", "integer")), ("town", "no"))
    assert read_key(key_text(("北京", "3"))) == ("北京", "3")
    assert read_key(None) == ()
    assert shown_keys(table, [("北京", "3")]) == (["北京", 3],)
    assert shown_keys(replace(table, key=("no",)), [("3",)]) == (3,)


def test_a_target_is_read_back_and_a_damaged_one_told() -> None:
    target = Target("mysql://app:s3cret@h/d", "shop.orders")
    assert Target.read(target.text()) == target
    for damaged in ("", "[]", '{"url": "x"}'):
        with pytest.raises(OutsideError, match="no readable target"):
            Target.read(damaged)
