"""A small sample of benchmarks/realism.py: the attacks find bad fakes, and do not find canaries."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from benchmarks.people import attacks, filters, hosts, judges, marginals, plant
from benchmarks.people.features import Features, _likelihood, features
from benchmarks.people.hosts import Host

CANARIES = 100
FEW = 40  # rounds of boosting: 200 rows bear no more
SOME = ("运单号", "下单时间", "收件人", "收件地址", "品名", "重量", "运费")


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> plant.Planted:
    return plant.plant(hosts.waybills(5_000), CANARIES, tmp_path_factory.mktemp("realism"), 1, owned=3_000)


def chosen(planted: plant.Planted, fakes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    others = np.setdiff1d(np.arange(planted.rows), planted.canaries)
    real = np.random.default_rng(2).choice(np.setdiff1d(others, fakes), len(fakes), replace=False)
    return np.concatenate([real, fakes]), np.repeat([0, 1], len(fakes))


@pytest.fixture(scope="module")
def judged(planted: plant.Planted) -> tuple[Features, np.ndarray]:
    rows, truth = chosen(planted, planted.canaries)
    return features({name: planted.columns[name] for name in SOME}, rows), truth


def test_canaries_hide(judged):
    hidden = attacks.two_samples(*judged, 0, FEW)
    assert max(hidden.boosting, hidden.logistic) < 0.75  # 200 rows judge roughly; the benchmark judges well


def test_rows_put_together_by_chance_do_not_hide(planted):
    rng = random.Random(3)
    spoilt = {name: list(planted.columns[name]) for name in SOME}
    fakes = np.sort(np.random.default_rng(4).choice(planted.rows, CANARIES, replace=False))
    for cells in spoilt.values():  # each cell from a row of its own
        for row in fakes.tolist():
            cells[row] = rng.choice(cells)
    rows, truth = chosen(planted, np.setdiff1d(fakes, planted.canaries))
    found = attacks.two_samples(features(spoilt, rows), truth, 0, FEW)
    assert min(found.boosting, found.logistic) > 0.85


def test_outliers_are_not_mostly_canaries(judged):
    caught = attacks.outliers(*judged, 0)
    assert all(shares[0.05] <= 0.15 for shares in caught.values())


def test_each_column_is_like_the_hosts(planted):
    fake = {
        name: [cells[row] for row in planted.canaries.tolist()] for name, cells in planted.columns.items()
    }
    others = np.setdiff1d(np.arange(planted.rows), planted.canaries).tolist()
    real = {name: [cells[row] for row in others] for name, cells in planted.columns.items()}
    told = marginals.marginals(real, fake)
    assert {one.column for one in told} == set(planted.columns)
    # 0.9 and more of larger samples: docs/realism.md; a share of 100 draws is off by .05 in one case of five
    assert all(one.alike > 0.6 and one.empty <= 0.12 for one in told)
    assert marginals.marginals({"v": ["1", "2"] * 50}, {"v": ["9"] * 50})[0].alike < 0.1


def test_no_canary_is_a_real_row(planted):
    mine, columns = planted.canaries.tolist(), planted.columns
    others = set(range(planted.rows)) - set(mine)
    for name in ("运单号", "收件电话"):
        real = {columns[name][row] for row in others}
        assert not real & {columns[name][row] for row in mine}
    homes = {(columns["收件人"][row], columns["收件地址"][row]) for row in others}
    assert not homes & {(columns["收件人"][row], columns["收件地址"][row]) for row in mine}
    numbers = [int(number) for number in columns["运单号"]]
    assert numbers == sorted(set(numbers))


def test_a_table_without_any_person_gets_canaries_in_its_gaps(tmp_path: Path):
    rng = random.Random(5)
    numbers = sorted(rng.sample(range(10**6, 10**7), 3_000))
    heat = [15 + 8 * rng.random() for _ in numbers]
    host = Host(
        "sensors",
        "sensors, drawn",
        "drawn here",
        {
            "reading_id": [str(number) for number in numbers],
            "station": [rng.choice(["north", "south", "east"]) for _ in numbers],
            "celsius": [f"{each:.2f}" for each in heat],
            "fahrenheit": [f"{each * 1.8 + 32:.1f}" for each in heat],
        },
    )
    planted = plant.plant(host, 60, tmp_path, 1, owned=0)
    ids = [int(each) for each in planted.columns["reading_id"]]
    assert ids == sorted(set(ids))
    mine = [ids[row] for row in planted.canaries.tolist()]
    assert not set(mine) & set(numbers)
    assert all(10**6 <= each < 10**7 for each in mine)
    for row in planted.canaries.tolist():
        celsius, fahrenheit = (float(planted.columns[name][row]) for name in ("celsius", "fahrenheit"))
        assert abs(celsius * 1.8 + 32 - fahrenheit) < 1


def test_filters_find_what_may_not_be_real():
    columns = {
        "手机": ["13812345678"] * 50 + ["14012345678"] * 50,
        "身份证号": ["110101199003070011"] * 50 + ["110102198001010019"] * 50,
        "邮箱": ["a@qq.com"] * 50 + [f"wxm12.lexx{at:04d}@ours.example" for at in range(50)],
    }
    told = filters.filters(columns, np.repeat([0, 1], 50), np.arange(100))
    assert told["dead phone blocks"] == 1
    assert told["common domains that are no provider"] == 1
    assert told["digits in aliases"] == 1
    assert told["long aliases on domains that are no provider"] == 1
    assert told["letters of aliases"] == 1


def test_a_limit_on_either_side_is_tried():
    truth = np.repeat([0, 1], 100)
    few = np.concatenate([np.full(100, 3.0), np.full(60, 1.0), np.full(40, 3.0)])
    assert filters._removed(few, truth) == filters._removed(-few, truth) == pytest.approx(0.6)
    assert filters._removed(np.zeros(200), truth) == 0


def test_the_judges_find_no_broken_rule_and_know_one():
    assert judges.broken_rules(300, 3) == Counter()
    assert judges.withdrawn_code("110103198001010015")
    assert judges.identifiers(2_000) == (0, 0)


def test_persons_are_kept_apart():
    """Features that tell one person from another tell nothing where all rows of a person are in one fold."""
    rng = np.random.default_rng(5)
    persons = np.repeat(np.arange(60), 6)
    truth = rng.permutation(np.repeat([0, 1], 30))[persons]
    found = Features(("who",), rng.normal(size=60)[persons][:, None])
    told = attacks.two_samples(found, truth, 0, FEW, persons)
    assert told.boosting > 0.85
    assert told.boosting_apart < 0.7
    alone = attacks.two_samples(found, truth, 0, FEW, np.arange(len(truth)))
    assert alone.boosting_apart == alone.boosting


def test_letters_are_learned_without_the_row_itself():
    """A text that stands once is as unusual as one that stands nowhere, though it is among those learned from."""
    cells = ["甲乙丙", *["丁戊"] * 50]
    once, nowhere = _likelihood(cells, ["甲乙丙", "己庚辛"], np.array([True, False]))
    assert once == pytest.approx(nowhere, abs=0.1)
    assert _likelihood(cells, ["甲乙丙"], np.array([False]))[0] > once + 1
