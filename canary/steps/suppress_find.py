"""Finding the canaries' rows of a file: every row is looked up, and what may be a canary's is judged by its cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from canary.fields.canonical import canonical
from canary.fields.columns import FORMS, keys_of_column
from canary.fields.policy import parse_policy
from canary.fields.roles import form_of
from canary.fields.spans import spans_of
from canary.model.canary import Canary
from canary.model.suppress import Known
from canary.steps.index import file_of, issued_keys
from canary.steps.suppress_rule import Columns, Ranges, is_of
from canary.store import canaries as canary_store
from canary.store import suppressions

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from canary.files import RowBatch, Table
    from canary.keys import Keys
    from canary.steps.tools import Tools
    from canary.store.tx import Tx

    Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Found:
    """What a file holds: its rows, the numbers of those to leave out, and the canaries that were met."""

    rows: int = 0
    numbers: tuple[int, ...] = ()
    met: tuple[Known, ...] = ()


@dataclass
class _Seen:
    """What is known so far of the canaries whose values occurred."""

    carriers: dict[int, tuple[int, ...]] = field(default_factory=dict)  # scan key → serials
    canaries: dict[int, Canary] = field(default_factory=dict)
    known: dict[int, Known] = field(default_factory=dict)
    ranges: dict[int, Ranges] = field(default_factory=dict)
    met: set[int] = field(default_factory=set)


class Sieve:
    """Finds the rows of canaries; `recipients` are those whose copies count as the owner's own data."""

    def __init__(self, tools: Tools, columns: Columns, recipients: Sequence[str]) -> None:
        self._registry, self._keys = tools.registry, tools.keys
        self._columns, self._recipients = columns, recipients
        self._seen = _Seen()
        self._numbers: list[int] = []
        self._issued = None
        if columns.values:
            with self._registry.read() as tx:
                self._issued = issued_keys(tx, file_of(tools.registry, tools.folder))

    def feed(self, batch: RowBatch) -> None:
        """Look up a batch, and judge the rows that hold a value of a canary."""
        hits = self._hits(batch)
        if not hits:
            return
        places = sorted(hits)
        rows = batch.rows.take(places).to_pylist()
        numbers = batch.numbers()
        with self._registry.read() as tx:
            self._open(tx, {key for keys in hits.values() for key in keys})
        for place, row in zip(places, rows, strict=True):
            serials = {serial for key in hits[place] for serial in self._seen.carriers.get(key, ())}
            owners = [serial for serial in serials if self._owns(serial, row)]
            self._seen.met.update(owners)
            if any(not self._seen.known[serial].stray for serial in owners):
                self._numbers.append(int(numbers[place]))

    def _owns(self, serial: int, row: Mapping[str, str | None]) -> bool:
        canary = self._seen.canaries.get(serial)
        return canary is not None and is_of(canary, row, self._columns, self._seen.ranges.get(serial, {}))

    def _hits(self, batch: RowBatch) -> dict[int, set[int]]:
        """Give, by place in the batch, the scan keys of issued values in the row."""
        found: dict[int, set[int]] = {}
        for name in self._columns.values if self._issued is not None else ():
            keys = _column_keys(self._keys, self._columns.roles[name], batch.rows.column(name))
            assert self._issued is not None  # noqa: S101
            places = self._issued.places(keys)
            for place, key in zip(places.tolist(), keys[places].tolist(), strict=True):
                found.setdefault(place, set()).add(key)
        return found

    def _open(self, tx: Tx, keys: set[int]) -> None:
        """Open the canaries that carry values of these scan keys, each once."""
        fresh = sorted(keys - self._seen.carriers.keys())
        if not fresh:
            return
        owners: dict[int, set[int]] = {key: set() for key in fresh}
        for key, serial in suppressions.carriers(tx, fresh):
            owners[key].add(serial)
        self._seen.carriers |= {key: tuple(sorted(serials)) for key, serials in owners.items()}
        serials = sorted(set().union(*owners.values()) - self._seen.canaries.keys())
        opened = canary_store.by_serials(tx, serials)
        self._seen.canaries |= dict(zip(serials, opened, strict=True))
        self._seen.known |= {one.serial: one for one in suppressions.known(tx, serials, self._recipients)}
        policies = suppressions.policies_of(tx, [one.id for one in opened])
        ranges = {text: parse_policy(text).ranges for text in set(policies.values())}
        self._seen.ranges |= {
            serial: ranges[policies[one.id]]
            for serial, one in zip(serials, opened, strict=True)
            if one.id in policies
        }

    def finish(self, rows: int) -> Found:
        """Give what was found in so many rows."""
        met = tuple(self._seen.known[serial] for serial in sorted(self._seen.met))
        return Found(rows, tuple(self._numbers), met)


def _column_keys(keys: Keys, role: str, column: pa.Array) -> Ints:
    """Give the scan keys of a column's canonical values; a cell without one has that of no issued value."""
    form = str(form_of(role))
    if form in FORMS:
        return keys_of_column(role, spans_of(column), keys.scan_mac(form))
    return keys.scan_keys(form, _phones(role, column))


def _phones(role: str, column: pa.Array) -> list[str]:
    """Give the canonical phones of a column; a mobile number of eleven digits is one as it stands."""
    import pyarrow.compute as pc

    plain = pc.match_substring_regex(column, r"^1[3-9][0-9]{9}$").to_pylist()
    texts = column.to_pylist()
    return [
        text if ok else (text and canonical(role, text)) or "" for text, ok in zip(texts, plain, strict=True)
    ]


def sift(tools: Tools, table: Table, columns: Columns, recipients: Sequence[str]) -> Found:
    """Read a table once and find the rows of canaries in it."""
    sieve, rows = Sieve(tools, columns, recipients), 0
    for batch in table.batches(columns.wanted):
        sieve.feed(batch)
        rows += batch.rows.num_rows
        tools.progress("checking", rows, None)
    return sieve.finish(rows)
