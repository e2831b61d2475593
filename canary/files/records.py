"""Records of a CSV file found on its bytes: fast by the parity of quotes, exact where quotes stand astray."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from canary.errors import OutsideError
from canary.files.blocks import Cut, Splitter
from canary.files.dialect import Dialect
from canary.files.encoding import Encoding, as_units, places

if TYPE_CHECKING:
    from canary.files.csvkernel import Cells
    from canary.files.encoding import Places, Units

Found: TypeAlias = (
    "bool | Cells"  # whether every quote is known to stand in its place, or the cells themselves
)

LF, CR = 10, 13


@dataclass(frozen=True, slots=True)
class CsvSplitter:
    """Finds records in the bytes of a CSV file; `Cut.extra` tells whether every quote stands where it should.

    With `wanted` columns, though they be none, it does so in one compiled loop that finds their cells too, where the
    bytes are UTF-8. That is for many bytes or for edits: loading the compiler takes longer than a few blocks.
    """

    encoding: Encoding
    dialect: Dialect
    wanted: tuple[int, ...] | None = None

    def __call__(self, data: bytes, last: bool) -> Cut[Found]:
        """Cut off the whole records at the beginning of the data; blank lines are no records."""
        shape = self.encoding.shape(data, trails=self.dialect.delimiter >= "@")
        if self.wanted is not None:
            return self._compiled(data, shape, last, self.wanted)
        units = as_units(shape)
        ends = _fast_ends(shape, self.dialect, last)
        clean = ends is not None
        if ends is None:
            ends = _exact_ends(shape, self.dialect, last)
        elif last and (not len(ends) or ends[-1] < len(units)):
            ends = _with_end(ends, len(units))
        cut = _without_blanks(units, ends, clean)
        unit = self.encoding.unit
        used = len(data) if last else cut.used * unit
        return Cut(cut.starts * unit, cut.ends * unit, used, clean)

    def _compiled(self, data: bytes, shape: bytes, last: bool, wanted: tuple[int, ...]) -> Cut[Found]:
        from canary.files.csvkernel import find_cells

        unit, dialect = self.encoding.unit, self.dialect
        plain = self.encoding.name == "utf-8"
        cells, used = find_cells(
            as_units(shape), dialect.delimiter, dialect.quote, wanted if plain else (), last
        )
        starts, ends = (each if unit == 1 else each * unit for each in (cells.starts, cells.ends))
        return Cut(starts, ends, len(data) if last else used * unit, cells if plain else False)


@dataclass(slots=True)
class Cuts:
    """Where the records of a file stand, block by block: noted in one reading, for the next that needs no more.

    `state` tells the file from what it may have become since. Of one with too many records nothing is noted.
    """

    state: tuple[int, ...]
    room: int  # bytes that may be noted
    whole: bool = False  # the file was read to its end
    _noted: list[tuple[int, Cut[Found]]] = field(default_factory=list)

    def noting(self, split: Splitter[Found]) -> Splitter[Found]:
        """Note what a splitter cuts."""

        def noted(data: bytes, last: bool) -> Cut[Found]:
            cut = split(data, last)
            self.room -= cut.starts.nbytes + cut.ends.nbytes
            if self.room < 0:
                self._noted.clear()
            else:
                self._noted.append((len(data), Cut(cut.starts, cut.ends, cut.used, False)))
            self.whole = last and self.room >= 0
            return cut

        return noted

    def again(self, path: Path) -> Splitter[Found]:
        """Cut the same blocks of a file once more; raises OutsideError where they are others."""
        left = iter(self._noted)

        def cut(data: bytes, _: bool) -> Cut[Found]:
            size, known = next(left, (-1, None))
            if known is None or size != len(data):
                raise OutsideError(f"{path} changed while it was read", "run the command again")
            return known

        return cut


def line_ends(shape: bytes, last: bool) -> Places:
    """Give the offset behind every line end: \\n, \\r\\n or a lone \\r.

    A \\r that ends the bytes waits for what follows, unless they are the last.
    """
    import numpy as np

    units = as_units(shape)
    feeds = places(units, LF)
    if b"\r" in shape:
        returns = places(units, CR)
        final = len(units) - 1
        lone = returns[(units[np.minimum(returns + 1, final)] != LF) & (returns < final)]
        if last and returns[-1] == final:
            lone = np.append(lone, final)
        if len(lone):
            feeds = np.sort(np.concatenate((feeds, lone)))
    feeds += 1
    return feeds


def _fast_ends(shape: bytes, dialect: Dialect, last: bool) -> Places | None:
    """Find the ends of records by quote parity; None where a quote stands where the parity may mislead."""
    import numpy as np

    ends = line_ends(shape, last)
    if dialect.quote is None or dialect.quote.encode() not in shape:
        return ends
    units = as_units(shape)
    quotes = places(units, ord(dialect.quote))
    if not _well_placed(units, quotes, dialect) or (last and len(quotes) % 2):
        return None
    outside: Places = ends[np.searchsorted(quotes, ends) % 2 == 0]
    return outside


def _well_placed(units: Units, quotes: Places, dialect: Dialect) -> bool:
    """Tell whether every opening quote follows, and every closing one precedes, an edge of a cell or a quote."""
    import numpy as np

    edge = np.zeros(256, bool)
    edge[[LF, CR, ord(dialect.delimiter), ord(dialect.quote or '"')]] = True
    opening, closing = quotes[0::2], quotes[1::2]
    before = units[opening - 1]
    if opening[0] == 0:
        before[0] = LF
    behind = closing + 1
    if len(closing) and behind[-1] == len(units):
        behind = behind[:-1]
    return bool(edge[before].all() and edge[units[behind]].all())


def _exact_ends(shape: bytes, dialect: Dialect, last: bool) -> Places:
    """Find the ends of records one by one, as Python's csv module reads them."""
    import numpy as np

    match = _record_pattern(dialect)
    ends, at = [], 0
    while at < len(shape):
        found = match(shape, at)
        if found is None or (found.end() == len(shape) and not last and shape[-1] != LF):
            break
        at = found.end()
        ends.append(at)
    if last and at < len(shape):
        ends.append(len(shape))
    return np.array(ends, np.int64)


def _record_pattern(dialect: Dialect) -> Callable[[bytes, int], re.Match[bytes] | None]:
    delimiter = re.escape(dialect.delimiter.encode())
    quote = re.escape((dialect.quote or "").encode())
    plain = b"[^" + delimiter + b"\r\n]*+"
    quoted = quote + b"(?:[^" + quote + b"]++|" + quote + quote + b")*+" + quote + plain
    cell = b"(?:" + quoted + b"|(?!" + quote + b")" + plain + b")" if quote else plain
    return re.compile(cell + b"(?:" + delimiter + cell + b")*+(?:\r\n|\n|\r|\\Z)").match


def _with_end(ends: Places, end: int) -> Places:
    import numpy as np

    return np.append(ends, end) if end else ends


def _without_blanks(units: Units, ends: Places, clean: bool) -> Cut[bool]:
    import numpy as np

    starts = np.concatenate((np.zeros(1, np.int64), ends[:-1])) if len(ends) else ends
    used = int(ends[-1]) if len(ends) else 0
    first = units[starts]
    blank = (first == LF) | (first == CR)
    if blank.any():
        starts, ends = starts[~blank], ends[~blank]
    return Cut(starts, ends, used, clean)
