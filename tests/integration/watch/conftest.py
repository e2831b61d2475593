"""A registry on each kind of database, and what takes items in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from canary.alerts.policy import AlertPolicy
from canary.keys import Keys
from canary.steps.watch import Taker
from canary.store.registry import Registry
from tests.watch_tools import SIGNER, HandClock, PlainEyes, Planted

KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
MakeTaker = Callable[..., Taker]


@pytest.fixture(params=KINDS)
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Registry]:
    sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'canary.db'}" if sqlite else str(request.getfixturevalue("postgresql_url"))
    made = Registry.create(url, Keys(bytes(range(32))))
    yield made
    made.close()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def taker(registry: Registry, clock: HandClock) -> MakeTaker:
    def make(planted: list[Planted], policy: AlertPolicy | None = None) -> Taker:
        return Taker(registry, SIGNER, clock, PlainEyes(planted), policy or AlertPolicy(("ops",), 60_000))

    return make
