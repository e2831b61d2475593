"""A canary customer with its orders, lines and waybills: consistent, like the host's, and taken out again exactly."""

from __future__ import annotations

import csv
import sqlite3
import statistics
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import OperationalError

from canary.errors import OutsideError, UsageError
from canary.model.canary import ReleaseState
from canary.settings import Settings
from canary.steps import seed_record
from canary.steps.scan import scan
from canary.steps.seed import SeedRequest, seed
from canary.steps.seed_linked import followed
from canary.steps.seed_model import SeedResult
from canary.steps.seed_settle import recover
from canary.steps.tools import Tools
from canary.steps.trace import trace
from canary.steps.unseed import unseed
from canary.store import canaries as canary_store
from canary.store import releases

from .conftest import Place
from .shop import TABLES, shop


def content(place: Place) -> dict[str, list[tuple[Any, ...]]]:
    return {table: sorted(place.all(f"SELECT * FROM {table}"), key=repr) for table in TABLES}


def asked(place: Place, count: int = 9, **more: Any) -> SeedRequest:
    return replace(SeedRequest(place.url, "customers", "acme", count, linked=TABLES[1:]), **more)


def fresh(place: Place, before: dict[str, list[tuple[Any, ...]]]) -> dict[str, list[tuple[Any, ...]]]:
    after = content(place)
    assert all(set(before[table]) <= set(after[table]) for table in TABLES)
    return {table: [row for row in after[table] if row not in set(before[table])] for table in TABLES}


def count_of(result: SeedResult, table: str) -> int:
    return (
        len(result.keys)
        if table == "customers"
        else {each.table: each.canaries for each in result.linked}[table]
    )


def test_a_canary_person_stands_in_every_table_and_leaves_without_a_trace(place: Place, tools: Tools) -> None:
    before = content(shop(place))
    result = seed(tools, asked(place))
    new = fresh(place, before)
    assert len(new["customers"]) == 9
    assert {table: len(rows) for table, rows in new.items()} == {
        table: count_of(result, table) for table in TABLES
    }
    assert sum(map(len, new.values())) == result.canaries
    customers = {row[0]: row for row in new["customers"]}
    orders = {row[0]: row for row in new["orders"]}
    assert {row[1] for row in new["orders"]} <= customers.keys()
    assert {(row[0], row[1]) for row in new["order_lines"]} == {(row[1], row[2]) for row in new["orders"]}
    for row in new["waybills"]:
        order = orders[row[1]]
        assert row[2] in (order[1], None)
        assert (row[3], row[4]) == (order[3], order[4])
        assert str(row[5]) >= str(order[6])
    for row in new["orders"]:
        customer = customers[row[1]]
        assert (row[3] == customer[1]) == (row[4] == customer[2]) == (row[5] == customer[4])
        assert str(row[6]) >= str(customer[5])
    gone = unseed(tools, str(result.release))
    assert (gone.removed, gone.missing, gone.changed) == (result.canaries, (), ())
    assert content(place) == before


def test_every_row_is_a_canary_of_one_release_and_copies_are_marked(place: Place, tools: Tools) -> None:
    before = content(shop(place))
    result = seed(tools, asked(place, 8))
    new = fresh(place, before)
    with tools.registry.read() as tx:
        stored = [canary for _, canary in canary_store.of_release(tx, str(result.release))]
        release = releases.get(tx, str(result.release))
        held = {
            row[3]: [each.id for each in canary_store.by_value(tx, "email", row[3])]
            for row in new["customers"]
        }
        by_phone = {row[2]: canary_store.by_value(tx, "phone", row[2]) for row in new["customers"]}
    assert release is not None
    assert release.canaries == len(stored) == result.canaries
    assert (release.output, release.rows_out - release.rows_in) == (", ".join(TABLES), result.canaries)
    assert all(len(ids) == 1 for ids in held.values())
    for row in new["customers"]:
        carrying = sorted(by_phone[row[2]], key=lambda each: each.id)
        own = [each for each in new["orders"] if each[1] == row[0] and each[4] == row[2]]
        assert len(carrying) >= 1 + len(own)
        phones = [next(one for one in each.fields if one.role == "phone") for each in carrying]
        assert len({one.bits for one in phones}) == 1
        assert [one.shared for one in phones] == [False] + [True] * (len(phones) - 1)
        assert "email" in {one.role for one in carrying[0].fields}
    drawn = Counter((one.role, one.canonical) for each in stored for one in each.fields if not one.shared)
    assert set(drawn.values()) == {1}


def test_numbers_and_times_follow_the_hosts(place: Place, tools: Tools) -> None:
    before = content(shop(place))
    seed(tools, asked(place, 40))
    new = fresh(place, before)

    def numbers(rows: dict[str, list[tuple[Any, ...]]]) -> list[int]:
        counts = Counter(row[1] for row in rows["orders"])
        return [counts[row[0]] for row in rows["customers"]]

    host, mine = numbers(before), numbers(new)
    assert abs(statistics.mean(host) - statistics.mean(mine)) < 2.2  # five standard errors
    assert abs(host.count(0) / len(host) - mine.count(0) / len(mine)) < 0.35
    assert max(mine) <= max(host)
    same = {
        name: statistics.mean(
            row[3] in {one[1] for one in rows["customers"] if one[0] == row[1]} for row in rows["orders"]
        )
        for name, rows in (("host", before), ("mine", new))
    }
    assert abs(same["host"] - same["mine"]) < 0.35


def test_a_dry_run_writes_nothing_and_a_request_is_planted_once(place: Place, tools: Tools) -> None:
    before = content(shop(place))
    told = seed(tools, asked(place, 6, dry_run=True))
    assert told.release is None
    assert [each.table for each in told.linked] == list(TABLES[1:])
    assert told.canaries > 6
    assert content(place) == before
    first = seed(tools, asked(place, 6, request="r1"))
    after = content(place)
    again = seed(tools, asked(place, 6, request="r1", linked=("waybills", "order_lines", "orders")))
    assert (again.release, again.keys, again.linked) == (first.release, first.keys, first.linked)
    assert content(place) == after


def test_what_real_rows_refer_to_stays(place: Place, tools: Tools) -> None:
    before = content(shop(place))
    result = seed(tools, asked(place))
    new = fresh(place, before)
    order = new["orders"][0]
    place.run(f"INSERT INTO order_lines VALUES ({order[1]}, '{order[2]}', 99, 'x')")
    gone = unseed(tools, str(result.release))
    assert {"table": "orders", "key": order[0]} in gone.changed
    assert {"table": "customers", "key": order[1]} in gone.changed
    assert len(gone.changed) == 2
    left = fresh(place, before)
    assert {table: len(rows) for table, rows in left.items()} == {
        "customers": 1, "orders": 1, "order_lines": 1, "waybills": 0,
    }  # fmt: skip


def test_the_tables_are_found_by_their_foreign_keys(place: Place, tools: Tools) -> None:
    shop(place)
    assert set(followed(place.db, "customers")) == set(TABLES[1:])
    assert set(followed(place.db, "orders")) == {"order_lines", "waybills"}
    with pytest.raises(UsageError, match="no table refers to waybills"):
        followed(place.db, "waybills")


def test_tables_that_do_not_belong_together_are_refused(place: Place, tools: Tools) -> None:
    shop(place).run("CREATE TABLE news (id INTEGER PRIMARY KEY, title VARCHAR(20))")
    with pytest.raises(UsageError, match="refers to none of the other tables"):
        seed(tools, asked(place, linked=("orders", "news")))
    with pytest.raises(UsageError, match="given twice"):
        seed(tools, asked(place, linked=("orders", "orders")))
    with tools.registry.read() as tx:
        assert [one.state for one in releases.list_all(tx) if one.state == ReleaseState.PENDING] == []


def lost(connection: Connection) -> None:
    raise OperationalError("COMMIT", None, Exception("server closed the connection"))


def test_a_half_done_seeding_is_finished_under_keys_that_moved(
    place: Place, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = content(shop(place))
    with monkeypatch.context() as patch:
        patch.setattr(Connection, "commit", lost)
        with pytest.raises(OutsideError, match="server closed the connection"):
            seed(tools, asked(place, request="q"))
    assert content(place) == before
    customer = before["customers"][0][0]
    names = "customer_id, order_no, receiver, receiver_phone, receiver_address, created, amount"
    values = f"{customer}, 'D77', '王五', '1', 'x', '2025-06-01 00:00:00', 1"
    place.run(f"INSERT INTO orders ({names}) VALUES ({values})")
    before = content(place)
    result = seed(tools, asked(place, request="q"))
    new = fresh(place, before)
    assert {table: len(rows) for table, rows in new.items()} == {
        table: count_of(result, table) for table in TABLES
    }
    numbers = {row[2]: row[0] for row in new["orders"]}
    with tools.registry.read() as tx:
        stored = [canary for _, canary in canary_store.of_release(tx, str(result.release))]
    sold = {each.row["id"]: each.row["order_no"] for each in stored if "receiver_address" in each.row}
    shipped = {
        each.row["waybill_no"]: sold[each.row["order_id"]] for each in stored if "waybill_no" in each.row
    }
    assert {row[0]: row[1] for row in new["waybills"]} == {
        no: numbers[order] for no, order in shipped.items()
    }
    assert unseed(tools, str(result.release)).removed == result.canaries
    assert content(place) == before


def test_a_half_done_seeding_that_never_stood_is_undone(
    place: Place, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = content(shop(place))
    with monkeypatch.context() as patch:
        patch.setattr(Connection, "commit", lost)
        with pytest.raises(OutsideError, match="server closed the connection"):
            seed(tools, asked(place, 3))
    assert len(recover(tools).undone) == 1
    assert content(place) == before


@pytest.fixture
def leaky(tmp_path: Path, tools: Tools) -> Iterator[tuple[Place, SeedResult]]:
    """A shop in a SQLite file, with canaries planted in all its tables."""
    path = tmp_path / "shop.db"
    sqlite3.connect(path).close()
    engine = create_engine(f"sqlite:///{path}")
    place = shop(Place("sqlite", f"sqlite:///{path}", engine))
    yield place, seed(tools, asked(place, 12))
    engine.dispose()


def test_whichever_table_leaks_its_recipient_is_named(
    leaky: tuple[Place, SeedResult], tools: Tools, tmp_path: Path
) -> None:
    place, result = leaky
    tools = replace(tools, config=Settings().model_dump())
    for table in ("customers", "orders", "waybills"):
        path = tmp_path / f"{table}.csv"
        rows = place.all(f"SELECT * FROM {table}")
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([f"c{at}" for at in range(len(rows[0]))])
            writer.writerows(rows)
        answer = trace(tools, [str(path)])
        assert (answer.outcome, [each.recipient for each in answer.suspects]) == ("named", ["acme"]), table
        assert answer.suspects[0].releases == (result.release,)
        assert answer.suspects[0].false_accusation <= 1e-6
        found = {match.canary for match in scan(tools, [str(path)]).matches}
        with tools.registry.read() as tx:
            stood = [each for each in seed_record.planted_of(tx, str(result.release)) if each.table == table]
        assert {each.canary.id for each in stood} <= found
