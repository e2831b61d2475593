"""What was taken in and not read yet: sightings whose bytes wait for the scan."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, func, select

from canary.store.bulk import insert_rows
from canary.store.rows import one_of
from canary.store.tables import sightings
from canary.store.tx import Tx
from canary.store.watchtables import unread


def add(tx: Tx, serials: Sequence[int], now_ms: int) -> None:
    """Note that sightings wait."""
    insert_rows(tx.conn, unread, [(serial, now_ms) for serial in serials])


def waiting(tx: Tx, most: int) -> dict[str, int]:
    """Map the ids of the sightings that wait longest to their serials; those of one message come together."""
    oldest = select(sightings.c.sha256).join(unread, unread.c.sighting == sightings.c.serial)
    oldest = oldest.order_by(unread.c.sighting).limit(most)
    wanted = select(sightings.c.id, sightings.c.serial).join(unread, unread.c.sighting == sightings.c.serial)
    chosen = wanted.where(sightings.c.sha256.in_(oldest.scalar_subquery())).order_by(sightings.c.serial)
    return dict(tx.conn.execute(chosen).all())


def done(tx: Tx, serials: Sequence[int]) -> set[int]:
    """Note that sightings were read; gives those that nobody else read meanwhile."""
    mine = delete(unread).where(one_of(tx.conn, unread.c.sighting, serials)).returning(unread.c.sighting)
    return set(tx.conn.scalars(mine))


def count(tx: Tx) -> int:
    """Count what waits."""
    return int(tx.conn.execute(select(func.count()).select_from(unread)).scalar_one())


def oldest(tx: Tx) -> int | None:
    """Give since when the oldest waits (milliseconds), None where nothing does."""
    since = tx.conn.scalar(select(func.min(unread.c.since_ms)))
    return None if since is None else int(since)
