"""Names, addresses, groups of columns and places that follow a host."""

from __future__ import annotations

import random
import re
from collections import Counter
from math import log2

import numpy as np
import pyarrow as pa
import pytest

from canary.files.table import RowBatch
from canary.generators import dress
from canary.generators.bonds import clusters
from canary.generators.copying import crowd
from canary.generators.fit import canaries_for
from canary.generators.host import HostLearner
from canary.generators.likeness import Chain, Homes, Names, parts_of, split_name
from canary.generators.persona import Personas
from canary.generators.series import around, by_neighbours, is_tidal

ROADS, ESTATES = ("长江路", "黄河路", "玉兰街", "学府路"), ("翠湖名苑", "书香门第", "怡景新村")


def cut(text: str) -> int:
    return sum(map(len, dress.divisions_of(text)))


def homes_of(rng: random.Random, count: int) -> list[str]:
    return [
        f"浙江省杭州市西湖区{rng.choice(ROADS)}{rng.randint(1, 300)}号{rng.choice(ESTATES)}"
        f"{rng.randint(1, 30)}幢{rng.randint(1, 4)}单元{rng.randint(1, 20)}0{rng.randint(1, 4)}室"
        for _ in range(count)
    ]


def test_an_address_is_taken_apart_and_put_together_again():
    text = "浙江省杭州市西湖区长江路12号翠湖名苑3幢2单元401室"
    parts = parts_of(text, cut(text))
    assert parts.names == ("长江路", "翠湖名苑", "", "", "")
    assert parts.numbers == ("12", "3", "2", "401")
    assert parts.units == ("号", "幢", "单元", "室")
    assert parts.written() == text


def test_addresses_are_made_of_the_hosts_pieces_and_are_none_of_its_own():
    rng = random.Random(4)
    values = homes_of(rng, 600)
    homes = Homes.of(values, cut, 600)
    assert homes is not None
    drawn = [homes.draw(values[at], rng) for at in range(200)]
    made = [home for home in drawn if home is not None]
    assert len(made) == 200
    assert not {home.text for home in made} & set(values)
    shape = rf"浙江省杭州市西湖区({'|'.join(ROADS)})\d+号({'|'.join(ESTATES)})\d+幢\d单元\d+室"
    assert all(re.fullmatch(shape, home.text) for home in made)


def test_the_bits_of_an_address_are_no_more_than_its_draws_have():
    rng = random.Random(4)
    values = homes_of(rng, 600)
    homes = Homes.of(values, cut, 600)
    assert homes is not None
    drawn = Counter(home.text for at in range(600) if (home := homes.draw(values[at], rng)) is not None)
    bits = [home.bits for at in range(50) if (home := homes.draw(values[at], rng)) is not None]
    most = log2(len(ROADS) * len(ESTATES) * 300 * 30 * 4 * 80)
    assert all(10 < each <= most for each in bits)
    assert max(drawn.values()) <= 2


@pytest.mark.parametrize("values", [["长江路1号"] * 50, ["长江路"] * 500, []])
def test_few_or_unnumbered_addresses_teach_nothing(values):
    assert Homes.of(values, cut, 500) is None


def test_a_host_with_one_address_gives_no_other():
    homes = Homes.of(["浙江省杭州市西湖区长江路1号"] * 300, cut, 300)
    assert homes is not None
    assert homes.draw("浙江省杭州市西湖区长江路1号", random.Random(1)) is None


@pytest.mark.parametrize(
    ("name", "parts"), [("王伟", ("王", "伟")), ("欧阳娜", ("欧阳", "娜")), ("司马相如", ("司马", "相如"))]
)
def test_names_are_split(name, parts):
    assert split_name(name) == parts


def test_names_fit_the_sex_that_the_host_tells():
    rng = random.Random(2)
    pairs = [(rng.choice("王李张") + rng.choice("伟强") + rng.choice(["", "军"]), "M") for _ in range(300)]
    pairs += [(rng.choice("王李张") + rng.choice("芳娜") + rng.choice(["", "丽"]), "F") for _ in range(300)]
    names = Names.of([name for name, _ in pairs], [sex for _, sex in pairs], 6000)
    assert names is not None
    men, women = ([names.draw(sex, rng) for _ in range(200)] for sex in "MF")
    assert {one.given[0] for one in men} == set("伟强")
    assert {one.given[0] for one in women} == set("芳娜")
    assert sum(one.given[1:] == "丽" for one in men) == 0
    assert all(0 < one.bits <= log2(3 * 2 * 2) for one in (*men, *women))
    assert Names.of(["John Smith"] * 900, [""] * 900, 900) is None


def test_a_chain_gives_way_as_often_as_the_next_text_is_new():
    chain = Chain()
    for text in ["a"] * 8 + ["b", "c"]:
        chain.learn(text, ["here"])
    for text in ["z"] * 10:
        chain.learn(text, ["all"])
    rng = random.Random(1)
    drawn = Counter(chain.draw(["here", "all"], rng)[0] for _ in range(2000))
    assert 0.16 < drawn["z"] / 2000 < 0.24
    _, bits = chain.draw(["here", "all"], rng)
    assert bits <= -log2(drawn["a"] / 2000) + 0.1


def test_columns_that_go_together_are_found():
    rng = random.Random(3)
    kinds = [rng.choice("abcd") for _ in range(1500)]
    columns = {
        "kind": kinds,
        "price": [float("abcd".index(kind) * 10 + rng.randrange(10)) for kind in kinds],
        "note": [rng.choice(["x", "y", "z"]) for _ in kinds],
        "constant": ["1"] * 1500,
    }
    found = clusters(columns, 1)
    assert {"kind", "price"} in found
    assert {"note"} in found


def test_a_crowd_is_estimated_from_a_sample():
    rng = random.Random(1)
    host = [rng.randrange(500) for _ in range(20_000)]
    sample = Counter(map(str, rng.sample(host, 1000)))
    assert 30 < crowd(sample, 20_000) < 50
    assert crowd(Counter(map(str, range(100))), 10**6) == 0
    assert crowd(Counter("a"), 5) == 0


def test_lengths_are_told_against_those_around_them():
    lengths = np.array([10] * 500 + [1000] * 500)
    told = by_neighbours(lengths)
    assert told[100] == pytest.approx(1)
    assert told[900] == pytest.approx(1)
    assert list(by_neighbours(np.zeros(5, np.int64))) == [1.0] * 5
    assert around(np.array([0, 1]))[0] == 0.5


def test_a_time_of_day_is_tidal_and_an_unsorted_column_is_not():
    days = np.concatenate([np.sort(np.random.default_rng(at).integers(0, 1440, 400)) for at in range(5)])
    assert is_tidal(days)
    assert not is_tidal(np.random.default_rng(1).permutation(days))
    assert not is_tidal(np.repeat(np.arange(30), 100))  # long runs: a day of the month
    assert not is_tidal(days[:50])


def timetable() -> list[dict[str, str | None]]:
    rows: list[dict[str, str | None]] = []
    for day in range(1, 29):
        rng = random.Random(day)
        for minute in sorted(rng.randrange(1440) for _ in range(200)):
            rows.append({"day": str(day), "minute": str(minute), "gate": rng.choice("ABCD")})
    return rows


def drafts_of(rows: list[dict[str, str | None]], roles: dict[str, str], count: int, locale: str = "zh_CN"):
    learner = HostLearner(list(roles), roles, random.Random(3), count)
    schema = pa.schema([(name, pa.string()) for name in roles])
    learner.feed(RowBatch(0, pa.RecordBatch.from_pylist(rows, schema=schema)))
    profile = learner.finish()
    from datetime import date

    personas = Personas(
        locale, random.Random(5), [], [f"139{at:08d}" for at in range(400)], today=date(2026, 11, 22)
    )
    return canaries_for(profile, profile.places, count, personas, random.Random(1))


def test_rows_sorted_by_day_and_minute_stay_sorted():
    rows = timetable()
    drafts = drafts_of(rows, {"day": "count", "minute": "count", "gate": "category"}, 40)
    assert len(drafts) == 40
    fits = 0
    for draft in drafts:
        near = [
            row for row in (rows[draft.position - 1 : draft.position + 1]) if row["day"] == draft.row["day"]
        ]
        before = [int(str(rows[draft.position - 1]["minute"]))] if rows[draft.position - 1] in near else []
        fits += bool(near) and all(int(str(draft.row["minute"])) >= each for each in before)
    assert fits >= 36


def test_staff_are_taken_over_and_patients_are_not():
    rng = random.Random(6)
    staff = [f"赵{a}{b}" for a in "明亮" for b in "芳华丽强"]
    names = [rng.choice("王李张刘") + rng.choice("伟强芳娜") + rng.choice("军丽平波") for _ in range(1500)]
    rows: list[dict[str, str | None]] = [
        {
            "no": str(at * 9 + rng.randrange(5)),
            "patient": name,
            "call": f"138{rng.randrange(10**8):08d}",
            "doctor": rng.choice(staff),
        }
        for at, name in enumerate(names)
    ]
    roles = {"no": "record_no", "patient": "name", "call": "phone", "doctor": "name"}
    for draft in drafts_of(rows, roles, 60):
        assert draft.row["doctor"] in staff
        assert draft.row["patient"] not in staff
        assert str(draft.row["call"]).startswith("139")


def test_persons_come_again_as_often_as_the_hosts_do():
    rng = random.Random(7)
    known = [(rng.choice("王李张刘") + rng.choice("伟强芳娜"), f"138{at:08d}") for at in range(700)]
    picked = [rng.choice(known) for _ in range(2000)]
    rows: list[dict[str, str | None]] = [
        {"no": str(at * 9 + rng.randrange(5)), "name": name, "call": call}
        for at, (name, call) in enumerate(picked)
    ]
    drafts = drafts_of(rows, {"no": "record_no", "name": "name", "call": "phone"}, 200)
    calls = Counter(draft.row["call"] for draft in drafts)
    again = sum(count for count in calls.values() if count > 1) / 200
    assert 0.3 < again < 0.8
    assert len({draft.row["no"] for draft in drafts}) == 200
    names = {}
    for draft in drafts:
        assert names.setdefault(draft.row["call"], draft.row["name"]) == draft.row["name"]
        assert all(each.shared for each in draft.fields if each.role == "phone")


def test_every_person_comes_once_where_the_hosts_do():
    rows: list[dict[str, str | None]] = [{"no": str(at * 9), "call": f"138{at:08d}"} for at in range(1500)]
    drafts = drafts_of(rows, {"no": "record_no", "call": "phone"}, 200)
    assert len({draft.row["call"] for draft in drafts}) == 200


def test_the_share_of_those_who_come_again_is_learned_from_the_others_of_a_row():
    from canary.generators.wardrobe import returning_share

    rng = random.Random(9)
    for more in (0.1, 0.4):  # visits beyond the first, a person
        share, visits = more / (1 + more), []
        while len(visits) < 40_000:
            size = 1
            while rng.random() < share:
                size += 1
            visits += [size - 1] * size  # the others of each row
        assert returning_share(sum(visits) / len(visits)) == pytest.approx(share, rel=0.06)


def test_letters_that_chance_joins_are_told_from_those_that_go_in_pairs():
    from canary.generators.likeness import freedom_of

    rng = random.Random(10)
    one, two = [chr(0x4E00 + at) for at in range(40)], [chr(0x5E00 + at) for at in range(40)]
    free = [(rng.choice(one) + rng.choice(two), "M") for _ in range(1200)]
    pairs = [rng.choice(one) + rng.choice(two) for _ in range(400)]
    bound = [(rng.choice(pairs), "M") for _ in range(1200)]
    assert freedom_of(free) > 0.7
    assert freedom_of(bound) < 0.4
    assert freedom_of([]) == 0
