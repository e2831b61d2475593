"""Marking plans of dataset versions, filters of the rows of their exports, and what the marks of a release changed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import insert, select

from canary.store.rows import LOOKUP_KEYS, chunks, insert_new
from canary.store.tables import dataset_versions, distortions, mark_plans, releases, row_filters
from canary.store.tx import Tx


class StoredPlan(NamedTuple):
    """The marking plan of one dataset version, as it was written."""

    version: str
    dataset: str
    text: str


def _place(version: str) -> str:
    return f"mark_plans.plan:{version}"


def put_plan(tx: Tx, version: str, text: str) -> None:
    """Keep the plan of a version; one that is there stays, since copies were made under it."""
    sealed = tx.keys.seal(text.encode("utf-8", "surrogatepass"), _place(version))
    insert_new(tx.conn, mark_plans, {"version": version, "plan": sealed})


def plan_of(tx: Tx, version: str) -> str | None:
    """Give the plan of a version, None where no marked copy was made under it."""
    sealed = tx.conn.scalar(select(mark_plans.c.plan).where(mark_plans.c.version == version))
    return None if sealed is None else _opened(tx, version, sealed)


def plans(tx: Tx) -> list[StoredPlan]:
    """List all plans, oldest version first."""
    wanted = (
        select(mark_plans.c.version, dataset_versions.c.dataset, mark_plans.c.plan)
        .join(dataset_versions, dataset_versions.c.sha256 == mark_plans.c.version)
        .order_by(dataset_versions.c.created_ms, mark_plans.c.version)
    )
    return [
        StoredPlan(row.version, row.dataset, _opened(tx, row.version, row.plan))
        for row in tx.conn.execute(wanted)
    ]


def _opened(tx: Tx, version: str, sealed: bytes) -> str:
    return tx.keys.unseal(sealed, _place(version)).decode("utf-8", "surrogatepass")


def put_distortion(tx: Tx, release: str, report: Sequence[Mapping[str, Any]]) -> None:
    """Keep what the marks of a release changed, column by column."""
    serial = tx.conn.execute(select(releases.c.serial).where(releases.c.id == release)).scalar_one()
    text = json.dumps(list(report), ensure_ascii=True, separators=(",", ":"))
    tx.conn.execute(insert(distortions).values(release=serial, report=text))


def distortion(tx: Tx, release: str) -> list[dict[str, Any]]:
    """Give what the marks of a release changed; nothing where it has none."""
    wanted = (
        select(distortions.c.report)
        .join(releases, releases.c.serial == distortions.c.release)
        .where(releases.c.id == release)
    )
    text = tx.conn.scalar(wanted)
    return [] if text is None else [dict(one) for one in json.loads(text)]


class HeldExport(NamedTuple):
    """One marked export that a recipient got: under which dataset version, made from which input, when."""

    recipient: str
    version: str
    sha256_in: str
    created_ms: int


def put_filter(tx: Tx, version: str, sha256_in: str, rows: int, bits: bytes) -> None:
    """Keep the filter of an export's rows; one that is there stays."""
    insert_new(
        tx.conn, row_filters, {"version": version, "sha256_in": sha256_in, "rows": rows, "filter": bits}
    )


def has_filter(tx: Tx, version: str, sha256_in: str) -> bool:
    """Tell whether the rows of an export are recorded."""
    mine = row_filters.c.version == version, row_filters.c.sha256_in == sha256_in
    return tx.conn.scalar(select(row_filters.c.rows).where(*mine)) is not None


def filters(tx: Tx, version: str) -> list[tuple[str, bytes]]:
    """Give (digest of the input, filter) of every export of a version whose rows are recorded."""
    wanted = select(row_filters.c.sha256_in, row_filters.c.filter).where(row_filters.c.version == version)
    return [tuple(row) for row in tx.conn.execute(wanted.order_by(row_filters.c.sha256_in))]


def exports(tx: Tx) -> list[HeldExport]:
    """List who got which marked export, oldest first."""
    columns = releases.c.recipient, releases.c.version, releases.c.sha256_in, releases.c.created_ms
    wanted = select(*columns).where(releases.c.kind == "export", releases.c.marked_cells > 0)
    wanted = wanted.order_by(releases.c.serial)
    return [HeldExport(*row) for row in tx.conn.execute(wanted).all()]


def inputs(tx: Tx, version: str, recipients: Sequence[str] | None = None) -> set[str]:
    """Give the digests of the inputs of a version's marked exports, of some recipients' where they are given."""
    wanted = select(releases.c.sha256_in).distinct()
    wanted = wanted.where(
        releases.c.kind == "export", releases.c.marked_cells > 0, releases.c.version == version
    )
    if recipients is None:
        return set(tx.conn.scalars(wanted))
    parts = chunks(recipients, LOOKUP_KEYS)
    return {one for part in parts for one in tx.conn.scalars(wanted.where(releases.c.recipient.in_(part)))}
