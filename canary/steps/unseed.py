"""Unseed: takes the canaries of a seeding out of their table again, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from canary.errors import OutsideError, UsageError
from canary.model.canary import Release, ReleaseState
from canary.steps import seed_record
from canary.steps.live_model import Key, Reference, Row
from canary.steps.live_rows import LOOKUP_CELLS, LiveRows, chunks, place_of
from canary.steps.live_schema import children_of
from canary.steps.seed_model import Planted, UnseedResult, shown_keys
from canary.steps.seed_place import still_ours
from canary.steps.seed_settle import opened, settle
from canary.steps.tools import Tools
from canary.store import releases

__all__ = ["UnseedResult", "unseed"]


@dataclass(frozen=True, slots=True)
class Sorted:
    """The canaries of a release by what became of their rows."""

    ours: tuple[Key, ...]
    touched: tuple[Key, ...]
    missing: tuple[Key, ...]
    changed: tuple[Key, ...]


def unseed(tools: Tools, release_id: str) -> UnseedResult:
    """Take out, in one transaction, each row that still is the canary; tells what became of the others."""
    release = _found(tools, release_id)
    with tools.registry.read() as tx:
        planted = seed_record.planted_of(tx, release.id)
    with opened(release) as place:
        results = [_taken(rows, place.of(rows, planted)) for rows in reversed(place.tables)]
        place.connection.commit()
    result = _together(results[::-1], place.tables)
    _record(tools, release, result)
    return result


def _taken(rows: LiveRows, planted: Sequence[Planted]) -> UnseedResult:
    """Take the canaries out of one table; what belongs to them was taken out before."""
    sorted_ = _sort(rows, planted)
    gone = rows.delete(sorted_.ours)
    if gone != len(sorted_.ours):
        raise OutsideError(
            f"{rows.table.label} let go {gone} of {len(sorted_.ours)} rows",
            "a trigger or rule keeps them; nothing was removed",
        )
    return _told(rows, sorted_)


def _together(results: Sequence[UnseedResult], tables: Sequence[LiveRows]) -> UnseedResult:
    """Add up what became of several tables, each key with its table."""
    if len(results) == 1:
        return results[0]
    labels = [rows.table.label for rows in tables]

    def keys(name: str) -> tuple[object, ...]:
        return tuple(
            {"table": label, "key": key}
            for label, each in zip(labels, results, strict=True)
            for key in getattr(each, name)
        )

    return UnseedResult(
        removed=sum(each.removed for each in results),
        missing=keys("missing"),
        changed=keys("changed"),
        touched=keys("touched"),
        warnings=tuple(warning for each in results for warning in each.warnings),
    )


def _found(tools: Tools, release_id: str) -> Release:
    """Give a seeding that stands in its table; raises UsageError where there is none of this id."""
    with tools.registry.read() as tx:
        release = releases.get(tx, release_id)
    if release is None:
        raise UsageError(f"no release {release_id!r} in the registry", "see canary release list")
    if release.kind != "seed":
        raise UsageError(
            f"release {release.id} is an export, not a seeding", "files that were handed out stay out"
        )
    standing = release.state == ReleaseState.DONE
    if release.state == ReleaseState.PENDING:
        standing = settle(tools, release)
    if not standing:
        raise _twice(release.id)
    return release


def _twice(release: str) -> UsageError:
    return UsageError(f"release {release} was taken out already", f"see canary release show {release}")


def _sort(rows: LiveRows, planted: Sequence[Planted]) -> Sorted:
    found = rows.fetch(each.key for each in planted)
    held = _referred(rows, list(found))
    missing = tuple(each.key for each in planted if each.key not in found)
    ours = [
        each
        for each in planted
        if each.key in found
        and each.key not in held
        and still_ours(each.canary, found[each.key], rows.table.key)
    ]
    touched = tuple(each.key for each in ours if _differs(each, found[each.key], rows))
    removed = tuple(each.key for each in ours)
    kept = found.keys() - set(removed)
    changed = tuple(each.key for each in planted if each.key in kept)
    return Sorted(removed, touched, missing, changed)


def _differs(planted: Planted, row: Row, rows: LiveRows) -> bool:
    own = planted.canary.row
    return any(
        row[name] != own[name] for name in rows.table.headings if name in own and name not in rows.table.key
    )


def _referred(rows: LiveRows, keys: Sequence[Key]) -> set[Key]:
    """Tell which rows others refer to: deleting them could take real rows along."""
    held: set[Key] = set()
    for schema, name, reference in children_of(rows.connection, rows.table):
        held |= _referred_by(rows, schema, name, reference, keys)
    return held


def _referred_by(
    rows: LiveRows, schema: str | None, name: str, reference: Reference, keys: Sequence[Key]
) -> set[Key]:
    found = rows.fetch(keys)
    targets = {tuple(str(row[each]) for each in reference.targets): key for key, row in found.items()}
    child = place_of(schema, name, reference.columns)
    held: set[Key] = set()
    for some in chunks(targets, LOOKUP_CELLS // len(reference.columns)):
        texts = [
            rows.tongue.as_text(rows.table.column(theirs), child.c[mine]).label(f"c{at}")
            for at, (mine, theirs) in enumerate(zip(reference.columns, reference.targets, strict=True))
        ]
        wanted = (
            select(*texts)
            .select_from(child)
            .where(rows.matching_as(reference.columns, reference.targets, some))
        )
        held |= {
            targets[key] for row in rows.connection.execute(wanted) if (key := _key(rows, row)) in targets
        }
    return held


def _key(rows: LiveRows, row: Iterable[object]) -> Key:
    return tuple(str(rows.tongue.spell(cell)) for cell in row)


def _told(rows: LiveRows, sorted_: Sorted) -> UnseedResult:
    table = rows.table
    warnings = []
    if any(column.given and not column.computed for column in table.columns):
        warnings.append(f"the counter of {table.label} keeps what it has counted: later keys leave a gap")
    return UnseedResult(
        removed=len(sorted_.ours),
        missing=shown_keys(table, sorted_.missing),
        changed=shown_keys(table, sorted_.changed),
        touched=shown_keys(table, sorted_.touched),
        warnings=tuple(warnings),
    )


def _record(tools: Tools, release: Release, result: UnseedResult) -> None:
    counts = {
        "removed": result.removed,
        "missing": len(result.missing),
        "changed": len(result.changed),
    }
    with tools.registry.begin() as tx:
        if not seed_record.take_back(tx, tools, release.id, counts):
            raise _twice(release.id)
