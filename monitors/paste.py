"""Paste sites: a list, newest first, then each new paste once; Pastebin's scraping API, or any JSON list described.

`[monitors.NAME.list]` describes another list: where in the answer it stands, and what an entry calls its key and text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urljoin

from canary.errors import OutsideError, UsageError
from canary.model.sight import Poll
from canary.monitors.parts.cursors import read_cursor
from canary.monitors.parts.listing import Entry, OwnHeaders, poll_list
from canary.monitors.parts.settings import Settings
from canary.ports import Fetch, Monitor

INTERVAL = 60
TOLD_CHARS: Final = 300
HINT: Final = "check list_url, and that this address may scrape"


@dataclass(frozen=True, slots=True)
class Shape:
    """What a list calls things; names with dots lead into nested objects. The default is Pastebin's."""

    items: str = ""  # where the list stands in the answer; "" where the answer is the list
    key: str = "key"
    link: str = "scrape_url"  # where an entry has the address of its text
    address: str = ""  # or how to make it: "https://example.org/raw/{key}"
    text: str = ""  # or where an entry has its text itself
    told: tuple[str, ...] = ("date", "title", "user", "syntax")


@dataclass(frozen=True, slots=True)
class Pastes:
    """One paste site; its list is read once a poll."""

    list_url: str
    shape: Shape
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def poll(self, cursor: str | None, fetch: Fetch) -> Poll:
        """Give the new pastes, oldest first; a gap where the list holds nothing known or a paste was lost."""
        polite = OwnHeaders(fetch, self.list_url, self.headers)
        return poll_list(read_cursor(cursor), self._listed(polite), polite, {})

    def _listed(self, fetch: Fetch) -> list[Entry]:
        answer = fetch.get(self.list_url)
        if answer.status != 200:
            raise OutsideError(f"the list answered {answer.status}", HINT)
        listed = _list_in(answer.body, self.shape.items)
        found = [one for each in listed if (one := self._entry(each)) is not None]
        if listed and not found:
            wanted = self.shape.text or ("" if self.shape.address else self.shape.link)
            raise OutsideError(
                f"no entry of the list has {' and '.join(filter(None, (self.shape.key, wanted)))}",
                "check that list_url has that shape, or describe its shape in a table `list`",
            )
        return found

    def _entry(self, told: object) -> Entry | None:
        shape, key = self.shape, _at(told, self.shape.key)
        if not isinstance(key, str | int) or isinstance(key, bool) or key == "":
            return None
        detail = {name: str(_at(told, name))[:TOLD_CHARS] for name in shape.told if _at(told, name)}
        if shape.text:
            text = _at(told, shape.text)
            return Entry(str(key), "", detail, raw=_bytes(text)) if isinstance(text, str) else None
        made = shape.address.replace("{key}", quote(str(key), safe=""))
        link = made if made else _at(told, shape.link)
        if not isinstance(link, str) or not link:
            return None
        try:
            return Entry(str(key), urljoin(self.list_url, link), detail)
        except ValueError:
            return None


def _list_in(body: bytes, place: str) -> Sequence[object]:
    try:
        listed = _at(json.loads(body), place)
    except (ValueError, RecursionError):
        listed = None
    if not isinstance(listed, list):
        raise OutsideError(f"there is no JSON array{f' at {place!r}' if place else ''}", HINT)
    return listed


def _at(told: object, place: str) -> Any:
    """Give what stands at a dotted name, None where there is nothing."""
    for part in place.split(".") if place else ():
        told = told.get(part) if isinstance(told, dict) else None
    return told


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _shape(table: Settings) -> Shape:
    made = Shape(
        table.text("items", ""),
        table.text("key", "key"),
        table.text("link", ""),
        table.text("address", ""),
        table.text("text", ""),
        table.words("told"),
    )
    table.done()
    if sum(map(bool, (made.link, made.address, made.text))) != 1:
        raise UsageError(
            "a table `list` has one of link, address and text",
            'say where an entry has its text: link = "url", address = "https://…/{key}" or text = "content"',
        )
    return made


def monitor(settings: Mapping[str, object]) -> Monitor:
    """Make the monitor of one paste site from `list_url`, and for another shape of list the table `list`."""
    read = Settings(settings)
    list_url, described, headers = read.url("list_url"), read.table("list"), read.table("headers")
    made = Pastes(
        list_url, _shape(described) if described else Shape(), headers.all_texts() if headers else {}
    )
    read.done()
    return made
