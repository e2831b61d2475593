"""Learning a host and drafting for it, at the edges: empty, tiny, odd and full tables."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from canary.errors import SafetyError, UsageError
from canary.files.table import RowBatch
from canary.generators.copying import Copied, Numbers, number_of
from canary.generators.drafts import field_of
from canary.generators.fit import canaries_for
from canary.generators.gaps import Reservoir
from canary.generators.host import HostLearner
from canary.generators.masks import KeyMask
from canary.generators.persona import Personas
from canary.generators.profile import HostProfile, canary_count, one_of
from canary.generators.safety import Owned
from canary.generators.series import Series

TODAY = date(2026, 11, 22)
Rows = Sequence[Mapping[str, str | None]]


def learned(
    rows: Rows, roles: Mapping[str, str], canaries: float = 5, size: int = 7, **more: object
) -> HostProfile:
    learner = HostLearner(list(roles), roles, random.Random(3), canaries, **more)  # type: ignore[arg-type]
    start = 0
    for cut in range(0, len(rows), size):
        schema = pa.schema([(name, pa.string()) for name in roles])
        batch = pa.RecordBatch.from_pylist([dict(row) for row in rows[cut : cut + size]], schema=schema)
        learner.feed(RowBatch(start, batch))
        start += batch.num_rows
    return learner.finish()


def personas(domains: Sequence[str] = ("mail.example.org",)) -> Personas:
    return Personas("zh_CN", random.Random(5), domains, today=TODAY)


def drafted(profile: HostProfile, count: int, **more: object):
    return canaries_for(profile, profile.places, count, personas(), random.Random(1), **more)  # type: ignore[arg-type]


def test_an_empty_table_gets_no_canaries():
    profile = learned([], {"id": "key", "姓名": "name"})
    assert profile.rows == 0
    assert profile.near(3) is None
    assert drafted(profile, 5) == []
    learner = HostLearner(["id"], {}, random.Random(1), 1)
    learner.feed(RowBatch(0, pa.record_batch([pa.array([], pa.string())], names=["id"])))
    assert learner.finish().rows == 0


def test_a_table_of_one_row_goes_on_after_it():
    profile = learned(
        [{"id": "7", "姓名": "张三", "手机": "13812345678"}], {"id": "key", "姓名": "name", "手机": "phone"}
    )
    drafts = drafted(profile, 3)
    assert [draft.row["id"] for draft in drafts] == ["8", "9", "10"]
    assert all(draft.row["姓名"] and draft.row["手机"] for draft in drafts)


def test_other_columns_are_refused():
    learner = HostLearner(["id"], {"id": "key"}, random.Random(1), 1)
    with pytest.raises(UsageError, match="other columns"):
        learner.feed(RowBatch(0, pa.record_batch([pa.array(["1"])], names=["no"])))


@pytest.mark.parametrize("canaries", [-1, 1.5, -0.1])
def test_half_canaries_are_refused(canaries):
    with pytest.raises(UsageError, match="cannot plant"):
        canary_count(canaries, 10)
    with pytest.raises(UsageError, match="cannot plant"):
        HostLearner(["id"], {}, random.Random(1), canaries)


@pytest.mark.parametrize("bounds", [(5, 4), (-1, 4)])
def test_a_range_without_numbers_is_refused(bounds):
    profile = learned([{"id": "7"}], {"id": "key"})
    with pytest.raises(UsageError, match="holds no number"):
        drafted(profile, 1, ranges={"id": bounds})


def test_a_range_that_is_too_small_is_said():
    rows = [{"id": str(at * 100)} for at in range(50)]
    profile = learned(rows, {"id": "key"}, 10, ranges={"id": (1001, 1003)})
    with pytest.raises(SafetyError, match="7 of 10 canaries could not be drawn"):
        drafted(profile, 10, ranges={"id": (1001, 1003)})


def test_the_gate_holds_what_the_caller_owns():
    rows = [{"id": str(at * 100)} for at in range(50)]
    profile = learned(rows, {"id": "key"})
    owned = Owned(TODAY, ranges={"key": (10**9, 10**9 + 1)})
    with pytest.raises(SafetyError, match="outside the reserved range"):
        drafted(profile, 1, owned=owned)


def test_columns_are_described():
    rows = [
        {
            "id": str(at),
            "名": None if at % 4 == 0 else "",
            "t": f"2024-01-{1 + at // 9:02d}",
            "生日": "1980-01-02",
            "v": "x",
        }
        for at in range(90)
    ]
    profile = learned(
        rows,
        {"id": "key", "名": "name", "t": "date", "生日": "birth_date", "v": "category"},
        native={"id": "integer"},
    )
    number, name, day = profile.columns["id"], profile.columns["名"], profile.columns["t"]
    assert (number.native, number.low, number.high, number.rising, number.falling, number.unique) == (
        *("integer", 0, 89),
        *(True, False, True),
    )
    assert name.nulls == pytest.approx(23 / 90)
    assert name.empties == pytest.approx(67 / 90)
    assert day.rising
    assert day.clock is not None
    assert profile.columns["生日"].clock is not None
    assert profile.order == "id"
    assert len(profile.sample) == 90


def test_cells_that_are_no_numbers_do_not_end_a_series():
    rows = [{"no": "合计" if at == 57 else f"N{at * 10:06d}"} for at in range(300)]
    profile = learned(rows, {"no": "record_no"}, 10, size=100)
    assert profile.order == "no"
    for draft in drafted(profile, 10):
        assert draft.row["no"] not in {row["no"] for row in rows}


def test_a_mostly_unreadable_column_is_no_series():
    rows = [{"no": f"N{at * 10:06d}" if at < 120 else "?"} for at in range(300)]
    profile = learned(rows, {"no": "record_no"}, 10, size=100)
    assert profile.series == {}
    assert len(drafted(profile, 10)) == 10


def test_a_full_unordered_series_goes_on_after_its_maximum():
    numbers = random.Random(1).sample(range(1, 201), 200)
    profile = learned([{"id": str(number)} for number in numbers], {"id": "key"}, 5)
    assert sorted(int(str(draft.row["id"])) for draft in drafted(profile, 5)) == [201, 202, 203, 204, 205]


def test_a_full_width_of_digits_has_no_room_left():
    rows = [{"id": f"{at:02d}"} for at in range(100)]
    with pytest.raises(SafetyError, match="could not be drawn"):
        drafted(learned(rows, {"id": "key"}), 2)


def test_two_ordered_keys_both_keep_their_order():
    rows = [{"id": str(at * 50), "no": f"B{at * 7:07d}"} for at in range(300)]
    profile = learned(rows, {"id": "key", "no": "record_no"}, 30, size=64)
    for draft in drafted(profile, 30):
        at = draft.position
        assert (at - 1) * 50 < int(str(draft.row["id"])) < at * 50
        assert (at - 1) * 7 < int(str(draft.row["no"])[1:]) < at * 7


def test_a_dense_key_beside_a_sparse_one_sends_both_to_the_end():
    rows = [
        {"id": str(at), "no": f"B{at * 700:09d}", "t": f"2024-01-{1 + at // 12:02d}"} for at in range(1, 300)
    ]
    profile = learned(rows, {"id": "key", "no": "record_no", "t": "date"}, 3, size=64)
    drafts = drafted(profile, 3)
    assert [draft.row["id"] for draft in drafts] == ["300", "301", "302"]
    numbers = [int(str(draft.row["no"])[1:]) for draft in drafts]
    assert numbers == sorted(numbers)
    assert numbers[0] > 299 * 700
    assert all(str(draft.row["t"]) >= "2024-01-25" for draft in drafts)


def test_user_names_are_made_not_changed():
    rng = random.Random(2)
    rows = [{"账号": "".join(rng.choices("abcdefgh", k=rng.randint(4, 9)))} for _ in range(200)]
    for draft in drafted(learned(rows, {"账号": "account_no"}), 5):
        assert str(draft.row["账号"])[:4] not in {str(row["账号"])[:4] for row in rows}
        assert draft.fields[0].bits >= 36


def test_missing_domains_leave_the_mail_as_empty_as_the_hosts():
    for empty, expected in ((None, None), ("", "")):
        rows = [{"邮箱": "a@qq.com" if at % 2 else empty} for at in range(60)]
        profile = learned(rows, {"邮箱": "email"})
        drafts = canaries_for(profile, profile.places, 4, personas(()), random.Random(1))
        assert {draft.row["邮箱"] for draft in drafts} == {expected}
        assert all(draft.fields == () for draft in drafts)


def test_ids_stand_whole_only_where_the_host_leaves_none_out():
    full = [{"身份证号": f"33010619700101{at:04d}"} for at in range(100)]
    drafts = drafted(learned(full, {"身份证号": "resident_id"}), 20)
    assert all(draft.row["身份证号"] and draft.fields[0].bits > 8 for draft in drafts)
    some = [*full, *[{"身份证号": None}] * 20]
    assert {draft.row["身份证号"] for draft in drafted(learned(some, {"身份证号": "resident_id"}), 20)} <= {
        None
    }


def test_a_second_phone_and_mail_are_others():
    roles = {"姓名": "name", "手机": "phone", "备用电话": "phone", "邮箱": "email", "备用邮箱": "email"}
    rows = [
        {
            "姓名": "张三",
            "手机": f"138{at:08d}",
            "备用电话": f"137{at:08d}",
            "邮箱": f"a{at}@qq.com",
            "备用邮箱": f"b{at}@qq.com",
        }
        for at in range(50)
    ]
    for draft in drafted(learned(rows, roles), 5):
        assert draft.row["手机"] != draft.row["备用电话"]
        assert draft.row["邮箱"] != draft.row["备用邮箱"]
        assert len(draft.fields) == 4


def test_times_that_nothing_orders_move_a_little_and_stay_in_range():
    rng = random.Random(1)
    start = datetime(2024, 5, 1)
    rows: list[dict[str, str | None]] = [
        {"t": str(start + timedelta(seconds=rng.randrange(28 * 86_400)))} for _ in range(300)
    ]
    times = sorted(str(row["t"]) for row in rows)
    rows[5] = {"t": None}
    for draft in drafted(learned(rows, {"t": "time"}), 50):
        assert draft.row["t"] is None or times[0] <= str(draft.row["t"]) <= times[-1]


def test_a_constant_column_orders_nothing():
    rows = [{"t": "2024-05-01", "v": str(at)} for at in range(100)]
    profile = learned(rows, {"t": "date", "v": "count"})
    assert profile.order is None
    assert {draft.row["t"] for draft in drafted(profile, 10)} == {"2024-05-01"}


def test_rare_values_give_way_to_common_ones():
    counts = ["a"] * 60 + ["b"] * 30 + ["rare"]
    column = Copied.of("v", "category", counts)
    rows = [{"v": value} for value in counts]
    assert {column.take({"v": "rare"}, rows, [], random.Random(seed)) for seed in range(40)} == {"a", "b"}
    assert column.take({"v": "a"}, rows, [], random.Random(1)) == "a"
    assert column.take({"v": None}, rows, [], random.Random(1)) is None


def test_codes_that_stand_often_may_be_copied_and_lone_ones_are_drawn():
    branches = ["330106"] * 20 + ["330107"] * 20
    column = Copied.of("v", "code", branches)
    assert column.take({"v": "330106"}, [], [], random.Random(1)) == "330106"
    serials = [f"S{at * 7919:06d}" for at in range(100)]
    column = Copied.of("v", "code", serials)
    found = column.take({"v": serials[3]}, [], [], random.Random(1))
    assert found is not None
    assert found not in serials
    assert found[0] == "S"


def test_a_text_without_any_safe_value_is_left_empty():
    values = [f"致电1381234{at:04d}" for at in range(30)]
    column = Copied.of("v", "text", values)
    assert column.take({"v": values[0]}, [{"v": value} for value in values], [], random.Random(1)) == ""


def test_lone_amounts_move_among_their_neighbours_and_stay_as_round():
    column = Numbers.of("v", [f"¥{at}.50" for at in range(100)] + ["n/a"])
    found = {str(column.near("¥50.50", random.Random(seed))) for seed in range(60)}
    assert all(47.5 <= float(each[1:]) <= 53.5 and each.endswith("0") for each in found)
    assert len(found) > 10
    assert column.near("n/a", random.Random(1)) == ""
    assert column.near(None, random.Random(1)) is None
    thousands = Numbers.of("v", [f"{at},000 kg" for at in range(1, 100)])
    assert {str(thousands.near("50,000 kg", random.Random(seed)))[2:] for seed in range(9)} == {",000 kg"}


def test_amounts_that_many_rows_share_are_taken_as_they_are():
    column = Numbers.of("v", ["9.90", "19.90", "n/a"] * 30, 9000)
    assert column.near("19.90", random.Random(1)) == "19.90"
    assert column.near("n/a", random.Random(1)) == "n/a"


NUMBERS = [
    ("1,234.5", 1234.5),
    ("¥12", 12),
    ("3.5kg", 3.5),
    ("-2", -2),
    ("12/13", None),
    ("abc", None),
    ("", None),
]


@pytest.mark.parametrize(("text", "number"), NUMBERS)
def test_numbers_are_read_with_their_units(text, number):
    assert number_of(text) == number


def test_what_identifies_nothing_is_no_field():
    assert field_of("name", "a", "张三", 3) is None
    assert field_of("phone", "a", "138****1234", 3) is None
    assert field_of("phone", "a", None, 3) is None
    assert field_of("email", "a", "xxx12.lexx@mail.example.org", 3) is not None
    assert one_of([]) == ""
    assert one_of(["b", "a", "a"]) == "a"


def test_times_are_shared_as_often_as_the_host_shares_them():
    rng = np.random.default_rng(8)
    rate = np.where(np.arange(6000) % 1440 < 480, 0.2, 2.0)  # quiet nights and busy days, minute by minute
    minutes = np.repeat(np.arange(6000), rng.poisson(rate))
    one = Series("t", KeyMask(), Reservoir.empty(lambda _: 0, 0))
    weights, odds = one.weigh(minutes[:-1], minutes[1:], rng)
    sizes = np.bincount(minutes, minlength=6000)
    want = [(sizes[sizes == size].sum()) / len(minutes) for size in (1, 2, 3)]
    before, after = sizes[minutes[:-1]], sizes[minutes[1:]]
    tied, share = np.abs(odds), weights / weights.sum()
    joined = np.where(odds > 0, before, after) + 1
    got = [
        float((share * (1 - tied)).sum()),
        *(float((share * tied)[joined == size].sum()) for size in (2, 3)),
    ]
    assert got == pytest.approx(want, abs=0.04)
    night = minutes[1:] % 1440 < 480
    assert share[night].sum() == pytest.approx((minutes % 1440 < 480).mean(), abs=0.03)


def test_a_birth_is_near_the_models_and_none_of_its_own():
    rng = random.Random(12)
    births = [date(1975, 1, 1) + timedelta(rng.randrange(9000)) for _ in range(600)]
    births[::6] = [date(1970, 1, 1)] * 100  # put where none is known
    rows = [
        {
            "编号": f"R{10_000_000 + at * 37:08d}",
            "姓名": f"王{'伟强磊军勇'[at % 5]}",
            "出生日期": birth.isoformat(),
        }
        for at, birth in enumerate(births)
    ]
    roles = {"编号": "record_no", "姓名": "name", "出生日期": "birth_date"}
    drafts = drafted(learned(rows, roles, 200, size=100), 200)
    mine = [date.fromisoformat(str(draft.row["出生日期"])) for draft in drafts]
    unknown = sum(birth == date(1970, 1, 1) for birth in mine) / len(mine)
    assert 0.08 < unknown < 0.26
    known = set(births) - {date(1970, 1, 1)}
    assert all(
        any(birth + timedelta(day) in known for day in range(-30, 31)) for birth in mine if birth.year > 1970
    )
