"""The fast engine: a kernel looks up what is spelt plainly; around hits and odd spellings the plain engine reads."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from canary.compiled import is_compiled
from canary.model.evidence import Findings
from canary.scan.candidates import Candidate
from canary.scan.records import Block
from canary.scan.search import Reading, Scan, keyed_of, start_of
from canary.scan.seen import FORMS, SHAPE_ADDRESS, SHAPE_IDS, SHAPE_NAMES, Seen, rows_of
from canary.scan.signs import PAD, crc_table, signs_of, special, tables
from canary.scan.spellings import base64_end
from canary.scan.sweep import sweep_kernel
from canary.scan.sweepwords import HASH
from canary.scan.tally import shape_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

MARGIN: Final = 170  # characters around what is odd: more than a passage of the plain engine
AROUND: Final = 400  # characters around a hit in prose
LONGEST: Final = 4096  # characters searched for the end of a line
SLOWLY: Final = 1 << 20
GROUPS: Final = 4096  # of digits in one chain
HARD: Final = 4096  # odd places in a block, above which the plain engine reads all of it
_SAFE: Final = frozenset("\n\t,;，；。!?！？、")

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Swept:
    """What the kernel gave for a block: candidates (rows), their canonical bytes, and odd places."""

    rows: NDArray[np.int32]
    canon: NDArray[np.uint8]
    hard: NDArray[np.int32]


class Sweeper:
    """The kernel with the room that it writes to, for blocks up to a size."""

    def __init__(self, forms: frozenset[str]) -> None:
        import numpy as np

        self._want = np.array([form in forms or form == "hash" for form in FORMS])
        self._room = 0
        self._hard = np.empty((HARD, 2), np.int32)
        self._groups = np.empty((GROUPS, 2), np.int32)
        self._state = np.zeros(4, np.int64)

    def sweep(self, text: str) -> Swept | None:
        """Sweep a text, None where it holds more than the kernel has room for."""
        import numpy as np

        signs = signs_of(text)
        if len(signs) > self._room:
            self._room = len(signs)
            self._rows = np.empty((self._room, 6), np.int32)
            self._canon = np.empty(6 * self._room + 8192, np.uint8)
        self._state[:] = 0
        sweep_kernel(signs, len(signs) - PAD, tables(), special(), self._want, crc_table(),
                     self._canon, self._rows, self._state, self._hard, self._groups)  # fmt: skip
        count, size, hard, failed = self._state.tolist()
        return None if failed else Swept(self._rows[:count], self._canon[: size + 1], self._hard[:hard])


@dataclass(slots=True)
class FastScan(Scan):
    """A scan that gives what the plain one gives, and reads what is spelt plainly with the kernel."""

    slowly: int = SLOWLY  # characters that are read by the plain engine before the kernel is worth its start
    _read: int = field(default=0, init=False)
    _seen: Any = field(default=None, init=False)
    _sweeper: Any = field(default=None, init=False)
    _counted: Any = field(default=None, init=False)

    def findings(self) -> Findings:
        """Give what was found so far."""
        if self._seen is not None:
            fresh = self._seen.counts - self._counted
            self._counted = self._seen.counts.copy()
            self.tally.add_counts({SHAPE_NAMES[at]: int(fresh[at]) for at in fresh.nonzero()[0].tolist()})
        return Scan.findings(self)

    def _prepare(self) -> None:
        self._seen = Seen(self.keys.derive("scan/seen"))
        self._counted = self._seen.counts.copy()
        self._sweeper = Sweeper(self.wanted())

    def _block(self, block: Block, reading: Reading) -> None:
        if self._seen is None:
            self._prepare()
        self._read += len(block.text)
        swift = self._read > self.slowly and self.wanted() and is_compiled()
        swept = self._sweeper.sweep(block.text) if swift else None
        if swept is None:
            regions = [(0, len(block.text))]
            places: dict[str, Any] = {}
        else:
            hits = self._hits(swept)
            regions, places = self._spotted(hits, swept, block.text, reading)
        self._plainly(regions, places, block, reading)

    def _spotted(
        self, hits: Ints, swept: Swept, text: str, reading: Reading
    ) -> tuple[list[Span], dict[str, Any]]:
        """Give the stretches to read closely, and the places of all candidates outside them, by shape."""
        import numpy as np

        forms = self.wanted() & {"address", "name_address"}
        if not forms:
            regions = self._regions(hits, swept, text, reading)
            return regions, _places(swept.rows, regions)
        marks = self.index.addresses(self.reader)
        found = marks.spot(text, cells=reading.layout.is_table)
        if found is None:
            return [(0, len(text))], {}
        regions = self._regions(np.concatenate([hits, found.spots]), swept, text, reading)
        runs = _outside(found.runs, regions)
        tries = np.maximum(runs[:, 7], 1)
        pairs = tries * runs[:, 6]
        _, fresh = self._seen.note(np.ascontiguousarray(runs[:, :6]), found.data)
        self._seen.counts[SHAPE_ADDRESS] -= len(fresh)
        places = _places(swept.rows, regions)
        for form, times in (("address", tries), ("name_address", pairs)):
            if form in forms and times.sum():
                self._seen.counts[SHAPE_IDS[form]] += int(times[fresh].sum())
                places[form] = np.repeat(runs[:, 1].astype(np.int64), times)
        return regions, places

    def _hits(self, swept: Swept) -> Ints:
        """Look up the candidates of the kernel and give where those stand that the index knows."""
        import numpy as np

        slots, fresh = self._seen.note(swept.rows, swept.canon)
        hit = fresh[self._issued(swept.rows[fresh], swept.canon)]
        self._seen.mark(slots[hit])
        known = np.concatenate([hit, np.flatnonzero(self._seen.known(slots))])
        found: Ints = swept.rows[np.unique(known), 1].astype(np.int64)
        return found

    def _issued(self, rows: NDArray[np.int32], canon: NDArray[np.uint8]) -> Ints:
        """Give which rows the index knows."""
        import numpy as np

        text = canon.tobytes()
        found: list[Ints] = [np.empty(0, np.int64)]
        for number in np.unique(rows[:, 0]).tolist():
            mine = np.flatnonzero(rows[:, 0] == number)
            starts, lengths = rows[mine, 3].astype(np.int64), rows[mine, 4].astype(np.int64)
            if number == HASH:
                ends = (starts + lengths).tolist()
                digests = [text[a:b].decode() for a, b in zip(starts.tolist(), ends, strict=True)]
                owned = self.index.hashed(self.reader).lookup(digests)
                found.append(mine[[digest in owned for digest in digests]])
                continue
            keys = self.keys.scan_mac(FORMS[number]).of_column(text, starts, lengths)
            found.append(mine[self.index.holds(keys)])
        return np.concatenate(found)

    def _regions(self, hits: Ints, swept: Swept, text: str, reading: Reading) -> list[Span]:
        """Give the stretches of a block that the plain engine reads: whole records or lines, rising and apart."""
        wide = 0 if reading.layout.is_table else AROUND
        spans = [(place - wide, place + 1 + wide) for place in hits.tolist()]
        for first, last in swept.hard.tolist():
            spans.append((first - MARGIN, max(last, base64_end(text, first)) + MARGIN))
        return list(_apart(_widened(span, text, reading) for span in sorted(spans)))

    def _plainly(
        self, regions: Sequence[Span], places: dict[str, Any], block: Block, reading: Reading
    ) -> None:
        """Read regions of a block with the plain engine, and count what all of it holds."""
        import numpy as np

        cells = reading.layout.is_table
        found = [each for a, b in regions for each in self._region(block.text[a:b], a, cells=cells)]
        if found:
            shapes = [shape_of(*each[:2]) for each in found]
            self._seen.note(*rows_of(found, shapes))
            more: dict[str, list[int]] = {}
            for each, shape in zip(found, shapes, strict=True):
                more.setdefault(shape, []).append(each[2])
            for shape, each_place in more.items():
                places[shape] = np.concatenate([places.get(shape, np.empty(0, np.int64)), each_place])
        self.tally.add_places(places, block.text, reading.starts if cells else None)
        if found:
            self._judge(found, keyed_of(self.keys, found), block, reading)

    def _region(self, text: str, place: int, *, cells: bool) -> Iterator[Candidate]:
        found = list(self._candidates(text, cells=cells))
        found += self._decoded(text, sorted(found, key=start_of), cells=cells)
        for form, plain, start, end, transform, spelling in found:
            yield Candidate(form, plain, start + place, end + place, transform, spelling)


def _outside(rows: NDArray[np.int32], regions: Sequence[Span]) -> NDArray[np.int32]:
    """Give the rows of what does not stand within one of some regions."""
    import numpy as np

    if not regions:
        return rows
    starts, ends = np.array(regions).T
    at = np.searchsorted(starts, rows[:, 1], "right") - 1
    kept: NDArray[np.int32] = rows[(at < 0) | (rows[:, 2] > ends[at])]
    return kept


def _places(rows: NDArray[np.int32], regions: Sequence[Span]) -> dict[str, Ints]:
    """Give the places of the candidates outside some regions, by shape."""
    import numpy as np

    rows = _outside(rows, regions)
    order = np.argsort(rows[:, 5], kind="stable")
    shapes, firsts = np.unique(rows[order, 5], return_index=True)
    parts = np.split(rows[order, 1].astype(np.int64), firsts[1:]) if len(shapes) else []
    return {SHAPE_NAMES[shape]: part for shape, part in zip(shapes.tolist(), parts, strict=True)}


def _widened(span: Span, text: str, reading: Reading) -> Span:
    """Widen a stretch to whole records, in prose to whole lines, or where these are long to a safe sign."""
    first, last = max(0, span[0]), min(len(text), span[1])
    if reading.layout.is_table:
        at = bisect_right(reading.starts, first) - 1
        end = bisect_left(reading.starts, last)
        return reading.starts[at], reading.starts[end] if end < len(reading.starts) else len(text)
    before = text.rfind("\n", max(0, first - LONGEST), first) + 1
    after = text.find("\n", last, last + LONGEST)
    if not before and first > LONGEST:
        before = next((place for place in range(first, 0, -1) if text[place - 1] in _SAFE), 0)
    if after < 0:
        after = next((place for place in range(last, len(text)) if text[place] in _SAFE), len(text))
    return before, min(after + 1, len(text))


def _apart(spans: Iterator[Span]) -> Iterator[Span]:
    """Join stretches that touch."""
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
