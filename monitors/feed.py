"""RSS, Atom and JSON Feed: every new or changed entry is an item; what it links to is not fetched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from canary.model.sight import Item, Poll
from canary.monitors.parts.conditional import fetch_changed, validators
from canary.monitors.parts.cursors import read_cursor, short_digest, texts, write_cursor
from canary.monitors.parts.entries import Entry, read_entries
from canary.monitors.parts.settings import Settings
from canary.ports import Fetch, Monitor

INTERVAL = 300
REMEMBERED = 5_000  # entries; what comes back after that is recognised by the registry


@dataclass(frozen=True, slots=True)
class Feed:
    """One feed."""

    url: str

    def poll(self, cursor: str | None, fetch: Fetch) -> Poll:
        """Give the entries that are new or changed; a gap where the feed shares none with the last poll."""
        before = read_cursor(cursor)
        seen = texts(before.get("seen"))
        answer = fetch_changed(self.url, before, fetch)
        if answer is None:
            return Poll((), cursor or "")
        entries = read_entries(answer.body, answer.headers.get("content-type", ""))
        marks = {_name(entry): short_digest(entry.raw) for entry in entries}
        fresh = [entry for entry in entries if seen.get(_name(entry)) != marks[_name(entry)]]
        after = {"seen": _remember(seen, marks), "validators": validators(answer)}
        gap = bool(seen and entries) and not seen.keys() & marks.keys()
        return Poll(tuple(_item(entry, self.url) for entry in reversed(fresh)), write_cursor(after), gap)


def _name(entry: Entry) -> str:
    return short_digest(entry.key.encode("utf-8", "surrogatepass"))


def _remember(seen: Mapping[str, str], marks: Mapping[str, str]) -> dict[str, str]:
    """Keep what the feed holds now, then the rest, up to a limit."""
    room = max(len(marks), REMEMBERED)
    return dict(islice({**marks, **{key: seen[key] for key in seen if key not in marks}}.items(), room))


def _item(entry: Entry, url: str) -> Item:
    return Item(entry.key, entry.raw, 0, media=entry.media, detail={"feed": url, **entry.detail})


def monitor(settings: Mapping[str, object]) -> Monitor:
    """Make the monitor of one feed from `url`."""
    read = Settings(settings)
    made = Feed(read.url("url"))
    read.done()
    return made
