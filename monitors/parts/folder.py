"""Folders into which files are put: what is new or changed there, and no longer being written."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from canary.errors import OutsideError
from canary.model.sight import Item

CARRIED: Final = 50_000_000  # bytes; a bigger file is read where it lies
A_POLL: Final = 50_000_000  # bytes of items, so that what is read is stored before the next is
FILES_A_POLL: Final = 200
SETTLE_SECONDS: Final = 1.0  # a file is taken when nobody wrote to it for so long
MAX_DEPTH: Final = 16
UNFINISHED: Final = (".part", ".partial", ".tmp", ".crdownload", ".filepart", "~")
CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Found:
    """One file in the folder, by its name below it, with what tells whether it changed."""

    name: str
    path: Path
    size: int
    mtime_ns: int

    def mark(self) -> str:
        """Spell size and time of change."""
        return f"{self.size}:{self.mtime_ns}"


@dataclass(frozen=True, slots=True)
class News:
    """What is new in a folder, what is known of each file now, and whether some is left for later."""

    items: tuple[Item, ...]
    files: Mapping[str, str]
    more: bool


ItemsOf = Callable[[Found, str, bytes | None], Sequence[Item]]
"""Makes the items of a file: what was found, its SHA-256, and its bytes (None for a big one)."""


def look(folder: Path, known: Mapping[str, str], now: float, items_of: ItemsOf) -> News:
    """Read the files that are new or changed; `more` while some are being written or were left for later."""
    files = sorted(_alone(folder) if folder.is_file() else walk(folder), key=lambda one: one.name)
    if not files and not folder.is_dir():
        raise OutsideError(f"no folder {folder.name!r} to watch", "make it, or correct `path`")
    after = {one.name: known[one.name] for one in files if one.name in known}
    changed = [one for one in files if not after.get(one.name, "").startswith(one.mark() + ":")]
    settled = [one for one in changed if abs(now - one.mtime_ns / 1e9) >= SETTLE_SECONDS]
    items: list[Item] = []
    size = read = 0
    for one in settled:
        if size >= A_POLL or read >= FILES_A_POLL:
            break
        read += 1
        if (taken := take(one)) is None:
            continue  # it changed while it was read: the next poll has it
        digest, raw = taken
        if after.get(one.name, "").rpartition(":")[2] != digest:
            items.extend(items_of(one, digest, raw))
            size += len(raw or b"")
        after[one.name] = f"{one.mark()}:{digest}"
    return News(tuple(items), after, read < len(changed))


def _alone(path: Path) -> Iterator[Found]:
    """Find the one file that is watched by its own name."""
    try:
        about = path.stat()
    except OSError:
        return  # taken away meanwhile
    yield Found(path.name, path, about.st_size, about.st_mtime_ns)


def walk(folder: Path, prefix: str = "", depth: int = 0) -> Iterator[Found]:
    """Find the files below a folder, but what is hidden, unfinished or a link."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        name = prefix + entry.name
        if entry.name.startswith(".") or entry.name.lower().endswith(UNFINISHED):
            continue
        try:
            about = entry.stat(follow_symlinks=False)
        except OSError:
            continue  # taken away meanwhile
        if stat.S_ISDIR(about.st_mode) and depth < MAX_DEPTH:
            yield from walk(Path(entry.path), f"{name}/", depth + 1)
        elif stat.S_ISREG(about.st_mode):
            yield Found(name, Path(entry.path), about.st_size, about.st_mtime_ns)


def take(one: Found) -> tuple[str, bytes | None] | None:
    """Give SHA-256 and bytes (None for a big file), or None where the file is not what was found."""
    try:
        handle = os.open(one.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            parts: list[bytes] = []
            digest = hashlib.sha256()
            while chunk := file.read(CHUNK):
                digest.update(chunk)
                if one.size <= CARRIED:
                    parts.append(chunk)
                if file.tell() > one.size:
                    return None
            about = os.fstat(file.fileno())
    except OSError:
        return None
    if (about.st_size, about.st_mtime_ns) != (one.size, one.mtime_ns):
        return None
    return digest.hexdigest(), b"".join(parts) if one.size <= CARRIED else None


def whole(one: Found, digest: str, raw: bytes | None) -> Item:
    """Make the item of a whole file; a big one is named and not carried."""
    detail = {"file": one.name, "modified": str(one.mtime_ns // 1_000_000)}
    name = one.name.encode("utf-8", "replace").decode()
    if raw is None:
        detail |= {"sha256": digest, "bytes": str(one.size)}
        return Item(name, b"", 0, detail=detail, file=str(one.path))
    return Item(name, raw, 0, detail=detail)
