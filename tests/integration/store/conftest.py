"""A fresh registry on each kind of database, and makers of what stands in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from canary.keys import Keys
from canary.ledger.note import Signer
from canary.store.registry import Registry

KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]


@pytest.fixture
def keys() -> Keys:
    return Keys(bytes(range(32)))


@pytest.fixture
def signer() -> Signer:
    return Signer(bytes(range(1, 33)))


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty place for a registry, once on SQLite and once on PostgreSQL."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgresql_url"))
    return f"sqlite:///{tmp_path / 'canary.db'}"


@pytest.fixture
def registry(database_url: str, keys: Keys) -> Iterator[Registry]:
    """A fresh registry, once on SQLite and once on PostgreSQL."""
    made = Registry.create(database_url, keys)
    yield made
    made.close()
