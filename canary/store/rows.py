"""Statements that the two databases spell differently, bulk inserts, and streaming reads."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar, cast

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Insert,
    Row,
    Select,
    Table,
    any_,
    func,
    literal,
    select,
)

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

STREAM_ROWS: Final = 2_000
PLAIN_ROWS: Final = 50_000  # read at once where nothing but the driver is in between
LOOKUP_KEYS: Final = 900  # below the 999 parameters of a statement that older SQLite takes
T = TypeVar("T")
AnyRow: TypeAlias = Row[*tuple[Any, ...]]
AnySelect: TypeAlias = Select[*tuple[Any, ...]]


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Cut items into lists of at most `size`."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def stream(connection: Connection, statement: AnySelect) -> Iterator[AnyRow]:
    """Give the rows of a statement without holding them all (a server-side cursor on PostgreSQL)."""
    with connection.execute(statement.execution_options(yield_per=STREAM_ROWS)) as result:
        for some in result.partitions():
            yield from some


def plain_rows(connection: Connection, statement: str) -> Iterator[Sequence[tuple[Any, ...]]]:
    """Give the rows of a statement of the program's own in batches, at the cost of the driver alone."""
    options = {"stream_results": True, "max_row_buffer": PLAIN_ROWS}
    with connection.exec_driver_sql(statement, None, options) as result:
        plain = result.cursor if connection.dialect.name == "sqlite" and result.cursor is not None else result
        while rows := plain.fetchmany(PLAIN_ROWS):  # of the driver, where SQLAlchemy holds none of them back
            yield rows


def one_of(connection: Connection, column: ColumnElement[int], numbers: Sequence[int]) -> ColumnElement[bool]:
    """Compare a column with any count of numbers by one parameter."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import ARRAY

        return column == any_(literal(list(numbers), ARRAY(BigInteger)))
    listed = func.json_each(json.dumps(list(numbers))).table_valued("value")
    return column.in_(select(listed.c.value))


def rows_among(
    connection: Connection, head: str, column: str, digests: Sequence[bytes]
) -> Iterator[tuple[Any, ...]]:
    """Give the rows of `SELECT head WHERE column` is one of so many digests, at the cost of the driver alone.

    Both texts are the program's own. SQLAlchemy would write an IN of 900 marks anew for every statement.
    """
    if connection.dialect.name == "postgresql":
        statement = f"SELECT {head} WHERE {column} = ANY(%s)"
        yield from map(tuple, connection.exec_driver_sql(statement, (list(digests),)))
        return
    for part in chunks(digests, LOOKUP_KEYS):
        marks = ", ".join("?" * len(part))
        yield from map(
            tuple, connection.exec_driver_sql(f"SELECT {head} WHERE {column} IN ({marks})", tuple(part))
        )


def insert_new(connection: Connection, table: Table, values: Mapping[str, object]) -> bool:
    """Insert a row unless a unique key of it exists; tells whether it was inserted."""
    statement = _insert_new(connection.dialect.name, table)
    return connection.execute(statement, dict(values)).rowcount == 1


def upsert(connection: Connection, table: Table, values: Mapping[str, object], keys: Sequence[str]) -> None:
    """Insert a row, or give the row of the same keys these values."""
    statement = _upsert(connection.dialect.name, table, tuple(values), tuple(keys))
    connection.execute(statement, dict(values))


@cache
def _insert_new(dialect: str, table: Table) -> Insert:
    """Make the statement once: that costs as much as running it."""
    statement = _insert(dialect, table).on_conflict_do_nothing().inline()
    return statement.execution_options(preserve_rowcount=True)


@cache
def _upsert(dialect: str, table: Table, names: tuple[str, ...], keys: tuple[str, ...]) -> Insert:
    statement = _insert(dialect, table)
    rest = {name: statement.excluded[name] for name in names if name not in keys}
    return statement.on_conflict_do_update(index_elements=list(keys), set_=rest)


def _insert(dialect: str, table: Table) -> postgresql.Insert | sqlite.Insert:
    made = import_module(f"sqlalchemy.dialects.{dialect}").insert(table)  # the other one is not loaded
    return cast("postgresql.Insert | sqlite.Insert", made)


def lock(connection: Connection, number: int) -> None:
    """Wait for the transaction that holds this lock, then hold it to the end (SQLite's write lock does)."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(number)))


def next_serials(connection: Connection, table: Table, count: int) -> list[int]:
    """Reserve ascending serials for `count` rows: of the sequence, or past the greatest (SQLite)."""
    if connection.dialect.name == "postgresql":
        sequence = func.pg_get_serial_sequence(table.name, "serial")
        series = select(func.nextval(sequence)).select_from(func.generate_series(1, count))
        return sorted(connection.scalars(series))
    greatest = connection.scalar(select(func.max(table.c.serial))) or 0
    return list(range(greatest + 1, greatest + 1 + count))
