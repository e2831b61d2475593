"""A list, newest first, then what each new entry names, fetched once: what waits and what is lost is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from canary.errors import CanaryError
from canary.model.sight import Item, Poll
from canary.monitors.parts.cursors import short_digest, texts, write_cursor
from canary.net.pace import Later
from canary.ports import Answer, Fetch

REMEMBERED: Final = 5_000  # entries
A_POLL: Final = 50  # entries; what is fetched is stored before the next ones are
TRIES: Final = 3  # an entry that fails so often is given up, which counts as a gap
IN_A_ROW: Final = 3  # failures after which the rest is left for the next poll
GONE: Final = frozenset({404, 410})


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a list: where its text is, or `raw`, the text itself; told again when `version` changes."""

    key: str
    url: str
    detail: Mapping[str, str]
    version: str = ""
    raw: bytes | None = None
    media: str = "text/plain"
    tries: int = 0


@dataclass(slots=True)
class Fetched:
    """What was fetched of the waiting ones, what still waits, and whether one was given up."""

    items: list[Item] = field(default_factory=list)
    left: list[Entry] = field(default_factory=list)
    lost: bool = False
    more: bool = False


@dataclass(frozen=True, slots=True)
class OwnHeaders:
    """A fetch that tells one host, and no other, what is meant for it."""

    fetch: Fetch
    url: str
    own: Mapping[str, str]

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Fetch with those headers if the address is of that host."""
        here, there = urlsplit(url), urlsplit(self.url)
        mine = self.own if (here.scheme, here.netloc) == (there.scheme, there.netloc) else {}
        return self.fetch.get(url, {**(headers or {}), **mine})


def poll_list(
    before: Mapping[str, object], listed: Sequence[Entry], fetch: Fetch, kept: Mapping[str, object]
) -> Poll:
    """Give the new entries, oldest first; a gap where the list holds nothing known or an entry was lost.

    `before` is the last cursor; `kept` is written into the next one beside what was seen and what waits.
    """
    seen = [mark for mark in _list(before.get("seen")) if isinstance(mark, str)]
    old = [one for each in _list(before.get("waiting")) if (one := _waiting(each)) is not None]
    known = set(seen)
    unique = list({_mark(one): one for one in listed}.values())
    fresh = [one for one in reversed(unique) if _mark(one) not in known]
    to_fetch = [*old, *(one for one in fresh if one.raw is None)]
    queue = to_fetch[-REMEMBERED:]
    missed = bool(known and unique) and len(fresh) == len(unique)
    got = _fetch(queue, fetch)
    seen = list(dict.fromkeys([*map(_mark, unique), *seen]))[:REMEMBERED]
    after = write_cursor({**kept, "seen": seen, "waiting": [_spelt(one) for one in got.left]})
    gap = missed or got.lost or len(queue) < len(to_fetch)
    held = [_item(one, one.raw) for one in fresh if one.raw is not None]
    return Poll((*held, *got.items), after, gap, got.more)


def reaches_back(before: Mapping[str, object], listed: Sequence[Entry]) -> bool:
    """Tell whether a list goes back to what the last poll saw; a first poll has nothing to go back to."""
    known = {mark for mark in _list(before.get("seen")) if isinstance(mark, str)}
    return not known or any(_mark(one) in known for one in listed)


def _fetch(queue: Sequence[Entry], fetch: Fetch) -> Fetched:
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


def _fetch_one(one: Entry, fetch: Fetch, got: Fetched) -> bool:
    """Fetch one entry into `got`; False where it could not be had."""
    try:
        answer = fetch.get(one.url)
    except Later:
        raise
    except CanaryError:  # an address that is none included: the list is not ours
        answer = None
    if answer is not None and answer.status == 200:
        got.items.append(_item(one, answer.body))
    elif answer is None or answer.status not in GONE:
        kept = Entry(one.key, one.url, one.detail, one.version, tries=one.tries + 1)
        got.lost = got.lost or kept.tries >= TRIES
        got.left.extend([kept] if kept.tries < TRIES else [])
        return False
    return True


def _item(one: Entry, raw: bytes) -> Item:
    detail = {"url": one.url, **one.detail} if one.url else one.detail
    return Item(one.key, raw, 0, media=one.media, detail=detail)


def _waiting(kept: object) -> Entry | None:
    if not isinstance(kept, dict):
        return None
    key, url, version, tries = (kept.get(name) for name in ("key", "url", "version", "tries"))
    if not isinstance(key, str) or not isinstance(url, str) or not key or not url:
        return None
    detail = texts(kept.get("detail"))
    return Entry(key, url, detail, str(version or ""), tries=tries if isinstance(tries, int) else 0)


def _spelt(one: Entry) -> dict[str, object]:
    told = {"key": one.key, "url": one.url, "version": one.version, "tries": one.tries}
    return {**told, "detail": dict(one.detail)}


def _mark(one: Entry) -> str:
    name = f"{one.key}\0{one.version}" if one.version else one.key
    return short_digest(name.encode("utf-8", "surrogatepass"))


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
