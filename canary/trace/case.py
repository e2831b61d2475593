"""What a trace is concluded from: holdings, hits, candidates and side evidence of one leak."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from canary.model.evidence import Candidates


@dataclass(frozen=True, slots=True)
class IssuedField:
    """One predeclared field of an issued canary, without its value.

    `form` is None where the role is not looked up alone (a name); `bits` is the min-entropy given
    everything public and the rest of the row. A `shared` value (a phone of a pool) has a `token`, equal
    exactly where the value is equal (any digest will do); a shared field without token counts for nothing.
    """

    role: str
    form: str | None
    bits: float
    shared: bool = False
    token: str = ""


@dataclass(frozen=True, slots=True)
class Holder:
    """A canary stands in `release` of `recipient`; `carried`.

    It came in with the input, from another's release.
    """

    recipient: str
    release: str
    created_ms: int
    carried: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """One release of a recipient, by id and time."""

    release: str
    created_ms: int


@dataclass(frozen=True, slots=True)
class HitCanary:
    """A canary found in the leak.

    Its predeclared fields, every holder, and the set of roles found in each record.

    Only unmasked transforms belong into `records` (`records_of` leaves the others out). `burned`: public or
    opened before it was seen here. `seen_ms` is the time of the first sighting that held it, None for the
    leak's own time. One of a `group` of recipients speaks through the marks alone.
    """

    id: str
    owner: str
    fields: tuple[IssuedField, ...]
    records: tuple[frozenset[str], ...]
    holders: tuple[Holder, ...] = ()
    control: bool = False
    burned: bool = False
    seen_ms: int | None = None
    group: bool = False


@dataclass(frozen=True, slots=True)
class SideEvent:
    """Something that reached a contact: never in the bound, at most a factor of 20 in the probabilities.

    `key` is the canary or number reached (one factor each, the largest), `holders` who was given it, `kind`
    one of mail, probe, call, sms, access; `baseline` how many such events chance brings there in the time
    watched.
    """

    key: str
    holders: tuple[str, ...]
    kind: str
    asked_name: bool = False
    baseline: float = 0.0
    control: bool = False


@dataclass(frozen=True, slots=True)
class MarkScore:
    """What the marks say of one recipient: log2 of Σ_S w_S·M, marks read and agreeing, leaked rows it held.

    `rows_held` is None where it has no export whose rows are recorded.
    """

    log2_m: float = 0.0
    read: int = 0
    agreeing: int = 0
    rows_held: int | None = None


@dataclass(frozen=True, slots=True)
class MarkSets:
    """What all marks together say of every set of the best recipients, for the probabilities alone.

    `log2_ratio` [2^k] is the joint ratio of the subset whose bits are set (bit 0 is the first of `members`),
    `explained` [2^k, k] how many of the observations each of its members explains.
    """

    members: tuple[str, ...]
    log2_ratio: NDArray[np.float64]
    explained: NDArray[np.float64]

    def subset(self, names: Iterable[str]) -> int:
        """Give the number of the subset of those members that are among some names."""
        wanted = set(names)
        return sum(1 << place for place, name in enumerate(self.members) if name in wanted)


@dataclass(frozen=True, slots=True)
class Case:
    """All that one trace may look at.

    `recipients` is the whole registry, ghosts included. `issued` counts a recipient's own unburned canaries
    in releases made no later than `earliest_ms` (None: the time is unknown and all count), `late` those
    issued to it afterwards; `carried` counts, for a recipient and an owner, the owner's canaries that stand
    in the recipient's derived releases. Counts are of all canaries, details of hit ones alone. `earlier`
    holds `log2_e` of the traces of this incident before this one, oldest first; a repeat of the same input
    is no new trace and stays out.
    """

    recipients: tuple[str, ...]
    releases: Mapping[str, tuple[Held, ...]]
    issued: Mapping[str, int]
    hits: tuple[HitCanary, ...] = ()
    candidates: Candidates = field(default_factory=Candidates)
    ghosts: frozenset[str] = frozenset()
    parents: Mapping[str, str] = field(default_factory=dict)
    n_frozen: int = 0
    earliest_ms: int | None = None
    late: Mapping[str, int] = field(default_factory=dict)
    carried: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    controls: int = 0
    side: tuple[SideEvent, ...] = ()
    marks: Mapping[str, MarkScore] = field(default_factory=dict)
    mark_sets: MarkSets | None = None
    earlier: tuple[Mapping[str, float], ...] = ()
    rows: int = 0
    rows_recognised: int | None = None
    errors: tuple[str, ...] = ()

    def in_time(self, created_ms: int) -> bool:
        """Tell whether something made at that time can stand in the leak."""
        return self.earliest_ms is None or created_ms <= self.earliest_ms

    def held_in_time(self, recipient: str) -> tuple[str, ...]:
        """Give the ids of the recipient's releases that can stand in the leak."""
        return tuple(h.release for h in self.releases.get(recipient, ()) if self.in_time(h.created_ms))

    @property
    def population(self) -> int:
        """Give N of the bound: frozen when the incident opened, only ever raised."""
        return max(self.n_frozen, len(self.recipients), 1)


@dataclass(frozen=True, slots=True)
class Priors:
    """Prior weights: number of sources (1 to 8), and the three kinds of explanation."""

    sources: tuple[float, ...] = (0.8, 0.12, 0.04, 0.02, 0.005, 0.005, 0.005, 0.005)
    recipients: float = 0.499
    unknown: float = 0.5
    compromised: float = 0.001


@dataclass(frozen=True, slots=True)
class Limits:
    """Where naming and shortlisting begin; `false_accusation` is for one incident."""

    false_accusation: float = 1e-6
    named: float = 0.95
    shortlisted: float = 0.05
    coverage: float = 0.95
    most: int = 20
    priors: Priors = field(default_factory=Priors)
