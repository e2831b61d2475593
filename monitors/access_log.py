"""Logs of applications, gateways and databases: which account touched a canary, from where, and how fast.

Nobody has a reason to open a decoy. What one account did since the last look is one item; where it holds a canary,
the sighting names the account.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from canary.errors import OutsideError, UsageError
from canary.model.sight import Item, Poll
from canary.monitors.parts.access import Reader, Touch, cells_of, reader_of
from canary.monitors.parts.settings import Settings
from canary.monitors.parts.tail import new_lines
from canary.ports import Fetch, Monitor

INTERVAL = 5
FORMATS: Final = ("jsonl", "csv", "combined", "pgaudit")
HEADINGS_BYTES: Final = 64_000
ADDRESSES: Final = 10  # of one account, told with its item


@dataclass(frozen=True, slots=True)
class AccessLog:
    """One log; `account` and `time` name its keys or columns where its format has such."""

    path: Path
    format: str
    account: str
    time: str

    def poll(self, cursor: str | None, fetch: Fetch) -> Poll:  # noqa: ARG002 - a file needs no network
        """Give what each account did since; a gap where the log was rotated away before it was read."""
        reader = reader_of(self.format, self.account, self.time, self._headings())
        told = new_lines(self.path, cursor)
        return Poll(tuple(_items(told.lines, reader)), told.cursor, told.gap, told.more)

    def _headings(self) -> tuple[str, ...]:
        """Read the heading line of CSV, which stands at the file's beginning only."""
        if self.format != "csv":
            return ()
        try:
            with self.path.open("rb") as file:
                headings = cells_of(file.readline(HEADINGS_BYTES).decode("utf-8-sig", "replace"))
        except OSError as error:
            raise OutsideError(
                f"cannot read {self.path.name}: {error.strerror}", "correct `path`, and let us read it"
            ) from None
        if headings and self.account not in headings:
            raise OutsideError(
                f"{self.path.name} has no column {self.account!r}", "name the column of accounts: account = …"
            )
        return headings


def _items(lines: Iterable[bytes], reader: Reader) -> Iterator[Item]:
    """Gather the lines of each account; a line that goes on with the one before it belongs there."""
    did: dict[str, list[bytes]] = defaultdict(list)
    touches: dict[str, list[Touch]] = defaultdict(list)
    last: str | None = None
    for line in lines:
        text = line.decode("utf-8", "replace")
        touch = reader(text.rstrip("\r\n").removeprefix("\ufeff"))
        if touch is not None:
            last = touch.account
            touches[last].append(touch)
        elif last is None or not text[:1].isspace():
            last = None
            continue
        did[last].append(line)
    for account, made in did.items():
        yield _item(account, b"".join(made), touches[account])


def _item(account: str, raw: bytes, touches: list[Touch]) -> Item:
    times = sorted(one.time_ms for one in touches if one.time_ms)
    addresses = list(dict.fromkeys(one.address for one in touches if one.address))[:ADDRESSES]
    detail = {"account": account, "from": ", ".join(addresses), "lines": str(len(touches))}
    if len(times) > 1:
        detail["seconds"] = f"{(times[-1] - times[0]) / 1000:g}"
    key = hashlib.sha256(account.encode("utf-8", "surrogatepass") + b"\0" + raw).hexdigest()[:32]
    kept = {name: text for name, text in detail.items() if text}
    return Item(key, raw, times[0] if times else 0, "access", None, "text/plain", kept)


def monitor(settings: Mapping[str, object]) -> Monitor:
    """Make the monitor of one log from `path`, `format`, `account` and `time` (keys or columns of those names)."""
    read = Settings(settings)
    format = read.text("format")
    if format not in FORMATS:
        raise UsageError(f"unknown format of log {format!r}", "known formats: " + ", ".join(FORMATS))
    made = AccessLog(
        Path(read.text("path")), format, read.text("account", "account"), read.text("time", "time")
    )
    read.done()
    return made
