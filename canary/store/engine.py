"""Engines: durable SQLite (WAL, mode 0600) and PostgreSQL (psycopg 3), with the same transactions on both."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from canary.errors import OutsideError, UsageError

BUSY_SECONDS: Final = 30  # a writer waits this long for another one
CONNECT_SECONDS: Final = 10
CACHE_KIBIBYTES: Final = 65_536  # holds the inner pages of the digest index of millions of identifiers
PRAGMAS: Final = (
    f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA temp_store = MEMORY",
    f"PRAGMA cache_size = -{CACHE_KIBIBYTES}",
)
_POSTGRESQL: Final = frozenset({"postgres", "postgresql", "postgresql+psycopg"})
_HINT: Final = "give sqlite:///FILE or postgresql://USER@HOST/DATABASE"


def normalise(url: str | URL) -> URL:
    """Read a registry URL and choose its driver; raises UsageError for any other kind of database."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise UsageError("not a database URL", _HINT) from None
    if parsed.drivername in _POSTGRESQL:
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise UsageError(f"a registry cannot live in {parsed.drivername!r}", _HINT)
    if parsed.database in (None, "", ":memory:"):
        raise UsageError("a registry in memory would be lost", "give sqlite:///FILE")
    return parsed.set(drivername="sqlite+pysqlite")


def make_engine(url: URL) -> Engine:
    """Make the engine of a normalised URL; connects to nothing yet."""
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_SECONDS})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return create_engine(
        url,
        hide_parameters=True,
        pool_pre_ping=True,
        isolation_level="READ COMMITTED",
        connect_args={"connect_timeout": CONNECT_SECONDS, "application_name": "canary"},
    )


def _prepare_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself: SQLAlchemy's documented recipe
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("canary_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def for_writing(connection: Connection) -> Connection:
    """Make the connection's transactions take the write lock at their start."""
    return connection.execution_options(canary_writes=True)


def for_reading(connection: Connection) -> Connection:
    """Make the connection's transactions see one state of the registry throughout."""
    if connection.dialect.name == "sqlite":
        return connection
    return connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def create_sqlite_file(url: URL) -> None:
    """Create an empty database file of mode 0600, which its -wal and -shm inherit; raises where it exists."""
    path = Path(str(url.database))
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        raise UsageError(
            f"{path.name} exists already", "a registry is made once; choose another --home"
        ) from None
    except OSError as error:
        raise OutsideError(
            f"cannot create {path.name}: {error.strerror}", "make its folder exist and writable"
        ) from None


def check_sqlite_file(url: URL) -> None:
    """Raise OutsideError where the file is missing: SQLite would silently make a new one."""
    name = str(url.database)
    if not name.startswith("file:") and not Path(name).is_file():
        raise OutsideError(f"no registry at {name}", "make one with canary init")


def outside(error: DBAPIError, url: URL) -> OutsideError:
    """Say in one line what a database reported, without the password of its URL."""
    lines = str(error.orig).strip().splitlines() or [type(error.orig).__name__]
    said = lines[0].strip()
    if url.password:
        said = said.replace(str(url.password), "***")
    return OutsideError(f"the registry's database failed: {said}", _hint_for(url))


def _hint_for(url: URL) -> str:
    if url.get_backend_name() == "sqlite":
        return "check that the file and its folder are writable, not full, and no other program locks them"
    return "check that the server is up, and host, database, user and password in registry.url"
