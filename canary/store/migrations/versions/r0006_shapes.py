"""From here on the shapes of what is issued are noted; a registry that issued before does not know all of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Mark a registry that has issued nothing yet."""
    connection = op.get_bind()
    if not connection.scalar(sa.text("SELECT count(*) FROM canaries")):
        connection.execute(sa.text("INSERT INTO meta (key, value) VALUES ('shapes', 'noted')"))


def downgrade() -> None:
    """Forget the shapes."""
    op.get_bind().execute(sa.text("DELETE FROM meta WHERE key = 'shapes' OR key LIKE 'shape %'"))
