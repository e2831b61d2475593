"""Look-ups in bulk: canaries by digest, and those that were seeded."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from canary.store.rows import LOOKUP_KEYS, chunks
from canary.store.tables import canaries, identifiers, placements, releases
from canary.store.tx import Tx


def unique_by_digest(tx: Tx, digests: Sequence[bytes]) -> dict[bytes, str]:
    """Map the digests of values that stand in one canary alone to its id; others are left out."""
    found: dict[bytes, str] = {}
    for part in chunks(digests, LOOKUP_KEYS):
        wanted = (
            select(identifiers.c.digest, canaries.c.id)
            .join(canaries, canaries.c.serial == identifiers.c.canary)
            .where(identifiers.c.digest.in_(part), identifiers.c.shared.is_(False))
        )
        found.update(tx.conn.execute(wanted).all())
    return found


def seeded(tx: Tx, most: int) -> list[str]:
    """List the ids of canaries that stand in live databases, the newest first, at most so many."""
    wanted = (
        select(canaries.c.id)
        .join(placements, placements.c.canary == canaries.c.serial)
        .join(releases, placements.c.release == releases.c.serial)
        .where(releases.c.kind == "seed", releases.c.state != "undone")
        .order_by(canaries.c.serial.desc())
        .limit(most)
    )
    return list(tx.conn.scalars(wanted))
