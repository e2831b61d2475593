"""Canaries as issued: found again by value, serial, id, release or recipient."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeVar

from sqlalchemy import ColumnElement, func, select, update

from canary.fields.roles import form_of
from canary.keys import Keys
from canary.ledger.entry import canary_leaf
from canary.model.canary import Canary, CanaryField, Placement
from canary.store.issuing import Collision, issue, key_place, record_place
from canary.store.releases import Holding, holdings
from canary.store.rows import LOOKUP_KEYS, AnyRow, AnySelect, chunks, plain_rows, rows_among, stream
from canary.store.tables import canaries, identifiers, placements, releases
from canary.store.text import unseal_text
from canary.store.tx import Tx

__all__ = [
    "Collision",
    "Counts",
    "Holding",
    "burn",
    "by_ids",
    "by_serials",
    "by_value",
    "count_above",
    "counts",
    "holdings",
    "issue",
    "issued_by_form",
    "leaves_of_release",
    "of_recipient_dataset",
    "of_release",
    "opening",
    "scan_columns",
    "scan_rows",
]  # fmt: skip

_COLUMNS: Final = (
    canaries.c.serial,
    canaries.c.id,
    canaries.c.sealed,
    canaries.c.burned_ms,
    canaries.c.issued_ms,
)

K = TypeVar("K", int, str)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many canaries were issued, and how many of them are controls or burned."""

    issued: int
    control: int
    burned: int


def _noun(keys: Keys, row: AnyRow) -> Canary:
    opening = json.loads(keys.unseal(row.sealed, record_place(row.id)))
    return Canary(
        id=opening["id"],
        recipient=opening["recipient"],
        dataset=opening["dataset"],
        kind=opening["kind"],
        fields=tuple(CanaryField(*each) for each in opening["fields"]),
        row=dict(opening["row"]),
        control=opening["control"],
        burned_ms=row.burned_ms,
        issued_ms=row.issued_ms,
    )


def by_serials(tx: Tx, serials: Iterable[int]) -> list[Canary]:
    """Give the canaries of these serials in their order; an unknown serial is left out."""
    return _ordered(tx, serials, lambda part: canaries.c.serial.in_(part), lambda row: int(row.serial))


def by_ids(tx: Tx, ids: Iterable[str]) -> list[Canary]:
    """Give the canaries of these ids in their order; an unknown id is left out."""
    return _ordered(tx, ids, lambda part: canaries.c.id.in_(part), lambda row: str(row.id))


def _ordered(
    tx: Tx,
    items: Iterable[K],
    among: Callable[[list[K]], ColumnElement[bool]],
    key: Callable[[AnyRow], K],
) -> list[Canary]:
    found: dict[K, Canary] = {}
    wanted = list(items)
    for part in chunks(dict.fromkeys(wanted), LOOKUP_KEYS):
        rows = tx.conn.execute(select(*_COLUMNS).where(among(part)))
        found.update((key(row), _noun(tx.keys, row)) for row in rows)
    return [found[each] for each in wanted if each in found]


def by_value(tx: Tx, role: str, canonical: str) -> list[Canary]:
    """Give the canaries that carry a canonical value in a role of its form, in the order of issue."""
    form = form_of(role)
    if form is None:
        return []
    carrying = select(identifiers.c.canary).where(identifiers.c.digest == tx.keys.digest(form, canonical))
    wanted = select(*_COLUMNS).where(canaries.c.serial.in_(carrying)).order_by(canaries.c.serial)
    return [_noun(tx.keys, row) for row in tx.conn.execute(wanted)]


@dataclass(frozen=True, slots=True)
class Holder:
    """A canary that carries a value, and how many bits that tells."""

    canary: str
    bits: float


def holders_of(tx: Tx, values: Sequence[tuple[str, str]]) -> dict[tuple[str, str], list[Holder]]:
    """Map (role, canonical value) to the canaries that carry it, in the order of issue, without opening any."""
    wanted = {pair: _digest(tx.keys, *pair) for pair in values}
    found: dict[bytes, list[AnyHolding]] = {}
    for digest, *row in rows_among(tx.conn, _HOLDING, "i.digest", sorted({*wanted.values()})):
        found.setdefault(bytes(digest), []).append((row[0], row[1], row[2], row[3]))
    return {pair: _holders(found.get(digest, ()), pair[0]) for pair, digest in wanted.items()}


AnyHolding: TypeAlias = tuple[int, str, str, float]
_HOLDING: Final = (
    "i.digest, c.serial, c.id, i.role, i.bits FROM identifiers i JOIN canaries c ON c.serial = i.canary"
)


def _digest(keys: Keys, role: str, canonical: str) -> bytes:
    return keys.digest(form_of(role) or "", canonical)


def _holders(rows: Iterable[AnyHolding], role: str) -> list[Holder]:
    bits: dict[str, float] = {}
    for _, id, carried, told in sorted(rows):
        bits[id] = max(bits.get(id, 0.0), told if carried == role else 0.0)
    return [Holder(id, told) for id, told in bits.items()]


def of_recipient_dataset(tx: Tx, recipient: str, dataset: str) -> list[Canary]:
    """Give the canaries of a recipient in a dataset, which later releases carry, in the order of issue."""
    mine = canaries.c.recipient == recipient, canaries.c.dataset == dataset, canaries.c.control.is_(False)
    rows = stream(tx.conn, select(*_COLUMNS).where(*mine).order_by(canaries.c.serial))
    return [_noun(tx.keys, row) for row in rows]


def _placed_in(release: str, *columns: ColumnElement[Any]) -> AnySelect:
    joined = placements.join(canaries, placements.c.canary == canaries.c.serial)
    joined = joined.join(releases, placements.c.release == releases.c.serial)
    chosen = select(*columns).select_from(joined).where(releases.c.id == release)
    return chosen.order_by(placements.c.position, placements.c.canary)


def of_release(tx: Tx, release: str) -> list[tuple[Placement, Canary]]:
    """Give what stands in a release, by position and then by the order of issue."""
    extra = placements.c.release, placements.c.position, placements.c.key, placements.c.carried
    rows = stream(tx.conn, _placed_in(release, *_COLUMNS, *extra))
    return [(_placement(tx.keys, release, row), _noun(tx.keys, row)) for row in rows]


def _placement(keys: Keys, release: str, row: AnyRow) -> Placement:
    place = key_place(row.serial, row.release)
    key = None if row.key is None else unseal_text(keys, row.key, place)
    return Placement(row.id, release, row.position, key, row.carried)


def leaves_of_release(tx: Tx, release: str) -> list[tuple[str, bytes]]:
    """Give (canary id, salted ledger leaf) of what stands in a release, in the order of `of_release`."""
    columns = canaries.c.id, canaries.c.sealed, canaries.c.salt
    return [
        (row.id, canary_leaf(row.salt, tx.keys.unseal(row.sealed, record_place(row.id))))
        for row in stream(tx.conn, _placed_in(release, *columns))
    ]


def opening(tx: Tx, canary: str) -> tuple[bytes, bytes] | None:
    """Give (salt, opening) by which anybody can check a canary's leaf, None where it does not exist."""
    wanted = select(canaries.c.salt, canaries.c.sealed).where(canaries.c.id == canary)
    row = tx.conn.execute(wanted).one_or_none()
    return None if row is None else (row.salt, tx.keys.unseal(row.sealed, record_place(canary)))


def counts(tx: Tx) -> Counts:
    """Count the canaries."""
    total, control, burned = tx.conn.execute(
        select(
            func.count(),
            func.count().filter(canaries.c.control.is_(True)),
            func.count(canaries.c.burned_ms),
        ).select_from(canaries)
    ).one()
    return Counts(total, control, burned)


def burn(tx: Tx, ids: Iterable[str], ms: int) -> int:
    """Note since when canaries are public, which takes their weight; gives how many are new to it."""
    burned = 0
    for part in chunks(ids, LOOKUP_KEYS):
        fresh = update(canaries).where(canaries.c.id.in_(part), canaries.c.burned_ms.is_(None))
        burned += tx.conn.execute(fresh.values(burned_ms=ms)).rowcount
    return burned


def scan_rows(tx: Tx, after: int = 0) -> Iterator[tuple[int, int, str, float]]:
    """Give (scan key, canary serial, form, bits) of the identifiers of canaries above serial `after`."""
    for columns in scan_columns(tx, after):
        yield from zip(*columns, strict=True)


def scan_columns(tx: Tx, after: int = 0) -> Iterator[tuple[tuple[Any, ...], ...]]:
    """Give the columns (scan key, canary serial, form, bits) of identifiers of canaries above a serial, in batches.

    A million rows are.
    """
    where = "ORDER BY serial"
    if after:  # in the order of the index that finds the few: by serial, all would be gone through
        where = f"WHERE canary > {int(after)} ORDER BY canary, serial"
    for rows in plain_rows(tx.conn, f"SELECT scan_key, canary, form, bits FROM identifiers {where}"):
        yield tuple(zip(*rows, strict=True))


def id_at(tx: Tx, serial: int) -> str:
    """Give the id of the canary of a serial, '' where there is none."""
    return tx.conn.scalar(select(canaries.c.id).where(canaries.c.serial == serial)) or ""


def count_above(tx: Tx, serial: int) -> int:
    """Count the canaries above a serial."""
    return tx.conn.execute(
        select(func.count()).select_from(canaries).where(canaries.c.serial > serial)
    ).scalar_one()


def issued_by_form(tx: Tx) -> Mapping[str, int]:
    """Count the distinct values issued of each form."""
    distinct = func.count(identifiers.c.digest.distinct())
    rows = tx.conn.execute(select(identifiers.c.form, distinct).group_by(identifiers.c.form))
    return dict(rows.all())
