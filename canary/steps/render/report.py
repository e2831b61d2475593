"""What a report is written from: no canary's value and no victim's data is in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, tzinfo

from canary.model.canary import Release
from canary.model.people import Recipient
from canary.model.sight import Incident, Sighting
from canary.model.verdict import Trace
from canary.trace.case import Limits


@dataclass(frozen=True, slots=True)
class MatchedCanary:
    """One canary that was seen: by which fields, how strongly, in how many sightings, and who was given it."""

    canary: str
    fields: tuple[str, ...]
    strength: str
    sightings: int
    release: str | None = None
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LedgerState:
    """What checking the ledger gave; `checkpoint`: it was compared with something remembered outside."""

    entries: int
    root: str
    ok: bool
    first_bad: int | None = None
    checkpoint: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """All that a report shows; `recipients` and `releases` are those of the suspects, ancestors included.

    Of sightings neither contacts, details nor raw bytes are shown. `zone` is the time zone for local times.
    """

    incident: Incident
    trace: Trace
    made_ms: int
    sightings: tuple[Sighting, ...] = ()
    matches: tuple[MatchedCanary, ...] = ()
    recipients: tuple[Recipient, ...] = ()
    releases: tuple[Release, ...] = ()
    ledger: LedgerState | None = None
    limits: Limits = field(default_factory=Limits)
    zone: tzinfo = UTC


def matched_canaries(sightings: Iterable[Sighting]) -> tuple[MatchedCanary, ...]:
    """Gather the matches of sightings by canary, sorted by id."""
    found: dict[str, MatchedCanary] = {}
    for sighting in sightings:
        for match in sighting.matches:
            known = found.get(match.canary, MatchedCanary(match.canary, (), "weak", 0))
            found[match.canary] = MatchedCanary(
                canary=match.canary,
                fields=tuple(sorted({*known.fields, *match.fields, match.field})),
                strength="strong" if "strong" in (known.strength, match.strength) else "weak",
                sightings=known.sightings + 1,
                release=known.release or match.release,
                recipients=tuple(sorted({*known.recipients, *match.recipients})),
            )
    return tuple(found[canary] for canary in sorted(found))
