"""Bulk inserts by the fastest way of each database: executemany on SQLite, binary COPY on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, Connection, Float, Integer, LargeBinary, Table
from sqlalchemy.exc import DBAPIError, IntegrityError

from canary.store.rows import chunks

BATCH: Final = 5_000  # nouns turned into rows at once; keeps memory flat
PARAMETERS: Final = 900  # of one statement: what older SQLite takes
_COPY_TYPES: Final = (
    (BigInteger, "int8"), (Integer, "int4"), (Float, "float8"), (Boolean, "bool"), (LargeBinary, "bytea"),
)  # fmt: skip


def insert_rows(connection: Connection, table: Table, rows: Iterable[tuple[object, ...]]) -> None:
    """Insert rows given in the table's column order; raises SQLAlchemy's IntegrityError like any insert."""
    batch = list(rows)
    if not batch:
        return
    if connection.dialect.name == "postgresql":
        _copy(connection, table, batch)
        return
    names, marks = _names(table), ", ".join("?" for _ in table.columns)
    connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", batch)


def _names(table: Table) -> str:
    return ", ".join(f'"{column.name}"' for column in table.columns)


def _copy(connection: Connection, table: Table, rows: list[tuple[object, ...]]) -> None:
    import psycopg

    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)  # noqa: S101 - the engine was made with this driver alone
    statement = f"COPY {table.name} ({_names(table)}) FROM STDIN (FORMAT BINARY)"
    try:
        with driver.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            copy.set_types(_types(table))
            for row in rows:
                copy.write_row(row)
    except psycopg.IntegrityError as error:
        raise IntegrityError("COPY", None, error) from None
    except psycopg.Error as error:
        raise DBAPIError("COPY", None, error) from None


def _types(table: Table) -> list[str]:
    return [
        next((name for kind, name in _COPY_TYPES if isinstance(column.type, kind)), "text")
        for column in table.columns
    ]


def insert_new_rows(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, object]], giving: Sequence[str]
) -> list[tuple[Any, ...]]:
    """Insert rows of the same columns unless a unique key of theirs exists; gives columns of those inserted."""
    made: list[tuple[Any, ...]] = []
    if not rows:
        return made
    columns = list(rows[0])
    postgresql = connection.dialect.name == "postgresql"
    one = ", ".join(["%s" if postgresql else "?"] * len(columns))
    names, wanted = (", ".join(f'"{name}"' for name in each) for each in (columns, giving))
    for part in chunks(rows, max(1, PARAMETERS // len(columns))):
        values = ", ".join([f"({one})"] * len(part))
        statement = (
            f"INSERT INTO {table.name} ({names}) VALUES {values} ON CONFLICT DO NOTHING RETURNING {wanted}"
        )
        cells = tuple(row[name] for row in part for name in columns)
        made.extend(map(tuple, connection.exec_driver_sql(statement, cells)))
    return made
