"""One node leads; another takes over when it falls silent; on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from canary.daemon.leader import LEASE_MS, Leader
from canary.errors import OutsideError
from canary.keys import Keys
from canary.store.clock import DatabaseClock
from canary.store.leases import Overtaken
from canary.store.registry import Registry
from tests.watch_tools import NOW_MS, HandClock, RealClock, fresh_registry


@dataclass
class Moments:
    """A machine's clock and its monotonic one, which a suspended process does not see pass."""

    clock: HandClock
    passed: float = 0.0

    def __call__(self) -> float:
        return self.passed

    def pass_ms(self, ms: int) -> None:
        self.clock.ms += ms
        self.passed += ms / 1000


@pytest.fixture
def moments() -> Moments:
    return Moments(HandClock())


def node(registry: Registry, moments: Moments, name: str) -> Leader:
    return Leader(registry, moments.clock, name, moments)


def test_the_lead_changes_hands_within_a_lease(registry: Registry, moments: Moments) -> None:
    first, second = node(registry, moments, "a"), node(registry, moments, "b")
    assert first.token is None
    assert first.turn()
    assert not second.turn()
    for _ in range(5):
        moments.pass_ms(LEASE_MS - 1)
        assert first.turn()
        assert not second.turn()
    moments.pass_ms(LEASE_MS)  # a was killed
    assert second.turn()
    assert (second.token, first.token) == (2, None)
    with registry.begin() as tx:
        second.check(tx)
        with pytest.raises(Overtaken):
            first.check(tx)
    assert not first.turn()
    assert first.token is None


def test_a_lead_that_is_given_back_is_taken_at_once(registry: Registry, moments: Moments) -> None:
    first, second = node(registry, moments, "a"), node(registry, moments, "b")
    assert first.turn()
    first.release()
    first.release()
    assert first.token is None
    assert second.turn()
    with registry.begin() as tx, pytest.raises(Overtaken):
        first.check(tx)


def test_a_registry_that_fails_for_a_moment_costs_no_lead(moments: Moments) -> None:
    class Broken:
        def begin(self) -> object:
            raise OutsideError("the registry is down", "")

    with_lead = Leader(cast(Registry, Broken()), moments.clock, "a", moments)
    with_lead._token, with_lead._until = 1, 6.0
    assert with_lead.turn()
    moments.pass_ms(6_000)
    assert not with_lead.turn()


@pytest.fixture
def postgresql(postgresql_url: str) -> Iterator[Registry]:
    made = Registry.create(postgresql_url, Keys(bytes(range(32))))
    yield made
    made.close()


@pytest.mark.postgresql
def test_the_database_tells_the_time_to_all_nodes(postgresql: Registry) -> None:
    """A node whose own clock is days ahead takes nothing from another one."""
    wrong = Moments(HandClock(NOW_MS + 10**9))
    shared = DatabaseClock(postgresql, wrong.clock, wrong)
    told, real = shared.now_ms(), RealClock().now_ms()
    assert abs(told - real) < 60_000
    wrong.passed += 2.5
    assert 2_500 <= shared.now_ms() - told < 4_000
    wrong.passed += 60
    assert abs(shared.now_ms() - RealClock().now_ms()) < 60_000
    assert Leader(postgresql, HandClock(), "a", Moments(HandClock())).turn()
    assert not Leader(postgresql, wrong.clock, "b", wrong).turn()


def test_on_sqlite_the_machine_tells_the_time(tmp_path: Path) -> None:
    with fresh_registry(tmp_path) as registry:
        assert DatabaseClock(registry, HandClock(), lambda: 0.0).now_ms() == NOW_MS
