"""The entries of a feed (RSS, Atom, JSON Feed), each with the bytes it came in where they can be told."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from canary.errors import OutsideError
from canary.monitors.parts.cursors import short_digest

DETAIL_CHARS: Final = 500
MAX_ENTRIES: Final = 20_000  # a feed of more is no feed
MAX_BYTES: Final = 10_000_000
MAX_DEPTH: Final = 200
TORN_BYTES: Final = 20_000  # in which a torn entry names itself
_BOMS: Final = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_DECLARED: Final = re.compile(rb"\s{0,20}<\?xml[^>]{0,100}encoding\s{0,5}=\s{0,5}[\"']([A-Za-z0-9._-]{1,40})")
_DECLARATION: Final = re.compile(r"\A\s{0,20}<\?xml[^>]{0,200}\?>")
_CHARSET: Final = re.compile(r"charset=[\"']?([A-Za-z0-9._-]{1,40})")
_NAME: Final = re.compile(rb"<(?:guid|id|link)\b[^>]{0,200}>([^<]{1,500})<")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its name at the source, its bytes, and what it says of itself."""

    key: str
    raw: bytes
    media: str
    detail: dict[str, str]


def read_entries(body: bytes, content_type: str) -> list[Entry]:
    """Read the entries of a feed in its order; raises OutsideError where it is none."""
    if len(body) > MAX_BYTES:
        raise OutsideError(
            f"the source answered a feed of {len(body)} bytes", f"feeds have at most {MAX_BYTES}"
        )
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
    slices = list(islice(_slices(body), MAX_ENTRIES + 1))
    if len(slices) > MAX_ENTRIES:
        raise OutsideError(
            f"the source answered a feed of more than {MAX_ENTRIES} entries", "check its address"
        )
    text = _as_utf8(body, content_type)
    if not _well_formed(text):
        return _torn_entries(slices)
    import feedparser

    # A stream and not the bytes: of bytes, feedparser would open the file they name.
    parsed = feedparser.parse(io.BytesIO(text), sanitize_html=False, resolve_relative_uris=False)
    if not parsed.entries and not parsed.get("version"):
        raise OutsideError("the source answered something that is no feed", "check the feed's address")
    exact = len(slices) == len(parsed.entries)
    return [
        _xml_entry(entry, slices[place] if exact else _rebuilt(entry), exact)
        for place, entry in enumerate(parsed.entries)
    ]


def _as_utf8(body: bytes, content_type: str) -> bytes:
    """Spell a feed in UTF-8, whatever its BOM, its declaration or its server says it is in."""
    declared = _DECLARED.match(body[:200])
    charset = _CHARSET.search(content_type[:200])
    bom = next((name for mark, name in _BOMS.items() if body.startswith(mark)), None)
    named = bom or (declared[1].decode() if declared else charset[1] if charset else "utf-8")
    try:
        text = body.decode(named, "replace")
    except LookupError:
        text = body.decode("utf-8", "replace")
    return _DECLARATION.sub("", text.lstrip("\ufeff"), count=1).encode("utf-8", "replace")


def _well_formed(text: bytes) -> bool:
    """Tell whether the strict parser will do: the lenient one of feedparser takes hours over hostile bytes."""
    from xml.parsers import expat

    parser = expat.ParserCreate()
    depth = 0

    def start(_name: str, _attributes: object) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise _TooDeep

    def end(_name: str) -> None:
        nonlocal depth
        depth -= 1

    parser.StartElementHandler, parser.EndElementHandler = start, end
    try:
        parser.Parse(text, True)
    except (expat.ExpatError, _TooDeep):
        return False
    return True


class _TooDeep(Exception):
    """Elements are nested deeper than any feed does."""


def _torn_entries(slices: Sequence[bytes]) -> list[Entry]:
    """Read the entries of a feed that is no XML: their bytes, and a name if they say one plainly."""
    if not slices:
        raise OutsideError("the source answered something that is no feed", "check the feed's address")
    return [Entry(_named(raw), raw, "application/xml", {}) for raw in slices]


def _named(raw: bytes) -> str:
    found = _NAME.search(raw[:TORN_BYTES])
    return found[1].decode("utf-8", "replace").strip() if found else ""


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
