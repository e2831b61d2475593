"""A home's registry with canaries, a web site, and watchers over both."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from canary.daemon.watcher import Watcher
from canary.store.registry import Registry
from tests.watch_tools import SIGNER, PlainEyes, Planted, RealClock, Site, fresh_registry, plant, web_site

NET: Mapping[str, object] = {
    "allow_addresses": ["127.0.0.0/8"],
    "timeout": 3,
    "host_requests_per_minute": 6000,
    "retry_base": 0.3,
}
MakeWatcher = Callable[..., Watcher]


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with fresh_registry(tmp_path) as made:
        yield made


@pytest.fixture
def planted(registry: Registry) -> list[Planted]:
    return plant(registry, 20)


@pytest.fixture
def site() -> Iterator[Site]:
    with web_site() as made:
        yield made


@pytest.fixture
def watcher(registry: Registry, planted: list[Planted], tmp_path: Path) -> MakeWatcher:
    def make(
        monitors: Mapping[str, object] | None = None,
        alerts: Mapping[str, object] | None = None,
        net: Mapping[str, object] | None = None,
        only: str | None = None,
    ) -> Watcher:
        config = {"net": {**NET, **(net or {})}, "monitors": monitors or {}, "alerts": alerts or {}}
        return Watcher.from_config(
            registry, config, SIGNER, RealClock(), tmp_path, only, random.Random(3), PlainEyes(planted)
        )

    return make
