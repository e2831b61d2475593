"""Taking phones from the pool: least used first, so that 250,000 of them are spread over the canaries."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final, TypeAlias

from sqlalchemy import ColumnElement, func, or_, select, update

from canary.model.people import ContactKind
from canary.store.rows import chunks, lock, one_of
from canary.store.tables import contacts
from canary.store.text import unseal_text
from canary.store.tx import Tx

GUESSES: Final = 4  # rounds of drawing serials blindly before a whole level is read
SPARSE: Final = 8  # a level this many times larger than what is wanted is worth guessing in
PART: Final = 20_000
Choice: TypeAlias = tuple[ColumnElement[bool], ...]  # which phones of the pool come into question
_POOL_LOCK: Final = 0x70686F6E65  # "phone": takers of phones wait for each other


def issuable(inert: bool, rested_ms: int = 0) -> tuple[ColumnElement[bool], ...]:
    """Choose the phones that may be issued: no controls, none spent since a time, and either live or inert ones."""
    free = contacts.c.kind == ContactKind.PHONE.value, contacts.c.control.is_(False)
    rested = or_(contacts.c.spent_ms.is_(None), contacts.c.spent_ms < rested_ms)
    return *free, contacts.c.inert.is_(inert), rested


def value_place(kind: str) -> str:
    """Name the place a contact's value is sealed for."""
    return f"contacts.value:{kind}"


def take_phones(tx: Tx, n: int, rng: random.Random, rested_ms: int = 0) -> list[str]:
    """Take n phones, least used first, ties at random, and note the use; [] where none may be issued.

    Live phones alone are taken where there is one, else inert ones; above the pool's size they repeat evenly.
    """
    lock(tx.conn, _POOL_LOCK)
    choice = issuable(False, rested_ms)
    if not (levels := _levels(tx, choice)):
        choice = issuable(True, rested_ms)
        levels = _levels(tx, choice)
    taken = _choose(tx, n, rng, choice, levels)
    values = _values(tx, set(taken))
    _note_uses(tx, taken)
    return [values[serial] for serial in taken]


def _levels(tx: Tx, choice: Choice) -> dict[int, int]:
    """Count the phones by how often they were used."""
    counted = select(contacts.c.uses, func.count()).where(*choice).group_by(contacts.c.uses)
    return dict(tx.conn.execute(counted).all())


def _choose(tx: Tx, n: int, rng: random.Random, choice: Choice, levels: dict[int, int]) -> list[int]:
    """Choose serials by filling up the least used level, then that one and the next together, and so on."""
    chosen: list[int] = []
    raised: list[int] = []
    uses = min(levels, default=0)
    while levels and len(chosen) < n:
        wanted, size = n - len(chosen), levels.get(uses, 0)
        if not raised and wanted * SPARSE <= size and (drawn := _guess(tx, choice, uses, wanted, rng)):
            return drawn
        raised += _serials(tx, choice, uses) if size else []
        chosen += rng.sample(raised, min(len(raised), wanted))
        uses += 1
    return chosen


def _serials(tx: Tx, choice: Choice, uses: int) -> Sequence[int]:
    level = select(contacts.c.serial).where(*choice, contacts.c.uses == uses)
    return tx.conn.scalars(level.order_by(contacts.c.serial)).all()


def _guess(tx: Tx, choice: Choice, uses: int, n: int, rng: random.Random) -> list[int]:
    """Draw n serials of a large level evenly without reading it all; [] where too few were hit."""
    level = *choice, contacts.c.uses == uses
    low, high = tx.conn.execute(
        select(func.min(contacts.c.serial), func.max(contacts.c.serial)).where(*level)
    ).one()
    hit: set[int] = set()
    for _ in range(GUESSES):
        guesses = [rng.randint(low, high) for _ in range(2 * n)]
        hit.update(
            tx.conn.scalars(
                select(contacts.c.serial).where(*level, one_of(tx.conn, contacts.c.serial, guesses))
            )
        )
        if len(hit) >= n:
            return rng.sample(sorted(hit), n)
    return []


def _values(tx: Tx, serials: Collection[int]) -> dict[int, str]:
    values: dict[int, str] = {}
    for part in chunks(sorted(serials), PART):
        wanted = select(contacts.c.serial, contacts.c.kind, contacts.c.sealed)
        rows = tx.conn.execute(wanted.where(one_of(tx.conn, contacts.c.serial, part))).all()
        values.update(
            (serial, unseal_text(tx.keys, sealed, value_place(kind))) for serial, kind, sealed in rows
        )
    return values


def _note_uses(tx: Tx, taken: Sequence[int]) -> None:
    by_times: dict[int, list[int]] = {}
    for serial, times in Counter(taken).items():
        by_times.setdefault(times, []).append(serial)
    for times, serials in by_times.items():
        for part in chunks(sorted(serials), PART):
            noted = update(contacts).where(one_of(tx.conn, contacts.c.serial, part))
            tx.conn.execute(noted.values(uses=contacts.c.uses + times))
