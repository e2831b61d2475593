"""The stretches of a piece that the plain engine reads: whole records, in prose whole lines or what is safe to cut."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from canary.scan.pieces import Piece
from canary.scan.records import Layout
from canary.scan.sweepwork import LEAD, STRETCH

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

MARGIN: Final = 520  # bytes around what is odd: more than a passage of the plain engine
AROUND: Final = 1200  # bytes around a hit in prose
LONGEST: Final = 8192  # bytes searched for the end of a line
_SAFE: Final = b"\n\t ,;"

Span = tuple[int, int]


def spans_of(hits: Ints, hard: Ints, starts: Ints, piece: Piece, layout: Layout) -> list[Span]:
    """Give the stretches around hits and odd places, rising."""
    import numpy as np

    wide = 0 if layout.is_table else AROUND
    first = np.concatenate([hits - wide, hard[:, 0] - MARGIN])
    last = np.concatenate([hits + wide + 1, hard[:, 1] + MARGIN])
    order = np.argsort(first, kind="stable")
    return [
        widened(span, starts, piece, layout) for span in _joined(first[order].tolist(), last[order].tolist())
    ]


def _joined(firsts: list[int], lasts: list[int]) -> Iterator[Span]:
    return apart(zip(firsts, lasts, strict=True))


def widened(span: Span, starts: Any, piece: Piece, layout: Layout) -> Span:
    """Widen a stretch to whole records, in prose to whole lines, or where these are long to a safe sign."""
    import numpy as np

    first, last = max(LEAD, span[0]), min(piece.end, span[1])
    low = int(starts[max(0, int(np.searchsorted(starts, first, "right")) - 1)])
    at = int(np.searchsorted(starts, last))
    high = int(starts[at]) if at < len(starts) else piece.end
    if layout.is_table:
        return low, high
    if first - low > LONGEST:
        low = _safe_before(first, low, piece)
    if high - last > LONGEST:
        high = _safe_after(last, high, piece)
    return low, high


def _safe_before(place: int, low: int, piece: Piece) -> int:
    part = piece.buffer[max(low, place - LONGEST) : place].tobytes()
    found = max(part.rfind(bytes([sign])) for sign in _SAFE)
    return place - len(part) + found + 1 if found >= 0 else low


def _safe_after(place: int, high: int, piece: Piece) -> int:
    part = piece.buffer[place : min(high, place + LONGEST)].tobytes()
    found = [at for sign in _SAFE if (at := part.find(bytes([sign]))) >= 0]
    return place + min(found) + 1 if found else high


def apart(spans: Iterable[Span]) -> Iterator[Span]:
    """Join rising stretches that touch."""
    held: Span | None = None
    for first, last in spans:
        if held is not None and first <= held[1]:
            held = min(held[0], first), max(held[1], last)
            continue
        if held is not None:
            yield held
        held = first, last
    if held is not None:
        yield held


def cuts(span: Span, piece: Piece) -> Iterator[Span]:
    """Cut a stretch that is too long to be decoded at once, at lines; each begins some lines before the last ended."""
    first, last = span
    while last - first > STRETCH:
        end = _safe_line(first + STRETCH - LONGEST, first + STRETCH, piece)
        yield first, end
        first = max(first + 1, _safe_line(end - 2 * MARGIN, end - MARGIN, piece))
    yield first, last


def _safe_line(first: int, last: int, piece: Piece) -> int:
    """Give where the last line of a stretch begins, where there is none a border of characters."""
    at = piece.buffer[first:last].tobytes().rfind(b"\n")
    return first + at + 1 if at >= 0 else piece.border(last)
