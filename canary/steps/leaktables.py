"""The tables of a leak, as far as its files are tables: columns of text, batch by batch.

A leak is hostile and untidy: what cannot be read as a table is left to the scan; a first line that is data is a row,
whatever the format makes of it. Archives are opened, each member copied to a temporary file while it is read.
"""

from __future__ import annotations

import re
import shutil
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from lzma import LZMAError
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, BinaryIO
from zipfile import BadZipFile

from canary.errors import CanaryError
from canary.model.evidence import ScanError

if TYPE_CHECKING:
    from canary.files import Table
    from canary.scan.budget import Spent

MOST_ROWS = 20_000_000  # rows of one table that are read for marks
MOST_UNPACKED = 1 << 35  # bytes that the archives of one leak may unpack to
SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}$", re.ASCII)
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
    """Open every file of some paths that is a table, or an archive of tables; what is none is passed over.

    A table is read before the next is asked for.
    """
    from canary.scan.budget import Budget, Spent
    from canary.scan.paths import files_in

    spent = Spent(Budget(bytes=MOST_UNPACKED))
    for path in paths:
        for found in files_in(path):
            if not isinstance(found, ScanError):
                yield from _unpacked(found, spent)


def _unpacked(path: Path, spent: Spent) -> Iterator[LeakTable]:
    """Open a file, or each member of an archive."""
    from canary.scan.members import members
    from canary.scan.parts import Place

    try:
        packed = path.stat().st_size
        with path.open("rb") as stream, TemporaryDirectory(prefix="canary-members-") as folder:
            for place, member in members(stream, Place(str(path), packed=packed), spent):
                direct = 0
                for table in opened(path) if place.member is None else ():
                    direct += 1
                    yield table
                if place.member is None and (direct or not place.layers):
                    continue
                copy = _copied(member, Path(folder) / f"member{_suffix(place.member or path.stem)}")
                if copy is not None:
                    yield from opened(copy)
                    copy.unlink()
    except OSError:
        return


def _copied(member: BinaryIO, path: Path) -> Path | None:
    """Copy a member to a file, None where it breaks off or is a bomb."""
    from canary.scan.budget import Refused

    try:
        with path.open("wb") as file:
            shutil.copyfileobj(member, file, 1 << 20)
    except (Refused, EOFError, ValueError, RuntimeError, OSError, BadZipFile, zlib.error, LZMAError):
        path.unlink(missing_ok=True)
        return None
    return path


def _suffix(name: str) -> str:
    """Give the end of a member's name by which its format is guessed: a few letters, whatever the name is."""
    found = SUFFIX.search(name)
    return found[0].lower() if found else ""


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
