"""A live database: opened by URL, read as streams of text rows, written in one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from sqlalchemy import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from canary.errors import UsageError
from canary.steps import live_errors
from canary.steps.live_mariadb import MariadbTongue
from canary.steps.live_model import LiveTable
from canary.steps.live_postgresql import PostgresqlTongue
from canary.steps.live_schema import reflect
from canary.steps.live_sqlite import SqliteTongue
from canary.steps.live_tongue import Tongue

_HINT: Final = "give sqlite:///FILE, postgresql://USER@HOST/DATABASE or mysql://USER@HOST/DATABASE"
_DRIVERS: Final = {
    "sqlite": "sqlite+pysqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
}
_TONGUES: Final[Mapping[str, Callable[[], Tongue]]] = {
    "sqlite": SqliteTongue,
    "postgresql": PostgresqlTongue,
    "mysql": MariadbTongue,
}


def is_database_url(text: str) -> bool:
    """Tell whether a text is the URL of a database rather than a path."""
    return text.partition("://")[0].partition("+")[0].lower() in _DRIVERS and "://" in text


def normalise(url: str) -> URL:
    """Read a database URL in any of its usual spellings and choose its driver; UsageError for others."""
    kind = url.partition("://")[0].partition("+")[0].lower()
    if kind not in _DRIVERS or "://" not in url:
        raise UsageError("not the URL of a database that canaries can be planted in", _HINT)
    try:
        parsed = make_url(_DRIVERS[kind] + "://" + url.partition("://")[2])
    except (ArgumentError, ValueError):
        raise UsageError("not a database URL", _HINT) from None
    if not parsed.database or (kind == "sqlite" and parsed.database == ":memory:"):
        raise UsageError("the URL names no database", _HINT)
    return parsed


def shown(url: URL) -> str:
    """Spell a URL without user, password and options."""
    bare = URL.create(url.get_backend_name(), host=url.host, port=url.port, database=url.database)
    return bare.render_as_string(hide_password=True)


def url_digest(url: URL) -> str:
    """Digest where a database is (hex SHA-256), whatever the user, password and options."""
    place = str(Path(str(url.database)).resolve()) if url.get_backend_name() == "sqlite" else shown(url)
    return hashlib.sha256(place.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class LiveDb:
    """One live database; nothing is connected before `reading` or `writing`."""

    url: URL

    @classmethod
    def at(cls, url: str) -> LiveDb:
        """Make one from a URL as a person writes it."""
        return cls(normalise(url))

    @cached_property
    def tongue(self) -> Tongue:
        """What is peculiar to this kind of database."""
        return _TONGUES[self.url.get_backend_name()]()

    @cached_property
    def _engine(self) -> Engine:
        return self.tongue.engine(self.url)

    @contextmanager
    def reading(self, table: str = "") -> Iterator[Connection]:
        """Open a transaction that only reads; database errors become OutsideError."""
        with self._connected(table, writes=False) as connection:
            yield connection

    @contextmanager
    def writing(self, table: str = "") -> Iterator[Connection]:
        """Open a transaction that is rolled back unless the caller commits it; errors become OutsideError."""
        with self._connected(table, writes=True) as connection:
            yield connection

    @contextmanager
    def _connected(self, table: str, *, writes: bool) -> Iterator[Connection]:
        try:
            with self._engine.connect().execution_options(canary_writes=writes) as connection:
                connection.begin()
                self.tongue.begin(connection)
                yield connection
        except DBAPIError as error:
            raise live_errors.outside(error, self.url, table) from None

    def reflect(self, connection: Connection, table: str) -> LiveTable:
        """Reflect a table by its name, `schema.table` where it is not in the default schema."""
        return reflect(connection, self.tongue, table)
