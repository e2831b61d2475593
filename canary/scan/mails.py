"""Mails: one message or a whole mailbox, with the decoded texts and the attachments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.header import decode_header
from email.message import Message
from typing import BinaryIO, Final

from canary.patterns import late
from canary.scan.budget import Refused

STEP: Final = 1 << 20

_HEADER = late(
    rb"(?:from|to|cc|bcc|subject|date|received|message-id|mime-version|return-path|delivered-to|content-type|reply-to"
    rb"|x-[\w-]+|dkim-signature|content-transfer-encoding|sender|envelope-to|list-id|in-reply-to|references"
    rb"|authentication-results|arc-[\w-]+):",
    re.I,
)
_MBOX = late(rb"(?:\A|\n)From [^\r\n]{0,998}\r?\n(?=[A-Za-z][\w-]{0,76}:)")
_LONGEST_BORDER: Final = 1100  # bytes of a border of messages


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


def messages(head: bytes, stream: BinaryIO, most: int) -> Iterator[tuple[str, bytes]]:
    """Divide a mailbox into named messages while it is read; raises Refused at one longer than `most` bytes."""
    held, number, searched = head, 0, 1
    while True:
        border = _MBOX.search(held, searched)
        if border is not None:
            number += 1
            yield f"message {number}", _unquoted(held[: border.start()])
            held, searched = held[border.start() + 1 :], 1
            continue
        searched = max(1, len(held) - _LONGEST_BORDER)
        data = stream.read(STEP)
        if not data:
            break
        held += data
        if len(held) > most:
            raise Refused(f"a message longer than {most} bytes")
    yield f"message {number + 1}", _unquoted(held)


def _unquoted(data: bytes) -> bytes:
    """Take the line that begins a message in a mailbox away, and the marks before such lines inside it."""
    return data.partition(b"\n")[2].replace(b"\n>From ", b"\nFrom ")


def mail_parts(data: bytes) -> Iterator[tuple[str, bytes, bool]]:
    """Give the parts of a message: (name, decoded bytes, whether it is an attachment); the headers first."""
    number = 0
    for part in message_from_bytes(data).walk():
        if number == 0 or part.get_content_type() == "message/rfc822":
            for inner in (part,) if number == 0 else part.get_payload():
                if isinstance(inner, Message):
                    yield ("headers" if number == 0 else f"headers of part {number}"), _headers(inner), False
        number += 1
        if part.is_multipart():
            for text in (part.preamble, part.epilogue):
                if text and text.strip():
                    yield f"around part {number}", text.encode("utf-8", "surrogateescape"), False
            continue
        name = _header(part.get_filename() or "")
        yield (name or f"part {number}"), _payload(part), bool(name) or part.get_content_maintype() != "text"


def _headers(message: Message) -> bytes:
    lines = "".join(f"{name}: {_header(str(value))}\n" for name, value in message.items())
    return lines.encode("utf-8", "surrogateescape")


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
