"""Recording a release: dataset, ghosts, canaries, placements and the ledger entry, in the caller's transaction."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace

from canary.ledger import entry
from canary.model.canary import Release, ReleaseState
from canary.model.data import DatasetVersion
from canary.steps.derived import Carried
from canary.steps.planned import Planned
from canary.steps.tools import Tools
from canary.store import datasets, issuing, journal, recipients, releases
from canary.store.ids import new_id
from canary.store.tx import Tx

GHOSTS = 8  # recipients a dataset that are never issued anything (verdict.md)
GHOST_CANARIES = 2 * GHOSTS  # control canaries that no file ever holds: a hit on one means a stolen registry
DONE = ReleaseState.DONE


def new_release_id() -> str:
    """Draw the id of a release."""
    return new_id("r-")


def has_ghosts(tx: Tx, dataset: str) -> bool:
    """Tell whether a dataset is known, and so has its ghosts."""
    return dataset in datasets.names(tx)


def ensure_dataset(tx: Tx, tools: Tools, version: DatasetVersion, ghosts: Planned) -> None:
    """Store a dataset version; a dataset that is new gets its ghosts and their control canaries."""
    known = has_ghosts(tx, version.dataset)
    datasets.put_version(tx, version)
    now = tools.clock.now_ms()
    made = recipients.ensure_ghosts(tx, version.dataset, GHOSTS, now)
    if known:
        return
    controls = [
        replace(
            canary,
            recipient=made[number % len(made)].id,
            dataset=version.dataset,
            control=True,
            issued_ms=now,
        )
        for number, canary in enumerate(ghosts.canaries)
    ]
    root = canary_root(tools, version.sha256, issuing.issue(tx, controls))
    body = {"dataset": version.dataset, "version": version.sha256, "ghosts": len(made), "canary_root": root}
    journal.append(tx, "dataset", body, tools.signer, now)


def issue(tx: Tx, tools: Tools, release: Release, planned: Planned, carried: Carried) -> Release:
    """Store a release with its canaries and its ledger entry; gives it with its place in the ledger."""
    releases.add(tx, release)
    own = [
        replace(canary, recipient=release.recipient, dataset=release.dataset, issued_ms=release.created_ms)
        for canary in planned.canaries
        if canary.id not in planned.kept
    ]
    placements = [*planned.placements(release.id), *carried.placements(release.id)]
    leaves = issuing.issue(tx, own, placements)
    index = journal.append(tx, "tag", _body(tx, tools, release, leaves), tools.signer, tools.clock.now_ms())
    releases.set_ledger_index(tx, release.id, index)
    return replace(release, ledger_index=index)


def _body(tx: Tx, tools: Tools, release: Release, leaves: Sequence[bytes]) -> dict[str, object]:
    salt = secrets.token_bytes(entry.SALT_BYTES)
    return {
        "release": release.id,
        "dataset": release.dataset,
        "version": release.version,
        "recipient": release.recipient,
        "key_salt": tools.keys.seal(salt, f"ledger.key_salt:{release.id}").hex(),
        "key_commitment": entry.commit_key(salt, recipients.mark_key(tx, release.recipient)).hex(),
        "canary_root": canary_root(tools, release.id, leaves),
        "rows_in": release.rows_in,
        "sha256_in": release.sha256_in,
        "sha256_out": release.sha256_out,
        "derived_from": list(release.derived_from),
    }


def canary_root(tools: Tools, name: str, leaves: Sequence[bytes]) -> str:
    """Give the root (hex) of the padded, salted canary leaves of a release."""
    return entry.canary_root(leaves, entry.padding(tools.keys.derive("ledger.padding"), name)).hex()
