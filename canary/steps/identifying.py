"""The identifying columns of a table, kept from the one reading of it, and drafts that are somebody's there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from canary.fields.roles import KEYS, form_of
from canary.fields.slots import Keyset
from canary.fields.spans import hashes_of, spans_of
from canary.generators.drafts import Draft, Row, clashes, compared
from canary.steps.derived import Finder

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

    Codes and mails are kept as the scan keys that the finder of carried canaries makes anyway, the others as hashes;
    with `texts`, keys of rows as texts too, for what has to know their order. A draft whose hash is a row's by chance
    is drawn again like one that is somebody's.
    """

    def __init__(
        self, table: Table, roles: Mapping[str, str], finder: Finder, texts: bool, limit: int = KEPT
    ) -> None:
        self._table, self._finder, self._room = table, finder, limit
        self._hashed = [
            name
            for name in table.headings
            if (form_of(roles[name]) or roles[name] == "name") and name not in finder.columns
        ]
        self._columns = [name for name in finder.columns if texts and roles[name] in KEYS]
        self._kept: list[tuple[RowBatch, KeysOf]] | None = []

    def keep(self, batch: RowBatch, keys: KeysOf) -> None:
        """Keep what identifies in a batch, as long as there is room; `keys` are its scan keys."""
        if self._kept is None:
            return
        rows = batch.rows.select(self._columns)
        keys = {**keys, **self._hashes(batch)}
        self._room -= rows.nbytes + sum(column.nbytes for column in keys.values())
        if self._room < 0:
            self._kept = None
            return
        self._kept.append((replace(batch, rows=rows), keys))

    def _hashes(self, batch: RowBatch) -> KeysOf:
        return {name: hashes_of(batch.spans(name)) for name in self._hashed}

    def batches(self) -> Iterable[RowBatch]:
        """Give all batches of the table, with the columns that are kept as texts alone."""
        return (batch for batch, _ in self._parts())

    def _parts(self) -> Iterator[tuple[RowBatch, KeysOf]]:
        if self._kept is not None:
            yield from self._kept
            return
        names = list(dict.fromkeys([*self._hashed, *self._finder.columns]))
        for batch in self._table.batches(names):
            keys = {**self._finder.keys_of(batch), **self._hashes(batch)}
            yield replace(batch, rows=batch.rows.select(self._columns)), keys

    def clashes(self, drafts: Sequence[Draft]) -> set[int]:
        """Give the drafts that share an identifying value, or name and address, with a row of the table."""
        sought, found = self._sought(drafts), set[int]()
        alike = Alike.of(drafts, self._hashed)
        for _, keys in self._parts():
            found.update(*(each.among(keys[name]) for name, each in sought.items()))
            found |= alike.among(keys)
        return found

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


@dataclass(frozen=True, slots=True)
class Alike:
    """The cells of drafts as hashes, to be looked for among those of real rows."""

    drafts: Sequence[Draft]
    hashes: Mapping[str, Ints]  # of each column the drafts' own
    sought: Mapping[str, Sought]  # those that must not stand in a real row

    @classmethod
    def of(cls, drafts: Sequence[Draft], columns: Sequence[str]) -> Alike:
        """Hash the cells of drafts in some columns."""
        hashes = {name: _hashed([draft.row.get(name) or "" for draft in drafts]) for name in columns}
        owners: dict[str, dict[int, list[int]]] = {}
        for index, draft in enumerate(drafts):
            for name in compared(draft).intersection(columns):
                owners.setdefault(name, {}).setdefault(int(hashes[name][index]), []).append(index)
        return cls(drafts, hashes, {name: Sought(keyset(each), each) for name, each in owners.items()})

    def among(self, rows: KeysOf) -> set[int]:
        """Give the drafts that share an identifying value, or name and address, with one of some rows."""
        found = set[int]()
        for name, each in self.sought.items():
            for place in each.keys.places(rows[name]).tolist():
                same = each.owners[int(rows[name][place])]
                found.update(
                    index
                    for index in same
                    if clashes(self.drafts[index], name, self._row(index, rows, place))
                )
        return found

    def _row(self, index: int, rows: KeysOf, place: int) -> Row:
        """Give the cells that a row shares with a draft."""
        draft = self.drafts[index]
        return {
            name: draft.row.get(name) for name, own in self.hashes.items() if own[index] == rows[name][place]
        }


def _hashed(texts: Sequence[str]) -> Ints:
    import pyarrow as pa

    return hashes_of(spans_of(pa.array(texts, pa.string())))


def keyset(keys: Iterable[int]) -> Keyset:
    """Make a set of keys."""
    import numpy as np

    return Keyset.of(np.array(list(keys), np.int64))
