"""Half-done seedings: finished where their rows stand in the table, undone where they do not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from canary.errors import OutsideError
from canary.model.canary import Release
from canary.steps import live_errors, seed_record
from canary.steps.live_model import Key, LiveTable, Row
from canary.steps.live_rows import LiveRows
from canary.steps.livedb import LiveDb
from canary.steps.seed_model import Planted, Target
from canary.steps.seed_place import still_ours
from canary.steps.tools import Tools


@dataclass(frozen=True, slots=True)
class Recovered:
    """What became of half-done seedings: release ids; `waiting` ones are busy or out of reach."""

    finished: tuple[str, ...] = ()
    undone: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


class Busy(OutsideError):
    """Another call is at work on the same release."""


def recover(tools: Tools, skip: str | None = None) -> Recovered:
    """Settle every half-done seeding but one; what cannot be reached now is left for the next call."""
    with tools.registry.read() as tx:
        found = [release for release in seed_record.pending(tx) if release.id != skip]
    became: dict[str, list[str]] = {"finished": [], "undone": [], "waiting": []}
    for release in found:
        try:
            became["finished" if settle(tools, release) else "undone"].append(release.id)
        except OutsideError:
            became["waiting"].append(release.id)
    return Recovered(**{name: tuple(ids) for name, ids in became.items()})


def settle(tools: Tools, release: Release) -> bool:
    """Finish or undo a half-done seeding; True where its rows stand in the table."""
    with opened(release) as (_, rows):
        with tools.registry.read() as tx:
            planted = seed_record.planted_of(tx, release.id)
        there = bool(standing(rows, planted))
        with tools.registry.begin() as tx:
            if there:
                seed_record.finish(tx, release.id)
            else:
                seed_record.undo(tx, tools, release, "its rows never came to stand")
    return there


@contextmanager
def opened(release: Release) -> Iterator[tuple[LiveDb, LiveRows]]:
    """Open a release's table for writing under its lock; raises Busy where another call holds it."""
    target = Target.read(release.target)
    db = LiveDb.at(target.url)
    with db.writing(target.table) as connection:
        take(db, connection, release.id)
        table = db.reflect(connection, target.table)
        yield db, LiveRows(connection, db.tongue, table)


def take(db: LiveDb, connection: Connection, release: str) -> None:
    """Take the lock of a release in its target: whoever holds it alone decides what became of it."""
    if not db.tongue.lock(connection, release):
        raise Busy(f"release {release} is being worked on by another call", "wait until it has ended")


def standing(rows: LiveRows, planted: Sequence[Planted]) -> Mapping[Key, Row]:
    """Give the rows, by key, that stand where canaries were planted and still are those canaries."""
    found = rows.fetch(each.key for each in planted)
    ours = {each.key: each.canary for each in planted}
    return {key: row for key, row in found.items() if still_ours(ours[key], row, rows.table.key)}


def replant(tools: Tools, release: Release) -> LiveTable:
    """Finish a half-done seeding under its own release: rows that do not stand are planted again.

    Raises OutsideError, with nothing planted, where the table no longer takes the rows.
    """
    with opened(release) as (db, rows):
        with tools.registry.read() as tx:
            planted = seed_record.planted_of(tx, release.id)
        if not standing(rows, planted):
            again = _inserted(db, rows, planted)
            with tools.registry.begin() as tx:
                seed_record.move(tx, release.id, again)
            rows.connection.commit()
    with tools.registry.begin() as tx:
        seed_record.finish(tx, release.id)
    return rows.table


def _inserted(db: LiveDb, rows: LiveRows, planted: Sequence[Planted]) -> list[Planted]:
    fillable = set(rows.table.fillable)
    try:
        return [
            replace(
                each,
                key=rows.insert({name: cell for name, cell in each.canary.row.items() if name in fillable}),
            )
            for each in planted
        ]
    except DBAPIError as error:
        if live_errors.rejects_row(error):
            raise live_errors.refused(error, rows.table.label) from None
        raise live_errors.outside(error, db.url, rows.table.label) from None
