"""What a tagging is asked for, and the identity that makes the same call give the same release."""

from __future__ import annotations

import hashlib
import math
import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from canary.errors import UsageError
from canary.model.data import Policy

DEFAULT_CANARIES = 0.002


@dataclass(frozen=True)
class TagRequest:
    """One call of `tag`: an input table, its recipients, and where their copies go."""

    input: str
    recipients: tuple[str, ...]
    output: str
    policy: Policy | None = None
    dataset: str | None = None
    table: str | None = None
    canaries: float | None = None
    marks: bool = True
    new: bool = False
    force: bool = False
    dry_run: bool = False
    many: bool = False
    require_contacts: bool = False


@dataclass(frozen=True)
class Tagged:
    """One tagged copy, as `tag --json` tells it."""

    release: str | None
    recipient: str
    input: str
    output: str
    rows_in: int
    rows_out: int
    canaries: int
    marked_cells: int
    sha256_in: str
    sha256_out: str
    ledger_index: int | None
    seconds: float


@dataclass(frozen=True)
class TagAnswer:
    """All copies of one call, with what a person should know."""

    releases: tuple[Tagged, ...]
    warnings: tuple[str, ...] = ()
    dataset: str = ""


def check_canaries(canaries: float) -> float:
    """Check a count (≥ 1, whole) or share (below 1) of canaries."""
    if not math.isfinite(canaries) or canaries < 0 or (canaries > 1 and not float(canaries).is_integer()):
        raise UsageError(
            f"--canaries {canaries:g} is neither a count nor a share",
            "give a whole number from 1 for a count, a number below 1 for a share of the rows, 0 for none",
        )
    return canaries


def count_of(canaries: float, rows: int) -> int:
    """Give the number of canaries for a table of `rows` rows: counts are exact, shares rounded up."""
    if rows == 0:
        return 0
    if canaries >= 1:
        return int(canaries)
    return math.ceil(round(canaries * rows, 9))


def identity(
    sha256_in: str, recipient: str, version: str, canaries: float, marks: bool, format: str, table: str | None
) -> str:
    """Digest what makes a release the same one again (hex)."""
    parts = (sha256_in, recipient, version, repr(float(canaries)), str(marks), format, table or "")
    return hashlib.sha256("\0".join(("tag/1", *parts)).encode()).hexdigest()


def fresh_identity(identity: str) -> str:
    """Make an identity that no other call has, for --new."""
    return hashlib.sha256(f"{identity}\0{secrets.token_hex(16)}".encode()).hexdigest()


def check_recipients(recipients: Sequence[str]) -> None:
    """Refuse no recipient and doubled ones."""
    if not recipients:
        raise UsageError(
            "no recipient was given", "name one with --recipient ID, or many with --recipients FILE"
        )
    doubled = [one for one, times in Counter(recipients).items() if times > 1]
    if doubled:
        raise UsageError(f"recipient {doubled[0]!r} was given twice", "give each recipient once")


def outputs_of(request: TagRequest, suffix: str) -> list[str]:
    """Give the output of each recipient: PATH itself, or `<recipient>.<ext>` below it where there are several."""
    if request.output == "-":
        if len(request.recipients) > 1 or request.many:
            raise UsageError("several copies cannot go to standard output", "give a folder with --output")
        return ["-"]
    path = Path(request.output)
    if len(request.recipients) == 1 and not request.many and not path.is_dir():
        return [request.output]
    if path.exists() and not path.is_dir():
        raise UsageError(f"{path} is a file, but several copies need a folder", "give a folder with --output")
    return [str(path / f"{recipient}{suffix}") for recipient in request.recipients]
