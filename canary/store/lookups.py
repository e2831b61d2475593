"""Look-ups in bulk: canaries by digest and by scan key."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING

from sqlalchemy import select

from canary.store.rows import one_of, plain_rows, rows_among
from canary.store.tables import canaries, identifiers
from canary.store.tx import Tx

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def unique_by_digest(tx: Tx, digests: Sequence[bytes]) -> dict[bytes, str]:
    """Map the digests of values that stand in one canary alone to its id; others are left out."""
    columns = "identifiers.digest, canaries.id FROM identifiers JOIN canaries ON canaries.serial = identifiers.canary"
    return dict(rows_among(tx.conn, columns, "NOT identifiers.shared AND identifiers.digest", digests))


def unique_scan_keys(tx: Tx, forms: Sequence[str]) -> NDArray[np.int64]:
    """Give the scan keys of the values of some forms that stand in one canary alone."""
    import numpy as np

    listed = ", ".join(f"'{form}'" for form in forms)  # of the closed list of forms
    wanted = f"SELECT scan_key FROM identifiers WHERE form IN ({listed}) AND NOT shared"
    rows = chain.from_iterable(plain_rows(tx.conn, wanted))
    return np.fromiter((key for (key,) in rows), np.int64)


def canaries_by_scan_key(tx: Tx, keys: Sequence[int]) -> dict[int, str]:
    """Map scan keys of values that stand in one canary alone to its id."""
    wanted = (
        select(identifiers.c.scan_key, canaries.c.id)
        .join(canaries, canaries.c.serial == identifiers.c.canary)
        .where(one_of(tx.conn, identifiers.c.scan_key, keys), identifiers.c.shared.is_(False))
    )
    return dict(tx.conn.execute(wanted).all())
