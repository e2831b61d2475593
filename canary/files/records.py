"""Records of a CSV file found on its bytes: fast by the parity of quotes, exact where quotes stand astray."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from canary.files.blocks import Cut
from canary.files.dialect import Dialect
from canary.files.encoding import Encoding, Units, as_units

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Places = npt.NDArray[np.int64]

LF, CR = 10, 13


@dataclass(frozen=True, slots=True)
class CsvSplitter:
    """Finds records in the bytes of a CSV file; `Cut.extra` tells whether every quote stood where it should."""

    encoding: Encoding
    dialect: Dialect

    def __call__(self, data: bytes, last: bool) -> Cut[bool]:
        """Cut off the whole records at the beginning of the data; blank lines are no records."""
        shape = self.encoding.shape(data, trails=self.dialect.delimiter >= "@")
        units = as_units(shape)
        ends = _fast_ends(units, self.dialect, last)
        clean = ends is not None
        if ends is None:
            ends = _exact_ends(shape, self.dialect, last)
        elif last and (not len(ends) or ends[-1] < len(units)):
            ends = _with_end(ends, len(units))
        cut = _without_blanks(units, ends, clean)
        unit = self.encoding.unit
        used = len(data) if last else cut.used * unit
        return Cut(cut.starts * unit, cut.ends * unit, used, clean)


def line_ends(units: Units, last: bool) -> Places:
    """Give the offset behind every line end (\\n, \\r\\n or a lone \\r); a \\r that may go on is left for later."""
    import numpy as np

    feeds = np.flatnonzero(units == LF)
    returns = np.flatnonzero(units == CR)
    if len(returns):
        behind = np.minimum(returns + 1, len(units) - 1)
        lone = returns[(units[behind] != LF)]
        if last and units[-1] == CR:
            lone = np.append(lone[lone != len(units) - 1], len(units) - 1)
        elif units[-1] == CR:
            lone = lone[lone != len(units) - 1]
        if len(lone):
            feeds = np.sort(np.concatenate((feeds, lone)))
    return feeds + 1


def _fast_ends(units: Units, dialect: Dialect, last: bool) -> Places | None:
    """Find the ends of records by quote parity; None where a quote stands where the parity may mislead."""
    import numpy as np

    ends = line_ends(units, last)
    if dialect.quote is None:
        return ends
    quotes = np.flatnonzero(units == ord(dialect.quote))
    if not len(quotes):
        return ends
    if not _well_placed(units, quotes, dialect):
        return None
    if last and len(quotes) % 2:
        return None
    return ends[np.searchsorted(quotes, ends) % 2 == 0]


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
