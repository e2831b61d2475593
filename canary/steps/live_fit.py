"""Whether a drafted row can stand in a live table, told before the database is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from canary.steps.live_checks import Rule, rules_of
from canary.steps.live_model import LiveColumn, LiveTable, Row
from canary.steps.live_tongue import Tongue


@dataclass(frozen=True)
class Mould:
    """What a row of one table must be like."""

    table: LiveTable
    tongue: Tongue

    @cached_property
    def _rules(self) -> tuple[Rule, ...]:
        return rules_of(self.table.checks)

    @cached_property
    def _columns(self) -> Mapping[str, LiveColumn]:
        return {column.name: column for column in self.table.columns if not column.given}

    def cast(self, row: Row) -> Row:
        """Keep the cells that an insert writes; an empty one that its column cannot hold is NULL or the default."""
        cells = {name: _cell(column, row[name]) for name, column in self._columns.items() if name in row}
        return {name: cell for name, cell in cells.items() if cell or not self._left_out(name, cell)}

    def _left_out(self, name: str, cell: str | None) -> bool:
        column = self._columns[name]
        unfit = cell is None or column.kind != "text"
        return unfit and column.default and not column.nullable

    def misfit(self, row: Row) -> str | None:
        """Name the first column or constraint that a row does not fit, None where it fits all."""
        for name, text in row.items():
            column = self._columns[name]
            if text is None:
                if not column.nullable:
                    return f"{name} not null"
            elif not self._holds(column, text):
                return f"{name} {column.kind}"
        return next((rule.constraint for rule in self._rules if not rule.holds(row)), None)

    def _holds(self, column: LiveColumn, text: str) -> bool:
        try:
            self.tongue.as_cell(column, text)
        except ValueError:
            return False
        return _SHAPES.get(column.kind, _plain)(column, text)


def _cell(column: LiveColumn, text: str | None) -> str | None:
    return None if text == "" and column.nullable and column.kind != "text" else text


def _plain(_column: LiveColumn, _text: str) -> bool:
    return True


def _text(column: LiveColumn, text: str) -> bool:
    if column.choices and text not in column.choices:
        return False
    return "\0" not in text and (column.length is None or len(text) <= column.length)


def _integer(column: LiveColumn, text: str) -> bool:
    if not text.removeprefix("-").isdecimal():
        return False
    return (column.low is None or column.low <= int(text)) and (
        column.high is None or int(text) <= column.high
    )


_SHAPES: Final[Mapping[str, Callable[[LiveColumn, str], bool]]] = {"text": _text, "integer": _integer}
