"""Chats: exports of Telegram, QQ and WeChat that are put into a folder, or what a Telegram bot hears.

An export is told by days of its chats, so that the next export of the same chat tells what is new. What is no export
that is known is told whole, as a dump.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final

from canary.errors import OutsideError, UsageError
from canary.model.sight import Item, Poll
from canary.monitors.parts.chats import NAME_CHARS, Day, plain_text, read_days
from canary.monitors.parts.cursors import read_cursor, short_digest, texts, write_cursor
from canary.monitors.parts.folder import Found, look, whole
from canary.monitors.parts.settings import Settings
from canary.ports import Fetch, Monitor

INTERVAL = 30
REMEMBERED: Final = 20_000  # days of chats; what comes back after that is recognised by the registry
A_POLL: Final = 100  # updates of a bot; Telegram gives no more at once
HEARD: Final = ("message", "edited_message", "channel_post", "edited_channel_post", "business_message")


@dataclass(frozen=True, slots=True)
class Exports:
    """A folder of exports."""

    folder: Path
    now: Callable[[], float]

    def poll(self, cursor: str | None, fetch: Fetch) -> Poll:  # noqa: ARG002 - a folder needs no network
        """Give the days that are new or have more in them; `more` while files are being written or left for later."""
        before = read_cursor(cursor)
        seen = texts(before.get("seen"))
        news = look(self.folder, texts(before.get("files")), self.now(), _items)
        marks = {short_digest(_wire(one.key)): short_digest(one.raw) for one in news.items if not one.file}
        fresh = [
            one
            for one in news.items
            if one.file or seen.get(short_digest(_wire(one.key))) != short_digest(one.raw)
        ]
        kept = dict(
            list({**marks, **{key: seen[key] for key in seen if key not in marks}}.items())[:REMEMBERED]
        )
        return Poll(tuple(fresh), write_cursor({"files": news.files, "seen": kept}), more=news.more)


def _items(found: Found, digest: str, raw: bytes | None) -> Sequence[Item]:
    days = read_days(raw, PurePosixPath(found.name).stem) if raw is not None else None
    return [whole(found, digest, raw)] if days is None else [_item(found, digest, day) for day in days]


def _item(found: Found, digest: str, day: Day) -> Item:
    detail = {
        "chat": day.chat,
        "day": day.day,
        "messages": str(day.messages),
        "speakers": ", ".join(day.speakers),
        "file": found.name,
        "file_sha256": digest,
    }
    kept = {name: text.encode("utf-8", "replace").decode() for name, text in detail.items() if text}
    key = f"{day.chat}/{day.day}".encode("utf-8", "replace").decode()
    return Item(key, day.raw, day.time_ms, media="text/plain", detail=kept)


@dataclass(frozen=True, slots=True)
class Bot:
    """A bot of Telegram, a member of the chats that are watched."""

    api: str
    token: str = field(repr=False)

    def poll(self, cursor: str | None, fetch: Fetch) -> Poll:
        """Give the messages since the last poll; asking for what follows lets Telegram forget them."""
        last = read_cursor(cursor).get("update")
        begin = last + 1 if isinstance(last, int) else None
        updates = self._updates(begin, fetch)
        items = [item for update in updates for item in _heard(update)]
        numbers = [update["update_id"] for update in updates]
        after = write_cursor({"update": max(numbers)}) if numbers else cursor or ""
        gap = bool(numbers and begin is not None) and min(numbers) > (begin or 0)
        return Poll(tuple(items), after, gap, len(updates) >= A_POLL)

    def _updates(self, begin: int | None, fetch: Fetch) -> list[dict[str, Any]]:
        offset = "" if begin is None else f"&offset={begin}"
        answer = fetch.get(f"{self.api}/bot{self.token}/getUpdates?limit={A_POLL}&timeout=0{offset}")
        try:
            told = json.loads(answer.body)
        except (ValueError, RecursionError):
            told = None
        result = told.get("result") if isinstance(told, dict) and told.get("ok") is True else None
        if answer.status != 200 or not isinstance(result, list):
            raise OutsideError(
                f"the bot's API answered {answer.status}",
                "check `token`, and that the bot has no webhook and no other reader",
            )
        return [one for one in result if isinstance(one, dict) and isinstance(one.get("update_id"), int)]


def _heard(update: Mapping[str, Any]) -> list[Item]:
    """Make the item of a message; other updates give none."""
    message = next((update[name] for name in HEARD if isinstance(update.get(name), dict)), None)
    if message is None:
        return []
    chat, sender = _table(message.get("chat")), _table(message.get("from"))
    told = {**update, "text": plain_text(message.get("text") or message.get("caption") or "")}
    raw = json.dumps(told, ensure_ascii=False, sort_keys=True).encode("utf-8", "surrogatepass")
    detail = {
        "chat": str(chat.get("title") or chat.get("username") or chat.get("id") or ""),
        "from": str(sender.get("username") or sender.get("first_name") or sender.get("id") or ""),
    }
    kept = {name: text[:NAME_CHARS] for name, text in detail.items() if text}
    when = message.get("date")
    time_ms = when * 1000 if isinstance(when, int) and 0 < when < 10**11 else 0
    return [
        Item(
            f"{chat.get('id')}/{message.get('message_id')}",
            raw,
            time_ms,
            media="application/json",
            detail=kept,
        )
    ]


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _wire(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def monitor(settings: Mapping[str, object], now: Callable[[], float] = time.time) -> Monitor:
    """Make the monitor of a folder of exports from `path`, or of a Telegram bot from `token` and `api`."""
    read = Settings(settings)
    if ("path" in settings) == ("token" in settings):
        raise UsageError(
            "a chat has one of path and token", "path: a folder of exports; token: a Telegram bot's"
        )
    made: Monitor
    if "path" in settings:
        made = Exports(Path(read.text("path")), now)
    else:
        made = Bot(read.url("api", "https://api.telegram.org").rstrip("/"), read.text("token"))
    read.done()
    return made
