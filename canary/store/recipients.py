"""Recipients: a tree of who may be named, ghosts included, each with a random mark key."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Final

from sqlalchemy import func, select

from canary.errors import UsageError
from canary.keys import Keys
from canary.model.people import Recipient, RecipientKind
from canary.store.bulk import BATCH, insert_rows
from canary.store.rows import LOOKUP_KEYS, AnyRow, chunks, insert_new, stream
from canary.store.tables import recipients
from canary.store.text import storable
from canary.store.tx import Tx

MARK_KEY_BYTES: Final = 16
GHOST_PREFIX: Final = "ghost."
GROUPS: Final = ".groups"  # how the ghost ends that group canaries belong to
_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,200}")


def add(tx: Tx, recipient: Recipient) -> None:
    """Add one recipient; raises UsageError for a bad or taken id or a parent that does not exist."""
    add_many(tx, [recipient])


def add_many(tx: Tx, batch: Sequence[Recipient]) -> None:
    """Add recipients in any order, all or none; a parent may stand in the same batch.

    Raises UsageError for a bad, repeated or taken id, a parent that does not exist, or a circle of parents.
    """
    ordered = _parents_first(batch)
    _check_free(tx, [each.id for each in batch])
    outside = {each.parent for each in batch if each.parent is not None} - {each.id for each in batch}
    if missing := sorted(outside - _existing(tx, outside)):
        raise UsageError(f"no recipient {missing[0]!r} to be a parent", "add the parent first")
    for part in chunks(ordered, BATCH):
        insert_rows(tx.conn, recipients, (_row(tx.keys, each) for each in part))


def _parents_first(batch: Sequence[Recipient]) -> list[Recipient]:
    by_id: dict[str, Recipient] = {}
    for each in batch:
        _check_id(each)
        if each.id in by_id:
            raise UsageError(f"recipient {each.id!r} stands twice in one import", "keep one of them")
        by_id[each.id] = each
    if not any(each.parent in by_id for each in batch):
        return list(batch)
    graph = {each.id: [each.parent] if each.parent in by_id else [] for each in batch}
    try:
        return [by_id[each] for each in TopologicalSorter(graph).static_order() if each is not None]
    except CycleError as error:
        circle = " → ".join(map(str, error.args[1]))
        raise UsageError(f"recipients are their own ancestors: {circle}", "recipients form a tree") from None


def _check_id(recipient: Recipient) -> None:
    if not _ID.fullmatch(recipient.id):
        raise UsageError(
            f"bad recipient id {recipient.id[:60]!r}", "an id is 1 to 200 letters, digits, '.', '_' or '-'"
        )
    if recipient.id.startswith(GHOST_PREFIX) != recipient.ghost:
        raise UsageError(f"recipient id {recipient.id!r} is kept for ghosts", "choose another id")


def _check_free(tx: Tx, ids: Iterable[str]) -> None:
    if taken := sorted(_existing(tx, ids)):
        more = f" and {len(taken) - 1} more" if len(taken) > 1 else ""
        raise UsageError(f"recipient {taken[0]!r}{more} exists already", "ids are given once; choose another")


def _existing(tx: Tx, ids: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for part in chunks(ids, LOOKUP_KEYS):
        found.update(tx.conn.scalars(select(recipients.c.id).where(recipients.c.id.in_(part))))
    return found


def _place(recipient: str) -> str:
    return f"recipients.mark_key:{recipient}"


def _row(keys: Keys, each: Recipient) -> tuple[object, ...]:
    sealed = keys.seal(secrets.token_bytes(MARK_KEY_BYTES), _place(each.id))
    return each.id, each.kind.value, storable(each.name), each.parent, each.added_ms, each.ghost, sealed


_COLUMNS: Final = [each for each in recipients.c if each.name != "mark_key"]


def _noun(row: AnyRow) -> Recipient:
    return Recipient(row.id, RecipientKind(row.kind), row.name, row.parent, row.added_ms, row.ghost)


def get(tx: Tx, recipient: str) -> Recipient | None:
    """Give a recipient by its id (case matters), None where there is none."""
    row = tx.conn.execute(select(*_COLUMNS).where(recipients.c.id == recipient)).one_or_none()
    return None if row is None else _noun(row)


def list_all(tx: Tx, ghosts: bool = False) -> list[Recipient]:
    """List recipients by id; ghosts only where asked for."""
    wanted = select(*_COLUMNS).order_by(recipients.c.id)
    if not ghosts:
        wanted = wanted.where(recipients.c.ghost.is_(False))
    return [_noun(row) for row in stream(tx.conn, wanted)]


def roll(tx: Tx) -> list[tuple[str, bool]]:
    """Give (id, whether it is a ghost) of everybody by id, as a trace needs it of 100,000."""
    wanted = select(recipients.c.id, recipients.c.ghost).order_by(recipients.c.id)
    return [(row[0], row[1]) for row in tx.conn.execute(wanted).all()]


def count(tx: Tx, ghosts: bool = False) -> int:
    """Count recipients; with `ghosts` the N of the false-accusation bound."""
    wanted = select(func.count()).select_from(recipients)
    if not ghosts:
        wanted = wanted.where(recipients.c.ghost.is_(False))
    return tx.conn.scalar(wanted) or 0


def parents(tx: Tx) -> Mapping[str, str]:
    """Map each recipient that has a parent to it."""
    wanted = select(recipients.c.id, recipients.c.parent).where(recipients.c.parent.is_not(None))
    return {row.id: row.parent for row in stream(tx.conn, wanted)}


def ancestors(tx: Tx, recipient: str) -> list[str]:
    """List the ids above a recipient, nearest first."""
    line: list[str] = []
    above = _parent(tx, recipient)
    while above is not None:
        line.append(above)
        above = _parent(tx, above)
    return line


def _parent(tx: Tx, recipient: str) -> str | None:
    found: str | None = tx.conn.scalar(select(recipients.c.parent).where(recipients.c.id == recipient))
    return found


def descendants(tx: Tx, recipient: str) -> list[str]:
    """List the ids below a recipient, sorted."""
    below = select(recipients.c.id).where(recipients.c.parent == recipient).cte("below", recursive=True)
    deeper = select(recipients.c.id).join(below, recipients.c.parent == below.c.id)
    return sorted(tx.conn.scalars(select(below.union_all(deeper).c.id)))


def mark_key(tx: Tx, recipient: str) -> bytes:
    """Give the 16-byte mark key of a recipient; raises UsageError where it does not exist."""
    sealed = tx.conn.scalar(select(recipients.c.mark_key).where(recipients.c.id == recipient))
    if sealed is None:
        raise UsageError(f"no recipient {recipient!r}", "list them with canary recipient list")
    return tx.keys.unseal(sealed, _place(recipient))


def mark_keys(tx: Tx) -> Iterator[tuple[str, bytes]]:
    """Give (id, 16-byte mark key) of every recipient by id, ghosts included, as the trace scores them."""
    wanted = select(recipients.c.id, recipients.c.mark_key).order_by(recipients.c.id)
    for recipient, sealed in stream(tx.conn, wanted):
        yield recipient, tx.keys.unseal(sealed, _place(recipient))


def ensure_ghosts(tx: Tx, dataset: str, n: int = 8, now_ms: int = 0) -> list[Recipient]:
    """Give the dataset's n ghosts, which are never issued anything, and make those that are missing."""
    ghosts = [_ghost(f"{_ghosts_of(dataset)}.{place}", now_ms) for place in range(n)]
    for each in ghosts:
        _insert_new(tx, each)
    wanted = select(*_COLUMNS).where(recipients.c.id.in_([each.id for each in ghosts]))
    return [_noun(row) for row in tx.conn.execute(wanted.order_by(recipients.c.id))]


def _ghosts_of(dataset: str) -> str:
    return GHOST_PREFIX + hashlib.sha256(dataset.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _ghost(id: str, now_ms: int) -> Recipient:
    return Recipient(id, RecipientKind.SYSTEM, "", None, now_ms, ghost=True)


def _insert_new(tx: Tx, ghost: Recipient) -> None:
    insert_new(tx.conn, recipients, dict(zip(recipients.c.keys(), _row(tx.keys, ghost), strict=True)))


def group_owner(dataset: str) -> str:
    """Give the id of the ghost that a dataset's group canaries belong to."""
    return _ghosts_of(dataset) + GROUPS


def is_group_owner(recipient: str) -> bool:
    """Tell whether canaries of this owner are group canaries."""
    return recipient.startswith(GHOST_PREFIX) and recipient.endswith(GROUPS)


def ensure_group_owner(tx: Tx, dataset: str, now_ms: int = 0) -> str:
    """Give the ghost that a dataset's group canaries belong to, made where it is missing."""
    _insert_new(tx, _ghost(group_owner(dataset), now_ms))
    return group_owner(dataset)
