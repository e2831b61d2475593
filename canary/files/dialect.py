"""The dialect of a CSV file: delimiter, quote, line end and each column's habit of quoting."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from canary.errors import OutsideError

DELIMITERS = ",\t;|"
_SAMPLE_ROWS = 300
_ENOUGH = 0.8  # share of lines that have to agree before a rarer reading is believed


@dataclass(frozen=True, slots=True)
class Dialect:
    """How cells are separated and quoted; `quote` is None where quotes are plain characters."""

    delimiter: str = ","
    quote: str | None = '"'
    eol: str = "\n"
    quoted: tuple[bool, ...] = ()
    quoted_empty: tuple[bool, ...] = ()

    def row(self, cells: Sequence[str | None]) -> str:
        """Write a row without its line end, every column quoted as the file does it.

        Raises OutsideError where a cell needs quotes and the file knows none.
        """
        text = self.delimiter.join(cell or "" for cell in cells)
        if self._is_special(text, len(cells)):
            text = self.delimiter.join(self._cell(place, cell) for place, cell in enumerate(cells))
        return text or (2 * self.quote if self.quote else "")

    def _is_special(self, text: str, width: int) -> bool:
        """Tell whether some cell may need quotes, by the whole row without any: one look at it, not one a cell."""
        if any(self.quoted) or any(self.quoted_empty) or text.count(self.delimiter) >= width:
            return True
        return "\n" in text or "\r" in text or (self.quote is not None and self.quote in text)

    def _cell(self, place: int, cell: str | None) -> str:
        if cell is None:
            return ""
        needed = any(mark in cell for mark in (self.delimiter, "\n", "\r", self.quote or self.delimiter))
        habit = self.quoted if cell else self.quoted_empty
        if self.quote and (needed or (place < len(habit) and habit[place])):
            return self.quote + cell.replace(self.quote, 2 * self.quote) + self.quote
        if needed:
            raise OutsideError(
                "a value holds the delimiter or a line end, but the file has no quotes",
                "write the input with quotes first",
            )
        return cell


def read_rows(records: Iterable[str], dialect: Dialect, strict: bool = False) -> Iterator[list[str]]:
    """Read records, each one whole, into cells; `strict` raises csv.Error for a quote that stands astray."""
    csv.field_size_limit(sys.maxsize)
    if dialect.quote is None:
        return csv.reader(records, delimiter=dialect.delimiter, quoting=csv.QUOTE_NONE)
    return csv.reader(records, delimiter=dialect.delimiter, quotechar=dialect.quote, strict=strict)


def raw_cells(record: str, dialect: Dialect) -> list[str]:
    """Split a record into its cells as they are written, quotes and all."""
    body = record.rstrip("\r\n")
    if dialect.quote is None:
        return body.split(dialect.delimiter)
    quote, delimiter = re.escape(dialect.quote), re.escape(dialect.delimiter)
    cell = re.compile(f"(?:{quote}(?:[^{quote}]|{quote}{quote})*+{quote})?+[^{delimiter}]*+")
    cells, at = [], 0
    while at <= len(body):
        found = cell.match(body, at)
        assert found is not None  # the pattern matches nothing too  # noqa: S101
        cells.append(found[0])
        at = found.end() + 1
    return cells


def with_habits(dialect: Dialect, records: Sequence[str], width: int) -> Dialect:
    """Learn from sample records which columns are quoted, and which of them even when empty."""
    filled, empty = [Counter[bool]() for _ in range(width)], [Counter[bool]() for _ in range(width)]
    quote = dialect.quote
    for record in records:
        cells = raw_cells(record, dialect)
        if quote is None or len(cells) != width:
            continue
        for place, cell in enumerate(cells):
            (filled if cell not in ("", 2 * quote) else empty)[place][cell.startswith(quote)] += 1
    quoted = tuple(count[True] > count[False] for count in filled)
    quoted_empty = tuple(
        count[True] > count[False] if count else habit for count, habit in zip(empty, quoted, strict=True)
    )
    return Dialect(dialect.delimiter, quote, dialect.eol, quoted, quoted_empty)


def sniff(text: str, hint: str | None = None) -> Dialect:
    """Tell delimiter and quote from the beginning of a file; `hint` is the delimiter its name promises."""
    wanted = (hint or "") + "".join(mark for mark in DELIMITERS if mark != hint)
    tried: list[tuple[tuple[float, int], int, Dialect]] = []
    for quote in _quotes(text):
        candidates = [Dialect(mark, quote) for mark in wanted]
        scored = [(_score(text, one), -len(tried) - place, one) for place, one in enumerate(candidates)]
        tried += scored
        if max(scored)[0][0] >= _ENOUGH:
            break
    best = max(tried)
    return best[2] if best[0] > (0.0, 0) else Dialect(wanted[0])


def _quotes(text: str) -> list[str | None]:
    """Give the quotes worth trying, the likeliest first."""
    lines = [line for line in text.split("\n")[:_SAMPLE_ROWS] if line.strip()]
    single = sum(bool(re.search(r"(?:^|[,;|\t])'(?:[^']|'')*+'(?:$|[,;|\t\r])", line)) for line in lines)
    if single >= max(1, _ENOUGH * len(lines)) and text.count('"') < single:
        return ["'", '"', None]
    return ['"', None]


def _score(text: str, dialect: Dialect) -> tuple[float, int]:
    """Score a dialect: how many rows have as many cells as the heading row, and how many cells that is.

    Where a quote stands astray, the score is too low to be believed at once.
    """
    widths, astray = [], False
    try:
        for row in read_rows(io.StringIO(text, newline=""), dialect, strict=True):
            if row:
                widths.append(len(row))
            if len(widths) >= _SAMPLE_ROWS:
                break
    except csv.Error:
        astray = True
    if not widths or widths[0] < 2:
        return (0.0, 0)
    share = sum(width == widths[0] for width in widths) / len(widths)
    return (min(round(share, 2), _ENOUGH - 0.01 if astray else 1.0), widths[0])
