"""Places, numbers and times of canaries, and that nothing that identifies a real person is ever copied."""

from __future__ import annotations

import random
import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise
from math import log2

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canary.fields.canonical import canonical
from canary.fields.roles import FORMS, KEYS, PERSONAL
from canary.files.table import RowBatch
from canary.generators.drafts import Draft
from canary.generators.fit import canaries_for
from canary.generators.host import HostLearner
from canary.generators.kinds import load_kind, rows_of_kind
from canary.generators.persona import Personas
from canary.generators.profile import HostProfile
from canary.generators.safety import check

TODAY = date(2026, 11, 22)
Rows = Sequence[Mapping[str, str | None]]


def batches(rows: Rows, size: int = 256) -> list[RowBatch]:
    schema = pa.schema([(name, pa.string()) for name in rows[0]])
    table = pa.Table.from_pylist([dict(row) for row in rows], schema=schema)
    found, start = [], 0
    for batch in table.to_batches(size):
        found.append(RowBatch(start, batch))
        start += batch.num_rows
    return found


def learned(
    rows: Rows, roles: Mapping[str, str], canaries: float, seed: int = 3, **more: object
) -> HostProfile:
    learner = HostLearner(list(rows[0]), roles, random.Random(seed), canaries, **more)  # type: ignore[arg-type]
    for batch in batches(rows):
        learner.feed(batch)
    return learner.finish()


def people(seed: int = 5, phones: Sequence[str] = ()) -> Personas:
    return Personas("zh_CN", random.Random(seed), ["mail.example.org"], phones, today=TODAY)


def drafted(rows: Rows, roles: Mapping[str, str], count: int, seed: int = 3, **more: object) -> list[Draft]:
    profile = learned(rows, roles, count, seed, **more)
    ranges = more.get("ranges")
    return canaries_for(profile, profile.places, count, people(seed), random.Random(seed), ranges=ranges)  # type: ignore[arg-type]


def hosted(
    kind: str, count: int, locale: str = "zh_CN"
) -> tuple[list[dict[str, str | None]], Mapping[str, str]]:
    personas = Personas(locale, random.Random(1), ["real.example.com"], today=TODAY)
    made = rows_of_kind(load_kind(kind), personas, random.Random(2), count, locale)
    return list(made.rows), made.roles


ascending = st.lists(st.integers(2, 400), min_size=30, max_size=120).map(
    lambda gaps: [10_000 + sum(gaps[:at]) for at in range(len(gaps))]
)


@given(ascending, st.integers(1, 20), st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_number_from_a_gap_keeps_the_order_and_is_new(keys, count, falling):
    keys = keys[::-1] if falling else keys
    rows = [{"no": f"YT{key:013d}", "v": "1"} for key in keys]
    drafts = drafted(rows, {"no": "waybill_no", "v": "other"}, count)
    assert len(drafts) == count
    merged = merge(rows, drafts, "no")
    assert merged == sorted(merged, reverse=falling)
    assert len(set(merged)) == len(merged)


def merge(rows: Rows, drafts: Sequence[Draft], heading: str) -> list[str]:
    found, at = [], 0
    for position, row in enumerate([*rows, None]):
        while at < len(drafts) and drafts[at].position == position:
            found.append(str(drafts[at].row[heading]))
            at += 1
        if row is not None:
            found.append(str(row[heading]))
    assert at == len(drafts)
    return found


def test_gaps_are_drawn_in_proportion_and_places_evenly():
    rng = random.Random(1)
    keys, key = [], 10**6
    for _ in range(4000):
        key += 1 + int(rng.expovariate(1 / 50))
        keys.append(key)
    rows = [{"id": str(key)} for key in keys]
    drafts = drafted(rows, {"id": "key"}, 600)
    shares, lengths = [], []
    for draft in drafts:
        number, right = int(str(draft.row["id"])), draft.position
        low, high = keys[right - 1], keys[right]
        assert low < number < high
        shares.append((number - low) / (high - low))
        lengths.append(high - low)
    mean = sum(b - a for a, b in pairwise(keys)) / (len(keys) - 1)
    assert 1.7 < sum(lengths) / len(lengths) / mean < 2.4  # length-biased gaps are twice as long on average
    assert 0.45 < sum(shares) / len(shares) < 0.55
    assert min(shares) < 0.05
    assert max(shares) > 0.95
    halves = sum(0.45 < share < 0.55 for share in shares) / len(shares)
    assert halves < 0.2


def test_one_hole_does_not_take_all_canaries():
    keys = [at * 10 for at in range(1, 1000)] + [10**9 + at * 10 for at in range(1000)]
    drafts = drafted([{"id": str(key)} for key in keys], {"id": "key"}, 100)
    inside = [draft for draft in drafts if 20_000 < int(str(draft.row["id"])) < 10**9 - 1]
    assert len(inside) <= 20


def test_a_dense_series_goes_on_after_its_maximum_and_says_so():
    rows = [{"id": str(at), "v": "a"} for at in range(1, 301)]
    profile = learned(rows, {"id": "key", "v": "category"}, 3)
    assert "dense" in profile.notes[0]
    drafts = canaries_for(profile, profile.places, 3, people(), random.Random(1))
    assert [draft.row["id"] for draft in drafts] == ["301", "302", "303"]
    assert {draft.position for draft in drafts} == {300}
    assert {draft.note for draft in drafts} == {"stands after the last row"}
    assert {each.bits for draft in drafts for each in draft.fields} == {0.0}


def test_a_falling_dense_series_goes_on_below_its_minimum():
    rows = [{"id": str(at)} for at in range(900, 600, -1)]
    drafts = drafted(rows, {"id": "key"}, 2)
    assert [draft.row["id"] for draft in drafts] == ["600", "599"]


@given(st.integers(0, 2**20), st.integers(1, 30))
@settings(max_examples=25, deadline=None)
def test_unordered_keys_avoid_those_that_stand_in_the_host(seed, count):
    rng = random.Random(seed)
    keys = rng.sample(range(1000, 3000), 900)
    drafts = drafted([{"k": f"B{key}"} for key in keys], {"k": "record_no"}, count, seed)
    numbers = [int(str(draft.row["k"])[1:]) for draft in drafts]
    assert not set(numbers) & set(keys)
    assert len(set(numbers)) == count
    assert all(1000 <= number < 3000 for number in numbers)
    assert {each.bits for draft in drafts for each in draft.fields} == {10.0}  # about 1,100 free numbers


def test_an_embedded_date_stays_a_date():
    days = [f"202401{day:02d}" for day in range(1, 29)]
    rows = [{"no": f"D{day}{at * 97 % 1000:04d}"} for day in days for at in range(60)]
    random.Random(4).shuffle(rows)
    for draft in drafted(rows, {"no": "order_no"}, 40):
        assert str(draft.row["no"])[1:9] in days
    rows.sort(key=lambda row: row["no"])
    drafts = drafted(rows, {"no": "order_no"}, 40)
    assert all(str(draft.row["no"])[1:9] in days for draft in drafts)


def test_a_check_digit_is_kept():
    from stdnum import luhn

    from canary.generators.codes import s10_check

    rng = random.Random(2)
    serials = sorted(rng.sample(range(10**7, 10**8), 300))
    rows = [{"no": f"RX{serial:08d}{s10_check(f'{serial:08d}')}CN"} for serial in serials]
    for draft in drafted(rows, {"no": "waybill_no"}, 20):
        text = str(draft.row["no"])
        assert re.fullmatch(r"RX\d{9}CN", text)
        assert s10_check(text[2:10]) == text[10]
    rows = [{"no": f"{serial}{luhn.calc_check_digit(str(serial))}"} for serial in serials]
    assert all(luhn.is_valid(str(draft.row["no"])) for draft in drafted(rows, {"no": "record_no"}, 20))


RANGE = (7_000_000_500_001, 7_000_000_500_999)


@pytest.mark.parametrize(
    ("bounds", "position"),
    [
        (RANGE, 501),
        ((7_100_000_000_000, 7_100_000_999_999), 1000),
        ((6_000_000_000_000, 6_000_000_000_999), 0),
    ],
)
@pytest.mark.parametrize("name", ["no", "waybill_no"])
def test_numbers_of_a_reserved_range_stand_where_they_belong(bounds, position, name):
    rows = [
        {"no": f"YT{7_000_000_000_000 + at * 1000:013d}", "t": f"2024-01-01 {at // 60:02d}:{at % 60:02d}:00"}
        for at in range(1000)
    ]
    drafts = drafted(rows, {"no": "waybill_no", "t": "time"}, 25, ranges={name: bounds})
    assert {draft.position for draft in drafts} == {position}
    for draft in drafts:
        assert bounds[0] <= int(str(draft.row["no"])[2:]) <= bounds[1]
        assert draft.fields[0].bits == int(log2(bounds[1] - bounds[0] + 1))
    merged = merge(rows, drafts, "t")
    assert merged == sorted(merged)
    assert merge(rows, drafts, "no") == sorted(merge(rows, drafts, "no"))


def test_times_lie_between_the_neighbours_and_in_the_hosts_steps():
    rng = random.Random(3)
    moments = sorted(rng.randrange(0, 86_400 // 60) for _ in range(500))
    rows = [{"t": f"2024/3/5 {at // 60:02d}:{at % 60:02d}:00", "v": "x"} for at in moments]
    drafts = drafted(rows, {"t": "time", "v": "category"}, 60)
    merged = merge(rows, drafts, "t")
    assert merged == sorted(merged)
    assert all(text.endswith(":00") for text in merged)


def test_times_move_together_where_only_one_orders_the_rows():
    rows = [
        {
            "id": str(at * 7),
            "made": f"2024-01-{1 + at // 60:02d} {at % 24:02d}:00:00",
            "paid": f"2024-01-{1 + at // 60:02d} {at % 24:02d}:05:00",
        }
        for at in range(600)
    ]
    for draft in drafted(rows, {"id": "key", "made": "time", "paid": "time"}, 40):
        made, paid = str(draft.row["made"]), str(draft.row["paid"])
        assert made <= paid


@pytest.mark.parametrize(
    "kind", ["waybill", "order", "resume", "hospital_visit", "online_account", "persona", "customer"]
)
def test_nothing_that_identifies_is_copied(kind):
    locale = "en_US" if kind == "customer" else "zh_CN"
    rows, roles = hosted(kind, 1500, locale)
    profile = learned(rows, roles, 60)
    personas = Personas(locale, random.Random(9), ["mail.example.org"], today=TODAY)
    drafts = canaries_for(profile, profile.places, 60, personas, random.Random(9))
    real = {
        (role, canonical(role, value) or value)
        for row in rows
        for heading, value in row.items()
        if value and (role := roles[heading]) in FORMS.keys() & (PERSONAL | KEYS)
    }
    for draft in drafts:
        assert list(draft.row) == list(rows[0])
        for heading, value in draft.row.items():
            role = roles[heading]
            if value and role in FORMS.keys() & (PERSONAL | KEYS):
                assert (role, canonical(role, value) or value) not in real
            check(role, value or "", personas.owned)
        names = [row.get(_heading(roles, "name")) for row in rows] if "name" in roles.values() else []
        assert names.count(draft.row.get(_heading(roles, "name"))) < len(rows) / 20
        assert any(each.role == "email" and each.bits >= 36 for each in draft.fields) or kind in {
            "hospital_visit"
        }


def _heading(roles: Mapping[str, str], role: str) -> str:
    return next((heading for heading, one in roles.items() if one == role), "")


def test_a_copy_differs_from_its_template():
    rows, roles = hosted("waybill", 800)
    known = {tuple(row.values()) for row in rows}
    drafts = drafted(rows, roles, 50)
    assert not {tuple(draft.row.values()) for draft in drafts} & known
    weights = [heading for heading, role in roles.items() if role == "measure"]
    values = sorted(float(str(row[weights[0]])) for row in rows)
    assert all(values[0] <= float(str(draft.row[weights[0]])) <= values[-1] for draft in drafts)


def test_remarks_that_name_or_reach_somebody_are_not_copied():
    rng = random.Random(1)
    rows = []
    for at in range(400):
        name = rng.choice("王李张刘陈") + rng.choice(["小明", "建国", "丽华"])
        remark = rng.choice(
            [f"请致电13{at:09d}", f"{name}本人签收", f"放门口{at}", "工作日送", f"mail {at}@x.example"]
        )
        rows.append({"id": str(at * 5), "姓名": name, "备注": remark})
    drafts = drafted(rows, {"id": "key", "姓名": "name", "备注": "text"}, 100)
    for draft in drafts:
        remark = str(draft.row["备注"])
        assert not re.search(r"\d{5}|@", remark)
        assert not any(name in remark for name in {row["姓名"] for row in rows})


def test_two_persons_of_a_row_are_different_and_each_is_whole():
    rows, roles = hosted("waybill", 600)
    headings = list(rows[0])
    phones = [heading for heading in headings if roles[heading] == "phone"]
    places = [heading for heading in headings if roles[heading] == "address"]
    for draft in drafted(rows, roles, 40):
        assert draft.row[phones[0]] != draft.row[phones[1]]
        assert draft.row[places[0]] != draft.row[places[1]]
        assert str(draft.row["收件地址"]).startswith(str(draft.row["省份"]))
        assert str(draft.row["城市"]) in str(draft.row["收件地址"])


def test_owned_phones_are_shared_and_used_before_any_is_used_twice():
    rows, roles = hosted("online_account", 400)
    profile = learned(rows, roles, 20)
    pool = [f"1391234{at:04d}" for at in range(20)]
    drafts = canaries_for(profile, profile.places, 20, people(phones=pool), random.Random(2))
    fields = [each for draft in drafts for each in draft.fields if each.role == "phone"]
    assert sorted(each.canonical for each in fields) == pool
    assert all(each.shared and each.bits == pytest.approx(log2(20), abs=0.01) for each in fields)


def test_several_recipients_get_different_numbers_and_places():
    rows, roles = hosted("order", 900)
    profile = learned(rows, roles, 10, copies=5)
    assert len(profile.places) >= 50
    taken: set[str] = set()
    keys = []
    for number in range(5):
        drafts = canaries_for(
            profile, profile.places.share(number, 5), 10, people(number), random.Random(number), taken=taken
        )
        keys += [draft.row["订单号"] for draft in drafts]
    assert len(set(keys)) == 50


def test_the_same_randomness_gives_the_same_canaries():
    rows, roles = hosted("waybill", 500)
    assert drafted(rows, roles, 8) == drafted(rows, roles, 8)
    assert drafted(rows, roles, 8) != drafted(rows, roles, 8, seed=4)


@pytest.mark.parametrize(
    ("rate", "rows", "expected"), [(0.002, 5000, 10), (0.1, 33, 4), (0, 100, 0), (0.5, 3, 2)]
)
def test_a_rate_gives_that_share_rounded_up(rate, rows, expected):
    profile = learned(
        [{"id": str(at * 3), "v": "x"} for at in range(rows)], {"id": "key", "v": "other"}, rate
    )
    assert profile.count(rate) == expected
    assert len(canaries_for(profile, profile.places, expected, people(), random.Random(1))) == expected
    assert len(profile.places) >= min(expected, rows - 1)


def test_a_table_without_personal_columns_gets_canaries_at_even_places():
    rng = random.Random(8)
    rows = [{"v": f"{rng.random():.3f}", "kind": rng.choice("abc")} for _ in range(2000)]
    drafts = drafted(rows, {"v": "measure", "kind": "category"}, 400)
    positions = [draft.position for draft in drafts]
    assert positions == sorted(positions)
    assert 850 < sum(positions) / len(positions) < 1150
    assert {str(draft.row["kind"]) for draft in drafts} == {"a", "b", "c"}
    assert all(draft.fields == () for draft in drafts)


def test_positions_count_rows_that_were_left_out():
    import numpy as np

    learner = HostLearner(["id"], {"id": "key"}, random.Random(1), 20)
    batch = pa.record_batch([pa.array([str(at * 10) for at in range(100)])], names=["id"])
    learner.feed(RowBatch(0, batch, np.arange(100, dtype=np.int64) * 2))
    profile = learner.finish()
    assert profile.rows == 199
    for draft in canaries_for(profile, profile.places, 20, people(), random.Random(1)):
        assert draft.position == 2 * bisect_left([at * 10 for at in range(100)], int(str(draft.row["id"])))
