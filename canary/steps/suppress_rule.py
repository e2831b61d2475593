"""When a row is a canary's, so surely that leaving it out can hit no real customer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product

from canary.fields.canonical import canonical, name_address
from canary.fields.roles import KEYS, form_of
from canary.model.canary import Canary, CanaryField

Row = Mapping[str, str | None]
Ranges = Mapping[str, tuple[int, int]]
LOOKED_UP = frozenset({"phone", "email", "code"})  # forms of values that stand in one cell
# Values that no series gives to a real row as well: numbers of accounts may run in step with those of orders.
PERSONAL = frozenset({"phone", "email", "resident_id", "bank_card", "plate", "name_address"})
NUMBERED = KEYS | {"account_no"}

_LAST_NUMBER = re.compile(r"\d+$", re.ASCII)


def is_looked_up(role: str) -> bool:
    """Tell whether values of a role stand in one cell and may be a canary's."""
    return form_of(role) in LOOKED_UP


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a file by what they can hold: heading → role, and those of names and addresses."""

    roles: Mapping[str, str]
    values: tuple[str, ...] = field(init=False)
    names: tuple[str, ...] = field(init=False)
    addresses: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Sort the columns."""
        for place, wanted in (("values", LOOKED_UP), ("names", {"name"}), ("addresses", {"address"})):
            found = tuple(name for name, role in self.roles.items() if (form_of(role) or role) in wanted)
            object.__setattr__(self, place, found)

    @property
    def wanted(self) -> tuple[str, ...]:
        """Give the columns that are read."""
        return tuple(dict.fromkeys((*self.values, *self.names, *self.addresses)))


def is_of(canary: Canary, row: Row, columns: Columns, ranges: Ranges) -> bool:
    """Tell whether a row is a canary's.

    It is where it holds the canary's alias, or its key out of a range reserved for canaries in the column of that
    name, or two of its identifying values in two columns, one of them personal. A key alone, two keys, or a phone
    of a pool alone can stand in a real row and tell nothing.
    """
    held: dict[str, CanaryField] = {}
    for each in canary.fields:
        for name in _holding(each, row, columns):
            if each.role == "email" and not each.shared:
                return True
            if name == each.column and columns.roles[name] == each.role and _reserved(each, ranges):
                return True
            held[name] = each
    values = {(form_of(each.role), each.canonical) for each in held.values()}
    personal = any(each.role in PERSONAL for each in held.values())
    return len(values) >= 2 and personal


def _holding(each: CanaryField, row: Row, columns: Columns) -> list[str]:
    """Give the columns in which a row holds a value of a canary; for a name with its address that of the address."""
    form = form_of(each.role)
    if form == "name_address":
        pairs = product(columns.names, columns.addresses)
        return [
            where
            for who, where in pairs
            if name_address(row.get(who) or "", row.get(where) or "") == each.canonical
        ]
    if form not in LOOKED_UP:
        return []
    return [
        name
        for name in columns.values
        if form_of(columns.roles[name]) == form
        and canonical(columns.roles[name], row.get(name) or "") == each.canonical
    ]


def _reserved(each: CanaryField, ranges: Ranges) -> bool:
    """Tell whether a key was drawn from a range that the policy reserves for canaries."""
    bounds = ranges.get(each.column, ranges.get(each.role)) if each.role in NUMBERED else None
    number = _LAST_NUMBER.search(each.value)
    return bounds is not None and number is not None and bounds[0] <= int(number[0]) <= bounds[1]
