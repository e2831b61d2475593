"""Master key → derived sub-keys; keyed digests for look-up and sealing for display."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from canary.cmac import CmacKey
from canary.errors import OutsideError, UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MASTER_BYTES = 32
NONCE_BYTES = 12  # AES-GCM, NIST SP 800-38D


@dataclass(frozen=True, slots=False)
class Keys:
    """Sub-keys of one master key (HKDF-SHA256, RFC 5869); never printed."""

    master: bytes = field(repr=False)

    def derive(self, purpose: str) -> bytes:
        """Derive the 32-byte sub-key of a purpose."""
        return HKDF(SHA256(), 32, salt=None, info=b"canary/1/" + purpose.encode()).derive(self.master)

    @cached_property
    def _digest_key(self) -> bytes:
        return self.derive("digest")

    @cached_property
    def _scan_keys(self) -> dict[str, CmacKey]:
        return {}

    @cached_property
    def _box(self) -> AESGCM:
        return AESGCM(self.derive("seal"))

    def digest(self, form: str, canonical: str) -> bytes:
        """Digest a canonical value for look-up (BLAKE2b keyed, 16 bytes)."""
        text = f"{form}\0{canonical}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(text, key=self._digest_key, digest_size=16).digest()

    def scan_keys(self, form: str, canonical: Sequence[str]) -> NDArray[np.int64]:
        """Key canonical values of one form for the scan index (AES-CMAC, 64 bits, signed as databases hold them)."""
        texts = [text.encode("utf-8", "surrogatepass") for text in canonical]
        return self.scan_mac(form).of_texts(texts)

    def scan_mac(self, form: str) -> CmacKey:
        """Give the key under which the canonical values of a form become scan keys."""
        if form not in self._scan_keys:
            self._scan_keys[form] = CmacKey.of(self.derive(f"scan/{form}")[:16])
        return self._scan_keys[form]

    def seal(self, plain: bytes, place: str) -> bytes:
        """Seal bytes for one place of the registry (AES-256-GCM; the place is authenticated with them)."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._box.encrypt(nonce, plain, place.encode())

    def unseal(self, sealed: bytes, place: str) -> bytes:
        """Open sealed bytes; raises OutsideError where key or place differ or the bytes were changed."""
        try:
            return self._box.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place.encode())
        except InvalidTag:
            raise OutsideError(
                "a sealed value of the registry does not open",
                "use the master key this registry was made with",
            ) from None


def new_master() -> bytes:
    """Draw a fresh master key."""
    return secrets.token_bytes(MASTER_BYTES)


def write_secret(path: Path, secret: bytes) -> None:
    """Write a secret file of mode 0600 that did not exist before, whole or not at all."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(secret)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise UsageError(
            f"{path.name} exists already", "a home is made once; choose another --home"
        ) from None
    finally:
        temporary.unlink(missing_ok=True)


def read_master(path: Path) -> Keys:
    """Read the master key of a home (64 hex digits)."""
    try:
        master = bytes.fromhex(path.read_text("ascii").strip())
    except OSError as error:
        raise OutsideError(
            f"cannot read the master key: {error.strerror}", "restore master.key from your backup"
        ) from None
    except ValueError:
        raise OutsideError("the master key is damaged", "restore master.key from your backup") from None
    if len(master) != MASTER_BYTES:
        raise OutsideError("the master key is damaged", "restore master.key from your backup")
    return Keys(master)
