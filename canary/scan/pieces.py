"""A text as the kernel reads it: UTF-8 in pieces that end at borders of records, in buffers that are used again."""

from __future__ import annotations

import re
from collections import deque
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


def pieces(chunks: Iterable[Chunk], layout: Layout, size: int = PIECE, held: int = 1) -> Iterator[Piece]:
    """Cut a text into pieces; so many of them may be held, then their buffers are used again."""
    import numpy as np

    ring: deque[Bytes] = deque(maxlen=held)
    buffer = _buffer(2 * size)
    fill, skip, exact, quoted = LEAD, 0, True, False
    for chunk in chunks:
        octets = chunk if isinstance(chunk, Octets) else _octets(chunk)
        exact = exact and (octets is chunk or _is_exact(bytes(octets.parts[0])))
        if fill + len(octets) + PAD > len(buffer):
            buffer = np.concatenate([buffer[:fill], np.empty(len(octets) + 2 * PAD + size, np.uint8)])
        quoted = quoted or octets.quoted
        for part in octets.parts:
            buffer[fill : fill + len(part)] = np.frombuffer(part, np.uint8)
            fill += len(part)
        while fill - skip - LEAD >= size:
            cut = _cut(buffer, skip, fill, layout, size, quoted)
            if cut is None:
                break
            kept = _kept(buffer, cut, layout)
            rest = buffer[cut - kept : fill].copy()
            yield _piece(buffer, cut, skip, exact)
            ring.append(buffer)
            buffer = (
                ring[0]
                if len(ring) == held and len(ring[0]) > len(rest) + 2 * size
                else _buffer(2 * size + len(rest))
            )
            fill, skip = LEAD + len(rest), kept
            buffer[LEAD:fill] = rest
            quoted = quoted and b'"' in rest.tobytes()
    if fill - skip > LEAD:
        yield _piece(buffer, fill, skip, exact)


def _octets(text: str) -> Octets:
    data = encoded(text)
    return Octets((data,), b'"' in data)


def _buffer(size: int) -> Bytes:
    """Make room for so many bytes, between new lines."""
    import numpy as np

    made = np.empty(LEAD + size + PAD, np.uint8)
    made[:LEAD] = 10
    return made


def _piece(buffer: Bytes, end: int, skip: int, exact: bool) -> Piece:
    """Put new lines behind a piece: what follows it is kept elsewhere while it is read."""
    buffer[end : end + PAD] = 10
    return Piece(buffer, end, skip, exact)


def _kept(buffer: Bytes, cut: int, layout: Layout) -> int:
    """Give how many bytes of a piece the next one begins with."""
    kept = 0 if layout.is_table else min(cut - LEAD, 4 * OVERLAP)
    while kept and buffer[cut - kept] & 0xC0 == 0x80:
        kept -= 1
    return kept


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
