"""Marks in real rows: the plan of a dataset version, what a release's marks changed, which rows a copy held."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the three tables."""
    op.create_table(
        "mark_plans",
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("plan", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_mark_plans"),
        _to_version("mark_plans"),
    )
    op.create_table(
        "distortions",
        sa.Column("release", sa.BigInteger(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("release", name="pk_distortions"),
        sa.ForeignKeyConstraint(["release"], ["releases.serial"], name="fk_distortions_release_releases"),
    )
    op.create_table(
        "row_filters",
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("sha256_in", sa.String(64), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("filter", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("version", "sha256_in", name="pk_row_filters"),
        _to_version("row_filters"),
    )


def _to_version(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["version"], ["dataset_versions.sha256"], name=f"fk_{table}_version_dataset_versions"
    )


def downgrade() -> None:
    """Drop them."""
    for name in ("row_filters", "distortions", "mark_plans"):
        op.drop_table(name)
