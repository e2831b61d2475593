"""The registry: one database, its keys, and the two kinds of transaction everything else works in."""

from __future__ import annotations

import hmac
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

from sqlalchemy import URL, Engine
from sqlalchemy.exc import DBAPIError

from canary.errors import OutsideError
from canary.keys import Keys
from canary.store import engine as engines
from canary.store import meta, migrate
from canary.store.tx import Tx

__all__ = ["Registry", "Tx"]

KEY_CHECK: Final = "key_check"


class Registry:
    """Everything issued, seen and concluded; threads may share it, each in its own transactions."""

    def __init__(self, engine: Engine, keys: Keys) -> None:
        self.engine = engine
        self.keys = keys
        self._writing = threading.RLock() if engine.dialect.name == "sqlite" else None

    @classmethod
    def create(cls, url: str | URL, keys: Keys) -> Self:
        """Make a registry in a new file or an empty database; raises UsageError where one stands already."""
        place = engines.normalise(url)
        if place.get_backend_name() != "sqlite":
            return cls._ready(place, keys, _make)
        engines.create_sqlite_file(place)
        try:
            return cls._ready(place, keys, _make)
        except BaseException:
            Path(str(place.database)).unlink(missing_ok=True)
            raise

    @classmethod
    def open(cls, url: str | URL, keys: Keys) -> Self:
        """Open a registry and bring its tables up to date; raises OutsideError where that cannot be."""
        place = engines.normalise(url)
        if place.get_backend_name() == "sqlite":
            engines.check_sqlite_file(place)
        return cls._ready(place, keys, _check)

    @classmethod
    def _ready(cls, place: URL, keys: Keys, prepare: Callable[[Registry], None]) -> Self:
        registry = cls(engines.make_engine(place), keys)
        try:
            prepare(registry)
        except BaseException:
            registry.close()
            raise
        return registry

    @property
    def url(self) -> str:
        """Give the database's URL with its password hidden."""
        return self.engine.url.render_as_string(hide_password=True)

    def __repr__(self) -> str:
        return f"Registry({self.url!r})"

    @contextmanager
    def begin(self) -> Iterator[Tx]:
        """Open a write transaction: all of it is durable at the exit, or none after an exception."""
        with self._turn(), self._outside(), self.engine.connect() as plain:
            connection = engines.for_writing(plain)
            with connection.begin():
                yield Tx(connection, self.keys, writes=True)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Let the writers of this process follow one another: SQLite has them sleep and try again, in no order.

        One who waited as long as SQLite would lets SQLite say so.
        """
        mine = self._writing is not None and self._writing.acquire(timeout=engines.BUSY_SECONDS)
        try:
            yield
        finally:
            if mine and self._writing is not None:
                self._writing.release()

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """Open a read transaction that sees one state throughout; nothing written in it stays."""
        with self._outside(), self.engine.connect() as plain:
            connection = engines.for_reading(plain)
            with connection.begin() as transaction:
                try:
                    yield Tx(connection, self.keys)
                finally:
                    transaction.rollback()

    @contextmanager
    def _outside(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise engines.outside(error, self.engine.url) from error

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _make(registry: Registry) -> None:
    with registry.begin() as tx:
        migrate.create(tx.conn)
        meta.put(tx, KEY_CHECK, _key_check(registry.keys))


def _check(registry: Registry) -> None:
    with registry.read() as tx:
        found = migrate.version(tx.conn)
        migrate.check_known(found)
    if found != migrate.REVISIONS[-1]:
        with registry.begin() as tx:
            migrate.bring_up(tx.conn)
    with registry.read() as tx:
        if not hmac.compare_digest(meta.get(tx, KEY_CHECK) or "", _key_check(registry.keys)):
            raise OutsideError(
                "the master key is not the one this registry was made with", "use the home that made it"
            )


def _key_check(keys: Keys) -> str:
    return keys.digest("meta", KEY_CHECK).hex()
