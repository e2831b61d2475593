"""The nouns of a live database: a reflected table, its columns and its constraints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Row = Mapping[str, str | None]
"""One row as text by column, None for NULL; what a database tells and takes is always spelt as text."""

Place = tuple[str | None, str]
"""A schema (None: the default one) and a table in it."""

Key = tuple[str, ...]
"""The key cells of one row, in the order of the table's key columns."""


@dataclass(frozen=True, slots=True)
class LiveColumn:
    """One column; `kind` is text, integer, number, boolean, date, time, timestamp, binary, bit or other.

    `given` columns (identity, autoincrement, computed) are the database's to fill. `length` counts
    characters, `low` and `high` bound integers, `choices` lists an enum's values; with a `default` the database
    knows what to write where nothing is given.
    """

    name: str
    kind: str
    nullable: bool = True
    given: bool = False
    computed: bool = False
    default: bool = False
    length: int | None = None
    choices: tuple[str, ...] = ()
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True, slots=True)
class Unique:
    """A unique set of columns, primary key included."""

    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key: `columns` name `targets` of the other table."""

    name: str
    columns: tuple[str, ...]
    schema: str | None
    table: str
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """A CHECK constraint as the database spells it."""

    name: str
    sql: str


@dataclass(frozen=True, slots=True)
class LiveTable:
    """A table of a live database as far as planting needs it."""

    schema: str | None
    name: str
    columns: tuple[LiveColumn, ...]
    key: tuple[str, ...]
    uniques: tuple[Unique, ...] = ()
    references: tuple[Reference, ...] = ()
    checks: tuple[Check, ...] = ()

    @property
    def label(self) -> str:
        """The table as a person writes it."""
        return f"{self.schema}.{self.name}" if self.schema else self.name

    @property
    def headings(self) -> tuple[str, ...]:
        """All column names in order."""
        return tuple(column.name for column in self.columns)

    @property
    def fillable(self) -> tuple[str, ...]:
        """The columns an insert writes: all that the database does not give itself."""
        return tuple(column.name for column in self.columns if not column.given)

    def column(self, name: str) -> LiveColumn:
        """Give a column by name."""
        return next(column for column in self.columns if column.name == name)
