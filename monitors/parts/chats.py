"""Chats as they are exported: Telegram's JSON, and the text files of QQ and WeChat, cut into days.

A day of a chat has one name, so that it is recognised in the next export; an export goes on where the last one ended.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

MAX_DAYS: Final = 20_000
SPEAKERS: Final = 20  # named with a day
NAME_CHARS: Final = 100
_DATE: Final = r"(?P<date>\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2})日?"
_TIME: Final = r"(?:[上下]午|[AP]M)?\s?\d{1,2}:\d{2}(?::\d{2})?(?:\s?[AP]M)?"
_HEAD: Final = re.compile(
    rf"(?:(?P<before>\S.{{0,80}}?)\s{{1,4}})?[\[(（]?{_DATE}[ \tT]{{1,4}}{_TIME}[\])）]?"
    r"[:：,，]?(?:\s{1,4}(?P<after>\S.{0,200}))?"
)
_HINT: Final = re.compile(r"\d{4}[-/.年]\d{1,2}[-/.月]\d")
_OBJECT: Final = re.compile(r"消息对象[:：]\s*(\S.{0,100}?)\s*")


@dataclass(frozen=True, slots=True)
class Day:
    """What was said in one chat on one day (YYYY-MM-DD; "" before the first): its bytes, who spoke, and when last."""

    chat: str
    day: str
    raw: bytes
    messages: int
    speakers: tuple[str, ...]
    time_ms: int = 0


def read_days(data: bytes, name: str) -> list[Day] | None:
    """Cut an export into the days of its chats; None where it is none that is known. `name` is the file's."""
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        return _telegram(data)
    days = _gathered(_lines(_text(data), name))
    return days if any(one.messages for one in days) else None


def plain_text(told: object) -> str:
    """Join a text that Telegram tells in pieces, as it does where it holds numbers, links or names."""
    if isinstance(told, str):
        return told
    pieces = told if isinstance(told, list) else []
    return "".join(
        each if isinstance(each, str) else plain_text(each.get("text")) if isinstance(each, dict) else ""
        for each in pieces
    )


@dataclass(frozen=True, slots=True)
class _Piece:
    """Bytes of one day of a chat: a message, or lines that go on with one."""

    chat: str
    day: str
    raw: bytes
    speaker: str | None  # None where no message begins
    time_ms: int = 0


def _gathered(pieces: Iterator[_Piece]) -> list[Day]:
    days: dict[tuple[str, str], list[_Piece]] = {}
    for one in pieces:
        key = (one.chat, one.day)
        if key in days or len(days) < MAX_DAYS:
            days.setdefault(key, []).append(one)
    return [_day(chat, day, told) for (chat, day), told in days.items()]


def _day(chat: str, day: str, told: Sequence[_Piece]) -> Day:
    speakers = tuple(dict.fromkeys(one.speaker for one in told if one.speaker))[:SPEAKERS]
    messages = sum(one.speaker is not None for one in told)
    return Day(
        chat, day, b"".join(one.raw for one in told), messages, speakers, max(one.time_ms for one in told)
    )


def _telegram(data: bytes) -> list[Day] | None:
    try:
        told = json.loads(data.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict):
        return None
    chats = (
        [told]
        if "messages" in told
        else [one for part in ("chats", "left_chats") for one in _listed(told.get(part))]
    )
    known = [one for one in chats if isinstance(one, dict) and isinstance(one.get("messages"), list)]
    return _gathered(piece for chat in known for piece in _of_chat(chat)) if known else None


def _listed(part: object) -> list[Any]:
    chats = part.get("list") if isinstance(part, dict) else None
    return chats if isinstance(chats, list) else []


def _of_chat(chat: Mapping[str, Any]) -> Iterator[_Piece]:
    name = f"{chat.get('name') or ''}#{chat.get('id') or ''}"[:NAME_CHARS]
    for message in chat["messages"]:
        if isinstance(message, dict):
            whole = {key: value for key, value in message.items() if key != "text_entities"}
            line = json.dumps(
                {**whole, "text": plain_text(message.get("text"))}, ensure_ascii=False, sort_keys=True
            )
            speaker = str(message.get("from") or message.get("actor") or "")[:NAME_CHARS]
            raw = (line + "\n").encode("utf-8", "surrogatepass")
            yield _Piece(
                name, str(message.get("date", ""))[:10], raw, speaker, _moment(message.get("date_unixtime"))
            )


def _moment(seconds: object) -> int:
    text = str(seconds)
    return int(text) * 1000 if text.isascii() and text.isdigit() and len(text) < 12 else 0


def _lines(text: str, name: str) -> Iterator[_Piece]:
    """Read lines that begin a message with its time, before or after its speaker, and those that go on with it."""
    chat, day = name, ""
    for line in text.splitlines(keepends=True):
        raw = line.encode("utf-8", "surrogatepass")
        bare = line.rstrip()
        if (named := _OBJECT.fullmatch(bare)) is not None:
            chat, day = named[1][:NAME_CHARS], ""
        found = _HEAD.fullmatch(bare) if len(bare) <= 400 and _HINT.search(bare) else None
        began = _day_of(found["date"]) if found is not None else None
        if found is None or began is None:
            yield _Piece(chat, day, raw, None)
            continue
        day = began
        yield _Piece(chat, day, raw, (found["before"] or found["after"] or "").rstrip(":：")[:NAME_CHARS])


def _day_of(date: str) -> str | None:
    year, month, day = map(int, re.split(r"[-/.年月]", date))
    try:
        return datetime(year, month, day).date().isoformat()
    except ValueError:
        return None


def _text(data: bytes) -> str:
    """Decode what such programs write on Windows: UTF-16 or UTF-8 with its mark, UTF-8, else GB18030."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("gb18030", "replace")
