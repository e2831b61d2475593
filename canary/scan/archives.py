"""The members of zip, tar and 7z archives, opened one after the other within a budget."""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, BinaryIO, Final, cast

from canary.model.evidence import ScanError
from canary.scan import salvage, sevenz
from canary.scan.budget import Metered, Refused, Rewound, Spent, seekable
from canary.scan.parts import Place, reason_of

BLOCK: Final = 512  # bytes of a tar header
BOOK: Final = "xl/workbook.xml"
METHODS: Final = {9: "deflate64", 93: "zstd", 95: "xz", 97: "wavpack", 98: "ppmd", 99: "aes"}

Member = tuple[Place, BinaryIO]
Members = Iterator[Member | ScanError]
Open = Callable[[bytes, BinaryIO, Place, Spent], Members]


def archive_of(head: bytes) -> Open | None:
    """Choose what opens an archive by its first bytes, None where it is none."""
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK00PK\x03\x04")):
        return of_zip
    if head.startswith(sevenz.MAGIC):
        return of_7z
    return of_tar if is_tar(head) else None


def deeper(place: Place, spent: Spent) -> None:
    """Raise Refused where one more container would be too deep."""
    if place.depth >= spent.budget.depth:
        raise Refused(f"nested deeper than {spent.budget.depth} containers")


def metered(stream: Any, place: Place, spent: Spent) -> BinaryIO:
    """Give a stream that stops a bomb."""
    return cast(BinaryIO, Metered(cast(BinaryIO, stream), spent, place.packed))


def of_zip(head: bytes, stream: BinaryIO, place: Place, spent: Spent) -> Members:
    """Give the members of a zip; one that cannot be opened is an error, and the rest follows."""
    deeper(place, spent)
    with seekable(head, stream, spent.budget) as opened:
        try:
            archive = zipfile.ZipFile(opened)
        except Exception as error:  # whatever a damaged directory makes it raise
            found = salvage.left_of(opened)
            first = next(found, None)
            if first is None:
                raise
            yield place.error(reason_of(error))
            yield from _salvaged(opened, chain([first], found), place, spent)
            return
        with archive:
            yield from zip_members(archive, place, spent)


def _salvaged(stream: BinaryIO, found: Iterable[salvage.Left], place: Place, spent: Spent) -> Members:
    """Give the members of a zip without directory, which was cut off while it was sent."""
    for left in found:
        inside = place.inside(left.name, left.size or place.packed)
        try:
            spent.member()
            member = salvage.Member(stream, left)
        except Refused as error:
            yield inside.error(reason_of(error))
            continue
        yield inside, metered(member, inside, spent)


def zip_members(
    archive: zipfile.ZipFile, place: Place, spent: Spent, wanted: Callable[[str], bool] = lambda _: True
) -> Members:
    """Give those members of an open zip whose name is wanted."""
    for info in archive.infolist():
        if info.is_dir() or not wanted(info.filename):
            continue
        inside = place.inside(info.filename, info.compress_size)
        try:
            spent.member()
            member = zip_member(archive, info)
        except Exception as error:  # one broken member must not hide the others
            yield inside.error(reason_of(error))
            continue
        with member:
            yield inside, metered(member, inside, spent)


def zip_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Any:
    """Open a member; raises Refused with the reason where that cannot be done."""
    if info.flag_bits & 1:
        raise Refused("encrypted")
    if info.compress_type in METHODS:
        raise Refused(f"packed by a method that cannot be opened ({METHODS[info.compress_type]})")
    return archive.open(info)


def is_tar(head: bytes) -> bool:
    """Tell by its first 512 bytes whether something is a tar archive."""
    if len(head) < BLOCK or not head[0]:
        return False
    try:
        tarfile.TarInfo.frombuf(head[:BLOCK], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def of_tar(head: bytes, stream: BinaryIO, place: Place, spent: Spent) -> Members:
    """Give the files of a tar, links and devices left out."""
    deeper(place, spent)
    with tarfile.open(fileobj=cast(Any, Rewound(head, stream)), mode="r|", errorlevel=0) as archive:
        for info in archive:
            if not info.isfile():
                continue
            inside = place.inside(info.name, info.size)
            try:
                spent.member()
                member = archive.extractfile(info)
            except Exception as error:  # one broken member must not hide the others
                yield inside.error(reason_of(error))
                continue
            if member is not None:
                yield inside, metered(member, inside, spent)


def of_7z(head: bytes, stream: BinaryIO, place: Place, spent: Spent) -> Members:
    """Give the members of a 7z; those that cannot be opened have a stream that says so."""
    deeper(place, spent)

    def guard(folder: BinaryIO, packed: int) -> BinaryIO:
        return cast(BinaryIO, Metered(folder, spent, packed))

    with seekable(head, stream, spent.budget) as opened:
        for name, packed, member in sevenz.members(opened, place.packed or 1 << 62, guard):
            inside = place.inside(name, packed)
            try:
                spent.member()
            except Refused as error:
                yield inside.error(reason_of(error))
                continue
            yield inside, member
