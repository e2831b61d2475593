"""The header of a 7z archive: where the packed streams are, how they were packed, what they hold.

The format is that of 7zFormat.txt in the public-domain LZMA SDK. Numbers are little-endian.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from canary.scan.budget import Refused

ENCODED: Final = 23  # a header that is packed itself
_END, _PACKED, _FOLDERS, _SUBSTREAMS = 0, 6, 7, 8
_STREAMS, _FILES, _SIZE, _CRC, _FOLDER, _UNPACKED, _COUNTS = 4, 5, 9, 10, 11, 12, 13
_EMPTY, _NAMES = 14, 17


@dataclass(slots=True)
class Folder:
    """One compressed stream: its coders as (method, properties), the last packed first; sizes of what it holds."""

    coders: list[tuple[bytes, bytes]]
    order: list[int] = field(default_factory=list)  # of the coders as the header lists them
    sizes: list[int] = field(default_factory=list)
    packed: int = 1  # streams
    simple: bool = True
    members: list[int] = field(default_factory=list)
    checked: bool = False

    @property
    def size(self) -> int:
        """How long it is unpacked."""
        return self.sizes[-1] if self.sizes else 0


class Header:
    """Reads the fields of a header; raises ValueError where it ends early."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        """Give the next bytes."""
        end = self._at + size
        if size < 0 or end > len(self._data):
            raise ValueError("the header ends early")
        found = self._data[self._at : end]
        self._at = end
        return found

    def byte(self) -> int:
        """Give the next byte."""
        return self.take(1)[0]

    def number(self) -> int:
        """Give a number: as many leading ones of the first byte, so many more bytes."""
        first = self.byte()
        more = next((bit for bit in range(8) if not first & (0x80 >> bit)), 8)
        low = int.from_bytes(self.take(more), "little")
        return low | ((first & ((0x80 >> more) - 1)) << (8 * more) if more < 7 else 0)

    def count(self, most: int = 1 << 24) -> int:
        """Give a number of things that follow, each of at least a bit."""
        found = self.number()
        if found > min(most, 8 * len(self._data)):
            raise ValueError("a count in the header is too large")
        return found

    def rest(self) -> bytes:
        """Give what is left."""
        return self.take(len(self._data) - self._at)

    def flags(self, count: int) -> list[bool]:
        """Give so many bits, the highest of a byte first."""
        packed = self.take((count + 7) // 8)
        return [bool(packed[at // 8] & (0x80 >> at % 8)) for at in range(count)]

    def optional_flags(self, count: int) -> list[bool]:
        """Give so many bits, where one byte may say that all are set."""
        return [True] * count if self.byte() else self.flags(count)


def contents_of(header: Header) -> tuple[int, list[int], list[Folder], list[str]]:
    """Read a plain header: where the packed streams begin, their sizes, the folders, the names of what is not empty."""
    offset, sizes, folders = 0, [], []  # type: int, list[int], list[Folder]
    names: list[str] = []
    while kind := kind_of(header):
        if kind == 2:  # properties of the archive
            while header.byte():
                header.take(header.number())
        elif kind in (3, _STREAMS):
            offset, sizes, folders = streams_of(header)
        elif kind == _FILES:
            names = _files(header)
        else:
            raise ValueError("the header is damaged")
    return offset, sizes, folders, names


def kind_of(header: Header) -> int:
    """Read what comes next, 0 where nothing does."""
    try:
        return header.byte()
    except ValueError:
        return _END


def streams_of(header: Header) -> tuple[int, list[int], list[Folder]]:
    """Read about packed streams: where they begin, their sizes, the folders in them."""
    offset, sizes, folders = 0, [], []  # type: int, list[int], list[Folder]
    while kind := header.byte():
        if kind == _PACKED:
            offset, sizes = _packed(header)
        elif kind == _FOLDERS:
            folders = _folders(header)
        elif kind == _SUBSTREAMS:
            _substreams(header, folders)
        else:
            raise ValueError("the header is damaged")
    return offset, sizes, folders


def _packed(header: Header) -> tuple[int, list[int]]:
    offset, count = header.number(), header.count()
    sizes: list[int] = []
    while kind := header.byte():
        if kind == _SIZE:
            sizes = [header.number() for _ in range(count)]
        elif kind == _CRC:
            _digests(header, count)
        else:
            raise ValueError("the header is damaged")
    return offset, sizes


def _digests(header: Header, count: int) -> list[bool]:
    known = header.optional_flags(count)
    header.take(4 * sum(known))
    return known


def _folders(header: Header) -> list[Folder]:
    if header.byte() != _FOLDER:
        raise ValueError("the header is damaged")
    count = header.count()
    if header.byte():
        raise Refused("a 7z archive whose folders are described elsewhere")
    folders = [_folder(header) for _ in range(count)]
    while kind := header.byte():
        if kind == _UNPACKED:
            for each in folders:
                sizes = [header.number() for _ in each.order]
                each.sizes = [sizes[at] for at in each.order]
                each.members = [each.size]
        elif kind == _CRC:
            for each, known in zip(folders, _digests(header, len(folders)), strict=True):
                each.checked = known
        else:
            raise ValueError("the header is damaged")
    return folders


def _folder(header: Header) -> Folder:
    coders: list[tuple[bytes, bytes]] = []
    ins = outs = 0
    for _ in range(header.count(32)):
        kind = header.byte()
        method = header.take(kind & 15)
        more = (header.number(), header.number()) if kind & 16 else (1, 1)
        coders.append((method, header.take(header.number()) if kind & 32 else b""))
        ins, outs = ins + more[0], outs + more[1]
    if not 0 < outs <= 32 or not 0 < ins <= 32:
        raise ValueError("the header is damaged")
    bound = [(header.number(), header.number()) for _ in range(outs - 1)]
    packed = ins - len(bound)
    if packed > 1:
        for _ in range(packed):
            header.number()
    chain = _chain(len(coders), bound) if packed == 1 and ins == outs == len(coders) else None
    order = chain or list(range(outs))
    return Folder(
        [coders[at] for at in chain] if chain else coders, order, packed=max(packed, 1), simple=bool(chain)
    )


def _chain(count: int, bound: list[tuple[int, int]]) -> list[int] | None:
    """Order coders from the one that reads the packed bytes to the one that gives the plain ones, None where they fork.

    Each pair says whose output (second) is the input of which coder (first).
    """
    feeds = {source: sink for sink, source in bound}
    starts = set(range(count)) - {sink for sink, _ in bound}
    if len(starts) != 1:
        return None
    chain = [starts.pop()]
    while chain[-1] in feeds and len(chain) < count:
        chain.append(feeds[chain[-1]])
    return chain if sorted(chain) == list(range(count)) else None


def _substreams(header: Header, folders: list[Folder]) -> None:
    kind = header.byte()
    if kind == _COUNTS:
        for each in folders:
            each.members = [0] * header.count()
        kind = header.byte()
    if kind == _SIZE:
        for each in folders:
            if each.members:
                sizes = [header.number() for _ in each.members[1:]]
                each.members = [*sizes, max(0, each.size - sum(sizes))]
        kind = header.byte()
    else:
        for each in folders:
            each.members = [each.size] * min(1, len(each.members))
    if kind == _CRC:
        _digests(
            header, sum(len(each.members) for each in folders if len(each.members) != 1 or not each.checked)
        )
        kind = header.byte()
    if kind != _END:
        raise ValueError("the header is damaged")


def _files(header: Header) -> list[str]:
    """Give the names of the members that hold something."""
    count = header.count()
    names = [f"member {number + 1}" for number in range(count)]
    empty = [False] * count
    while kind := header.byte():
        inner = Header(header.take(header.number()))
        if kind == _EMPTY:
            empty = inner.flags(count)
        elif kind == _NAMES and not inner.byte():
            text = inner.rest().decode("utf-16-le", "replace").split("\0")
            names = [name or f"member {number + 1}" for number, name in enumerate(text[:count])]
    return [name for name, nothing in zip(names, empty, strict=False) if not nothing]
