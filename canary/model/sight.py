"""What was seen: items as monitors deliver them, sightings as they are kept, matches and incidents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Item:
    """One thing a monitor saw; `key` names it at its source; `raw` is kept before it is parsed.

    `contact` is the alias or number that was reached (a receiver's arrival), None for data that surfaced.
    `event` is data, mail, probe, call, sms or access. `time_ms` 0 means when it was seen. Of something too
    big to be carried, `file` is its path, `raw` is empty, and `detail` has its `sha256` and `bytes`.
    """

    key: str
    raw: bytes
    time_ms: int
    event: str = "data"
    contact: str | None = None
    media: str = "application/octet-stream"
    detail: Mapping[str, str] = field(default_factory=dict)
    file: str | None = None


@dataclass(frozen=True, slots=True)
class Poll:
    """What one poll gave: items, the cursor to store with them, and whether something may have been missed.

    `more` says that the source has more already: poll again as soon as these items are stored.
    """

    items: tuple[Item, ...]
    cursor: str
    gap: bool = False
    more: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """Sighting ↔ canary; `field` is the strongest field found, `fields` all of them."""

    canary: str
    field: str
    fields: tuple[str, ...]
    transform: str
    strength: str  # "strong" or "weak"
    release: str | None = None
    recipients: tuple[str, ...] = ()
    member: str | None = None
    offset: int = 0
    expected_chance_hits: float = 0.0


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a monitor saw, as kept in the registry."""

    id: str
    source: str
    kind: str
    item: str
    event: str
    contact: str | None
    time_ms: int
    seen_ms: int
    sha256: str
    bytes: int
    detail: Mapping[str, str] = field(default_factory=dict)
    matches: tuple[Match, ...] = ()
    incident: str | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """Matches judged to be one leak; `recipients_frozen` is N when it opened."""

    id: str
    opened_ms: int
    state: str  # "open" or "closed"
    recipients_frozen: int
    sightings: tuple[str, ...] = ()
    canaries: tuple[str, ...] = ()
    outcome: str | None = None
    suspects: tuple[str, ...] = ()
