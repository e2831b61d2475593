"""Seeding with the real generators: canaries fit tables full of constraints, and copy nobody."""

from __future__ import annotations

import random
import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from canary.errors import OutsideError
from canary.fields.policy import parse_policy
from canary.model.people import Contact, ContactKind
from canary.steps.seed import SeedRequest, seed
from canary.steps.tools import Tools
from canary.steps.unseed import unseed
from canary.store import canaries as canary_store
from canary.store import contacts

from .conftest import Place

BRANCH = "CREATE TABLE branch (id INTEGER PRIMARY KEY, town VARCHAR(20))"
SEX = {"sqlite": "TEXT CHECK (性别 IN ('男', '女'))", "postgresql": "sex", "mariadb": "ENUM('男', '女')"}
KINDS = {
    "sqlite": {"time": "DATETIME", "json": "TEXT", "uuid": "TEXT", "blob": "BLOB"},
    "postgresql": {"time": "TIMESTAMPTZ", "json": "JSONB", "uuid": "UUID", "blob": "BYTEA"},
    "mariadb": {"time": "DATETIME(3)", "json": "JSON", "uuid": "UUID", "blob": "BLOB"},
}
ROWS = 400


def customers(place: Place) -> Place:
    """A table of customers with every constraint that is common."""
    if place.kind == "postgresql":
        place.run("CREATE TYPE sex AS ENUM ('男', '女')")
    kinds = KINDS[place.kind]
    quote = "`" if place.kind == "mariadb" else '"'
    place.run(
        BRANCH,
        f"""CREATE TABLE {quote}客户{quote} (
            id {place.serial}, 姓名 VARCHAR(12) NOT NULL, 手机号 VARCHAR(20) NOT NULL, 邮箱 VARCHAR(60),
            性别 {SEX[place.kind]}, 出生日期 DATE, 金额 NUMERIC(8,2) NOT NULL CHECK (金额 BETWEEN 0 AND 5000),
            branch INTEGER NOT NULL, 会员号 VARCHAR(12) NOT NULL, token {kinds["uuid"]} NOT NULL,
            extra {kinds["json"]} NOT NULL, flag BOOLEAN, created_at {kinds["time"]} NOT NULL,
            长度 INTEGER GENERATED ALWAYS AS (CHAR_LENGTH(姓名)) STORED, mode VARCHAR(5) DEFAULT 'new' NOT NULL,
            UNIQUE (手机号), UNIQUE (邮箱), UNIQUE (token), UNIQUE (branch, 会员号),
            CHECK (手机号 LIKE '1%'), FOREIGN KEY (branch) REFERENCES branch (id))""".replace(
            "CHAR_LENGTH", "length" if place.kind == "sqlite" else "char_length"
        ),
    )
    place.many("branch", [(n, f"town {n}") for n in (2, 3, 5, 7, 11)])
    columns = "姓名, 手机号, 邮箱, 性别, 出生日期, 金额, branch, 会员号, token, extra, flag, created_at, mode"
    mark = "?" if place.kind == "sqlite" else "%s"
    with place.engine.begin() as connection:
        connection.exec_driver_sql(
            f"INSERT INTO {quote}客户{quote} ({columns}) VALUES ({', '.join([mark] * 13)})", list(_people())
        )
    return place


def _people() -> list[tuple[Any, ...]]:
    rng = random.Random(11)
    time = datetime(2024, 3, 1, 9, 0, 0)
    rows: list[tuple[Any, ...]] = []
    for number in range(ROWS):
        time += timedelta(seconds=rng.randrange(20, 2000))
        name = rng.choice("王李张刘陈杨") + rng.choice("伟芳娜敏静秀") + rng.choice(["", "强", "丽", "军"])
        born = f"{rng.randrange(1955, 1979)}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}"
        rows.append(
            (
                name, f"138{number:04d}{rng.randrange(10**4):04d}",
                f"{name}{number}@host.example" if number % 9 else None,
                rng.choice("男女"), born, rng.randrange(1, 400_000) / 100, rng.choice([2, 2, 2, 3, 5]),
                f"M{number:06d}", str(uuid.UUID(int=rng.getrandbits(128), version=4)), '{"vip": true}',
                number % 2 == 0, time.isoformat(" "), rng.choice(["app", "web"]),
            )
        )  # fmt: skip
    return rows


@pytest.fixture
def owned(tools: Tools) -> Tools:
    """A home with phones of its own besides its mail domain."""
    pool = [Contact(ContactKind.PHONE, f"140{number:08d}", inert=True) for number in range(60)]
    with tools.registry.begin() as tx:
        contacts.add_many(tx, pool)
    return tools


def table_of(place: Place) -> str:
    return "`客户`" if place.kind == "mariadb" else '"客户"'


def test_canaries_fit_a_table_full_of_constraints(place: Place, owned: Tools) -> None:
    customers(place)
    before = place.all(f"SELECT * FROM {table_of(place)} ORDER BY id")
    result = seed(owned, SeedRequest(place.url, "客户", "acme", 20))
    assert result.canaries == 20
    assert result.keys == tuple(range(ROWS + 1, ROWS + 21))
    after = place.all(f"SELECT * FROM {table_of(place)} ORDER BY id")
    real, fake = after[:ROWS], after[ROWS:]
    assert real == before
    for at, what in ((2, "phone"), (3, "mail"), (8, "member number"), (9, "token")):
        assert not {row[at] for row in fake} & {row[at] for row in real} - {None}, f"a real {what} was copied"
    assert len({row[1] for row in fake}) > 5  # names alone are nobody's: the host's own may come again
    assert {row[7] for row in fake} <= {2, 3, 5}
    assert all(str(row[2]).startswith("140") for row in fake)
    assert all(row[3] is None or row[3].endswith("@mail.example.org") for row in fake)
    times = [row[12] for row in after]
    assert times == sorted(times), "appended rows must go on in time"
    assert {row[14] for row in fake} <= {"app", "web"}
    assert unseed(owned, str(result.release)).removed == 20
    assert place.all(f"SELECT * FROM {table_of(place)} ORDER BY id") == before


def test_what_is_issued_is_what_stands(place: Place, owned: Tools) -> None:
    customers(place)
    result = seed(owned, SeedRequest(place.url, "客户", "acme", 5))
    with owned.registry.read() as tx:
        stored = canary_store.of_release(tx, str(result.release))
        mails = [each for _, canary in stored for each in canary.fields if each.role == "email"]
        found = canary_store.by_value(tx, "email", mails[0].canonical)
    rows = {
        row[0]: row for row in place.all(f"SELECT id, 邮箱, 手机号 FROM {table_of(place)} WHERE id > {ROWS}")
    }
    for placement, canary in stored:
        assert placement.key == f'["{canary.row["id"]}"]'
        row = rows[int(str(canary.row["id"]))]
        assert (canary.row["邮箱"], canary.row["手机号"]) == row[1:]
        assert canary.recipient == "acme"
    assert [each.id for each in found] == [
        canary.id for _, canary in stored if canary.row["邮箱"] == mails[0].value
    ]


def test_keys_of_ones_own_are_drawn_from_the_gaps(place: Place, owned: Tools) -> None:
    place.run(
        "CREATE TABLE parcel (no BIGINT PRIMARY KEY, 收件人 VARCHAR(20), 电话 VARCHAR(20), 重量 NUMERIC(6,2))"
    )
    rng = random.Random(3)
    numbers = sorted(rng.sample(range(7_000_000_000, 7_090_000_000), 500))
    place.many("parcel", [(n, "王伟", f"139{n % 10**8:08d}", rng.randrange(100) / 10) for n in numbers])
    result = seed(owned, SeedRequest(place.url, "parcel", "acme", 12))
    assert all(isinstance(key, int) for key in result.keys)
    assert not set(result.keys) & set(numbers)
    inside = [key for key in result.keys if isinstance(key, int) and numbers[0] < key < numbers[-1]]
    assert len(inside) >= 11
    assert unseed(owned, str(result.release)).removed == 12


def test_a_table_without_personal_columns_takes_canaries_too(place: Place, tools: Tools) -> None:
    place.run(
        "CREATE TABLE reading (id INTEGER PRIMARY KEY, sensor VARCHAR(8), value NUMERIC(6,2), seen DATE)"
    )
    place.many(
        "reading", [(n * 17, f"S{n % 4}", n % 90 + 0.5, f"2024-01-{n % 28 + 1:02d}") for n in range(1, 300)]
    )
    before = place.all("SELECT * FROM reading ORDER BY id")
    result = seed(tools, SeedRequest(place.url, "reading", "ops", 9))
    assert result.canaries == 9
    place.run(f"UPDATE reading SET value = 1 WHERE id = {result.keys[0]}")
    taken = unseed(tools, str(result.release))
    assert taken.removed + len(taken.changed) == 9
    place.run(*(f"DELETE FROM reading WHERE id = {key}" for key in taken.changed))
    assert place.all("SELECT * FROM reading ORDER BY id") == before


def test_a_policy_gives_roles_dataset_and_version(place: Place, owned: Tools) -> None:
    place.run("CREATE TABLE t (id INTEGER PRIMARY KEY, contact VARCHAR(30), note VARCHAR(9))")
    place.many("t", [(n * 3, f"1380000{n:04d}", "x") for n in range(1, 120)])
    text = '[dataset]\nname = "callers"\n[columns.contact]\nrole = "phone"\n'
    asked = SeedRequest(place.url, "t", "acme", 4, policy=parse_policy(text))
    result = seed(owned, asked)
    assert {row[0][:3] for row in place.all("SELECT contact FROM t") if row[0][:3] != "138"} == {"140"}
    with owned.registry.read() as tx:
        assert {canary.dataset for _, canary in canary_store.of_release(tx, str(result.release))} == {
            "callers"
        }
    assert seed(owned, replace(asked, dry_run=True)).canaries == 4


def test_an_empty_table_teaches_nothing(place: Place, tools: Tools) -> None:
    place.run("CREATE TABLE t (id INTEGER PRIMARY KEY, phone VARCHAR(20))")
    result = seed(tools, SeedRequest(place.url, "t", "acme", 4))
    assert (result.canaries, result.keys) == (0, ())
    assert any("is empty" in warning for warning in result.warnings)


@pytest.mark.postgresql
def test_a_user_who_may_not_insert_is_told_so(postgresql_url: str, tools: Tools) -> None:
    from sqlalchemy import create_engine

    from canary.steps.livedb import normalise

    engine = create_engine(normalise(postgresql_url))
    place = Place("postgresql", postgresql_url, engine)
    name = f"reader_{uuid.uuid4().hex[:8]}"
    place.run(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v VARCHAR(9))",
        f"CREATE ROLE {name} LOGIN",
        f"GRANT SELECT ON t TO {name}",
    )
    place.many("t", [(n * 5, f"v{n}") for n in range(30)])
    reader = postgresql_url.replace("postgres@", f"{name}@")
    with pytest.raises(OutsideError, match="no privilege: permission denied for table t") as caught:
        seed(tools, SeedRequest(reader, "t", "acme", 2))
    assert "grant" in caught.value.hint
    place.run(f"ALTER ROLE {name} SET default_transaction_read_only = on", f"GRANT INSERT ON t TO {name}")
    with pytest.raises(OutsideError, match="read-only"):
        seed(tools, SeedRequest(reader, "t", "acme", 2))
    assert seed(tools, SeedRequest(reader, "t", "acme", 2, dry_run=True)).canaries == 2
    assert len(place.all("SELECT * FROM t")) == 30
    engine.dispose()
