"""The entries of a feed (RSS, Atom, JSON Feed), each with the bytes it came in where they can be told."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from canary.errors import OutsideError
from canary.monitors.parts.cursors import short_digest

DETAIL_CHARS: Final = 500
MAX_ENTRIES: Final = 20_000  # a feed of more is no feed
_BOMS: Final = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its name at the source, its bytes, and what it says of itself."""

    key: str
    raw: bytes
    media: str
    detail: dict[str, str]


def read_entries(body: bytes, content_type: str) -> list[Entry]:
    """Read the entries of a feed in its order; raises OutsideError where it is none."""
    text = body.lstrip(b"\xef\xbb\xbf \t\r\n")
    found = _json_entries(text) if text[:1] == b"{" else _xml_entries(body, content_type)
    return _distinct(found[:MAX_ENTRIES])


def _distinct(entries: Sequence[Entry]) -> list[Entry]:
    """Tell entries apart that share one name, by their content: their order changes as newer ones come."""
    times = Counter(entry.key for entry in entries)
    named = [
        entry
        if entry.key and times[entry.key] == 1
        else Entry(f"{entry.key}#{short_digest(entry.raw)}", entry.raw, entry.media, entry.detail)
        for entry in entries
    ]
    return list({entry.key: entry for entry in named}.values())


def _json_entries(text: bytes) -> list[Entry]:
    try:
        items = json.loads(text)["items"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise OutsideError("the source answered JSON that is no feed", "check the feed's address") from None
    if not isinstance(items, list):
        raise OutsideError("the source answered JSON that is no feed", "check the feed's address")
    return [_json_entry(item) for item in items if isinstance(item, dict)]


def _json_entry(item: dict[str, Any]) -> Entry:
    raw = json.dumps(item, ensure_ascii=False, sort_keys=True).encode("utf-8", "surrogatepass")
    detail = {"title": item.get("title"), "link": item.get("url"), "published": item.get("date_published")}
    key = item.get("id") or item.get("url") or ""
    return Entry(str(key), raw, "application/json", _short(detail))


def _xml_entries(body: bytes, content_type: str) -> list[Entry]:
    import feedparser

    # A stream and not the bytes: of bytes, feedparser would open the file they name.
    parsed = feedparser.parse(
        io.BytesIO(body),
        response_headers={"content-type": content_type} if content_type else {},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    if not parsed.entries and not parsed.get("version"):
        raise OutsideError("the source answered something that is no feed", "check the feed's address")
    slices = list(_slices(body))
    exact = len(slices) == len(parsed.entries)
    return [
        _xml_entry(entry, slices[place] if exact else _rebuilt(entry), exact)
        for place, entry in enumerate(parsed.entries)
    ]


def _xml_entry(entry: Any, raw: bytes, exact: bool) -> Entry:
    detail = {"title": entry.get("title"), "link": entry.get("link"), "published": entry.get("published")}
    key = entry.get("id") or entry.get("link") or ""
    return Entry(str(key), raw, "application/xml" if exact else "application/json", _short(detail))


def _rebuilt(entry: Any) -> bytes:
    plain = {key: value for key, value in entry.items() if not key.endswith("_parsed")}
    return json.dumps(plain, ensure_ascii=False, sort_keys=True, default=str).encode("utf-8", "surrogatepass")


def _slices(body: bytes) -> Iterator[bytes]:
    """Cut out the elements `item` or `entry`, in time linear in the body whatever it holds."""
    if encoding := _BOMS.get(body[:2]):
        body = body[2:].decode(encoding, "replace").encode("utf-8", "replace")
    lower = body.lower()
    atom = b"<entry" in lower and b"<item" not in lower
    opening, closing = (b"<entry", b"</entry>") if atom else (b"<item", b"</item>")
    at = 0
    while (start := lower.find(opening, at)) >= 0:
        at = start + len(opening)
        if lower[at : at + 1] not in (b">", b" ", b"\t", b"\r", b"\n"):
            continue  # another element, such as <items>
        end = lower.find(closing, at)
        if end < 0:
            return
        at = end + len(closing)
        yield body[start:at]


def _short(detail: dict[str, object]) -> dict[str, str]:
    return {key: value[:DETAIL_CHARS] for key, value in detail.items() if isinstance(value, str) and value}
