"""Who called: a keyed digest that stays, and sealed details that go when they are of no use any more."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from sqlalchemy import exists, func, insert, select, update

from canary.keys import Keys
from canary.store.tables import matches, sightings
from canary.store.text import dump, seal_text, unseal_text
from canary.store.tx import Tx
from canary.store.watchtables import callers

EVENTS: Final = frozenset({"call", "sms"})
PERSONAL: Final = frozenset(
    {"from", "src", "clid", "caller", "caller_name"}
)  # what a detail says of who called


def split(event: str, detail: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Part a sighting's details into what may stay and what says who called."""
    if event not in EVENTS:
        return dict(detail), {}
    rest = {name: value for name, value in detail.items() if name not in PERSONAL}
    return rest, {name: detail[name] for name in PERSONAL & detail.keys() if detail[name]}


def add(tx: Tx, sighting: str, who: Mapping[str, str]) -> None:
    """Keep who called in a sighting that is stored already; nothing where nobody knows."""
    if not who:
        return
    serial = select(sightings.c.serial).where(sightings.c.id == sighting).scalar_subquery()
    sealed = seal_text(tx.keys, dump(dict(who)), _place(sighting))
    number = who.get("from") or next(iter(sorted(who.values())))
    values = {"sighting": serial, "digest": digest(tx.keys, number), "sealed": sealed}
    tx.conn.execute(insert(callers).values(values))


def digest(keys: Keys, number: str) -> bytes:
    """Give the keyed digest by which calls of one number are known as such."""
    return keys.digest("caller", number)


def _place(sighting: str) -> str:
    return f"callers.who:{sighting}"


def opened(keys: Keys, sighting: str, sealed: bytes | None) -> dict[str, str]:
    """Open who called in a sighting; nothing where that was forgotten."""
    return {} if sealed is None else dict(json.loads(unseal_text(keys, sealed, _place(sighting))))


def times(tx: Tx, number: str) -> int:
    """Count the sightings that came from a number, forgotten ones too."""
    counted = select(func.count()).select_from(callers).where(callers.c.digest == digest(tx.keys, number))
    return int(tx.conn.execute(counted).scalar_one())


def forget(tx: Tx, before_ms: int) -> int:
    """Forget who called before a time where that matched nothing; the digests stay. Gives how many."""
    matched = exists().where(matches.c.sighting == sightings.c.serial)
    old = select(sightings.c.serial).where(sightings.c.seen_ms < before_ms, ~matched)
    mine = callers.c.sealed.is_not(None), callers.c.sighting.in_(old)
    telling = select(callers.c.sighting).where(*mine)
    tx.conn.execute(update(sightings).where(sightings.c.serial.in_(telling)).values(raw=None))
    return tx.conn.execute(update(callers).where(*mine).values(sealed=None)).rowcount
