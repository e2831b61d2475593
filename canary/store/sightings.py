"""Sightings as they are kept, sealed, and their matches with canaries."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, exists, select, update

from canary.keys import Keys
from canary.model.sight import Match, Sighting
from canary.store import callers
from canary.store.bulk import insert_new_rows
from canary.store.matches import add_match, matches_of
from canary.store.rows import LOOKUP_KEYS, AnyRow, AnySelect, chunks, one_of, stream
from canary.store.tables import matches, sightings
from canary.store.text import dump, fit, seal_text, unseal_text
from canary.store.tx import Tx
from canary.store.watchtables import callers as called

__all__ = ["add", "add_many", "add_match", "attach", "forget_raw", "get", "kept", "list_all", "raw"]

ITEM_CHARS: Final = 500
SOURCE_CHARS: Final = 200
ZLIB_LEVEL: Final = 1  # mails and pages halve; the receivers' speed matters more


def add(tx: Tx, sighting: Sighting, raw: bytes | None) -> bool:
    """Keep a sighting with its raw bytes; False where source, item and SHA-256 are known already."""
    return bool(add_many(tx, [(sighting, raw)]))


def add_many(tx: Tx, batch: Sequence[tuple[Sighting, bytes | None]]) -> dict[str, int]:
    """Keep sightings with their raw bytes (None: by hash only) and map the ids of the new ones to their serials.

    Left out is one whose source, item and SHA-256 are known already. Matches are added apart; an item above 500
    characters is kept by its start and digest. Who called is kept apart from other details, to be forgotten.
    """
    rows = [_row(tx.keys, sighting, raw) for sighting, raw in batch]
    made = dict(insert_new_rows(tx.conn, sightings, rows, ("id", "serial")))
    for sighting, _ in batch:
        if sighting.event in callers.EVENTS and sighting.id in made:
            callers.add(tx, sighting.id, callers.split(sighting.event, sighting.detail)[1])
    return made


def _row(keys: Keys, sighting: Sighting, raw: bytes | None) -> dict[str, object]:
    place = sighting.id
    detail, _ = callers.split(sighting.event, sighting.detail)
    return {
        "id": sighting.id,
        "source": fit(sighting.source, SOURCE_CHARS),
        "kind": fit(sighting.kind, 64),
        "item": fit(sighting.item, ITEM_CHARS),
        "event": fit(sighting.event, 16),
        "contact": None if sighting.contact is None else seal_text(keys, sighting.contact, _contact(place)),
        "time_ms": sighting.time_ms,
        "seen_ms": sighting.seen_ms,
        "sha256": sighting.sha256,
        "bytes": sighting.bytes,
        "detail": seal_text(keys, dump(detail), _detail(place)),
        "raw": None if raw is None else keys.seal(zlib.compress(raw, ZLIB_LEVEL), _raw(place)),
        "incident": sighting.incident,
    }


def kept_name(sighting: Sighting) -> tuple[str, str]:
    """Give source and item of a sighting as they are kept."""
    return fit(sighting.source, SOURCE_CHARS), fit(sighting.item, ITEM_CHARS)


def attach(tx: Tx, incident: str, serials: Sequence[int]) -> None:
    """Note that sightings belong to an incident."""
    mine = update(sightings).where(one_of(tx.conn, sightings.c.serial, serials))
    tx.conn.execute(mine.values(incident=incident))


def _contact(sighting: str) -> str:
    return f"sightings.contact:{sighting}"


def _detail(sighting: str) -> str:
    return f"sightings.detail:{sighting}"


def _raw(sighting: str) -> str:
    return f"sightings.raw:{sighting}"


_COLUMNS: Final = [*(each for each in sightings.c if each.name != "raw"), called.c.sealed.label("who")]


def _wanted(*more: ColumnElement[Any]) -> AnySelect:
    joined = sightings.outerjoin(called, called.c.sighting == sightings.c.serial)
    return select(*_COLUMNS, *more).select_from(joined)


def get(tx: Tx, sighting: str) -> Sighting | None:
    """Give a sighting with its matches, None where there is none."""
    found = _nouns(tx, tx.conn.execute(_wanted().where(sightings.c.id == sighting)))
    return next(iter(found), None)


def list_all(tx: Tx, incident: str | None = None) -> list[Sighting]:
    """List sightings with their matches in the order they were stored, of one incident where asked for."""
    wanted = _wanted().order_by(sightings.c.serial)
    if incident is not None:
        wanted = wanted.where(sightings.c.incident == incident)
    return list(_nouns(tx, stream(tx.conn, wanted)))


def kept(tx: Tx, since_ms: int = 0) -> Iterator[tuple[Sighting, bytes]]:
    """Give the sightings whose raw bytes are kept, seen since a time, with the bytes, for another reading."""
    wanted = _wanted(sightings.c.raw).where(sightings.c.raw.is_not(None), sightings.c.seen_ms >= since_ms)
    for row in stream(tx.conn, wanted.order_by(sightings.c.serial)):
        yield next(_nouns(tx, [row])), _opened(tx.keys, row.id, row.raw)


def kept_of(tx: Tx, serials: Sequence[int]) -> list[tuple[int, Sighting, bytes]]:
    """Give the sightings of these serials whose raw bytes are kept, with serial and bytes, oldest first."""
    wanted = _wanted(sightings.c.raw).where(sightings.c.raw.is_not(None))
    wanted = wanted.where(one_of(tx.conn, sightings.c.serial, serials)).order_by(sightings.c.serial)
    rows = tx.conn.execute(wanted).all()
    return [
        (row.serial, one, _opened(tx.keys, row.id, row.raw))
        for row, one in zip(rows, _nouns(tx, rows), strict=True)
    ]


def kept_ids(tx: Tx, since_ms: int = 0) -> list[tuple[str, int, int]]:
    """List (id, serial, bytes) of the sightings whose raw bytes are kept, seen since a time, oldest first."""
    wanted = select(sightings.c.id, sightings.c.serial, sightings.c.bytes)
    wanted = wanted.where(sightings.c.raw.is_not(None), sightings.c.seen_ms >= since_ms)
    return [(id, serial, size) for id, serial, size in tx.conn.execute(wanted.order_by(sightings.c.serial))]


def raw(tx: Tx, sighting: str) -> bytes | None:
    """Give the raw bytes of a sighting, None where they are not kept."""
    sealed = tx.conn.scalar(select(sightings.c.raw).where(sightings.c.id == sighting))
    return None if sealed is None else _opened(tx.keys, sighting, sealed)


def _opened(keys: Keys, sighting: str, sealed: bytes) -> bytes:
    return zlib.decompress(keys.unseal(sealed, _raw(sighting)))


def forget_raw(tx: Tx, before_ms: int) -> int:
    """Keep by hash only what was seen before a time and matched nothing; gives how many that were."""
    matched = exists().where(matches.c.sighting == sightings.c.serial)
    old = update(sightings).where(sightings.c.seen_ms < before_ms, sightings.c.raw.is_not(None), ~matched)
    return tx.conn.execute(old.values(raw=None)).rowcount


def _nouns(tx: Tx, rows: Iterable[AnyRow]) -> Iterator[Sighting]:
    for part in chunks(rows, LOOKUP_KEYS):
        found = matches_of(tx, [row.serial for row in part])
        for row in part:
            yield _noun(tx.keys, row, tuple(found.get(row.serial, ())))


def _noun(keys: Keys, row: AnyRow, found: tuple[Match, ...]) -> Sighting:
    detail = json.loads(unseal_text(keys, row.detail, _detail(row.id)))
    contact = None if row.contact is None else unseal_text(keys, row.contact, _contact(row.id))
    return Sighting(
        id=row.id,
        source=row.source,
        kind=row.kind,
        item=row.item,
        event=row.event,
        contact=contact,
        time_ms=row.time_ms,
        seen_ms=row.seen_ms,
        sha256=row.sha256,
        bytes=row.bytes,
        detail={**detail, **callers.opened(keys, row.id, row.who)},
        matches=found,
        incident=row.incident,
    )
