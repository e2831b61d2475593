"""One sheet's XML as a stream: its rows found, what stands below moved, what cannot move refused."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from canary.errors import OutsideError
from canary.files.blocks import Cut
from canary.files.xlsxcells import row_number
from canary.files.xmlparts import find_bytes

_END = re.compile(rb"</(?:\w+:)?sheetData\s*>")
_FORMULA = re.compile(rb"<(?:\w+:)?f\b[^>]*>([^<]*)")
_MERGE = re.compile(rb"<(?:\w+:)?mergeCell\b[^>]*?\sref=[\"']([^\"']+)[\"']")
_REFERENCE = re.compile(rb"(\s(?:sq)?ref=[\"'])([^\"']+)(?=[\"'])|(<(?:\w+:)?sqref>)([^<]+)(?=<)")
_DIMENSION = re.compile(rb"(<(?:\w+:)?dimension\b[^>]*?\sref=[\"'][A-Z]+\d+:[A-Z]+)(\d+)(?=[\"'])")
_FILLED = re.compile(rb"<(?:\w+:)?(?:v|is|t)\b(?:[^>]*[^/>])?>")
_HINT = "copy the values alone into a new workbook, or export the sheet as CSV"


@dataclass(frozen=True, slots=True)
class Rows:
    """What a block of a sheet holds beside its records.

    `numbers` is each record's row number, `heading` the offset behind the heading row and its number if it stands
    in this block, `tail` the offset at which the rows are over, -1 if they go on.
    """

    numbers: list[int]
    heading: tuple[int, int] | None
    tail: int


@dataclass
class SheetSplitter:
    """Finds the filled rows below the heading row; rows without a value are no records."""

    heading: int
    path: Path
    number: int = 0
    over: bool = field(default=False, init=False)

    def __call__(self, data: bytes, last: bool) -> Cut[Rows]:
        """Cut off whole rows; behind them everything is one tail."""
        if self.over:
            return _cut([], Rows([], None, 0), len(data) if last else 0)
        spans, numbers, heading, at = [], [], None, 0
        for row in find_bytes(data, "row"):
            self.number, at = row_number(row.given, self.number), row.end
            if self.number == self.heading:
                heading = (at, self.number)
            elif self.number > self.heading and has_value(row.inner):
                spans.append((row.start, row.end))
                numbers.append(self.number)
        end = _END.search(data, at)
        if end is None and last:
            raise OutsideError(f"{self.path} holds a damaged sheet", "save the workbook again")
        self.over = end is not None
        tail = end.start() if end and last else -1
        used = len(data) if last else end.start() if end else at
        return _cut(spans, Rows(numbers, heading, tail), used)


def _cut(spans: list[tuple[int, int]], rows: Rows, used: int) -> Cut[Rows]:
    import numpy as np

    both = np.array(spans, np.int64).reshape(-1, 2)
    return Cut(both[:, 0], both[:, 1], used, rows)


def has_value(row: bytes) -> bool:
    """Tell whether a row element has a cell with a value."""
    return _FILLED.search(row) is not None


@dataclass
class Moves:
    """Which rows of one copy moved: `behind` are the numbers (before moving) of the rows that canaries stand behind.

    Where rows are left out `step` is -1 and `behind` are the numbers of the rows that go.
    """

    path: Path
    behind: list[int] = field(default_factory=list)
    looked_at: int = 0
    step: int = 1

    @property
    def count(self) -> int:
        """Give how far the next row moves."""
        return self.step * len(self.behind)

    def row(self, number: int) -> int:
        """Give a row's new number."""
        return number + self.step * bisect_left(self.behind, number)

    def _reaches(self, number: int) -> bool:
        """Tell whether a row lies where things moved."""
        return bool(self.behind) and number >= self.behind[0] + (self.step > 0)

    def check_rows(self, xml: bytes) -> None:
        """Refuse formulas in rows that move."""
        if self.behind and _FORMULA.search(xml):
            raise self._refused("formulas")

    def look(self, xml: bytes) -> None:
        """Note how far down the formulas of rows look that do not move."""
        for found in _FORMULA.finditer(xml):
            rows = [int(number) for number in re.findall(rb"\$?[A-Z]{1,3}\$?(\d+)", found[1])]
            self.looked_at = max([self.looked_at, *rows])

    def check_above(self) -> None:
        """Refuse formulas above that look at rows which moved."""
        if self._reaches(self.looked_at):
            raise self._refused("formulas that look at rows")

    def check_ranges(self, ranges: Sequence[str], what: str) -> None:
        """Refuse ranges (A1:B2) that reach below the first canary."""
        if any(self._reaches(last_row(one)) for one in ranges):
            raise self._refused(what)

    def _refused(self, what: str) -> OutsideError:
        if self.step < 0:  # no number: it would tell which row is a canary
            return OutsideError(f"{self.path} has {what} at or below a row that is to be left out", _HINT)
        return OutsideError(
            f"{self.path} has {what} below row {self.behind[0]}, where a canary would go", _HINT
        )

    def tail(self, xml: bytes) -> bytes:
        """Move the references behind the rows; merged cells that would move are refused."""
        self.check_ranges([found[1].decode() for found in _MERGE.finditer(xml)], "merged cells")
        if not self.behind:
            return xml
        return _REFERENCE.sub(self._moved, xml)

    def _moved(self, found: re.Match[bytes]) -> bytes:
        lead, ranges = (found[1], found[2]) if found[1] else (found[3], found[4])
        return lead + b" ".join(self._range(one.decode()).encode() for one in ranges.split())

    def _range(self, text: str) -> str:
        first, colon, last = text.partition(":")
        if self.step < 0 and self.row(last_row(first)) > self._last_of_range(last_row(last or first)):
            raise self._refused("links or rules")
        return _with_row(first, self.row) + colon + _with_row(last, self._last_of_range)

    def _last_of_range(self, number: int) -> int:
        return number + self.step * bisect_right(self.behind, number)


def _with_row(cell: str, move: Callable[[int], int]) -> str:
    return re.sub(r"\d+$", lambda found: str(move(int(found[0]))), cell)


def last_row(text: str) -> int:
    """Give the last row of a range, 0 for whole columns."""
    found = re.search(r"\d+$", text)
    return int(found[0]) if found else 0


def grown(head: bytes, by: int) -> bytes:
    """Let the sheet's dimension grow."""
    if not by:
        return head
    return _DIMENSION.sub(lambda found: b"%b%d" % (found[1], int(found[2]) + by), head, count=1)
