"""Tolerances as a person writes them: a number in the column's unit, a share, or a time."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import timedelta

from canary.errors import UsageError

_SECONDS = {"ms": 0.001, "s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_TIME = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|sec|m|min|h|d)")
_SHARE = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:[eE]-?\d+)?")


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far a value may move: `amount` in the column's unit, in seconds (time) or relative (share)."""

    amount: float
    unit: str  # "absolute", "share" or "time"

    @property
    def span(self) -> timedelta:
        """The tolerance of a time."""
        return timedelta(seconds=self.amount)


def tolerance_of(written: str | float) -> Tolerance:
    """Read a tolerance: 0.02, "30s", "1%"; raises UsageError on anything else."""
    if isinstance(written, int | float):
        if 0 <= written < math.inf:
            return Tolerance(float(written), "absolute")
    elif found := _TIME.fullmatch(written.strip()):
        return Tolerance(float(found[1]) * _SECONDS[found[2]], "time")
    elif found := _SHARE.fullmatch(written.strip()):
        return Tolerance(float(found[1]) / 100, "share")
    elif _NUMBER.fullmatch(written.strip()):
        return Tolerance(float(written), "absolute")
    raise UsageError(
        f"a tolerance cannot be {written!r}", 'write it as 0.02 (the column\'s unit), "30s" or "1%"'
    )
