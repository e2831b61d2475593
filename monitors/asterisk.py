"""Call records of an Asterisk PBX: the tail of its Master.csv, over rotations and half-written last lines."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from canary.model.sight import Item, Poll
from canary.monitors.parts.settings import Settings
from canary.monitors.parts.tail import new_lines
from canary.ports import Fetch, Monitor

INTERVAL = 5
# cdr-csv, in the order of its documentation; uniqueid and userfield only where they are switched on
COLUMNS: Final = (
    "accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata", "start",
    "answer", "end", "duration", "billsec", "disposition", "amaflags", "uniqueid", "userfield",
)  # fmt: skip
TOLD: Final = ("src", "clid", "start", "duration", "billsec", "disposition")


@dataclass(frozen=True, slots=True)
class CallRecords:
    """One call record file; `utc` where the PBX writes UTC (usegmtime = yes)."""

    path: Path
    utc: bool

    def poll(self, cursor: str | None, fetch: Fetch) -> Poll:  # noqa: ARG002 - a file needs no network
        """Give the new calls, first the last ones of a file rotated away; a gap where that is gone."""
        told = new_lines(self.path, cursor)
        return Poll(tuple(self._items(told.lines)), told.cursor, told.gap, told.more)

    def _items(self, lines: Iterable[bytes]) -> Iterator[Item]:
        for line in lines:
            record = _record(line)
            if record.get("dst"):
                yield _call(line, record, self.utc)


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
