"""A fresh registry on each kind of database, and makers of what stands in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from canary.keys import Keys
from canary.ledger.note import Signer
from canary.model.canary import Canary, CanaryField, Placement, Release, ReleaseState
from canary.model.data import DatasetVersion
from canary.model.people import Recipient, RecipientKind
from canary.store import canaries, datasets, recipients, releases
from canary.store.registry import Registry

WHO = ("acme", "bolt", "core")
HEADINGS = ("运单号", "电话", "姓名")
VERSION = DatasetVersion("f" * 64, "waybills", HEADINGS, "policy = 1\n", 5)


def make_release(number: int, recipient: str) -> Release:
    digest = f"{number:064x}"
    return Release(
        id=f"r-{number}", identity=digest, dataset="waybills", version=VERSION.sha256, recipient=recipient,
        kind="export", state=ReleaseState.PENDING, input="in.csv", output="out.csv", format="csv", rows_in=10,
        rows_out=12, canaries=2, marked_cells=7, sha256_in=digest, sha256_out=digest, created_ms=number * 100,
    )  # fmt: skip


def make_canary(number: int, recipient: str = "acme", phone: str = "15400000001") -> Canary:
    waybill, alias = f"YT{number:013d}", f"li.wei{number}@mail.example"
    fields = (
        CanaryField("waybill_no", "运单号", waybill, waybill, 23.0),
        CanaryField("phone", "电话", phone, phone, 12.0, shared=True),
        CanaryField("email", "邮箱", alias.upper(), alias, 36.0),
        CanaryField("name", "姓名", "李小伟", "李小伟", 4.0),
    )
    row = {"运单号": waybill, "电话": phone, "姓名": "李小伟", "备注": None}
    return Canary(f"c-{number}", recipient, "waybills", "waybill", fields, row, issued_ms=number)


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


@pytest.fixture
def stocked(registry: Registry) -> Registry:
    """A registry with three recipients, a dataset version and two releases of it."""
    with registry.begin() as tx:
        recipients.add_many(tx, [Recipient(each, RecipientKind.PARTNER, f"{each} 公司") for each in WHO])
        datasets.put_version(tx, VERSION)
        for number, who in enumerate(("acme", "bolt"), 1):
            releases.add(tx, make_release(number, who))
    return registry


@pytest.fixture
def issued(stocked: Registry) -> Registry:
    """The stocked registry with canaries 1 to 4: two in each of the releases."""
    with stocked.begin() as tx:
        for release, who, numbers in (("r-1", "acme", (1, 2)), ("r-2", "bolt", (3, 4))):
            batch = [make_canary(number, who) for number in numbers]
            places = [Placement(each.id, release, 9 - number) for number, each in enumerate(batch)]
            canaries.issue(tx, batch, places)
    return stocked
