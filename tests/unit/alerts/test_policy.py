"""Quiet hours, digests and allowed uses."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from canary.alerts.policy import AlertPolicy, Allow, Quiet, parse_allow, parse_quiet
from canary.errors import UsageError


def utc(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def at(text: str) -> int:
    return int(datetime.fromisoformat(f"2026-03-0{text}:00+00:00").timestamp() * 1000)


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ("1T21:59", "1T21:59"), ("1T22:00", "2T07:00"), ("1T23:30", "2T07:00"), ("2T00:00", "2T07:00"),
        ("2T06:59", "2T07:00"), ("2T07:00", "2T07:00"), ("2T12:00", "2T12:00"),
    ],
)  # fmt: skip
def test_quiet_hours_over_midnight(now: str, then: str) -> None:
    assert AlertPolicy(quiet=parse_quiet("22:00-07:00")).not_before(at(now), utc) == at(then)


def test_quiet_hours_within_a_day() -> None:
    policy = AlertPolicy(quiet=parse_quiet("12:00-13:30"))
    assert policy.not_before(at("1T12:10"), utc) == at("1T13:30")
    assert policy.not_before(at("1T11:59"), utc) == at("1T11:59")
    assert AlertPolicy().not_before(5, utc) == 5


@pytest.mark.parametrize("text", ["x", "22:00", "24:00-07:00", "22:60-07:00", "22:00-22:00", "22:00-07:00 "])
def test_bad_quiet_hours(text: str) -> None:
    with pytest.raises(UsageError, match="quiet_hours"):
        parse_quiet(text)


def test_no_quiet_hours() -> None:
    assert parse_quiet("") is None
    assert parse_quiet("22:00-07:30") == Quiet(1320, 450)


def test_digest_slots_follow_one_another() -> None:
    policy = AlertPolicy(digest_ms=60_000)
    slot, end = policy.digest_slot(125_000)
    assert (slot, end) == (2, 180_000)
    assert policy.digest_slot(end) == (3, 240_000)


def test_allowed_uses() -> None:
    policy = AlertPolicy(allow=(Allow("a", "waybill", "sms", 2), Allow("b", "waybill", "sms", 3)))
    assert policy.allowed("sms", {"waybill"}, lambda: 1) == "a"
    assert policy.allowed("sms", {"waybill"}, lambda: 2) == "b"
    assert policy.allowed("sms", {"waybill"}, lambda: 3) is None
    assert policy.allowed("call", {"waybill"}, lambda: 0) is None
    assert policy.allowed("sms", {"waybill", "order"}, lambda: 0) is None
    assert policy.allowed("sms", (), lambda: 0) is None


GOOD: dict[str, object] = {"name": "courier", "kind": "waybill", "event": "sms", "count": 2}


def test_reading_allowed_uses() -> None:
    assert parse_allow(GOOD) == Allow("courier", "waybill", "sms", 2)
    assert parse_allow({key: GOOD[key] for key in ("name", "kind", "event")}).count == 1


@pytest.mark.parametrize(
    "change",
    [{"more": 1}, {"name": ""}, {"kind": 5}, {"event": "fax"}, {"count": 0}, {"count": True}, {"count": "1"}],
)
def test_bad_allowed_uses(change: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=r"alerts\.allow"):
        parse_allow({**GOOD, **change})
