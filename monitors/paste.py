"""Paste sites in the shape of Pastebin's scraping API: a list, newest first, then each new paste once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urljoin

from canary.errors import OutsideError
from canary.model.sight import Item, Poll
from canary.monitors.parts.cursors import read_cursor, short_digest, write_cursor
from canary.monitors.parts.settings import Settings
from canary.net.pace import Later
from canary.ports import Fetch, Monitor

INTERVAL = 60
REMEMBERED: Final = 5_000  # keys; a list holds 250 at most
A_POLL: Final = 50  # pastes; what is fetched is stored before the next ones are
TRIES: Final = 3  # a paste that fails so often is given up, which counts as a gap
IN_A_ROW: Final = 3  # failures after which the rest is left for the next poll
GONE: Final = frozenset({404, 410})


@dataclass(frozen=True, slots=True)
class Waiting:
    """A paste that was listed and is not fetched yet."""

    key: str
    url: str
    detail: Mapping[str, str]
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Pastes:
    """One paste site; its list is read once a poll."""

    list_url: str

    def poll(self, cursor: str | None, fetch: Fetch) -> Poll:
        """Give the new pastes, oldest first; a gap where the list holds nothing known or a paste was lost."""
        before = read_cursor(cursor)
        seen = [key for key in _list(before.get("seen")) if isinstance(key, str)]
        old = [one for each in _list(before.get("waiting")) if (one := _waiting(each)) is not None]
        listed = _read_list(fetch, self.list_url)
        known = set(seen)
        fresh = [one for one in reversed(listed) if _mark(one) not in known]
        queue = [*old, *fresh][-REMEMBERED:]
        missed = bool(known and listed) and len(fresh) == len(listed)
        got = _fetch(queue, fetch)
        seen = list(dict.fromkeys([*map(_mark, listed), *seen]))[:REMEMBERED]
        after = write_cursor({"seen": seen, "waiting": [_spelt(one) for one in got.left]})
        gap = missed or got.lost or len(queue) < len(old) + len(fresh)
        return Poll(tuple(got.items), after, gap, got.more)


@dataclass(slots=True)
class Fetched:
    """What was fetched of the waiting ones, what still waits, and whether one was given up."""

    items: list[Item] = field(default_factory=list)
    left: list[Waiting] = field(default_factory=list)
    lost: bool = False
    more: bool = False


def _fetch(queue: Sequence[Waiting], fetch: Fetch) -> Fetched:
    """Fetch up to a poll's worth; ends early where the host wants peace or seems to be down."""
    got = Fetched()
    failed = 0
    for place, one in enumerate(queue):
        if place >= A_POLL or failed >= IN_A_ROW:
            got.more = place >= A_POLL
            got.left.extend(queue[place:])
            return got
        try:
            failed = 0 if _fetch_one(one, fetch, got) else failed + 1
        except Later:
            got.left.extend(queue[place:])
            return got
    return got


def _fetch_one(one: Waiting, fetch: Fetch, got: Fetched) -> bool:
    """Fetch one paste into `got`; False where it could not be had."""
    try:
        answer = fetch.get(one.url)
    except Later:
        raise
    except OutsideError:
        answer = None
    if answer is not None and answer.status == 200:
        detail = {"url": one.url, **one.detail}
        got.items.append(Item(one.key, answer.body, 0, media="text/plain", detail=detail))
    elif answer is None or answer.status not in GONE:
        kept = Waiting(one.key, one.url, one.detail, one.tries + 1)
        got.lost = got.lost or kept.tries >= TRIES
        got.left.extend([kept] if kept.tries < TRIES else [])
        return False
    return True


def _read_list(fetch: Fetch, list_url: str) -> list[Waiting]:
    answer = fetch.get(list_url)
    if answer.status != 200:
        raise OutsideError(
            f"the list answered {answer.status}", "check list_url, and that this address may scrape"
        )
    try:
        listed = json.loads(answer.body)
    except (ValueError, RecursionError):
        listed = None
    if not isinstance(listed, list):
        raise OutsideError("the list is no JSON array", "check list_url, and that this address may scrape")
    found = [one for each in listed if (one := _waiting(each, list_url)) is not None]
    if listed and not found:
        raise OutsideError(
            "no entry of the list has key and scrape_url", "check that list_url has that shape"
        )
    return list({one.key: one for one in found}.values())


def _waiting(entry: object, base: str = "") -> Waiting | None:
    if not isinstance(entry, dict):
        return None
    key, url, tries = entry.get("key"), entry.get("scrape_url"), entry.get("tries")
    if not isinstance(key, str | int) or not isinstance(url, str) or not key or not url:
        return None
    told = {name: str(entry[name])[:300] for name in ("date", "title", "user", "syntax") if entry.get(name)}
    try:
        place = urljoin(base, url)
    except ValueError:
        return None
    return Waiting(str(key), place, told, tries if isinstance(tries, int) else 0)


def _spelt(one: Waiting) -> dict[str, object]:
    return {"key": one.key, "scrape_url": one.url, "tries": one.tries, **one.detail}


def _mark(one: Waiting) -> str:
    return short_digest(one.key.encode("utf-8", "surrogatepass"))


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def monitor(settings: Mapping[str, object]) -> Monitor:
    """Make the monitor of one paste site from `list_url`."""
    read = Settings(settings)
    made = Pastes(read.url("list_url"))
    read.done()
    return made
