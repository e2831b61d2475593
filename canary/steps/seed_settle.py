"""Half-done seedings: finished where their rows stand in the table, undone where they do not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from canary.errors import OutsideError
from canary.model.canary import Release
from canary.steps import live_errors, seed_record
from canary.steps.linked_model import names
from canary.steps.live_model import Key, Row
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
    with opened(release) as place:
        with tools.registry.read() as tx:
            planted = seed_record.planted_of(tx, release.id)
        there = any(standing(rows, place.of(rows, planted)) for rows in place.tables)
        with tools.registry.begin() as tx:
            if there:
                seed_record.finish(tx, release.id)
            else:
                seed_record.undo(tx, tools, release, "its rows never came to stand")
    return there


@dataclass(frozen=True, slots=True)
class Open:
    """The tables of a release within one transaction, each after those that its rows belong to."""

    db: LiveDb
    connection: Connection
    tables: tuple[LiveRows, ...]

    def of(self, rows: LiveRows, planted: Sequence[Planted]) -> list[Planted]:
        """Give the canaries that were planted in one of the tables."""
        alone = len(self.tables) == 1
        return [each for each in planted if alone or each.table == rows.table.label]


@contextmanager
def opened(release: Release) -> Iterator[Open]:
    """Open a release's tables for writing under its lock; raises Busy where another call holds it."""
    target = Target.read(release.target)
    db = LiveDb.at(target.url)
    with db.writing(target.table) as connection:
        take(db, connection, release.id)
        tables = [db.reflect(connection, each) for each in target.tables]
        yield Open(db, connection, tuple(LiveRows(connection, db.tongue, each) for each in tables))


def take(db: LiveDb, connection: Connection, release: str) -> None:
    """Take the lock of a release in its target: whoever holds it alone decides what became of it."""
    if not db.tongue.lock(connection, release):
        raise Busy(f"release {release} is being worked on by another call", "wait until it has ended")


def standing(rows: LiveRows, planted: Sequence[Planted]) -> Mapping[Key, Row]:
    """Give the rows, by key, that stand where canaries were planted and still are those canaries."""
    found = rows.fetch(each.key for each in planted)
    ours = {each.key: each.canary for each in planted}
    return {key: row for key, row in found.items() if still_ours(ours[key], row, rows.table.key)}


def replant(tools: Tools, release: Release) -> None:
    """Finish a half-done seeding under its own release: rows that do not stand are planted again.

    Raises OutsideError, with nothing planted, where the table no longer takes the rows.
    """
    with opened(release) as place:
        with tools.registry.read() as tx:
            planted = seed_record.planted_of(tx, release.id)
        if not any(standing(rows, place.of(rows, planted)) for rows in place.tables):
            moved = Moved(place)
            again = [each for rows in place.tables for each in _inserted(place, rows, planted, moved)]
            with tools.registry.begin() as tx:
                seed_record.move(tx, release.id, again)
            place.connection.commit()
    with tools.registry.begin() as tx:
        seed_record.finish(tx, release.id)


@dataclass
class Moved:
    """Rows that were planted again at keys the database gave anew: what refers to them follows."""

    place: Open
    _cells: dict[tuple[str, str, str], str | None] = field(default_factory=dict)  # table, column, old cell

    def note(self, rows: LiveRows, before: Row, key: Key) -> None:
        """Note the key cells of a row that was planted again."""
        for name, cell in zip(rows.table.key, key, strict=True):
            if before.get(name) != cell:
                self._cells[rows.table.label, name, str(before.get(name))] = cell

    def following(self, rows: LiveRows, row: Row) -> Row:
        """Give a row whose references name the keys of now."""
        cells = dict(row)
        for reference in rows.table.references:
            for each in self.place.tables:
                if names(reference, each.table) and each is not rows:
                    for mine, theirs in zip(reference.columns, reference.targets, strict=True):
                        found = each.table.label, theirs, str(row.get(mine))
                        cells[mine] = self._cells.get(found, row.get(mine))
        return cells


def _inserted(place: Open, rows: LiveRows, planted: Sequence[Planted], moved: Moved) -> list[Planted]:
    fillable, db = set(rows.table.fillable), place.db
    again: list[Planted] = []
    try:
        for each in place.of(rows, planted):
            row = moved.following(rows, each.canary.row)
            key = rows.insert({name: cell for name, cell in row.items() if name in fillable})
            moved.note(rows, each.canary.row, key)
            again.append(replace(each, key=key))
        return again
    except DBAPIError as error:
        if live_errors.rejects_row(error):
            raise live_errors.refused(error, rows.table.label) from None
        raise live_errors.outside(error, db.url, rows.table.label) from None
