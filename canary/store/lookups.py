"""Look-ups in bulk: canaries by digest and by scan key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import select

from canary.store.rows import one_of, rows_among
from canary.store.tables import canaries, identifiers
from canary.store.tx import Tx

if TYPE_CHECKING:
    pass


def unique_by_digest(tx: Tx, digests: Sequence[bytes]) -> dict[bytes, str]:
    """Map the digests of values that stand in one canary alone to its id; others are left out."""
    columns = "identifiers.digest, canaries.id FROM identifiers JOIN canaries ON canaries.serial = identifiers.canary"
    return dict(rows_among(tx.conn, columns, "NOT identifiers.shared AND identifiers.digest", digests))


def canaries_by_scan_key(tx: Tx, keys: Sequence[int]) -> dict[int, str]:
    """Map scan keys of values that stand in one canary alone to its id."""
    wanted = (
        select(identifiers.c.scan_key, canaries.c.id)
        .join(canaries, canaries.c.serial == identifiers.c.canary)
        .where(one_of(tx.conn, identifiers.c.scan_key, keys), identifiers.c.shared.is_(False))
    )
    return dict(tx.conn.execute(wanted).all())
