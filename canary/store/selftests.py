"""Self-tests: what was planted at a source to come back, and whether it did."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, select, update

from canary.store.rows import AnyRow, upsert
from canary.store.tx import Tx
from canary.store.watchtables import self_tests


@dataclass(frozen=True, slots=True)
class SelfTest:
    """One test of a source: what was planted when, by when it must come back, and when it did."""

    source: str
    token: str
    planted_ms: int
    due_ms: int
    seen_ms: int | None = None
    alarmed_ms: int | None = None


def _noun(row: AnyRow) -> SelfTest:
    return SelfTest(row.source, row.token, row.planted_ms, row.due_ms, row.seen_ms, row.alarmed_ms)


def plant(tx: Tx, source: str, token: str, now_ms: int, due_ms: int) -> None:
    """Note that a test was planted; it takes the place of the source's earlier one."""
    values = {"source": source, "token": token, "planted_ms": now_ms, "due_ms": due_ms}
    upsert(tx.conn, self_tests, {**values, "seen_ms": None, "alarmed_ms": None}, ("source",))


def get(tx: Tx, source: str) -> SelfTest | None:
    """Give the latest test of a source, None where it was never tested."""
    row = tx.conn.execute(select(self_tests).where(self_tests.c.source == source)).one_or_none()
    return None if row is None else _noun(row)


def list_all(tx: Tx) -> list[SelfTest]:
    """List the latest test of every source."""
    return [_noun(row) for row in tx.conn.execute(select(self_tests).order_by(self_tests.c.source))]


def seen(tx: Tx, source: str, token: str, now_ms: int) -> bool:
    """Note that a test came back; False where that is known."""
    mine = update(self_tests).where(self_tests.c.source == source, self_tests.c.token == token)
    fresh = mine.where(self_tests.c.seen_ms.is_(None)).values(seen_ms=now_ms)
    return tx.conn.execute(fresh).rowcount == 1


def missing(tx: Tx, now_ms: int) -> list[SelfTest]:
    """List the tests that should have come back and did not, which nobody was told of."""
    late = self_tests.c.due_ms <= now_ms, self_tests.c.seen_ms.is_(None), self_tests.c.alarmed_ms.is_(None)
    return [_noun(row) for row in tx.conn.execute(select(self_tests).where(*late))]


def alarmed(tx: Tx, source: str, now_ms: int) -> bool:
    """Note that a missing test was told; False where another node did."""
    mine = update(self_tests).where(self_tests.c.source == source, self_tests.c.alarmed_ms.is_(None))
    return tx.conn.execute(mine.values(alarmed_ms=now_ms)).rowcount == 1


def drop(tx: Tx, source: str) -> None:
    """Forget the test of a source."""
    tx.conn.execute(delete(self_tests).where(self_tests.c.source == source))
