"""Reflection: what a live table looks like, and which tables refer to it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, Final

from sqlalchemy import Connection, Inspector, inspect, types
from sqlalchemy.exc import NoSuchTableError, SAWarning

from canary.errors import OutsideError, UsageError
from canary.steps.live_model import Check, LiveColumn, LiveTable, Place, Reference, Unique
from canary.steps.live_tongue import Tongue

_LISTED: Final = 20  # tables named in a hint
_KINDS: Final[tuple[tuple[type[types.TypeEngine[Any]], str], ...]] = (
    (types.Boolean, "boolean"),
    (types.Integer, "integer"),
    (types.Numeric, "number"),
    (types.Float, "number"),
    (types.DateTime, "timestamp"),
    (types.Date, "date"),
    (types.Time, "time"),
    (types.Enum, "text"),
    (types.String, "text"),
    (types.Uuid, "uuid"),
    (types.LargeBinary, "binary"),
    (types.JSON, "json"),
)
_BY_NAME: Final = {"BIT": "bit", "BINARY": "binary", "VARBINARY": "binary", "YEAR": "integer", "UUID": "uuid"}
_BITS: Final = {"TINYINT": 8, "SMALLINT": 16, "MEDIUMINT": 24, "BIGINT": 64}


def split_name(name: str) -> Place:
    """Split `schema.table`; a name without a dot has no schema."""
    schema, dot, table = name.partition(".")
    return (schema, table) if dot and schema and table else (None, name)


def reflect(connection: Connection, tongue: Tongue, name: str) -> LiveTable:
    """Reflect a table; raises OutsideError where it is missing or cannot be planted in safely."""
    inspector = inspect(connection)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)
        place = _place(inspector, name)
        reason = tongue.refusal(inspector, place)
        if reason:
            raise OutsideError(
                f"{name} cannot be planted in: {reason}", "choose another table, or change its engine"
            )
        return _table(connection, inspector, tongue, place)


def _place(inspector: Inspector, name: str) -> Place:
    """Find the schema and table of a name; one whose very name has a dot is found too."""
    for schema, table in dict.fromkeys(((None, name), split_name(name))):
        try:
            if inspector.has_table(table, schema=schema):
                return _checked(inspector, schema, table)
        except NoSuchTableError:
            continue
    raise OutsideError(f"no table {name!r} in the database", _tables_hint(inspector, split_name(name)[0]))


def _checked(inspector: Inspector, schema: str | None, table: str) -> Place:
    if table in inspector.get_view_names(schema=schema):
        raise UsageError(f"{table!r} is a view", "name the table below it")
    return schema, table


def _tables_hint(inspector: Inspector, schema: str | None) -> str:
    known = schema in inspector.get_schema_names()
    names = sorted(inspector.get_table_names(schema=schema if known else None))
    if not names:
        return "it holds no table; check the URL, or give schema.table"
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return "tables: " + ", ".join(names[:_LISTED]) + more


def _table(connection: Connection, inspector: Inspector, tongue: Tongue, place: Place) -> LiveTable:
    schema, name = place
    found = inspector.get_columns(name, schema=schema)
    columns = tuple(tongue.column(connection, place, _column(each)) for each in found)
    primary = tuple(inspector.get_pk_constraint(name, schema=schema)["constrained_columns"])
    uniques = tuple(_uniques(inspector, place, primary))
    return LiveTable(
        schema=schema,
        name=name,
        columns=_key_not_null(columns, primary),
        key=primary or _stand_in(name, columns, uniques),
        uniques=uniques,
        references=tuple(_references(inspector.get_foreign_keys(name, schema=schema))),
        checks=tuple(_checks(inspector, place)),
    )


def _key_not_null(columns: Sequence[LiveColumn], primary: Sequence[str]) -> tuple[LiveColumn, ...]:
    return tuple(replace(each, nullable=False) if each.name in primary else each for each in columns)


def _column(found: Mapping[str, Any]) -> LiveColumn:
    type_ = found["type"]
    kind = kind_of(type_)
    low, high = _bounds(type_) if kind == "integer" else (None, None)
    computed = bool(found.get("computed"))
    return LiveColumn(
        name=str(found["name"]),
        kind=kind,
        nullable=bool(found.get("nullable", True)),
        given=computed or bool(found.get("identity")) or found.get("autoincrement") is True,
        computed=computed,
        default=found.get("default") is not None,
        length=_length(type_) if kind == "text" else None,
        choices=tuple(map(str, type_.enums)) if isinstance(type_, types.Enum) else (),
        low=low,
        high=high,
    )


def _length(type_: types.TypeEngine[Any]) -> int | None:
    """Give how many characters fit; a SET's own length is that of its longest member."""
    length = None if type(type_).__name__.upper() == "SET" else getattr(type_, "length", None)
    return length if isinstance(length, int) else None


def kind_of(type_: types.TypeEngine[Any]) -> str:
    """Give the kind of a reflected type; unknown ones are `other`, which is carried as it is."""
    name = type(type_).__name__.upper()
    if name in _BY_NAME:
        return _BY_NAME[name]
    return next((kind for known, kind in _KINDS if isinstance(type_, known)), "other")


def _bounds(type_: types.TypeEngine[Any]) -> tuple[int, int]:
    bits = _BITS.get(type(type_).__name__.upper(), 32)
    if getattr(type_, "unsigned", False):
        return 0, (1 << bits) - 1
    return -(1 << (bits - 1)), (1 << (bits - 1)) - 1


def _uniques(inspector: Inspector, place: Place, primary: tuple[str, ...]) -> Iterator[Unique]:
    """Yield each unique set of plain columns once; partial indexes count as whole, expressions do not."""
    schema, name = place
    constraints = inspector.get_unique_constraints(name, schema=schema)
    indexes = [
        each
        for each in inspector.get_indexes(name, schema=schema, include_auto_indexes=True)
        if each["unique"]
    ]
    seen: set[tuple[str, ...]] = set()
    first: dict[str, Any] = {"name": "primary key", "column_names": primary}
    named: Iterator[Mapping[str, Any]] = chain([first], constraints, indexes)
    for each in named:
        columns = tuple(str(column) for column in each["column_names"] if column is not None)
        if columns and None not in each["column_names"] and columns not in seen:
            seen.add(columns)
            yield Unique(str(each["name"] or "unique " + ", ".join(columns)), columns)


def _stand_in(name: str, columns: Sequence[LiveColumn], uniques: Sequence[Unique]) -> tuple[str, ...]:
    """Choose the unique columns that stand in for a missing primary key, those without NULL first."""
    nullable = {column.name for column in columns if column.nullable}
    ranked = sorted(uniques, key=lambda unique: (bool(nullable & set(unique.columns)), len(unique.columns)))
    if not ranked:
        raise OutsideError(
            f"{name} has neither primary key nor unique column",
            "add one: without it canaries could not be told from real rows when they are taken out again",
        )
    return ranked[0].columns


def _references(found: Sequence[Mapping[str, Any]]) -> Iterator[Reference]:
    for each in found:
        columns = tuple(each["constrained_columns"])
        yield Reference(
            name=str(each["name"] or "foreign key of " + ", ".join(columns)),
            columns=columns,
            schema=each["referred_schema"],
            table=each["referred_table"],
            targets=tuple(each["referred_columns"]) or columns,
        )


def _checks(inspector: Inspector, place: Place) -> Iterator[Check]:
    for each in inspector.get_check_constraints(place[1], schema=place[0]):
        yield Check(str(each["name"] or "check"), str(each["sqltext"]))


def children_of(connection: Connection, table: LiveTable) -> list[tuple[str | None, str, Reference]]:
    """List the foreign keys of all tables that refer to this one, each with its own schema and table."""
    inspector = inspect(connection)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)
        found = [
            each
            for schema in _schemas(inspector, table)
            for each in inspector.get_multi_foreign_keys(schema=schema).items()
        ]
    places = {(table.schema, table.name)}
    if table.schema in (None, inspector.default_schema_name):
        places |= {(None, table.name), (inspector.default_schema_name, table.name)}
    return [
        (schema, name, reference)
        for (schema, name), keys in found
        for reference in _references(keys)
        if (reference.schema, reference.table) in places
    ]


def _schemas(inspector: Inspector, table: LiveTable) -> list[str | None]:
    if inspector.dialect.name != "postgresql":
        return [table.schema]
    return [
        None,
        *(
            name
            for name in inspector.get_schema_names()
            if name not in ("information_schema", inspector.default_schema_name)
        ),
    ]
