"""Issued fakes, where they stand, and the hand-overs that carry them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class CanaryField:
    """One identifying field of a canary.

    `value` is the text as planted, `canonical` what is digested; `bits` is the min-entropy of its draw given
    everything public and the rest of its row; `shared` fields (phones of a pool) stand in several canaries.
    """

    role: str
    column: str
    value: str
    canonical: str
    bits: float
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Canary:
    """An issued fake record; `row` is every cell as planted; `control` canaries are never handed to anybody."""

    id: str
    recipient: str
    dataset: str
    kind: str
    fields: tuple[CanaryField, ...]
    row: Mapping[str, str | None]
    control: bool = False
    burned_ms: int | None = None
    issued_ms: int = 0


@dataclass(frozen=True, slots=True)
class Placement:
    """Canary stands in release: before real row `position` (0-based) of the input, or at primary key `key`."""

    canary: str
    release: str
    position: int
    key: str | None = None
    carried: bool = False


class ReleaseState(StrEnum):
    """How far a hand-over has come."""

    PENDING = "pending"
    DONE = "done"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class Release:
    """One hand-over of a dataset version to one recipient; `identity` is the digest of what makes it the same."""

    id: str
    identity: str
    dataset: str
    version: str
    recipient: str
    kind: str  # "export" or "seed"
    state: ReleaseState
    input: str
    output: str
    format: str
    rows_in: int
    rows_out: int
    canaries: int
    marked_cells: int
    sha256_in: str
    sha256_out: str
    created_ms: int
    ledger_index: int = -1
    target: str = ""  # a seeded database and table, sealed in the registry
    derived_from: tuple[str, ...] = ()
