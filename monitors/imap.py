"""A mailbox that takes the mail of alias domains elsewhere: each new message, by UID and UIDVALIDITY."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.message import Message as Parsed
from email.parser import BytesHeaderParser
from email.utils import getaddresses
from typing import Final
from urllib.parse import unquote, urlsplit

from canary.errors import UsageError
from canary.model.sight import Item, Poll
from canary.monitors.parts.cursors import read_cursor, short_digest, write_cursor
from canary.monitors.parts.mailbox import Message, Place, read_news
from canary.monitors.parts.settings import Settings
from canary.ports import Fetch, Monitor

INTERVAL = 60
HEADER_BYTES: Final = 65_536
MOST_ADDRESSES: Final = 200  # of one message
DETAIL_CHARS: Final = 500
ENVELOPE: Final = ("X-Original-To", "Envelope-To", "X-Envelope-To")  # what a server notes of the envelope
WRITTEN: Final = ("Delivered-To", "To", "Cc", "Bcc", "Resent-To")
TOLD: Final = {
    "message_id": "Message-ID",
    "mail_from": "From",
    "subject": "Subject",
    "authentication_results": "Authentication-Results",
}
_FOR: Final = re.compile(r"\bfor\s+<([^<>\s]{3,320})>")
_ADDRESS: Final = re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One mailbox; nothing in it is changed or marked as seen."""

    place: Place

    def poll(self, cursor: str | None, fetch: Fetch) -> Poll:  # noqa: ARG002 - IMAP is not HTTP
        """Give an item for each address of the new messages; a gap where the mailbox was made anew."""
        before = read_cursor(cursor)
        news = read_news(self.place, before.get("validity"), before.get("uid"))
        items = [item for message in news.messages for item in _items(message)]
        after = write_cursor({"validity": news.validity, "uid": news.upto})
        return Poll(tuple(items), after, before.get("validity", news.validity) != news.validity, news.more)


def _items(message: Message) -> Iterable[Item]:
    headers = _headers(message.raw)
    told = {name: _text(headers, header)[:DETAIL_CHARS] for name, header in TOLD.items()}
    if message.size > len(message.raw):
        told["bytes"] = str(message.size)
    name = told["message_id"] or f"sha256-{hashlib.sha256(message.raw).hexdigest()[:32]}"
    for alias in _reached(headers):
        key = f"{name}#{short_digest(alias.encode('utf-8', 'surrogatepass'))}"
        yield Item(key, message.raw, message.time_ms, "mail", alias, "message/rfc822", told)


def _headers(raw: bytes) -> Parsed:
    """Read the headers; a hostile one reads as empty."""
    top = re.split(rb"\r?\n\r?\n", raw[:HEADER_BYTES], maxsplit=1)[0]
    try:
        return BytesHeaderParser().parsebytes(top + b"\r\n\r\n")
    except Exception:  # the email package raises whatever it stumbles over
        return Parsed()


def _text(headers: Parsed, name: str) -> str:
    try:
        return " ".join(str(headers.get(name, "")).split())
    except Exception:  # as above
        return ""


def _reached(headers: Parsed) -> list[str]:
    """Give the addresses a message came to: those of its envelope where a server noted them, else all it names."""
    found = _addresses(headers, ENVELOPE) or [*_addresses(headers, WRITTEN), *_routed(headers)]
    return list(dict.fromkeys(found))[:MOST_ADDRESSES]


def _addresses(headers: Parsed, names: Iterable[str]) -> list[str]:
    try:
        lines = [str(line) for name in names for line in headers.get_all(name, [])]
        pairs = getaddresses(lines)
    except Exception:  # as above
        return []
    return [address.lower() for _, address in pairs if _ADDRESS.fullmatch(address)]


def _routed(headers: Parsed) -> list[str]:
    """Give whom the servers on the way say they took it for."""
    lines = [str(line) for line in headers.get_all("Received", [])[:10]]
    return [found.lower() for line in lines for found in _FOR.findall(line) if _ADDRESS.fullmatch(found)]


def _place(url: str, password: str) -> Place:
    """Read `imaps://user@host:port/FOLDER`; raises UsageError."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    tls = parts.scheme == "imaps"
    folder = unquote(parts.path.lstrip("/")) or "INBOX"
    if parts.scheme not in ("imap", "imaps") or not parts.hostname or not parts.username:
        raise UsageError(
            "the setting 'url' names no mailbox", "give it as imaps://user@mail.example.org/INBOX"
        )
    if parts.password or not folder.isascii():
        what = "holds a password" if parts.password else "names a folder that is not ASCII"
        raise UsageError(
            f"the setting 'url' {what}", "give `password` by itself, and folders as IMAP spells them"
        )
    return Place(
        parts.hostname, port or (993 if tls else 143), tls, unquote(parts.username), folder, password
    )


def monitor(settings: Mapping[str, object]) -> Monitor:
    """Make the monitor of one mailbox from `url` (imaps, or imap with STARTTLS) and `password`."""
    read = Settings(settings)
    made = Mailbox(_place(read.text("url"), read.text("password")))
    read.done()
    return made
