"""Canaries that stay: what a recipient was given before stands in its later exports of the dataset too, unchanged.

Otherwise two successive exports of one recipient would show them by comparison: real rows stand in both.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from canary.model.canary import Canary
from canary.store import canaries as store
from canary.store import releases
from canary.store.tx import Tx

if TYPE_CHECKING:
    from canary.files import RowBatch

KEYS = ("waybill_no", "order_no", "record_no", "key", "account_no")  # roles by which rows may be in order
LOOKED_AT = 400  # rows by which it is told whether a table is in the order of its keys
_PARTS = re.compile(r"\d+|\D+")

Natural = tuple[tuple[int, int, str], ...]
Kept = tuple[tuple[Canary, int], ...]


def natural(text: str) -> Natural:
    """Give what orders keys as people do: digits by their number, whatever their length."""
    parts = _PARTS.findall(text)
    return tuple((1, int(part), "") if part.isdecimal() else (0, 0, part) for part in parts)


@dataclass(frozen=True)
class KeyColumn:
    """The keys of a table in the order of its rows, looked up one at a time; `numbers` are the rows' own."""

    name: str
    chunks: tuple[Any, ...] = field(repr=False)
    numbers: tuple[Any, ...] = field(repr=False)
    starts: tuple[int, ...]

    @property
    def rows(self) -> int:
        """The number of keys."""
        return self.starts[-1]

    def at(self, row: int) -> str:
        """Give one key, empty where the row has none."""
        chunk = bisect_right(self.starts, row) - 1
        return self.chunks[chunk][row - self.starts[chunk]].as_py() or ""

    def number(self, row: int) -> int:
        """Give the number in the input of the row with this key, or of the place behind the last one."""
        if row >= self.rows:
            return int(self.numbers[-1][-1]) + 1
        chunk = bisect_right(self.starts, row) - 1
        return int(self.numbers[chunk][row - self.starts[chunk]])

    def rises(self) -> bool:
        """Tell by some rows whether the table is in the order of these keys."""
        if self.rows < 2:
            return False
        step = max(1, self.rows // LOOKED_AT)
        seen = [natural(self.at(row)) for row in range(0, self.rows, step)]
        return all(before < after for before, after in pairwise(seen))

    def place_of(self, key: str) -> int | None:
        """Give the row before which a key stands, None where it is beyond the first or the last one."""
        wanted, low, high = natural(key), 0, self.rows
        if not natural(self.at(0)) < wanted < natural(self.at(self.rows - 1)):
            return None
        while low < high:
            middle = (low + high) // 2
            if natural(self.at(middle)) < wanted:
                low = middle + 1
            else:
                high = middle
        return self.number(low)


def key_column(batches: Iterable[RowBatch], roles: Mapping[str, str]) -> KeyColumn | None:
    """Give the column in whose order a table stands, None where it is in the order of none."""
    kept = [batch for batch in batches if batch.rows.num_rows]
    if not kept:
        return None
    named = [name for name in kept[0].rows.schema.names if roles.get(name) in KEYS]
    for name in sorted(named, key=lambda one: KEYS.index(roles[one])):
        starts = [0]
        for batch in kept:
            starts.append(starts[-1] + batch.rows.num_rows)
        columns = tuple(batch.rows.column(name) for batch in kept)
        found = KeyColumn(name, columns, tuple(batch.numbers() for batch in kept), tuple(starts))
        if found.rises():
            return found
    return None


def earlier(tx: Tx, recipients: Sequence[str], dataset: str) -> dict[str, list[Canary]]:
    """Give the canaries that stand in each recipient's exports of a dataset; public ones are left behind."""
    found: dict[str, dict[str, Canary]] = {}
    for recipient in recipients:
        for release in releases.list_all(tx, recipient=recipient):
            if release.dataset == dataset and release.kind == "export":
                mine = found.setdefault(recipient, {})
                for placement, canary in store.of_release(tx, release.id):
                    if not placement.carried and canary.burned_ms is None and canary.recipient == recipient:
                        mine[canary.id] = canary
    return {recipient: list(mine.values()) for recipient, mine in found.items()}


def covered(
    known: Mapping[str, Sequence[Canary]], keys: KeyColumn, headings: Sequence[str], most: int
) -> dict[str, Kept]:
    """Give, of each recipient's canaries, at most so many that belong into a table, with their places."""
    made: dict[str, Kept] = {}
    for recipient, canaries in known.items():
        placed = []
        for canary in sorted(canaries, key=lambda one: one.id):
            key = canary.row.get(keys.name)
            place = keys.place_of(key) if key and set(canary.row) == set(headings) else None
            if place is not None:
                placed.append((canary, place))
        made[recipient] = tuple(placed[:most])
    return made
