"""A text as the kernel reads it: UTF-8 in pieces that end at borders of records, in buffers that are used again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from canary.scan.decode import Chunk, Octets
from canary.scan.records import CSV, JSON, LONGEST_LINE, OVERLAP, QUOTED_LINES, SQL, Layout
from canary.scan.sweepwork import LEAD, PAD

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]

PIECE: Final = 1 << 20  # bytes swept at once
_TAIL: Final = 1 << 16  # of a piece, in which its border is looked for
_SQL: Final = re.compile(rb"\n|\)\s*,\s*(?=\()")
_JSON: Final = re.compile(rb"\}\s*,?\s*(?=\{)")
_SURROGATE: Final = re.compile(rb"\xed[\xa0-\xbf]")
_BLANK: Final = re.compile(rb"[\s,;}\])>\"]")


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes from LEAD to `end` of a buffer: `skip` of them were in the piece before."""

    buffer: Bytes
    end: int
    skip: int
    exact: bool = True  # whether its bytes are those that its text came from, where that was UTF-8

    def text(self, first: int, last: int) -> str:
        """Give the text of a stretch."""
        return self.buffer[first:last].tobytes().decode("utf-8", "surrogatepass")

    def border(self, place: int) -> int:
        """Give where the character starts that stands at a place."""
        place = min(max(place, LEAD), self.end)
        while LEAD < place < self.end and self.buffer[place] & 0xC0 == 0x80:
            place -= 1
        return place


def encoded(text: str) -> bytes:
    """Write a text in UTF-8; what could not be decoded stays what it was."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def _is_exact(data: bytes) -> bool:
    """Tell whether no surrogate stands for what could not be decoded."""
    return data.isascii() or _SURROGATE.search(data) is None


def pieces(chunks: Iterable[Chunk], layout: Layout, size: int = PIECE) -> Iterator[Piece]:
    """Cut a text into pieces; each is read before the next is asked for."""
    import numpy as np

    buffer = np.empty(LEAD + 2 * size + PAD, np.uint8)
    buffer[:LEAD] = 10
    fill, skip, exact, quoted = LEAD, 0, True, False
    for chunk in chunks:
        if isinstance(chunk, Octets):
            data = chunk.data
        else:
            data = encoded(chunk)
            exact = exact and _is_exact(data)
        if fill + len(data) + PAD > len(buffer):
            buffer = np.concatenate([buffer[:fill], np.empty(len(data) + 2 * PAD + size, np.uint8)])
        quoted = quoted or b'"' in data
        buffer[fill : fill + len(data)] = np.frombuffer(data, np.uint8)
        fill += len(data)
        while fill - skip - LEAD >= size:
            cut = _cut(buffer, skip, fill, layout, size, quoted)
            if cut is None:
                break
            yield _piece(buffer, cut, skip, exact)
            fill, skip = _kept(buffer, cut, fill, layout)
            quoted = quoted and b'"' in buffer[LEAD:fill].tobytes()
    if fill - skip > LEAD:
        yield _piece(buffer, fill, skip, exact)


def _piece(buffer: Bytes, end: int, skip: int, exact: bool) -> Piece:
    """Put new lines behind a piece: what follows it is kept elsewhere while it is read."""
    import numpy as np

    made = np.empty(end + PAD, np.uint8)
    made[:end] = buffer[:end]
    made[end:] = 10
    return Piece(made, end, skip, exact)


def _kept(buffer: Bytes, cut: int, fill: int, layout: Layout) -> tuple[int, int]:
    """Move what the next piece begins with to the front of the buffer; give how far it goes and what it repeats."""
    kept = 0 if layout.is_table else min(cut - LEAD, 4 * OVERLAP)
    while kept and buffer[cut - kept] & 0xC0 == 0x80:
        kept -= 1
    rest = buffer[cut - kept : fill].copy()
    buffer[LEAD : LEAD + len(rest)] = rest
    return LEAD + len(rest), kept


def _cut(buffer: Bytes, skip: int, fill: int, layout: Layout, size: int, quoted: bool) -> int | None:
    """Choose where a piece ends: at the last border, where there is none for long anywhere between words."""
    first = max(LEAD + skip + 1, fill - _TAIL if fill - LEAD - skip < 2 * size else LEAD + skip + 1)
    tail = buffer[first:fill].tobytes()
    if layout in (SQL, JSON):
        ends = [found.end() for found in (_SQL if layout is SQL else _JSON).finditer(tail)]
        place = first + ends[-1] if ends else 0
    else:
        place = first + tail.rfind(b"\n") + 1 if b"\n" in tail else 0
    if place and (layout is not CSV or not quoted or _closed(buffer[LEAD:place])):
        return place
    if fill - LEAD - skip < LONGEST_LINE:
        return None
    blank = _BLANK.search(buffer[fill - 4096 : fill].tobytes())
    end = fill - 4096 + blank.end() if blank else fill - 4
    while buffer[end] & 0xC0 == 0x80:
        end -= 1
    return end


def _closed(data: Bytes) -> bool:
    """Tell whether no quoted cell is open at a cut (a stray quote opens none for ever)."""
    import numpy as np

    quotes = data == ord('"')
    if np.count_nonzero(quotes) % 2 == 0:
        return True
    last = len(data) - 1 - int(np.argmax(quotes[::-1]))
    return bool(np.count_nonzero(data[last:] == ord("\n")) > QUOTED_LINES)
