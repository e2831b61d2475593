"""Self-tests of sources: a word is planted where a source looks, and must come back within two of its intervals."""

from __future__ import annotations

import secrets
from base64 import b32encode
from collections.abc import Mapping
from typing import Final

from canary.model.sight import Item
from canary.store import selftests
from canary.store.tx import Tx

PREFIX: Final = "canaryselftest"
BYTES: Final = 10
INTERVALS: Final = 2


def plant(tx: Tx, source: str, now_ms: int, interval_ms: int) -> str:
    """Note a fresh self-test of a source and give its word, to be planted there at once."""
    token = PREFIX + b32encode(secrets.token_bytes(BYTES)).decode().lower()
    selftests.plant(tx, source, token, now_ms, now_ms + INTERVALS * interval_ms)
    return token


def pending(tx: Tx) -> Mapping[str, str]:
    """Map the sources whose self-test did not come back yet to its word."""
    return {one.source: one.token for one in selftests.list_all(tx) if one.seen_ms is None}


def found(token: str | None, item: Item) -> str | None:
    """Give the word where it came back in an item of its source, else None."""
    if token is None:
        return None
    back = token in (item.contact or "").lower() or token.encode() in item.raw
    return token if back else None
