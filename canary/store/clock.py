"""The time as the database tells it, which several nodes have in common."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sqlalchemy import text

from canary.ports import Clock
from canary.store.tx import Tx

if TYPE_CHECKING:
    from canary.store.registry import Registry

SYNC_SECONDS: Final = 30.0
_ASK: Final = text("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)")


def database_ms(tx: Tx, machine_ms: int) -> int:
    """Give the database's time in milliseconds since 1970; SQLite's is the machine's."""
    if tx.conn.dialect.name != "postgresql":
        return machine_ms
    return int(tx.conn.execute(_ASK).scalar_one())


@dataclass
class DatabaseClock:
    """A clock that follows the database's: asked for at most every 30 s, carried on by the monotonic clock between."""

    registry: Registry
    machine: Clock
    monotonic: Callable[[], float]
    _base: tuple[int, float] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def now_ms(self) -> int:
        """Give the time in milliseconds since 1970, UTC; raises OutsideError where the database fails."""
        if self.registry.engine.dialect.name != "postgresql":
            return self.machine.now_ms()
        with self._lock:
            moment = self.monotonic()
            if self._base is None or moment - self._base[1] > SYNC_SECONDS:
                with self.registry.read() as tx:
                    self._base = database_ms(tx, 0), self.monotonic()
            told, since = self._base
            return told + int((self.monotonic() - since) * 1000)
