"""Random ids that tell nothing: a prefix and 65 random bits."""

from __future__ import annotations

import secrets
from typing import Final

ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz234567"  # base32 of RFC 4648, lower case
LENGTH: Final = 13


def new_id(prefix: str) -> str:
    """Draw a fresh id such as `r-k3v…`: the prefix and 13 characters of base32."""
    return prefix + "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
