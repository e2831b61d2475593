"""Text on its way into the registry: JSON, sealing of text, and outside text made storable."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Final

from canary.errors import UsageError
from canary.keys import Keys

_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL takes neither
_DIGEST_CHARS: Final = 32


def storable(text: str) -> str:
    """Replace what a database cannot hold (NUL, lone surrogates) by U+FFFD."""
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def fit(text: str, limit: int) -> str:
    """Make an outside name storable in `limit` characters; one that must change gets a digest: it stays unique."""
    clean = storable(text)
    if len(clean) <= limit and clean == text:
        return clean
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_CHARS]
    return f"{clean[: limit - _DIGEST_CHARS - 1]}…{digest}"


def cut(text: str, limit: int) -> str:
    """Make outside talk storable and at most `limit` characters long."""
    return storable(text[:limit])


def check_name(what: str, name: str, limit: int = 200) -> str:
    """Return a name of 1 to `limit` storable characters, or raise UsageError."""
    if not 1 <= len(name) <= limit or _UNSTORABLE.search(name):
        raise UsageError(
            f"{what} of {len(name)} characters", f"give 1 to {limit} characters without control characters"
        )
    return name


def dump(value: Mapping[str, object] | Sequence[object]) -> str:
    """Spell a JSON column: sorted keys, ASCII, so that hostile text is storable."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def load_list(text: str) -> tuple[str, ...]:
    """Read a JSON column that holds an array of text."""
    return tuple(str(each) for each in json.loads(text))


def seal_text(keys: Keys, text: str, place: str) -> bytes:
    """Seal text for a place; lone surrogates survive."""
    return keys.seal(text.encode("utf-8", "surrogatepass"), place)


def unseal_text(keys: Keys, sealed: bytes, place: str) -> str:
    """Open sealed text of a place; raises OutsideError where key or place differ."""
    return keys.unseal(sealed, place).decode("utf-8", "surrogatepass")
