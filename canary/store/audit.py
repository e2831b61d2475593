"""Checks the whole ledger: leaves, order, root, signature, and what was remembered outside."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import select

from canary.errors import CanaryError
from canary.ledger.merkle import Frontier, leaf_hash
from canary.ledger.note import Checkpoint, parse_and_verify
from canary.store.rows import AnyRow, stream
from canary.store.tables import ledger_entries, ledger_head
from canary.store.tx import Tx

MOST_PROBLEMS: Final = 100  # further ones are counted, not listed
NOT_CHECKABLE: Final = "not checkable"
NONE: Final = "none"
TRUNCATED: Final = "truncated"


@dataclass(frozen=True, slots=True)
class LedgerReport:
    """The outcome of a check: `first_bad` is the lowest index known to be wrong or missing.

    `truncation` is `none` or `truncated` where something outside or the head tells, else `not checkable`.
    """

    entries: int
    root: str
    ok: bool
    first_bad: int | None
    truncation: str
    problems: tuple[str, ...]


@dataclass(slots=True)
class _Findings:
    first_bad: int | None = None
    problems: list[str] = field(default_factory=list)
    more: int = 0

    def add(self, problem: str, index: int | None = None) -> None:
        if index is not None and (self.first_bad is None or index < self.first_bad):
            self.first_bad = index
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)
        else:
            self.more += 1


def verify(tx: Tx, public: bytes, checkpoint_note: str | None = None) -> LedgerReport:
    """Check the ledger against the signer's public key and, where given, a checkpoint remembered outside.

    Edits, deletions and reordering show from the log alone, and so does a rebuild without the signing key;
    a log cut back together with its head shows only against a remembered checkpoint.
    """
    findings = _Findings()
    remembered = _read_note(checkpoint_note, public, "the remembered checkpoint", findings)
    frontier, old_root = _walk(tx, findings, None if remembered is None else remembered.size)
    truncated = _check_head(tx, public, frontier, findings)
    if remembered is not None:
        truncated |= _check_remembered(remembered, frontier.size, old_root, findings)
    problems = [*findings.problems, *([f"{findings.more} more problems"] if findings.more else [])]
    truncation = TRUNCATED if truncated else NOT_CHECKABLE if remembered is None else NONE
    root = frontier.root().hex()
    return LedgerReport(frontier.size, root, not problems, findings.first_bad, truncation, tuple(problems))


def _read_note(note: str | None, public: bytes, what: str, findings: _Findings) -> Checkpoint | None:
    if note is None:
        return None
    try:
        return parse_and_verify(note, public)
    except CanaryError as error:
        findings.add(f"{what}: {error.message}")
        return None


def _walk(tx: Tx, findings: _Findings, size: int | None) -> tuple[Frontier, bytes | None]:
    """Hash every entry anew; gives the frontier and, where there are `size` entries, the root over them."""
    frontier, expected = Frontier(), 0
    old_root = frontier.root() if size == 0 else None
    for index, kind, body, leaf in stream(tx.conn, select(ledger_entries).order_by(ledger_entries.c.index)):
        if index != expected:
            findings.add(f"entries {expected} to {index - 1} are missing", expected)
        expected = index + 1
        frontier.append(_check_entry(index, kind, body, leaf, findings))
        if frontier.size == size:
            old_root = frontier.root()
    return frontier, old_root


def _check_entry(index: int, kind: str, body: str, stored: bytes, findings: _Findings) -> bytes:
    leaf = leaf_hash(body.encode())
    if leaf != stored:
        findings.add(f"entry {index} was changed: its text does not hash to its leaf", index)
    if _said(body) != (index, kind):
        findings.add(f"entry {index} was changed or moved: its text gives another index or kind", index)
    return leaf


def _said(text: str) -> tuple[object, object] | None:
    try:
        entry = json.loads(text)
        return entry["index"], entry["kind"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _check_head(tx: Tx, public: bytes, found: Frontier, findings: _Findings) -> bool:
    """Compare what was hashed with the signed head; tells whether entries are missing at the end."""
    row = tx.conn.execute(select(ledger_head)).one_or_none()
    if row is None:
        findings.add("the ledger's head is missing")
        return False
    if row.size == 0 and found.size == 0 and not row.checkpoint:
        return False
    signed = _read_note(row.checkpoint, public, "the ledger's head", findings)
    if signed is not None and signed.size != row.size:
        findings.add(f"the head says {row.size} entries, its signed checkpoint {signed.size}")
    size = row.size if signed is None else signed.size
    if found.size < size:
        findings.add(f"{found.size} entries are there, {size} were signed", found.size)
    elif found.size > size:
        findings.add(f"entries from {size} on are not signed", size)
    elif signed is not None and signed.root != found.root():
        _locate(row, signed, found, findings)
    return found.size < size


def _locate(row: AnyRow, signed: Checkpoint, found: Frontier, findings: _Findings) -> None:
    """Narrow a wrong root down to a subtree, where the stored frontier still hashes to what was signed."""
    findings.add("the entries do not hash to the signed root")
    if findings.first_bad is not None:
        return  # the entry itself told already
    try:
        stored = Frontier.from_bytes(row.size, row.frontier)
    except CanaryError:
        return
    if stored.size != found.size or stored.root() != signed.root:
        return
    for (start, count, was), (_, _, now) in zip(stored.subtrees(), found.subtrees(), strict=True):
        if was != now:
            findings.add(f"an entry of {start} to {start + count - 1} was replaced with its leaf", start)


def _check_remembered(old: Checkpoint, size: int, old_root: bytes | None, findings: _Findings) -> bool:
    if old_root is None:
        findings.add(f"{size} entries are there, {old.size} were remembered", size)
        return True
    if old_root != old.root:
        findings.add(f"the first {old.size} entries are not those that were remembered")
    return False
