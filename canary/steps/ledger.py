"""The ledger as a person sees and checks it."""

from __future__ import annotations

import json
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from canary.errors import OutsideError
from canary.steps.outputs import write_text
from canary.steps.tools import Tools
from canary.store import journal


def verify(tools: Tools, checkpoint: Path | None) -> dict[str, Any]:
    """Check the whole log, and against a checkpoint that was kept outside where one is given."""
    note = None
    if checkpoint is not None:
        try:
            note = checkpoint.read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            raise OutsideError(
                f"cannot read the checkpoint {checkpoint}",
                "give a file made by: canary ledger checkpoint --output FILE",
            ) from None
    with tools.registry.read() as tx:
        found = journal.verify(tx, tools.signer.public, note)
    return {
        "entries": found.entries,
        "root": found.root,
        "ok": found.ok,
        "first_bad": found.first_bad,
        "truncation": found.truncation,
        "problems": list(found.problems),
    }


def checkpoint(tools: Tools) -> dict[str, object]:
    """Give the signed checkpoint over the whole log."""
    with tools.registry.read() as tx:
        head = journal.head(tx)
    return {"entries": head.size, "root": head.root.hex(), "checkpoint": head.checkpoint}


def write_checkpoint(note: object, path: Path, *, force: bool) -> None:
    """Keep a checkpoint in a file."""
    write_text(str(note), path, force=force)


def entries(tools: Tools, last: int) -> list[dict[str, object]]:
    """Give the last entries (0: all), oldest first."""
    with tools.registry.read() as tx:
        rows = deque(journal.entries(tx), maxlen=last or None)
    return [_row(entry) for entry in rows]


def _row(entry: journal.LedgerEntry) -> dict[str, object]:
    body = json.loads(entry.text)
    time = datetime.fromtimestamp(body["time_ms"] / 1000, UTC).isoformat(timespec="milliseconds")
    return {
        "index": entry.index,
        "kind": entry.kind,
        "time": time.replace("+00:00", "Z"),
        "body": json.dumps(body.get("body", {}), ensure_ascii=False, sort_keys=True),
    }
