"""Databases to plant in, of all three kinds, and a home with its registry."""

from __future__ import annotations

import random
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine

from canary.keys import Keys
from canary.ledger.note import Signer
from canary.model.canary import Canary, CanaryField
from canary.model.people import Contact, ContactKind, Recipient, RecipientKind
from canary.steps.datasets import choose
from canary.steps.live_rows import LiveRows
from canary.steps.livedb import LiveDb, normalise
from canary.steps.seed_draw import Drawer
from canary.steps.seed_model import SeedRequest
from canary.steps.seed_place import fresh_canary
from canary.steps.tools import Tools
from canary.store import contacts, recipients
from canary.store.registry import Registry

KINDS = [
    "sqlite",
    pytest.param("postgresql", marks=pytest.mark.postgresql),
    pytest.param("mariadb", marks=pytest.mark.mariadb),
]


@dataclass
class Place:
    """A live database as its owner sees it."""

    kind: str
    url: str
    engine: Engine = field(repr=False)

    def run(self, *statements: str) -> None:
        with self.engine.begin() as connection:
            for each in statements:
                connection.exec_driver_sql(each.replace("%", "%%") if self.kind != "sqlite" else each)

    def many(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows by position."""
        mark = "?" if self.kind == "sqlite" else "%s"
        marks = ", ".join([mark] * len(rows[0]))
        with self.engine.begin() as connection:
            connection.exec_driver_sql(f"INSERT INTO {table} VALUES ({marks})", [tuple(row) for row in rows])

    def all(self, query: str) -> list[tuple[Any, ...]]:
        with self.engine.connect() as connection:
            rows = connection.exec_driver_sql(query.replace("%", "%%") if self.kind != "sqlite" else query)
            return [tuple(row) for row in rows]

    @property
    def db(self) -> LiveDb:
        return LiveDb.at(self.url)

    @property
    def serial(self) -> str:
        """Declare an integer primary key that the database counts itself."""
        return {
            "sqlite": "INTEGER PRIMARY KEY AUTOINCREMENT",
            "postgresql": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
            "mariadb": "BIGINT AUTO_INCREMENT PRIMARY KEY",
        }[self.kind]


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A fresh, empty live database of each kind."""
    if request.param == "sqlite":
        path = tmp_path / "live.db"
        sqlite3.connect(path).close()
        url = f"sqlite:///{path}"
    else:
        url = request.getfixturevalue(f"{request.param}_url")
    engine = create_engine(normalise(url))
    yield Place(request.param, url, engine)
    engine.dispose()


@dataclass
class Ticking:
    """A clock that moves one second at every look."""

    now: int = 1_750_000_000_000

    def now_ms(self) -> int:
        self.now += 1000
        return self.now


def make_tools(folder: Path, *, create: bool = False) -> Tools:
    """Open (or make) a home's tools in a folder, with keys that never change."""
    keys = Keys(bytes(range(32)))
    url = f"sqlite:///{folder / 'canary.db'}"
    registry = Registry.create(url, keys) if create else Registry.open(url, keys)
    return Tools(registry, keys, Signer(bytes(range(1, 33))), Ticking(), random.SystemRandom, {}, folder)


@pytest.fixture
def tools(tmp_path: Path) -> Iterator[Tools]:
    """A home with two recipients and a mail domain."""
    folder = tmp_path / "home"
    folder.mkdir()
    made = make_tools(folder, create=True)
    with made.registry.begin() as tx:
        recipients.add_many(
            tx, [Recipient("acme", RecipientKind.PARTNER), Recipient("ops", RecipientKind.INSIDER)]
        )
        contacts.add(tx, Contact(ContactKind.EMAIL_DOMAIN, "mail.example.org"))
    yield made
    made.registry.close()


class PlainDrawer(Drawer):
    """A drawer that knows one shape of table: names, mails and whatever a host row has besides."""

    def draw(self, count: int, rows: LiveRows) -> Sequence[Canary]:
        return [self._one() for _ in range(count)]

    def _one(self) -> Canary:
        mail = f"c{secrets.token_hex(8)}@mail.example.org"
        row = {name: self.rng.choice(self.sample)[name] for name in self.table.fillable}
        fields = (CanaryField("email", "mail", mail, mail, 64.0),)
        return fresh_canary(fields, {**row, "mail": mail}, "person")


def plain_learn(tools: Tools, db: LiveDb, request: SeedRequest) -> Drawer:
    """Learn a table with a column `mail` in the plainest way."""
    with db.reading(request.table) as connection:
        table = db.reflect(connection, request.table)
        batches = LiveRows(connection, db.tongue, table).batches(table.headings)
        sample = [row for batch in batches for row in batch.rows.to_pylist()]
    with tools.registry.read() as tx:
        chosen = choose(tx, table.headings, request.policy, request.dataset, table.name, tools.clock.now_ms())
    return PlainDrawer(table, chosen, sample, random.SystemRandom(), (), True, frozenset())


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw canaries plainly, so that a test says something about planting alone."""
    monkeypatch.setattr("canary.steps.seed.learn", plain_learn)
