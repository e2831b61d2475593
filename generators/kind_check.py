"""What the rules of a kind refer to, found before anything is drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from canary.errors import UsageError
from canary.generators.filler import PERSON, TODAY, woven_names
from canary.generators.reckon import names_in
from canary.model.record import Kind

_SUMS = {"reckon", "money", "measure", "count", "date", "minutes", "days"}


def check_references(kind: Kind) -> None:
    """Refuse a kind whose rules name what it has not, with UsageError that lists what it has."""
    columns = [column.name for column in (*kind.given, *kind.columns)]
    tables = [f"{name}.{column}" for name, table in kind.tables.items() for column in table.columns]
    known = dict.fromkeys([*columns, *tables, *PERSON, TODAY])
    for column in (*kind.given, *kind.columns):
        for name in _names(column.rule):
            if name not in known:
                raise UsageError(
                    f"column {column.name!r} of kind {kind.name!r} refers to {name!r}, which is not there",
                    "there are: " + ", ".join(known),
                )


def _names(rule: Mapping[str, object]) -> Iterator[str]:
    for key, value in rule.items():
        if key in ("by", "after", "take"):
            yield str(value)
        elif key in ("pattern", "sequence"):
            yield from woven_names(str(value))
        elif key in _SUMS:
            for part in value if isinstance(value, list) else [value]:
                yield from names_in(part) if isinstance(part, str) else ()
