"""What a seeding is asked for and what it answers, and the identity that makes it the same one again."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from canary.errors import OutsideError, UsageError
from canary.model.canary import Canary
from canary.model.data import Policy
from canary.steps.live_model import Key, LiveTable
from canary.steps.livedb import LiveDb, url_digest


@dataclass(frozen=True, slots=True)
class SeedRequest:
    """One call of `seed`: `count` canaries for a recipient into a table; `request` makes it repeatable.

    `linked` are tables whose rows belong to rows of that table, or of each other, and are planted along.
    """

    url: str
    table: str
    recipient: str
    count: int
    policy: Policy | None = None
    dataset: str | None = None
    request: str | None = None
    dry_run: bool = False
    linked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SeedResult:
    """What was planted: `keys` are the primary keys written, lists where the key has several columns.

    `canaries` counts the rows of all tables; `keys` are those of `table`, those of linked ones stand in `linked`.
    """

    release: str | None
    recipient: str
    table: str
    canaries: int
    keys: tuple[object, ...]
    warnings: tuple[str, ...] = ()
    linked: tuple[LinkedResult, ...] = ()


@dataclass(frozen=True, slots=True)
class LinkedResult:
    """What was planted in one linked table; a dry run has no keys yet."""

    table: str
    canaries: int
    keys: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class UnseedResult:
    """What was taken out, and the keys that were gone already or that now hold something else and stay.

    Where a release has several tables, each key stands with its table.

    `touched` rows were changed by others in cells that identify nobody, and were removed all the same.
    """

    removed: int
    missing: tuple[object, ...]
    changed: tuple[object, ...]
    touched: tuple[object, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Planted:
    """One canary as it stands in the table, at its key; `table` is empty where the release has one table alone."""

    canary: Canary
    key: Key
    table: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a release was planted, as it is sealed in the registry."""

    url: str
    table: str
    linked: tuple[str, ...] = ()

    @property
    def tables(self) -> tuple[str, ...]:
        """All tables, each after those that its rows belong to."""
        return (self.table, *self.linked)

    def text(self) -> str:
        """Spell the target for sealing."""
        linked = {"linked": list(self.linked)} if self.linked else {}
        return json.dumps({"table": self.table, "url": self.url, **linked}, sort_keys=True)

    @classmethod
    def read(cls, text: str) -> Target:
        """Read a sealed target; raises OutsideError where it is none."""
        try:
            found = json.loads(text)
            return cls(str(found["url"]), str(found["table"]), tuple(map(str, found.get("linked", ()))))
        except (ValueError, KeyError, TypeError):
            raise OutsideError(
                "the release has no readable target", "it may come from another version of canary"
            ) from None


def check(request: SeedRequest) -> None:
    """Refuse a request that cannot be meant."""
    if request.count < 1:
        raise UsageError(f"--count {request.count} plants nothing", "give a whole number from 1")
    if request.request is not None and not request.request.strip():
        raise UsageError("--request is empty", "give the id that your system knows this seeding by")
    if not request.table:
        raise UsageError("no table was given", "name it with --table")
    if len({request.table, *request.linked}) < 1 + len(request.linked):
        raise UsageError("a table was given twice", "name each table once")


def identity(request: SeedRequest, db: LiveDb, attempt: int) -> str:
    """Digest what makes a seeding the same one again (hex); without a request id every call is its own."""
    if request.request is None:
        return hashlib.sha256(f"seed/1\0{secrets.token_hex(16)}".encode()).hexdigest()
    version = request.policy.text if request.policy else ""
    parts = (
        request.request, url_digest(db.url), request.table, request.recipient, str(request.count), version,
        request.dataset or "", str(attempt), *request.linked,
    )  # fmt: skip
    return hashlib.sha256("\0".join(("seed/1", *parts)).encode("utf-8", "surrogatepass")).hexdigest()


def key_text(key: Key, table: str = "") -> str:
    """Spell a key as a placement keeps it, with its table where the release has several."""
    return json.dumps({"key": key, "table": table} if table else key, ensure_ascii=False)


def read_key(text: str | None) -> Key:
    """Read the key of a placement."""
    return read_place(text)[0]


def read_place(text: str | None) -> tuple[Key, str]:
    """Read the key of a placement and its table ('': the release has one table alone)."""
    found = json.loads(text or "[]")
    key, table = (found["key"], found["table"]) if isinstance(found, dict) else (found, "")
    return tuple(str(cell) for cell in key), str(table)


def shown_keys(table: LiveTable, keys: Sequence[Key]) -> tuple[object, ...]:
    """Give keys as JSON shows them: whole numbers as numbers, keys of several columns as lists."""
    kinds = [table.column(name).kind for name in table.key]
    told = [
        [int(cell) if kind == "integer" else cell for kind, cell in zip(kinds, key, strict=True)]
        for key in keys
    ]
    return tuple(key[0] if len(key) == 1 else key for key in told)
