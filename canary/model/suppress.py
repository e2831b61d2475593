"""Who has canaries left out of files of the owner's own, and what it met there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ANY = "*"  # stands for all recipients; no id can be it


@dataclass(frozen=True, slots=True)
class Caller:
    """A user of the operating system, or a job that an operator registered.

    `os_user` alone may use it (None: everybody); `rows_a_day` is its own budget (None: the home's setting);
    `recipients` are those whose copies its files may be (none named: all or none, as the home is set); a caller
    that is stopped gets no answer.
    """

    name: str
    os_user: str | None = None
    rows_a_day: int | None = None
    recipients: tuple[str, ...] = ()
    added_ms: int = 0
    stopped_ms: int | None = None
    reason: str = ""
    lifted_ms: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """One canary that a file held: its serial and dataset, and when it was seeded (0: it stands in a copy).

    A `stray` belongs to a copy that was handed out, and the caller's files are not expected to hold it.
    """

    serial: int
    dataset: str
    stray: bool
    seeded_ms: int = 0


@dataclass(frozen=True, slots=True)
class Window:
    """What a caller checked within some time: rows, and how many different canaries it met.

    `met` counts by (dataset, whether they were seeded lately); strays are counted apart.
    """

    rows: int
    met: Mapping[tuple[str, bool], int]
    strays: int = 0
