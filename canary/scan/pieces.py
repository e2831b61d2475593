"""A text as the kernel reads it: UTF-8 in pieces that end at borders of records, in buffers that are used again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from canary.scan.decode import Chunk, Octets, Window, window_of
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
    """Cut a text into pieces; each may be written over when the next one is asked for.

    What has room around it is read where it lies, with what is left of the piece before copied in front of it.
    """
    spare: Bytes | None = None
    buffer = _buffer(0)
    fill, skip, exact, quoted = LEAD, 0, True, False
    for chunk in chunks:
        octets = chunk if isinstance(chunk, Octets) else _octets(chunk)
        exact = exact and (octets is chunk or _is_exact(bytes(octets.window.data)))
        quoted = quoted or octets.quoted
        lying = _lying(octets.window, fill, size)
        if lying is not None:
            lying[:fill] = buffer[:fill]
            buffer = lying
        else:
            if fill + len(octets) + PAD > len(buffer):
                buffer = _grown(buffer, fill, len(octets) + size, spare)
            buffer[fill : fill + len(octets)] = octets.window.room[octets.window.start : octets.window.end]
        fill += len(octets)
        while fill - skip - LEAD >= (size if lying is None else size // 2):
            cut = _cut(buffer, skip, fill, layout, size, quoted)
            if cut is None:
                break
            kept = _kept(buffer, cut, layout)
            rest = buffer[cut - kept : fill].copy()
            yield _piece(buffer, cut, skip, exact)
            if lying is None:
                spare = buffer
            buffer, lying = _buffer(len(rest)), None
            fill, skip = LEAD + len(rest), kept
            buffer[LEAD:fill] = rest
            quoted = quoted and b'"' in rest.tobytes()
    if fill - skip > LEAD:
        yield _piece(buffer, fill, skip, exact)


def _lying(window: Window, fill: int, size: int) -> Bytes | None:
    """Give the room of a window, so that so many bytes come before it; None where they have none or it is short."""
    if 2 * len(window) < size or window.start < fill or window.end + PAD > len(window.room):
        return None
    return window.room[window.start - fill :]


def _grown(buffer: Bytes, fill: int, more: int, spare: Bytes | None) -> Bytes:
    """Make room for more bytes behind those that are held, in a buffer that is spare where it is large enough."""
    enough = spare is not None and len(spare) > fill + more + PAD
    made = spare if spare is not None and enough else _buffer(fill + more + PAD)
    made[LEAD:fill] = buffer[LEAD:fill]
    return made


def _octets(text: str) -> Octets:
    data = encoded(text)
    return Octets(window_of(data), b'"' in data)


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
