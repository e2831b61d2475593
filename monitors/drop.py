"""A folder of dumps: every file that is new or changed, and no longer being written, is one item."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from canary.errors import OutsideError
from canary.model.sight import Item, Poll
from canary.monitors.parts.cursors import read_cursor, texts, write_cursor
from canary.monitors.parts.settings import Settings
from canary.ports import Fetch, Monitor

INTERVAL = 10
CARRIED: Final = 50_000_000  # bytes; a bigger file is read where it lies
A_POLL: Final = 50_000_000  # bytes of items, so that what is read is stored before the next is
FILES_A_POLL: Final = 200
SETTLE_SECONDS: Final = 1.0  # a file is taken when nobody wrote to it for so long
MAX_DEPTH: Final = 16
UNFINISHED: Final = (".part", ".partial", ".tmp", ".crdownload", ".filepart", "~")
CHUNK: Final = 1 << 20
SELF_TEST: Final = "canary-self-test.txt"


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
class Drop:
    """One folder; links and special files in it are left alone."""

    folder: Path
    now: Callable[[], float]

    def poll(self, cursor: str | None, fetch: Fetch) -> Poll:  # noqa: ARG002 - a folder needs no network
        """Give the new and changed files; `more` while some are being written or were left for later."""
        if not self.folder.is_dir():
            raise OutsideError(f"no folder {self.folder.name!r} to watch", "make it, or correct `path`")
        known = texts(read_cursor(cursor).get("files"))
        files = sorted(_walk(self.folder, "", 0), key=lambda one: one.name)
        after = {one.name: known[one.name] for one in files if one.name in known}
        changed = [one for one in files if not after.get(one.name, "").startswith(one.mark() + ":")]
        settled = [one for one in changed if abs(self.now() - one.mtime_ns / 1e9) >= SETTLE_SECONDS]
        items: list[Item] = []
        size = read = 0
        for one in settled:
            if size >= A_POLL or read >= FILES_A_POLL:
                break
            read += 1
            if (taken := _take(one)) is None:
                continue  # it changed while it was read: the next poll has it
            digest, raw = taken
            if after.get(one.name, "").rpartition(":")[2] != digest:
                items.append(_item(one, digest, raw))
                size += len(raw or b"")
            after[one.name] = f"{one.mark()}:{digest}"
        return Poll(tuple(items), write_cursor({"files": after}), more=read < len(changed))


def _walk(folder: Path, prefix: str, depth: int) -> Iterator[Found]:
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
            yield from _walk(Path(entry.path), f"{name}/", depth + 1)
        elif stat.S_ISREG(about.st_mode):
            yield Found(name, Path(entry.path), about.st_size, about.st_mtime_ns)


def _take(one: Found) -> tuple[str, bytes | None] | None:
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


def _item(one: Found, digest: str, raw: bytes | None) -> Item:
    detail = {"file": one.name, "modified": str(one.mtime_ns // 1_000_000)}
    name = one.name.encode("utf-8", "replace").decode()
    if raw is None:
        detail |= {"sha256": digest, "bytes": str(one.size)}
        return Item(name, b"", 0, detail=detail, file=str(one.path))
    return Item(name, raw, 0, detail=detail)


def monitor(settings: Mapping[str, object], now: Callable[[], float] = time.time) -> Monitor:
    """Make the monitor of one folder from `path` (relative to the home)."""
    read = Settings(settings)
    made = Drop(Path(read.text("path")), now)
    read.done()
    return made


def planter(settings: Mapping[str, object]) -> Callable[[str], None]:
    """Make what plants a self-test: a file in the folder, written beside its name and renamed."""
    folder = Path(Settings(settings).text("path"))

    def plant(word: str) -> None:
        try:
            draft = folder / f".{SELF_TEST}.part"
            draft.write_text(f"{word}\n", "utf-8")
            draft.replace(folder / SELF_TEST)
        except OSError as error:
            raise OutsideError(
                f"cannot write to {folder.name!r}: {error.strerror}",
                "let the watch write there, or plant by hand",
            ) from None

    return plant
