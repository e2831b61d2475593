"""The tail of a file that grows: whole new lines, over rotations, truncations and a half-written last line."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from canary.errors import OutsideError
from canary.monitors.parts.cursors import read_cursor, write_cursor

A_POLL: Final = 1_000_000  # bytes
HEAD: Final = 256  # bytes that tell a file from the one that took its name


@dataclass(frozen=True, slots=True)
class Place:
    """How far a file was read: inode, digest of its first bytes, how many those are, and the offset."""

    inode: int
    head: str
    head_size: int
    offset: int


@dataclass(frozen=True, slots=True)
class Lines:
    """New lines with their ends, the cursor behind them, whether some were lost, and whether more wait."""

    lines: tuple[bytes, ...]
    cursor: str
    gap: bool = False
    more: bool = False


def new_lines(path: Path, cursor: str | None) -> Lines:
    """Read the new lines, first the last ones of a file rotated away; a gap where that is gone.

    Raises OutsideError where the file cannot be read.
    """
    place = _place(cursor)
    try:
        with path.open("rb") as file:
            if place is None or _same(file, place):
                return _tail(file, place, gap=False)
            rotated = _rotated(path, place)
            if rotated is None:
                return _tail(file, None, gap=True)
            with rotated.open("rb") as old:
                told = _tail(old, place, gap=False)
                if told.more:
                    return told
            new = _tail(file, None, gap=False)
            return Lines(told.lines + new.lines, new.cursor, more=new.more)
    except OSError as error:
        raise OutsideError(
            f"cannot read {path.name}: {error.strerror}", "correct `path`, and let us read it"
        ) from None


def _rotated(path: Path, place: Place) -> Path | None:
    """Find where the file that was read went, if it lies beside the new one under a longer name."""
    for other in sorted(path.parent.glob(f"{path.name}*")):
        if other != path and other.is_file() and not other.is_symlink():
            with other.open("rb") as file:
                if _same(file, place):
                    return other
    return None


def _tail(file: BinaryIO, place: Place | None, gap: bool) -> Lines:
    offset = place.offset if place else 0
    file.seek(offset)
    data = file.read(A_POLL)
    whole = data.rfind(b"\n") + 1
    if whole == 0 and len(data) == A_POLL:
        whole = len(data)  # no line is that long: skip it
    after = write_cursor(_here(file, offset + whole))
    more = whole > 0 and len(data) == A_POLL
    return Lines(tuple(data[:whole].splitlines(keepends=True)), after, gap, more)


def _place(cursor: str | None) -> Place | None:
    read: Mapping[str, object] = read_cursor(cursor)
    inode, head, size, offset = (read.get(key) for key in ("inode", "head", "head_size", "offset"))
    if isinstance(inode, int) and isinstance(head, str) and isinstance(size, int) and isinstance(offset, int):
        return Place(inode, head, size, offset)
    return None


def _same(file: BinaryIO, place: Place) -> bool:
    """Tell whether this is the file that was read, grown at its end only (a copy of it counts)."""
    about = os.fstat(file.fileno())
    told = place.head_size > 0 or about.st_ino == place.inode  # nothing was read of it: the inode must tell
    return told and about.st_size >= place.offset and _head(file, place.head_size) == place.head


def _head(file: BinaryIO, size: int) -> str:
    file.seek(0)
    return hashlib.sha256(file.read(size)).hexdigest()[:32]


def _here(file: BinaryIO, offset: int) -> dict[str, object]:
    size = min(HEAD, offset)
    return {
        "inode": os.fstat(file.fileno()).st_ino,
        "head": _head(file, size),
        "head_size": size,
        "offset": offset,
    }
