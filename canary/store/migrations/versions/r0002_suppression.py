"""Who may have canaries left out of the owner's files, what each asked for, and which canaries it met."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the three tables of suppression."""
    _callers()
    _checks()
    _seen()


def downgrade() -> None:
    """Drop them, children first."""
    for name in ("suppress_seen", "suppress_checks", "suppress_callers"):
        op.drop_table(name)


def _big(name: str, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _word(name: str, length: int, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=nullable)


def _of_caller(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["caller"], ["suppress_callers.name"], name=f"fk_{table}_caller_suppress_callers"
    )


def _callers() -> None:
    op.create_table(
        "suppress_callers",
        _word("name", 200),
        _word("os_user", 200, nullable=True),
        _big("rows_a_day", nullable=True),
        sa.Column("recipients", sa.Text(), nullable=False),
        _big("added_ms"),
        _big("stopped_ms", nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        _big("lifted_ms"),
        sa.PrimaryKeyConstraint("name", name="pk_suppress_callers"),
    )


def _checks() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "suppress_checks",
        sa.Column("serial", number, autoincrement=True, nullable=False),
        _word("caller", 200),
        _big("time_ms"),
        _big("rows"),
        _big("withheld"),
        _word("sha256_in", 64),
        sa.PrimaryKeyConstraint("serial", name="pk_suppress_checks"),
        _of_caller("suppress_checks"),
    )
    op.create_index("ix_suppress_checks_caller_time_ms", "suppress_checks", ["caller", "time_ms"])


def _seen() -> None:
    op.create_table(
        "suppress_seen",
        _word("caller", 200),
        sa.Column("canary", sa.BigInteger(), nullable=False),
        _big("last_ms"),
        sa.PrimaryKeyConstraint("caller", "canary", name="pk_suppress_seen"),
        _of_caller("suppress_seen"),
        sa.ForeignKeyConstraint(["canary"], ["canaries.serial"], name="fk_suppress_seen_canary_canaries"),
    )
