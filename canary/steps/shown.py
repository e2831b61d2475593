"""What a person sees of one recipient or release."""

from __future__ import annotations

from typing import Any

from canary.errors import UsageError
from canary.model.canary import Release
from canary.steps.tools import Tools
from canary.store import canaries, journal, marks, recipients, releases


def recipient(tools: Tools, id: str) -> dict[str, object]:
    """Give a recipient with its ancestors, children and releases."""
    with tools.registry.read() as tx:
        found = recipients.get(tx, id)
        if found is None:
            raise unknown_recipient(id)
        children = [one.id for one in recipients.list_all(tx) if one.parent == id]
        given = [one.id for one in releases.list_all(tx, recipient=id)]
        above = list(recipients.ancestors(tx, id))
    return {
        "id": found.id,
        "kind": found.kind.value,
        "name": found.name,
        "parent": found.parent,
        "ancestors": above,
        "children": children,
        "releases": given,
    }


def unknown_recipient(id: str) -> UsageError:
    """Make the error for a recipient that is not in the registry."""
    return UsageError(
        f"no recipient {id!r} in the registry", f"add it with: canary recipient add {id} --kind partner"
    )


def release(tools: Tools, id: str) -> dict[str, object]:
    """Give one release, or raise UsageError."""
    with tools.registry.read() as tx:
        found = releases.get(tx, id)
    if found is None:
        raise UsageError(f"no release {id!r} in the registry", "see canary release list")
    return release_row(found)


def distortion(tools: Tools, id: str) -> list[dict[str, Any]]:
    """Give what the marks of a release changed, column by column."""
    with tools.registry.read() as tx:
        return marks.distortion(tx, id)


def open_canaries(tools: Tools, id: str) -> list[dict[str, str | None]]:
    """Open the canary rows of a release, for test purchases; the ledger keeps that they were opened."""
    release(tools, id)
    now = tools.clock.now_ms()
    with tools.registry.begin() as tx:
        rows = [
            dict(canary.row) for placement, canary in canaries.of_release(tx, id) if not placement.carried
        ]
        journal.append(tx, "open", {"release": id, "canaries": len(rows)}, tools.signer, now)
    return rows


def release_row(release: Release) -> dict[str, object]:
    """Give a release as `release list` and `release show` tell it."""
    return {
        "release": release.id,
        "recipient": release.recipient,
        "dataset": release.dataset,
        "kind": release.kind,
        "state": release.state.value,
        "created_ms": release.created_ms,
        "input": release.input,
        "output": release.output,
        "format": release.format,
        "rows_in": release.rows_in,
        "rows_out": release.rows_out,
        "canaries": release.canaries,
        "marked_cells": release.marked_cells,
        "sha256_in": release.sha256_in,
        "sha256_out": release.sha256_out,
        "ledger_index": release.ledger_index,
        "derived_from": list(release.derived_from),
    }
