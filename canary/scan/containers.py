"""Containers: compressed streams, archives, mails, workbooks and markup, opened in memory and within a budget."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import BinaryIO, cast

from canary.model.evidence import ScanError
from canary.scan import mails, markup, tables
from canary.scan.budget import Metered, Refused, Spent, held
from canary.scan.decode import SNIFFED, decode_stream, detect_encoding
from canary.scan.parts import TextPart

Found = Iterator[TextPart | ScanError]

_TAR_MAGIC = 257
_BROKEN = (
    OSError, EOFError, ValueError, KeyError, IndexError, TypeError, LookupError, RuntimeError, NotImplementedError,
    MemoryError, RecursionError, zipfile.BadZipFile, zipfile.LargeZipFile, tarfile.TarError, lzma.LZMAError, zlib.error,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stream stands: file, path of members, and how deep; `size` bytes are behind it (0: unknown)."""

    file: str
    member: str | None = None
    depth: int = 0
    size: int = 0

    def inside(self, name: str, size: int) -> Place:
        """Give the place of a member."""
        path = f"{self.member}/{name}" if self.member else name
        return Place(self.file, path, self.depth + 1, size)


def walk(stream: BinaryIO, place: Place, spent: Spent) -> Found:
    """Give every text in a stream, opening containers to the depth of the budget; what fails is an error, not raised."""
    try:
        head = _fill(stream, SNIFFED)
        opener = _opener(head)
        if opener is None:
            encoding = detect_encoding(head)
            yield TextPart(place.file, place.member, _guarded(decode_stream(stream, head, encoding)), encoding)
        elif place.depth >= spent.budget.depth:
            raise Refused(f"nested deeper than {spent.budget.depth} containers")
        else:
            yield from opener(_Rewound(head, stream), place, spent)
    except Refused as error:
        yield ScanError(place.file, place.member, str(error))
    except _BROKEN as error:
        yield ScanError(place.file, place.member, _reason(error))
    except Exception as error:  # whatever a hostile file makes a library raise
        yield ScanError(place.file, place.member, f"cannot be read ({type(error).__name__})")
