"""Breaches as the domain search of Have I Been Pwned tells them."""

from __future__ import annotations

import json

import pytest

from canary.errors import OutsideError
from canary.monitors import hibp
from tests.watch_tools import CannedFetch, reply

URL = "https://haveibeenpwned.com/api/v3/breacheddomain/alias.example.com"
MONITOR = hibp.monitor({"domain": "alias.example.com", "api_key": "s3cret"})


def answer(told: object, status: int = 200) -> CannedFetch:
    return CannedFetch({URL: reply(json.dumps(told), status)})


def test_each_breach_is_told_with_its_addresses_and_again_when_it_has_more() -> None:
    # as the documentation has it: aliases with the names of their breaches
    told = {"zhang.wei1": ["Adobe"], "zhang.wei2": ["Adobe", "Gawker"], "zhang.wei3": ["Stratfor"]}
    fetch = answer(told)
    first = MONITOR.poll(None, fetch)
    assert [item.key for item in first.items] == [
        f"alias.example.com/{name}" for name in ("Adobe", "Gawker", "Stratfor")
    ]
    assert json.loads(first.items[0].raw)["addresses"] == [
        "zhang.wei1@alias.example.com",
        "zhang.wei2@alias.example.com",
    ]
    assert first.items[0].detail == {"breach": "Adobe", "domain": "alias.example.com", "addresses": "2"}
    assert fetch.asked == [(URL, {"hibp-api-key": "s3cret"})]
    told["zhang.wei4"] = ["Stratfor"]
    second = MONITOR.poll(first.cursor, answer(told))
    assert [item.key for item in second.items] == ["alias.example.com/Stratfor"]
    assert MONITOR.poll(second.cursor, answer(told)).items == ()


def test_none_is_an_answer() -> None:
    poll = MONITOR.poll(None, answer("", 404))
    assert (poll.items, poll.gap) == ((), False)


@pytest.mark.parametrize("status", [400, 401, 403, 500])
def test_a_refusal_names_what_to_check_and_no_key(status: int) -> None:
    with pytest.raises(OutsideError, match=str(status)) as told:
        MONITOR.poll(None, answer({}, status))
    assert "api_key" in told.value.hint
    assert "s3cret" not in f"{told.value}{told.value.hint}{MONITOR!r}"


def test_strange_breaches_are_passed_over() -> None:
    assert [item.key for item in MONITOR.poll(None, answer({"a": [5, "", None, "X" * 300]})).items] == [
        "alias.example.com/" + "X" * 200
    ]
