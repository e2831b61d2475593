"""PostgreSQL: all is read as the server's own text and written as untyped literals, which loses nothing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import (
    URL,
    ColumnElement,
    Connection,
    Engine,
    Inspector,
    Text,
    cast,
    create_engine,
    func,
    select,
)
from sqlalchemy.pool import NullPool

from canary.steps.live_model import LiveColumn, Place
from canary.steps.live_tongue import Cell

CONNECT_SECONDS: Final = 10
_SETTINGS: Final = (
    "TIME ZONE 'UTC'",
    "datestyle TO 'ISO, YMD'",
    "bytea_output TO 'hex'",
    "intervalstyle TO 'postgres'",
)


@dataclass(frozen=True, slots=True)
class PostgresqlTongue:
    """PostgreSQL 12 and later, by psycopg 3."""

    def engine(self, url: URL, /) -> Engine:
        """Make an engine without a pool, so that a connection ends with its work."""
        return create_engine(
            url,
            poolclass=NullPool,
            hide_parameters=True,
            isolation_level="READ COMMITTED",
            connect_args={"connect_timeout": CONNECT_SECONDS, "application_name": "canary"},
        )

    def begin(self, connection: Connection, /) -> None:
        """Fix how values are spelt, and have deferred constraints checked at once, for this transaction."""
        for setting in _SETTINGS:
            connection.exec_driver_sql(f"SET LOCAL {setting}")
        connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")

    def lock(self, connection: Connection, name: str, /) -> bool:
        """Take a transaction's advisory lock: it goes when the transaction has ended, committed or not."""
        number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
        return bool(connection.scalar(select(func.pg_try_advisory_xact_lock(number))))

    def column(self, _connection: Connection, _place: Place, found: LiveColumn, /) -> LiveColumn:
        """Nothing to put right, but that domains and arrays are text alone."""
        return replace(found, kind="other") if found.kind == "bit" else found

    def refusal(self, _inspector: Inspector, _place: Place, /) -> str | None:
        """Every PostgreSQL table takes part in transactions."""
        return None

    def as_text(self, column: LiveColumn, raw: ColumnElement[Any], /) -> ColumnElement[Any]:
        """Cast to text on the server; times with a zone come as UTC without one."""
        if column.kind == "timestamp":
            return cast(cast(raw, _Timestamp()), Text)
        return cast(raw, Text)

    def spell(self, value: object, /) -> str | None:
        """The server spelt it already."""
        return None if value is None else str(value)

    def as_cell(self, _column: LiveColumn, text: str | None, /) -> object:
        """Hand text over as it is: the driver sends it untyped."""
        return text


class _Timestamp(Cell):
    cache_ok = True

    def get_col_spec(self, **_kw: object) -> str:
        """Cast `timestamp with time zone` into the session's zone, UTC."""
        return "TIMESTAMP WITHOUT TIME ZONE"
