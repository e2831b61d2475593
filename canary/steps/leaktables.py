"""The tables of a leak, as far as its files are tables: columns of text, batch by batch.

A leak is hostile and untidy: what cannot be read as a table is left to the scan; a first line that is data is a row,
whatever the format makes of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from canary.errors import CanaryError
from canary.model.evidence import ScanError

if TYPE_CHECKING:
    from canary.files import Table

MOST_ROWS = 20_000_000  # rows of one table that are read for marks
DATA_LIKE = re.compile(r"\d{5,}|\d{1,4}[-/:.]\d{1,2}[-/:.]\d|@|(?<!\w)\d+\.\d+(?!\w)")

Columns = dict[str, Any]


@dataclass(frozen=True)
class LeakTable:
    """One table of a leak; `first` are the cells of a first line that is no heading."""

    table: Table
    headings: tuple[str, ...]
    first: tuple[str, ...] | None = None

    def batches(self) -> Iterator[Columns]:
        """Give its rows in order, as string arrays of one length by heading."""
        import pyarrow as pa

        done = 0
        if self.first is not None:
            yield {
                name: pa.array([cell], pa.string())
                for name, cell in zip(self.headings, self.first, strict=True)
            }
        for batch in self.table.batches():
            if done >= MOST_ROWS:
                return
            done += batch.rows.num_rows
            yield dict(zip(self.headings, batch.rows.columns, strict=True))

    def head(self) -> Columns:
        """Give the first rows, by which columns are recognised."""
        import pyarrow as pa

        rows: list[Sequence[str | None]] = list(self.table.head())
        if self.first is not None:
            rows.insert(0, self.first)
        columns = zip(*rows, strict=True) if rows else ([] for _ in self.headings)
        return {
            name: pa.array(list(cells), pa.string())
            for name, cells in zip(self.headings, columns, strict=True)
        }


def tables_in(paths: Iterable[Path]) -> Iterator[LeakTable]:
    """Open every file of some paths that is a table; what is none is passed over."""
    from canary.scan.paths import files_in

    for path in paths:
        for found in files_in(path):
            if not isinstance(found, ScanError):
                yield from opened(found)


def opened(path: Path) -> Iterator[LeakTable]:
    """Open a file as the tables that it holds; none where it is no table."""
    from canary.files import tables_of

    try:
        for table in tables_of(path):
            yield described(table)
    except CanaryError:
        return


def described(table: Table) -> LeakTable:
    """Take a first line that looks like data for a row."""
    headings = tuple(table.headings)
    if not any(DATA_LIKE.search(heading) for heading in headings):
        return LeakTable(table, headings)
    names = tuple(f"column {number}" for number in range(1, len(headings) + 1))
    return LeakTable(table, names, headings)
