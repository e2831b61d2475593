"""Checkpoints as signed notes: C2SP tlog-checkpoint and signed-note, Ed25519."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from canary.errors import OutsideError
from canary.keys import write_secret
from canary.ledger.merkle import HASH_BYTES

SEED_BYTES: Final = 32
PUBLIC_BYTES: Final = 32
MOST_SIGNATURES: Final = 100  # a signed note may hold more, a checkpoint of ours holds one

_ED25519: Final = b"\x01"
_SIGNATURE: Final = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")
_UNSPEAKABLE: Final = re.compile("[\x00-\x09\x0b-\x1f\ud800-\udfff]")
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_RESTORE: Final = "restore the signing key from your backup"
_HINT: Final = "a checkpoint is the signed note that `canary ledger checkpoint` writes"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a checkpoint says: the log's origin, its number of entries and its root hash."""

    origin: str
    size: int
    root: bytes


def key_id(name: str, public: bytes) -> bytes:
    """Give the 4-byte id of an Ed25519 note key: SHA-256(name || 0x0A || 0x01 || public key)[:4]."""
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]


def origin_of(public: bytes) -> str:
    """Name the log that a public key signs; the name needs no registration since the key is in it."""
    return f"canary.ledger/{hashlib.sha256(public).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class Signer:
    """The Ed25519 key that signs checkpoints; it can live apart from the registry."""

    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.seed) != SEED_BYTES:
            raise OutsideError(
                f"a signing key of {len(self.seed)} bytes, expected {SEED_BYTES}",
                _RESTORE,
            )

    @classmethod
    def create(cls, path: Path) -> Signer:
        """Draw a signing key and write it to a new file of mode 0600 (64 hex digits)."""
        signer = cls(secrets.token_bytes(SEED_BYTES))
        write_secret(path, signer.seed.hex().encode() + b"\n")
        return signer

    @classmethod
    def load(cls, reference: str | Path, environment: Mapping[str, str] | None = None) -> Signer:
        """Load a signing key (64 hex digits) from a path, `file:PATH` or `env:NAME`."""
        text = _read_reference(reference, os.environ if environment is None else environment)
        try:
            return cls(bytes.fromhex(text.strip()))
        except ValueError:
            raise OutsideError("the signing key is not 64 hex digits", _RESTORE) from None

    @property
    def public(self) -> bytes:
        """Give the 32-byte public key."""
        return Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()

    @property
    def origin(self) -> str:
        """Give the name of the log this key signs."""
        return origin_of(self.public)

    def sign_checkpoint(self, size: int, root: bytes) -> str:
        """Sign a checkpoint over the first `size` entries."""
        private = Ed25519PrivateKey.from_private_bytes(self.seed)
        public = private.public_key().public_bytes_raw()
        origin = origin_of(public)
        text = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"
        signature = key_id(origin, public) + private.sign(text.encode())
        return f"{text}\n— {origin} {base64.b64encode(signature).decode()}\n"


def _read_reference(reference: str | Path, environment: Mapping[str, str]) -> str:
    if isinstance(reference, str) and reference.startswith("env:"):
        name = reference.removeprefix("env:")
        if name not in environment:
            raise OutsideError(f"the signing key {name} is not in the environment", f"set {name}")
        return environment[name]
    path = Path(reference.removeprefix("file:")) if isinstance(reference, str) else reference
    try:
        return path.read_text("ascii")
    except OSError as error:
        raise OutsideError(f"cannot read the signing key: {error.strerror}", _RESTORE) from None
    except UnicodeDecodeError:
        raise OutsideError("the signing key is not 64 hex digits", _RESTORE) from None


def verifier_key(public: bytes, name: str | None = None) -> str:
    """Spell a public key as note tools take it: `name+keyid+base64(0x01 || key)`."""
    name = origin_of(public) if name is None else name
    return f"{name}+{key_id(name, public).hex()}+{base64.b64encode(_ED25519 + public).decode()}"


def parse_and_verify(note: str, public: bytes) -> Checkpoint:
    """Read a checkpoint that `public` signed; raises OutsideError where form or signature are wrong."""
    checkpoint = _parse_text(_split_note(note)[0])
    open_note(note, checkpoint.origin, public)
    return checkpoint


def open_note(note: str, name: str, public: bytes) -> str:
    """Give the text of a note that key `name` signed; raises OutsideError where it is malformed or forged."""
    text, signatures = _split_note(note)
    wanted = key_id(name, public)
    raw = [each for signed_by, each in signatures if signed_by == name and each[:4] == wanted]
    if not raw:
        raise OutsideError("the note is not signed with this key", "use the public key of this ledger")
    key = Ed25519PublicKey.from_public_bytes(public)
    try:
        for each in raw:
            key.verify(each[4:], text.encode())
    except InvalidSignature:
        raise OutsideError("the signature of the note is wrong", "it was changed or forged") from None
    return text


def _split_note(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    if "\n\n" not in note or _UNSPEAKABLE.search(note):
        raise OutsideError("not a signed note", _HINT)
    head, _, tail = note.rpartition("\n\n")
    lines = tail.split("\n")
    if lines.pop() != "" or not 1 <= len(lines) <= MOST_SIGNATURES:
        raise OutsideError("a note without signature lines", _HINT)
    return head + "\n", [_parse_signature(line) for line in lines]


def _parse_signature(line: str) -> tuple[str, bytes]:
    found = _SIGNATURE.fullmatch(line)
    raw = _decode(found[2]) if found else b""
    if found is None or len(raw) < 5:
        raise OutsideError("a malformed signature line in the note", _HINT)
    return found[1], raw


def _parse_text(text: str) -> Checkpoint:
    lines = text.split("\n")
    if len(lines) < 4 or not lines[0] or not _SIZE.fullmatch(lines[1]):
        raise OutsideError("a malformed checkpoint: expected origin, size and root", _HINT)
    root = _decode(lines[2])
    if len(root) != HASH_BYTES:
        raise OutsideError("a malformed checkpoint: its root is not a hash", _HINT)
    return Checkpoint(lines[0], int(lines[1]), root)


def _decode(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise OutsideError("bad base64 in the note", _HINT) from None
    if base64.b64encode(raw).decode() != text:
        raise OutsideError("base64 in the note that is not canonical", _HINT)
    return raw
