"""Webhooks of telephone providers: each verifies its provider's signature before it reads anything."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol
from urllib.parse import parse_qsl

from canary.errors import OutsideError
from canary.model.sight import Item

STALE_SECONDS: Final = 300
LATE_MS: Final = 86_400_000  # a provider's own time is believed if it is at most a day old
TEXT_CHARS: Final = 500
EVENTS: Final = {
    "call": "call",
    "voice": "call",
    "sms": "sms",
    "message": "sms",
    "text": "sms",
    "access": "access",
}
GENERIC_TOLD: Final = ("from", "time", "account")
TWILIO_DIGESTS: Final = {"HMAC_SHA1": hashlib.sha1, "HMAC_SHA256": hashlib.sha256}
TWILIO_TOLD: Final = ("From", "CallStatus", "CallerName", "FromCountry", "Direction")


class Forbidden(OutsideError):
    """A hook whose signature is wrong, missing or stale."""

    def __init__(self) -> None:
        super().__init__("the signature is wrong, missing or stale", "check the secret on both sides")


@dataclass(frozen=True, slots=True)
class Posted:
    """What was posted: path with query, lower-case headers, body, and when."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    now_ms: int


class Hook(Protocol):
    """One provider's hook: reads the items out of what was posted, and knows what to answer."""

    @property
    def media(self) -> str:
        """Give the media type of the answer."""
        ...

    def read(self, posted: Posted) -> tuple[Item, ...]:
        """Verify and read, none where nobody was reached; raises Forbidden, or OutsideError for nonsense."""
        ...

    def answer(self, items: tuple[Item, ...]) -> str:
        """Give the body of the answer."""
        ...


@dataclass(frozen=True, slots=True)
class Twilio:
    """Calls and messages of Twilio: an HMAC over the public address and the sorted parameters.

    It is of SHA-1, or of the digest that Twilio names where a shared key signs and not the account's token.
    """

    public_url: str
    auth_token: str
    media: str = "text/xml"

    def read(self, posted: Posted) -> tuple[Item, ...]:
        """Verify and read one call or message."""
        pairs = parse_qsl(posted.body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=500)
        signed = (
            self.public_url.rstrip("/")
            + posted.path
            + "".join(name + value for name, value in sorted(set(pairs)))
        )
        digest = _twilio_digest(posted.headers.get("x-twilio-webhooks-signature-settings", ""))
        mac = hmac.new(self.auth_token.encode(), signed.encode("utf-8", "surrogatepass"), digest)
        check(base64.b64encode(mac.digest()).decode(), posted.headers.get("x-twilio-signature", ""))
        told = dict(pairs)
        key = told.get("CallSid") or told.get("MessageSid") or told.get("SmsSid") or body_key(posted.body)
        event = "call" if told.get("CallSid") else "sms"
        detail = {name.lower(): told[name][:TEXT_CHARS] for name in TWILIO_TOLD if told.get(name)}
        number = told.get("To", "").rpartition(":")[2]
        return (call_item(key, posted, event, number, detail, posted.now_ms),)

    def answer(self, items: tuple[Item, ...]) -> str:
        """Answer in TwiML: calls are rejected, messages stay without reply."""
        inner = "<Reject/>" if any(one.event == "call" for one in items) else ""
        return f'<?xml version="1.0" encoding="UTF-8"?><Response>{inner}</Response>'


def _twilio_digest(settings: str) -> Callable[[], Any]:
    """Choose the digest by what Twilio says of its signature: `key=…,algorithm=HMAC_SHA256`."""
    told = dict(part.strip().split("=", 1) for part in settings.split(",", 10) if "=" in part)
    digest = TWILIO_DIGESTS.get(told.get("algorithm", "").upper() or "HMAC_SHA1")
    if digest is None:
        raise Forbidden
    return digest


@dataclass(frozen=True, slots=True)
class Generic:
    """Anybody's JSON: HMAC-SHA256 over timestamp, a dot and the body."""

    secret: str
    media: str = "application/json"

    def read(self, posted: Posted) -> tuple[Item, ...]:
        """Verify and read one call or message."""
        stamp = posted.headers.get("x-canary-timestamp", "").strip()
        mac = hmac.new(
            self.secret.encode(), stamp.encode("utf-8", "surrogatepass") + b"." + posted.body, hashlib.sha256
        )
        check("sha256=" + mac.hexdigest(), posted.headers.get("x-canary-signature", ""))
        sent = moment_ms(stamp)
        if sent is None or abs(posted.now_ms - sent) > STALE_SECONDS * 1000:
            raise Forbidden
        told = json_object(posted.body)
        event = EVENTS.get(str(told.get("event", "")).lower())
        if event is None:
            raise OutsideError(
                "the event is none of call, sms and access", 'send {"event": "call" | "sms" | "access", …}'
            )
        detail = {name: str(told[name])[:TEXT_CHARS] for name in GENERIC_TOLD if told.get(name)}
        key = str(told.get("id") or body_key(posted.body))
        when = moment_ms(str(told.get("time", "")))
        believed = believed_ms(when, posted.now_ms)
        if event == "access":  # an application tells what an account did; canaries are looked for in the text
            return (Item(key, posted.body, believed, event, None, "application/json", detail),)
        return (call_item(key, posted, event, str(told.get("to", "")), detail, believed),)

    def answer(self, items: tuple[Item, ...]) -> str:  # noqa: ARG002 - the same for all
        """Answer that it is taken."""
        return '{"taken": true}'


def check(expected: str, given: str) -> None:
    """Compare signatures in constant time; raises Forbidden where they differ."""
    if not hmac.compare_digest(expected.encode(), given.strip().encode("utf-8", "surrogatepass")):
        raise Forbidden


def body_key(body: bytes) -> str:
    """Name an item by its body where its provider gave no name."""
    return "sha256-" + hashlib.sha256(body).hexdigest()[:32]


def call_item(
    key: str, posted: Posted, event: str, number: str, detail: Mapping[str, str], time_ms: int
) -> Item:
    """Make the item of one call or message; raises OutsideError where no number was reached."""
    if not number.strip():
        raise OutsideError("no number was reached", "send the number that was called as `to`")
    media = posted.headers.get("content-type", "application/octet-stream")[:200]
    return Item(key, posted.body, time_ms, event, number.strip(), media, dict(detail))


def moment_ms(text: str) -> int | None:
    """Read seconds since 1970 or RFC 3339 as milliseconds, None where it is neither."""
    try:
        return int(float(text) * 1000)
    except (ValueError, OverflowError):
        pass
    try:
        moment = datetime.fromisoformat(text)
        return int(moment.timestamp() * 1000) if moment.tzinfo else None
    except (ValueError, OverflowError, OSError):
        return None


def believed_ms(when: int | None, now_ms: int) -> int:
    """Give a provider's own time where it can be believed, else the time of arrival."""
    return when if when is not None and 0 <= now_ms - when <= LATE_MS else now_ms


def json_object(body: bytes) -> dict[str, object]:
    """Read a body that is a JSON object; raises OutsideError where it is none."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise OutsideError("the body is no JSON object", 'send {"id", "event", "to", "from", "text", "time"}')
    return told
