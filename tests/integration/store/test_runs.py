"""Leases, fenced runs and slots in the registry, on both databases."""

from __future__ import annotations

import pytest

from canary.store import leases, runs, sources
from canary.store.clock import database_ms
from canary.store.leases import Overtaken
from canary.store.registry import Registry
from canary.store.runs import Next, Run, Traffic
from canary.store.tx import Tx

FREE = Traffic()


def begin(tx: Tx, node: str, now: int, at_once: bool = False) -> Run | None:
    return runs.begin(tx, "feed", node, now, now + 100, at_once)


def some(run: Run | None) -> Run:
    assert run is not None
    return run


@pytest.fixture
def feed(registry: Registry) -> Registry:
    with registry.begin() as tx:
        sources.enlist(tx, "feed", "feed", 1_000, 2_000)
    return registry


def test_a_lease_changes_hands_when_it_has_run_out(registry: Registry) -> None:
    with registry.begin() as tx:
        now = database_ms(tx, 5_000)
        assert leases.get(tx, "schedule") is None
        assert leases.acquire(tx, "schedule", "a", 5_000, 60_000) == 1
        assert leases.acquire(tx, "schedule", "b", 5_000, 60_000) is None
        assert leases.renew(tx, "schedule", 1, 5_000, 60_000)
        leases.check(tx, "schedule", 1)
        held = leases.get(tx, "schedule")
        assert held is not None
        assert (held.holder, held.token) == ("a", 1)
        assert now + 60_000 <= held.until_ms <= now + 90_000
        leases.release(tx, "schedule", 1)
        assert leases.acquire(tx, "schedule", "b", 5_000, 60_000) == 2
        assert not leases.renew(tx, "schedule", 1, 5_000, 60_000)
        leases.release(tx, "schedule", 1)
        with pytest.raises(Overtaken, match="taken over the schedule"):
            leases.check(tx, "schedule", 1)
        leases.check(tx, "schedule", 2)


def test_a_slot_is_run_by_one_node_and_once(feed: Registry) -> None:
    with feed.begin() as tx:
        assert runs.due(tx, 999) == []
        assert runs.due(tx, 1_000) == ["feed"]
        assert begin(tx, "a", 999) is None
        first = some(begin(tx, "a", 1_005))
        assert (first.slot, first.token, first.cursor) == (1_000, 1, None)
        assert begin(tx, "b", 1_050) is None
        runs.renew(tx, "a", ["feed"], 1_300)
        runs.renew(tx, "b", ["feed"], 9_300)
        assert begin(tx, "b", 1_299) is None
        runs.advance(tx, first, "c1", False, 3, 1_299, Traffic(4, 1, 50), Next(2_000, 2_010, 2))
        assert begin(tx, "b", 2_009) is None
        second = some(begin(tx, "b", 2_010))
        assert (second.slot, second.token, second.cursor) == (2_000, 2, "c1")
        state = sources.get(tx, "feed")
    assert state is not None
    assert (state.polls, state.items, state.requests, state.unchanged, state.bytes) == (1, 3, 4, 1, 50)
    assert (state.skipped, state.holder, state.last_success_ms) == (2, "b", 1_299)


def test_a_node_that_stalled_cannot_overwrite_what_came_after_it(feed: Registry) -> None:
    with feed.begin() as tx:
        stalled = some(begin(tx, "a", 1_000))
        taker = some(begin(tx, "b", 1_200))
        assert (taker.slot, taker.token) == (1_000, 2)
        runs.fence(tx, taker)
        runs.advance(tx, taker, "new", False, 1, 1_300, FREE, Next(2_000, 2_000))
        for write in (
            lambda: runs.fence(tx, stalled),
            lambda: runs.advance(tx, stalled, "old", False, 1, 1_400, FREE, Next(9_000, 9_000)),
            lambda: runs.fail(tx, stalled, "late", "open", 1_400, FREE, Next(9_000, 9_000)),
        ):
            with pytest.raises(Overtaken, match="source feed"):
                write()
        runs.put_back(tx, stalled, 1_400)
        state = sources.get(tx, "feed")
        [run] = runs.last(tx, "feed")
    assert state is not None
    assert (state.cursor, state.due_ms, state.failures) == ("new", 2_000, 0)
    assert (run.begins, run.node, run.items, run.ended_ms) == (2, "b", 1, 1_300)


def test_what_is_asked_for_at_once_is_a_run_of_its_own(feed: Registry) -> None:
    with feed.begin() as tx:
        early = some(begin(tx, "a", 500, at_once=True))
        assert early.slot == 500
        runs.advance(tx, early, "c", True, 0, 510, FREE, Next(1_500, 1_500))
        again = some(begin(tx, "a", 520, at_once=True))
        assert again.slot == 520
        other = some(begin(tx, "b", 530, at_once=True))
        assert other.token == again.token + 1
        runs.fail(tx, other, "x\x00", "open", 540, FREE, Next(3_000, 3_000))
        assert [run.slot for run in runs.last(tx, "feed")] == [530, 520, 500]
        assert runs.unended(tx) == 1
        state = sources.get(tx, "feed")
        assert runs.forget(tx, 525) == 2
        assert begin(tx, "c", 530, at_once=True) is None  # that very slot has ended
    assert state is not None
    assert (state.gaps, state.failures, state.breaker, state.last_error) == (1, 1, "open", "x\ufffd")


def test_a_run_that_goes_on_keeps_its_slot(feed: Registry) -> None:
    with feed.begin() as tx:
        run = some(begin(tx, "a", 1_000))
        runs.advance(tx, run, "part", False, 2, 1_010, FREE, None)
        runs.put_back(tx, run, 1_020)
        later = some(begin(tx, "b", 1_020))
        assert (later.slot, later.cursor) == (1_000, "part")
        runs.advance(tx, later, "whole", False, 3, 1_030, FREE, Next(2_000, 2_000))
        [row] = runs.last(tx, "feed")
    assert (row.slot, row.begins, row._mapping["items"]) == (1_000, 2, 5)


def test_enlisting_keeps_what_waits_in_time(feed: Registry) -> None:
    with feed.begin() as tx:
        sources.enlist(tx, "feed", "feed", 1_100, 1_500)
        assert (sources.get(tx, "feed") or sources.SourceState("", "")).due_ms == 1_000
        sources.enlist(tx, "feed", "feed", 100, 500)
        assert (sources.get(tx, "feed") or sources.SourceState("", "")).due_ms == 100
        sources.pause(tx, "feed")
        assert begin(tx, "a", 9_000) is None
        sources.resume(tx, "feed")
        assert some(begin(tx, "a", 9_000)).slot == 9_000
