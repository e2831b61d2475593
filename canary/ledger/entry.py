"""Entries of the ledger as canonical JSON, and the commitments that stand in them instead of secrets."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from canary.errors import UsageError
from canary.ledger.merkle import HASH_BYTES, leaf_hash, root_of
from canary.model.canary import Canary, CanaryField

NONCE_BYTES: Final = 16
SALT_BYTES: Final = 16
LEAST_LEAVES: Final = 8

_KEY_TAG: Final = b"canary/mark-key/1\0"
_LEAF_TAG: Final = b"canary/leaf/1\0"
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_ENCODER: Final = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False, check_circular=False
)


def canonical_json(value: object) -> bytes:
    """Spell a JSON value in its one canonical way: sorted keys, no spaces, UTF-8, numbers as Python repr.

    Lone surrogates, as file names can hold, are escaped, so that the text always encodes.
    Raises UsageError for what JSON does not know (bytes, NaN, infinity).
    """
    try:
        text = _ENCODER.encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"not a JSON value: {error}", "hand in text, numbers, lists and mappings") from None
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode()


def make_entry(kind: str, body: Mapping[str, object], now_ms: int, nonce: bytes, index: int) -> bytes:
    """Write one entry: its kind, place and time, and a 16-byte nonce that hides what can be guessed."""
    if len(nonce) != NONCE_BYTES:
        raise UsageError(f"a nonce of {len(nonce)} bytes", f"draw {NONCE_BYTES} random bytes")
    entry = {"body": body, "index": index, "kind": kind, "nonce": nonce.hex(), "time_ms": now_ms}
    return canonical_json(entry)


def commit_key(salt: bytes, key: bytes) -> bytes:
    """Commit to a recipient's mark key (SHA-256 over tag, 16-byte salt and key)."""
    _check_salt(salt)
    return hashlib.sha256(_KEY_TAG + salt + key).digest()


def canary_opening(canary: Canary) -> bytes:
    """Spell what a canary's leaf commits to: id, recipient, dataset, kind, fields and row, cells in order."""
    return canonical_json({
        "id": canary.id,
        "recipient": canary.recipient,
        "dataset": canary.dataset,
        "kind": canary.kind,
        "control": canary.control,
        "fields": [_spell(each) for each in canary.fields],
        "row": list(canary.row.items()),
    })  # fmt: skip


def _spell(field: CanaryField) -> list[object]:
    return [field.role, field.column, field.value, field.canonical, float(field.bits), field.shared]


def canary_leaf(salt: bytes, opening: bytes) -> bytes:
    """Hash one canary's leaf, from its own 16-byte salt and its opening."""
    _check_salt(salt)
    return leaf_hash(_LEAF_TAG + salt + opening)


def padding(secret: bytes, release: str) -> Callable[[int], bytes]:
    """Give the padding leaves of a release: keyed, so that they look random and can be had again."""
    return lambda place: hmac.digest(secret, f"{release}\0{place}".encode(), "sha256")


def padded(leaves: Sequence[bytes], pad: Callable[[int], bytes]) -> list[bytes]:
    """Pad leaf hashes to the next power of two, at least 8, so that the tree does not tell their number."""
    wanted = max(LEAST_LEAVES, 1 << max(len(leaves) - 1, 0).bit_length())
    extra = [pad(place) for place in range(len(leaves), wanted)]
    if any(len(each) != HASH_BYTES for each in extra):
        raise UsageError("a padding leaf is not a hash", f"pad with {HASH_BYTES} bytes")
    return [*leaves, *extra]


def canary_root(leaves: Sequence[bytes], pad: Callable[[int], bytes]) -> bytes:
    """Give the root of a release's padded canary leaves."""
    return root_of(padded(leaves, pad))


def _check_salt(salt: bytes) -> None:
    if len(salt) != SALT_BYTES:
        raise UsageError(f"a salt of {len(salt)} bytes", f"draw {SALT_BYTES} random bytes")
