"""Budgets of hosts: never more than so many requests in any minute, whatever restarts in between."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.net.pace import MAX_WAIT_MS, MINUTE_MS, Budget, HostState, Later, MemoryHosts, retry_after_ms
from tests.watch_tools import NOW_MS, HandClock

HOST = "example.org:443"


def budget(clock: HandClock, hosts: MemoryHosts, per_minute: int = 3) -> Budget:
    return Budget(per_minute, hosts, clock, random.Random(1))


def test_the_budget_is_spent_and_comes_back() -> None:
    clock, hosts = HandClock(), MemoryHosts()
    one = budget(clock, hosts)
    for _ in range(3):
        one.enter(HOST)
        clock.ms += 1_000
    with pytest.raises(Later) as refused:
        one.enter(HOST)
    assert refused.value.until_ms == NOW_MS + MINUTE_MS
    one.enter("other.example:443")
    clock.ms = NOW_MS + MINUTE_MS
    one.enter(HOST)
    with pytest.raises(Later):
        one.enter(HOST)


@given(st.lists(st.tuples(st.integers(0, 20_000), st.booleans()), max_size=60))
def test_no_minute_has_more_than_its_budget(steps: list[tuple[int, bool]]) -> None:
    clock, hosts = HandClock(), MemoryHosts()
    one = budget(clock, hosts)
    spent: list[int] = []
    for pause, restart in steps:
        clock.ms += pause
        one = budget(clock, hosts) if restart else one
        try:
            one.enter(HOST)
        except Later:
            continue
        spent.append(clock.ms)
        assert sum(moment > clock.ms - MINUTE_MS for moment in spent) <= 3


def test_two_processes_share_a_budget() -> None:
    clock, hosts = HandClock(), MemoryHosts()
    first, second = budget(clock, hosts), budget(clock, hosts)
    first.enter(HOST)
    second.enter(HOST)
    first.enter(HOST)
    for one in (first, second):
        with pytest.raises(Later):
            one.enter(HOST)


def test_a_pause_that_was_asked_for_is_kept_over_restarts() -> None:
    clock, hosts = HandClock(), MemoryHosts()
    one = budget(clock, hosts)
    one.enter(HOST)
    with pytest.raises(Later) as told:
        one.heed(HOST, 429, {"retry-after": "5"})
    assert told.value.until_ms == NOW_MS + 5_000
    clock.ms += 4_999
    for each in (one, budget(clock, hosts)):
        with pytest.raises(Later) as refused:
            each.enter(HOST)
        assert refused.value.until_ms == NOW_MS + 5_000
    clock.ms += 1
    one.enter(HOST)


def test_backoff_grows_while_a_host_is_busy_and_ends_when_it_answers() -> None:
    clock, hosts = HandClock(), MemoryHosts()
    one = budget(clock, hosts, 1000)
    waits = []
    for _ in range(12):
        with pytest.raises(Later) as told:
            one.heed(HOST, 503, {})
        waits.append(told.value.until_ms - clock.ms)
        clock.ms = told.value.until_ms
    assert all(1_000 <= wait <= 300_000 for wait in waits)
    assert max(waits[4:]) > 20_000
    one.heed(HOST, 200, {})
    with pytest.raises(Later) as told:
        one.heed(HOST, 429, {})
    assert told.value.until_ms - clock.ms <= 10_000


def test_an_exhausted_rate_limit_pauses_the_host() -> None:
    clock, hosts = HandClock(), MemoryHosts()
    one = budget(clock, hosts)
    one.enter(HOST)
    one.heed(HOST, 200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(NOW_MS // 1000 + 30)})
    with pytest.raises(Later) as refused:
        one.enter(HOST)
    assert refused.value.until_ms == NOW_MS + 30_000
    with pytest.raises(Later):
        one.heed(HOST, 403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "10"})
    one.heed(HOST, 403, {})


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"retry-after": "5"}, 5_000),
        ({"retry-after": "  7 "}, 7_000),
        ({"retry-after": "999999999999"}, MAX_WAIT_MS),
        (
            {"retry-after": format_datetime(datetime.fromtimestamp(NOW_MS / 1000 + 90, UTC), usegmt=True)},
            90_000,
        ),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "٥"}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "20"}, 20_000),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "99999999999999999999"}, MAX_WAIT_MS),
        ({"x-ratelimit-remaining": "5", "x-ratelimit-reset": "20"}, None),
    ],
)
def test_retry_after(headers: dict[str, str], wait: int | None) -> None:
    until = retry_after_ms(headers, NOW_MS)
    assert (until - NOW_MS if until is not None else None) == wait


def test_a_state_of_another_limit_is_bounded() -> None:
    hosts = MemoryHosts({HOST: HostState(-50, NOW_MS)})
    clock = HandClock()
    one = budget(clock, hosts)
    with pytest.raises(Later):
        one.enter(HOST)
    clock.ms += MINUTE_MS
    one.enter(HOST)
