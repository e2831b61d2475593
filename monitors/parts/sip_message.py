"""Requests and answers of SIP (RFC 3261) over UDP, as far as a listener that declines every call needs them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

LONGEST: Final = 65_535  # bytes of a packet
MOST_HEADERS: Final = 100
SHORT: Final = {"v": "via", "f": "from", "t": "to", "i": "call-id", "l": "content-length", "m": "contact"}
METHODS: Final = ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "REGISTER", "MESSAGE")
ALLOW: Final = "INVITE, ACK, CANCEL, BYE, OPTIONS, MESSAGE"
COPIED: Final = ("from", "to", "call-id", "cseq")
SPELT: Final = {"from": "From", "to": "To", "call-id": "Call-ID", "cseq": "CSeq"}
_FIRST: Final = re.compile(r"([A-Z]{1,20}) (\S{1,2000}) SIP/2\.0")
_USER: Final = re.compile(r"(?:sips?:(?:([^@?>\s]{1,200})@)|tel:([^;?>\s]{1,200}))", re.IGNORECASE)
_SENT_BY: Final = re.compile(
    r"\s*SIP\s*/\s*2\.0\s*/\s*UDP\s+(?:\[[^\]]*\]|[^\s:;,]+)(?:\s*:\s*(\d{1,5}))?", re.IGNORECASE
)
_RPORT: Final = re.compile(r";\s*rport(?=\s*(?:;|,|$))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `headers` by lower-case name, each with its values in order."""

    method: str
    uri: str
    headers: Mapping[str, Sequence[str]]
    raw: bytes

    def first(self, name: str) -> str:
        """Give the first value of a header, "" where it is missing."""
        return next(iter(self.headers.get(name, ())), "")

    @property
    def number(self) -> str:
        """Give who is called: the user of the address asked for."""
        return user_of(self.uri)

    @property
    def caller(self) -> str:
        """Give who calls, as the caller says."""
        return user_of(self.first("from"))


def read_request(packet: bytes) -> Request | None:
    """Read a packet; None where it is no whole request, which nobody need answer."""
    if len(packet) > LONGEST:
        return None
    head = packet.partition(b"\r\n\r\n")[0].decode("latin-1")
    first, *lines = head.split("\r\n")
    found = _FIRST.fullmatch(first)
    headers = _headers(lines)
    if found is None or headers is None or not all(headers.get(name) for name in ("via", *COPIED)):
        return None
    return Request(found[1], found[2], headers, packet)


def _headers(lines: Sequence[str]) -> dict[str, list[str]] | None:
    if len(lines) > MOST_HEADERS:
        return None
    headers: dict[str, list[str]] = {}
    last: list[str] | None = None
    for line in lines:
        if line[:1] in (" ", "\t") and last:
            last[-1] += " " + line.strip()
            continue
        name, colon, value = line.partition(":")
        if not colon or "\n" in line or "\r" in line:
            return None
        name = name.strip().lower()
        last = headers.setdefault(SHORT.get(name, name), [])
        last.append(value.strip())
    return headers


def user_of(address: str) -> str:
    """Give the user of a SIP or tel address, without parameters; "" where there is none."""
    found = _USER.search(address)
    return re.split("[:;]", found[1] or found[2] or "")[0] if found else ""


def answer_to(
    request: Request, status: str, tag: str, place: tuple[str, int], more: Sequence[str] = ()
) -> bytes:
    """Write an answer such as "603 Decline", with what must be copied, a tag, and where the request came from."""
    top, *vias = request.headers["via"]
    lines = [f"SIP/2.0 {status}", f"Via: {_RPORT.sub(f';rport={place[1]}', top, 1)};received={place[0]}"]
    lines += [f"Via: {via}" for via in vias]
    for name in COPIED:
        value = request.first(name)
        tagged = name == "to" and ";tag=" not in value.lower()
        lines.append(f"{SPELT[name]}: {value}{f';tag={tag}' if tagged else ''}")
    lines += [*more, "Content-Length: 0", "", ""]
    return "\r\n".join(lines).encode("latin-1")


def answer_port(request: Request, port: int) -> int:
    """Give the port an answer goes to: where it came from if it asks so (RFC 3581), else the one it names."""
    via = request.first("via")
    if _RPORT.search(via):
        return port
    found = _SENT_BY.match(via)
    named = int(found[1]) if found and found[1] else 5060
    return named if 0 < named < 65536 else port
