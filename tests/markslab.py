"""A small table of parcels, its plan, and copies of it, for tests of marks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from canary.fields.policy import parse_policy
from canary.fingerprint.decode import read_marks
from canary.fingerprint.embed import mark, prepare
from canary.fingerprint.learn import Seen, make_plan
from canary.fingerprint.prf import dataset_keys

SECRET = b"a secret of thirty-two bytes ..."
POLICY = """
[dataset]
name = "parcels"
anchors = [["number"], ["phone"], ["name", "address"]]
{dataset}
[columns.number]
role = "waybill_no"
[columns.phone]
role = "phone"
[columns.name]
role = "name"
[columns.address]
role = "address"
mark = "text"
grammar = "cn_address"
[columns.kg]
role = "measure"
mark = "number"
tolerance = {tolerance}
[columns.at]
role = "time"
mark = "time"
tolerance = "30s"
order = "free"
{columns}
"""


def objects(values):
    made = np.empty(len(values), dtype=object)
    made[:] = values
    return made


def parcels(rows, rng, *, phones=None):
    """Rows of nobody; `phones` distinct phones are shared by them."""
    shared = rng.integers(0, phones, rows) if phones else np.arange(rows)
    houses = rng.integers(1, 900, (rows, 4)).tolist()
    signs = rng.integers(0, 400, (rows, 2)).tolist()
    return {
        "number": objects([f"YT{8_000_000_000_000 + 7 * row}" for row in range(rows)]),
        "phone": objects([f"13{100_000_000 + 977 * one}" for one in shared.tolist()]),
        "name": objects([chr(0x5F20 + a % 16) + chr(0x4E00 + b) + "明" for a, b in signs]),
        "address": objects(
            [f"浙江省杭州市西湖区文三路{a}号{b}幢{c % 5 + 1}单元{d}室" for a, b, c, d in houses]
        ),
        "kg": objects([f"{value:.2f}" for value in rng.uniform(1, 20, rows).tolist()]),
        "at": objects(
            [
                str(np.datetime64("2026-03-01T00:00:00") + one).replace("T", " ")
                for one in rng.integers(0, 10**7, rows)
            ]
        ),
    }


@dataclass
class Lab:
    table: dict
    plan: object
    keys: object
    seen: object
    prepared: object

    def copy(self, key):
        """The whole table as one recipient gets it."""
        return {**self.table, **mark(self.prepared, key).columns}

    def read(self, leak, **more):
        return read_marks(self.plan, self.keys, leak, **more)


def lab(rows=400, seed=1, *, phones=None, tolerance="0.5", dataset="", columns="", table=None):
    rng = np.random.default_rng(seed)
    table = table or parcels(rows, rng, phones=phones)
    policy = parse_policy(POLICY.format(dataset=dataset, tolerance=tolerance, columns=columns))
    plan = make_plan(policy, table, SECRET)
    seen = Seen(plan, dataset_keys(SECRET, plan.dataset))
    seen.add(table)
    return Lab(table, plan, seen.keys, seen, prepare(seen, table))


def rows_of(table, rows):
    return {name: cells[rows] for name, cells in table.items()}


def keys_of(count, seed=7):
    rng = np.random.default_rng(seed)
    return [rng.bytes(16) for _ in range(count)]


def exceeds(log2_e, bits):
    """Whether more innocents pass 2^bits than the bound allows, beyond what chance explains (4 standard errors)."""
    allowed = len(log2_e) / 2.0**bits
    return int((log2_e >= bits).sum()) > allowed + 4 * np.sqrt(allowed) + 2
