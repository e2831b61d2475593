"""Captures: what was fetched, as sealed WARC records, and which sightings came out of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import exists, insert, select, update

from canary.store.rows import LOOKUP_KEYS, chunks
from canary.store.tables import matches, sightings
from canary.store.tx import Tx
from canary.store.watchtables import captures, evidence


@dataclass(frozen=True, slots=True)
class Capture:
    """One answer of a host: digest and size of its payload, and the WARC record (gzip) that keeps it."""

    time_ms: int
    sha256: str
    size: int
    record: bytes | None = field(repr=False)


def add(tx: Tx, job: str, slot: int, found: Sequence[Capture]) -> list[int]:
    """Keep the captures of a run and give their serials."""
    return [_add(tx, job, slot, one) for one in found]


def _add(tx: Tx, job: str, slot: int, one: Capture) -> int:
    sealed = None if one.record is None else tx.keys.seal(one.record, _place(one.sha256))
    values = {"job": job, "slot": slot, "time_ms": one.time_ms, "sha256": one.sha256, "bytes": one.size}
    statement = insert(captures).values(**values, record=sealed).returning(captures.c.serial)
    return int(tx.conn.execute(statement).scalar_one())


def link(tx: Tx, pairs: Iterable[tuple[str, int]]) -> None:
    """Note from which captures (serials) sightings (ids) came."""
    for part in chunks(pairs, LOOKUP_KEYS):
        wanted = select(sightings.c.id, sightings.c.serial)
        known = dict(tx.conn.execute(wanted.where(sightings.c.id.in_({id for id, _ in part}))).all())
        rows = [{"sighting": known[id], "capture": serial} for id, serial in part]
        tx.conn.execute(insert(evidence), rows)


def of_sighting(tx: Tx, sighting: str) -> list[Capture]:
    """Give the captures a sighting came from, oldest first; the record is None once it is kept by hash only."""
    joined = select(captures).join(evidence, evidence.c.capture == captures.c.serial)
    joined = joined.join(sightings, sightings.c.serial == evidence.c.sighting)
    rows = tx.conn.execute(joined.where(sightings.c.id == sighting).order_by(captures.c.serial))
    return [Capture(row.time_ms, row.sha256, row.bytes, _opened(tx, row.sha256, row.record)) for row in rows]


def _opened(tx: Tx, sha256: str, sealed: bytes | None) -> bytes | None:
    return None if sealed is None else tx.keys.unseal(sealed, _place(sha256))


def _place(sha256: str) -> str:
    return f"captures.record:{sha256}"


def forget(tx: Tx, before_ms: int) -> int:
    """Keep by hash only what was fetched before a time and led to no match; gives how many that were."""
    matched = exists().where(
        evidence.c.capture == captures.c.serial, matches.c.sighting == evidence.c.sighting
    )
    old = update(captures).where(captures.c.time_ms < before_ms, captures.c.record.is_not(None), ~matched)
    return tx.conn.execute(old.values(record=None)).rowcount
