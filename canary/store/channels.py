"""Channels of alerts: since when one fails, and whether the owner was told of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select, update

from canary.store.rows import AnyRow, insert_new, upsert
from canary.store.text import cut, fit
from canary.store.tx import Tx
from canary.store.watchtables import channels

ERROR_CHARS: Final = 2_000
NAME_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class ChannelState:
    """How a channel fares; `since_ms` is when it began to fail, None while it works."""

    name: str
    since_ms: int | None
    told_ms: int | None
    last_ms: int
    error: str | None


def _noun(row: AnyRow) -> ChannelState:
    return ChannelState(row.name, row.since_ms, row.told_ms, row.last_ms, row.error)


def worked(tx: Tx, name: str, now_ms: int) -> ChannelState | None:
    """Note a delivery; gives what the channel was like before, None where it never delivered."""
    before = get(tx, name)
    values = {
        "name": fit(name, NAME_CHARS),
        "since_ms": None,
        "told_ms": None,
        "last_ms": now_ms,
        "error": None,
    }
    upsert(tx.conn, channels, values, ("name",))
    return before


def failed(tx: Tx, name: str, error: str, now_ms: int) -> None:
    """Note a delivery that failed; since when stays."""
    said = {"last_ms": now_ms, "error": cut(error, ERROR_CHARS)}
    fresh = {"name": fit(name, NAME_CHARS), "since_ms": now_ms, "told_ms": None, **said}
    if not insert_new(tx.conn, channels, fresh):
        since = func.coalesce(channels.c.since_ms, now_ms)
        mine = update(channels).where(channels.c.name == fit(name, NAME_CHARS))
        tx.conn.execute(mine.values(since_ms=since, **said))


def get(tx: Tx, name: str) -> ChannelState | None:
    """Give how a channel fares, None where nothing was ever sent by it."""
    row = tx.conn.execute(select(channels).where(channels.c.name == fit(name, NAME_CHARS))).one_or_none()
    return None if row is None else _noun(row)


def list_all(tx: Tx) -> list[ChannelState]:
    """List how every channel fares."""
    return [_noun(row) for row in tx.conn.execute(select(channels).order_by(channels.c.name))]


def untold(tx: Tx, before_ms: int) -> list[ChannelState]:
    """List the channels that fail since before a time, which nobody was told of."""
    silent = channels.c.since_ms <= before_ms, channels.c.told_ms.is_(None)
    return [_noun(row) for row in tx.conn.execute(select(channels).where(*silent))]


def told(tx: Tx, name: str, now_ms: int) -> bool:
    """Note that the owner was told that a channel fails; False where another node did."""
    mine = update(channels).where(channels.c.name == fit(name, NAME_CHARS), channels.c.told_ms.is_(None))
    return tx.conn.execute(mine.values(told_ms=now_ms)).rowcount == 1
