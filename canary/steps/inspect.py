"""Inspect: what the columns of a table are, and how it may be marked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from canary.errors import UsageError
from canary.fields.guess import guess_roles
from canary.fields.policy import write_policy
from canary.fields.propose import bits_of, propose_policy
from canary.steps.outputs import write_text

if TYPE_CHECKING:
    from canary.files import RowBatch

LEAST_IDS = 20  # whole resident numbers from which their provinces are judged
WHOLE_ID = re.compile(r"[1-9]\d{5}(?:19|20)\d{9}[\dXx]")
SAMPLE = 20_000  # rows from which roles and tolerances are judged


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
    rows, sample = _sampled(opened.headings, opened.batches())
    return judged(path.name.split(".")[0], opened.headings, sample, rows, tuple(opened.warnings))


def _sampled(headings: Sequence[str], batches: Iterable[RowBatch]) -> tuple[int, dict[str, list[str | None]]]:
    """Count all rows and keep an even sample of them."""
    import numpy as np

    rows, step = 0, 1
    sample: dict[str, list[str | None]] = {name: [] for name in headings}
    for batch in batches:
        taken = batch.rows.take(np.flatnonzero(batch.numbers() % step == 0))
        for name, column in zip(headings, taken.columns, strict=True):
            sample[name].extend(column.to_pylist())
        rows += batch.rows.num_rows
        while headings and len(sample[headings[0]]) > SAMPLE:
            step *= 2
            sample = {name: values[::2] for name, values in sample.items()}
    return rows, sample


def judged(
    name: str,
    headings: Sequence[str],
    sample: dict[str, list[str | None]],
    rows: int,
    warnings: tuple[str, ...],
) -> Inspected:
    """Judge a sample of a table."""
    roles = guess_roles(headings, sample)
    policy = propose_policy(name, headings, roles, sample)
    bits = {heading: bits_of(policy.columns[heading], sample[heading]) for heading in headings}
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
    told = (*warnings, *_skews(roles, sample))
    return Inspected(rows, columns, policy.anchors, total, write_policy(policy), told)


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
        rows, sample = _sampled(headings, LiveRows(connection, db.tongue, reflected).batches(headings))
    return judged(reflected.name, headings, sample, rows, ())


def write_policy_file(text: str, path: Path, *, force: bool) -> None:
    """Write a proposed policy whole or not at all."""
    write_text(text, path, force=force)
