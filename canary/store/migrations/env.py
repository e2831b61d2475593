"""Runs the revisions on the connection that `canary.store.migrate` hands in."""

from __future__ import annotations

from alembic import context

from canary.store.migrate import VERSION_TABLE
from canary.store.watchtables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
