"""Suppression: callers, the rows each had checked, the canaries it met, and what its files are expected to hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, delete, func, select, true

from canary.model.suppress import ANY, Caller, Known
from canary.store.bulk import insert_rows
from canary.store.rows import LOOKUP_KEYS, AnyRow, chunks, insert_new, one_of, upsert
from canary.store.tables import (
    canaries,
    dataset_versions,
    identifiers,
    placements,
    releases,
    suppress_callers,
    suppress_checks,
    suppress_seen,
)
from canary.store.text import dump, load_list, storable
from canary.store.tx import Tx

if TYPE_CHECKING:
    pass


def caller(tx: Tx, name: str) -> Caller | None:
    """Give a caller, None where there is none; in a write transaction it is held to the end."""
    wanted = select(suppress_callers).where(suppress_callers.c.name == name)
    row = tx.conn.execute(wanted.with_for_update() if tx.writes else wanted).one_or_none()
    return None if row is None else _caller(row)


def callers(tx: Tx) -> list[Caller]:
    """List the callers by name."""
    return [
        _caller(row) for row in tx.conn.execute(select(suppress_callers).order_by(suppress_callers.c.name))
    ]


def _caller(row: AnyRow) -> Caller:
    return Caller(
        row.name, row.os_user, row.rows_a_day, load_list(row.recipients), row.added_ms, row.stopped_ms,
        row.reason, row.lifted_ms,
    )  # fmt: skip


def _values(each: Caller) -> dict[str, object]:
    return {
        "name": each.name,
        "os_user": each.os_user,
        "rows_a_day": each.rows_a_day,
        "recipients": dump(each.recipients),
        "added_ms": each.added_ms,
        "stopped_ms": each.stopped_ms,
        "reason": storable(each.reason),
        "lifted_ms": each.lifted_ms,
    }


def ensure(tx: Tx, each: Caller) -> None:
    """Store a caller unless one of its name is there."""
    insert_new(tx.conn, suppress_callers, _values(each))


def put(tx: Tx, each: Caller) -> None:
    """Store a caller, in place of what stood under its name."""
    upsert(tx.conn, suppress_callers, _values(each), ("name",))


def note(tx: Tx, name: str, now_ms: int, rows: int, withheld: int, sha256_in: str) -> None:
    """Charge a check to its caller."""
    values = (name, now_ms, rows, withheld, sha256_in)
    columns = ("caller", "time_ms", "rows", "withheld", "sha256_in")
    tx.conn.execute(suppress_checks.insert().values(dict(zip(columns, values, strict=True))))


def note_met(tx: Tx, name: str, now_ms: int, serials: Sequence[int]) -> None:
    """Note which canaries stood in a file of a caller, and when last."""
    mine = suppress_seen.c.caller == name, one_of(tx.conn, suppress_seen.c.canary, serials)
    tx.conn.execute(delete(suppress_seen).where(*mine))
    insert_rows(tx.conn, suppress_seen, ((name, serial, now_ms) for serial in serials))


def rows_since(tx: Tx, name: str, ms: int) -> int:
    """Count the rows that a caller had checked from a time on."""
    mine = suppress_checks.c.caller == name, suppress_checks.c.time_ms >= ms
    found: int | None = tx.conn.scalar(select(func.sum(suppress_checks.c.rows)).where(*mine))
    return int(found or 0)


def checked_before(tx: Tx, name: str, sha256_in: str) -> bool:
    """Tell whether a caller had this very file checked before."""
    mine = suppress_checks.c.caller == name, suppress_checks.c.sha256_in == sha256_in
    return tx.conn.scalar(select(suppress_checks.c.serial).where(*mine).limit(1)) is not None


def met_since(tx: Tx, name: str, ms: int) -> set[int]:
    """Give the serials of the canaries that stood in files of a caller from a time on."""
    mine = suppress_seen.c.caller == name, suppress_seen.c.last_ms >= ms
    return set(tx.conn.scalars(select(suppress_seen.c.canary).where(*mine)))


def carriers(tx: Tx, keys: Sequence[int]) -> list[tuple[int, int]]:
    """Give (scan key, canary serial) of the canaries that carry values of these scan keys."""
    wanted = select(identifiers.c.scan_key, identifiers.c.canary)
    found = tx.conn.execute(wanted.where(one_of(tx.conn, identifiers.c.scan_key, keys)))
    return [(int(row[0]), int(row[1])) for row in found]


def _own(recipients: Sequence[str]) -> ColumnElement[bool]:
    """Hold for seedings, and for copies of these recipients (ANY: of all)."""
    return true() if ANY in recipients else (releases.c.kind == "seed") | releases.c.recipient.in_(recipients)


def known(tx: Tx, serials: Iterable[int], recipients: Sequence[str]) -> list[Known]:
    """Tell of canaries whether they stand in a live database or a copy of these recipients; else they are strays."""
    wanted = sorted(set(serials))
    own = (
        select(placements.c.canary, releases.c.kind, releases.c.created_ms)
        .join(releases, placements.c.release == releases.c.serial)
        .where(one_of(tx.conn, placements.c.canary, wanted), placements.c.carried.is_(False))
        .where(_own(recipients))
    )
    seeded: dict[int, int] = {}
    for serial, kind, created_ms in tx.conn.execute(own):
        seeded[serial] = max(seeded.get(serial, 0), created_ms if kind == "seed" else 0)
    datasets = select(canaries.c.serial, canaries.c.dataset).where(one_of(tx.conn, canaries.c.serial, wanted))
    return [
        Known(serial, dataset, serial not in seeded, seeded.get(serial, 0))
        for serial, dataset in tx.conn.execute(datasets.order_by(canaries.c.serial))
    ]


def samples(tx: Tx, recipients: Sequence[str]) -> list[int]:
    """Give the serial of one canary of every seeding, and of every copy of these recipients."""
    mine = _own(recipients)
    wanted = (
        select(func.min(placements.c.canary))
        .join(releases, placements.c.release == releases.c.serial)
        .where(mine, placements.c.carried.is_(False))
        .group_by(placements.c.release)
    )
    return sorted(set(tx.conn.scalars(wanted)))


def policies_of(tx: Tx, canary_ids: Sequence[str]) -> dict[str, str]:
    """Give, by canary id, the policy text under which it was first placed; those without a policy are left out."""
    found: dict[str, str] = {}
    for part in chunks(canary_ids, LOOKUP_KEYS):
        wanted = (
            select(canaries.c.id, dataset_versions.c.policy)
            .select_from(
                placements.join(canaries, placements.c.canary == canaries.c.serial)
                .join(releases, placements.c.release == releases.c.serial)
                .join(dataset_versions, releases.c.version == dataset_versions.c.sha256)
            )
            .where(canaries.c.id.in_(part), placements.c.carried.is_(False), dataset_versions.c.policy != "")
            .order_by(releases.c.serial.desc())
        )
        found.update(tx.conn.execute(wanted).all())
    return found


def shares(tx: Tx, recipients: Sequence[str]) -> dict[str, float]:
    """Give, by dataset, which share of a file's rows may be canaries: those seeded, and those of granted copies.

    Seedings that stand add up over the greatest size of their tables; one that was undone, and each copy of
    `recipients`, counts for itself.
    """
    columns = releases.c.dataset, releases.c.kind, releases.c.state, releases.c.canaries, releases.c.rows_out
    mine = _own(recipients)
    standing: dict[str, tuple[int, int]] = {}
    highest: dict[str, float] = {}
    for dataset, kind, state, count, rows in tx.conn.execute(select(*columns).where(mine)):
        highest[dataset] = max(highest.get(dataset, 0.0), min(1.0, count / max(rows, 1)))
        if kind == "seed" and state != "undone":
            before = standing.get(dataset, (0, 0))
            standing[dataset] = before[0] + count, max(before[1], rows)
    summed = {dataset: min(1.0, count / max(rows, 1)) for dataset, (count, rows) in standing.items()}
    return {dataset: max(share, summed.get(dataset, 0.0)) for dataset, share in highest.items()}
