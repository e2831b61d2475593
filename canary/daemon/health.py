"""How the watch fares: its sources, its node, its alerts; for people, programs and Prometheus alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from canary.daemon.leader import NAME
from canary.daemon.settings import Source
from canary.store import channels, leases, outbox, selftests, unread
from canary.store import sources as store
from canary.store.clock import database_ms

if TYPE_CHECKING:
    from canary.store.registry import Registry
    from canary.store.tx import Tx

LATE_INTERVALS: Final = 3  # a source that was not polled for so long is watched by nobody
LATE_MS: Final = 90_000  # on top, and for receivers alone: three signs of life


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """How one source fares; `lag` in seconds since it last worked, None where it never did."""

    name: str
    kind: str
    state: str  # ok, failing, paused, never, stopped or deaf
    last_success_ms: int | None
    lag: float | None
    gaps: int
    error: str | None
    breaker: str = "closed"
    due_ms: int | None = None
    overdue: float = 0.0  # seconds since it was due
    polls: int = 0
    items: int = 0
    requests: int = 0
    unchanged_share: float | None = None  # of the requests, those answered 304
    bytes: int = 0
    skipped: int = 0
    self_test: str | None = None  # pending, ok or missing; None where there was none


@dataclass(frozen=True, slots=True)
class WatchHealth:
    """How the whole watch fares; `leader` is the node that polls, None where none does."""

    sources: tuple[SourceHealth, ...]
    leader: str | None
    token: int
    alerts_waiting: int
    alerts_oldest: float  # seconds that the oldest letter is due
    channels_broken: tuple[str, ...]
    unread: int = 0  # sightings whose bytes wait for their scan
    unread_oldest: float = 0.0  # seconds that the first of them waits


def watch_health(registry: Registry, chosen: Sequence[Source], machine_ms: int) -> WatchHealth:
    """Tell how the watch of these sources fares."""
    with registry.read() as tx:
        now = database_ms(tx, machine_ms)
        lease = leases.get(tx, NAME)
        leads = lease is not None and lease.until_ms > now
        oldest, left = outbox.oldest_due(tx), unread.oldest(tx)
        return WatchHealth(
            sources=tuple(_sources(tx, chosen, now)),
            leader=lease.holder if lease is not None and leads else None,
            token=lease.token if lease is not None else 0,
            alerts_waiting=outbox.counts(tx).get(outbox.WAITING, 0),
            alerts_oldest=0.0 if oldest is None else _seconds(now - oldest),
            channels_broken=tuple(one.name for one in channels.list_all(tx) if one.since_ms is not None),
            unread=unread.count(tx),
            unread_oldest=0.0 if left is None else _seconds(now - left),
        )


def _sources(tx: Tx, chosen: Sequence[Source], now_ms: int) -> list[SourceHealth]:
    known = {state.name: state for state in store.list_all(tx)}
    tests = {test.source: test for test in selftests.list_all(tx)}
    return [_health(one, known.get(one.name), tests.get(one.name), now_ms) for one in chosen]


def _health(
    source: Source, state: store.SourceState | None, test: selftests.SelfTest | None, now_ms: int
) -> SourceHealth:
    if state is None:
        return SourceHealth(source.name, source.kind, "never", None, None, 0, None)
    success = state.last_success_ms
    waits = state.due_ms is not None and not state.paused
    return SourceHealth(
        source.name,
        source.kind,
        _word(source, state, test, now_ms),
        success,
        None if success is None else _seconds(now_ms - success),
        state.gaps,
        state.last_error,
        breaker=state.breaker,
        due_ms=state.due_ms,
        overdue=_seconds(now_ms - (state.due_ms or now_ms)) if waits else 0.0,
        polls=state.polls,
        items=state.items,
        requests=state.requests,
        unchanged_share=round(state.unchanged / state.requests, 4) if state.requests else None,
        bytes=state.bytes,
        skipped=state.skipped,
        self_test=_tested(test, now_ms),
    )


def _word(source: Source, state: store.SourceState, test: selftests.SelfTest | None, now_ms: int) -> str:
    if state.paused:
        return "paused"
    if state.failures:
        return "failing"
    if state.last_success_ms is None:
        return "never"
    if now_ms - state.last_success_ms > _late_ms(source, state):
        return "stopped"
    return "deaf" if _tested(test, now_ms) == "missing" else "ok"


def _late_ms(source: Source, state: store.SourceState) -> int:
    return LATE_INTERVALS * max(source.interval_ms, state.pace_ms or 0) + LATE_MS


def _tested(test: selftests.SelfTest | None, now_ms: int) -> str | None:
    """Say how the latest self-test of a source went: it has two intervals to come back."""
    if test is None:
        return None
    if test.seen_ms is not None:
        return "ok"
    return "missing" if test.due_ms <= now_ms else "pending"


def _seconds(ms: int) -> float:
    return round(max(0, ms) / 1000, 3)
