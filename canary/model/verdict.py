"""The verdict: suspects with probability and bound, the outcome and its explanation."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class EvidenceCount:
    """How much evidence stands behind one suspect."""

    canaries: int = 0
    fields: int = 0
    marks_read: int = 0
    marks_agreeing: int = 0
    rows_held: int = 0


@dataclass(frozen=True, slots=True)
class Suspect:
    """A recipient that is named or shortlisted; `false_accusation` holds for any attack."""

    recipient: str
    status: str
    probability: float
    contributed: float
    false_accusation: float
    grade: str
    releases: tuple[str, ...]
    evidence: EvidenceCount


@dataclass(frozen=True, slots=True)
class Trace:
    """Who leaked this: probabilities of all recipients, unknown and compromised sum to 1."""

    outcome: str
    suspects: tuple[Suspect, ...]
    unknown_source: float
    registry_compromised: float
    rows: int
    rows_recognised: int | None
    errors: tuple[str, ...] = ()
    explanation: tuple[str, ...] = ()
    seconds: float = 0.0
    probabilities: dict[str, float] = field(default_factory=dict)
    log2_e: dict[str, float] = field(default_factory=dict)
