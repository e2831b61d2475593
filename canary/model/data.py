"""The protected data: datasets, their columns and how they may be marked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ColumnPolicy:
    """One column of a policy: its role and, where it may be marked, how (`tolerance` as written by the person)."""

    role: str
    mark: str | None = None
    tolerance: str | float | None = None
    grammar: str | None = None
    order: str | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """How a dataset may be marked; `text` is the TOML as given and `sha256` its version."""

    dataset: str
    columns: Mapping[str, ColumnPolicy]
    anchors: tuple[tuple[str, ...], ...] = ()
    canaries: float | None = None
    group_canaries: float = 0.0
    omit: float = 0.0
    keep_sum: bool = False
    ranges: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    text: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A protected collection, known by its name and ordered headings."""

    name: str
    headings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DatasetVersion:
    """One policy text under which releases were made; `sha256` of the text names it."""

    sha256: str
    dataset: str
    headings: tuple[str, ...]
    policy: str
    created_ms: int = 0
