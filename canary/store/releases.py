"""Releases: what was handed to whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from sqlalchemy import insert, select, update

from canary.errors import UsageError
from canary.keys import Keys
from canary.model.canary import Release, ReleaseState
from canary.store.rows import LOOKUP_KEYS, AnyRow, AnySelect, chunks, next_serials, stream
from canary.store.tables import canaries, placements, releases
from canary.store.text import dump, fit, load_list, seal_text, storable, unseal_text
from canary.store.tx import Tx

_FORMAT_CHARS: Final = 64


class Holding(NamedTuple):
    """One canary in one release: who held it since when; `carried` ones stood in an earlier release too."""

    canary: str
    recipient: str
    release: str
    created_ms: int
    carried: bool


def add(tx: Tx, release: Release) -> int:
    """Add a release and give its serial; raises UsageError where its identity exists already."""
    if by_identity(tx, release.identity) is not None:
        raise UsageError("this release exists already", "use it, or force another with --new")
    serial = next_serials(tx.conn, releases, 1)[0]
    tx.conn.execute(insert(releases).values({"serial": serial, **_values(tx.keys, release)}))
    return serial


def update_from(tx: Tx, release: Release) -> None:
    """Store a release's present state, counts, digests, places and ledger index under its id."""
    values = _values(tx.keys, release)
    _one(tx, release.id, {name: value for name, value in values.items() if name not in ("id", "identity")})


def set_state(tx: Tx, release: str, state: ReleaseState) -> None:
    """Note how far a release has come; raises UsageError where there is no such release."""
    _one(tx, release, {"state": state.value})


def set_ledger_index(tx: Tx, release: str, index: int) -> None:
    """Note the ledger entry of a release; raises UsageError where there is no such release."""
    _one(tx, release, {"ledger_index": index})


def _one(tx: Tx, release: str, values: dict[str, object]) -> None:
    changed = tx.conn.execute(update(releases).where(releases.c.id == release).values(values))
    if changed.rowcount != 1:
        raise UsageError(f"no release {release!r}", "list them with canary release list")


def _place(release: str) -> str:
    return f"releases.target:{release}"


def _values(keys: Keys, each: Release) -> dict[str, object]:
    return {
        "id": each.id,
        "identity": each.identity,
        "dataset": each.dataset,
        "version": each.version,
        "recipient": each.recipient,
        "kind": each.kind,
        "state": each.state.value,
        "input": storable(each.input),
        "output": storable(each.output),
        "format": fit(each.format, _FORMAT_CHARS),
        "rows_in": each.rows_in,
        "rows_out": each.rows_out,
        "canaries": each.canaries,
        "marked_cells": each.marked_cells,
        "sha256_in": each.sha256_in,
        "sha256_out": each.sha256_out,
        "created_ms": each.created_ms,
        "ledger_index": each.ledger_index,
        "target": seal_text(keys, each.target, _place(each.id)),
        "derived_from": dump(each.derived_from),
    }


_UNLIKE: Final = ("serial", "state", "target", "derived_from")
_PLAIN: Final = tuple(each.name for each in releases.c if each.name not in _UNLIKE)


def _noun(keys: Keys, row: AnyRow) -> Release:
    return Release(
        **{name: getattr(row, name) for name in _PLAIN},
        state=ReleaseState(row.state),
        target=unseal_text(keys, row.target, _place(row.id)),
        derived_from=load_list(row.derived_from),
    )


def _first(tx: Tx, wanted: AnySelect) -> Release | None:
    row = tx.conn.execute(wanted).one_or_none()
    return None if row is None else _noun(tx.keys, row)


def get(tx: Tx, release: str) -> Release | None:
    """Give a release by its id, None where there is none."""
    return _first(tx, select(releases).where(releases.c.id == release))


def by_identity(tx: Tx, identity: str) -> Release | None:
    """Give the release of an identity, None where nothing like it was handed out."""
    return _first(tx, select(releases).where(releases.c.identity == identity))


def has_any(tx: Tx, recipient: str, version: str) -> bool:
    """Tell whether a recipient was handed anything of a dataset version."""
    own = releases.c.recipient == recipient, releases.c.version == version
    return tx.conn.scalar(select(releases.c.serial).where(*own).limit(1)) is not None


def list_all(tx: Tx, recipient: str | None = None) -> list[Release]:
    """List releases in the order they were made, of one recipient where asked for."""
    wanted = select(releases).order_by(releases.c.serial)
    if recipient is not None:
        wanted = wanted.where(releases.c.recipient == recipient)
    return [_noun(tx.keys, row) for row in stream(tx.conn, wanted)]


def _holdings() -> AnySelect:
    columns = canaries.c.id, releases.c.recipient, releases.c.id.label("release"), releases.c.created_ms
    joined = placements.join(canaries, placements.c.canary == canaries.c.serial)
    joined = joined.join(releases, placements.c.release == releases.c.serial)
    return select(*columns, placements.c.carried).select_from(joined)


def holdings(tx: Tx) -> Iterator[Holding]:
    """Give every canary with every release it stands in, for the trace."""
    for row in stream(tx.conn, _holdings().order_by(placements.c.canary, placements.c.release)):
        yield Holding(*row)


def holders(tx: Tx, canary_ids: Iterable[str]) -> list[Holding]:
    """List the releases in which these canaries stand, oldest first for each canary."""
    found: list[Holding] = []
    for part in chunks(canary_ids, LOOKUP_KEYS):
        wanted = _holdings().where(canaries.c.id.in_(part))
        rows = tx.conn.execute(wanted.order_by(placements.c.canary, placements.c.release))
        found += [Holding(*row) for row in rows]
    return found


def held_before(tx: Tx, ms: int | None) -> frozenset[str]:
    """Give the recipients of releases made before a time (None: at any time): who can be named."""
    wanted = select(releases.c.recipient).distinct()
    if ms is not None:
        wanted = wanted.where(releases.c.created_ms < ms)
    return frozenset(tx.conn.scalars(wanted))
