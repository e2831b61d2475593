"""The ledger in the registry: entries appended in the transaction of what they record, and a signed head."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select, update

from canary.errors import OutsideError, UsageError
from canary.ledger.entry import NONCE_BYTES, make_entry
from canary.ledger.merkle import Frontier, consistency_proof, inclusion_proof, leaf_hash
from canary.ledger.note import Signer
from canary.store.audit import LedgerReport, verify
from canary.store.bulk import insert_rows
from canary.store.rows import AnyRow, stream
from canary.store.tables import ledger_entries, ledger_head
from canary.store.tx import Tx

__all__ = [
    "Head", "LedgerEntry", "LedgerReport", "append", "append_many", "consistency", "entries", "head",
    "inclusion", "verify",
]  # fmt: skip

HEAD_ID: Final = 1


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One entry as stored; `text` is the canonical JSON that was hashed to `leaf`."""

    index: int
    kind: str
    text: str
    leaf: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the log: its size, root, and signed checkpoint (empty before the first entry)."""

    size: int
    root: bytes
    checkpoint: str


def append(tx: Tx, kind: str, body: Mapping[str, object], signer: Signer, now_ms: int) -> int:
    """Append one entry and give its index; it becomes durable with what it records.

    The body holds ids and digests, never a canary's value nor a contact.
    """
    return append_many(tx, [(kind, body)], signer, now_ms)[0]


def append_many(
    tx: Tx, batch: Sequence[tuple[str, Mapping[str, object]]], signer: Signer, now_ms: int
) -> list[int]:
    """Append (kind, body) pairs under one signature and give their indexes."""
    frontier = _frontier(_locked_head(tx))
    rows: list[tuple[int, str, str, bytes]] = []
    for kind, body in batch:
        nonce = secrets.token_bytes(NONCE_BYTES)
        entry = make_entry(kind, body, now_ms, nonce, frontier.size)
        leaf = leaf_hash(entry)
        rows.append((frontier.size, kind, entry.decode(), leaf))
        frontier.append(leaf)
    if rows:
        insert_rows(tx.conn, ledger_entries, rows)
        _store_head(tx, frontier, signer)
    return [index for index, *_ in rows]


def _locked_head(tx: Tx) -> AnyRow:
    """Read the head and hold it: on PostgreSQL appends of several processes follow one another."""
    wanted = select(ledger_head).where(ledger_head.c.id == HEAD_ID).with_for_update()
    return _some(tx.conn.execute(wanted).one_or_none())


def _some(row: AnyRow | None) -> AnyRow:
    if row is None:
        raise OutsideError(
            "the ledger's head is missing", "somebody deleted it; restore the registry's backup"
        )
    return row


def _frontier(row: AnyRow) -> Frontier:
    try:
        return Frontier.from_bytes(row.size, row.frontier)
    except UsageError:
        raise OutsideError(
            "the ledger's head is damaged", "run canary ledger verify and restore the registry's backup"
        ) from None


def _store_head(tx: Tx, frontier: Frontier, signer: Signer) -> None:
    note = signer.sign_checkpoint(frontier.size, frontier.root())
    values = {"size": frontier.size, "frontier": frontier.to_bytes(), "checkpoint": note}
    tx.conn.execute(update(ledger_head).where(ledger_head.c.id == HEAD_ID).values(values))


def head(tx: Tx) -> Head:
    """Give the end of the log; raises OutsideError where it is missing or damaged."""
    row = _some(tx.conn.execute(select(ledger_head).where(ledger_head.c.id == HEAD_ID)).one_or_none())
    return Head(row.size, _frontier(row).root(), row.checkpoint)


def entries(tx: Tx, start: int = 0) -> Iterator[LedgerEntry]:
    """Give the stored entries from an index on, unchecked."""
    wanted = select(ledger_entries).where(ledger_entries.c.index >= start)
    for row in stream(tx.conn, wanted.order_by(ledger_entries.c.index)):
        yield LedgerEntry(*row)


def inclusion(tx: Tx, index: int, size: int | None = None) -> list[bytes]:
    """Prove that an entry is in the log of `size` entries (all of them unless given)."""
    return inclusion_proof(_leaves(tx, size), index)


def consistency(tx: Tx, old_size: int, size: int | None = None) -> list[bytes]:
    """Prove that the log of `old_size` entries is the start of the one of `size` (all unless given)."""
    return consistency_proof(_leaves(tx, size), old_size)


def _leaves(tx: Tx, size: int | None) -> list[bytes]:
    wanted = select(ledger_entries.c.leaf).order_by(ledger_entries.c.index)
    return list(tx.conn.scalars(wanted if size is None else wanted.limit(size)))
