"""Cursors: JSON text that a monitor reads back with mistrust, since a newer version may have written it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Final

DIGEST_CHARS: Final = 16  # 64 bits tell the items of one source apart


def read_cursor(cursor: str | None) -> dict[str, object]:
    """Read a cursor; one that is none or unreadable reads as empty."""
    try:
        value = json.loads(cursor or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def write_cursor(value: Mapping[str, object]) -> str:
    """Spell a cursor."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def texts(value: object) -> dict[str, str]:
    """Give the text entries of what should be a table of texts."""
    if not isinstance(value, dict):
        return {}
    return {str(key): each for key, each in value.items() if isinstance(each, str)}


def short_digest(data: bytes) -> str:
    """Digest bytes to 16 hex digits, to see whether an item is known and unchanged."""
    return hashlib.sha256(data).hexdigest()[:DIGEST_CHARS]
