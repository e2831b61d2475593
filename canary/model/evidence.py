"""What the scan hands to the trace: hits on canaries and how many candidates there were."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Hit:
    """One canary found in one record of one input by the fields `roles` (a field's role → transform)."""

    canary: str
    roles: Mapping[str, str]
    file: str
    member: str | None
    offset: int
    record: int


@dataclass(frozen=True, slots=True)
class Candidates:
    """How many distinct candidate values of each role-form, and (a, b) pairs in one record, an input held.

    `shaped` counts the same by shape, a form with what is public about a value (its length, its domain); once
    there are hits, `single` and `pair` hold the largest count among the shapes that were hit (`hit`).
    """

    single: Mapping[str, int] = field(default_factory=dict)
    pair: Mapping[tuple[str, str], int] = field(default_factory=dict)
    shaped: Mapping[tuple[str, ...], int] = field(default_factory=dict)
    hit: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ScanError:
    """An input or member that could not be read."""

    file: str
    member: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Findings:
    """All that one scan of one or more inputs found."""

    hits: tuple[Hit, ...] = ()
    candidates: Candidates = field(default_factory=Candidates)
    rows: int = 0
    bytes: int = 0
    files: int = 0
    errors: tuple[ScanError, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What a scan knew: its engine, and how many canaries had been issued up to which serial."""

    engine: str
    newest: int
    issued: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What a scan of one sighting found, and what it knew: while that stands, nobody need read again."""

    known: Known
    findings: Findings
