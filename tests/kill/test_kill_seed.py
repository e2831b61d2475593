"""kill -9 during `seed`: all canaries or none, none without ledger entry, and the same call ends it."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from tests.kill import harness

COUNT = 60
TABLE = """
CREATE TABLE orders (
    id INTEGER PRIMARY KEY, order_no TEXT NOT NULL UNIQUE, name TEXT NOT NULL, phone TEXT NOT NULL,
    email TEXT UNIQUE, address TEXT, created_at TEXT NOT NULL, weight REAL CHECK (weight > 0)
)
"""


def make_shop(path: Path, size: int) -> None:
    import random

    rng = random.Random(5)
    with contextlib.closing(sqlite3.connect(path)) as shop, shop:
        shop.execute(TABLE)
        rows = ([number + 1, *harness.table_row(number, rng)] for number in range(size))
        shop.executemany("INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)


def seed(request: str) -> list[str]:
    url = ["seed", "sqlite:///shop.db", "--table", "orders", "--recipient", "ops"]
    return [*url, "--count", str(COUNT), "--request", request]


def ids(shop: Path) -> set[int]:
    return {number for (number,) in harness.rows(shop, "SELECT id FROM orders")}


@pytest.mark.parametrize(("kills", "size"), [(3, 400), pytest.param(70, 2_000, marks=pytest.mark.soak)])
def test_seed(kills: int, size: int, tmp_path: Path) -> None:
    home = harness.make_home(tmp_path, ["ops"])
    shop = tmp_path / "shop.db"
    make_shop(shop, size)
    real = ids(shop)
    begin, end = home.seconds("release", "list") * 0.7, home.seconds(*seed("measured")) * 1.05
    home.call("unseed", home.call("release", "list")[0]["release"])
    assert ids(shop) == real
    for number, moment in enumerate(harness.moments(kills, begin, end)):
        killed = home.kill_after(moment, *seed(f"kill-{number}"))
        home.counts[check(home, shop, real, f"kill-{number}", killed)] += 1
    print(harness.told("seed", home, begin, end))


def check(home: harness.Home, shop: Path, real: set[int], request: str, killed: bool) -> str:
    harness.check_registry(home)
    assert harness.rows(shop, "PRAGMA integrity_check") == [("ok",)]
    planted = ids(shop) - real
    recorded = home.rows("SELECT count(*) FROM releases WHERE state != 'undone'")[0][0] > 0
    assert len(planted) in (0, COUNT)
    done = home.call(*seed(request))
    keys = flat(done["keys"])
    assert len(keys) == done["canaries"] == COUNT
    assert ids(shop) == real | keys
    assert not planted or planted == keys
    again = home.call(*seed(request))
    assert (again["release"], flat(again["keys"])) == (done["release"], keys)
    assert ids(shop) == real | keys
    harness.check_registry(home)
    home.call("unseed", done["release"])
    assert ids(shop) == real
    return phase(killed, recorded, bool(planted))


def flat(keys: list[object]) -> set[int]:
    """Take primary keys as numbers, whether a key comes plain, as a list or by column."""
    plain = (next(iter(key.values())) if isinstance(key, dict) else key for key in keys)
    return {int(str(key[0] if isinstance(key, list) else key)) for key in plain}


def phase(killed: bool, recorded: bool, planted: bool) -> str:
    if not killed:
        return "ended before the kill"
    if planted:
        return "killed with the canaries planted"
    return "killed between ledger entry and table" if recorded else "killed before the ledger entry"
