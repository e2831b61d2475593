"""Whether an input already holds canaries: a copy of an earlier release, or an export of a seeded database.

The canaries that came in with an input stand in the new release as `carried`, so that a leak of it is not blamed on
the release it was made from. One that is missed would be: so every row is looked up, not a sample.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from canary.fields.columns import FORMS, keys_of_column
from canary.fields.roles import form_of
from canary.fields.slots import Keyset
from canary.model.canary import Placement
from canary.steps.index import file_of, issued_keys
from canary.store import lookups, releases

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from canary.cmac import CmacKey
    from canary.files import RowBatch
    from canary.steps.tools import Tools

    Ints = NDArray[np.int64]


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
        self._keys, self._registry = tools.keys, tools.registry
        self.columns = {name: role for name, role in roles.items() if form_of(role) in FORMS}
        self._issued = self._issued_keys(tools) if self.columns else None
        self._found: dict[int, int] = {}

    @staticmethod
    def _issued_keys(tools: Tools) -> Keyset:
        with tools.registry.read() as tx:
            return issued_keys(tx, file_of(tools.registry, tools.folder))

    def mac(self, role: str) -> CmacKey:
        """Give the key under which values of a role become scan keys."""
        return self._keys.scan_mac(str(form_of(role)))

    def keys_of(self, batch: RowBatch) -> dict[str, Ints]:
        """Give the scan keys of every row in each column that has them."""
        return {
            name: keys_of_column(role, batch.spans(name), self.mac(role))
            for name, role in self.columns.items()
        }

    def feed(self, batch: RowBatch, keys: Mapping[str, Ints] | None = None) -> None:
        """Compare every row of a batch with the issued values, by its scan keys."""
        if self._issued is None:
            return
        for column in (self.keys_of(batch) if keys is None else keys).values():
            hits = self._issued.places(column)
            if len(hits):
                self._found.update(zip(column[hits].tolist(), batch.numbers()[hits].tolist(), strict=True))

    def finish(self) -> Carried:
        """Give the canaries that were found, and the releases they were handed out in."""
        if not self._found:
            return NOTHING
        with self._registry.read() as tx:
            known = lookups.canaries_by_scan_key(tx, list(self._found))
            positions = {canary: self._found[key] for key, canary in known.items()}
            handed = dict.fromkeys(one.release for one in releases.holders(tx, positions))
        return Carried(positions, tuple(handed))
