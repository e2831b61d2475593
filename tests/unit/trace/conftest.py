"""Small registries: partners p0, p1 … with 160 canaries each, eight ghosts, canaries of four fields."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import pytest

from canary.model.evidence import Candidates
from canary.trace.case import Case, Held, HitCanary, Holder, IssuedField

FIELDS = (
    IssuedField("email", "email", 60.0),
    IssuedField("phone", "phone", 16.0, shared=True),
    IssuedField("waybill_no", "code", 23.0),
    IssuedField("name", None, 10.0),
)


def _hit(
    number: int, owner: str, roles: Iterable[str], derived: Sequence[str] = (), made: int = 1, **more
) -> HitCanary:
    fields = tuple(replace(each, token=f"t{number}") if each.shared else each for each in FIELDS)
    own = () if more.get("control") else (Holder(owner, f"r-{owner}", made),)
    holders = (*own, *(Holder(name, f"r-{name}", 1, carried=True) for name in derived))
    return HitCanary(f"c-{number:05d}", owner, fields, (frozenset(roles),), holders, **more)


def _case(partners: int, hits: Iterable[HitCanary] = (), **more) -> Case:
    names = [f"p{i}" for i in range(partners)]
    ghosts = tuple(f"ghost-{i}" for i in range(8))
    settings = {
        "recipients": (*names, *ghosts),
        "releases": {name: (Held(f"r-{name}", 1),) for name in names},
        "issued": dict.fromkeys(names, 160),
        "hits": tuple(hits),
        "candidates": Candidates({"email": 5000, "phone": 5000, "code": 5000}, {("name", "phone"): 5000}),
        "ghosts": frozenset(ghosts),
        "rows": 5000,
    }
    return Case(**{**settings, **more})


@pytest.fixture
def hit() -> Callable[..., HitCanary]:
    return _hit


@pytest.fixture
def case() -> Callable[..., Case]:
    return _case
