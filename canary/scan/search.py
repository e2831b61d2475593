"""The plain engine: text → candidates → look-up → hits; every step the obvious one."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from canary.fields.canonical import canonical_name
from canary.keys import Keys
from canary.model.canary import Canary
from canary.model.evidence import Findings, Hit, ScanError
from canary.scan.candidates import Candidate, contacts
from canary.scan.confirm import Found, Spelt, confirm, narrowed
from canary.scan.decode import SNIFFED, Chunk, head_of
from canary.scan.index import Index, Reader
from canary.scan.parts import TextPart
from canary.scan.places import addresses, names
from canary.scan.records import (
    BLOCK,
    LINES,
    OVERLAP,
    REACH,
    Block,
    Layout,
    blocks,
    detect_layout,
    has_headings,
)
from canary.scan.spellings import base64_texts, passages, views
from canary.scan.tally import Tally, shape_of

NAMES_NEAR = 6  # names that are tried with one address
NAME_REACH = 60  # characters between a name and its address
_BLANK = re.compile(r"\A(?:\s|\Z)|\n\s")
TAIL = 4 * OVERLAP  # characters of a text that the next one may see again
RECENT = 64  # hits among which one of the block before is looked for
OPENED = 20_000  # canaries kept unsealed during a scan


@dataclass(slots=True)
class Scan:
    """One scan in progress: what it looks up in, and what it has found."""

    index: Index
    reader: Reader
    keys: Keys
    block_size: int = BLOCK
    tally: Tally = field(default_factory=Tally)
    hits: list[Hit] = field(default_factory=list)
    errors: list[ScanError] = field(default_factory=list)
    rows: int = 0
    bytes: int = 0
    files: int = 0
    _shapes: set[str] = field(default_factory=set)
    _opened: dict[int, Canary] = field(default_factory=dict)
    _ended: list[tuple[int, int]] = field(
        default_factory=list
    )  # records of prose near the end of what was read
    _ending: TextPart | None = None  # the part they are of

    def findings(self) -> Findings:
        """Give what was found so far."""
        counted = self.tally.candidates(self._shapes)
        return Findings(tuple(self.hits), counted, self.rows, self.bytes, self.files, tuple(self.errors))

    def text(self, part: TextPart) -> None:
        """Scan the text of one part, block by block."""
        stream = Ahead(part.chunks)
        layout = part.layout or detect_layout(stream.head)
        record, place = 0, part.encoding.bom
        self.rows -= has_headings(stream.head, layout)
        for block in blocks(map(str, stream), layout, self.block_size):
            starts = layout.starts(block.text)
            reading = Reading(part, layout, starts, record, place, block.skip)
            self._block(block, reading)
            fresh = block.text[block.skip :]
            place += part.encoding.size(fresh)
            here = starts if layout.is_table else [start for start in starts if start >= block.skip]
            self.rows += filled(block, starts)
            record += len(here)

    def _block(self, block: Block, reading: Reading) -> None:
        self._settle(self._found(block.text, cells=reading.layout.is_table), block, reading)

    def _found(self, text: str, *, cells: bool) -> list[Candidate]:
        """Give the candidates of a text in all spellings."""
        found = list(self._candidates(text, cells=cells))
        found += self._decoded(text, sorted(found, key=start_of), cells=cells)
        return found

    def _settle(self, found: Sequence[Candidate], block: Block, reading: Reading) -> None:
        """Count the candidates of a block and confirm those that the index knows."""
        keyed = keyed_of(self.keys, found)
        shaped = {pair: shape_of(*pair) for pair in keyed}
        self.tally.add_keys(shaped, keyed)
        self.tally.add_pairs(found, shaped, block.text, reading.starts if reading.layout.is_table else None)
        self._judge(found, keyed, block, reading)

    def _judge(
        self, found: Sequence[Candidate], keyed: Mapping[tuple[str, str], int], block: Block, reading: Reading
    ) -> None:
        """Confirm what the index knows of some candidates of a block."""
        spelt = [_spelt(each, block.text, serials) for each, serials in self._known(found, keyed)]
        if spelt and not reading.layout.is_table:
            spelt = self._begun(spelt, block.text, reading)
        for group in reading.groups(sorted(spelt, key=lambda one: one.start), block.text):
            self._record(group, block, reading)
            if not reading.layout.is_table and group[0].start >= len(block.text) - TAIL:
                self._ended.append(reading.reach(group[0].start, block.text))

    def _begun(self, spelt: list[Spelt], text: str, reading: Reading) -> list[Spelt]:
        """Leave out what belongs to a record of prose that begins before a text, or where it begins.

        The text before held it whole, and saw what stands before it.
        """
        if self._ending is not reading.part:
            self._ended, self._ending = [], reading.part
        first = reading.offset(0, text)
        ends = [end for start, end in self._ended if start < first + REACH and first < end]
        self._ended = self._ended[-RECENT:]
        return [each for each in spelt if reading.offset(each.start, text) >= max(ends)] if ends else spelt

    def _known(
        self, found: Sequence[Candidate], keyed: Mapping[tuple[str, str], int]
    ) -> list[tuple[Candidate, Sequence[int]]]:
        """Give the candidates that the index knows, with the serials of their canaries."""
        owners = self.index.lookup(list(keyed.values()))
        digests = sorted(plain for form, plain in keyed if form == "hash")
        by_digest = self.index.hashed(self.reader).lookup(digests) if digests else {}
        if not owners and not by_digest:
            return []
        hits = (
            (each, by_digest.get(each[1]) if each[0] == "hash" else owners.get(keyed[each[0], each[1]]))
            for each in found
        )
        return [(each, serials) for each, serials in hits if serials]

    def wanted(self) -> frozenset[str]:
        """Give the forms that were issued."""
        return frozenset(form for form, number in self.index.issued.items() if number)

    def _candidates(self, text: str, *, cells: bool) -> Iterator[Candidate]:
        """Give the candidates of the forms that were issued, and digests."""
        wanted = self.wanted()
        if not wanted:
            return
        yield from (each for each in contacts(text) if each[0] in wanted or each[0] == "hash")
        if wanted & {"address", "name_address"}:
            found = list(addresses(text, cells=cells))
            if "address" in wanted:
                yield from found
            if found and "name_address" in wanted:
                yield from _with_names(found, text, cells=cells)

    def _decoded(self, text: str, plain: Sequence[Candidate], *, cells: bool) -> Iterator[Candidate]:
        """Give what every other spelling of the passages that look encoded adds."""
        places = [each.start for each in plain]
        for start, end in passages(text):
            within = plain[bisect_left(places, start) : bisect_left(places, end)]
            known = {(each.form, each.canonical) for each in within}
            for view, back, transform in views(text[start:end]):
                for each in self._fresh(view, known, cells=cells):
                    first, last = start + back(each.start), start + back(each.end)
                    spelling = view[each.start : each.end]
                    yield Candidate(
                        each.form, each.canonical, first, max(first + 1, last), transform, spelling
                    )
        for inner, place in base64_texts(text):
            known = set()
            for view in (inner, *(view for view, _, _ in views(inner))):
                for each in self._fresh(view, known, cells=cells):
                    spelling = view[each.start : each.end]
                    yield Candidate(each.form, each.canonical, place, place + 1, "base64", spelling)

    def _fresh(self, view: str, known: set[tuple[str, str]], *, cells: bool) -> Iterator[Candidate]:
        for each in self._candidates(view, cells=cells):
            if (each.form, each.canonical) not in known:
                known.add((each.form, each.canonical))
                yield each

    def _record(self, group: Sequence[Spelt], block: Block, reading: Reading) -> None:
        group = list(
            {(each.form, each.canonical, each.transform): each for each in reversed(group)}.values()
        )[::-1]
        owned = narrowed(group)
        canaries = self._open(sorted(owned))
        start, end = reading.span(group[0].start, group[-1].start, block.text)
        for found in confirm(canaries, group, block.text[start:end], cells=reading.layout.is_table):
            hit = reading.hit(found, block.text)
            if reading.layout.is_table or not self._joined(hit):
                self.hits.append(hit)
            self._shapes.update(shape_of(form, plain) for form, plain in found.shapes)

    def _joined(self, hit: Hit) -> bool:
        """Tell whether a hit was there in the block before, which may have ended within its record: its fields join."""
        for at in range(len(self.hits) - 1, max(-1, len(self.hits) - RECENT - 1), -1):
            one = self.hits[at]
            if (one.canary, one.file, one.member, one.offset) == (
                hit.canary,
                hit.file,
                hit.member,
                hit.offset,
            ):
                self.hits[at] = replace(one, roles={**one.roles, **hit.roles})
                return True
        return False

    def _open(self, serials: Sequence[int]) -> list[Canary]:
        missing = [serial for serial in serials if serial not in self._opened]
        if missing:
            if len(self._opened) + len(missing) > OPENED:
                self._opened.clear()
                missing = list(serials)
            opened = self.reader.open_canaries(missing)
            if len(opened) != len(missing):
                return [canary for serial in serials for canary in self.reader.open_canaries([serial])]
            self._opened.update(zip(missing, opened, strict=True))
        return [self._opened[serial] for serial in serials]


@dataclass(frozen=True, slots=True)
class Reading:
    """Where a block stands in its part."""

    part: TextPart
    layout: Layout
    starts: Sequence[int]
    record: int
    place: int
    skip: int

    def groups(self, spelt: Sequence[Spelt], text: str) -> Iterator[list[Spelt]]:
        """Divide what was found into records: by their borders, in prose by reach from the first of each."""
        group: list[Spelt] = []
        border = -1
        for each in spelt:
            if group and each.start >= border:
                yield group
                group = []
            if not group:
                border = self._border(each.start, text)
            group.append(each)
        if group:
            yield group

    def _border(self, place: int, text: str) -> int:
        at = bisect_right(self.starts, place)
        if self.layout.is_table:
            return self.starts[at] if at < len(self.starts) else len(text) + 1
        lines = self.starts[at + LINES] if at + LINES < len(self.starts) else len(text) + 1
        return min(place + REACH, lines)

    def reach(self, place: int, text: str) -> tuple[int, int]:
        """Give the byte offsets of a record of prose: of the place it begins at, and how far it goes."""
        return self.offset(place, text), self.offset(self._border(place, text), text)

    def offset(self, place: int, text: str) -> int:
        """Give the byte offset of a place in a text."""
        size = self.part.encoding.size
        return self.place + (
            size(text[self.skip : place]) if place >= self.skip else -size(text[place : self.skip])
        )

    def span(self, first: int, last: int, text: str) -> tuple[int, int]:
        """Give the text of the record around two places."""
        at = bisect_right(self.starts, first) - 1
        if self.layout.is_table:
            return self.starts[at], self.starts[at + 1] if at + 1 < len(self.starts) else len(text)
        end = bisect_left(self.starts, last + 1) + LINES
        low = max(first - REACH, self.starts[max(0, at - LINES)])
        return low, min(last + REACH, self.starts[end] if end < len(self.starts) else len(text))

    def hit(self, found: Found, text: str) -> Hit:
        """Make the hit, with the byte offset of its first value."""
        number = bisect_right(self.starts, found.start) - 1
        skipped = bisect_left(self.starts, self.skip) if self.skip else 0
        return Hit(
            found.canary.id,
            dict(found.roles),
            self.part.file,
            self.part.member,
            self.offset(found.start, text),
            self.record + number - skipped,
        )


class Ahead:
    """A stream of text whose start is looked at before it is read."""

    def __init__(self, chunks: Iterable[Chunk]) -> None:
        self._chunks = iter(chunks)
        self._held: list[Chunk] = []
        size = 0
        for chunk in self._chunks:
            self._held.append(chunk)
            size += len(chunk)
            if size >= SNIFFED:
                break
        self.head = "".join(map(head_of, self._held))[:SNIFFED]

    def __iter__(self) -> Iterator[Chunk]:
        yield from self._held
        yield from self._chunks


def keyed_of(keys: Keys, found: Iterable[Candidate]) -> dict[tuple[str, str], int]:
    """Give the scan key of the form and canonical value of every candidate."""
    return keys_of(keys, {each[:2] for each in found})


def keys_of(keys: Keys, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Give the scan key of every form and canonical value."""
    by_form: dict[str, list[tuple[str, str]]] = {}
    for pair in pairs:
        by_form.setdefault(pair[0], []).append(pair)
    keyed: dict[tuple[str, str], int] = {}
    for form, each in by_form.items():
        keyed.update(zip(each, keys.scan_keys(form, [pair[1] for pair in each]).tolist(), strict=True))
    return keyed


def filled(block: Block, starts: Sequence[int]) -> int:
    """Count the records that are not blank and start in this block."""
    if not _BLANK.search(block.text):
        return len(starts) - bisect_left(starts, block.skip)
    borders = zip(starts, [*starts[1:], len(block.text)], strict=True)
    text, skip = block.text, block.skip
    return sum(
        start >= skip and (not text[start].isspace() or bool(text[start:end].strip()))
        for start, end in borders
        if start < end
    )


def start_of(each: Candidate) -> int:
    """Give where a candidate starts."""
    return each.start


def _with_names(found: Sequence[Candidate], text: str, *, cells: bool) -> Iterator[Candidate]:
    """Pair every address with the names near it: in tables those of its line."""
    near = sorted((place, canonical_name(name)) for name, place in names(text, cells=cells))
    places = [place for place, _ in near]
    for each in found:
        first, last = each.start - 2 * NAME_REACH, each.end + NAME_REACH
        if cells:
            first = max(first - NAME_REACH, text.rfind("\n", 0, each.start))
            last = min(last + NAME_REACH, text.find("\n", each.end) % (len(text) + 1))
        here = near[bisect_left(places, first) : bisect_right(places, last)]
        if len(here) > NAMES_NEAR:
            here = sorted(here, key=partial(_distance, each.start))[:NAMES_NEAR]
        for name in {name for _, name in here}:
            yield Candidate("name_address", f"{name}|{each.canonical}", each.start, each.end)


def _distance(place: int, named: tuple[int, str]) -> int:
    return abs(named[0] - place)


def _spelt(each: Candidate, text: str, owners: Sequence[int]) -> Spelt:
    spelling = each.text or text[each.start : each.end]
    return Spelt(each.form, each.canonical, each.start, each.end, spelling, each.transform, tuple(owners))
