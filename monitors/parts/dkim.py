"""Signatures of mails (DKIM, RFC 6376 and 8463), verified in time linear in the message whatever it holds.

Of the domain that signed, a mail that a canary's alias received is evidence; so the result is noted when it comes in,
while the key can be asked for.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

MOST_SIGNATURES: Final = 3
MOST_HEADERS: Final = 1_000
MOST_BYTES: Final = 1_000_000  # a longer mail is not checked
LOOKUP_SECONDS: Final = 2.0
RSA_BITS: Final = range(1024, 4097)  # RFC 8301
_NAME: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]{0,200}[a-z0-9_])?", re.IGNORECASE)
_B: Final = re.compile(rb"((?:^|;)[ \t\r\n]*b[ \t\r\n]*=)[^;]*")
_ENDS: Final = re.compile(rb"(?:\n\r)*")  # line ends, read from behind
_FIELD: Final = re.compile(rb"[!-9;-~]{1,200}")
_SPACES: Final = re.compile(rb"[ \t]+")

Lookup = Callable[[str], Sequence[bytes]]
"""Gives the TXT records of a name, none where there are none; raises OSError where nobody can say."""


class _Bad(Exception):
    """A signature that does not hold, and in one word why."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One DKIM-Signature field, its tags read."""

    tags: dict[str, str]
    field: bytes  # as it stands, name and all

    @property
    def domain(self) -> str:
        """Give the domain that signed."""
        return self.tags.get("d", "").lower()


def results(message: bytes, lookup: Lookup, now_s: float) -> str:
    """Say of each signature whether it holds: `pass d=example.com`, several parted by semicolons, or `none`."""
    head, _, body = message.partition(b"\r\n\r\n")
    fields = _fields(head)
    found = [one for name, one in fields if name == b"dkim-signature"][:MOST_SIGNATURES]
    if not found:
        return "none"
    if len(message) > MOST_BYTES or len(fields) > MOST_HEADERS:
        return "unchecked (too long)"
    return "; ".join(_result(field, fields, body, lookup, now_s) for field in found)


def is_signed(message: bytes) -> bool:
    """Tell whether a mail may be signed at all."""
    return b"dkim-signature" in message.partition(b"\r\n\r\n")[0].lower()


def _result(
    field: bytes, fields: Sequence[tuple[bytes, bytes]], body: bytes, lookup: Lookup, now_s: float
) -> str:
    domain = ""
    try:
        signature = Signature(_tags(field.partition(b":")[2]), field)
        domain = signature.domain if _NAME.fullmatch(signature.domain) else ""
        _verify(signature, fields, body, lookup, now_s)
    except _Bad as error:
        return f"fail ({error}){f' d={domain}' if domain else ''}"
    except OSError:
        return f"temperror d={domain}"
    return f"pass d={domain}"


def _verify(
    signature: Signature, fields: Sequence[tuple[bytes, bytes]], body: bytes, lookup: Lookup, now_s: float
) -> None:
    """Raise _Bad where a signature does not hold, OSError where its key cannot be had."""
    tags = signature.tags
    kind, _, digest = tags.get("a", "").partition("-")
    names = [name.strip().lower() for name in tags.get("h", "").split(":")]
    _demand(tags.get("v") == "1" and {"b", "bh", "d", "s", "h"} <= tags.keys(), "incomplete")
    _demand(kind in ("rsa", "ed25519") and digest == "sha256", "algorithm")
    _demand(all(_FIELD.fullmatch(name) for name, _ in fields), "header")
    _demand("from" in names and len(names) <= MOST_HEADERS, "from is not signed")
    _demand(_belongs(tags.get("i", "@" + signature.domain), signature.domain), "identity")
    _demand(not tags.get("x", "").isdigit() or int(tags["x"][:12]) >= now_s, "expired")
    of_head, _, of_body = tags.get("c", "simple/simple").partition("/")
    of_body = of_body or "simple"
    _demand({of_head, of_body} <= {"simple", "relaxed"}, "canonicalization")
    whole = canonical_body(body, of_body == "relaxed")
    if "l" in tags:
        _demand(tags["l"].isascii() and tags["l"].isdigit() and int(tags["l"][:12]) <= len(whole), "length")
        whole = whole[: int(tags["l"][:12])]
    _demand(_unpacked(tags["bh"]) == hashlib.sha256(whole).digest(), "body")
    signed = b"".join(one + b"\r\n" for one in _chosen(fields, names, of_head == "relaxed"))
    last = _canonical_field(_B.sub(rb"\1", signature.field), of_head == "relaxed")
    _check(_key(signature, kind, lookup), _unpacked(tags["b"]), signed + last)


def _check(key: RSAPublicKey | Ed25519PublicKey, mac: bytes, signed: bytes) -> None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        if isinstance(key, Ed25519PublicKey):
            key.verify(mac, hashlib.sha256(signed).digest())
        else:
            key.verify(mac, signed, PKCS1v15(), SHA256())
    except InvalidSignature:
        raise _Bad("signature") from None


def _key(signature: Signature, kind: str, lookup: Lookup) -> RSAPublicKey | Ed25519PublicKey:
    """Ask for the key of a signature and read it."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    selector = signature.tags["s"]
    _demand(bool(_NAME.fullmatch(selector) and _NAME.fullmatch(signature.domain)), "domain")
    records = lookup(f"{selector}._domainkey.{signature.domain}")
    _demand(len(records) == 1, "no key")
    tags = _tags(records[0])
    _demand(
        tags.get("v", "DKIM1") == "DKIM1" and tags.get("k", "rsa") == kind and bool(tags.get("p")), "no key"
    )
    _demand("sha256" in tags.get("h", "sha256").split(":"), "algorithm")
    _demand(bool({"*", "email"} & {one.strip() for one in tags.get("s", "*").split(":")}), "no key")
    raw = _unpacked(tags["p"])
    try:
        key = Ed25519PublicKey.from_public_bytes(raw) if kind == "ed25519" else load_der_public_key(raw)
    except (ValueError, UnsupportedAlgorithm):
        raise _Bad("no key") from None
    if isinstance(key, RSAPublicKey):
        _demand(key.key_size in RSA_BITS, "key size")
    elif not isinstance(key, Ed25519PublicKey):
        raise _Bad("no key")
    return key


def canonical_body(body: bytes, relaxed: bool) -> bytes:
    """Spell a body as it is signed (RFC 6376, 3.4.3 and 3.4.4)."""
    if relaxed:
        body = b"\r\n".join(_SPACES.sub(b" ", line.rstrip(b" \t")) for line in body.split(b"\r\n"))
    tail = body[len(body.rstrip(b"\r\n")) :]
    empty = _ENDS.match(tail[::-1])
    whole = body[: len(body) - (empty.end() if empty else 0)]
    return whole + b"\r\n" if whole or not relaxed else b""


def _canonical_field(field: bytes, relaxed: bool) -> bytes:
    if not relaxed:
        return field
    name, _, value = field.partition(b":")
    plain = _SPACES.sub(b" ", value.replace(b"\r\n", b"")).strip(b" \t")
    return name.strip(b" \t").lower() + b":" + plain


def _chosen(fields: Sequence[tuple[bytes, bytes]], names: Sequence[str], relaxed: bool) -> Iterator[bytes]:
    """Give the fields that were signed: of each name the last one that is left."""
    left: dict[bytes, list[bytes]] = {}
    for name, field in fields:
        left.setdefault(name, []).append(field)
    for wanted in names:
        if rest := left.get(wanted.encode("utf-8", "replace")):
            yield _canonical_field(rest.pop(), relaxed)


def _fields(head: bytes) -> list[tuple[bytes, bytes]]:
    """Part a header into its fields, lower-case name first, folded lines with the one before them."""
    fields: list[list[bytes]] = []
    for line in head.split(b"\r\n"):
        if line[:1] in (b" ", b"\t") and fields:
            fields[-1].append(line)
        else:
            fields.append([line])
    whole = [b"\r\n".join(lines) for lines in fields]
    return [(one.partition(b":")[0].strip(b" \t").lower(), one) for one in whole]


def _tags(text: bytes) -> dict[str, str]:
    """Read `name=value; …`; raises _Bad where a name comes twice."""
    tags: dict[str, str] = {}
    for part in text.decode("utf-8", "replace").split(";"):
        name, equals, value = part.partition("=")
        name = name.strip()
        if equals:
            _demand(name not in tags, "a tag comes twice")
            tags[name] = " ".join(value.split())
    return tags


def _belongs(identity: str, domain: str) -> bool:
    host = identity.rpartition("@")[2].lower()
    return host == domain or host.endswith("." + domain)


def _unpacked(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except ValueError:
        raise _Bad("base64") from None


def _demand(good: bool, why: str) -> None:
    if not good:
        raise _Bad(why)


def ask_dns(name: str) -> list[bytes]:
    """Ask the system's resolver for TXT records, for two seconds at most."""
    import dns.exception
    import dns.resolver

    try:
        answer = dns.resolver.resolve(name, "TXT", lifetime=LOOKUP_SECONDS, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except dns.exception.DNSException as error:
        raise OSError(type(error).__name__) from None
    return [b"".join(one.strings) for one in answer]
