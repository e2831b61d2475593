"""Datasets and the policy versions under which their releases were made."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from canary.model.data import DatasetVersion
from canary.store.rows import AnyRow, insert_new
from canary.store.tables import dataset_versions, datasets
from canary.store.text import check_name, dump, load_list
from canary.store.tx import Tx

_NEWEST_FIRST = (dataset_versions.c.created_ms.desc(), dataset_versions.c.sha256)


def put_version(tx: Tx, version: DatasetVersion) -> None:
    """Keep a version and its dataset; what is known already stays as it is."""
    name = check_name("a dataset name", version.dataset)
    insert_new(tx.conn, datasets, {"name": name, "created_ms": version.created_ms})
    values = {
        "sha256": version.sha256,
        "dataset": name,
        "headings": dump(version.headings),
        "policy": version.policy,
        "created_ms": version.created_ms,
    }
    insert_new(tx.conn, dataset_versions, values)


def _noun(row: AnyRow) -> DatasetVersion:
    return DatasetVersion(row.sha256, row.dataset, load_list(row.headings), row.policy, row.created_ms)


def get(tx: Tx, sha256: str) -> DatasetVersion | None:
    """Give a version by its digest, None where there is none."""
    wanted = select(dataset_versions).where(dataset_versions.c.sha256 == sha256)
    row = tx.conn.execute(wanted).one_or_none()
    return None if row is None else _noun(row)


def by_headings(tx: Tx, headings: Sequence[str]) -> list[DatasetVersion]:
    """List the versions whose ordered headings are these, newest first."""
    wanted = select(dataset_versions).where(dataset_versions.c.headings == dump(list(headings)))
    return [_noun(row) for row in tx.conn.execute(wanted.order_by(*_NEWEST_FIRST))]


def latest(tx: Tx, dataset: str) -> DatasetVersion | None:
    """Give the newest version of a dataset, None where there is none."""
    wanted = select(dataset_versions).where(dataset_versions.c.dataset == dataset)
    row = tx.conn.execute(wanted.order_by(*_NEWEST_FIRST).limit(1)).one_or_none()
    return None if row is None else _noun(row)


def versions(tx: Tx, dataset: str | None = None) -> list[DatasetVersion]:
    """List all versions, or those of one dataset, newest first."""
    wanted = select(dataset_versions).order_by(*_NEWEST_FIRST)
    if dataset is not None:
        wanted = wanted.where(dataset_versions.c.dataset == dataset)
    return [_noun(row) for row in tx.conn.execute(wanted)]


def names(tx: Tx) -> list[str]:
    """List the names of all datasets, sorted."""
    return list(tx.conn.scalars(select(datasets.c.name).order_by(datasets.c.name)))
