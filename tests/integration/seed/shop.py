"""A shop of four tables: customers, their orders, the orders' lines and waybills; one person stands in several."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from .conftest import Place

NOW = datetime(2025, 6, 1)
TABLES = ("customers", "orders", "order_lines", "waybills")
SAME = 0.75  # share of orders that go to the customer's own name and address

_SCHEMA = (
    "CREATE TABLE customers (id BIGINT PRIMARY KEY, name VARCHAR(20) NOT NULL, phone VARCHAR(20) NOT NULL, "
    "email VARCHAR(80) NOT NULL UNIQUE, address VARCHAR(120) NOT NULL, created {time} NOT NULL)",
    "CREATE TABLE orders (id {serial}, customer_id BIGINT NOT NULL, order_no VARCHAR(20) NOT NULL UNIQUE, "
    "receiver VARCHAR(20) NOT NULL, receiver_phone VARCHAR(20) NOT NULL, receiver_address VARCHAR(120) NOT NULL, "
    "created {time} NOT NULL, amount NUMERIC(9, 2) NOT NULL, UNIQUE (customer_id, order_no), "
    "FOREIGN KEY (customer_id) REFERENCES customers (id))",
    "CREATE TABLE order_lines (customer_id BIGINT NOT NULL, order_no VARCHAR(20) NOT NULL, line INTEGER NOT NULL, "
    "goods VARCHAR(20) NOT NULL, PRIMARY KEY (customer_id, order_no, line), "
    "FOREIGN KEY (customer_id, order_no) REFERENCES orders (customer_id, order_no))",
    "CREATE TABLE waybills (waybill_no VARCHAR(20) PRIMARY KEY, order_id BIGINT NOT NULL, customer_id BIGINT, "
    "receiver VARCHAR(20) NOT NULL, receiver_phone VARCHAR(20) NOT NULL, shipped {time} NOT NULL, "
    "FOREIGN KEY (order_id) REFERENCES orders (id), FOREIGN KEY (customer_id) REFERENCES customers (id))",
)


@cache
def _rows() -> dict[str, list[tuple[Any, ...]]]:
    """Draw customers with 0 to 9 orders each, these with 1 to 3 lines and 0 to 2 waybills."""
    rng = random.Random(5)
    customers, orders, key = [], [], 1000
    for n in range(120):
        key += rng.randrange(2, 60)
        created = NOW - timedelta(days=700) + timedelta(days=5.5 * n, seconds=rng.randrange(80_000))
        name = rng.choice("赵钱孙李周吴郑王") + rng.choice("伟芳娜敏静丽强磊军洋")
        home = f"{rng.randrange(1, 900)}号{rng.randrange(1, 30)}幢{rng.randrange(100, 999)}室"
        address = f"浙江省杭州市西湖区文三路{home}"
        customers.append(
            (key, name, f"139{rng.randrange(10**8):08d}", f"{name}{n}@host.example", address, created)
        )
        for _ in range(rng.choice([0, 0, 1, 1, 1, 2, 3, 5, 9])):
            orders.append((customers[-1], created + (NOW - created) * rng.random() ** 1.5))
    orders.sort(key=lambda each: each[1])
    made: dict[str, list[tuple[Any, ...]]] = {
        "customers": customers,
        "orders": [],
        "order_lines": [],
        "waybills": [],
    }
    for number, (customer, time) in enumerate(orders, 1):
        own = rng.random() < SAME
        who = (
            (customer[1], customer[2], customer[4])
            if own
            else (
                "陈" + rng.choice("晨宁"),
                f"138{rng.randrange(10**8):08d}",
                f"江苏省南京市鼓楼区中山路{rng.randrange(1, 900)}号",
            )
        )
        no = f"D{10**9 + number * 997 + rng.randrange(900)}"
        made["orders"].append((number, customer[0], no, *who, time, round(rng.uniform(9, 900), 2)))
        for line in range(rng.choice([1, 1, 2, 3])):
            made["order_lines"].append((customer[0], no, line + 1, rng.choice(["书", "衣服", "食品"])))
        if rng.random() < 0.8:
            ship = time + timedelta(hours=rng.uniform(2, 50))
            made["waybills"].append(
                (ship, number, customer[0] if rng.random() < 0.9 else None, who[0], who[1])
            )
    made["waybills"].sort(key=lambda each: each[0])
    made["waybills"] = [
        (f"YT{7 * 10**12 + at * 5003 + rng.randrange(4000)}", *each[1:], each[0])
        for at, each in enumerate(made["waybills"])
    ]
    return made


def shop(place: Place) -> Place:
    """Make the shop's tables and fill them."""
    time = "DATETIME" if place.kind == "mariadb" else "TIMESTAMP"
    place.run(*(each.format(serial=place.serial, time=time) for each in _SCHEMA))
    for table in TABLES:
        rows = [tuple(_plain(cell) for cell in row) for row in _rows()[table]]
        if table == "orders":  # their key is the database's to count
            names = "customer_id, order_no, receiver, receiver_phone, receiver_address, created, amount"
            mark = "?" if place.kind == "sqlite" else "%s"
            with place.engine.begin() as connection:
                connection.exec_driver_sql(
                    f"INSERT INTO orders ({names}) VALUES ({', '.join([mark] * 7)})",
                    [row[1:] for row in rows],
                )
        else:
            place.many(table, rows)
    return place


def _plain(cell: object) -> object:
    return cell.isoformat(" ", "seconds") if isinstance(cell, datetime) else cell
