"""Issuing canaries: rows, identifiers and placements in bulk, all or none."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Table, select
from sqlalchemy.exc import IntegrityError

from canary.errors import SafetyError, UsageError
from canary.fields.roles import form_of
from canary.keys import Keys
from canary.ledger.entry import SALT_BYTES, canary_leaf, canary_opening
from canary.model.canary import Canary, CanaryField, Placement
from canary.store import shapes
from canary.store.bulk import BATCH, insert_rows
from canary.store.rows import LOOKUP_KEYS, chunks, next_serials, rows_among
from canary.store.tables import canaries, identifiers, placements, releases
from canary.store.text import seal_text
from canary.store.tx import Tx

_DIGEST: Final = 3  # its place in what `_found_by` gives


class Collision(SafetyError):
    """A value that must be unique was issued before: `roles` it has, and the `canaries` to draw again."""

    def __init__(self, roles: tuple[str, ...], canary_ids: tuple[str, ...]) -> None:
        super().__init__(f"values issued before: {', '.join(roles)}", "draw these canaries again")
        self.roles = roles
        self.canaries = canary_ids


def issue(tx: Tx, batch: Sequence[Canary], places: Sequence[Placement] = ()) -> list[bytes]:
    """Issue canaries with their placements and give each one's salted ledger leaf, in order.

    A placement may also name a canary of before (a carried one). Nothing is written where a unique value was
    issued before (Collision) or recipient, dataset, release or canary do not exist (UsageError).
    """
    try:
        with tx.conn.begin_nested():
            serials: dict[str, int] = {}
            leaves = [leaf for part in chunks(batch, BATCH) for leaf in _write(tx, part, serials)]
            _place_all(tx, places, serials)
    except IntegrityError as error:
        raise _reason(tx, batch) from error
    return leaves


def _write(tx: Tx, batch: Sequence[Canary], serials: dict[str, int]) -> list[bytes]:
    numbers = next_serials(tx.conn, canaries, len(batch))
    openings = [canary_opening(each) for each in batch]
    salts = [os.urandom(SALT_BYTES) for _ in batch]
    rows = zip(numbers, batch, openings, salts, strict=True)
    insert_rows(tx.conn, canaries, (_row(tx.keys, *each) for each in rows))
    fields = [
        (number, *one) for number, each in zip(numbers, batch, strict=True) for one in _identifying(each)
    ]
    shapes.note(tx, ((form, field.canonical) for _, form, field in fields))
    found = _found_by(tx.keys, fields)
    found.sort(key=lambda row: row[_DIGEST])  # neighbours in the index of digests: a third faster on SQLite
    marks = next_serials(tx.conn, identifiers, len(found))
    insert_rows(tx.conn, identifiers, ((mark, *row) for mark, row in zip(marks, found, strict=True)))
    serials.update(zip((each.id for each in batch), numbers, strict=True))
    return [canary_leaf(salt, opening) for salt, opening in zip(salts, openings, strict=True)]


def record_place(canary: str) -> str:
    """Name the place a canary's record is sealed for."""
    return f"canaries.record:{canary}"


def key_place(canary: int, release: int) -> str:
    """Name the place a placement's primary key is sealed for, by the serials of both."""
    return f"placements.key:{canary}:{release}"


def _row(keys: Keys, serial: int, each: Canary, opening: bytes, salt: bytes) -> tuple[object, ...]:
    sealed = keys.seal(opening, record_place(each.id))
    who = each.id, each.recipient, each.dataset, each.kind, each.control
    return serial, *who, sealed, salt, each.burned_ms, each.issued_ms


def _identifying(each: Canary) -> Iterator[tuple[str, CanaryField]]:
    for field in each.fields:
        form = form_of(field.role)
        if form is not None and field.canonical:
            yield form, field


def _found_by(keys: Keys, fields: Sequence[tuple[int, str, CanaryField]]) -> list[tuple[Any, ...]]:
    """Give the identifiers of canaries by serial: (canary, role, form, digest, scan key, bits, shared)."""
    by_form: dict[str, list[str]] = {}
    for _, form, field in fields:
        by_form.setdefault(form, []).append(field.canonical)
    scan_keys = {form: iter(keys.scan_keys(form, texts).tolist()) for form, texts in by_form.items()}
    return [
        (serial, field.role, form, keys.digest(form, field.canonical), next(scan_keys[form]),
         float(field.bits), field.shared)
        for serial, form, field in fields
    ]  # fmt: skip


def _place_all(tx: Tx, places: Sequence[Placement], serials: dict[str, int]) -> None:
    _complete(tx, canaries, serials, [each.canary for each in places if each.canary not in serials])
    handed: dict[str, int] = {}
    _complete(tx, releases, handed, sorted({each.release for each in places}))
    for part in chunks(places, BATCH):
        insert_rows(tx.conn, placements, (_placed(tx.keys, each, serials, handed) for each in part))


def _complete(tx: Tx, table: Table, serials: dict[str, int], ids: Sequence[str]) -> None:
    """Look up the serials of ids; raises UsageError where one does not exist."""
    for part in chunks(ids, LOOKUP_KEYS):
        wanted = select(table.c.id, table.c.serial).where(table.c.id.in_(part))
        serials.update(tx.conn.execute(wanted).all())
        if missing := next((each for each in part if each not in serials), None):
            raise UsageError(f"a placement names {missing!r}, which the {table.name} lack", "add it first")


def _placed(
    keys: Keys, each: Placement, serials: Mapping[str, int], handed: Mapping[str, int]
) -> tuple[object, ...]:
    canary, release = serials[each.canary], handed[each.release]
    sealed = None if each.key is None else seal_text(keys, each.key, key_place(canary, release))
    return canary, release, each.position, sealed, each.carried


def _reason(tx: Tx, batch: Sequence[Canary]) -> SafetyError | UsageError:
    """Tell, once nothing is written, why the database refused: a value of before, else an unknown name."""
    owners = [
        (tx.keys.digest(form, field.canonical), field.role, each.id)
        for each in batch
        for form, field in _identifying(each)
        if not field.shared
    ]
    times = Counter(digest for digest, _, _ in owners)
    taken = {digest for digest, n in times.items() if n > 1} | _taken(tx, list(times))
    clashing = [(role, canary) for digest, role, canary in owners if digest in taken]
    if clashing:
        roles, ids = zip(*clashing, strict=True)
        return Collision(tuple(sorted(set(roles))), tuple(dict.fromkeys(ids)))
    return UsageError(
        "the canaries do not fit the registry: their recipient or dataset is unknown, or they exist already",
        "add recipient and dataset first, and issue a canary once",
    )


def _taken(tx: Tx, digests: Sequence[bytes]) -> set[bytes]:
    found = rows_among(tx.conn, "digest FROM identifiers", "NOT shared AND digest", digests)
    return {digest for (digest,) in found}
