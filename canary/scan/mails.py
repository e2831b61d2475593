"""Mails: one message or a whole mailbox, with the decoded texts and the attachments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.header import decode_header
from email.message import Message

_HEADER = re.compile(
    rb"(?:from|to|cc|subject|date|received|message-id|mime-version|return-path|delivered-to|content-type|reply-to|x-[\w-]+|dkim-signature"
    rb"|content-transfer-encoding|sender|envelope-to):",
    re.I,
)
_MBOX = re.compile(rb"(?:\A|\n)From [^\r\n]*\r?\n(?=[A-Za-z][\w-]*:)")


def is_mailbox(head: bytes) -> bool:
    """Tell whether a part is a mailbox of messages."""
    return _MBOX.match(head) is not None


def is_mail(head: bytes) -> bool:
    """Tell whether a part is one message: at least two headers of mail before the first blank line."""
    lines = re.split(rb"\r?\n", head[:16384].lstrip(b"\r\n"))
    if not lines or not _HEADER.match(lines[0]):
        return False
    block = lines[: lines.index(b"")] if b"" in lines else lines
    return sum(_HEADER.match(line) is not None for line in block) >= 2


def messages(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Divide a mailbox into named messages."""
    borders = [found.end() for found in _MBOX.finditer(data)]
    ends = [found.start() for found in _MBOX.finditer(data)][1:]
    for number, (start, end) in enumerate(zip(borders, [*ends, len(data)], strict=True), 1):
        yield f"message {number}", data[start:end].replace(b"\n>From ", b"\nFrom ")


def mail_parts(data: bytes) -> Iterator[tuple[str, bytes, bool]]:
    """Give the parts of a message: (name, decoded bytes, whether it is an attachment); the headers first."""
    message = message_from_bytes(data)
    headers = "".join(f"{name}: {_header(str(value))}\n" for name, value in message.items())
    yield "headers", headers.encode("utf-8", "surrogateescape"), False
    for number, part in enumerate(message.walk(), 1):
        if part.is_multipart():
            continue
        payload = _payload(part)
        name = _header(part.get_filename() or "")
        yield (name or f"part {number}"), payload, bool(name) or part.get_content_maintype() != "text"


def _payload(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    data = (
        payload if isinstance(payload, bytes) else str(part.get_payload()).encode("utf-8", "surrogateescape")
    )
    charset = part.get_content_charset()
    if part.get_content_maintype() == "text" and charset not in (None, "utf-8", "us-ascii"):
        try:
            return data.decode(str(charset)).encode()
        except (LookupError, UnicodeDecodeError):
            return data
    return data


def _header(text: str) -> str:
    """Decode a header (RFC 2047), the text as it stands where that fails."""
    try:
        pieces = decode_header(text)
        return "".join(
            piece if isinstance(piece, str) else piece.decode(charset or "utf-8", "replace")
            for piece, charset in pieces
        )
    except (LookupError, ValueError):
        return text
