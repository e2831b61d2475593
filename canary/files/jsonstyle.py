"""How a JSON file writes its objects, and JSON values as text."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?")
_STRING = r'"(?:[^"\\]|\\.)*+"'
_VALUE = rf'(?:{_STRING}|[^",{{}}\[\]]+?)'  # a plain value; objects within objects keep the usual blanks


class Number(str):
    """A number as it is written, so that 1.0 stays 1.0 and long ones keep their digits."""

    __slots__ = ()


def parse_object(text: str) -> dict[str, object] | None:
    """Read one object; None where the text is none."""
    try:
        value = json.loads(text, parse_int=Number, parse_float=Number, parse_constant=Number)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def text_of(value: object) -> str | None:
    """Give a value as the text of a cell, None for null."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return _dump(value)


def _dump(value: object) -> str:
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_dump(str(key))}: {_dump(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_dump(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def native_of_values(values: Iterable[object]) -> str:
    """Name the commonest kind among a column's values: text, integer, float, boolean or nested."""
    kinds = Counter(_kind(value) for value in values if value is not None)
    if kinds.keys() == {"integer", "float"}:
        return "float"
    return kinds.most_common(1)[0][0] if kinds else "text"


def _kind(value: object) -> str:
    if isinstance(value, Number):
        return "integer" if re.fullmatch(r"-?\d+", value) else "float"
    if isinstance(value, bool):
        return "boolean"
    return "text" if isinstance(value, str) else "nested"


@dataclass(frozen=True, slots=True)
class JsonStyle:
    """The blanks around an object's parts, its keys in order, and which columns may be left out."""

    opening: str = ""
    colon: str = ": "
    comma: str = ", "
    closing: str = ""
    escape: bool = False
    keys: tuple[str, ...] = ()
    optional: frozenset[str] = field(default_factory=frozenset)

    def object(self, row: Mapping[str, str | None], native: Mapping[str, str]) -> str:
        """Write a canary row as the file writes its objects."""
        pairs = [
            json.dumps(key, ensure_ascii=self.escape)
            + self.colon
            + self._value(row.get(key), native.get(key, "text"))
            for key in self.keys
            if row.get(key) is not None or key not in self.optional
        ]
        return "{" + self.opening + self.comma.join(pairs) + self.closing + "}"

    def _value(self, text: str | None, native: str) -> str:
        if text is None:
            return "null"
        number = native in ("integer", "float") and _NUMBER.fullmatch(text)
        boolean = native == "boolean" and text in ("true", "false")
        if number or boolean or (native == "nested" and _is_json(text)):
            return text
        return json.dumps(text, ensure_ascii=self.escape)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def style_of(
    records: Sequence[str], rows: Sequence[Mapping[str, object]], headings: Sequence[str]
) -> JsonStyle:
    """Learn the style from the first records (`rows`: the same, parsed)."""
    text = next((record for record, row in zip(records, rows, strict=True) if row), "{}")
    opening = re.match(r"\{(\s*)", text)
    closing = re.search(r"(\s*)\}\s*$", text)
    colon = re.match(rf"\{{\s*{_STRING}(\s*:\s*)", text)
    comma = re.match(rf"\{{\s*{_STRING}\s*:\s*{_VALUE}(\s*,\s*){_STRING}\s*:", text)
    sample = "".join(records)
    escaped = re.search(r"\\u[0-9a-fA-F]{4}", sample) is not None and sample.isascii()
    optional = {key for key in headings if any(key not in row for row in rows)}
    nulls = {key for row in rows for key, value in row.items() if value is None}
    return JsonStyle(
        opening[1] if opening else "",
        colon[1] if colon else ": ",
        comma[1] if comma else (", " if colon and colon[1] != ":" else ","),
        closing[1] if closing else "",
        escaped,
        tuple(headings),
        frozenset(optional - nulls),
    )
