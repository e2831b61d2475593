"""Whether an input already holds canaries: a copy of an earlier release, or an export of a seeded database.

The canaries that came in with an input stand in the new release as `carried`, so that a leak of it is not blamed on
the release it was made from. Seeded canaries are few, so every row is compared with their values; exported ones are
many, so a sample of rows tells whether any are there, and only then every row is digested.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from canary.fields.canonical import canonical
from canary.fields.guess import guess_roles
from canary.fields.roles import form_of
from canary.model.canary import Canary, Placement
from canary.store import canaries as canary_store
from canary.store import lookups, releases
from canary.store.tx import Tx

if TYPE_CHECKING:
    from canary.files import RowBatch, Table
    from canary.steps.copies import Source
    from canary.steps.tools import Tools

WHOLE = 8_192  # rows from the start that are always looked at
STRIDE = 64  # then one row in so many: .02 % of canaries in a million rows are missed once in 2,000
SEEDS = 50_000  # seeded canaries whose values are compared with every row


@dataclass(frozen=True)
class Carried:
    """Canaries of earlier releases that stand in an input (id → row), and those releases."""

    positions: Mapping[str, int]
    releases: tuple[str, ...] = ()

    def placements(self, release: str) -> list[Placement]:
        """Give their placements in a new release."""
        return [Placement(canary, release, at, carried=True) for canary, at in self.positions.items()]


NOTHING = Carried({})


def carried(tools: Tools, source: Source) -> Carried:
    """Find the canaries that an input holds already."""
    with tools.registry.read() as tx:
        if canary_store.counts(tx).issued == 0:
            return NOTHING
        columns = _identifying(source.table)
        seeds = {field.value: one.id for one in _seeded(tx) for field in one.fields if not field.shared}
        found = _by_value(source.table, list(columns), seeds) if seeds else {}
        if _by_digest(tx, source.table, columns, sampled=True):
            found |= _by_digest(tx, source.table, columns, sampled=False)
        if not found:
            return NOTHING
        handed = dict.fromkeys(one.release for one in releases.holders(tx, found))
    return Carried(found, tuple(handed))


def _identifying(table: Table) -> dict[str, str]:
    """Choose the columns by which a canary row is recognised: those with numbers and addresses of its own."""
    rows = table.head()
    sample = {name: [row[at] for row in rows] for at, name in enumerate(table.headings)}
    roles = guess_roles(table.headings, sample)
    return {name: role for name, role in roles.items() if form_of(role) in {"code", "email"}}


def _seeded(tx: Tx) -> list[Canary]:
    return canary_store.by_ids(tx, lookups.seeded(tx, SEEDS))


def _by_value(table: Table, columns: list[str], values: Mapping[str, str]) -> dict[str, int]:
    import pyarrow as pa
    import pyarrow.compute as pc

    wanted = pa.array(list(values), pa.string())
    found: dict[str, int] = {}
    for batch in table.batches(columns):
        numbers = batch.numbers()
        for column in batch.rows.columns:
            for at in pc.indices_nonzero(pc.is_in(column, value_set=wanted)).to_pylist():
                found[values[column[at].as_py()]] = int(numbers[at])
    return found


def _by_digest(tx: Tx, table: Table, columns: Mapping[str, str], *, sampled: bool) -> dict[str, int]:
    found: dict[str, int] = {}
    for batch in table.batches(list(columns)) if columns else ():
        digests = dict(_digests(tx, batch, columns, sampled=sampled))
        for digest, canary in lookups.unique_by_digest(tx, list(digests)).items():
            found[canary] = digests[digest]
    return found


def _digests(
    tx: Tx, batch: RowBatch, columns: Mapping[str, str], *, sampled: bool
) -> Iterator[tuple[bytes, int]]:
    rows, numbers = batch.rows, batch.numbers()
    if sampled:
        keep = [at for at, number in enumerate(numbers) if number < WHOLE or number % STRIDE == 0]
        rows, numbers = rows.take(keep), numbers[keep]
    for column, role in columns.items():
        form = str(form_of(role))
        for number, value in zip(numbers, _values(rows.column(column)), strict=True):
            plain = canonical(role, value) if value else None
            if plain:
                yield tx.keys.digest(form, plain), int(number)


def _values(column: Any) -> Iterable[str | None]:
    values: list[str | None] = column.to_pylist()
    return values
