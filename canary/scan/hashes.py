"""The hex digests under which a value may stand in a leak instead of the value itself."""

from __future__ import annotations

import hashlib
from typing import Final

from canary.fields.roles import form_of

ALGORITHMS: Final = ("md5", "sha1", "sha256")
BY_LENGTH: Final = {32: "md5", 40: "sha1", 64: "sha256"}


def hash_variants(role: str, canonical: str) -> tuple[str, ...]:
    """Give the spellings of a canonical value that people hash."""
    form = form_of(role)
    if form == "phone":
        digits = canonical.removeprefix("0")
        return canonical, f"+86{digits}", f"86{digits}", f"0086{digits}", f"+86 {digits}", f"+{canonical}"
    if form in ("email", "code"):
        return canonical.lower(), canonical.upper()
    return (canonical,)


def hashed_forms(role: str, canonical: str, value: str = "") -> list[str]:
    """Give the lower-case hex MD5, SHA-1 and SHA-256 of a value and its common variants (and as planted)."""
    texts = dict.fromkeys([*hash_variants(role, canonical), *([value] if value else [])])
    return [_hex(algorithm, text) for text in texts for algorithm in ALGORITHMS]


def _hex(algorithm: str, text: str) -> str:
    return hashlib.new(algorithm, text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()
