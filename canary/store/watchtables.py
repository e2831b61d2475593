"""The tables of the watch that stand beside its sources: who leads, what ran, what was fetched, who can be told."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from canary.store.tables import SerialId, metadata

leases = Table(
    "leases",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("holder", String(64), nullable=False),
    Column("token", BigInteger, nullable=False),  # rises with every change of hands
    Column("until_ms", BigInteger, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("job", String(200), primary_key=True),  # the source's name
    Column("slot", BigInteger, primary_key=True),  # the time it was meant for
    Column("token", BigInteger, nullable=False),  # of the source, when it was last begun
    Column("node", String(64), nullable=False),
    Column("begun_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),  # with its effects, or never
    Column("begins", Integer, nullable=False),
    Column("items", BigInteger, nullable=False),
    Column("failed", Integer, nullable=False),
    Index("ix_runs_begun_ms", "begun_ms"),
)

captures = Table(
    "captures",
    metadata,
    Column("serial", SerialId, primary_key=True, autoincrement=True),
    Column("job", String(200), nullable=False),
    Column("slot", BigInteger, nullable=False),
    Column("time_ms", BigInteger, nullable=False, index=True),
    Column("sha256", String(64), nullable=False),  # of the payload
    Column("bytes", BigInteger, nullable=False),
    Column("record", LargeBinary),  # sealed WARC record, gzip; None once it is kept by hash only
    Index("ix_captures_job_slot", "job", "slot"),
)

evidence = Table(
    "evidence",
    metadata,
    Column("sighting", BigInteger, ForeignKey("sightings.serial"), primary_key=True),
    Column("capture", BigInteger, ForeignKey("captures.serial"), primary_key=True, index=True),
)

unread = Table(
    "unread",
    metadata,
    Column(
        "sighting", BigInteger, ForeignKey("sightings.serial"), primary_key=True
    ),  # its bytes wait for the scan
    Column("since_ms", BigInteger, nullable=False),
)

callers = Table(
    "callers",
    metadata,
    Column("sighting", BigInteger, ForeignKey("sightings.serial"), primary_key=True),
    Column("digest", LargeBinary(16), nullable=False, index=True),  # keyed; stays when the number goes
    Column("sealed", LargeBinary),  # JSON of number and name, None once they are forgotten
)

self_tests = Table(
    "self_tests",
    metadata,
    Column("source", String(200), primary_key=True),
    Column("token", String(64), nullable=False),
    Column("planted_ms", BigInteger, nullable=False),
    Column("due_ms", BigInteger, nullable=False),  # by when it must have come back
    Column("seen_ms", BigInteger),
    Column("alarmed_ms", BigInteger),
)

channels = Table(
    "channels",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("since_ms", BigInteger),  # when it began to fail, None while it works
    Column("told_ms", BigInteger),  # when the owner was told of it
    Column("last_ms", BigInteger, nullable=False),
    Column("error", Text),
)

__all__ = [
    "callers",
    "captures",
    "channels",
    "evidence",
    "leases",
    "metadata",
    "runs",
    "self_tests",
    "unread",
]
