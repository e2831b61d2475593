"""What a seeding leaves in the registry: release, canaries, placements and the ledger's entries."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import select, update

from canary.ledger import entry
from canary.model.canary import Placement, Release, ReleaseState
from canary.steps.releasing import canary_root
from canary.steps.seed_model import Planted, key_text, read_place
from canary.steps.tools import Tools
from canary.store import canaries as canary_store
from canary.store import issuing, journal, recipients, releases
from canary.store.tables import canaries, placements
from canary.store.tables import releases as release_table
from canary.store.text import seal_text
from canary.store.tx import Tx


def issue(tx: Tx, tools: Tools, release: Release, planted: Sequence[Planted]) -> Release:
    """Store a pending release with its canaries and ledger entry; gives it with its place in the ledger."""
    releases.add(tx, release)
    own = [
        replace(
            each.canary, recipient=release.recipient, dataset=release.dataset, issued_ms=release.created_ms
        )
        for each in planted
    ]
    places = [
        Placement(each.canary.id, release.id, at, key_text(each.key, each.table))
        for at, each in enumerate(planted)
    ]
    leaves = issuing.issue(tx, own, places)
    salt = secrets.token_bytes(entry.SALT_BYTES)
    body = {
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
        "derived_from": [],
    }
    index = journal.append(tx, "seed", body, tools.signer, tools.clock.now_ms())
    releases.set_ledger_index(tx, release.id, index)
    return replace(release, ledger_index=index)


def planted_of(tx: Tx, release: str) -> list[Planted]:
    """Give the canaries of a release with their keys, in the order they were planted."""
    return [Planted(canary, *read_place(place.key)) for place, canary in canary_store.of_release(tx, release)]


def finish(tx: Tx, release: str) -> bool:
    """Turn a pending release into a done one; False where another call has settled it."""
    if _state(tx, release) != ReleaseState.PENDING:
        return False
    releases.set_state(tx, release, ReleaseState.DONE)
    return True


def undo(tx: Tx, tools: Tools, release: Release, reason: str) -> bool:
    """Turn a pending release that never came to be into an undone one, burned and told in the ledger."""
    if _state(tx, release.id) != ReleaseState.PENDING:
        return False
    now = tools.clock.now_ms()
    releases.update_from(tx, replace(release, state=ReleaseState.UNDONE, rows_out=release.rows_in))
    canary_store.burn(tx, [each.canary.id for each in planted_of(tx, release.id)], now)
    journal.append(tx, "unseed", {"release": release.id, "removed": 0, "reason": reason}, tools.signer, now)
    return True


def never_planted(release: Release) -> bool:
    """Tell whether an undone release never stood in its table, as against one that was taken out again."""
    return release.state == ReleaseState.UNDONE and release.rows_out == release.rows_in


def take_back(tx: Tx, tools: Tools, release: str, counts: Mapping[str, int]) -> bool:
    """Turn a release that is done into an undone one, with its ledger entry; False where another call did."""
    if _state(tx, release) != ReleaseState.DONE:
        return False
    releases.set_state(tx, release, ReleaseState.UNDONE)
    journal.append(tx, "unseed", {"release": release, **counts}, tools.signer, tools.clock.now_ms())
    return True


def _state(tx: Tx, release: str) -> ReleaseState:
    """Look at a release's state under a lock, so that two callers never both change it."""
    wanted = select(release_table.c.state).where(release_table.c.id == release).with_for_update()
    return ReleaseState(str(tx.conn.scalar(wanted)))


def pending(tx: Tx) -> list[Release]:
    """List the seedings that were neither finished nor undone."""
    wanted = select(release_table.c.id).where(
        release_table.c.kind == "seed", release_table.c.state == ReleaseState.PENDING.value
    )
    found = [
        releases.get(tx, each) for each in tx.conn.scalars(wanted.order_by(release_table.c.serial)).all()
    ]
    return [each for each in found if each is not None]


def move(tx: Tx, release: str, planted: Sequence[Planted]) -> None:
    """Note the keys at which the canaries of a release now stand."""
    holder = select(release_table.c.serial).where(release_table.c.id == release).scalar_subquery()
    for each in planted:
        serial = select(canaries.c.serial).where(canaries.c.id == each.canary.id).scalar_subquery()
        here = placements.c.canary == serial, placements.c.release == holder
        row = tx.conn.execute(select(placements.c.canary, placements.c.release).where(*here)).one()
        sealed = seal_text(tx.keys, key_text(each.key, each.table), issuing.key_place(*row))
        tx.conn.execute(update(placements).where(*here).values(key=sealed))
