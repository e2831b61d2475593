"""Sources, hosts and the outbox in the registry, on both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from canary.errors import UsageError
from canary.store import incidents, outbox, runs, sources
from canary.store.registry import Registry
from canary.store.sources import HostBudget, SourceState


def test_a_source_is_made_once_and_keeps_its_state(registry: Registry) -> None:
    with registry.begin() as tx:
        assert sources.get(tx, "pastes") is None
        assert sources.ensure(tx, "pastes", "paste") == SourceState("pastes", "paste")
        sources.succeeded(tx, "pastes", "cursor\x00-1", 100, 160, gap=True)
        sources.succeeded(tx, "pastes", "cursor-2", 200, 260)
        assert sources.ensure(tx, "pastes", "paste").cursor == "cursor-2"
        sources.failed(tx, "pastes", "x" * 5_000, 300, 360)
        sources.failed(tx, "pastes", "gone", 400, None)
        sources.put(tx, SourceState("feed", "feed", cursor="a\x00b"))
    with registry.read() as tx:
        assert sources.list_all(tx) == [
            SourceState("feed", "feed", cursor="a\ufffdb"),
            SourceState("pastes", "paste", "cursor-2", False, 400, 200, "gone", 2, 1, None),
        ]
        assert sources.get(tx, "feed") == SourceState("feed", "feed", cursor="a\ufffdb")


def test_a_good_poll_clears_the_failures(registry: Registry) -> None:
    with registry.begin() as tx:
        sources.ensure(tx, "pastes", "paste")
        sources.failed(tx, "pastes", "x" * 5_000, 300, 360)
        failed = sources.get(tx, "pastes")
        assert failed is not None
        assert failed.last_error is not None
        assert len(failed.last_error) == sources.ERROR_CHARS
        sources.succeeded(tx, "pastes", None, 400, 460)
        assert sources.get(tx, "pastes") == SourceState(
            "pastes", "paste", None, False, 400, 400, None, 0, 0, 460
        )


def test_pausing_and_resuming(registry: Registry) -> None:
    with registry.begin() as tx:
        sources.ensure(tx, "pastes", "paste")
        sources.succeeded(tx, "pastes", "c", 100, 160)
        sources.pause(tx, "pastes")
        assert runs.begin(tx, "pastes", "node", 9_999, 10_000, at_once=True) is None
        assert runs.due(tx, 9_999) == []
        sources.resume(tx, "pastes")
        assert sources.get(tx, "pastes") == SourceState(
            "pastes", "paste", "c", False, 100, 100, None, 0, 0, None
        )
        for act in (sources.pause, sources.resume):
            with pytest.raises(UsageError, match="no source 'none'"):
                act(tx, "none")


def test_a_source_name_must_be_storable(registry: Registry) -> None:
    with registry.begin() as tx, pytest.raises(UsageError, match="source name"):
        sources.ensure(tx, "a\x00", "paste")


def test_host_budgets_are_kept(registry: Registry) -> None:
    budget = HostBudget("paste.example:443", 2.5, 100)
    with registry.begin() as tx:
        assert sources.get_host(tx, budget.host) is None
        sources.put_host(tx, budget)
        sources.put_host(tx, replace(budget, tokens=1.5, not_before_ms=700))
        assert sources.get_host(tx, budget.host) == HostBudget("paste.example:443", 1.5, 100, 700)
        sources.put_host(tx, replace(budget, host="h" * 400))
    with registry.read() as tx:
        assert sources.get_host(tx, "h" * 400) is not None
        assert sources.get_host(tx, "h" * 401) is None


def put(tx: object, key: str, due_ms: int, **more: object) -> bool:
    return outbox.add(tx, key=key, event="incident.opened", channel="ops", body="{}", due_ms=due_ms, **more)  # type: ignore[arg-type]


def test_an_alert_is_added_once_and_delivered_when_due(registry: Registry) -> None:
    with registry.begin() as tx:
        incident = incidents.open(tx, 1).id
        assert put(tx, "k1", 200, incident=incident)
        assert put(tx, "k2", 100)
        assert put(tx, "k3", 150, state=outbox.ALLOWED)
        assert not put(tx, "k1", 50)
        assert [each.key for each in outbox.due(tx, 99)] == []
        assert [each.key for each in outbox.due(tx, 200)] == ["k2", "k1"]
        assert [each.key for each in outbox.due(tx, 200, limit=1)] == ["k2"]
        assert outbox.counts(tx) == {"waiting": 2, "allowed": 1}
        assert [each.key for each in outbox.list_all(tx)] == ["k1", "k2", "k3"]
        (first,) = outbox.list_all(tx, incident=incident)
    assert (first.event, first.channel, first.body, first.attempts) == ("incident.opened", "ops", "{}", 0)


def test_a_failed_delivery_waits_and_a_sent_one_is_over(registry: Registry) -> None:
    with registry.begin() as tx:
        put(tx, "k1", 100)
        (letter,) = outbox.due(tx, 100)
        outbox.failed(tx, letter.serial, "HTTP 503\x00", 400)
        assert outbox.due(tx, 399) == []
        (again,) = outbox.due(tx, 400)
        assert (again.attempts, again.last_error, again.key) == (1, "HTTP 503\ufffd", "k1")
        outbox.sent(tx, letter.serial)
        assert outbox.due(tx, 9_999) == []
        (done,) = outbox.list_all(tx)
        assert (done.state, done.attempts, done.last_error) == ("sent", 2, None)
        with pytest.raises(UsageError, match="no alert 99"):
            outbox.sent(tx, 99)


def test_a_leased_alert_is_nobody_elses(registry: Registry) -> None:
    with registry.begin() as tx:
        for number in range(3):
            put(tx, f"k{number}", 100)
        assert [each.key for each in outbox.lease(tx, 100, 500, limit=2)] == ["k0", "k1"]
        assert [each.key for each in outbox.lease(tx, 100, 500)] == ["k2"]
        assert outbox.lease(tx, 499, 900) == []
        assert len(outbox.lease(tx, 500, 900)) == 3
