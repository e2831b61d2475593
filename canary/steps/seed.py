"""Seed: plants canaries in a live database, in one transaction there and one in the registry.

Order of effects, so that a kill at any moment leaves nothing half-done: the rows are inserted but not
committed, then the registry stores a pending release with their keys and its ledger entry, then the database
commits, then the release is done. No row is visible without its ledger entry; a pending release is settled by
the next call, which looks whether its rows stand. A living call holds the release's lock in the target.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError

from canary.errors import OutsideError, UsageError
from canary.ledger.entry import canonical_json
from canary.model.canary import Release, ReleaseState
from canary.steps import live_errors, releasing, seed_record
from canary.steps.linked_model import Web
from canary.steps.live_rows import LiveRows
from canary.steps.livedb import LiveDb, shown, url_digest
from canary.steps.seed_draw import Drawer, learn
from canary.steps.seed_linked import Linked, followed, learn_linked, rooted, told, web_at
from canary.steps.seed_model import Planted, SeedRequest, SeedResult, Target, check, identity, shown_keys
from canary.steps.seed_place import Placer
from canary.steps.seed_settle import recover, replant, take
from canary.steps.shown import unknown_recipient
from canary.steps.tools import Tools
from canary.store import issuing, recipients, releases

__all__ = ["SeedRequest", "SeedResult", "seed", "with_followed"]

TRIES: Final = 5  # plantings until the registry takes the values; a collision is a matter of 2^-36


def with_followed(request: SeedRequest) -> SeedRequest:
    """Add to a request all tables whose rows belong to those of its table, as foreign keys tell."""
    if request.linked:
        raise UsageError("--linked finds the tables itself", "give one --table, or name all without --linked")
    return replace(request, linked=followed(LiveDb.at(request.url), request.table))


def seed(tools: Tools, request: SeedRequest) -> SeedResult:
    """Plant canaries for a recipient; with a request id the same call gives the same release again."""
    check(request)
    db = LiveDb.at(request.url)
    request = rooted(db, request)
    _check_recipient(tools, request.recipient)
    _check_apart(tools, db)
    warnings = _recovered(tools, request)
    name, known = _known(tools, request, db)
    if known is not None:
        return _repeated(tools, request, db, known)
    drawer = learn(tools, db, request)
    linked = learn_linked(tools, db, request, drawer) if request.linked else None
    if request.dry_run:
        return _preview(request, db, drawer, linked)
    for _ in range(TRIES):
        try:
            result = _plant(tools, request, db, drawer, name, linked)
            return replace(result, warnings=(*warnings, *result.warnings))
        except issuing.Collision:
            continue
        except UsageError:
            name, known = _known(tools, request, db)
            if known is None or request.request is None:
                raise
            return _repeated(tools, request, db, known)  # made by the same call elsewhere, meanwhile
    raise OutsideError(
        "no free values were left for canaries", "add a mail domain or reserve a range in the policy"
    )


def _check_recipient(tools: Tools, recipient: str) -> None:
    with tools.registry.read() as tx:
        found = recipients.get(tx, recipient)
    if found is None or found.ghost:
        raise unknown_recipient(recipient)


def _check_apart(tools: Tools, db: LiveDb) -> None:
    registry = tools.registry.engine.url
    if registry.get_backend_name() == db.url.get_backend_name() and url_digest(registry) == url_digest(
        db.url
    ):
        raise UsageError(
            "this is the registry's own database", "plant in the database that is to be protected"
        )


def _recovered(tools: Tools, request: SeedRequest) -> tuple[str, ...]:
    """Settle what earlier calls left half-done; a dry run touches nothing."""
    if request.dry_run:
        return ()
    name = identity(request, LiveDb.at(request.url), 0) if request.request else ""
    with tools.registry.read() as tx:
        same = releases.by_identity(tx, name)
    waiting = recover(tools, skip=same.id if same else None).waiting
    return tuple(f"release {each} is half-done and its database busy or out of reach" for each in waiting)


def _known(tools: Tools, request: SeedRequest, db: LiveDb) -> tuple[str, Release | None]:
    """Give this call's identity and its release, if any; attempts that came to nothing are passed over."""
    with tools.registry.read() as tx:
        for attempt in count():
            name = identity(request, db, attempt)
            release = releases.by_identity(tx, name)
            if release is None or not seed_record.never_planted(release):
                return name, release
    raise AssertionError


def _repeated(tools: Tools, request: SeedRequest, db: LiveDb, release: Release) -> SeedResult:
    """Answer a call that was made before; one that was cut off is finished first."""
    if release.state == ReleaseState.UNDONE:
        raise UsageError(
            f"request {request.request!r} was release {release.id}, which was taken out again",
            "give another --request to plant anew",
        )
    if release.state == ReleaseState.PENDING and not request.dry_run:
        replant(tools, release)
    with tools.registry.read() as tx:
        planted = seed_record.planted_of(tx, release.id)
    web = web_at(db, (request.table, *request.linked))
    return _told(release.id, request, web, planted, ())


def _preview(request: SeedRequest, db: LiveDb, drawer: Drawer, linked: Linked | None) -> SeedResult:
    """Tell what would be planted; nothing is inserted, so that no counter of the database moves either."""
    table = drawer.table
    with db.reading(table.label) as connection:
        rows = LiveRows(connection, db.tongue, table)
        seated = Placer(rows, drawer.sample, drawer.rng, drawer.personal).seat(
            drawer.draw, drawer.room(request.count)
        )
    keys = [
        tuple(str(each.row[name]) for name in table.key)
        for each in seated
        if set(table.key) <= each.row.keys()
    ]
    told = shown_keys(table, keys)
    along = tuple(linked.rows_expected(len(seated))) if linked else ()
    total = len(seated) + sum(each.canaries for each in along)
    warnings = (*drawer.warnings, *(linked.warnings if linked else ()))
    return SeedResult(None, request.recipient, table.label, total, told, warnings, along)


def _plant(
    tools: Tools, request: SeedRequest, db: LiveDb, drawer: Drawer, name: str, linked: Linked | None
) -> SeedResult:
    table = drawer.table
    release = _release(tools, request, db, drawer, name)
    with db.writing(table.label) as connection:
        take(db, connection, release.id)
        rows = LiveRows(connection, db.tongue, table)
        before = rows.count()
        planted = Placer(rows, drawer.sample, drawer.rng, drawer.personal).place(
            drawer.draw, drawer.room(request.count)
        )
        if linked is not None:
            before += linked.count(db, connection)
            planted = linked.place(db, connection, planted)
        release = replace(
            release,
            rows_in=before,
            rows_out=before + len(planted),
            canaries=len(planted),
            sha256_out=_digest(planted),
        )
        ghosts = drawer.ghosts(rows)
        with tools.registry.begin() as tx:
            releasing.ensure_dataset(tx, tools, drawer.chosen.version, ghosts)
            seed_record.issue(tx, tools, release, planted)
        _commit(tools, release, db, connection)
    with tools.registry.begin() as tx:
        seed_record.finish(tx, release.id)
    web = linked.web if linked else Web(table, ())
    warnings = (*drawer.warnings, *(linked.warnings if linked else ()))
    return _told(release.id, request, web, planted, warnings)


def _release(tools: Tools, request: SeedRequest, db: LiveDb, drawer: Drawer, name: str) -> Release:
    version = drawer.chosen.version
    return Release(
        id=releasing.new_release_id(), identity=name, dataset=version.dataset, version=version.sha256,
        recipient=request.recipient, kind="seed", state=ReleaseState.PENDING, input=shown(db.url),
        output=", ".join((drawer.table.label, *request.linked)), format=db.url.get_backend_name(), rows_in=0,
        rows_out=0, canaries=0, marked_cells=0, sha256_in=url_digest(db.url), sha256_out="",
        created_ms=tools.clock.now_ms(),
        target=Target(db.url.render_as_string(hide_password=False), request.table, request.linked).text(),
    )  # fmt: skip


def _digest(planted: Sequence[Planted]) -> str:
    """Digest the rows as planted (hex SHA-256 of their canonical JSON)."""
    return hashlib.sha256(canonical_json([list(each.canary.row.items()) for each in planted])).hexdigest()


def _commit(tools: Tools, release: Release, db: LiveDb, connection: Connection) -> None:
    """Commit the target; a refusal undoes the release, an unanswered one is settled by the next call."""
    try:
        connection.commit()
    except IntegrityError as error:
        with tools.registry.begin() as tx:
            seed_record.undo(tx, tools, release, "the database refused it")
        raise live_errors.refused(error, release.output) from None
    except DBAPIError as error:
        failed = live_errors.outside(error, db.url, release.output)
        raise OutsideError(
            failed.message,
            f"release {release.id} is half-done: the next seed or unseed finishes or undoes it",
        ) from None


def _told(
    release: str, request: SeedRequest, web: Web, planted: Sequence[Planted], warnings: Sequence[str]
) -> SeedResult:
    root = web.root
    keys = shown_keys(root, [each.key for each in planted if each.table in ("", root.label)])
    linked = told(web, planted)
    return SeedResult(release, request.recipient, root.label, len(planted), keys, tuple(warnings), linked)
