"""Call records of an Asterisk PBX: the tail of its Master.csv, over rotations and half-written last lines."""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

from canary.errors import OutsideError
from canary.model.sight import Item, Poll
from canary.monitors.parts.cursors import read_cursor, write_cursor
from canary.monitors.parts.settings import Settings
from canary.ports import Fetch, Monitor

INTERVAL = 5
A_POLL: Final = 1_000_000  # bytes
HEAD: Final = 256  # bytes that tell a file from the one that took its name
# cdr-csv, in the order of its documentation; uniqueid and userfield only where they are switched on
COLUMNS: Final = (
    "accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata", "start",
    "answer", "end", "duration", "billsec", "disposition", "amaflags", "uniqueid", "userfield",
)  # fmt: skip
TOLD: Final = ("src", "clid", "start", "duration", "billsec", "disposition")


@dataclass(frozen=True, slots=True)
class Place:
    """How far a file was read: inode, digest of its first bytes, how many those are, and the offset."""

    inode: int
    head: str
    head_size: int
    offset: int


@dataclass(frozen=True, slots=True)
class CallRecords:
    """One call record file; `utc` where the PBX writes UTC (usegmtime = yes)."""

    path: Path
    utc: bool

    def poll(self, cursor: str | None, fetch: Fetch) -> Poll:  # noqa: ARG002 - a file needs no network
        """Give the new calls, first the last ones of a file rotated away; a gap where that is gone."""
        place = _place(cursor)
        try:
            with self.path.open("rb") as file:
                if place is None or _same(file, place):
                    return self._tail(file, place, gap=False)
                rotated = self._rotated(place)
                if rotated is None:
                    return self._tail(file, None, gap=True)
                with rotated.open("rb") as old:
                    poll = self._tail(old, place, gap=False)
                    if poll.more:
                        return poll
                return _joined(poll, self._tail(file, None, gap=False))
        except OSError as error:
            raise OutsideError(
                f"cannot read {self.path.name}: {error.strerror}", "correct `path`, and let us read it"
            ) from None

    def _rotated(self, place: Place) -> Path | None:
        """Find where the file that was read went, if it lies beside the new one under a longer name."""
        for path in sorted(self.path.parent.glob(f"{self.path.name}*")):
            if path != self.path and path.is_file() and not path.is_symlink():
                with path.open("rb") as file:
                    if _same(file, place):
                        return path
        return None

    def _tail(self, file: BinaryIO, place: Place | None, gap: bool) -> Poll:
        offset = place.offset if place else 0
        file.seek(offset)
        data = file.read(A_POLL)
        whole = data.rfind(b"\n") + 1
        if whole == 0 and len(data) == A_POLL:
            whole = len(data)  # no call record is that long: skip it
        items = tuple(self._items(data[:whole]))
        after = _here(file, offset + whole)
        more = whole > 0 and len(data) == A_POLL
        return Poll(items, write_cursor(after), gap, more)

    def _items(self, data: bytes) -> Iterator[Item]:
        for line in data.splitlines(keepends=True):
            record = _record(line)
            if record.get("dst"):
                yield _call(line, record, self.utc)


def _place(cursor: str | None) -> Place | None:
    read = read_cursor(cursor)
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


def _joined(old: Poll, new: Poll) -> Poll:
    return Poll(old.items + new.items, new.cursor, old.gap or new.gap, new.more)


def _record(line: bytes) -> dict[str, str]:
    try:
        cells = next(csv.reader(io.StringIO(line.decode("utf-8", "replace"))), [])
    except csv.Error:
        return {}
    return dict(zip(COLUMNS, cells, strict=False)) if len(cells) >= 10 else {}


def _call(line: bytes, record: Mapping[str, str], utc: bool) -> Item:
    key = record.get("uniqueid") or hashlib.sha256(line).hexdigest()[:32]
    detail = {name: record[name][:300] for name in TOLD if record.get(name)}
    detail["from"] = detail.pop("src", "")
    return Item(key, line, _time_ms(record["start"], utc), "call", record["dst"], "text/csv", detail)


def _time_ms(text: str, utc: bool) -> int:
    try:
        moment = datetime.strptime(text, "%Y-%m-%d %H:%M:%S")
    except ValueError:
        return 0
    return int((moment.replace(tzinfo=UTC) if utc else moment.astimezone()).timestamp() * 1000)


def monitor(settings: Mapping[str, object]) -> Monitor:
    """Make the monitor of one call record file from `path` and `utc` (default false: the machine's time)."""
    read = Settings(settings)
    made = CallRecords(Path(read.text("path")), read.flag("utc", False))
    read.done()
    return made
