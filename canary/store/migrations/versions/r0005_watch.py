"""One leader, fenced runs, captures as WARC, callers, self-tests, and channels that fail."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

COUNTS = ("token", "skipped", "polls", "items", "requests", "unchanged", "bytes")
TIMES = ("slot", "held_ms", "pace_ms")


def upgrade() -> None:
    """Make the tables and the columns of sources."""
    for name in TIMES:
        op.add_column("sources", sa.Column(name, sa.BigInteger(), nullable=True))
    op.add_column("sources", sa.Column("holder", sa.String(64), nullable=True))
    op.add_column("sources", sa.Column("breaker", sa.String(16), nullable=False, server_default="closed"))
    for name in COUNTS:
        op.add_column("sources", sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
    _scheduling()
    _captures()
    _callers()
    _telling()


def _scheduling() -> None:
    op.create_table(
        "leases",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("holder", sa.String(64), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_leases"),
    )
    op.create_table(
        "runs",
        sa.Column("job", sa.String(200), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("node", sa.String(64), nullable=False),
        sa.Column("begun_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.Column("begins", sa.Integer(), nullable=False),
        sa.Column("items", sa.BigInteger(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("job", "slot", name="pk_runs"),
    )
    op.create_index("ix_runs_begun_ms", "runs", ["begun_ms"])


def _captures() -> None:
    serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "captures",
        sa.Column("serial", serial, autoincrement=True, nullable=False),
        sa.Column("job", sa.String(200), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("time_ms", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("serial", name="pk_captures"),
    )
    op.create_index("ix_captures_time_ms", "captures", ["time_ms"])
    op.create_index("ix_captures_job_slot", "captures", ["job", "slot"])
    op.create_table(
        "evidence",
        sa.Column("sighting", sa.BigInteger(), nullable=False),
        sa.Column("capture", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sighting", "capture", name="pk_evidence"),
        sa.ForeignKeyConstraint(["sighting"], ["sightings.serial"], name="fk_evidence_sighting_sightings"),
        sa.ForeignKeyConstraint(["capture"], ["captures.serial"], name="fk_evidence_capture_captures"),
    )
    op.create_index("ix_evidence_capture", "evidence", ["capture"])


def _callers() -> None:
    op.create_table(
        "unread",
        sa.Column("sighting", sa.BigInteger(), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sighting", name="pk_unread"),
        sa.ForeignKeyConstraint(["sighting"], ["sightings.serial"], name="fk_unread_sighting_sightings"),
    )
    op.create_table(
        "callers",
        sa.Column("sighting", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("sighting", name="pk_callers"),
        sa.ForeignKeyConstraint(["sighting"], ["sightings.serial"], name="fk_callers_sighting_sightings"),
    )
    op.create_index("ix_callers_digest", "callers", ["digest"])


def _telling() -> None:
    op.create_table(
        "self_tests",
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("token", sa.String(64), nullable=False),
        sa.Column("planted_ms", sa.BigInteger(), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=False),
        sa.Column("seen_ms", sa.BigInteger(), nullable=True),
        sa.Column("alarmed_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("source", name="pk_self_tests"),
    )
    op.create_table(
        "channels",
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=True),
        sa.Column("told_ms", sa.BigInteger(), nullable=True),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_channels"),
    )


def downgrade() -> None:
    """Drop them."""
    for name in ("channels", "self_tests", "callers", "unread", "evidence", "captures", "runs", "leases"):
        op.drop_table(name)
    for name in (*COUNTS, "breaker", "holder", *TIMES):
        op.drop_column("sources", name)
