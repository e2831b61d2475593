"""The fast engine: a kernel looks up what is spelt plainly; around hits and odd spellings the plain engine reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from canary.model.evidence import Findings
from canary.native import has_cipher
from canary.scan.candidates import Candidate
from canary.scan.decode import Chunk
from canary.scan.kernel import Sweeper, Swept, counts_of
from canary.scan.parts import TextPart
from canary.scan.pieces import Piece, encoded, pieces
from canary.scan.records import PROSE, Block, Layout, detect_layout, has_headings
from canary.scan.regions import Span, apart, cuts, spans_of
from canary.scan.search import Ahead, Reading, Scan, filled, keyed_of
from canary.scan.seen import Seen
from canary.scan.spellings import base64_texts, views
from canary.scan.sweepwork import HASH, LEAD, SHAPE_NAMES, key_table
from canary.scan.tally import shape_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

SLOWLY: Final = 1 << 18
BESIDE: Final = 64  # bytes around a cell that Python decodes
CONTEXT: Final = 1700  # bytes around a stretch of prose that say what belongs to its record
ADDRESSES: Final = frozenset({"address", "name_address"})


@dataclass(frozen=True, slots=True)
class At:
    """Where a piece stands in its part: the record that its first new byte belongs to, and the place of that byte."""

    part: TextPart
    layout: Layout
    record: int
    place: int


@dataclass(slots=True)
class FastScan(Scan):
    """A scan that gives what the plain one gives, and reads what is spelt plainly with the kernel."""

    slowly: int = SLOWLY  # characters that are read by the plain engine before the kernel is worth its start
    _read: int = field(default=0, init=False)
    _seen: Any = field(default=None, init=False)
    _sweeper: Sweeper | None = field(default=None, init=False)
    _addresses: dict[str, int] = field(default_factory=dict, init=False)

    def findings(self) -> Findings:
        """Give what was found so far."""
        if self._sweeper is None:
            return Scan.findings(self)
        more: dict[tuple[str, ...], int] = dict(counts_of(self._sweeper))
        more.update({(shape,): count for shape, count in self._addresses.items()})
        counted = self.tally.candidates(self._shapes, more)
        return Findings(tuple(self.hits), counted, self.rows, self.bytes, self.files, tuple(self.errors))

    def text(self, part: TextPart) -> None:
        """Scan the text of one part, piece by piece."""
        chunks = iter(part.chunks)
        held: list[Chunk] = []
        able = bool(self.wanted())
        while able and self._read <= self.slowly:
            chunk = next(chunks, None)
            if chunk is None:
                able = False
            else:
                held.append(chunk)
                self._read += len(chunk)
        whole = replace(part, chunks=chain(held, chunks))
        if able and has_cipher():  # asked last: it loads LLVM
            self._swiftly(whole)
        else:
            Scan.text(self, whole)

    def _prepared(self) -> Sweeper:
        self._seen = Seen(self.keys.derive("scan/seen"))
        index, placing = self.index, bool(self.wanted() & ADDRESSES)
        keys, known = key_table(self.keys), index.sorted_keys()
        return Sweeper(keys, self.wanted(), index.bloom(), index.shapes, known, placing=placing)

    @property
    def _kernel(self) -> Sweeper:
        if self._sweeper is None:
            self._sweeper = self._prepared()
        return self._sweeper

    def _swiftly(self, part: TextPart) -> None:
        stream = Ahead(part.chunks)
        layout = part.layout or detect_layout(stream.head)
        self.rows -= has_headings(stream.head, layout)
        record, place = 0, part.encoding.bom
        for piece in pieces(stream, layout):
            swept = self._kernel.sweep(piece, layout)
            at = At(part, layout, record, place)
            starts = self._unswept(piece, at) if swept is None else self._read_swept(swept, piece, at)
            record += starts
            place += self._size(piece, LEAD + piece.skip, piece.end, part)

    def _size(self, piece: Piece, first: int, last: int, part: TextPart) -> int:
        """Give how many bytes of the part a stretch of a piece came from."""
        if piece.exact and part.encoding.name == "utf-8":
            return last - first
        return part.encoding.size(piece.text(first, last))

    def _unswept(self, piece: Piece, at: At) -> int:
        """Read all of a piece with the plain engine; gives how many records begin in it."""
        text, skip = piece.text(LEAD, piece.end), len(piece.text(LEAD, LEAD + piece.skip))
        starts = at.layout.starts(text)
        block = Block(text, skip)
        self._block(block, Reading(at.part, at.layout, starts, at.record, at.place, skip))
        self.rows += filled(block, starts)
        return len(starts) - sum(start < skip for start in starts)

    def _read_swept(self, swept: Swept, piece: Piece, at: At) -> int:
        """Read what the kernel left of a piece; gives how many records begin in it."""
        import numpy as np

        hits, hard = self._hits(swept), swept.hard
        if self.wanted() & ADDRESSES:
            spots = self._spotted(swept, piece, at.layout)
            if spots is None:
                return self._unswept(piece, at)
            hits, hard = np.concatenate([hits, spots]), np.concatenate([hard, swept.odd, swept.packed])
        elif len(swept.odd) or len(swept.packed):
            hard = np.concatenate([hard, self._decoded_hits(swept, piece, at.layout)])
        self.rows += swept.filled
        skipped = int(np.searchsorted(swept.starts, LEAD + piece.skip)) if piece.skip else 0
        if len(hits) or len(hard):
            odd = np.sort(hard[:, 0])
            for first, last in apart(spans_of(hits, hard, swept.starts, piece, at.layout)):
                held = bool(np.searchsorted(odd, first) < np.searchsorted(odd, last))
                self._region((first, last), swept.starts, skipped, piece, at, counted=not held)
        return len(swept.starts) - skipped

    def _hits(self, swept: Swept) -> Ints:
        """Give the places of what the index knows."""
        places: Ints = self._known_rows(swept.found)[:, 1]
        return places

    def _known_rows(self, rows: Ints) -> Ints:
        """Give those rows of what was found whose keys the index knows."""
        import numpy as np

        if not len(rows):
            return rows
        digests = rows[:, 3] == HASH
        plain = rows[~digests]
        known: Ints = plain[self.index.holds(plain[:, 0])]
        if not digests.any():
            return known
        heads = rows[digests]
        owned = self.index.hashed(self.reader).holds(heads[:, 0].view(np.uint64))
        return np.concatenate([known, heads[owned]])

    def _decoded_hits(self, swept: Swept, piece: Piece, layout: Layout) -> Ints:
        """Give the stretches of other spellings in which the index may know something."""
        import numpy as np

        none = np.empty(0, np.int64)
        found = [np.empty((0, 2), np.int64)]
        for span in apart(spans_of(none, swept.odd, swept.starts, piece, layout)):
            for first, last in cuts(span, piece):
                found.append(self._unfolded(piece, first, last))
        if len(swept.packed):
            found.append(self._unpacked(piece, swept.packed))
        return np.concatenate(found)

    def _unpacked(self, piece: Piece, packed: Ints) -> Ints:
        """Give where the index may know something that stands in base64."""
        import numpy as np

        unpacked = self._kernel.unpack(piece, packed)
        if unpacked is None:
            return packed
        left = [span for span in unpacked.left.tolist() if any(self._in_base64(piece.text(*span)))]
        known = self._known_rows(unpacked.found)
        return np.concatenate([known[:, 1:3], unpacked.hard, np.array(left, np.int64).reshape(-1, 2)])

    def _unfolded(self, piece: Piece, first: int, last: int) -> Ints:
        """Give where in a stretch the index may know something that is spelt otherwise."""
        import numpy as np

        unfolded = self._kernel.unfold(piece, first, last)
        if unfolded is None:
            return self._viewed(piece, first, last)
        known = self._known_rows(unfolded.found)
        left = ((start - BESIDE, end + BESIDE) for start, end in unfolded.left.tolist())
        views = [
            self._viewed(piece, max(first, piece.border(start)), min(last, piece.border(end)))
            for start, end in apart(sorted(left))
        ]
        spans = np.concatenate([known[:, 1:3], unfolded.hard, *views])
        clipped: Ints = np.clip(spans, first, last)
        return clipped

    def _viewed(self, piece: Piece, first: int, last: int) -> Ints:
        """Give where in a stretch the index may know something, as Python decodes it."""
        import numpy as np

        text = piece.text(first, last)
        places = [first + len(encoded(text[:place])) for place in sorted(set(self._in_views(text)))]
        return np.array([(place, place + 1) for place in places], np.int64).reshape(-1, 2)

    def _in_views(self, text: str) -> Iterator[int]:
        """Give the places in a text of what its views hold, made one by one."""
        for view, back, _ in views(text):
            yield from (back(place) for place in self._in_view(view))

    def _in_base64(self, text: str) -> Iterator[bool]:
        """Tell of each text in a passage of base64 whether it holds something that the index may know."""
        for inner, _ in base64_texts(text):
            for view in (inner, *(view for view, _, _ in views(inner))):
                yield bool(self._in_view(view))

    def _in_view(self, view: str) -> list[int]:
        """Give the places in a decoded text of what the index may know, or what the plain engine has to judge."""
        import numpy as np

        found: list[int] = []
        for piece in pieces([view], PROSE, 4 * len(view) + 1):
            swept = self._kernel.sweep(piece, PROSE, view=True)
            if swept is None:
                return [0]
            places = np.concatenate([self._hits(swept), swept.hard[:, 0]])
            found += [len(piece.text(LEAD, place)) for place in places.tolist()]
        return found

    def _region(self, span: Span, starts: Ints, skipped: int, piece: Piece, at: At, *, counted: bool) -> None:
        """Read a stretch of a piece with the plain engine, and judge what the index knows; `counted` by the kernel."""
        import numpy as np

        cells = at.layout.is_table
        first, last = span
        low, high = first, last
        if not cells:
            low, high = piece.border(first - CONTEXT), piece.border(last + CONTEXT)
        text = piece.text(low, high)
        before = len(piece.text(low, first))
        within = text[before : before + len(piece.text(first, last))]
        found = list(self._candidates_of(within, before, cells=cells))
        if not found:
            return
        fresh = LEAD + piece.skip
        place = at.place + (
            self._size(piece, fresh, low, at.part)
            if low >= fresh
            else -self._size(piece, low, fresh, at.part)
        )
        number = at.record + int(np.searchsorted(starts, low, "right")) - 1 - skipped
        reading = Reading(at.part, at.layout, at.layout.starts(text), number, place, 0)
        keyed = keyed_of(self.keys, found)
        if not counted:
            shaped = {pair: shape_of(*pair) for pair in keyed}
            self.tally.add_keys(shaped, keyed)
            self.tally.add_pairs(found, shaped, text, reading.starts if cells else None)
        self._judge(found, keyed, Block(text), reading)

    def _candidates_of(self, text: str, place: int, *, cells: bool) -> Iterator[Candidate]:
        for form, plain, start, end, transform, spelling in self._found(text, cells=cells):
            yield Candidate(form, plain, start + place, end + place, transform, spelling)

    def _spotted(self, swept: Swept, piece: Piece, layout: Layout) -> Ints | None:
        """Give where issued addresses may stand, and count what looks like one; None where it is too much."""
        import numpy as np

        text = piece.text(LEAD, piece.end)
        found = self.index.addresses(self.reader).spot(text, cells=layout.is_table)
        if found is None:
            return None
        ends = ends_of(found.data.view(np.uint32))
        runs = found.runs
        tries = np.maximum(runs[:, 7], 1)
        pairs = tries * runs[:, 6]
        _, fresh = self._seen.note(np.ascontiguousarray(runs[:, :6]), found.data)
        places = self._placed(swept, ends)
        for form, times in (("address", tries), ("name_address", pairs)):
            if form in self.wanted() and times.sum():
                self._addresses[form] = self._addresses.get(form, 0) + int(times[fresh].sum())
                places[form] = np.repeat(runs[:, 1].astype(np.int64), times)
        starts = np.searchsorted(ends, swept.starts - LEAD) if layout.is_table else None
        self.tally.add_places(places, text, starts)
        shifted: Ints = ends[found.spots] + LEAD
        return shifted

    def _placed(self, swept: Swept, ends: Ints) -> dict[str, Any]:
        """Give the places of the kernel's candidates in the text, by shape."""
        import numpy as np

        order = np.argsort(swept.placed[:, 1], kind="stable")
        shapes, firsts = np.unique(swept.placed[order, 1], return_index=True)
        parts = (
            np.split(np.searchsorted(ends, swept.placed[order, 0] - LEAD), firsts[1:]) if len(shapes) else []
        )
        return {SHAPE_NAMES[shape]: part for shape, part in zip(shapes.tolist(), parts, strict=True)}


def ends_of(codes: Any) -> Ints:
    """Give the place in UTF-8 of every character of a text, and behind them where it ends."""
    import numpy as np

    sizes = 1 + (codes >= 0x80).astype(np.int64) + (codes >= 0x800) + (codes >= 0x10000)
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
