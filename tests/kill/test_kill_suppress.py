"""kill -9 during `suppress check`: nothing is disclosed that was not charged, and no half-written file stays."""

from __future__ import annotations

import csv
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.kill import harness

CANARIES = 12
CHECK = ("suppress", "check", "batch.csv", "--caller", "me", "--force", "--output")


def make_batch(home: harness.Home, rows: int) -> None:
    """Plant canaries in a table and dump it."""
    table = home.folder / "in.csv"
    harness.write_table(table, rows)
    with table.open(encoding="utf-8", newline="") as file:
        head, *cells = csv.reader(file)
    columns = ", ".join(f'"{name}" text' for name in head)
    with closing(sqlite3.connect(home.folder / "shop.db")) as shop, shop:
        shop.execute(f'create table parcels ({columns}, primary key ("{head[0]}"))')
        shop.executemany(f"insert into parcels values ({', '.join('?' * len(head))})", cells)
    url = f"sqlite:///{home.folder / 'shop.db'}"
    home.call("seed", url, "--table", "parcels", "--recipient", "r0", "--count", str(CANARIES))
    with closing(sqlite3.connect(home.folder / "shop.db")) as shop:
        planted = shop.execute("select * from parcels").fetchall()
    with (home.folder / "batch.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *planted])


@pytest.mark.parametrize(("kills", "rows"), [(2, 2_000), pytest.param(70, 20_000, marks=pytest.mark.soak)])
def test_suppress(kills: int, rows: int, tmp_path: Path) -> None:
    home = harness.make_home(tmp_path, ["r0"])
    make_batch(home, rows)
    home.call("suppress", "allow", "me", "--rows", str(10**9))
    begin = home.seconds("suppress", "list") * 0.7
    end = home.seconds(*CHECK, "whole.csv") * 1.05
    whole = (tmp_path / "whole.csv").read_bytes()
    for number, moment in enumerate(harness.moments(kills, begin, end)):
        charged = charges(home)
        killed = home.kill_after(moment, *CHECK, f"{number}.csv")
        home.counts[check(home, tmp_path / f"{number}.csv", whole, killed, charges(home) - charged)] += 1
    print(harness.told("suppress", home, begin, end))


def charges(home: harness.Home) -> int:
    [(count,)] = home.rows("SELECT count(*) FROM suppress_checks")
    return int(count)


def check(home: harness.Home, output: Path, whole: bytes, killed: bool, charged: int) -> str:
    harness.check_registry(home)
    [(entries,)] = home.rows('SELECT count(*) FROM ledger_entries WHERE body LIKE \'%"outcome":"answered"%\'')
    assert entries == charges(home)
    left = [path for path in output.parent.iterdir() if path.name.startswith(f".{output.name}")]
    if left or output.exists():  # not a byte of the answer without its charge
        assert charged == 1
    assert not output.exists() or output.read_bytes() == whole
    home.call(*CHECK, output.name)
    assert output.read_bytes() == whole
    assert not [path for path in output.parent.iterdir() if path.name.startswith(f".{output.name}")]
    if not killed:
        return "ended before the kill"
    return "killed after the charge" if charged else "killed before the charge"
