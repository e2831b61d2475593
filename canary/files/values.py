"""Arrow values as text and back: what a typed column shows, and how a canary's text becomes its type."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import time
from typing import TYPE_CHECKING

from canary.errors import OutsideError

if TYPE_CHECKING:
    import pyarrow as pa

_NATIVE = (
    ("is_dictionary", ""),
    ("is_boolean", "boolean"),
    ("is_integer", "integer"),
    ("is_floating", "float"),
    ("is_decimal", "decimal"),
    ("is_timestamp", "timestamp"),
    ("is_date", "date"),
    ("is_time", "time"),
    ("is_duration", "duration"),
    ("is_nested", "nested"),
    ("is_binary", "binary"),
    ("is_large_binary", "binary"),
    ("is_binary_view", "binary"),
    ("is_fixed_size_binary", "binary"),
)


def native_of(kind: pa.DataType) -> str:
    """Name the family of an Arrow type: text, integer, float, decimal, boolean, timestamp, date, time, nested …"""
    import pyarrow as pa

    inner = _plain_type(kind)
    return next((name for test, name in _NATIVE if getattr(pa.types, test)(inner)), "text")


def _plain_type(kind: pa.DataType) -> pa.DataType:
    import pyarrow as pa

    if isinstance(kind, pa.BaseExtensionType):
        return _plain_type(kind.storage_type)
    return _plain_type(kind.value_type) if pa.types.is_dictionary(kind) else kind


def to_text(values: pa.Array) -> pa.Array:
    """Give an array as text, nulls kept."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(values, pa.ExtensionArray):
        return to_text(values.storage)
    if isinstance(values, pa.DictionaryArray):
        return to_text(values.dictionary).take(values.indices)
    native = native_of(values.type)
    if native == "duration":
        return values.cast(pa.int64()).cast(pa.string())
    if native == "nested":
        return pa.array([_json_text(value) for value in values.to_pylist()], pa.string())
    if native == "binary":
        return pa.array([_byte_text(value) for value in values.to_pylist()], pa.string())
    text = values.cast(pa.string())
    if native in ("timestamp", "time"):
        return pc.replace_substring_regex(text, r"\.0+($|[+\-Z])", r"\1")
    return text


def _json_text(value: object) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, default=str)


def _byte_text(value: bytes | None) -> str | None:
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.hex()


def batch_of_text(batch: pa.RecordBatch, columns: Sequence[str], names: Sequence[str]) -> pa.RecordBatch:
    """Take some columns of a batch as text; `names` are the headings of all of its columns."""
    import pyarrow as pa

    arrays = [to_text(batch.column(names.index(column))) for column in columns]
    return pa.RecordBatch.from_arrays(arrays, list(columns))


def table_of_rows(
    rows: Sequence[Mapping[str, str | None]], names: Sequence[str], schema: pa.Schema
) -> pa.Table:
    """Cast canary rows to a schema (`names`: the heading of each of its fields).

    Raises OutsideError where a value does not fit its column.
    """
    import pyarrow as pa

    arrays = [
        from_text([row.get(name) for row in rows], field, name)
        for name, field in zip(names, schema, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def from_text(texts: Sequence[str | None], field: pa.Field, name: str) -> pa.Array:
    """Cast text to a field's type; raises OutsideError (without the value) where it does not fit."""
    import pyarrow as pa

    try:
        array = _cast(texts, field.type)
    except (ValueError, TypeError, pa.ArrowException):
        raise OutsideError(
            f"a canary's value does not fit column {name!r} of type {field.type}",
            "give the column a role that fits its type in the policy",
        ) from None
    if array.null_count and not field.nullable:
        raise OutsideError(
            f"a canary has no value for column {name!r}, which must have one",
            "give the column a role in the policy",
        )
    return array


def _cast(texts: Sequence[str | None], kind: pa.DataType) -> pa.Array:
    import pyarrow as pa

    if isinstance(kind, pa.BaseExtensionType):
        return pa.ExtensionArray.from_storage(kind, _cast(texts, kind.storage_type))
    if pa.types.is_dictionary(kind):
        return _cast(texts, kind.value_type).dictionary_encode().cast(kind)
    if pa.types.is_null(kind):
        return pa.nulls(len(texts))
    native = native_of(kind)
    if native == "text":
        return pa.array(texts, pa.string()).cast(kind)
    filled = [text if text else None for text in texts]
    if native == "nested":
        return pa.array([None if text is None else json.loads(text) for text in filled], kind)
    if native == "binary":
        return pa.array([None if text is None else text.encode() for text in filled], kind)
    if native == "time":
        return pa.array([None if text is None else time.fromisoformat(text) for text in filled], kind)
    if native == "duration":
        return pa.array(filled, pa.string()).cast(pa.int64()).cast(kind)
    return _cast_number_or_time(pa.array(filled, pa.string()), kind, native)


def _cast_number_or_time(array: pa.Array, kind: pa.DataType, native: str) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        return array.cast(kind)
    except pa.ArrowInvalid:
        if native == "timestamp" and kind.tz:
            return pc.assume_timezone(array.cast(pa.timestamp(kind.unit)), kind.tz)
        if native == "date":
            return array.cast(pa.timestamp("s")).cast(kind)
        return array.cast(pa.float64()).cast(kind)
