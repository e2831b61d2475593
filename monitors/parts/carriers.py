"""Webhooks of carriers that sign them: Plivo, Telnyx and Vonage; what reaches nobody of ours gives no item."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from canary.errors import OutsideError
from canary.model.sight import Item
from canary.monitors.parts.hooks import (
    STALE_SECONDS,
    TEXT_CHARS,
    Forbidden,
    Posted,
    believed_ms,
    body_key,
    call_item,
    check,
    json_object,
    moment_ms,
)

MAX_FIELDS: Final = 500
SIGNATURES: Final = 10  # Plivo sends one for each of the account's tokens
DIGESTS: Final = ("sha256", "sha512", "sha1", "md5")  # what Vonage may be told to sign messages with


@dataclass(frozen=True, slots=True)
class Plivo:
    """Calls and messages of Plivo: its signature V3, HMAC-SHA256 over address, sorted parameters and nonce."""

    public_url: str
    auth_token: str
    media: str = "application/xml"

    def read(self, posted: Posted) -> tuple[Item, ...]:
        """Verify and read one call or message."""
        pairs = _fields(posted.body)
        nonce = posted.headers.get("x-plivo-signature-v3-nonce", "")
        signed = f"{_plivo_address(self.public_url, posted.path, pairs)}.{nonce}"
        mac = hmac.new(self.auth_token.encode(), signed.encode("utf-8", "surrogatepass"), hashlib.sha256)
        given = posted.headers.get("x-plivo-signature-v3", "").split(",", SIGNATURES)
        expected = base64.b64encode(mac.digest())
        if not nonce or not any(_alike(expected, one.strip()) for one in given):
            raise Forbidden
        told = dict(pairs)
        event = "sms" if told.get("MessageUUID") else "call"
        key = told.get("MessageUUID") or told.get("CallUUID") or body_key(posted.body)
        detail = {
            name.lower(): told[name][:TEXT_CHARS]
            for name in ("From", "CallStatus", "Direction")
            if told.get(name)
        }
        return (call_item(key, posted, event, told.get("To", ""), detail, posted.now_ms),)

    def answer(self, items: tuple[Item, ...]) -> str:
        """Answer in Plivo's XML: calls are hung up, messages stay without reply."""
        return f"<Response>{'<Hangup/>' if any(one.event == 'call' for one in items) else ''}</Response>"


def _plivo_address(public_url: str, path: str, pairs: list[tuple[str, str]]) -> str:
    """Spell what Plivo signs of a POST: the address with its sorted query, a dot, and the sorted parameters."""
    place = urlsplit(public_url.rstrip("/") + path)
    query = "&".join(
        f"{name}={value}" for name, value in sorted(parse_qsl(place.query, keep_blank_values=True))
    )
    address = f"{place.scheme}://{place.netloc}{place.path}"
    if query or pairs:
        address += f"?{query}"
    if query and pairs:
        address += "."
    return address + "".join(name + value for name, value in sorted(pairs))


@dataclass(frozen=True, slots=True)
class Telnyx:
    """Events of Telnyx: Ed25519 over timestamp, a bar and the body; `public_key` is in base64 as Telnyx shows it."""

    public_key: str
    media: str = "application/json"

    def read(self, posted: Posted) -> tuple[Item, ...]:
        """Verify, and read a call that comes in or a message that was received; other events give nothing."""
        self._verify(posted)
        data = _table(json_object(posted.body).get("data"))
        payload, kind = _table(data.get("payload")), str(data.get("event_type", ""))
        if kind == "message.received":
            to, sender, event = _number(payload.get("to")), _number(payload.get("from")), "sms"
        elif kind == "call.initiated" and payload.get("direction") == "incoming":
            to, sender, event = _number(payload.get("to")), _number(payload.get("from")), "call"
        else:
            return ()
        key = str(payload.get("id") or payload.get("call_leg_id") or data.get("id") or body_key(posted.body))
        when = believed_ms(moment_ms(str(data.get("occurred_at", ""))), posted.now_ms)
        return (call_item(key, posted, event, to, {"from": sender[:TEXT_CHARS]}, when),)

    def _verify(self, posted: Posted) -> None:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        stamp = posted.headers.get("telnyx-timestamp", "").strip()
        check_fresh(moment_ms(stamp), posted.now_ms)
        try:
            key = Ed25519PublicKey.from_public_bytes(base64.b64decode(self.public_key, validate=True))
            given = base64.b64decode(posted.headers.get("telnyx-signature-ed25519", ""), validate=True)
            key.verify(given, stamp.encode("utf-8", "surrogatepass") + b"|" + posted.body)
        except (InvalidSignature, ValueError):
            raise Forbidden from None

    def answer(self, items: tuple[Item, ...]) -> str:  # noqa: ARG002 - the same for all
        """Answer that it is taken; a call that nobody answers ends by itself."""
        return "{}"


@dataclass(frozen=True, slots=True)
class Vonage:
    """Calls and messages of Vonage: a JWT (HS256) that holds the body's digest, or the signed fields of an SMS."""

    signature_secret: str
    media: str = "application/json"

    def read(self, posted: Posted) -> tuple[Item, ...]:
        """Verify and read one call or message."""
        scheme, _, token = posted.headers.get("authorization", "").partition(" ")
        told = _flat(posted)
        if scheme.lower() == "bearer":
            self._verify_token(token.strip(), posted)
        else:
            self._verify_fields(told, posted.now_ms)
        if told.get("status"):  # a call's or message's further fate
            return ()
        messages = "message_uuid", "messageId", "message-id"
        names = (*messages, "conversation_uuid", "uuid")
        key = next((told[name] for name in names if told.get(name)), body_key(posted.body))
        event = "sms" if any(told.get(name) for name in messages) else "call"
        sender = told.get("from") or told.get("msisdn") or ""
        stamp = told.get("timestamp") or told.get("message-timestamp") or ""
        when = believed_ms(moment_ms(stamp), posted.now_ms)
        return (call_item(key, posted, event, told.get("to", ""), {"from": sender[:TEXT_CHARS]}, when),)

    def _verify_token(self, token: str, posted: Posted) -> None:
        """Verify a JWT (RFC 7519) of HS256 alone, its age, and that it was made for this body."""
        signed, _, mac = token.rpartition(".")
        expected = hmac.new(
            self.signature_secret.encode(), signed.encode("utf-8", "surrogatepass"), hashlib.sha256
        ).digest()
        check(base64.urlsafe_b64encode(expected).decode().rstrip("="), mac.rstrip("="))
        head, _, claims = signed.partition(".")
        made, kind = _unpacked(claims), _unpacked(head)
        if kind.get("alg") != "HS256":
            raise Forbidden
        check_fresh(moment_ms(str(made.get("iat", ""))), posted.now_ms)
        check(hashlib.sha256(posted.body).hexdigest(), str(made.get("payload_hash", "")).lower())

    def _verify_fields(self, told: Mapping[str, str], now_ms: int) -> None:
        """Verify `sig` of an SMS: an HMAC over its other fields, sorted; which digest, the account's owner chose."""
        given = told.get("sig", "").lower()
        spelt = "".join(
            f"&{name}={told[name].replace('&', '_').replace('=', '_')}"
            for name in sorted(told)
            if name != "sig"
        ).encode("utf-8", "surrogatepass")
        macs = [hmac.new(self.signature_secret.encode(), spelt, name).hexdigest() for name in DIGESTS]
        if sum(_alike(mac.encode(), given) for mac in macs) == 0:
            raise Forbidden
        check_fresh(moment_ms(told.get("timestamp", "")), now_ms)

    def answer(self, items: tuple[Item, ...]) -> str:
        """Answer a call with an empty order of what to do, which ends it."""
        return "[]" if any(one.event == "call" for one in items) else "{}"


def check_fresh(sent_ms: int | None, now_ms: int) -> None:
    """Raise Forbidden where a signed time is missing or more than five minutes off."""
    if sent_ms is None or abs(now_ms - sent_ms) > STALE_SECONDS * 1000:
        raise Forbidden


def _alike(expected: bytes, given: str) -> bool:
    return hmac.compare_digest(expected, given.encode("utf-8", "surrogatepass"))


def _fields(body: bytes) -> list[tuple[str, str]]:
    return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MAX_FIELDS)


def _flat(posted: Posted) -> dict[str, str]:
    """Give the fields of a form or of a flat JSON object as texts."""
    if "json" not in posted.headers.get("content-type", ""):
        return dict(_fields(posted.body))
    told = json_object(posted.body)
    return {name: _number(value) if isinstance(value, dict) else str(value) for name, value in told.items()}


def _unpacked(part: str) -> dict[str, Any]:
    try:
        told = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        raise Forbidden from None
    return _table(told)


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: object) -> str:
    """Read a number that stands plain, in a table, or first in a list of such."""
    if isinstance(value, list):
        value = value[0] if value else ""
    if isinstance(value, dict):
        value = value.get("phone_number") or value.get("number") or ""
    if not isinstance(value, str | int):
        raise OutsideError("a number is no text", "send it as text")
    return str(value)
