"""What belongs together in a text: the records of a table, or the surroundings of a place in prose."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = 1 << 18  # characters handled at once
LONGEST_LINE = 1 << 22  # without a border a text is cut here
REACH = 400  # characters to both sides that belong to a place in prose
LINES = 3  # new lines to both sides that do
OVERLAP = 3 * REACH  # characters of prose that the next block sees again
QUOTED_LINES = 30  # new lines inside one quoted cell

_NEW_LINE = re.compile(r"\n")
_SQL = re.compile(r"\n|\)\s*,\s*(?=\()")
_JSON = re.compile(r"\}\s*,?\s*(?=\{)")
_DELIMITERS: Final = ("\t", "----", "|", ",", ";", "，", "\x01", "^", "~")
_QUOTED = re.compile(r'"[^"]*"')  # a delimiter within quotes divides nothing
_INSERT = re.compile(r"\b(?:insert\s+into|copy\s+\S+.{0,400}\bfrom\s+stdin)\b", re.I)


@dataclass(frozen=True, slots=True)
class Layout:
    """How a text is divided: in tables by `border`, in prose (None) by nearness; `quoted` cells may hold new lines."""

    border: re.Pattern[str] | None = None
    quoted: bool = False

    @property
    def is_table(self) -> bool:
        """Whether the text is made of records."""
        return self.border is not None

    def starts(self, text: str) -> list[int]:
        """Give where the records (in prose: the lines) of a block start."""
        border = self.border or _NEW_LINE
        starts = (
            _line_starts(text) if border is _NEW_LINE else [0, *(one.end() for one in border.finditer(text))]
        )
        if starts[-1] == len(text) and len(starts) > 1:
            starts.pop()
        return _joined(text, starts) if self.quoted and '"' in text else starts


def _line_starts(text: str) -> list[int]:
    """Give where the lines of a text start."""
    import numpy as np

    if text.isascii():
        signs: NDArray[Any] = np.frombuffer(text.encode("ascii"), np.uint8)
    else:
        signs = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    return [0, *(np.flatnonzero(signs == ord("\n")) + 1).tolist()]


LINES_OF_TABLE: Final = Layout(_NEW_LINE)
CSV: Final = Layout(_NEW_LINE, quoted=True)
SQL: Final = Layout(_SQL)
JSON: Final = Layout(_JSON)
PROSE: Final = Layout()


def _joined(text: str, starts: list[int]) -> list[int]:
    """Join lines while a quoted cell is open."""
    joined: list[int] = []
    open_lines = 0
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        if not open_lines:
            joined.append(start)
        odd = text.count('"', start, end) % 2 == 1
        open_lines = (0 if open_lines else 1) if odd else (open_lines + 1 if open_lines else 0)
        if open_lines > QUOTED_LINES:
            open_lines = 0
    return joined


def detect_layout(head: str) -> Layout:
    """Tell from the start of a text how it is divided."""
    lines = [line for line in head.splitlines()[:200] if line.strip()]
    plain = head.casefold()
    if ("insert" in plain or "copy" in plain) and _INSERT.search(head):  # by itself the search takes 5 ms
        return SQL
    if lines and all(
        line.lstrip().startswith("{") and line.rstrip().rstrip(",").endswith("}")
        for line in lines[:-1] or lines
    ):
        return LINES_OF_TABLE
    if head.lstrip()[:1] in ("{", "[") and _JSON.search(head):
        return JSON
    if _is_delimited(lines[:60]) or ('"' in head and _is_delimited(_quoted_lines(head)[:60])):
        return CSV
    return PROSE


def has_headings(head: str, layout: Layout) -> bool:
    """Tell whether the first line of a table names its columns: several words and no digit."""
    first = head.lstrip().partition("\n")[0].strip()
    return (
        layout.border is _NEW_LINE
        and re.match(r"[^\d{}\[\]]+\Z", first) is not None
        and len(re.findall(r"\w+", first)) > 1
    )


def _quoted_lines(head: str) -> list[str]:
    """Give the first records of a text in which quoted cells may hold new lines."""
    starts = CSV.starts(head)
    return [head[start:end] for start, end in pairwise([*starts, len(head)]) if head[start:end].strip()]


def _is_delimited(lines: list[str]) -> bool:
    """Tell whether nearly all lines hold the same number of one delimiter."""
    if len(lines) < 2:
        return False
    lines = [_QUOTED.sub("", line) for line in lines]
    for delimiter in _DELIMITERS:
        counts = Counter(line.count(delimiter) for line in lines)
        columns, often = counts.most_common(1)[0]
        if columns >= (1 if len(lines) > 2 else 2) and often >= 0.8 * (len(lines) - 1):
            return True
    return False


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of a decoded text: `skip` characters at its start were in the block before."""

    text: str
    skip: int = 0


def blocks(chunks: Iterable[str], layout: Layout, size: int = BLOCK) -> Iterator[Block]:
    """Cut a stream of text at borders of records into blocks of about `size` characters."""
    held, skip = "", 0
    for chunk in chunks:
        held += chunk
        while len(held) - skip >= size:
            cut = _cut(held, skip, layout, size)
            if cut is None:
                break
            yield Block(held[:cut], skip)
            kept = 0 if layout.is_table else min(cut, OVERLAP)
            held, skip = held[cut - kept :], kept
    if len(held) > skip:
        yield Block(held, skip)


def _cut(held: str, skip: int, layout: Layout, size: int) -> int | None:
    """Choose where to end a block: at the last border, where there is none for long anywhere between words."""
    end = max(size + skip, len(held) - len(held) // 4) if len(held) < 2 * size else size + skip
    if layout.border in (None, _NEW_LINE):
        place = held.rfind("\n", skip + 1, end) + 1
    else:
        places = (
            [found.end() for found in layout.border.finditer(held, skip + 1, end)] if layout.border else []
        )
        place = places[-1] if places else 0
    if place > skip and _closed(held[:place], layout):
        return place
    if len(held) < LONGEST_LINE:
        return None
    blank = re.compile(r"[\s,;，。}\])>\"]").search(held, max(skip + 1, end - 4096), end)
    return blank.end() if blank else end


def _closed(text: str, layout: Layout) -> bool:
    """Tell whether no quoted cell is open at a cut (a stray quote opens none for ever)."""
    if not layout.quoted or text.count('"') % 2 == 0:
        return True
    return text.count("\n", text.rfind('"')) > QUOTED_LINES
