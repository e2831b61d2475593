"""Goes through a SQL dump and finds the rows of its INSERT and COPY statements."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from canary.errors import OutsideError
from canary.files.blocks import Cut
from canary.files.encoding import Encoding
from canary.files.sqlgrammar import Grammar, column_names, created_columns, plain_name

_SAMPLE_ROWS = 200
_MAX_HEADS = 1000  # heads of statements are nearly all alike


@dataclass(frozen=True, slots=True)
class Statement:
    """One INSERT or COPY: its table, its list of columns if it has one."""

    table: str
    columns: tuple[str, ...] | None
    copy: bool


@dataclass(frozen=True, slots=True)
class Row:
    """Where the tuple or line of a row stands within a block (bytes), and the statement it belongs to.

    `begun` is where that statement begins, in bytes of the whole dump behind its mark.
    """

    statement: Statement
    start: int
    end: int
    begun: int = 0


@dataclass(slots=True)
class Facts:
    """What a whole dump tells of one table."""

    columns: tuple[str, ...] = ()
    inserts: int = 0
    inserted: int = 0
    copied: int = 0
    separator: bytes | None = None
    samples: list[tuple[Statement, bytes]] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Give the number of its rows."""
        return self.inserted + self.copied

    @property
    def single(self) -> bool:
        """Tell whether every INSERT holds one row."""
        return 0 < self.inserts == self.inserted


@dataclass
class SqlScanner:
    """Cuts a dump into blocks: records are the rows of `target`, or none while the tables are still unknown.

    `single`: a record is the whole statement, since each holds one row.
    """

    path: Path
    encoding: Encoding
    grammar: Grammar
    target: str | None = None
    single: bool = False
    tables: dict[str, Facts] = field(default_factory=dict)
    _mode: Literal["text", "tuple", "next", "copy"] = "text"
    _statement: Statement | None = None
    _end: int = -1
    _fresh: bool = False
    _heads: dict[bytes, Statement] = field(default_factory=dict)
    _now: Facts = field(default_factory=Facts)
    _spans: list[tuple[int, int]] = field(default_factory=list)
    _rows: list[Row] = field(default_factory=list)
    _base: int = 0
    _begun: int = 0

    @property
    def opened(self) -> int | None:
        """Give where the statement of the target begins that is being read, None where none is."""
        statement = self._statement
        within = self._mode != "text" and statement is not None and statement.table == self.target
        return self._begun if within else None

    def __call__(self, data: bytes, last: bool) -> Cut[list[Row]]:
        """Go on as far as the data reaches; raises OutsideError where a statement is cut off."""
        import numpy as np

        shape = self.encoding.shape(data)
        self._spans, self._rows, self._end = [], [], -1
        steps = {"text": self._text, "tuple": self._tuple, "next": self._next, "copy": self._copy}
        at: int = 0
        while at < len(shape):
            step = steps[self._mode](data, shape, at, last)
            if step is None:
                break
            at = step
        if last and at < len(shape):
            raise OutsideError(f"{self.path} ends within a statement", "make or fetch the dump again")
        spans = np.array(self._spans, np.int64).reshape(-1, 2) * self.encoding.unit
        used = len(data) if last else at * self.encoding.unit
        self._base += used
        return Cut(spans[:, 0], spans[:, 1], used, self._rows)

    def _facts(self, table: str) -> Facts:
        return self.tables.setdefault(table, Facts())

    def _decode(self, data: bytes, start: int, end: int) -> str:
        unit = self.encoding.unit
        return data[start * unit : end * unit].decode(self.encoding.name, "replace")

    def _text(self, data: bytes, shape: bytes, at: int, last: bool) -> int | None:
        """Step over one statement, or into its rows."""
        gap = self.grammar.gap.match(shape, at)
        if gap and gap.end() > at:
            return gap.end()
        if insert := self.grammar.insert.match(shape, at):
            self._begin(data, insert, copy=False)
            if self.single and self._statement and self._statement.table == self.target:
                return self._whole_statement(data, shape, at, insert.end(), last)
            self._mode = "tuple"
            return insert.end()
        if copy := self.grammar.copy.match(shape, at):
            self._refuse_csv(copy)
            self._begin(data, copy, copy=True)
            self._mode = "copy"
            return copy.end()
        if whole := self.grammar.whole.match(shape, at):
            return whole.end()
        if not last and self.grammar.half.match(shape, at):
            return None
        return self._other(data, shape, at, last)

    def _other(self, data: bytes, shape: bytes, at: int, last: bool) -> int | None:
        rest = self.grammar.rest.match(shape, at)
        if rest is None:
            return len(shape) if last else None
        if create := self.grammar.create.match(shape, at):
            name = plain_name(self._decode(data, *create.span("name")))
            body = self._decode(data, create.end() - 1, rest.end())
            facts = self._facts(name)
            facts.columns = facts.columns or created_columns(body, self.grammar)
        return rest.end()

    def _refuse_csv(self, copy: re.Match[bytes]) -> None:
        if re.search(rb"csv|binary|delimiter|null|header", copy["options"], re.IGNORECASE):
            raise OutsideError(
                f"{self.path} holds a COPY with options",
                "dump the table in COPY's own text format, or as CSV",
            )

    def _begin(self, data: bytes, found: re.Match[bytes], copy: bool) -> None:
        unit = self.encoding.unit
        head = data[found.start() * unit : found.end() * unit]
        if head not in self._heads:
            name = plain_name(self._decode(data, *found.span("name")))
            listed = column_names(self._decode(data, *found.span("columns"))) if found["columns"] else None
            if len(self._heads) > _MAX_HEADS:
                self._heads.clear()
            self._heads[head] = Statement(name, listed, copy)
        self._statement = self._heads[head]
        self._begun = self._base + found.start() * unit
        self._end = -1
        self._fresh, self._now = not copy, self._facts(self._statement.table)

    def _note(self, data: bytes, span: tuple[int, int], row: tuple[int, int]) -> None:
        """Count a row; `span` is the record, `row` its tuple or line."""
        statement = self._statement
        assert statement is not None  # a row stands in a statement  # noqa: S101
        facts, unit = self._now, self.encoding.unit
        facts.copied += statement.copy
        facts.inserted += not statement.copy
        facts.inserts += self._fresh
        self._fresh = False
        if len(facts.samples) < _SAMPLE_ROWS:
            facts.samples.append((statement, data[row[0] * unit : row[1] * unit]))
        if facts.separator is None and self._end >= 0 and not statement.copy:
            facts.separator = data[self._end * unit : row[0] * unit]
        self._end = row[1]
        if statement.table == self.target:
            self._spans.append(span)
            self._rows.append(Row(statement, row[0] * unit, row[1] * unit, self._begun))

    def _whole_statement(self, data: bytes, shape: bytes, at: int, begin: int, last: bool) -> int | None:
        """Take a statement of one row with the line end behind it."""
        found = self.grammar.tuple.match(shape, begin)
        rest = self.grammar.rest.match(shape, found.end()) if found else None
        behind = rest.end() if rest else len(shape)
        line = self.grammar.line.match(shape, behind)
        open_end = not last and line is None and len(shape) - behind < 2
        if found is None or open_end or (rest is None and shape[found.end() :].strip()):
            return None
        end = line.end() if line else behind
        self._note(data, (at, end), found.span())
        return end

    def _tuple(self, data: bytes, shape: bytes, at: int, _last: bool) -> int | None:
        gap = self.grammar.gap.match(shape, at)
        found = self.grammar.tuple.match(shape, gap.end() if gap else at)
        if found is None:
            return None
        self._note(data, found.span(), found.span())
        self._mode = "next"
        return found.end()

    def _next(self, _data: bytes, shape: bytes, at: int, last: bool) -> int | None:
        """Step over what stands between two tuples, or behind the last one."""
        gap = self.grammar.gap.match(shape, at)
        behind = gap.end() if gap else at
        if shape[behind : behind + 1] == b",":
            blank = self.grammar.gap.match(shape, behind + 1)
            follows = blank.end() if blank else behind + 1
            if follows >= len(shape):
                return None
            self._mode = "tuple"
            return follows
        rest = self.grammar.rest.match(shape, at)
        if rest is None:
            return len(shape) if last and not shape[behind:] else None
        self._mode = "text"
        return rest.end()

    def _copy(self, data: bytes, shape: bytes, at: int, _last: bool) -> int | None:
        """Take one line, or the end of the lines."""
        end = shape.find(b"\n", at)
        if end < 0:
            return None
        if shape[at:end].rstrip(b"\r") == b"\\.":
            self._mode = "text"
        else:
            self._note(data, (at, end + 1), (at, end))
        return end + 1
