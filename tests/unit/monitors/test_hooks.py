"""Hooks: only what its provider signed is read, and each provider in its own way."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from urllib.parse import urlencode

import pytest

from canary.errors import OutsideError, UsageError
from canary.model.sight import Item
from canary.monitors.parts.hooks import Forbidden, Generic, Hook, Posted, Twilio, moment_ms
from canary.monitors.phone import receiver
from tests.watch_tools import NOW_MS

TOKEN, SECRET = "12345", "s3cret"
TWILIO = Twilio("https://example.com/", TOKEN)
GENERIC = Generic(SECRET)
CALL = {
    "CallSid": "CA1",
    "From": "+8613900000000",
    "To": "+8614000000001",
    "Digits": "",
    "CallStatus": "ringing",
}


def read(hook: Hook, posted: Posted) -> Item:
    (item,) = hook.read(posted)
    return item


def twilio(fields: dict[str, str], path: str = "/hooks/twilio", signature: str | None = None) -> Posted:
    signed = "https://example.com" + path + "".join(name + fields[name] for name in sorted(fields))
    mac = base64.b64encode(hmac.new(TOKEN.encode(), signed.encode(), hashlib.sha1).digest()).decode()
    headers = {"x-twilio-signature": mac if signature is None else signature}
    return Posted(path, headers, urlencode(fields).encode(), NOW_MS)


def generic(body: object, stamp: object = NOW_MS // 1000, signature: str | None = None) -> Posted:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    mac = "sha256=" + hmac.new(SECRET.encode(), f"{stamp}.".encode() + raw, hashlib.sha256).hexdigest()
    headers = {
        "x-canary-timestamp": str(stamp),
        "x-canary-signature": mac if signature is None else signature,
    }
    return Posted("/hooks/generic", headers, raw, NOW_MS)


def test_the_example_of_twilios_own_documentation() -> None:
    fields = {
        "CallSid": "CA1234567890ABCDE", "Caller": "+14158675309", "Digits": "1234", "From": "+14158675309",
        "To": "+18005551212",
    }  # fmt: skip
    one = Twilio("https://mycompany.com", TOKEN)
    headers = {"x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="}
    item = read(one, Posted("/myapp.php?foo=1&bar=2", headers, urlencode(fields).encode(), NOW_MS))
    assert (item.key, item.event, item.contact) == ("CA1234567890ABCDE", "call", "+18005551212")


def test_a_twilio_call_and_message() -> None:
    call = read(TWILIO, twilio(CALL))
    assert (call.key, call.event, call.contact, call.time_ms) == ("CA1", "call", "+8614000000001", NOW_MS)
    assert call.detail == {"from": "+8613900000000", "callstatus": "ringing"}
    assert "<Reject/>" in TWILIO.answer((call,))
    sms = read(TWILIO, twilio({"MessageSid": "SM1", "To": "whatsapp:+861", "From": "x", "Body": "中文 &+"}))
    assert (sms.key, sms.event, sms.contact) == ("SM1", "sms", "+861")
    assert "<Reject/>" not in TWILIO.answer((sms,))
    assert read(TWILIO, twilio({"To": "+861"})).key.startswith("sha256-")


@pytest.mark.parametrize("signature", ["", "x", "RSOYDt4T1cUTdK1PDd93/VVr8B8=", "签名"])
def test_a_wrong_twilio_signature(signature: str) -> None:
    with pytest.raises(Forbidden):
        read(TWILIO, twilio(CALL, signature=signature))


def test_a_changed_twilio_body_or_path() -> None:
    good = twilio(CALL)
    with pytest.raises(Forbidden):
        read(TWILIO, Posted(good.path, good.headers, good.body + b"&To=1", NOW_MS))
    with pytest.raises(Forbidden):
        read(TWILIO, Posted("/hooks/twilio?x=1", good.headers, good.body, NOW_MS))
    with pytest.raises(ValueError, match="fields"):
        read(TWILIO, Posted(good.path, good.headers, b"a=1&" * 501, NOW_MS))


def test_a_generic_call_and_message() -> None:
    told = {"id": "7", "event": "call", "to": "14000000001", "from": "139", "time": "2025-06-15T15:06:39Z"}
    call = read(GENERIC, generic(told))
    assert (call.key, call.event, call.contact, call.time_ms) == (
        "7",
        "call",
        "14000000001",
        1_749_999_999_000,
    )
    assert call.raw == json.dumps(told).encode()
    assert GENERIC.answer((call,)) == '{"taken": true}'
    sms = read(GENERIC, generic({"event": "SMS", "to": 14000000001, "time": "2035-01-01T00:00:00Z"}))
    assert (sms.event, sms.contact, sms.time_ms) == ("sms", "14000000001", NOW_MS)


@pytest.mark.parametrize("away", [-301, 301, -(10**9), "", "x", "nan", "inf", "1e400", "٣"])
def test_a_stale_generic_hook(away: object) -> None:
    stamp = NOW_MS // 1000 + away if isinstance(away, int) else away
    with pytest.raises(Forbidden):
        read(GENERIC, generic({"event": "sms", "to": "1"}, stamp))


@pytest.mark.parametrize("signature", ["", "sha256=", "sha256=" + "0" * 64, "签名"])
def test_a_wrong_generic_signature(signature: str) -> None:
    with pytest.raises(Forbidden):
        read(GENERIC, generic({"event": "sms", "to": "1"}, signature=signature))


def test_a_replayed_body_under_a_new_time_is_the_same_item() -> None:
    told = {"event": "sms", "to": "1"}
    first, second = read(GENERIC, generic(told)), read(GENERIC, generic(told, NOW_MS // 1000 - 60))
    assert (first.key, first.raw) == (second.key, second.raw)


NONSENSE = [
    b"", b"[]", b"{", b"[" * 10_000, b"\xff", {}, {"event": "mail", "to": "1"}, {"event": "sms"},
    {"event": "sms", "to": " "},
]  # fmt: skip


@pytest.mark.parametrize("body", NONSENSE)
def test_a_signed_body_that_makes_no_sense(body: object) -> None:
    with pytest.raises(OutsideError) as told:
        read(GENERIC, generic(body))
    assert not isinstance(told.value, Forbidden)


MOMENTS = [
    ("1.5", 1500),
    ("2025-06-15T15:06:40+00:00", NOW_MS),
    ("2025-06-15T15:06:40", None),
    ("x", None),
    ("", None),
]


@pytest.mark.parametrize(("text", "ms"), MOMENTS)
def test_moments(text: str, ms: int | None) -> None:
    assert moment_ms(text) == ms


def test_phone_settings() -> None:
    with pytest.raises(UsageError, match="no hook"):
        receiver({"listen": "127.0.0.1:0"})
    with pytest.raises(UsageError, match="public_url"):
        receiver({"listen": "127.0.0.1:0", "twilio": {"auth_token": "x"}})
    with pytest.raises(UsageError, match="public_url"):
        receiver({"listen": "127.0.0.1:0", "generic": {"secret": "x"}, "plivo": {"auth_token": "x"}})
    for table in ({"generic": {"secret": ""}}, {"generic": {"secret": "x", "more": 1}}, {"generic": 5}):
        with pytest.raises(UsageError):
            receiver({"listen": "127.0.0.1:0", **table})
