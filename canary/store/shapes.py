"""The shapes of what was issued: forms and lengths, by which a scan leaves out what can be no canary.

They tell how long an organisation's codes are and nothing of any one of them. One row a shape, which is never taken
away: two writers cannot lose what the other noted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlalchemy import select

from canary.scan.tally import shape_of
from canary.store.bulk import insert_new_rows
from canary.store.tables import meta
from canary.store.tx import Tx

NOTED: Final = "shapes"  # the fact of a registry in which all shapes are noted
_PREFIX: Final = "shape "


def note(tx: Tx, values: Iterable[tuple[str, str]]) -> None:
    """Note the shapes of some values (form, canonical) that are issued in this transaction."""
    shapes = {_shape(form, canonical) for form, canonical in values}
    fresh = sorted(shapes - _known(tx))
    insert_new_rows(tx.conn, meta, [{"key": _PREFIX + shape, "value": ""} for shape in fresh], ("key",))


def issued_shapes(tx: Tx) -> frozenset[str] | None:
    """Give the shapes of all that was issued, None where they are not known: some was issued before they were noted."""
    marked = tx.conn.scalar(select(meta.c.value).where(meta.c.key == NOTED))
    return None if marked is None else frozenset(_known(tx))


def _known(tx: Tx) -> set[str]:
    keys = tx.conn.scalars(select(meta.c.key).where(meta.c.key.startswith(_PREFIX, autoescape=True)))
    return {key.removeprefix(_PREFIX) for key in keys}


def _shape(form: str, canonical: str) -> str:
    """Give the shape; of a mail address that it is one, since the class of its domain would tell something of it."""
    return form if form == "email" else shape_of(form, canonical)
