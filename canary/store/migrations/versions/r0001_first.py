"""The first tables: recipients, contacts, datasets, releases, canaries, sightings, incidents, ledger."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make all tables and the head of the empty ledger."""
    _people()
    _datasets()
    _releases()
    _canaries()
    _placements()
    _incidents()
    _sightings()
    _matches()
    _sources()
    _outbox()
    _ledger()


def downgrade() -> None:
    """Drop all tables, children first."""
    for name in (
        "ledger_head", "ledger_entries", "outbox", "hosts", "sources", "traces", "matches", "sightings",
        "incidents", "placements", "identifiers", "canaries", "releases", "dataset_versions", "datasets",
        "contacts", "recipients", "meta",
    ):  # fmt: skip
        op.drop_table(name)


def _serial(table: str) -> tuple[sa.Column[int], sa.PrimaryKeyConstraint]:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    column: sa.Column[int] = sa.Column("serial", number, autoincrement=True, nullable=False)
    return column, sa.PrimaryKeyConstraint("serial", name=f"pk_{table}")


def _big(name: str, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _word(name: str, length: int, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=nullable)


def _text(name: str, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def _bytes(name: str, length: int | None = None, nullable: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(length), nullable=nullable)


def _number(name: str) -> sa.Column[float]:
    return sa.Column(name, sa.Float(), nullable=False)


def _points(table: str, column: str, other: str, key: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.{key}"], name=f"fk_{table}_{column}_{other}")


def _index(table: str, column: str) -> None:
    op.create_index(f"ix_{table}_{column}", table, [column])


def _people() -> None:
    op.create_table("meta", _word("key", 64), _text("value"), sa.PrimaryKeyConstraint("key", name="pk_meta"))
    op.create_table(
        "recipients",
        _word("id", 200),
        _word("kind", 16),
        _text("name"),
        _word("parent", 200, nullable=True),
        _big("added_ms"),
        _flag("ghost"),
        _bytes("mark_key"),
        _points("recipients", "parent", "recipients", "id"),
        sa.PrimaryKeyConstraint("id", name="pk_recipients"),
    )
    _index("recipients", "ghost")
    _index("recipients", "parent")
    op.create_table(
        "contacts",
        *_serial("contacts"),
        _word("kind", 16),
        _bytes("digest", 16),
        _bytes("sealed"),
        _flag("control"),
        _flag("inert"),
        _text("provider"),
        _big("uses"),
        _big("added_ms"),
        sa.UniqueConstraint("kind", "digest", name="uq_contacts_kind_digest"),
    )
    op.create_index("ix_contacts_free", "contacts", ["kind", "control", "inert", "uses", "serial"])


def _datasets() -> None:
    op.create_table(
        "datasets",
        _word("name", 200),
        _big("created_ms"),
        sa.PrimaryKeyConstraint("name", name="pk_datasets"),
    )
    op.create_table(
        "dataset_versions",
        _word("sha256", 64),
        _word("dataset", 200),
        _text("headings"),
        _text("policy"),
        _big("created_ms"),
        _points("dataset_versions", "dataset", "datasets", "name"),
        sa.PrimaryKeyConstraint("sha256", name="pk_dataset_versions"),
    )
    _index("dataset_versions", "dataset")


def _releases() -> None:
    op.create_table(
        "releases",
        *_serial("releases"),
        _word("id", 64),
        _word("identity", 64),
        _word("dataset", 200),
        _word("version", 64),
        _word("recipient", 200),
        _word("kind", 16),
        _word("state", 16),
        _text("input"),
        _text("output"),
        _word("format", 64),
        _big("rows_in"),
        _big("rows_out"),
        _big("canaries"),
        _big("marked_cells"),
        _word("sha256_in", 64),
        _word("sha256_out", 64),
        _big("created_ms"),
        _big("ledger_index"),
        _bytes("target"),
        _text("derived_from"),
        _points("releases", "dataset", "datasets", "name"),
        _points("releases", "version", "dataset_versions", "sha256"),
        _points("releases", "recipient", "recipients", "id"),
        sa.UniqueConstraint("id", name="uq_releases_id"),
        sa.UniqueConstraint("identity", name="uq_releases_identity"),
    )
    _index("releases", "dataset")
    _index("releases", "recipient")


def _canaries() -> None:
    op.create_table(
        "canaries",
        *_serial("canaries"),
        _word("id", 64),
        _word("recipient", 200),
        _word("dataset", 200),
        _word("kind", 64),
        _flag("control"),
        _bytes("sealed"),
        _bytes("salt", 16),
        _big("burned_ms", nullable=True),
        _big("issued_ms"),
        _points("canaries", "recipient", "recipients", "id"),
        _points("canaries", "dataset", "datasets", "name"),
        sa.UniqueConstraint("id", name="uq_canaries_id"),
    )
    _index("canaries", "recipient")
    _index("canaries", "dataset")
    op.create_table(
        "identifiers",
        *_serial("identifiers"),
        _big("canary"),
        _word("role", 16),
        _word("form", 16),
        _bytes("digest", 16),
        _big("scan_key"),
        _number("bits"),
        _flag("shared"),
        _points("identifiers", "canary", "canaries", "serial"),
    )
    _index("identifiers", "canary")
    _index("identifiers", "digest")
    op.create_index(
        "uq_identifiers_digest",
        "identifiers",
        ["digest"],
        unique=True,
        sqlite_where=sa.column("shared").is_(sa.false()),
        postgresql_where=sa.column("shared").is_(sa.false()),
    )


def _placements() -> None:
    op.create_table(
        "placements",
        _big("canary"),
        _big("release"),
        _big("position"),
        _bytes("key", nullable=True),
        _flag("carried"),
        _points("placements", "canary", "canaries", "serial"),
        _points("placements", "release", "releases", "serial"),
        sa.PrimaryKeyConstraint("canary", "release", name="pk_placements"),
    )
    _index("placements", "release")


def _incidents() -> None:
    op.create_table(
        "incidents",
        _word("id", 64),
        _big("opened_ms"),
        _word("state", 16),
        _big("recipients_frozen"),
        _word("outcome", 16, nullable=True),
        _text("suspects"),
        _big("closed_ms", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_incidents"),
    )
    _index("incidents", "opened_ms")
    op.create_table(
        "traces",
        *_serial("traces"),
        _word("incident", 64),
        _big("made_ms"),
        _bytes("answer"),
        _points("traces", "incident", "incidents", "id"),
    )
    _index("traces", "incident")


def _sightings() -> None:
    op.create_table(
        "sightings",
        *_serial("sightings"),
        _word("id", 64),
        _word("source", 200),
        _word("kind", 64),
        _word("item", 500),
        _word("event", 16),
        _bytes("contact", nullable=True),
        _big("time_ms"),
        _big("seen_ms"),
        _word("sha256", 64),
        _big("bytes"),
        _bytes("detail"),
        _bytes("raw", nullable=True),
        _word("incident", 64, nullable=True),
        _points("sightings", "incident", "incidents", "id"),
        sa.UniqueConstraint("id", name="uq_sightings_id"),
        sa.UniqueConstraint("source", "item", "sha256", name="uq_sightings_source_item_sha256"),
    )
    _index("sightings", "seen_ms")
    _index("sightings", "incident")


def _matches() -> None:
    op.create_table(
        "matches",
        *_serial("matches"),
        _big("sighting"),
        _big("canary"),
        _word("source", 200),
        _word("item", 500),
        _word("field", 16),
        _text("fields"),
        _word("transform", 32),
        _word("strength", 8),
        _text("member", nullable=True),
        _big("position"),
        _number("expected"),
        _points("matches", "sighting", "sightings", "serial"),
        _points("matches", "canary", "canaries", "serial"),
        sa.UniqueConstraint("canary", "source", "item", name="uq_matches_canary_source_item"),
    )
    _index("matches", "sighting")
    _index("matches", "canary")


def _sources() -> None:
    op.create_table(
        "sources",
        _word("name", 200),
        _word("kind", 64),
        _text("cursor", nullable=True),
        _flag("paused"),
        _big("last_poll_ms", nullable=True),
        _big("last_success_ms", nullable=True),
        _text("last_error", nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("gaps", sa.Integer(), nullable=False),
        _big("due_ms", nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_sources"),
    )
    op.create_table(
        "hosts",
        _word("host", 300),
        _number("tokens"),
        _big("updated_ms"),
        _big("not_before_ms"),
        sa.PrimaryKeyConstraint("host", name="pk_hosts"),
    )


def _outbox() -> None:
    op.create_table(
        "outbox",
        *_serial("outbox"),
        _word("key", 64),
        _word("event", 64),
        _word("incident", 64, nullable=True),
        _word("channel", 200),
        _text("body"),
        _big("due_ms"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _word("state", 16),
        _text("last_error", nullable=True),
        _points("outbox", "incident", "incidents", "id"),
        sa.UniqueConstraint("key", name="uq_outbox_key"),
    )
    _index("outbox", "due_ms")
    _index("outbox", "incident")


def _ledger() -> None:
    op.create_table(
        "ledger_entries",
        sa.Column("index", sa.BigInteger(), autoincrement=False, nullable=False),
        _word("kind", 32),
        _text("body"),
        _bytes("leaf", 32),
        sa.PrimaryKeyConstraint("index", name="pk_ledger_entries"),
    )
    head = op.create_table(
        "ledger_head",
        sa.Column("id", sa.Integer(), nullable=False),
        _big("size"),
        _bytes("frontier"),
        _text("checkpoint"),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_head"),
    )
    op.bulk_insert(head, [{"id": 1, "size": 0, "frontier": b"", "checkpoint": ""}])
