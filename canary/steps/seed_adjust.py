"""What a draft learns from the table's own rules: references name rows that exist, opaque cells stay what they are."""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from canary.fields.roles import FORMS, KEYS
from canary.model.data import Policy
from canary.steps.live_model import Key, LiveColumn, LiveTable, Reference, Row
from canary.steps.live_unique import fresh_like

OPAQUE = frozenset({"binary", "bit", "json", "other"})  # carried as they are, where many rows have the same
COMMON = 3  # times a value stands in the sample before it is nobody's own


def roles_for(table: LiveTable, guessed: Mapping[str, str], policy: Policy | None) -> dict[str, str]:
    """Give the role of every column that an insert writes: references are categories, keys are keys."""
    named = {name: column.role for name, column in policy.columns.items()} if policy else {}
    roles = {name: named.get(name, guessed.get(name, "other")) for name in table.fillable}
    referring = {name for reference in table.references for name in reference.columns}
    for name in table.fillable:
        if name in referring or table.column(name).kind in OPAQUE:
            roles[name] = "category"
        elif table.key == (name,) and roles[name] not in KEYS | FORMS.keys():
            roles[name] = "key"
    return roles


@dataclass(frozen=True)
class Adjuster:
    """Puts the cells of a draft right that the table's rules decide, not the generators."""

    table: LiveTable
    sample: Sequence[Row]
    rng: random.Random

    def adjusted(self, row: Row, fixed: frozenset[str]) -> Row:
        """Give a draft's row with references that exist and opaque cells that are valid; `fixed` cells stay."""
        cells = {
            name: None if text == "" and name in self._never_empty else text for name, text in row.items()
        }
        for reference in self.table.references:
            if not fixed & set(reference.columns):
                cells |= self._referring(reference, cells)
        for name in self._opaque:
            cells |= self._cell(name, cells)
        for name in self._uuids - fixed:
            if cells.get(name):
                cells[name] = fresh_like(str(cells[name]), self.rng)
        return cells

    @cached_property
    def _never_empty(self) -> frozenset[str]:
        """Name the columns where a missing value is null, not an empty text: a canary without alias has no mail."""
        seen = {name for row in self.sample for name, text in row.items() if text == ""}
        return frozenset(column.name for column in self.table.columns if column.nullable) - seen

    @cached_property
    def _known(self) -> Mapping[Reference, frozenset[Key | None]]:
        return {each: frozenset(_tuple(each, row) for row in self.sample) for each in self.table.references}

    def _referring(self, reference: Reference, cells: Row) -> Mapping[str, str | None]:
        """Keep a reference that a host row has, else take one from a host row, as often as the host has it."""
        if _tuple(reference, cells) in self._known[reference]:
            return {}
        host = self.rng.choice(self.sample)
        return {name: host.get(name) for name in reference.columns if name in cells}

    @cached_property
    def _opaque(self) -> Mapping[str, tuple[str | None, ...]]:
        """Give the values of each opaque column that are nobody's own, as often as they stand there."""
        from collections import Counter

        referring = {name for reference in self.table.references for name in reference.columns}
        columns = [each.name for each in self.table.columns if each.kind in OPAQUE and not each.given]
        counts = {
            name: Counter(row[name] for row in self.sample) for name in columns if name not in referring
        }
        return {
            name: tuple(row[name] for row in self.sample if counts[name][row[name]] >= COMMON)
            for name in counts
        }

    def _cell(self, name: str, cells: Row) -> Mapping[str, str | None]:
        """Keep an opaque cell that is nobody's own, else take such a one, else the plainest that can stand."""
        common = self._opaque[name]
        if cells.get(name) in common:
            return {}
        column = self.table.column(name)
        return {name: self.rng.choice(common) if common else _plainest(column)}

    @cached_property
    def _uuids(self) -> frozenset[str]:
        referring = {name for reference in self.table.references for name in reference.columns}
        names = set(self.table.fillable) - referring
        return frozenset(name for name in names if _all_uuids([row[name] for row in self.sample]))


def _plainest(column: LiveColumn) -> str | None:
    """Give what an opaque cell can hold without saying anything."""
    if column.nullable:
        return None
    return {"json": "{}", "bit": "0"}.get(column.kind, "")


def _tuple(reference: Reference, row: Row) -> Key | None:
    """Give the cells of a reference; None where one is NULL, which refers to nothing."""
    cells = [row.get(name) for name in reference.columns]
    return None if any(cell is None for cell in cells) else tuple(str(cell) for cell in cells)


def _all_uuids(cells: Sequence[str | None]) -> bool:
    filled = [cell for cell in cells[:50] if cell]
    return bool(filled) and all(map(_is_uuid, filled))


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
