"""Small facts of the registry by key, such as the digest that tells whether a master key is the right one."""

from __future__ import annotations

from sqlalchemy import select

from canary.store.rows import upsert
from canary.store.tables import meta
from canary.store.tx import Tx


def get(tx: Tx, key: str) -> str | None:
    """Give the fact stored under a key, None where there is none."""
    found: str | None = tx.conn.scalar(select(meta.c.value).where(meta.c.key == key))
    return found


def put(tx: Tx, key: str, value: str) -> None:
    """Store a fact under a key, in place of what stood there."""
    upsert(tx.conn, meta, {"key": key, "value": value}, ("key",))
