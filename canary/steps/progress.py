"""Where a long scan has come to, kept in the home until it is done, so that one that was interrupted goes on."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import threading
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from canary.errors import OutsideError

if TYPE_CHECKING:
    from canary.keys import Keys

FOLDER: Final = "scans"
_PLACE: Final = "scans.progress"


class Progress:
    """A file of sealed lines, one for each part that is done; a line that was cut off by a crash is passed over.

    Closed before all is done, it is there for the next time.

    `work` names what is done, `knowledge` what it was done with: progress of another knowledge is not used.
    """

    def __init__(self, home: Path, keys: Keys, work: str, knowledge: str) -> None:
        self._keys = keys
        self._path = (
            home / FOLDER / f"{hashlib.sha256(work.encode('utf-8', 'surrogateescape')).hexdigest()[:32]}.part"
        )
        self._lock = threading.Lock()
        self.done: dict[str, Any] = {}
        try:
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            if self._path.exists():
                self._load(knowledge)
            if not self.done:
                self._path.unlink(missing_ok=True)
            self._file = os.fdopen(os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab")
            if self.done:
                self._file.write(b"\n")  # ends a line that was cut off
            else:
                self.add("knowledge", knowledge)
        except OSError as error:
            raise OutsideError(
                f"cannot keep progress in {self._path.parent}: {error.strerror}", "scan without --resume"
            ) from None

    def _load(self, knowledge: str) -> None:
        found = dict(filter(None, map(self._read, self._path.read_bytes().split(b"\n"))))
        if found.get("knowledge") == knowledge:
            self.done = found

    def _read(self, line: bytes) -> tuple[str, Any] | None:
        try:
            mark, value = json.loads(zlib.decompress(self._keys.unseal(base64.b64decode(line), _PLACE)))
        except Exception:  # a line that was cut off, or of another home
            return None
        return str(mark), value

    def add(self, mark: str, value: Mapping[str, Any] | str | None) -> None:
        """Keep what one part came to, on the disk when this returns."""
        text = zlib.compress(
            json.dumps([mark, value], separators=(",", ":")).encode("utf-8", "surrogatepass")
        )
        line = base64.b64encode(self._keys.seal(text, _PLACE)) + b"\n"
        with self._lock:
            self._file.write(line)
            self._file.flush()
            os.fsync(self._file.fileno())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def forget(self) -> None:
        """Take the file away: all is done."""
        self._file.close()
        self._path.unlink(missing_ok=True)
