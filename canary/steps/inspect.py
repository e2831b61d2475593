"""Inspect: what the columns of a table are, and how it may be marked."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from canary.errors import UsageError
from canary.fields.guess import guess_roles
from canary.fields.policy import parse_policy, write_policy
from canary.fields.propose import propose_policy
from canary.model.data import Policy
from canary.steps.marking import columns_of, is_looked_at
from canary.steps.outputs import write_text

if TYPE_CHECKING:
    from canary.files import RowBatch
    from canary.fingerprint.capacity import Capacity

Again = Callable[[Sequence[str]], Iterable["RowBatch"]]
LEAST_IDS = 20  # whole resident numbers from which their provinces are judged
WHOLE_ID = re.compile(r"[1-9]\d{5}(?:19|20)\d{9}[\dXx]")
SAMPLE = 20_000  # rows from which roles and tolerances are judged
IN_A_ROW = 20_000  # consecutive rows on which it is tried what smoothing and regression take of the marks


@dataclass(frozen=True, slots=True)
class InspectedColumn:
    """One column: its role, how it may be marked, and the bits a cell could carry."""

    name: str
    role: str
    mark: str | None
    tolerance: str | float | None
    bits: float


@dataclass(frozen=True, slots=True)
class Inspected:
    """What `inspect --json` tells."""

    rows_read: int
    columns: tuple[InspectedColumn, ...]
    anchors: tuple[tuple[str, ...], ...]
    bits_per_row: float
    policy: str
    warnings: tuple[str, ...] = ()


def inspect(source: str, table: str | None) -> Inspected:
    """Read a table in a file or database; gives roles, anchors, capacity and a proposed policy."""
    if "://" in source:
        return _inspect_database(source, table)
    from canary.files import open_table

    path = Path(source)
    opened = open_table(path, table=table)
    rows, sample, head = _sampled(opened.headings, opened.batches())
    name, warnings = path.name.split(".")[0], tuple(opened.warnings)
    return judged(name, opened.headings, sample, rows, warnings, head, opened.batches)


def _sampled(
    headings: Sequence[str], batches: Iterable[RowBatch]
) -> tuple[int, dict[str, list[str | None]], dict[str, Any]]:
    """Count all rows, keep an even sample of them, and the first ones as they follow one another."""
    import numpy as np

    rows, step = 0, 1
    head: dict[str, Any] = {}
    sample: dict[str, list[str | None]] = {name: [] for name in headings}
    for batch in batches:
        head = head or dict(zip(headings, batch.rows.slice(0, IN_A_ROW).columns, strict=True))
        taken = batch.rows.take(np.flatnonzero(batch.numbers() % step == 0))
        for name, column in zip(headings, taken.columns, strict=True):
            sample[name].extend(column.to_pylist())
        rows += batch.rows.num_rows
        while headings and len(sample[headings[0]]) > SAMPLE:
            step *= 2
            sample = {name: values[::2] for name, values in sample.items()}
    return rows, sample, head


def judged(
    name: str,
    headings: Sequence[str],
    sample: dict[str, list[str | None]],
    rows: int,
    warnings: tuple[str, ...],
    head: Mapping[str, Any],
    again: Again | None = None,
) -> Inspected:
    """Judge a sample of a table, and by its first rows in order how much of each mark nobody can take out.

    `again` reads some columns of the whole table, where it is longer than these rows.
    """
    roles = guess_roles(headings, sample)
    policy, kept, told_of_marks = lasting(
        propose_policy(name, headings, roles, sample), head, again if rows > IN_A_ROW else None
    )
    bits = {heading: kept.get(heading, 0.0) for heading in headings}
    columns = tuple(
        InspectedColumn(
            heading,
            roles[heading],
            policy.columns[heading].mark,
            policy.columns[heading].tolerance,
            round(bits[heading], 3),
        )
        for heading in headings
    )
    total = round(sum(one.bits for one in columns), 3)
    told = (*warnings, *told_of_marks, *_skews(roles, sample))
    return Inspected(rows, columns, policy.anchors, total, write_policy(policy), told)


def lasting(
    policy: Policy, head: Mapping[str, Any], again: Again | None = None
) -> tuple[Policy, dict[str, float], tuple[str, ...]]:
    """Take out the marks of a proposal that an attacker could take out too; gives the bits a cell that are left.

    Tried on a copy under a throw-away key: the nearest heap, the batch's mode, a moving mean, a regression. What stands
    on several rows of the whole table is one input of them all.
    """
    marked = [name for name, column in policy.columns.items() if column.mark]
    if not marked or not policy.anchors or not head or not len(head[marked[0]]):
        return policy, {}, ()
    measured = _measured(policy, head, again)
    lost = [name for name in marked if name not in measured or not measured[name].is_proposed]
    columns = {
        name: replace(column, mark=None, tolerance=None, grammar=None) if name in lost else column
        for name, column in policy.columns.items()
    }
    told = tuple(
        f"{name}: not proposed for marks, {measured[name].removal} leaves {measured[name].kept:.1f} of "
        f"{measured[name].nominal:.1f} bits a cell"
        for name in lost
        if name in measured
    )
    bits = {name: one.kept for name, one in measured.items() if name not in lost}
    return parse_policy(write_policy(replace(policy, columns=columns))), bits, told


def _measured(policy: Policy, head: Mapping[str, Any], again: Again | None) -> dict[str, Capacity]:
    from canary.fingerprint.capacity import capacities
    from canary.fingerprint.embed import prepare
    from canary.fingerprint.learn import Learning

    learning = Learning(policy, secrets.token_bytes(32))
    names = [name for name in head if is_looked_at(policy, name)]
    for columns in [head] if again is None else (columns_of(batch, names) for batch in again(names)):
        learning.add(columns)
    plan = learning.plan()
    if not plan.channels:
        return {}
    seen = learning.seen(plan)
    return {one.column: one for one in capacities(prepare(seen, head), secrets.token_bytes(16), seen)}


def _skews(roles: Mapping[str, str], sample: Mapping[str, Sequence[str | None]]) -> Iterator[str]:
    """Tell of columns with whole resident numbers how far the provinces of canaries' numbers are from theirs."""
    from canary.generators.ids import province_skew

    for name, role in roles.items():
        whole = [text for text in sample[name] if text and WHOLE_ID.fullmatch(text)]
        if role == "resident_id" and len(whole) >= LEAST_IDS:
            yield (
                f"{name}: canaries have numbers of withdrawn county codes, which nobody was given; "
                f"{province_skew(whole):.0%} of them show another province than this table's do"
            )


def _inspect_database(url: str, table: str | None) -> Inspected:
    from canary.steps.live_rows import LiveRows
    from canary.steps.livedb import LiveDb

    if table is None:
        raise UsageError("a database has many tables", "name one with --table")
    db = LiveDb.at(url)
    with db.reading(table) as connection:
        reflected = db.reflect(connection, table)
        headings = tuple(reflected.headings)
        live = LiveRows(connection, db.tongue, reflected)
        rows, sample, head = _sampled(headings, live.batches(headings))
        return judged(reflected.name, headings, sample, rows, (), head, live.batches)


def write_policy_file(text: str, path: Path, *, force: bool) -> None:
    """Write a proposed policy whole or not at all."""
    write_text(text, path, force=force)
