"""Sources: how far each monitor has come and how it fares; hosts: what politeness still allows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import bindparam, select, update

from canary.errors import UsageError
from canary.store.rows import AnyRow, insert_new, upsert
from canary.store.tables import hosts, sources
from canary.store.text import check_name, cut, fit, storable
from canary.store.tx import Tx

ERROR_CHARS: Final = 2_000
HOST_CHARS: Final = 300


@dataclass(frozen=True, slots=True)
class SourceState:
    """One monitor's state: cursor, health and when it is due (None: at once); times in milliseconds.

    `slot` is the time the next run is meant for, `token` fences its runs, `breaker` says whether failures keep it shut.
    """

    name: str
    kind: str
    cursor: str | None = None
    paused: bool = False
    last_poll_ms: int | None = None
    last_success_ms: int | None = None
    last_error: str | None = None
    failures: int = 0
    gaps: int = 0
    due_ms: int | None = None
    slot: int | None = None
    token: int = 0
    holder: str | None = None
    held_ms: int | None = None
    breaker: str = "closed"
    pace_ms: int | None = None
    skipped: int = 0
    polls: int = 0
    items: int = 0
    requests: int = 0
    unchanged: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class HostBudget:
    """How many requests a host (address:port) may get as of `updated_ms`, none before `not_before_ms`."""

    host: str
    tokens: float
    updated_ms: int
    not_before_ms: int = 0


_ONE: Final = select(sources).where(sources.c.name == bindparam("of_name"))
_HELD: Final = _ONE.with_for_update()
_HOST: Final = select(hosts).where(hosts.c.host == bindparam("of_host"))
_HOST_HELD: Final = _HOST.with_for_update()
_FIELDS: Final = tuple(each.name for each in sources.c)


def _noun(row: AnyRow) -> SourceState:
    return SourceState(**{name: getattr(row, name) for name in _FIELDS})


def get(tx: Tx, name: str) -> SourceState | None:
    """Give the state of a source, None where it never ran; a write transaction holds the row to its end."""
    row = tx.conn.execute(_HELD if tx.writes else _ONE, {"of_name": name}).one_or_none()
    return None if row is None else _noun(row)


def list_all(tx: Tx) -> list[SourceState]:
    """List the state of every source by name."""
    return [_noun(row) for row in tx.conn.execute(select(sources).order_by(sources.c.name))]


def put(tx: Tx, state: SourceState) -> None:
    """Store the state of a source."""
    values = {name: getattr(state, name) for name in _FIELDS}
    values["name"] = check_name("a source name", state.name)
    if state.cursor is not None:
        values["cursor"] = storable(state.cursor)
    if state.last_error is not None:
        values["last_error"] = cut(state.last_error, ERROR_CHARS)
    upsert(tx.conn, sources, values, ("name",))


def ensure(tx: Tx, name: str, kind: str) -> SourceState:
    """Give the state of a source, made fresh where it never ran."""
    found = get(tx, check_name("a source name", name))
    if found is None:
        fresh = {"kind": kind, "paused": False, "failures": 0, "gaps": 0}
        insert_new(tx.conn, sources, {"name": name, **fresh})
        found = get(tx, name)
    assert found is not None  # noqa: S101 - inserted above
    return found


def succeeded(
    tx: Tx, name: str, cursor: str | None, now_ms: int, due_ms: int | None, gap: bool = False
) -> None:
    """Note a good poll: the next cursor, and whether something may have been missed."""
    state = _known(tx, name)
    put(tx, replace(
        state, cursor=cursor, last_poll_ms=now_ms, last_success_ms=now_ms, last_error=None, failures=0,
        gaps=state.gaps + gap, due_ms=due_ms,
    ))  # fmt: skip


def count_items(tx: Tx, name: str, items: int) -> None:
    """Count new items that reached a source by themselves; one that nobody watches counts nothing."""
    mine = update(sources).where(sources.c.name == name)
    tx.conn.execute(mine.values({"items": sources.c["items"] + items}))


def failed(tx: Tx, name: str, error: str, now_ms: int, due_ms: int | None) -> None:
    """Note a poll that failed; the cursor stays."""
    state = _known(tx, name)
    failures = state.failures + 1
    put(tx, replace(state, last_poll_ms=now_ms, last_error=error, failures=failures, due_ms=due_ms))


def enlist(tx: Tx, name: str, kind: str, due_ms: int, latest_ms: int, phase_ms: int = 0) -> None:
    """Have a source polled: a new one at `due_ms`, and so one that would wait beyond its interval, `latest_ms`.

    Its slots are in step with a moment `phase_ms` before, so that sources that begin together do not stay together.
    """
    state = ensure(tx, name, kind)
    fresh = state.due_ms is None and state.last_poll_ms is None
    late = state.due_ms is not None and state.due_ms > latest_ms and not state.failures and not state.pace_ms
    if fresh or late or state.kind != kind:
        put(tx, replace(state, kind=kind, slot=due_ms - phase_ms, due_ms=due_ms))


def pause(tx: Tx, name: str) -> None:
    """Stop polling a source; raises UsageError where it is unknown."""
    _set_paused(tx, name, True)


def resume(tx: Tx, name: str) -> None:
    """Poll a paused source again, at once; raises UsageError where it is unknown."""
    _set_paused(tx, name, False)


def _set_paused(tx: Tx, name: str, paused: bool) -> None:
    put(tx, replace(_known(tx, name), paused=paused, slot=None, due_ms=None))


def _known(tx: Tx, name: str) -> SourceState:
    state = get(tx, name)
    if state is None:
        raise UsageError(f"no source {name!r} in the registry", "list them with canary source list")
    return state


def get_host(tx: Tx, host: str) -> HostBudget | None:
    """Give a host's budget, None where it was never asked; a write transaction holds the row to its end."""
    wanted = _HOST_HELD if tx.writes else _HOST
    row = tx.conn.execute(wanted, {"of_host": fit(host, HOST_CHARS)}).one_or_none()
    return None if row is None else HostBudget(row.host, row.tokens, row.updated_ms, row.not_before_ms)


def put_host(tx: Tx, budget: HostBudget) -> None:
    """Store a host's budget."""
    values = {
        "host": fit(budget.host, HOST_CHARS),
        "tokens": budget.tokens,
        "updated_ms": budget.updated_ms,
        "not_before_ms": budget.not_before_ms,
    }
    upsert(tx.conn, hosts, values, ("host",))
