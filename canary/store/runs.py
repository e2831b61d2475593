"""Runs of a source: each slot once, each fenced, so that a node that stalled cannot overwrite what came after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BindParameter, Table, Update, bindparam, delete, func, or_, select, text, update

from canary.store.leases import Overtaken
from canary.store.rows import AnyRow, insert_new
from canary.store.tables import sources
from canary.store.text import cut, storable
from canary.store.tx import Tx
from canary.store.watchtables import runs

ERROR_CHARS: Final = 2_000
IDLE_MS: Final = 10_000  # a node that stalls within a transaction loses it after so long


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a job: the slot it is for, the token that fences it, and where the source stands."""

    job: str
    slot: int
    token: int
    node: str
    cursor: str | None = None
    failures: int = 0
    breaker: str = "closed"
    pace_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Traffic:
    """What a run cost: requests, those answered 304, bytes, and the pause between polls the host asked for."""

    requests: int = 0
    unchanged: int = 0
    bytes: int = 0
    pace_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Next:
    """When a source is due again: the slot, that with its jitter, and how many slots went by unrun."""

    slot: int
    due_ms: int
    skipped: int = 0


# Statements of every poll, made once: making one costs as much as running it.


def _given(name: str) -> BindParameter[Any]:
    return bindparam(f"a_{name}")


def _more(table: Table, *names: str) -> dict[str, Any]:
    return {name: table.c[name] + _given(name) for name in names}


def _once(*names: str) -> dict[str, Any]:
    return {name: _given(name) for name in names}


_COUNTED: Final = {
    "polls": sources.c.polls + 1,
    "last_poll_ms": _given("now_ms"),
    **_more(sources, "items", "requests", "unchanged", "bytes"),
}
_DONE: Final = {**_once("slot", "due_ms"), **_more(sources, "skipped"), "holder": None, "held_ms": None}
_WELL: Final = {
    **_COUNTED,
    **_once("cursor", "pace_ms"),
    **_more(sources, "gaps"),
    "last_success_ms": _given("now_ms"),
    "last_error": None,
    "failures": 0,
    "breaker": "closed",
}
_BADLY: Final = {
    **_COUNTED,
    **_DONE,
    "last_error": _given("error"),
    "failures": sources.c.failures + 1,
    "breaker": _given("breaker"),
}
_ONE: Final = sources.c.name == bindparam("of_job")
_MINE: Final = update(sources).where(_ONE, sources.c.token == bindparam("of_token"))
_RUN: Final = update(runs).where(
    runs.c.job == bindparam("of_job"),
    runs.c.slot == bindparam("of_slot"),
    runs.c.token == bindparam("of_token"),
)
_STATE: Final = select(sources).where(_ONE).with_for_update()
_TOKEN: Final = select(sources.c.token).where(_ONE).with_for_update()
_HOLD: Final = update(sources).where(_ONE).values(_once("token", "holder", "held_ms"))
_ADVANCE: Final = _MINE.values(_WELL)
_SUCCEED: Final = _MINE.values({**_WELL, **_DONE})
_FAIL: Final = _MINE.values(_BADLY)
_END: Final = _RUN.values({**_once("ended_ms", "failed"), **_more(runs, "items")})
_COUNT: Final = _RUN.values(_more(runs, "items"))


def due(tx: Tx, now_ms: int) -> list[str]:
    """Name the sources that are due and not paused, the longest due first."""
    ready = or_(sources.c.due_ms.is_(None), sources.c.due_ms <= now_ms)
    wanted = select(sources.c.name).where(ready, sources.c.paused.is_(False))
    return list(tx.conn.scalars(wanted.order_by(sources.c.due_ms)))


def begin(tx: Tx, job: str, node: str, now_ms: int, until_ms: int, at_once: bool = False) -> Run | None:
    """Begin the run of a source's slot; None where it is paused, or neither due nor free (unless `at_once`).

    A slot whose run ended is not begun again. What another node still does for this source is fenced off.
    """
    row = tx.conn.execute(_STATE, {"of_job": job}).one_or_none()
    if row is None or row.paused or not (at_once or _ready(row, node, now_ms)):
        return None
    early = row.due_ms is not None and row.due_ms > now_ms
    slot = now_ms if early or row.slot is None else int(row.slot)
    token = row.token + 1
    if not _write_run(tx, job, slot, token, node, now_ms):
        slot = now_ms  # that slot's run ended: what is asked for now is another one
        if not _write_run(tx, job, slot, token, node, now_ms):
            return None
    mine = {"of_job": job, "a_token": token, "a_holder": node, "a_held_ms": until_ms}
    tx.conn.execute(_HOLD, mine)
    return Run(job, slot, token, node, row.cursor, row.failures, row.breaker, row.pace_ms)


def _ready(row: AnyRow, node: str, now_ms: int) -> bool:
    free = row.held_ms is None or row.held_ms <= now_ms or row.holder == node
    return free and (row.due_ms is None or row.due_ms <= now_ms)


def _write_run(tx: Tx, job: str, slot: int, token: int, node: str, now_ms: int) -> bool:
    """Write down that a slot is begun, for the first time or again; False where its run has ended."""
    values = {"token": token, "node": node, "begun_ms": now_ms}
    fresh = {"job": job, "slot": slot, **values, "begins": 1, "items": 0, "failed": 0}
    if insert_new(tx.conn, runs, fresh):
        return True
    again = update(runs).where(runs.c.job == job, runs.c.slot == slot, runs.c.ended_ms.is_(None))
    return tx.conn.execute(again.values(**values, begins=runs.c.begins + 1)).rowcount == 1


def fence(tx: Tx, run: Run) -> None:
    """Raise Overtaken where a later run of the source was begun; none can be until the transaction ends."""
    if tx.conn.dialect.name == "postgresql":
        tx.conn.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = {IDLE_MS}"))
    if tx.conn.scalar(_TOKEN, {"of_job": run.job}) != run.token:
        raise Overtaken(f"source {run.job}")


def advance(
    tx: Tx, run: Run, cursor: str, gap: bool, items: int, now_ms: int, traffic: Traffic, after: Next | None
) -> None:
    """Store how far a run came; with `after` it has ended well, and the source is due again then."""
    told = {"cursor": storable(cursor), "gaps": int(gap), "now_ms": now_ms, "pace_ms": traffic.pace_ms}
    _change(
        tx, run, _ADVANCE if after is None else _SUCCEED, {**told, **_counted(items, traffic), **_done(after)}
    )
    if after is not None:
        _end(tx, run, now_ms, items, 0)
    else:
        _count_items(tx, run, items)


def fail(tx: Tx, run: Run, error: str, breaker: str, now_ms: int, traffic: Traffic, after: Next) -> None:
    """Note that a run failed; the cursor stays where it is."""
    told = {"now_ms": now_ms, "error": cut(error, ERROR_CHARS), "breaker": breaker}
    _change(tx, run, _FAIL, {**told, **_counted(0, traffic), **_done(after)})
    _end(tx, run, now_ms, 0, 1)


def put_back(tx: Tx, run: Run, now_ms: int) -> None:
    """Leave a slot that was cut short by us to whoever comes next, at once."""
    mine = update(sources).where(sources.c.name == run.job, sources.c.token == run.token)
    tx.conn.execute(mine.values(slot=run.slot, due_ms=now_ms, holder=None, held_ms=None))


def renew(tx: Tx, node: str, names: Sequence[str], until_ms: int) -> None:
    """Hold sources that a node is polling for another while."""
    mine = update(sources).where(sources.c.name.in_(names), sources.c.holder == node)
    tx.conn.execute(mine.values(held_ms=until_ms))


def forget(tx: Tx, before_ms: int) -> int:
    """Forget runs that were begun before a time; gives how many."""
    return tx.conn.execute(delete(runs).where(runs.c.begun_ms < before_ms)).rowcount


def last(tx: Tx, job: str, most: int = 20) -> list[AnyRow]:
    """Give the latest runs of a job, newest first."""
    wanted = select(runs).where(runs.c.job == job).order_by(runs.c.slot.desc()).limit(most)
    return list(tx.conn.execute(wanted))


def _counted(items: int, traffic: Traffic) -> dict[str, object]:
    counted = {"requests": traffic.requests, "unchanged": traffic.unchanged, "bytes": traffic.bytes}
    return {"items": items, **counted}


def _done(after: Next | None) -> dict[str, object]:
    if after is None:
        return {}
    return {"slot": after.slot, "due_ms": after.due_ms, "skipped": after.skipped}


def _change(tx: Tx, run: Run, statement: Update, values: Mapping[str, object]) -> None:
    given = {f"a_{name}": value for name, value in values.items()}
    if tx.conn.execute(statement, {"of_job": run.job, "of_token": run.token, **given}).rowcount != 1:
        raise Overtaken(f"source {run.job}")


def _end(tx: Tx, run: Run, now_ms: int, items: int, failed: int) -> None:
    given = {"a_ended_ms": now_ms, "a_items": items, "a_failed": failed}
    tx.conn.execute(_END, {"of_job": run.job, "of_slot": run.slot, "of_token": run.token, **given})


def _count_items(tx: Tx, run: Run, items: int) -> None:
    tx.conn.execute(_COUNT, {"of_job": run.job, "of_slot": run.slot, "of_token": run.token, "a_items": items})


def unended(tx: Tx) -> int:
    """Count the runs that were begun and did not end."""
    return int(
        tx.conn.execute(select(func.count()).select_from(runs).where(runs.c.ended_ms.is_(None))).scalar_one()
    )
