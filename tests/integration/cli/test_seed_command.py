"""Planting in a live database through the command line."""

import csv
import sqlite3
from contextlib import closing

import pytest

TABLE = """create table customers (customer_id text primary key, name text not null, email text unique, phone text,
address text, city text, state text, postcode text, created text, orders integer check (orders >= 0), spent real,
tier text)"""


@pytest.fixture
def shop(canary, tmp_path):
    """A database of 400 customers, and a recipient with access to it."""
    canary("recipient", "add", "ops", "--kind", "insider")
    canary(
        "generate",
        "customer",
        "--count",
        400,
        "--seed",
        3,
        "--mail-domain",
        "people.example",
        "--output",
        "c.csv",
    )
    with (tmp_path / "c.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    with closing(sqlite3.connect(tmp_path / "shop.db")) as db:
        db.execute(TABLE)
        db.executemany(f"insert into customers values ({','.join('?' * 12)})", rows)
        db.commit()
    return f"sqlite:///{tmp_path}/shop.db"


def content(tmp_path):
    with closing(sqlite3.connect(tmp_path / "shop.db")) as db:
        return sorted(db.execute("select * from customers").fetchall())


def seed(canary, shop, *more, **expected):
    return canary("seed", shop, "--table", "customers", "--recipient", "ops", "--count", 6, *more, **expected)


@pytest.mark.parametrize("domain", [None, "post.example.net"])
def test_canaries_are_planted_and_taken_out_to_the_cell(canary, shop, tmp_path, domain):
    if domain:
        canary("contact", "add", "email-domain", domain)
    before = content(tmp_path)
    told = seed(canary, shop, "--json").json
    assert set(told) == {"release", "recipient", "table", "canaries", "keys"}
    assert (told["recipient"], told["canaries"], len(told["keys"])) == ("ops", 6, 6)
    after = content(tmp_path)
    planted = [row for row in after if row not in before]
    assert sorted(row[0] for row in planted) == sorted(told["keys"])
    assert [row for row in after if row in before] == before
    assert all((row[2] or "").endswith("@post.example.net") if domain else row[2] is None for row in planted)
    assert canary("unseed", told["release"], "--json").json["removed"] == 6
    assert content(tmp_path) == before
    assert canary("unseed", told["release"], status=2).error
    assert canary("release", "show", told["release"], "--json").json["state"] == "undone"


def test_a_leak_of_the_database_names_who_had_access(canary, shop, tmp_path):
    canary("contact", "add", "email-domain", "post.example.net")
    seed(canary, shop)
    (tmp_path / "dump.csv").write_text(
        "\n".join(",".join(map(str, row)) for row in content(tmp_path)), "utf-8"
    )
    answer = canary("trace", "dump.csv", "--json").json
    assert [one["recipient"] for one in answer["suspects"] if one["status"] == "named"] == ["ops"]


def test_an_export_of_a_seeded_database_is_not_blamed_on_the_database(canary, shop, tmp_path):
    canary("contact", "add", "email-domain", "post.example.net")
    canary("recipient", "add", "acme", "--kind", "partner")
    seeded = seed(canary, shop, "--json").json["release"]
    header = "customer_id,name,email,phone,address,city,state,postcode,created,orders,spent,tier\n"
    lines = "\n".join(",".join(map(str, row)) for row in content(tmp_path))
    (tmp_path / "export.csv").write_text(header + lines + "\n", "utf-8")
    canary("tag", "export.csv", "--recipient", "acme", "--output", "acme.csv", "--canaries", 12)
    assert canary("release", "list", "--recipient", "acme", "--json").json[0]["derived_from"] == [seeded]
    answer = canary("trace", "acme.csv", "--json").json
    assert [one["recipient"] for one in answer["suspects"] if one["status"] == "named"] == ["acme"]


def test_requests_repeat_and_dry_runs_write_nothing(canary, shop, tmp_path):
    before = content(tmp_path)
    dry = seed(canary, shop, "--dry-run", "--json").json
    assert (dry["release"], dry["canaries"]) == (None, 6)
    assert content(tmp_path) == before
    first = seed(canary, shop, "--request", "w47", "--json").json
    assert seed(canary, shop, "--request", "w47", "--json").json == first
    assert len(content(tmp_path)) == 406


@pytest.mark.parametrize(
    ("argv", "status"),
    [
        (["sqlite:////none/of/it.db", "--table", "customers", "-r", "ops", "-n", "1"], 3),
        (["postgresql://nobody@127.0.0.1:1/x", "--table", "customers", "-r", "ops", "-n", "1"], 3),
        (["oracle://x/y", "--table", "customers", "-r", "ops", "-n", "1"], 2),
    ],
)
def test_databases_that_cannot_be_had_are_told(canary, shop, argv, status):
    assert canary("seed", *argv, status=status).error
    assert canary("release", "list", "--json").json == []


def test_unknown_tables_and_recipients_are_told(canary, shop):
    assert "customers" in canary("seed", shop, "--table", "nothing", "-r", "ops", "-n", 1, status=3).err
    assert "nobody" in canary("seed", shop, "--table", "customers", "-r", "nobody", "-n", 1, status=2).error


def test_inspect_reads_a_database_too(canary, shop):
    answer = canary("inspect", shop, "--table", "customers", "--json").json
    roles = {one["name"]: one["role"] for one in answer["columns"]}
    assert answer["rows_read"] == 400
    assert (roles["email"], roles["phone"], roles["address"]) == ("email", "phone", "address")
    assert "[columns" in answer["policy"]
    assert canary("inspect", shop, status=2).error


@pytest.fixture
def linked_shop(shop, tmp_path):
    """The same customers with up to three orders each."""
    with closing(sqlite3.connect(tmp_path / "shop.db")) as db:
        db.execute(
            "create table orders (order_no text primary key, customer_id text not null, name text not null, "
            "phone text, placed text not null, foreign key (customer_id) references customers (customer_id))"
        )
        people = db.execute("select customer_id, name, phone, created from customers").fetchall()
        rows = [(*each, n) for at, each in enumerate(people) for n in range(at % 4)]
        db.executemany(
            "insert into orders values (?, ?, ?, ?, ?)",
            [
                (f"N{at * 41 + 10**6}", who, name, phone, made)
                for at, (who, name, phone, made, _) in enumerate(rows)
            ],
        )
        db.commit()
    return shop


def test_linked_tables_are_planted_and_taken_out_together(canary, linked_shop, tmp_path):
    canary("contact", "add", "email-domain", "post.example.net")
    whole = "select * from customers natural left join (select customer_id, order_no from orders)"

    def rows():
        with closing(sqlite3.connect(tmp_path / "shop.db")) as db:
            return sorted(map(repr, db.execute(whole).fetchall()))

    before = rows()
    dry = seed(canary, linked_shop, "--linked", "--dry-run", "--json").json
    assert [one["table"] for one in dry["linked"]] == ["orders"]
    assert rows() == before
    told = seed(canary, linked_shop, "--table", "orders", "--json").json
    assert (told["table"], len(told["keys"])) == ("customers", 6)
    assert told["canaries"] == 6 + told["linked"][0]["canaries"] == 6 + len(told["linked"][0]["keys"])
    assert canary("unseed", told["release"], "--json").json["removed"] == told["canaries"]
    assert rows() == before
    assert "customers, orders" in seed(canary, linked_shop, "--linked").out
    assert seed(canary, linked_shop, "--table", "orders", "--linked", status=2).error
