"""Counts of all that was issued, by recipient, as a trace needs them: in the database, not row by row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import exists, func, or_, select

from canary.store.tables import canaries, matches, placements, releases, sightings
from canary.store.tx import Tx


class HeldRelease(NamedTuple):
    """One release of a recipient."""

    recipient: str
    release: str
    created_ms: int


def issued(tx: Tx, until_ms: int | None) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """Count each recipient's own canaries unburned then: first placed until a time, and placed later."""
    burned = canaries.c.burned_ms
    fresh = burned.is_(None) if until_ms is None else or_(burned.is_(None), burned > until_ms)
    first = (
        select(canaries.c.recipient, func.min(releases.c.created_ms).label("created_ms"))
        .select_from(
            placements.join(canaries, placements.c.canary == canaries.c.serial).join(
                releases, placements.c.release == releases.c.serial
            )
        )
        .where(placements.c.carried.is_(False), fresh, canaries.c.control.is_(False))
        .where(releases.c.recipient == canaries.c.recipient)
        .group_by(canaries.c.serial, canaries.c.recipient)
        .subquery()
    )
    early, late = select(first.c.recipient, func.count()), select(first.c.recipient, func.count())
    if until_ms is None:
        return dict(tx.conn.execute(early.group_by(first.c.recipient)).all()), {}
    early = early.where(first.c.created_ms <= until_ms).group_by(first.c.recipient)
    late = late.where(first.c.created_ms > until_ms).group_by(first.c.recipient)
    return dict(tx.conn.execute(early).all()), dict(tx.conn.execute(late).all())


def carried(tx: Tx) -> Mapping[str, Mapping[str, int]]:
    """Count, for a recipient and an owner, the owner's canaries in the recipient's derived releases."""
    counted = (
        select(releases.c.recipient, canaries.c.recipient, func.count(func.distinct(canaries.c.serial)))
        .select_from(
            placements.join(canaries, placements.c.canary == canaries.c.serial).join(
                releases, placements.c.release == releases.c.serial
            )
        )
        .where(placements.c.carried.is_(True))
        .group_by(releases.c.recipient, canaries.c.recipient)
    )
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for holder, owner, count in tx.conn.execute(counted):
        found[holder][owner] = count
    return found


def held(tx: Tx) -> list[HeldRelease]:
    """List all releases with their recipients and times."""
    wanted = select(releases.c.recipient, releases.c.id, releases.c.created_ms).order_by(releases.c.serial)
    return [HeldRelease(*row) for row in tx.conn.execute(wanted).all()]


def controls(tx: Tx) -> int:
    """Count the control canaries."""
    counted = select(func.count()).select_from(canaries).where(canaries.c.control.is_(True))
    return int(tx.conn.execute(counted).scalar_one())


def unmatched(tx: Tx, event: str) -> int:
    """Count the sightings by an event that reached a contact of ours and no canary."""
    matched = exists().where(matches.c.sighting == sightings.c.serial)
    counted = select(func.count()).select_from(sightings).where(sightings.c.event == event, ~matched)
    return int(tx.conn.execute(counted).scalar_one())
