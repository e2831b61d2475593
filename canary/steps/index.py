"""The scan index of a registry: built in one sweep, with a reader that opens the few canaries that hit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from canary.model.canary import Canary
from canary.store import canaries as store
from canary.store import releases

if TYPE_CHECKING:
    from canary.scan.index import ArrayIndex
    from canary.steps.tools import Tools
    from canary.store.tx import Tx


@dataclass(frozen=True)
class Lookup:
    """An index over all issued canaries, and what opens them, within one read transaction."""

    tx: Tx
    index: ArrayIndex

    @classmethod
    @contextmanager
    def open(cls, tools: Tools) -> Iterator[Lookup]:
        """Build the index of a registry and hold its transaction for look-ups."""
        from canary.scan.index import ArrayIndex

        with tools.registry.read() as tx:
            yield cls(tx, ArrayIndex.build(store.scan_rows(tx)))

    def open_canaries(self, serials: Sequence[int]) -> Sequence[Canary]:
        """Unseal canaries by serial, to confirm a hit field by field."""
        return store.by_serials(self.tx, serials)

    def canaries(self, ids: Iterable[str]) -> list[Canary]:
        """Unseal canaries by id."""
        return store.by_ids(self.tx, set(ids))

    def holders(self, ids: Iterable[str]) -> Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]:
        """Give, for each canary, its releases oldest first and the recipients that hold it."""
        found: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}
        for one in releases.holders(self.tx, ids):
            given, who = found.get(one.canary, ((), ()))
            found[one.canary] = ((*given, one.release), tuple(dict.fromkeys((*who, one.recipient))))
        return found
