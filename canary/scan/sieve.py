"""The sieve: many small things at once; what all of them hold is looked up together, and few need a closer look."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from canary.errors import CanaryError
from canary.keys import Keys
from canary.model.canary import Canary
from canary.model.evidence import Candidates, Findings
from canary.scan.budget import Budget, Spent
from canary.scan.candidates import Candidate
from canary.scan.engine import apart, scan_bytes, scan_stream
from canary.scan.fast import SLOWLY
from canary.scan.index import Index, Reader
from canary.scan.parts import Place
from canary.scan.records import Block
from canary.scan.search import OPENED, Reading, Scan, keys_of

TOGETHER: Final = 1 << 21  # characters that are gathered before they are looked up
Pair = tuple[str, str]
Thing = tuple[str, bytes]


class _TooLong(Exception):
    """A thing holds more text than the plain engine should read: a scan has the kernel."""


@dataclass(slots=True)
class _Gathered(Scan):
    """A scan of one thing that stops before its look-up, and goes on if that is worth it."""

    blocks: list[tuple[Block, Reading, list[Candidate]]] = field(default_factory=list)
    pairs: set[Pair] = field(default_factory=set)  # what is to be looked up
    size: int = 0  # characters

    def _block(self, block: Block, reading: Reading) -> None:
        self.size += len(block.text)
        if self.size > SLOWLY:
            raise _TooLong
        found = self._found(block.text, cells=reading.layout.is_table)
        self.pairs.update(each[:2] for each in found)
        self.blocks.append((block, reading, found))

    def settled(self, opened: dict[int, Canary]) -> Findings:
        """Go on with what was gathered; canaries that were opened need not be again."""
        self._opened = opened
        for block, reading, found in self.blocks:
            before = len(self.hits)
            self._settle(found, block, reading)
            self.hits[before:] = apart(self.hits[before:], reading.part.stretch)
        return self.findings()

    def passed(self) -> Findings:
        """Give the findings of a thing that holds nothing the index knows; its candidates are not counted."""
        return Findings((), Candidates(), self.rows, self.bytes, self.files, tuple(self.errors))


def scan_many(
    things: Iterable[Thing], index: Index, reader: Reader, keys: Keys, budget: Budget | None = None
) -> list[Findings | Exception]:
    """Find canaries in many named bytes, as `scan_bytes` does in each; gives what stumbled instead of raising it.

    Of a thing without hits the candidates are not counted. Raises CanaryError where the registry fails.
    """
    tools = (index, reader, keys, budget)
    found: list[Findings | Exception] = []
    for group in _groups((thing, _tried(thing, *tools)) for thing in things):
        known, opened = _known([one for _, one in group], index, reader, keys)
        found.extend(_finished(thing, one, known, opened, tools) for thing, one in group)
    return found


def _groups(
    pairs: Iterable[tuple[Thing, _Gathered | Exception]],
) -> Iterable[list[tuple[Thing, _Gathered | Exception]]]:
    """Divide what is gathered into groups that are small enough to be held, whatever was unpacked for them."""
    group: list[tuple[Thing, _Gathered | Exception]] = []
    size = 0
    for thing, one in pairs:
        group.append((thing, one))
        size += one.size if isinstance(one, _Gathered) else 0
        if size >= TOGETHER:
            yield group
            group, size = [], 0
    if group:
        yield group


def _tried(
    thing: Thing, index: Index, reader: Reader, keys: Keys, budget: Budget | None
) -> _Gathered | Exception:
    """Gather what a thing holds."""
    name, data = thing
    if len(data) > SLOWLY:
        return _TooLong()
    one, spent = _Gathered(index, reader, keys, files=1, bytes=len(data)), Spent(budget or Budget())
    try:
        spent.file(len(data))
        scan_stream(io.BytesIO(data), Place(name, packed=len(data)), one, spent)
    except CanaryError:
        raise
    except Exception as error:  # a hostile thing must not keep the others from being read
        return error
    return one


def _known(
    gathered: Sequence[_Gathered | Exception], index: Index, reader: Reader, keys: Keys
) -> tuple[set[Pair], dict[int, Canary]]:
    """Choose the pairs that the index knows, and open their canaries unless they are too many."""
    pairs: set[Pair] = set().union(*(one.pairs for one in gathered if isinstance(one, _Gathered)))
    keyed = keys_of(keys, {pair for pair in pairs if pair[0] != "hash"})
    owners = index.lookup(list(keyed.values()))
    digests = sorted(plain for form, plain in pairs if form == "hash")
    hashed = index.hashed(reader).lookup(digests) if digests else {}
    known = {pair for pair in pairs if (pair[1] in hashed if pair[0] == "hash" else keyed[pair] in owners)}
    serials = sorted({serial for found in (owners, hashed) for each in found.values() for serial in each})
    if not serials or len(serials) > OPENED // 2:
        return known, {}
    opened = reader.open_canaries(serials)
    return known, dict(zip(serials, opened, strict=True)) if len(opened) == len(serials) else {}


def _finished(
    thing: Thing,
    one: _Gathered | Exception,
    known: set[Pair],
    opened: dict[int, Canary],
    tools: tuple[Index, Reader, Keys, Budget | None],
) -> Findings | Exception:
    """Give what a thing holds: at once where nothing is known, else after a closer look."""
    try:
        if isinstance(one, _TooLong):
            return scan_bytes(thing[1], thing[0], *tools)
        if isinstance(one, Exception):
            return one
        return one.passed() if known.isdisjoint(one.pairs) else one.settled(opened)
    except CanaryError:
        raise
    except Exception as error:
        return error
