"""One index of digests instead of two: every value that is issued costs a place in each, wherever it falls."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

UNSHARED = sa.column("shared").is_(sa.false())


def upgrade() -> None:
    """A shared value is told apart by its serial: of the others no two have one digest."""
    op.drop_index("uq_identifiers_digest", "identifiers")
    op.drop_index("ix_identifiers_digest", "identifiers")
    apart = sa.text("(CASE WHEN shared THEN serial ELSE 0 END)")
    op.create_index("uq_identifiers_digest", "identifiers", ["digest", apart], unique=True)


def downgrade() -> None:
    """Make both as they were."""
    op.drop_index("uq_identifiers_digest", "identifiers")
    op.create_index("ix_identifiers_digest", "identifiers", ["digest"])
    op.create_index(
        "uq_identifiers_digest", "identifiers", ["digest"],
        unique=True, sqlite_where=UNSHARED, postgresql_where=UNSHARED,
    )  # fmt: skip
