"""One transaction, as every function of the store takes it."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection

from canary.keys import Keys


@dataclass(frozen=True, slots=True)
class Tx:
    """One transaction: a connection within it, and the keys that seal and open what it touches."""

    conn: Connection
    keys: Keys = field(repr=False)
    writes: bool = False
