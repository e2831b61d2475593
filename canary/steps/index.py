"""The scan index of a registry: built in one sweep, with a reader that opens the few canaries that hit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from canary.fields.slots import Keyset
from canary.model.canary import Canary
from canary.store import canaries as store
from canary.store import readings, releases
from canary.store.shapes import issued_shapes

if TYPE_CHECKING:
    from canary.model.evidence import Known
    from canary.scan.identifiers import Rows
    from canary.scan.index import ArrayIndex
    from canary.scan.indexfile import IndexFile, Stored
    from canary.steps.tools import Tools
    from canary.store.registry import Registry
    from canary.store.tx import Tx


def file_of(registry: Registry, folder: Path) -> IndexFile:
    """Give the file in a home that holds the index of a registry."""
    from canary.scan.indexfile import IndexFile

    digest = blake2b(registry.url.encode(), key=registry.keys.derive("scan/file"), digest_size=8).hexdigest()
    return IndexFile(folder / f"scan-index-{digest}", registry.keys)


def issued_index(tx: Tx, file: IndexFile | None = None, held: Stored | None = None) -> Stored:
    """Give the index of all that was issued by now: what is held or stands in a file, and what came since.

    A lower serial may be committed after a higher one, and a registry may be put back from a backup: where the counts
    or the ids differ, all is read anew.
    """
    from canary.scan.index import ArrayIndex
    from canary.scan.indexfile import Stored

    now = readings.known(tx, "")
    stored = held or (file.load() if file is not None else None)
    if stored is not None and store.id_at(tx, stored.newest) != stored.last:
        stored = None
    if stored is None or (stored.newest, stored.issued) != (now.newest, now.issued):
        if stored is not None and 0 < stored.issued == now.issued - store.count_above(tx, stored.newest):
            stored = _grown(tx, stored, now, file)
        else:
            last = store.id_at(tx, now.newest)
            stored = made = Stored(ArrayIndex.of(batches(tx)), now.newest, now.issued, last)
            if file is not None and now.issued:
                _kept(lambda: file.save(made))
    stored.index.shapes = issued_shapes(tx)  # asked after the identifiers: never fewer than theirs
    return stored


def issued_keys(tx: Tx, file: IndexFile) -> Keyset:
    """Give the scan keys of all that was issued by now, as the index holds them."""
    return Keyset.of_sorted(issued_index(tx, file).index.sorted_keys())


def _grown(tx: Tx, stored: Stored, now: Known, file: IndexFile | None) -> Stored:
    """Add what was issued since an index was made, to it and to its file."""
    from canary.scan.identifiers import Rows
    from canary.scan.indexfile import Stored

    rows = Rows.joined(list(batches(tx, stored.newest)))
    grown = Stored(stored.index.added(rows), now.newest, now.issued, store.id_at(tx, now.newest))
    if file is not None:
        _kept(lambda: file.add(rows, stored, grown))
    return grown


def batches(tx: Tx, after: int = 0) -> Iterator[Rows]:
    """Give the identifiers of canaries above a serial, in batches."""
    from canary.scan.identifiers import Rows

    for keys, serials, forms, bits in store.scan_columns(tx, after):
        yield Rows.of(keys, serials, forms, bits)


def _kept(write: Callable[[], None]) -> None:
    """Write the file of an index where that is possible: a scan of a home that cannot be written to goes on."""
    with suppress(OSError):
        write()


@dataclass(frozen=True)
class Lookup:
    """An index over all issued canaries, and what opens them, within one read transaction."""

    tx: Tx
    index: ArrayIndex

    @classmethod
    @contextmanager
    def open(cls, tools: Tools) -> Iterator[Lookup]:
        """Build the index of a registry and hold its transaction for look-ups."""
        with tools.registry.read() as tx:
            yield cls(tx, issued_index(tx, file_of(tools.registry, tools.folder)).index)

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
