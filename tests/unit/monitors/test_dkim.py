"""Signatures of mails: the example of RFC 8463, and dkimpy as signer and as second judge."""

from __future__ import annotations

import base64
import random
import time
from collections.abc import Sequence

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from canary.monitors.parts.dkim import Lookup, canonical_body, is_signed, results
from tests.signed import EXAMPLE, NOW, RECORD


def txt(*records: bytes) -> Lookup:
    asked: list[str] = []

    def lookup(name: str) -> Sequence[bytes]:
        asked.append(name)
        assert name.endswith("._domainkey.football.example.com")
        return records

    return lookup


def test_the_example_of_the_standard() -> None:
    assert results(EXAMPLE, txt(RECORD), NOW) == "pass d=football.example.com"


@pytest.mark.parametrize(
    ("old", "new", "result"),
    [
        (b"hungry", b"angry", "fail (body)"),
        (b"dinner", b"supper", "fail (signature)"),
        (b"v=1;", b"v=2;", "fail (incomplete)"),
        (b"s=brisbane;", b"", "fail (incomplete)"),
        (b"ed25519-sha256", b"rsa-sha1", "fail (algorithm)"),
        (b"h=from", b"h=x-from", "fail (signature)"),
        (b"i=@football.example.com", b"i=@example.com", "fail (identity)"),
        (b"t=1528637909", b"x=1528637908", "fail (expired)"),
        (b"relaxed/relaxed", b"relaxed/loose", "fail (canonicalization)"),
        (b"relaxed/relaxed", b"relaxed", "fail (body)"),
        (b"q=dns/txt", b"l=100000", "fail (length)"),
        (b"q=dns/txt", b"l=-1", "fail (length)"),
        (b"q=dns/txt", b"v=1", "fail (a tag comes twice)"),
        (b"s=brisbane", b"s=../x", "fail (domain)"),
        (b"bh=2jUS", b"bh=!!", "fail (base64)"),
        (b"  Are", b" Are", "pass"),
        (b"Is dinner", b"Is  \t dinner", "pass"),
        (b"Joe.\r\n", b"Joe.  \r\n\r\n\r\n", "pass"),
        (b"DKIM-Signature", b"dkim-signature ", "pass"),
    ],
)
def test_what_was_changed(old: bytes, new: bytes, result: str) -> None:
    changed = EXAMPLE.replace(old, new, 1)
    assert changed != EXAMPLE
    assert results(changed, txt(RECORD), NOW).startswith(result)


@pytest.mark.parametrize(
    "records",
    [(), (RECORD, RECORD), (b"v=DKIM1; k=ed25519; p=",), (b"v=DKIM2; k=ed25519; p=eA==",), (b"k=rsa; p=eA==",),
     (b"k=ed25519; p=eA==",), (RECORD + b"; h=sha1",), (RECORD + b"; s=tlsrpt",), (b"\xff" * 100,)],
)  # fmt: skip
def test_keys_that_are_none(records: tuple[bytes, ...]) -> None:
    assert results(EXAMPLE, txt(*records), NOW).startswith("fail (")


def test_a_resolver_that_fails_is_no_verdict() -> None:
    def lookup(name: str) -> Sequence[bytes]:
        raise OSError

    assert results(EXAMPLE, lookup, NOW) == "temperror d=football.example.com"


def test_no_signature_and_too_many() -> None:
    bare = EXAMPLE[EXAMPLE.index(b"From:") :]
    assert results(bare, txt(), NOW) == "none"
    assert (is_signed(bare), is_signed(EXAMPLE)) == (False, True)
    many = EXAMPLE[: len(EXAMPLE) - len(bare)] * 5 + bare
    assert results(many, txt(RECORD), NOW).count("pass") == 3
    assert results(EXAMPLE + b"x" * 1_000_000, txt(RECORD), NOW) == "unchecked (too long)"


@pytest.fixture(scope="module")
def key() -> RSAPrivateKey:
    return generate_private_key(65_537, 1_024)


def strange_mail(chance: random.Random) -> bytes:
    """Make a mail whose white space and line ends are what a signer may meet."""
    pieces = [b" ", b"\t", b"\r\n", b"x", b"  y", "张".encode(), b"\r\n\r\n", b"z \t"]
    subject = b"".join(chance.choice([b"a", b" ", b"\t", b"\r\n b"]) for _ in range(8))
    body = b"".join(chance.choice(pieces) for _ in range(chance.randrange(30)))
    return b"From: a@football.example.com\r\nSubject: s%b\r\nSubject:two\r\n\r\n%b\r\n" % (subject, body)


def judged(mail: bytes, found: Lookup) -> bool:
    try:
        return bool(dkim.verify(mail, dnsfunc=lambda name, timeout=5: found(name.decode().rstrip("."))[0]))
    except dkim.DKIMException:
        return False


def test_what_dkimpy_signs_holds_and_what_was_changed_does_not(key: RSAPrivateKey) -> None:
    chance = random.Random(5)
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    found = txt(b"v=DKIM1; k=rsa; p=" + base64.b64encode(public))
    for number in range(60):
        mail = strange_mail(chance)
        style = tuple(chance.choice([b"simple", b"relaxed"]) for _ in range(2))
        head = dkim.sign(
            mail, b"brisbane", b"football.example.com", private, canonicalize=style, length=number % 5 == 0,
            include_headers=[b"from", b"subject"],
        )  # fmt: skip
        signed = head + mail
        assert results(signed, found, NOW) == "pass d=football.example.com", (style, mail)
        at = chance.randrange(len(head), len(signed) - 2)
        changed = signed[:at] + chance.choice([b"", b" ", b"!"]) + signed[at + 1 :]
        assert results(changed, found, NOW).startswith("pass") == judged(changed, found), (style, changed)


@pytest.mark.parametrize("body", [b" " * 900_000, b"\t \r" * 300_000, b"\r\n" * 450_000])
def test_a_hostile_body_takes_no_longer_than_another(body: bytes) -> None:
    began = time.process_time()
    for relaxed in (False, True):
        canonical_body(body, relaxed)
    assert time.process_time() - began < 2
