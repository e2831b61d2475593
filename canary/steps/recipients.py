"""Recipients: who may be named."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from canary.errors import UsageError
from canary.model.people import Recipient, RecipientKind
from canary.steps.rosters import read_roster
from canary.steps.tools import Tools
from canary.store import journal
from canary.store import recipients as store

ID = re.compile(r"[A-Za-z0-9._-]{1,200}")


def checked(id: str, kind: str, name: str = "", parent: str | None = None, added_ms: int = 0) -> Recipient:
    """Make a recipient from what a person wrote; raises UsageError that says what is allowed."""
    if not ID.fullmatch(id) or id in {".", ".."}:
        raise UsageError(f"{id!r} is not an id", "an id is letters, digits, '.', '_' and '-', at most 200")
    if id.startswith("ghost."):
        raise UsageError(f"{id!r} is kept for ghost recipients", "choose another id")
    try:
        parsed = RecipientKind(kind)
    except ValueError:
        known = ", ".join(one.value for one in RecipientKind)
        raise UsageError(f"{kind!r} is not a kind of recipient", f"kinds: {known}") from None
    return Recipient(id=id, kind=parsed, name=name, parent=parent or None, added_ms=added_ms)


def add(tools: Tools, recipient: Recipient) -> Recipient:
    """Add one recipient."""
    return add_many(tools, [recipient])[0]


def add_many(tools: Tools, recipients: Sequence[Recipient]) -> Sequence[Recipient]:
    """Add recipients in one transaction with their ledger entry; parents may stand in the same list."""
    now = tools.clock.now_ms()
    with tools.registry.begin() as tx:
        store.add_many(tx, [_dated(one, now) for one in recipients])
        journal.append(tx, "recipient", {"ids": [one.id for one in recipients]}, tools.signer, now)
    return recipients


def _dated(recipient: Recipient, now_ms: int) -> Recipient:
    return Recipient(recipient.id, recipient.kind, recipient.name, recipient.parent, now_ms)


def import_file(tools: Tools, path: Path) -> int:
    """Import recipients from CSV or JSONL with columns id, kind, name, parent; gives their number."""
    rows = [
        checked(row["id"], row.get("kind") or "partner", row.get("name", ""), row.get("parent"))
        for row in read_roster(path, ("id",))
    ]
    if not rows:
        raise UsageError(
            f"{path.name} holds no recipient", "write a row for each, with columns id, kind, name, parent"
        )
    _refuse_twice(path, [row.id for row in rows])
    add_many(tools, rows)
    return len(rows)


def _refuse_twice(path: Path, ids: Sequence[str]) -> None:
    seen: set[str] = set()
    for id in ids:
        if id in seen:
            raise UsageError(f"{path.name}: {id!r} stands there twice", "give each recipient once")
        seen.add(id)


def read_ids(path: Path) -> list[str]:
    """Read the ids of a recipients file (column `id`), each once, in order."""
    ids = [row["id"] for row in read_roster(path, ("id",))]
    _refuse_twice(path, ids)
    if not ids:
        raise UsageError(f"{path.name} holds no recipient", "write a column id with a row for each recipient")
    return ids
