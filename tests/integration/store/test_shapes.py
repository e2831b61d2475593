"""The shapes of what was issued: known where all were noted, and never fewer than those of the identifiers."""

from __future__ import annotations

from sqlalchemy import delete

from canary.store import shapes
from canary.store.registry import Registry
from canary.store.tables import meta


def test_shapes_are_noted_as_canaries_are_issued(registry: Registry, issued: Registry) -> None:
    assert registry is issued
    with issued.begin() as tx:
        before = shapes.issued_shapes(tx)
        assert before is not None
        assert "phone:mobile" in before
        shapes.note(tx, [("code", "A1234567"), ("email", "a@b.cn"), ("phone", "15400000001")])
        after = shapes.issued_shapes(tx)
        assert after == before | {"code:8", "email"}
        shapes.note(tx, [("code", "B7654321")])
        assert shapes.issued_shapes(tx) == after


def test_a_registry_that_issued_before_does_not_know_its_shapes(issued: Registry) -> None:
    with issued.begin() as tx:
        tx.conn.execute(delete(meta).where(meta.c.key == shapes.NOTED))
        shapes.note(tx, [("code", "A1234567")])
        assert shapes.issued_shapes(tx) is None


def test_a_registry_without_canaries_knows_that_it_has_none(stocked: Registry) -> None:
    with stocked.begin() as tx:
        assert shapes.issued_shapes(tx) == frozenset()
