"""A draft whose value another one has, or that was issued before, is told, and gives its own values back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from canary.generators.drafts import Draft
from canary.model.canary import CanaryField
from canary.steps import drawing
from canary.steps.drawing import Values


def draft(*codes: str, shared: bool = False) -> Draft:
    fields = tuple(
        CanaryField("waybill_no", f"c{at}", code, code, 9.0, shared) for at, code in enumerate(codes)
    )
    return Draft(0, {}, fields)


@pytest.fixture
def issued(monkeypatch: pytest.MonkeyPatch) -> dict[bytes, str]:
    known: dict[bytes, str] = {}
    monkeypatch.setattr(
        drawing.lookups,
        "unique_by_digest",
        lambda _, digests: {each: known[each] for each in digests if each in known},
    )
    return known


@pytest.fixture
def values() -> Values:
    @contextmanager
    def read() -> Iterator[None]:
        yield None

    keys = SimpleNamespace(digest=lambda form, text: f"{form} {text}".encode())
    tools: Any = SimpleNamespace(keys=keys, registry=SimpleNamespace(read=read))
    return Values(tools)


def test_the_later_of_two_is_drawn_again_and_then_none(values: Values, issued: dict[bytes, str]) -> None:
    assert values.taken({(0, 0): draft("A1"), (0, 1): draft("A1", "B1"), (1, 0): draft("C1")}) == {(0, 1)}
    assert values.taken({(0, 1): draft("D1", "B1")}) == set()
    assert values.taken({(1, 0): draft("A1")}) == {(1, 0)}
    assert values.taken({(0, 0): draft("E1"), (1, 0): draft("A1")}) == set()


def test_what_was_issued_is_told_of_fresh_drafts_alone(values: Values, issued: dict[bytes, str]) -> None:
    issued[b"code A1"] = "c-1"
    assert values.taken({(0, 0): draft("A1"), (0, 1): draft("B1")}) == {(0, 0)}
    assert values.taken({(0, 0): draft("C1")}) == set()


def test_a_value_twice_in_one_draft_is_told_and_a_shared_one_is_not(
    values: Values, issued: dict[bytes, str]
) -> None:
    assert values.taken({(0, 0): draft("A1", "A1")}) == {(0, 0)}
    assert values.taken({(0, 0): draft("B1"), (0, 1): draft("B1", shared=True)}) == set()
