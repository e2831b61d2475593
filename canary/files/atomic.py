"""Files that appear whole or not at all, and digests of files."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import secrets
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from canary.files.outside import from_os, reading

if TYPE_CHECKING:
    from typing_extensions import Buffer

_AT_ONCE = 256  # pieces; systems take 1024, POSIX promises 16
_NAME_BYTES = 180  # leaves room for the rest of a temporary's name in the 255 bytes that file systems allow


class AtomicFile(io.RawIOBase):
    """A file that is written beside its target and takes its name at `commit()`; otherwise nothing stays.

    `sha256` is the digest of what was written so far. Raises OutsideError where the disk or folder fails.
    """

    def __init__(self, path: Path, mode: int = 0o600) -> None:
        super().__init__()
        self.path, self._mode = path, mode
        self._digest = hashlib.sha256()
        self._handle, self._at = -1, 0
        self._temporary = path.with_name(_temporary_name(path))

    def __enter__(self) -> Self:
        """Start: remove what dead processes left, make the temporary file."""
        _remove_stale(self.path)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            self._handle = os.open(self._temporary, flags, self._mode)
        except OSError as error:
            raise from_os(self.path, error) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End: without a commit the temporary file goes."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
            self._temporary.unlink(missing_ok=True)
        self.close()

    @property
    def sha256(self) -> str:
        """Give the digest of the bytes written so far (hex)."""
        return self._digest.hexdigest()

    def writable(self) -> bool:
        """Say that it takes bytes."""
        return True

    def tell(self) -> int:
        """Count the bytes written so far."""
        return self._at

    def write(self, data: Buffer) -> int:
        """Write all of the bytes."""
        before = self._at
        self.writelines([data])
        return self._at - before

    def writelines(self, pieces: Iterable[Buffer], /) -> None:
        """Write all bytes of some pieces, many at once: a call of the system for each would cost as much again."""
        views = [memoryview(piece).cast("B") for piece in pieces]
        for start in range(0, len(views), _AT_ONCE):
            self._write_all(views[start : start + _AT_ONCE])
        for view in views:
            self._digest.update(view)

    def _write_all(self, views: list[memoryview]) -> None:
        try:
            while views:
                done = os.writev(self._handle, views)
                self._at += done
                while views and done >= views[0].nbytes:
                    done -= views.pop(0).nbytes
                if done:
                    views[0] = views[0][done:]
        except OSError as error:
            raise from_os(self.path, error) from None

    def commit(self) -> None:
        """Put the file in its place, safe against a power cut."""
        try:
            os.fsync(self._handle)
            os.close(self._handle)
            self._handle = -1
            self._temporary.replace(self.path)
            _sync_folder(self.path.parent)
        except OSError as error:
            self._temporary.unlink(missing_ok=True)
            raise from_os(self.path, error) from None


def _stem(path: Path) -> str:
    name = os.fsencode(path.name)
    if len(name) <= _NAME_BYTES:
        return path.name
    return hashlib.sha256(name).hexdigest()


def _temporary_name(path: Path) -> str:
    return f".{_stem(path)}.canary-{os.getpid()}-{secrets.token_hex(4)}.tmp"


def _remove_stale(path: Path) -> None:
    """Remove the temporaries of the same target whose process is gone."""
    pattern = re.compile(re.escape(f".{_stem(path)}.canary-") + r"(\d+)-[0-9a-f]{8}\.tmp")
    with contextlib.suppress(OSError):
        for entry in os.scandir(path.parent):
            found = pattern.fullmatch(entry.name)
            if found and not _alive(int(found[1])):
                Path(entry.path).unlink(missing_ok=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256_file(path: Path) -> str:
    """Digest a file (hex); raises OutsideError where it cannot be read."""
    with reading(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
