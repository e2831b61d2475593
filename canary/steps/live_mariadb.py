"""MariaDB and MySQL, by PyMySQL: read as text on the server, written with numbers as numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
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

CONNECT_SECONDS: Final = 10
_HEXED: Final = frozenset({"binary", "other"})  # geometries and addresses travel as their bytes


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(text) from None


_CELLS: Final[Mapping[str, Callable[[str], object]]] = {
    "integer": int,
    "bit": int,
    "boolean": int,
    "number": _decimal,
    "binary": bytes.fromhex,
    "other": bytes.fromhex,
}


@dataclass(frozen=True, slots=True)
class MariadbTongue:
    """MariaDB 10.5 and later, MySQL 8."""

    def engine(self, url: URL, /) -> Engine:
        """Make an engine without a pool: a named lock ends with its connection."""
        query = {"charset": "utf8mb4", **url.query}
        return create_engine(
            url.set(query=query),
            poolclass=NullPool,
            hide_parameters=True,
            connect_args={"connect_timeout": CONNECT_SECONDS},
        )

    def begin(self, connection: Connection, /) -> None:
        """Spell times in UTC; refuse what does not fit rather than cut it."""
        connection.exec_driver_sql("SET SESSION time_zone = '+00:00'")
        connection.exec_driver_sql("SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')")

    def lock(self, connection: Connection, name: str, /) -> bool:
        """Take a named lock: the server lets it go after it rolled back what a dead connection left."""
        short = "canary-" + hashlib.sha256(name.encode()).hexdigest()[:40]  # MySQL allows 64 characters
        return connection.scalar(select(func.get_lock(short, 0))) == 1

    def column(self, _connection: Connection, _place: Place, found: LiveColumn, /) -> LiveColumn:
        """A boolean is an integer here."""
        return replace(found, kind="integer") if found.kind == "boolean" else found

    def refusal(self, inspector: Inspector, place: Place, /) -> str | None:
        """Refuse engines without transactions: a half-done planting could not be undone."""
        options = inspector.get_table_options(place[1], schema=place[0])
        engine = str(options.get("mariadb_engine") or options.get("mysql_engine") or "InnoDB")
        return None if engine.lower() == "innodb" else f"its engine {engine} has no transactions"

    def as_text(self, column: LiveColumn, raw: ColumnElement[Any], /) -> ColumnElement[Any]:
        """Cast to characters on the server, bytes to hex and bits to a number."""
        if column.kind in _HEXED:
            return func.hex(raw)
        if column.kind == "bit":
            return cast(raw.op("+")(0), Text)
        return raw if column.kind == "text" else cast(raw, Text)

    def spell(self, value: object, /) -> str | None:
        """Decode what the driver left as bytes."""
        if isinstance(value, bytes):
            return value.decode("utf-8", "replace")
        return None if value is None else str(value)

    def as_cell(self, column: LiveColumn, text: str | None, /) -> object:
        """Hand numbers over as numbers, so that comparisons are exact."""
        return None if text is None else _CELLS.get(column.kind, str)(text)
