"""Whether an input already holds canaries: a copy of an earlier release, or an export of a seeded database.

The canaries that came in with an input stand in the new release as `carried`, so that a leak of it is not blamed on
the release it was made from. Seeded canaries are few, so every row is compared with their values; exported ones are
many, so a sample of rows tells whether any are there, and only then every row is digested.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from canary.fields.canonical import canonical
from canary.fields.roles import form_of
from canary.model.canary import Placement
from canary.store import canaries as canary_store
from canary.store import lookups, releases

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from canary.files import RowBatch, Table
    from canary.steps.tools import Tools

    Indexes = NDArray[np.int64]

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


class Finder:
    """Looks for canaries of earlier releases while a table is read for another reason."""

    def __init__(self, tools: Tools, roles: Mapping[str, str]) -> None:
        self._keys = tools.keys
        self._columns = {name: role for name, role in roles.items() if form_of(role) in {"code", "email"}}
        self._registry = tools.registry
        self._sampled: dict[bytes, int] = {}
        self._seeds: dict[str, str] = {}
        self._found: dict[str, int] = {}
        with tools.registry.read() as tx:
            self._idle = canary_store.counts(tx).issued == 0 or not self._columns
            if not self._idle:
                seeded = canary_store.by_ids(tx, lookups.seeded(tx, SEEDS))
                self._seeds = {
                    field.value: one.id for one in seeded for field in one.fields if not field.shared
                }

    def feed(self, batch: RowBatch) -> None:
        """Compare a batch with the seeded values, and keep a sample of its digests."""
        if self._idle:
            return
        self._found |= self._by_value(batch)
        self._sampled.update(self._digests(batch, _kept(batch.numbers())))

    def finish(self, table: Table) -> Carried:
        """Look the sample up; where it holds canaries, read the whole table for them."""
        if self._idle:
            return NOTHING
        with self._registry.read() as tx:
            if lookups.unique_by_digest(tx, list(self._sampled)):
                for batch in table.batches(list(self._columns)):
                    digests = dict(self._digests(batch, None))
                    known = lookups.unique_by_digest(tx, list(digests))
                    self._found |= {canary: digests[digest] for digest, canary in known.items()}
            handed = dict.fromkeys(one.release for one in releases.holders(tx, self._found))
        return Carried(self._found, tuple(handed))

    def _by_value(self, batch: RowBatch) -> dict[str, int]:
        import pyarrow as pa
        import pyarrow.compute as pc

        if not self._seeds:
            return {}
        wanted, numbers = pa.array(list(self._seeds), pa.string()), batch.numbers()
        found: dict[str, int] = {}
        for column in (batch.rows.column(name) for name in self._columns):
            for at in pc.indices_nonzero(pc.is_in(column, value_set=wanted)).to_pylist():
                found[self._seeds[column[at].as_py()]] = int(numbers[at])
        return found

    def _digests(self, batch: RowBatch, keep: Indexes | None) -> Iterator[tuple[bytes, int]]:
        numbers = batch.numbers() if keep is None else batch.numbers()[keep]
        for name, role in self._columns.items():
            column = batch.rows.column(name)
            values = (column if keep is None else column.take(keep)).to_pylist()
            for number, value in zip(numbers.tolist(), values, strict=True):
                plain = canonical(role, value) if value else None
                if plain:
                    yield self._keys.digest(str(form_of(role)), plain), number


def _kept(numbers: Indexes) -> Indexes:
    """Give the places in a batch of the rows that are looked at: all at the start, then one in so many."""
    import numpy as np

    return np.flatnonzero((numbers < WHOLE) | (numbers % STRIDE == 0))
