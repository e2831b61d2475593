"""What differs between the databases that canaries are planted in, behind one interface."""

from __future__ import annotations

from typing import Any, Protocol

from sqlalchemy import URL, ColumnElement, Connection, Engine, Inspector
from sqlalchemy.types import UserDefinedType

from canary.steps.live_model import LiveColumn, Place


class Cell(UserDefinedType[object]):
    """A value handed through as it is: the database itself casts text to the column's type."""

    cache_ok = True

    def get_col_spec(self, **_kw: object) -> str:
        """Name a type that every database knows; it is never rendered into a cast."""
        return "TEXT"


class Tongue(Protocol):
    """How one kind of database is opened, locked, read as text and written from text."""

    def engine(self, url: URL, /) -> Engine:
        """Make the engine; raises OutsideError where there is nothing to connect to."""
        ...

    def begin(self, connection: Connection, /) -> None:
        """Prepare a transaction that has just begun: time in UTC, constraints checked at once."""
        ...

    def lock(self, connection: Connection, name: str, /) -> bool:
        """Take the lock of a name until the transaction or connection ends; False where another holds it."""
        ...

    def column(self, connection: Connection, place: Place, found: LiveColumn, /) -> LiveColumn:
        """Put right what reflection alone does not tell of a column."""
        ...

    def refusal(self, inspector: Inspector, place: Place, /) -> str | None:
        """Say why canaries cannot be planted safely here, None where they can."""
        ...

    def as_text(self, column: LiveColumn, raw: ColumnElement[Any], /) -> ColumnElement[Any]:
        """Select an expression of a column's kind so that it comes as text that `as_cell` takes back."""
        ...

    def spell(self, value: object, /) -> str | None:
        """Spell what the driver gave for a selected column as text."""
        ...

    def as_cell(self, column: LiveColumn, text: str | None, /) -> object:
        """Turn text into what the driver is handed for a column; raises ValueError where it does not fit."""
        ...
