"""Hooks of carriers: what their own packages sign is read, everything else is refused.

The signatures of Plivo and Vonage below are theirs; the packages themselves judge in `tests/contract/monitors`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from canary.errors import OutsideError
from canary.monitors.parts.carriers import Plivo, Telnyx, Vonage
from canary.monitors.parts.hooks import Forbidden, Posted
from tests.watch_tools import NOW_MS

PLIVO = Plivo("https://example.com", "plivo-token")
CALL = {"From": "+8613900000000", "To": "8614000000001", "CallUUID": "c-1", "CallStatus": "ringing"}
SMS = {"To": "8614000000001", "MessageUUID": "m-1", "Text": "你好 &+", "From": "x"}
CALL_SIGNED = "30cZ0dgoexIMX0eF1wUM3sBxuk/c4H5VSxib91a068Q="
SMS_SIGNED = "+KeWzqTjkQQ0IqdqvfTewFqbkxTp7JUQmfFqmlhGaQ0="


def plivo(
    fields: dict[str, str], signature: str, path: str = "/hooks/plivo", nonce: str = "nonce-1"
) -> Posted:
    headers = {"x-plivo-signature-v3": signature, "x-plivo-signature-v3-nonce": nonce}
    return Posted(path, headers, urlencode(fields).encode(), NOW_MS)


def test_a_plivo_call_and_message() -> None:
    (call,) = PLIVO.read(plivo(CALL, f"other,{CALL_SIGNED}"))
    assert (call.key, call.event, call.contact) == ("c-1", "call", "8614000000001")
    assert call.detail == {"from": "+8613900000000", "callstatus": "ringing"}
    assert PLIVO.answer((call,)) == "<Response><Hangup/></Response>"
    (sms,) = PLIVO.read(plivo(SMS, SMS_SIGNED, "/hooks/plivo?b=2&a=1"))
    assert (sms.key, sms.event, sms.contact) == ("m-1", "sms", "8614000000001")
    assert PLIVO.answer((sms,)) == "<Response></Response>"


@pytest.mark.parametrize(
    "posted",
    [
        plivo(CALL, ""),
        plivo(CALL, "签名"),
        plivo(CALL, CALL_SIGNED, nonce=""),
        plivo(CALL, CALL_SIGNED, nonce="nonce-2"),
        plivo(CALL, CALL_SIGNED, "/hooks/plivo?x=1"),
        plivo({**CALL, "To": "1"}, CALL_SIGNED),
        plivo(SMS, SMS_SIGNED),
    ],
)
def test_what_plivo_did_not_sign(posted: Posted) -> None:
    with pytest.raises(Forbidden):
        PLIVO.read(posted)


KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
TELNYX = Telnyx(base64.b64encode(KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode())
RECEIVED = {
    "data": {
        "event_type": "message.received",
        "id": "e-1",
        "occurred_at": "2025-06-15T15:06:39.000Z",
        "payload": {
            "id": "m-1",
            "from": {"phone_number": "+86139"},
            "to": [{"phone_number": "+8614000000001"}],
        },
    }
}


def telnyx(told: object, stamp: str = str(NOW_MS // 1000), signer: Ed25519PrivateKey = KEY) -> Posted:
    body = json.dumps(told).encode()
    mac = base64.b64encode(signer.sign(stamp.encode() + b"|" + body)).decode()
    return Posted("/hooks/telnyx", {"telnyx-timestamp": stamp, "telnyx-signature-ed25519": mac}, body, NOW_MS)


def incoming(direction: str) -> dict[str, object]:
    payload = {"call_leg_id": "l-1", "direction": direction, "from": "+86139", "to": "+8614000000001"}
    return {"data": {"event_type": "call.initiated", "id": "e-2", "payload": payload}}


def test_a_telnyx_message_and_call() -> None:
    (sms,) = TELNYX.read(telnyx(RECEIVED))
    assert (sms.key, sms.event, sms.contact, sms.detail) == (
        "m-1",
        "sms",
        "+8614000000001",
        {"from": "+86139"},
    )
    assert sms.time_ms == 1_749_999_999_000
    (call,) = TELNYX.read(telnyx(incoming("incoming")))
    assert (call.key, call.event, call.contact) == ("l-1", "call", "+8614000000001")
    assert TELNYX.answer((call,)) == "{}"


@pytest.mark.parametrize("told", [incoming("outgoing"), {"data": {"event_type": "call.hangup"}}, {}])
def test_other_telnyx_events_reach_nobody(told: object) -> None:
    assert TELNYX.read(telnyx(told)) == ()


def test_a_telnyx_number_that_is_none() -> None:
    broken = {"data": {"event_type": "message.received", "payload": {"from": "x", "to": [[]]}}}
    with pytest.raises(OutsideError, match="no text"):
        TELNYX.read(telnyx(broken))


@pytest.mark.parametrize(
    "posted",
    [
        telnyx(RECEIVED, signer=Ed25519PrivateKey.from_private_bytes(bytes(32))),
        telnyx(RECEIVED, str(NOW_MS // 1000 - 301)),
        telnyx(RECEIVED, ""),
        Posted(
            "/", {"telnyx-timestamp": str(NOW_MS // 1000), "telnyx-signature-ed25519": "签"}, b"{}", NOW_MS
        ),
        Posted("/", {}, b"{}", NOW_MS),
    ],
)
def test_what_telnyx_did_not_sign(posted: Posted) -> None:
    with pytest.raises(Forbidden):
        TELNYX.read(posted)


def test_a_telnyx_key_that_is_none() -> None:
    with pytest.raises(Forbidden):
        Telnyx("no key").read(telnyx(RECEIVED))


SECRET = "vonage-secret"
VONAGE = Vonage(SECRET)
FIELDS = {
    "msisdn": "8613900000000", "to": "8614000000001", "messageId": "m-9", "text": "a&b=c", "type": "text",
    "timestamp": "1750000000",
}  # fmt: skip
SIGNED = {
    "md5": "240e23c71396105090ad1b8dd0d51f65",
    "sha256": "666484F5C7EA8483AD75D5E22260316494F03A1334EA0BF965F5DF6C14CDA987",
    "sha512": "f0230de240f0e3005deb2d462c5e141905f402331711bafaab1a78ba24b6455017751ca00607dd263a88ab365f942138"
    "f799fdafa80a46f39d9b90f298cd43c7",
}


def form(fields: dict[str, str], now_ms: int = NOW_MS) -> Posted:
    return Posted("/hooks/vonage", {}, urlencode(fields).encode(), now_ms)


def packed(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def jwt(
    body: bytes, alg: str = "HS256", iat: int = NOW_MS // 1000, digest: str = "", secret: str = SECRET
) -> Posted:
    claims = {"iat": iat, "payload_hash": digest or hashlib.sha256(body).hexdigest()}
    signed = f"{packed({'alg': alg, 'typ': 'JWT'})}.{packed(claims)}"
    mac = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest()
    token = f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    return Posted("/hooks/vonage", headers, body, NOW_MS)


@pytest.mark.parametrize("method", sorted(SIGNED))
def test_a_signed_vonage_message(method: str) -> None:
    (sms,) = VONAGE.read(form({**FIELDS, "sig": SIGNED[method]}))
    assert (sms.key, sms.event, sms.contact, sms.time_ms) == ("m-9", "sms", "8614000000001", NOW_MS)
    assert sms.detail == {"from": "8613900000000"}
    assert VONAGE.answer((sms,)) == "{}"


def test_a_vonage_call_and_message_under_a_token() -> None:
    body = json.dumps(
        {"from": "86139", "to": "8614000000001", "uuid": "u", "conversation_uuid": "CON-1"}
    ).encode()
    (call,) = VONAGE.read(jwt(body))
    assert (call.key, call.event, call.contact) == ("CON-1", "call", "8614000000001")
    assert VONAGE.answer((call,)) == "[]"
    told = {"message_uuid": "m-2", "to": {"number": "8614000000001"}, "from": {"number": "86139"}}
    (sms,) = VONAGE.read(jwt(json.dumps(told).encode()))
    assert (sms.key, sms.event, sms.contact, sms.detail) == ("m-2", "sms", "8614000000001", {"from": "86139"})


def test_a_vonage_status_reaches_nobody() -> None:
    assert VONAGE.read(jwt(b'{"status": "completed", "to": "8614000000001"}')) == ()


BODY = b'{"to": "1", "from": "2"}'


@pytest.mark.parametrize(
    "posted",
    [
        form(FIELDS),
        form({**FIELDS, "sig": "0" * 64}),
        form({**FIELDS, "to": "1", "sig": SIGNED["sha256"]}),
        form({**FIELDS, "sig": SIGNED["sha256"]}, NOW_MS + 301_000),
        jwt(BODY, secret="other"),
        jwt(BODY, alg="none"),
        jwt(BODY, iat=NOW_MS // 1000 - 301),
        jwt(BODY, digest="0" * 64),
        Posted("/", {"authorization": "Bearer a.b"}, BODY, NOW_MS),
        Posted("/", {"authorization": "Bearer 签"}, BODY, NOW_MS),
    ],
)
def test_what_vonage_did_not_sign(posted: Posted) -> None:
    with pytest.raises(Forbidden):
        VONAGE.read(posted)


def test_a_signed_token_of_rubbish() -> None:
    mac = hmac.new(SECRET.encode(), b"!.!", hashlib.sha256).digest()
    token = "!.!." + base64.urlsafe_b64encode(mac).decode()
    with pytest.raises(Forbidden):
        VONAGE.read(Posted("/", {"authorization": f"Bearer {token}"}, BODY, NOW_MS))
