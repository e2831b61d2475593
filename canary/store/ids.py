"""Random ids that tell nothing: a prefix and 65 random bits."""

from __future__ import annotations

import os
from base64 import b32encode
from typing import Final

ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz234567"  # base32 of RFC 4648, lower case
LENGTH: Final = 13
DRAWN: Final = 9  # bytes, of which 65 bits are shown


def new_id(prefix: str) -> str:
    """Draw a fresh id such as `r-k3v…`: the prefix and 13 characters of base32."""
    return prefix + b32encode(os.urandom(DRAWN))[:LENGTH].decode().lower()
