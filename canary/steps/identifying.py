"""The identifying columns of a table, kept from the one reading of it, and drafts that are somebody's there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from canary.fields.roles import KEYS, form_of
from canary.generators.drafts import Coincidence, Draft
from canary.steps.derived import Finder, Keyset

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from canary.files import RowBatch, Table

    Ints = NDArray[np.int64]
    KeysOf = Mapping[str, Ints]  # of each column that has them

KEPT = 1 << 28  # bytes of identifying columns kept from the first reading; beyond it they are read again


@dataclass(frozen=True, slots=True)
class Sought:
    """The values of drafts in one column by their scan keys, and the drafts that have each."""

    keys: Keyset
    owners: Mapping[int, Sequence[int]]

    def among(self, keys: Ints) -> set[int]:
        """Give the drafts that have one of some keys."""
        hits = keys[self.keys.places(keys)].tolist()
        return {index for key in hits for index in self.owners[key]}


class Identifying:
    """What identifies in the rows of a table, kept while it is read where it is not too large.

    Codes and mails are kept as the scan keys that the finder of carried canaries makes anyway; with `texts`, keys of
    rows as texts too, for what has to know their order.
    """

    def __init__(
        self, table: Table, roles: Mapping[str, str], finder: Finder, texts: bool, limit: int = KEPT
    ) -> None:
        self._table, self._finder, self._room = table, finder, limit
        self._columns = [
            name
            for name in table.headings
            if (form_of(roles[name]) or roles[name] == "name")
            and (name not in finder.columns or (texts and roles[name] in KEYS))
        ]
        self._kept: list[tuple[RowBatch, KeysOf]] | None = []

    def keep(self, batch: RowBatch, keys: KeysOf) -> None:
        """Keep what identifies in a batch, as long as there is room."""
        if self._kept is None:
            return
        rows = batch.rows.select(self._columns)
        self._room -= rows.nbytes + sum(column.nbytes for column in keys.values())
        if self._room < 0:
            self._kept = None
            return
        self._kept.append((replace(batch, rows=rows), keys))

    def batches(self) -> Iterable[RowBatch]:
        """Give all batches of the table, with the columns that are kept as texts alone."""
        return (batch for batch, _ in self._parts())

    def _parts(self) -> Iterator[tuple[RowBatch, KeysOf]]:
        if self._kept is not None:
            yield from self._kept
            return
        names = list(dict.fromkeys([*self._columns, *self._finder.columns]))
        for batch in self._table.batches(names):
            yield replace(batch, rows=batch.rows.select(self._columns)), self._finder.keys_of(batch)

    def clashes(self, drafts: Sequence[Draft]) -> set[int]:
        """Give the drafts that share an identifying value, or name and address, with a row of the table."""
        sought, found = self._sought(drafts), set[int]()

        def batches() -> Iterator[RowBatch]:
            for batch, keys in self._parts():
                found.update(*(each.among(keys[name]) for name, each in sought.items()))
                yield batch

        return Coincidence(drafts).among(batches()) | found

    def _sought(self, drafts: Sequence[Draft]) -> dict[str, Sought]:
        """Key the values of drafts in the columns that are kept as keys."""
        owners: dict[str, dict[int, list[int]]] = {}
        for name, role in self._finder.columns.items():
            own = [
                (index, each.canonical)
                for index, draft in enumerate(drafts)
                for each in draft.fields
                if each.column == name and each.role == role
            ]
            keys = self._finder.mac(role).of_texts([text.encode() for _, text in own])
            for key, (index, _) in zip(keys.tolist(), own, strict=True):
                owners.setdefault(name, {}).setdefault(key, []).append(index)
        return {name: Sought(keyset(each), each) for name, each in owners.items()}


def keyset(keys: Iterable[int]) -> Keyset:
    """Make a set of keys."""
    import numpy as np

    return Keyset.of(np.array(list(keys), np.int64))
