"""SQLite: values are read and written raw, since a column holds whatever was put there."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import (
    URL,
    ColumnElement,
    Connection,
    Engine,
    Inspector,
    column,
    create_engine,
    event,
    func,
    select,
    table,
)
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from canary.errors import OutsideError
from canary.steps.live_model import LiveColumn, Place
from canary.steps.live_tongue import Cell

BUSY_SECONDS: Final = 10
SAMPLE: Final = 1000  # rows whose storage classes tell how a column is written
_KINDS: Final[Mapping[str, str]] = {"integer": "integer", "real": "number", "text": "text", "blob": "binary"}
_CELLS: Final[Mapping[str, Callable[[str], object]]] = {
    "integer": int,
    "number": float,
    "binary": bytes.fromhex,
}


@dataclass(frozen=True, slots=True)
class SqliteTongue:
    """SQLite files; the write lock of the file serves as the lock of any name."""

    def engine(self, url: URL, /) -> Engine:
        """Open an existing file: SQLite would silently make a missing one."""
        path = Path(str(url.database or ""))
        if not path.is_file():
            raise OutsideError(f"no database file at {path}", "give sqlite:///FILE of an existing database")
        place = f"file:{quote(str(path.resolve()))}?mode=rw"

        def connect() -> sqlite3.Connection:
            return sqlite3.connect(place, uri=True, timeout=BUSY_SECONDS, isolation_level=None)

        engine = create_engine(
            "sqlite+pysqlite://", creator=connect, poolclass=NullPool, hide_parameters=True
        )
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
        return engine

    def begin(self, _connection: Connection, /) -> None:
        """Nothing to prepare."""

    def lock(self, _connection: Connection, _name: str, /) -> bool:
        """A writing transaction holds the lock of the whole file already."""
        return True

    def column(self, connection: Connection, place: Place, found: LiveColumn, /) -> LiveColumn:
        """Take the kind from what the column holds, and find the alias of the rowid."""
        stored = _stored(connection, place, found.name)
        given = found.given or _is_rowid(connection, place, found.name)
        return replace(found, kind=_kind(found.kind, stored), given=given, low=None, high=None)

    def refusal(self, _inspector: Inspector, _place: Place, /) -> str | None:
        """Every SQLite table takes part in transactions."""
        return None

    def as_text(self, _column: LiveColumn, raw: ColumnElement[Any], /) -> ColumnElement[Any]:
        """Select the raw value; `spell` makes it text."""
        return raw

    def spell(self, value: object, /) -> str | None:
        """Spell a raw value: numbers as Python does, blobs in hex."""
        if value is None or isinstance(value, str):
            return value
        return value.hex() if isinstance(value, bytes) else repr(value)

    def as_cell(self, column: LiveColumn, text: str | None, /) -> object:
        """Write in the storage class that the column's other cells have."""
        if text is None:
            return None
        return _CELLS.get(column.kind, str)(text)


def _prepare(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    raw = getattr(connection, "driver_connection", None) or connection
    raw.text_factory = lambda data: data.decode("utf-8", "replace")
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("canary_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _column(name: str) -> ColumnElement[object]:
    return column(name, Cell())


def _stored(connection: Connection, place: Place, name: str) -> str | None:
    """Give the commonest storage class among the first cells that are not NULL."""
    there = table(place[1], schema=place[0])
    head = (
        select(_column(name).label("cell"))
        .select_from(there)
        .where(_column(name).is_not(None))
        .limit(SAMPLE)
        .subquery()
    )
    kind = func.typeof(head.c.cell)
    found = connection.execute(select(kind).group_by(kind).order_by(func.count().desc(), kind)).first()
    return None if found is None else str(found[0])


def _kind(declared: str, stored: str | None) -> str:
    if stored is None:
        return declared
    dated = declared in {"date", "time", "timestamp"} and stored == "text"
    return declared if dated else _KINDS.get(stored, "text")


def _is_rowid(connection: Connection, place: Place, name: str) -> bool:
    """Tell whether a column is INTEGER PRIMARY KEY, which SQLite fills from the rowid."""
    schema, there = place[0] or "main", place[1]
    quoted = connection.dialect.identifier_preparer.quote_identifier
    rows = connection.exec_driver_sql(f"PRAGMA {quoted(schema)}.table_xinfo({quoted(there)})").all()
    keys = [row for row in rows if row.pk]
    if len(keys) != 1 or keys[0].name != name or str(keys[0].type).upper() != "INTEGER":
        return False
    listed = connection.exec_driver_sql(f"PRAGMA {quoted(schema)}.table_list({quoted(there)})").first()
    return listed is None or not listed.wr
