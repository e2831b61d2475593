"""The members of archives as they are: nested archives and compressions opened within a budget, nothing decoded."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import nullcontext
from typing import BinaryIO, cast

from canary.model.evidence import ScanError
from canary.scan.archives import BLOCK, BOOK, Member, archive_of, of_zip
from canary.scan.budget import Rewound, Spent, seekable
from canary.scan.compressed import compression_of, unpacked
from canary.scan.parts import Place


def members(stream: BinaryIO, place: Place, spent: Spent) -> Iterator[Member]:
    """Give what stands in a stream: each member of an archive, or the stream itself where it is none.

    A member is read before the next is asked for. A broken or oversized one is left out: it is the scan that says so.
    """
    try:
        yield from _members(stream, place, spent)
    except Exception:  # whatever a hostile file makes a library raise
        return


def _members(stream: BinaryIO, place: Place, spent: Spent) -> Iterator[Member]:
    head = stream.read(BLOCK)
    unpack = compression_of(head)
    archive = archive_of(head)
    if unpack is not None:
        yield from members(unpacked(unpack, head, stream, place, spent), place.unpacked(), spent)
    elif archive is None:
        yield place, _again(head, stream)
    else:
        with seekable(head, stream, spent.budget) if archive is of_zip else nullcontext(stream) as opened:
            if archive is of_zip and _is_workbook(opened):
                yield place, opened
                return
            for found in archive(head, opened, place, spent):
                if not isinstance(found, ScanError):
                    yield from members(found[1], found[0], spent)


def _is_workbook(stream: BinaryIO) -> bool:
    try:
        with zipfile.ZipFile(stream) as archive:
            return BOOK in archive.NameToInfo
    except Exception:  # whatever a damaged directory makes it raise
        return False
    finally:
        stream.seek(0)


def _again(head: bytes, stream: BinaryIO) -> BinaryIO:
    return cast(BinaryIO, Rewound(head, stream))
