"""What the providers' own packages sign or take for signed is read, and what they refuse is refused."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canary.errors import OutsideError
from canary.monitors.parts.carriers import Plivo, Telnyx, Vonage
from canary.monitors.parts.hooks import Forbidden, Hook, Posted, Twilio

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::PendingDeprecationWarning")

URL, TOKEN = "https://hooks.example.org", "a token of thirty-two characters"
SEED = bytes(range(32))
CALL = {
    "CallSid": "CA1",
    "CallUUID": "c-1",
    "From": "+8613900000000",
    "To": "+8614000000001",
    "Note": "你好 &+=%",
}
SMS = {"messageId": "m-1", "msisdn": "8613900000000", "to": "8614000000001", "text": "a=b&c 你好"}
TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=20)
QUERY = st.dictionaries(
    st.text("abc_", min_size=1, max_size=8), st.text(st.characters(codec="ascii"), max_size=9), max_size=3
)
FIELDS = st.dictionaries(st.text("ABCabc_", min_size=1, max_size=8), TEXT, max_size=6)


@dataclass(frozen=True)
class Provider:
    """One provider: our hook, what its package signs, and whether it takes something for signed."""

    name: str
    hook: Callable[[str], Hook]  # of a secret
    sign: Callable[[dict[str, str], str, int], Posted]  # fields, path, seconds since 1970
    takes: Callable[[Posted, str], bool]
    fields: dict[str, str]


def now() -> int:
    return int(time.time())


def posted(path: str, headers: dict[str, str], body: bytes) -> Posted:
    return Posted(path, headers, body, now() * 1000)


def told(one: Posted) -> dict[str, str]:
    return dict(parse_qsl(one.body.decode(), keep_blank_values=True))


# Twilio


SETTINGS = "x-twilio-webhooks-signature-settings"


def twilio_sign(fields: dict[str, str], path: str, _: int, algorithm: str | None = None) -> Posted:
    from twilio.request_validator import RequestValidator

    mac = RequestValidator(TOKEN).compute_signature(URL + path, fields, algorithm)
    more = {SETTINGS: f"key=k1,algorithm={algorithm}"} if algorithm else {}
    return posted(path, {"x-twilio-signature": mac, **more}, urlencode(fields).encode())


def twilio_sign_shared(fields: dict[str, str], path: str, at: int) -> Posted:
    return twilio_sign(fields, path, at, "HMAC_SHA256")


def twilio_takes(one: Posted, secret: str) -> bool:
    from twilio.request_validator import RequestValidator, get_signature_algorithm

    validator = RequestValidator(secret)
    expected = validator.compute_signature(
        URL + one.path, told(one), get_signature_algorithm(one.headers.get(SETTINGS))
    )
    if SETTINGS not in one.headers:
        taken = validator.validate(URL + one.path, told(one), one.headers["x-twilio-signature"])
        assert taken == (expected == one.headers["x-twilio-signature"])
    return bool(expected == one.headers["x-twilio-signature"])


# Plivo


def plivo_sign(fields: dict[str, str], path: str, _: int) -> Posted:
    from plivo.utils.signature_v3 import construct_post_url, get_signature_v3

    nonce = "12345678901234567890"
    mac = get_signature_v3(TOKEN, construct_post_url(URL + path, fields).decode(), nonce).decode()
    headers = {"x-plivo-signature-v3": f"other,{mac}", "x-plivo-signature-v3-nonce": nonce}
    return posted(path, headers, urlencode(fields).encode())


def plivo_takes(one: Posted, secret: str) -> bool:
    from plivo.utils import validate_v3_signature

    nonce, mac = one.headers["x-plivo-signature-v3-nonce"], one.headers["x-plivo-signature-v3"]
    return bool(validate_v3_signature("POST", URL + one.path, nonce, secret, mac, told(one)))


# Telnyx: its package verifies only, so the key signs


def telnyx_package() -> ModuleType:
    """Load the one file of the package that verifies: the whole of it takes seconds to import."""
    package = importlib.util.find_spec("telnyx")
    assert package is not None
    assert package.origin is not None
    path = Path(package.origin).with_name("lib") / "webhook_verification.py"
    spec = importlib.util.spec_from_file_location("telnyx_verification", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def telnyx_key(secret: str) -> Any:
    from nacl.signing import SigningKey

    return SigningKey(hashlib.sha256(secret.encode()).digest())


def telnyx_public(secret: str) -> str:
    return base64.b64encode(bytes(telnyx_key(secret).verify_key)).decode()


def telnyx_sign(fields: dict[str, str], path: str, at: int) -> Posted:
    number = {"phone_number": fields.get("To", "1")}
    payload = {"id": "m-1", "from": {"phone_number": "+86139"}, "to": [number], "text": json.dumps(fields)}
    body = json.dumps({"data": {"event_type": "message.received", "payload": payload}}).encode()
    mac = telnyx_key(TOKEN).sign(f"{at}|".encode() + body).signature
    headers = {"telnyx-timestamp": str(at), "telnyx-signature-ed25519": base64.b64encode(mac).decode()}
    return posted(path, headers, body)


def telnyx_takes(one: Posted, secret: str) -> bool:
    package = telnyx_package()
    try:
        package.verify_webhook_signature(one.body, one.headers, telnyx_public(secret))
    except package.WebhookVerificationError:
        return False
    return True


# Vonage: fields of an SMS signed by its package, and a token (JWT) that its package verifies


def vonage_auth(secret: str, method: str) -> Any:
    from vonage_http_client.auth import Auth

    return Auth(api_key="k", api_secret="s", signature_secret=secret, signature_method=method)


def vonage_signer(method: str) -> Callable[[dict[str, str], str, int], Posted]:
    def sign(fields: dict[str, str], path: str, at: int) -> Posted:
        signed = {**fields, "timestamp": str(at)}
        signed["sig"] = vonage_auth(TOKEN, method).sign_params(dict(signed))
        return posted(path, {"content-type": "application/x-www-form-urlencoded"}, urlencode(signed).encode())

    return sign


def vonage_judge(method: str) -> Callable[[Posted, str], bool]:
    def takes(one: Posted, secret: str) -> bool:
        return bool(vonage_auth(secret, method).check_signature(told(one)))

    return takes


def vonage_token(fields: dict[str, str], path: str, at: int) -> Posted:
    import jwt

    body = json.dumps(fields).encode()
    claims = {"iat": at, "jti": "j-1", "iss": "Vonage", "payload_hash": hashlib.sha256(body).hexdigest()}
    token = jwt.encode(claims, TOKEN, "HS256")
    headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
    return posted(path, headers, body)


def vonage_token_taken(one: Posted, secret: str) -> bool:
    import jwt
    from vonage_jwt import verify_signature

    token = one.headers["authorization"].removeprefix("Bearer ")
    if not verify_signature(token, secret):
        return False
    claims = jwt.decode(
        token, secret, algorithms=["HS256"]
    )  # whose body it is, Vonage leaves to who receives it
    return bool(claims["payload_hash"] == hashlib.sha256(one.body).hexdigest())


PROVIDERS = [
    Provider("twilio", lambda secret: Twilio(URL, secret), twilio_sign, twilio_takes, CALL),
    Provider("twilio-shared", lambda secret: Twilio(URL, secret), twilio_sign_shared, twilio_takes, CALL),
    Provider("plivo", lambda secret: Plivo(URL, secret), plivo_sign, plivo_takes, CALL),
    Provider("telnyx", lambda secret: Telnyx(telnyx_public(secret)), telnyx_sign, telnyx_takes, CALL),
    *(
        Provider(f"vonage-{one}", Vonage, vonage_signer(one), vonage_judge(one), SMS)
        for one in ("md5", "sha1", "sha256", "sha512")
    ),
    Provider("vonage-token", Vonage, vonage_token, vonage_token_taken, SMS),
]
SIGN_ADDRESS = {"twilio", "twilio-shared", "plivo"}
SIGN_TIME = {"telnyx", "vonage-md5", "vonage-sha1", "vonage-sha256", "vonage-sha512"}
every = pytest.mark.parametrize("provider", PROVIDERS, ids=lambda one: one.name)


def reads(hook: Hook, one: Posted) -> bool:
    """Tell whether a hook takes something for signed, whatever else it thinks of it."""
    try:
        hook.read(one)
    except Forbidden:
        return False
    except OutsideError:
        return True
    return True


@every
@pytest.mark.parametrize("path", ["/hooks/x", "/hooks/x?b=2&a=1"])
def test_what_is_signed_is_read(provider: Provider, path: str) -> None:
    one = provider.sign(provider.fields, path, now())
    assert provider.takes(one, TOKEN)
    (item,) = provider.hook(TOKEN).read(one)
    assert item.contact is not None
    assert item.contact.lstrip("+") == "8614000000001"


@every
def test_what_was_changed_is_refused_by_both(provider: Provider) -> None:
    signed = provider.sign(provider.fields, "/hooks/x", now())
    changed = [
        replace(signed, body=signed.body.replace(b"4000000001", b"4000000002")),
        replace(signed, body=signed.body.replace(b"8614", b"8615")),
    ]
    if provider.name in SIGN_ADDRESS:
        changed += [replace(signed, path="/hooks/y"), replace(signed, path="/hooks/x?a=1")]
    for one in changed:
        assert one != signed
        assert not provider.takes(one, TOKEN)
        assert not reads(provider.hook(TOKEN), one)
    assert not provider.takes(signed, TOKEN + "x")
    assert not reads(provider.hook(TOKEN + "x"), signed)


@pytest.mark.parametrize(
    "provider", [one for one in PROVIDERS if one.name not in SIGN_ADDRESS], ids=lambda one: one.name
)
def test_what_is_old_is_refused(provider: Provider) -> None:
    for off in (-400, 400):
        old = provider.sign(provider.fields, "/hooks/x", now() + off)
        assert not reads(provider.hook(TOKEN), old)
    if provider.name == "telnyx":  # of the others, the packages leave the age to who receives
        assert not provider.takes(old, TOKEN)


@pytest.mark.parametrize("name", ["telnyx-timestamp", "timestamp"])
def test_a_time_that_was_changed_is_refused_by_both(name: str) -> None:
    for provider in PROVIDERS:
        if provider.name not in SIGN_TIME or (provider.name == "telnyx") != name.startswith("telnyx"):
            continue
        signed, later = provider.sign(provider.fields, "/hooks/x", now()), str(now() + 7).encode()
        headers = {**signed.headers, **({name: later.decode()} if name in signed.headers else {})}
        stamp = told(signed).get("timestamp", "-").encode()
        one = replace(signed, headers=headers, body=signed.body.replace(b"p=" + stamp, b"p=" + later))
        assert one != signed
        assert not provider.takes(one, TOKEN)
        assert not reads(provider.hook(TOKEN), one)


@every
@settings(max_examples=25, deadline=None)
@given(fields=FIELDS, query=QUERY)
def test_whatever_is_signed_is_taken(
    provider: Provider, fields: dict[str, str], query: dict[str, str]
) -> None:
    if provider.name.startswith("vonage"):
        fields = {"to": "1", **fields}
    path = "/hooks/x" + (f"?{urlencode(query)}" if query else "")
    one = provider.sign(dict(fields), path, now())
    assert provider.takes(one, TOKEN)
    assert reads(provider.hook(TOKEN), one)


def test_a_digest_that_twilio_has_not_is_refused() -> None:
    signed = twilio_sign_shared(CALL, "/hooks/x", now())
    other = replace(signed, headers={**signed.headers, SETTINGS: "key=k1,algorithm=HMAC_MD5"})
    assert not reads(Twilio(URL, TOKEN), other)
