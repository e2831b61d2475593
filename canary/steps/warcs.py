"""Evidence as WARC (ISO 28500:2017): what was fetched is kept as records, and a sighting leaves with all of its own."""

from __future__ import annotations

import gzip
import hashlib
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

from canary.model.sight import Sighting
from canary.store.captures import Capture

SAME: Final = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
HOP: Final = frozenset(
    {"content-encoding", "transfer-encoding", "content-length", "connection", "set-cookie"}
)
HEADER_CHARS: Final = 2_000
HTTP: Final = "application/http; msgtype=response"
MEDIA: Final = {"mail": "message/rfc822", "probe": "text/plain"}
LEVEL: Final = 6


@dataclass(frozen=True, slots=True)
class Exchange:
    """One answer as it came, decompressed: what was asked, when, and what was answered."""

    url: str
    time_ms: int
    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


def captures_of(found: Sequence[Exchange], items: Collection[str]) -> list[Capture]:
    """Make records of what was fetched; of an answer that is an item itself (by SHA-256) without its payload."""
    return [_capture(one, items) for one in found]


def _capture(one: Exchange, items: Collection[str]) -> Capture:
    sha256 = hashlib.sha256(one.body).hexdigest()
    names = [(name, _line(value)) for name, value in one.headers.items() if name not in HOP]
    lines = [f"HTTP/1.1 {one.status} {_reason(one.status)}", *(f"{name}: {value}" for name, value in names)]
    head = "\r\n".join([*lines, f"content-length: {len(one.body)}", "", ""]).encode("latin-1", "replace")
    about = {"WARC-Target-URI": _line(one.url), "WARC-Payload-Digest": f"sha256:{sha256}"}
    if sha256 in items:  # its payload stands in the record of the sighting
        written = _record("revisit", one.time_ms, HTTP, head, {**about, "WARC-Profile": SAME})
    else:
        written = _record("response", one.time_ms, HTTP, head + one.body, about)
    return Capture(one.time_ms, sha256, len(one.body), written)


def export(seen: Sighting, raw: bytes | None, kept: Sequence[Capture]) -> bytes:
    """Write a sighting as a WARC file (gzip): the answers it came from, then its own bytes as they came."""
    told = {
        "software": "canary",
        "format": "WARC File Format 1.1",
        "sighting": seen.id,
        "source": seen.source,
    }
    info = "".join(f"{name}: {_line(value)}\r\n" for name, value in told.items()).encode("utf-8", "replace")
    parts = [_record("warcinfo", seen.seen_ms, "application/warc-fields", info, {})]
    parts.extend(one.record for one in kept if one.record is not None)
    if raw is not None:
        about = {
            "WARC-Target-URI": f"urn:canary:sighting:{seen.id}",
            "WARC-Payload-Digest": f"sha256:{seen.sha256}",
        }
        media = MEDIA.get(seen.event, "application/octet-stream")
        parts.append(_record("resource", seen.seen_ms, media, raw, about))
    return b"".join(parts)


def _record(kind: str, time_ms: int, media: str, block: bytes, about: Mapping[str, str]) -> bytes:
    """Spell one record as a gzip member of its own; the same record has the same bytes and name again."""
    digest = hashlib.sha256(block).hexdigest()
    name = uuid.uuid5(uuid.NAMESPACE_URL, f"{kind} {time_ms} {digest} {about.get('WARC-Target-URI', '')}")
    fields = {
        "WARC-Type": kind,
        "WARC-Record-ID": f"<urn:uuid:{name}>",
        "WARC-Date": datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        **about,
        "WARC-Block-Digest": f"sha256:{digest}",
        "Content-Type": media,
        "Content-Length": str(len(block)),
    }
    lines = ["WARC/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    head = "\r\n".join(lines).encode("utf-8", "replace")
    return gzip.compress(head + block + b"\r\n\r\n", LEVEL, mtime=0)


def _reason(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Unknown"


def _line(text: str) -> str:
    return " ".join(text[:HEADER_CHARS].split())
