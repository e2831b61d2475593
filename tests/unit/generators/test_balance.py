"""Rows that canaries are modelled on: every value in its turn, and none of the rows beside the place."""

from __future__ import annotations

from collections import Counter
from random import Random

import numpy as np
import pyarrow as pa
import pytest

from canary.files import RowBatch
from canary.generators.balance import Balance
from canary.generators.host import HostLearner
from canary.generators.moments import Moments
from canary.generators.templates import BESIDE, CHOICE, WINDOW, Templates

ROWS = 2000


@pytest.fixture(params=[True, False], ids=["compiled", "numpy"], autouse=True)
def way(request, monkeypatch):
    monkeypatch.setattr("canary.generators.balance.is_native", lambda: request.param)


def only(balance: Balance, rows: list[int]) -> int:
    (chosen,) = balance.choose(np.array([rows]))
    return int(chosen)


def test_values_of_an_even_column_come_evenly() -> None:
    rng = Random(1)
    rows = [{"goods": f"g{rng.randrange(10)}", "note": rng.choice(["", "", "ring"])} for _ in range(ROWS)]
    balance = Balance([[row[name] for row in rows] for name in ("goods", "note")])
    chosen = [rows[only(balance, [rng.randrange(ROWS) for _ in range(CHOICE)])] for _ in range(500)]
    goods = Counter(row["goods"] for row in chosen)
    share = sum(row["note"] == "" for row in rows) / ROWS
    assert max(abs(goods[f"g{at}"] - 50) for at in range(10)) <= 12  # by chance alone it is 17 to 20
    assert abs(sum(row["note"] == "" for row in chosen) - 500 * share) <= 12


def test_rare_values_come_as_often_as_they_are() -> None:
    rng = Random(2)
    rows = [{"who": f"w{at}" if at % 10 < 3 else rng.choice("abcd")} for at in range(ROWS)]
    balance = Balance([[row["who"] for row in rows]])
    chosen = [rows[only(balance, [rng.randrange(ROWS) for _ in range(CHOICE)])] for _ in range(500)]
    assert 140 <= sum(row["who"].startswith("w") for row in chosen) <= 160


def test_a_value_of_two_rows_comes_twice_as_often() -> None:
    cells = ["33", "33", "44"]
    balance = Balance([cells])
    assert Counter(cells[only(balance, [0, 1, 2])] for _ in range(30)) == {"33": 20, "44": 10}


def test_a_sample_is_read_by_columns() -> None:
    cells = pa.RecordBatch.from_arrays([pa.array(["33aa", None, "", "44"])], ["id"])
    learner = HostLearner(["id"], {"id": "text"}, Random(1), 1)
    learner.feed(RowBatch(0, cells))
    profile = learner.finish()
    assert profile.cells("id") == ("33aa", None, "", "44")
    assert profile.heads("id", 2) == ("33", "", "", "44")
    assert profile.heads("id") == ("33aa", "", "", "44")
    assert profile.column("id") == ("33aa", "44")
    assert profile.cells("no such column") == ()


def test_without_columns_the_first_row_is_taken() -> None:
    assert only(Balance([]), [2, 0, 1]) == 2


def test_both_ways_choose_the_same_rows(monkeypatch) -> None:
    rng = Random(4)
    columns = [[rng.choice("abc") for _ in range(ROWS)], [rng.choice("xyyy") for _ in range(ROWS)]]
    rows = np.array([[rng.randrange(ROWS) for _ in range(CHOICE)] for _ in range(300)])
    chosen = []
    for compiled in (True, False):
        monkeypatch.setattr("canary.generators.balance.is_native", lambda compiled=compiled: compiled)
        chosen.append(Balance(columns).choose(rows).tolist())
    assert chosen[0] == chosen[1]
    assert all(one in some for one, some in zip(chosen[0], rows.tolist(), strict=True))


def test_rows_beside_the_place_are_left_alone() -> None:
    numbers = pa.array([f"N{10 * at:08d}" for at in range(ROWS)])
    learner = HostLearner(["no"], {"no": "waybill_no"}, Random(3), 50)
    learner.feed(RowBatch(0, pa.RecordBatch.from_arrays([numbers], ["no"])))
    profile = learner.finish()
    templates = Templates(profile, Moments.of(profile, []), [Balance([])])
    places = [profile.places[at] for at in range(50)]
    near = templates.near(places)
    rows = np.array(templates.choose(places, near, Random(4)))[:, 0]
    reach = int(WINDOW * len(profile.sample))
    apart = np.abs(rows - near)
    assert apart.min() > BESIDE * reach
    assert apart.max() <= reach
