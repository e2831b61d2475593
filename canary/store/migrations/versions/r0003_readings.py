"""What a scan found in a sighting, and when a phone was spent; scan keys are AES-CMAC from here on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from canary.errors import OutsideError

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make both; raises OutsideError where canaries have scan keys of the older make."""
    if op.get_bind().execute(sa.text("SELECT 1 FROM identifiers LIMIT 1")).first() is not None:
        raise OutsideError(
            "the registry holds canaries of a canary before 0.1, which this one cannot find",
            "make a new home with canary init, and tag the copies anew",
        )
    op.add_column("contacts", sa.Column("spent_ms", sa.BigInteger(), nullable=True))
    op.create_table(
        "readings",
        sa.Column("sighting", sa.BigInteger(), nullable=False),
        sa.Column("engine", sa.String(64), nullable=False),
        sa.Column("newest", sa.BigInteger(), nullable=False),
        sa.Column("issued", sa.BigInteger(), nullable=False),
        sa.Column("findings", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sighting", name="pk_readings"),
        sa.ForeignKeyConstraint(["sighting"], ["sightings.serial"], name="fk_readings_sighting_sightings"),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("readings")
    op.drop_column("contacts", "spent_ms")
