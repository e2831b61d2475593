"""What the registry holds."""

from __future__ import annotations

from canary.steps.tools import Tools


def counts(tools: Tools) -> dict[str, int]:
    """Count recipients, contacts, releases, canaries, sightings, incidents, ledger entries and waiting alerts."""
    from sqlalchemy import func, select

    from canary.store import tables

    counted = {
        "recipients": select(func.count())
        .select_from(tables.recipients)
        .where(tables.recipients.c.ghost.is_(False)),
        "contacts": select(func.count()).select_from(tables.contacts),
        "releases": select(func.count()).select_from(tables.releases),
        "canaries": select(func.count())
        .select_from(tables.canaries)
        .where(tables.canaries.c.control.is_(False)),
        "sightings": select(func.count()).select_from(tables.sightings),
        "incidents": select(func.count()).select_from(tables.incidents),
        "ledger_entries": select(func.count()).select_from(tables.ledger_entries),
        "alerts_waiting": select(func.count())
        .select_from(tables.outbox)
        .where(tables.outbox.c.state == "waiting"),
    }
    with tools.registry.read() as tx:
        return {name: int(tx.conn.execute(query).scalar_one()) for name, query in counted.items()}
