"""Contacts: phone numbers and mail domains that are ours, sealed, with how often each phone was used."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, update

from canary.errors import UsageError
from canary.keys import Keys
from canary.model.people import Contact, ContactKind
from canary.store.bulk import BATCH, insert_rows
from canary.store.phones import issuable, take_phones, value_place
from canary.store.rows import LOOKUP_KEYS, AnyRow, chunks, next_serials, stream
from canary.store.tables import contacts
from canary.store.text import seal_text, storable, unseal_text
from canary.store.tx import Tx

__all__ = [
    "PhonePool", "add", "add_many", "controls", "domains", "find", "known", "list_all", "pool", "spend", "take_phones",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class PhonePool:
    """How many phones may be issued: `live` ones reach us, `inert` ones can never ring."""

    live: int
    inert: int


def add(tx: Tx, contact: Contact, now_ms: int = 0) -> None:
    """Add one contact; raises UsageError where it is known already."""
    add_many(tx, [contact], now_ms)


def add_many(tx: Tx, batch: Sequence[Contact], now_ms: int = 0) -> None:
    """Add contacts, all or none; raises UsageError where one is known already or stands twice."""
    digests = [_digest(tx.keys, each.kind, each.value) for each in batch]
    repeated = len(set(digests)) < len(digests)
    if repeated or _known(tx, digests):
        raise UsageError(
            "a contact stands twice in one import" if repeated else "a contact is known already",
            "every phone and domain is added once",
        )
    for part in chunks(zip(batch, digests, strict=True), BATCH):
        serials = next_serials(tx.conn, contacts, len(part))
        rows = (_row(tx.keys, serial, *each, now_ms) for serial, each in zip(serials, part, strict=True))
        insert_rows(tx.conn, contacts, rows)


def known(tx: Tx, batch: Sequence[Contact]) -> list[bool]:
    """Tell for each contact whether the registry has it, so that an import can leave it out."""
    digests = [_digest(tx.keys, each.kind, each.value) for each in batch]
    found = _known(tx, digests)
    return [each in found for each in digests]


def _known(tx: Tx, digests: Iterable[bytes]) -> set[bytes]:
    found: set[bytes] = set()
    for part in chunks(digests, LOOKUP_KEYS):
        found.update(tx.conn.scalars(select(contacts.c.digest).where(contacts.c.digest.in_(part))))
    return found


def _digest(keys: Keys, kind: ContactKind, value: str) -> bytes:
    return keys.digest(f"contact.{kind.value}", value)


def _row(keys: Keys, serial: int, each: Contact, digest: bytes, now_ms: int) -> tuple[object, ...]:
    kind = each.kind.value
    sealed = seal_text(keys, each.value, value_place(kind))
    provider = storable(each.provider)
    return serial, kind, digest, sealed, each.control, each.inert, provider, each.uses, now_ms, each.spent_ms


def _noun(keys: Keys, row: AnyRow) -> Contact:
    value = unseal_text(keys, row.sealed, value_place(row.kind))
    return Contact(ContactKind(row.kind), value, row.control, row.inert, row.provider, row.uses, row.spent_ms)


def list_all(tx: Tx) -> list[Contact]:
    """List all contacts in the order they were added."""
    rows = stream(tx.conn, select(contacts).order_by(contacts.c.serial))
    return [_noun(tx.keys, row) for row in rows]


def find(tx: Tx, kind: ContactKind, value: str) -> Contact | None:
    """Give the contact of a canonical value, None where it is not ours."""
    wanted = select(contacts).where(contacts.c.kind == kind.value)
    row = tx.conn.execute(wanted.where(contacts.c.digest == _digest(tx.keys, kind, value))).one_or_none()
    return None if row is None else _noun(tx.keys, row)


def domains(tx: Tx) -> list[str]:
    """List the mail domains on which aliases may be issued, in the order they were added."""
    wanted = select(contacts).where(
        contacts.c.kind == ContactKind.EMAIL_DOMAIN.value, contacts.c.control.is_(False)
    )
    return [_noun(tx.keys, row).value for row in tx.conn.execute(wanted.order_by(contacts.c.serial))]


def controls(tx: Tx) -> list[Contact]:
    """List the contacts that are never issued, by which noise is measured."""
    wanted = select(contacts).where(contacts.c.control.is_(True)).order_by(contacts.c.serial)
    return [_noun(tx.keys, row) for row in tx.conn.execute(wanted)]


def unused(tx: Tx) -> int:
    """Count the phones that were never given to a canary."""
    free = contacts.c.kind == ContactKind.PHONE.value, contacts.c.control.is_(False), contacts.c.uses == 0
    return tx.conn.scalar(select(func.count()).select_from(contacts).where(*free)) or 0


def spend(tx: Tx, phones: Sequence[str], now_ms: int) -> int:
    """Note that phones are public now; gives how many of them are of the pool."""
    spent = 0
    for part in chunks(sorted({_digest(tx.keys, ContactKind.PHONE, phone) for phone in phones}), LOOKUP_KEYS):
        noted = update(contacts).where(contacts.c.digest.in_(part), contacts.c.control.is_(False))
        spent += tx.conn.execute(noted.values(spent_ms=now_ms)).rowcount
    return spent


def pool(tx: Tx, rested_ms: int = 0) -> PhonePool:
    """Count the phones that may be issued; those spent since `rested_ms` may not."""
    live, inert = (
        tx.conn.scalar(select(func.count()).select_from(contacts).where(*issuable(each, rested_ms))) or 0
        for each in (False, True)
    )
    return PhonePool(live, inert)
