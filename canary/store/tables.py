"""The tables of the registry. Times are BIGINT milliseconds; what identifies anybody is a digest or sealed."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    case,
    literal_column,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = String(64)
SerialId = BigInteger().with_variant(Integer, "sqlite")

meta = Table(
    "meta", metadata, Column("key", String(64), primary_key=True), Column("value", Text, nullable=False)
)

recipients = Table(
    "recipients",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("name", Text, nullable=False),
    Column("parent", String(200), ForeignKey("recipients.id"), index=True),
    Column("added_ms", BigInteger, nullable=False),
    Column("ghost", Boolean, nullable=False, index=True),
    Column("mark_key", LargeBinary, nullable=False),  # sealed random 128-bit key
)

contacts = Table(
    "contacts",
    metadata,
    Column("serial", SerialId, primary_key=True, autoincrement=True),
    Column("kind", String(16), nullable=False),
    Column("digest", LargeBinary(16), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("control", Boolean, nullable=False),
    Column("inert", Boolean, nullable=False),
    Column("provider", Text, nullable=False),
    Column("uses", BigInteger, nullable=False),
    Column("added_ms", BigInteger, nullable=False),
    Column("spent_ms", BigInteger),  # when a canary that has this phone became public
    UniqueConstraint("kind", "digest"),
    Index("ix_contacts_free", "kind", "control", "inert", "uses", "serial"),
)

datasets = Table(
    "datasets",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("created_ms", BigInteger, nullable=False),
)

dataset_versions = Table(
    "dataset_versions",
    metadata,
    Column("sha256", String(64), primary_key=True),  # of dataset name, headings and policy text
    Column("dataset", String(200), ForeignKey("datasets.name"), nullable=False, index=True),
    Column("headings", Text, nullable=False),  # JSON array
    Column("policy", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)

releases = Table(
    "releases",
    metadata,
    Column("serial", SerialId, primary_key=True, autoincrement=True),
    Column("id", Id, nullable=False, unique=True),
    Column("identity", String(64), nullable=False, unique=True),
    Column("dataset", String(200), ForeignKey("datasets.name"), nullable=False, index=True),
    Column("version", String(64), ForeignKey("dataset_versions.sha256"), nullable=False),
    Column("recipient", String(200), ForeignKey("recipients.id"), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("input", Text, nullable=False),
    Column("output", Text, nullable=False),
    Column("format", String(64), nullable=False),
    Column("rows_in", BigInteger, nullable=False),
    Column("rows_out", BigInteger, nullable=False),
    Column("canaries", BigInteger, nullable=False),
    Column("marked_cells", BigInteger, nullable=False),
    Column("sha256_in", String(64), nullable=False),
    Column("sha256_out", String(64), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("ledger_index", BigInteger, nullable=False),
    Column("target", LargeBinary, nullable=False),  # sealed: database URL and table of a seeding
    Column("derived_from", Text, nullable=False),  # JSON array of release ids
)

canaries = Table(
    "canaries",
    metadata,
    Column("serial", SerialId, primary_key=True, autoincrement=True),
    Column("id", Id, nullable=False, unique=True),
    Column("recipient", String(200), ForeignKey("recipients.id"), nullable=False, index=True),
    Column("dataset", String(200), ForeignKey("datasets.name"), nullable=False, index=True),
    Column("kind", String(64), nullable=False),
    Column("control", Boolean, nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # JSON of fields and row
    Column("salt", LargeBinary(16), nullable=False),  # of its leaf in the ledger entry
    Column("burned_ms", BigInteger),
    Column("issued_ms", BigInteger, nullable=False),
)

identifiers = Table(
    "identifiers",
    metadata,
    Column("serial", SerialId, primary_key=True, autoincrement=True),
    Column("canary", BigInteger, ForeignKey("canaries.serial"), nullable=False, index=True),
    Column("role", String(16), nullable=False),
    Column("form", String(16), nullable=False),
    Column("digest", LargeBinary(16), nullable=False),
    Column("scan_key", BigInteger, nullable=False),
    Column("bits", Float, nullable=False),
    Column("shared", Boolean, nullable=False),
)
# A shared value may stand in many canaries: it is told apart by its serial.
Index(
    "uq_identifiers_digest",
    identifiers.c.digest,
    case((identifiers.c.shared, identifiers.c.serial), else_=literal_column("0")),
    unique=True,
)

placements = Table(
    "placements",
    metadata,
    Column("canary", BigInteger, ForeignKey("canaries.serial"), primary_key=True),
    Column("release", BigInteger, ForeignKey("releases.serial"), primary_key=True, index=True),
    Column("position", BigInteger, nullable=False),
    Column("key", LargeBinary),  # sealed primary key of a seeding
    Column("carried", Boolean, nullable=False),
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", Id, primary_key=True),
    Column("opened_ms", BigInteger, nullable=False, index=True),
    Column("state", String(16), nullable=False),
    Column("recipients_frozen", BigInteger, nullable=False),
    Column("outcome", String(16)),
    Column("suspects", Text, nullable=False),  # JSON array
    Column("closed_ms", BigInteger),
)

sightings = Table(
    "sightings",
    metadata,
    Column("serial", SerialId, primary_key=True, autoincrement=True),
    Column("id", Id, nullable=False, unique=True),
    Column("source", String(200), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("item", String(500), nullable=False),
    Column("event", String(16), nullable=False),
    Column("contact", LargeBinary),  # sealed
    Column("time_ms", BigInteger, nullable=False),
    Column("seen_ms", BigInteger, nullable=False, index=True),
    Column("sha256", String(64), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("detail", LargeBinary, nullable=False),  # sealed JSON
    Column("raw", LargeBinary),  # sealed, compressed; None once it is kept by hash only
    Column("incident", Id, ForeignKey("incidents.id"), index=True),
    UniqueConstraint("source", "item", "sha256"),
)

matches = Table(
    "matches",
    metadata,
    Column("serial", SerialId, primary_key=True, autoincrement=True),
    Column("sighting", BigInteger, ForeignKey("sightings.serial"), nullable=False, index=True),
    Column("canary", BigInteger, ForeignKey("canaries.serial"), nullable=False, index=True),
    Column("source", String(200), nullable=False),
    Column("item", String(500), nullable=False),
    Column("field", String(16), nullable=False),
    Column("fields", Text, nullable=False),  # JSON array of roles
    Column("transform", String(32), nullable=False),
    Column("strength", String(8), nullable=False),
    Column("member", Text),
    Column("position", BigInteger, nullable=False),
    Column("expected", Float, nullable=False),
    UniqueConstraint("canary", "source", "item"),
)

traces = Table(
    "traces",
    metadata,
    Column("serial", SerialId, primary_key=True, autoincrement=True),
    Column("incident", Id, ForeignKey("incidents.id"), nullable=False, index=True),
    Column("made_ms", BigInteger, nullable=False),
    Column(
        "answer", LargeBinary, nullable=False
    ),  # sealed JSON of the trace, with log2 E of every scored recipient
)

sources = Table(
    "sources",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("cursor", Text),
    Column("paused", Boolean, nullable=False),
    Column("last_poll_ms", BigInteger),
    Column("last_success_ms", BigInteger),
    Column("last_error", Text),
    Column("failures", Integer, nullable=False),
    Column("gaps", Integer, nullable=False),
    Column("due_ms", BigInteger),
    Column("slot", BigInteger),  # the time the next run is meant for; due_ms is that and the jitter
    Column("token", BigInteger, nullable=False, server_default="0"),  # rises with every run that is begun
    Column("holder", String(64)),  # the node that runs it
    Column("held_ms", BigInteger),  # until when it is that node's alone
    Column("breaker", String(16), nullable=False, server_default="closed"),
    Column("pace_ms", BigInteger),  # the pause its host asked for between polls
    Column("skipped", BigInteger, nullable=False, server_default="0"),  # slots that went by unrun
    Column("polls", BigInteger, nullable=False, server_default="0"),
    Column("items", BigInteger, nullable=False, server_default="0"),
    Column("requests", BigInteger, nullable=False, server_default="0"),
    Column("unchanged", BigInteger, nullable=False, server_default="0"),  # answers 304
    Column("bytes", BigInteger, nullable=False, server_default="0"),
)

hosts = Table(
    "hosts",
    metadata,
    Column("host", String(300), primary_key=True),  # address:port
    Column("tokens", Float, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
    Column("not_before_ms", BigInteger, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("serial", SerialId, primary_key=True, autoincrement=True),
    Column("key", String(64), nullable=False, unique=True),
    Column("event", String(64), nullable=False),
    Column("incident", Id, ForeignKey("incidents.id"), index=True),
    Column("channel", String(200), nullable=False),
    Column("body", Text, nullable=False),
    Column("due_ms", BigInteger, nullable=False, index=True),
    Column("attempts", Integer, nullable=False),
    Column("state", String(16), nullable=False),  # waiting, sent, allowed
    Column("last_error", Text),
)

ledger_entries = Table(
    "ledger_entries",
    metadata,
    Column("index", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(32), nullable=False),
    Column("body", Text, nullable=False),  # canonical JSON, as hashed
    Column("leaf", LargeBinary(32), nullable=False),
)

ledger_head = Table(
    "ledger_head",
    metadata,
    Column("id", Integer, primary_key=True),  # always 1; locked for every append
    Column("size", BigInteger, nullable=False),
    Column("frontier", LargeBinary, nullable=False),  # hashes of the perfect subtrees, left to right
    Column("checkpoint", Text, nullable=False),  # signed note over the whole log
)

suppress_callers = Table(
    "suppress_callers",
    metadata,
    Column("name", String(200), primary_key=True),  # an operating system's user, or a job that was registered
    Column("os_user", String(200)),  # who alone may use it, None for everybody
    Column("rows_a_day", BigInteger),  # None: the setting of the home
    Column("recipients", Text, nullable=False),  # JSON array: whose copies its files may be
    Column("added_ms", BigInteger, nullable=False),
    Column("stopped_ms", BigInteger),
    Column("reason", Text, nullable=False),
    Column("lifted_ms", BigInteger, nullable=False),  # what was before does not count for the alarm
)

suppress_checks = Table(
    "suppress_checks",
    metadata,
    Column("serial", SerialId, primary_key=True, autoincrement=True),
    Column("caller", String(200), ForeignKey("suppress_callers.name"), nullable=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("withheld", BigInteger, nullable=False),
    Column("sha256_in", String(64), nullable=False),
    Index("ix_suppress_checks_caller_time_ms", "caller", "time_ms"),
)

suppress_seen = Table(
    "suppress_seen",
    metadata,
    Column("caller", String(200), ForeignKey("suppress_callers.name"), primary_key=True),
    Column("canary", BigInteger, ForeignKey("canaries.serial"), primary_key=True),
    Column("last_ms", BigInteger, nullable=False),
)

readings = Table(
    "readings",
    metadata,
    Column("sighting", BigInteger, ForeignKey("sightings.serial"), primary_key=True),
    Column("engine", String(64), nullable=False),
    Column("newest", BigInteger, nullable=False),  # greatest serial of the canaries that the scan knew
    Column("issued", BigInteger, nullable=False),  # and how many they were
    Column("findings", LargeBinary, nullable=False),  # sealed
)

mark_plans = Table(
    "mark_plans",
    metadata,
    Column("version", String(64), ForeignKey("dataset_versions.sha256"), primary_key=True),
    Column("plan", LargeBinary, nullable=False),  # sealed JSON, frozen when the first marked copy is made
)

distortions = Table(
    "distortions",
    metadata,
    Column("release", BigInteger, ForeignKey("releases.serial"), primary_key=True),
    Column("report", Text, nullable=False),  # JSON: what the marks changed, column by column
)

row_filters = Table(
    "row_filters",
    metadata,
    Column("version", String(64), ForeignKey("dataset_versions.sha256"), primary_key=True),
    Column("sha256_in", String(64), primary_key=True),
    Column("rows", BigInteger, nullable=False),
    Column("filter", LargeBinary, nullable=False),  # keyed: tells nothing without the keys of the home
)
