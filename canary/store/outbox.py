"""The outbox: alerts on their way out, each once by its idempotency key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, select, update

from canary.errors import UsageError
from canary.store.rows import AnyRow, insert_new
from canary.store.tables import outbox
from canary.store.text import cut, storable
from canary.store.tx import Tx

WAITING: Final = "waiting"
SENT: Final = "sent"
ALLOWED: Final = "allowed"  # stored, not delivered: an allowed use
ERROR_CHARS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Letter:
    """One alert for one channel; every retry has the same key and the same body."""

    serial: int
    key: str
    event: str
    incident: str | None
    channel: str
    body: str
    due_ms: int
    attempts: int
    state: str
    last_error: str | None


_FIELDS: Final = tuple(each.name for each in outbox.c)


def _noun(row: AnyRow) -> Letter:
    return Letter(**{name: getattr(row, name) for name in _FIELDS})


def add(
    tx: Tx,
    *,
    key: str,
    event: str,
    channel: str,
    body: str,
    due_ms: int,
    incident: str | None = None,
    state: str = WAITING,
) -> bool:
    """Put an alert (key ≤ 64 characters) into the outbox; False where its key is there already."""
    values = {"key": key, "event": event, "channel": channel, "body": storable(body), "incident": incident}
    return insert_new(tx.conn, outbox, {**values, "due_ms": due_ms, "attempts": 0, "state": state})


def due(tx: Tx, now_ms: int, limit: int = 100) -> list[Letter]:
    """List the alerts to deliver now, the longest due first."""
    return [_noun(row) for row in tx.conn.execute(_due(now_ms, limit))]


def _due(now_ms: int, limit: int) -> Any:
    wanted = select(outbox).where(outbox.c.state == WAITING, outbox.c.due_ms <= now_ms)
    return wanted.order_by(outbox.c.due_ms, outbox.c.serial).limit(limit)


def lease(tx: Tx, now_ms: int, until_ms: int, limit: int = 100) -> list[Letter]:
    """Take the alerts to deliver now and keep other processes off them until a time."""
    taken = [_noun(row) for row in tx.conn.execute(_due(now_ms, limit).with_for_update(skip_locked=True))]
    serials = [each.serial for each in taken]
    tx.conn.execute(update(outbox).where(outbox.c.serial.in_(serials)).values(due_ms=until_ms))
    return taken


def sent(tx: Tx, serial: int) -> None:
    """Note that an alert was delivered."""
    _change(tx, serial, {"state": SENT, "attempts": outbox.c.attempts + 1, "last_error": None})


def failed(tx: Tx, serial: int, error: str, due_ms: int) -> None:
    """Note that a delivery failed and when to try again."""
    said = cut(error, ERROR_CHARS)
    _change(tx, serial, {"attempts": outbox.c.attempts + 1, "last_error": said, "due_ms": due_ms})


def _change(tx: Tx, serial: int, values: Mapping[str, object]) -> None:
    changed = tx.conn.execute(update(outbox).where(outbox.c.serial == serial).values(dict(values)))
    if changed.rowcount != 1:
        raise UsageError(f"no alert {serial} in the outbox", "take alerts from due or lease")


def list_all(tx: Tx, incident: str | None = None) -> list[Letter]:
    """List alerts in the order they were added, of one incident where asked for."""
    wanted = select(outbox).order_by(outbox.c.serial)
    if incident is not None:
        wanted = wanted.where(outbox.c.incident == incident)
    return [_noun(row) for row in tx.conn.execute(wanted)]


def counts(tx: Tx) -> Mapping[str, int]:
    """Count the alerts by state (waiting, sent, allowed)."""
    rows = tx.conn.execute(select(outbox.c.state, func.count()).group_by(outbox.c.state))
    return dict(rows.all())


def oldest_due(tx: Tx) -> int | None:
    """Give when the oldest letter that waits was put into the outbox to leave, None where none waits."""
    waiting = select(func.min(outbox.c.due_ms)).where(outbox.c.state == WAITING)
    found: int | None = tx.conn.scalar(waiting)
    return found
