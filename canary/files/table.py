"""The interface that every format stands behind: open, read in batches, rewrite with canary rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from canary.errors import UsageError
from canary.fields.spans import Spans, spans_of
from canary.files.atomic import sha256_file
from canary.files.compress import Writer

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    from canary.files.cellrows import CellRows

    RowNumbers = npt.NDArray[np.int64]

MAX_SINKS = 128


class SeveralTables(UsageError):
    """A file holds several tables, and one has to be chosen; `names` are theirs."""

    def __init__(self, path: Path, names: tuple[str, ...]) -> None:
        super().__init__(f"{path} holds several tables", f"choose one with --table: {', '.join(names)}")
        self.names = names


@dataclass(frozen=True, slots=True)
class TableFormat:
    """A format (csv, tsv, jsonl, json, parquet, xlsx, sql, arrow) and its compression (gzip, zstd or none)."""

    name: str
    compression: str | None = None

    def label(self) -> str:
        """Give the file name's ending, without the first dot: `csv`, `csv.gz`."""
        ending = {"gzip": ".gz", "zstd": ".zst"}
        return self.name + (ending[self.compression] if self.compression else "")


@dataclass(frozen=True, slots=True)
class RowBatch:
    """Some rows in their order, every column as text, null where there is no value.

    `start` is the number of the first row; `index` gives every row's own number where rows between were left out.
    """

    start: int
    rows: pa.RecordBatch | CellRows
    index: RowNumbers | None = None

    def numbers(self) -> RowNumbers:
        """Give the number of every row in the input."""
        import numpy as np

        if self.index is not None:
            return self.index
        return np.arange(self.start, self.start + self.rows.num_rows, dtype=np.int64)

    def nulls(self, heading: str) -> int:
        """Count the rows that have no value in a column."""
        from canary.files.cellrows import CellRows

        if isinstance(self.rows, CellRows):
            return 0  # text knows empty cells only, and need not be copied to tell
        return int(self.rows.column(heading).null_count)

    def spans(self, heading: str) -> Spans:
        """Give the texts of a column where they lie."""
        from canary.files.cellrows import CellRows

        if isinstance(self.rows, CellRows) and (found := self.rows.spans(heading)) is not None:
            return found
        return spans_of(self.rows.column(heading))


@dataclass(frozen=True, slots=True)
class Insertion:
    """A canary row (heading → text, null for no value) that stands before real row `position` (0-based).

    A position equal to the number of rows means: after the last row, before a footer.
    """

    position: int
    row: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class CellEdits:
    """New texts of one column in a batch.

    `changed` (bool[rows]) tells which cells change; of `texts` (string array of all rows) only those are looked at.
    """

    heading: str
    changed: npt.NDArray[np.bool_]
    texts: pa.Array


@dataclass(frozen=True, slots=True)
class RowEdits:
    """What one copy does to a batch: cells that change, and which rows stay (bool[rows], None for all)."""

    cells: tuple[CellEdits, ...] = ()
    keep: npt.NDArray[np.bool_] | None = None


class Marking(Protocol):
    """Changes real rows on their way into copies."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The headings that it wants to see."""
        ...

    def edits(self, batch: RowBatch) -> Sequence[RowEdits]:
        """Give what each copy does to a batch, in the order of the sinks.

        Batches come in order, with exactly the rows that `Table.batches` gives.
        """
        ...


@dataclass(slots=True)
class Sink:
    """One copy to be written: where to, and which rows join it, sorted by position."""

    file: Writer
    insertions: Sequence[Insertion] = ()


@dataclass(frozen=True, slots=True)
class RewriteReport:
    """What a rewriting did: real rows read (no footer among them), rows written to each sink."""

    rows_in: int
    rows_out: tuple[int, ...]
    warnings: tuple[str, ...] = ()


@dataclass
class Reading:
    """What one reading learns by its end: all rows seen, the last one's cells, how many were ragged."""

    rows: int = 0
    ragged: int = 0
    first_ragged: int = -1
    last: Sequence[str | None] | None = None
    last_ragged: bool = False

    def skip(self, number: int) -> None:
        """Count a row whose cells do not fit the headings."""
        self.ragged += 1
        if self.first_ragged < 0:
            self.first_ragged = number


@dataclass
class Table(ABC):
    """A table that can be read in batches and rewritten with canary rows, both in one streaming pass."""

    path: Path
    format: TableFormat
    headings: tuple[str, ...] = ()
    native: Mapping[str, str] = field(default_factory=dict)
    _notes: dict[str, str] = field(default_factory=dict, repr=False)
    _footer: bool | None = field(default=None, repr=False)
    _head: list[Sequence[str | None]] | None = field(default=None, repr=False)
    _rows: int | None = field(default=None, repr=False)
    _digest: str | None = field(default=None, repr=False)
    _is_digested: bool = field(default=False, repr=False)

    def digest_while_reading(self) -> None:
        """Let the next reading of the whole file take its digest on the way, where the format allows that."""
        self._is_digested = True

    def sha256(self) -> str:
        """Give the digest of the file (hex); it is read for that where no reading took it on its way."""
        return self._digest or sha256_file(self.path)

    @property
    def warnings(self) -> list[str]:
        """What a person should know, filled while reading."""
        return list(self._notes.values())

    @abstractmethod
    def _read(self, columns: Sequence[str], reading: Reading) -> Iterator[RowBatch]:
        """Read all rows that fit the headings, a footer among them; fills `reading` by the end."""

    @abstractmethod
    def rewrite(self, sinks: Sequence[Sink], marking: Marking | None = None) -> RewriteReport:
        """Read once and write every sink: canary rows at their places, real rows as `marking` edits them.

        Raises OutsideError where the file fails, a row cannot be placed or a text does not fit its cell.
        """

    @abstractmethod
    def without(self, file: Writer, numbers: Sequence[int]) -> RewriteReport:
        """Read once and write all but the rows of these rising numbers (0-based), the others as they are.

        Raises OutsideError where the file fails or a row cannot be left out.
        """

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[RowBatch]:
        """Yield the rows in their order; ragged rows and a footer are left out, but ragged ones are numbered.

        Raises UsageError for an unknown column, OutsideError where the file fails.
        """
        reading = Reading()
        wanted = self._check_columns(columns)
        held: RowBatch | None = None
        for batch in self._read(wanted, reading):
            if held is not None:
                yield held
            held = batch
        footer = self.ends_in_footer(reading)
        self._tell(reading, footer)
        self._rows = reading.rows - footer
        if held is not None and footer and not reading.last_ragged:
            held = _without_last(held)
        if held is not None and held.rows.num_rows:
            yield held

    def _check_columns(self, columns: Sequence[str] | None) -> tuple[str, ...]:
        wanted = self.headings if columns is None else tuple(columns)
        unknown = [column for column in wanted if column not in self.headings]
        if unknown:
            raise UsageError(
                f"{self.path} has no column {unknown[0]!r}", "its columns: " + ", ".join(self.headings)
            )
        return wanted

    def _tell(self, reading: Reading, footer: bool) -> None:
        rows = reading.rows - footer
        if rows == 0:
            self._notes["rows"] = f"{self.path.name} holds no rows"
        ragged = reading.ragged - (footer and reading.last_ragged)
        if ragged:
            self._notes["ragged"] = (
                f"{ragged} rows do not fit the headings (the first is row {reading.first_ragged + 1}); "
                "they are kept as they are and neither learnt from nor marked"
            )
        if footer:
            self._notes["footer"] = "the last row holds totals: it stays last and is no row of the data"

    def ends_in_footer(self, reading: Reading) -> bool:
        """Tell whether the last row of a finished reading holds the totals of the others."""
        if self._footer is None:
            self._footer = self._judge_footer(reading)
        return self._footer

    def _judge_footer(self, reading: Reading) -> bool:
        from canary.files.footer import Suspicion, names_total, suspect

        if reading.last is None or reading.rows < 2:
            return False
        if reading.last_ragged:
            return names_total(reading.last, self.head())
        suspicion = suspect(reading.last, self.head(), reading.rows)
        if not isinstance(suspicion, Suspicion):
            return suspicion
        names = [self.headings[column] for column in suspicion.columns]
        return suspicion.confirmed(batch.rows for batch in self._read(names, Reading()))

    def head(self) -> list[Sequence[str | None]]:
        """Give the cells of the first rows, at most 1,000, for what has to be guessed from a sample."""
        if self._head is None:
            first = next(iter(self._read(self.headings, Reading())), None)
            columns = [] if first is None else [c.to_pylist() for c in first.rows.slice(0, 1000).columns]
            self._head = list(zip(*columns, strict=True))
        return self._head

    def rows_to_edit(self) -> int:
        """Give the number of rows that may be edited, a footer of totals not among them; known once it was read."""
        if self._rows is None:
            for _ in self.batches(self.headings[:1]):
                pass
        return self._rows or 0

    def report(self, reading: Reading, sinks: Sequence[Sink], gone: Sequence[int] = ()) -> RewriteReport:
        """Sum up a finished rewriting; `gone` counts the rows left out of each sink.

        Raises UsageError where a row was to stand beyond the end.
        """
        footer = self.ends_in_footer(reading)
        self._tell(reading, footer)
        rows = reading.rows - footer
        for sink in sinks:
            check_positions(sink.insertions, rows)
        left = gone or [0] * len(sinks)
        written = tuple(rows + len(sink.insertions) - less for sink, less in zip(sinks, left, strict=True))
        return RewriteReport(rows, written, tuple(self.warnings))

    def report_without(self, reading: Reading, numbers: Sequence[int]) -> RewriteReport:
        """Sum up a finished copy without some rows; raises UsageError for a row that the table does not have."""
        footer = self.ends_in_footer(reading)
        self._tell(reading, footer)
        rows = reading.rows - footer
        if numbers and numbers[-1] >= rows:
            raise UsageError(
                f"row {numbers[-1]} was to be left out, but the table has {rows} rows",
                "numbers go from 0 to the number of rows less one",
            )
        return RewriteReport(rows, (rows - len(numbers),), tuple(self.warnings))


def check_sinks(sinks: Sequence[Sink]) -> None:
    """Refuse more sinks than one reading serves, and insertions out of order."""
    if len(sinks) > MAX_SINKS:
        raise UsageError(f"{len(sinks)} copies in one reading", f"write at most {MAX_SINKS} at a time")
    for sink in sinks:
        places = [insertion.position for insertion in sink.insertions]
        if places != sorted(places):
            raise UsageError("the insertions are out of order", "sort them by position")
        if places and places[0] < 0:
            raise UsageError("a row stands before the first one", "positions start at 0")


def check_positions(insertions: Sequence[Insertion], rows: int) -> None:
    """Refuse an insertion that stands beyond the last row."""
    if insertions and insertions[-1].position > rows:
        raise UsageError(
            f"a row was to stand before row {insertions[-1].position}, but the table has {rows} rows",
            "positions go from 0 to the number of rows",
        )


def unique_headings(names: Sequence[str]) -> tuple[str, ...]:
    """Name every column once: an empty heading by its number, a repeated one with a counter behind it."""
    used: set[str] = set()
    result = []
    for number, name in enumerate(names, 1):
        base = name or f"column_{number}"
        fresh, count = base, 1
        while fresh in used or (fresh != name and fresh in names):
            count += 1
            fresh = f"{base}_{count}"
        used.add(fresh)
        result.append(fresh)
    return tuple(result)


def _without_last(batch: RowBatch) -> RowBatch:
    index = None if batch.index is None else batch.index[:-1]
    return RowBatch(batch.start, batch.rows.slice(0, batch.rows.num_rows - 1), index)
