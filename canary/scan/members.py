"""The members of archives as they are: nested archives and compressions opened within a budget, nothing decoded."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final, cast

from canary.scan.budget import Metered, Refused, Rewound, Spent, seekable
from canary.scan.parts import Place

LAYERS: Final = 6  # compressions of compressions
_BLOCK: Final = 512  # bytes of a tar header

Member = tuple[Place, BinaryIO]
Unpack = Callable[[BinaryIO], Any]


def _zstd(stream: BinaryIO) -> Any:
    import pyarrow as pa

    return pa.CompressedInputStream(pa.PythonFile(stream, mode="r"), "zstd")


_COMPRESSED: Final[tuple[tuple[bytes, Unpack], ...]] = (
    (b"\x1f\x8b", lambda stream: gzip.GzipFile(fileobj=stream)),
    (b"BZh", bz2.BZ2File),
    (b"\xfd7zXZ\0", lzma.LZMAFile),
    (b"\x28\xb5\x2f\xfd", _zstd),
)


def members(stream: BinaryIO, place: Place, spent: Spent) -> Iterator[Member]:
    """Give what stands in a stream: each member of an archive, or the stream itself where it is none.

    A member is read before the next is asked for. A broken or oversized one is left out: it is the scan that says so.
    """
    try:
        yield from _members(stream, place, spent)
    except Exception:  # whatever a hostile file makes a library raise
        return


def _members(stream: BinaryIO, place: Place, spent: Spent) -> Iterator[Member]:
    head = stream.read(_BLOCK)
    for magic, unpack in _COMPRESSED:
        if head.startswith(magic):
            if place.layers >= LAYERS:
                raise Refused(f"compressed more than {LAYERS} times")
            inner = unpack(_again(head, stream))
            yield from members(_metered(inner, place, spent), place.unpacked(), spent)
            return
    if head.startswith(b"PK\x03\x04"):
        yield from _of_zip(seekable(head, stream, spent.budget.held), place, spent)
    elif is_tar(head):
        yield from _of_tar(_again(head, stream), place, spent)
    else:
        yield place, _again(head, stream)


def is_tar(head: bytes) -> bool:
    """Tell by its first 512 bytes whether something is a tar archive."""
    if len(head) < _BLOCK or not head[0]:
        return False
    try:
        tarfile.TarInfo.frombuf(head[:_BLOCK], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def _of_zip(stream: BinaryIO, place: Place, spent: Spent) -> Iterator[Member]:
    with zipfile.ZipFile(stream) as archive:
        if "xl/workbook.xml" in archive.NameToInfo:
            stream.seek(0)
            yield place, stream
            return
        _deeper(place, spent)
        for info in archive.infolist():
            if info.is_dir() or info.flag_bits & 1:
                continue
            spent.member()
            inside = place.inside(info.filename, info.compress_size)
            with archive.open(info) as member:
                yield from members(_metered(member, inside, spent), inside, spent)


def _of_tar(stream: BinaryIO, place: Place, spent: Spent) -> Iterator[Member]:
    _deeper(place, spent)
    with tarfile.open(fileobj=cast(Any, stream), mode="r|", errorlevel=0) as archive:
        for info in archive:
            member = archive.extractfile(info) if info.isfile() else None
            if member is not None:
                spent.member()
                inside = place.inside(info.name, info.size)
                yield from members(_metered(member, inside, spent), inside, spent)


def _deeper(place: Place, spent: Spent) -> None:
    if place.depth >= spent.budget.depth:
        raise Refused(f"nested deeper than {spent.budget.depth} containers")


def _again(head: bytes, stream: BinaryIO) -> BinaryIO:
    return cast(BinaryIO, Rewound(head, stream))


def _metered(stream: Any, place: Place, spent: Spent) -> BinaryIO:
    return cast(BinaryIO, Metered(cast(BinaryIO, stream), spent, place.packed))
