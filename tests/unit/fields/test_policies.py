"""policy.toml: every mistake named, and what inspect proposes."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from canary.errors import UsageError
from canary.fields.policy import check_columns, default_policy_version, parse_policy, write_policy
from canary.fields.propose import bits_of, number_tolerance, propose_policy, time_tolerance
from canary.fields.quantity import tolerance_of
from canary.model.data import ColumnPolicy

EXAMPLE = """
[dataset]
name = "waybills"
anchors = [["运单号"], ["收件人电话"], ["收件人姓名", "收件地址"]]
canaries = 0.002
group_canaries = 0.0
omit = 0.0
keep_sum = false

[dataset.ranges]
"运单号" = [9000000, 9999999]

[columns."运单号"]
role = "waybill_no"

[columns."重量kg"]
role = "measure"
mark = "number"
tolerance = 0.02

[columns."收件地址"]
role = "address"
mark = "text"
grammar = "cn_address"

[columns."下单时间"]
role = "time"
mark = "time"
tolerance = "30s"
order = "free"

[columns."编号"]
role = "key"
range = [1, 5]
"""


def test_the_example_of_the_contract_is_read() -> None:
    policy = parse_policy(EXAMPLE)
    assert policy.dataset == "waybills"
    assert policy.anchors[2] == ("收件人姓名", "收件地址")
    assert policy.canaries == 0.002
    assert policy.columns["重量kg"] == ColumnPolicy("measure", "number", 0.02)
    assert policy.columns["下单时间"] == ColumnPolicy("time", "time", "30s", None, "free")
    assert policy.ranges == {"运单号": (9000000, 9999999), "编号": (1, 5)}
    assert len(policy.sha256) == 64
    assert policy.text == EXAMPLE


COLUMN = '[dataset]\nname = "x"\n[columns.a]\n'


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("x =", "not TOML", "canary inspect"),
        ("[dataset]\n", "no dataset name", "name"),
        ('dataset = "x"', "not a table", "[dataset]"),
        ('[other]\nx = 1\n[dataset]\nname = "x"', "unknown table 'other'", "dataset, columns"),
        ('[dataset]\nname = "x"\nsize = 1', "'size'", "anchors"),
        (COLUMN + 'role = "mood"', "unknown role 'mood'", "waybill_no"),
        (COLUMN + "role = 1", "not a text", "role"),
        (COLUMN + 'role = "text"\nmark = "ink"', "'ink'", "surrogate"),
        (COLUMN + 'role = "text"\ncolour = 1', "'colour'", "tolerance"),
        (COLUMN + 'role = "text"\nmark = "text"', "no grammar", "cn_address"),
        (COLUMN + 'role = "text"\nmark = "text"\ngrammar = "fr_address"', "'fr_address'", "en_address"),
        (COLUMN + 'role = "measure"\nmark = "number"', "no tolerance", "0.02"),
        (COLUMN + 'role = "measure"\nmark = "number"\ntolerance = "much"', "'much'", "1%"),
        (COLUMN + 'role = "measure"\nmark = "number"\ntolerance = true', "True", "1%"),
        (COLUMN + 'role = "measure"\nmark = "number"\ntolerance = -1', "-1", "1%"),
        (COLUMN + 'role = "key"\norder = "wild"', "'wild'", "free"),
        (COLUMN + 'role = "key"\nrange = [5, 1]', "[5, 1]", "low < high"),
        (COLUMN + 'role = "key"\nrange = 7', "is 7", "low < high"),
        ('[dataset]\nname = "x"\nanchors = ["a"]', "not lists of columns", "anchors"),
        ('[dataset]\nname = "x"\ncanaries = -1', "-1", "canaries"),
        ('[dataset]\nname = "x"\ncanaries = 1.5', "neither a share nor a count", "whole"),
        ('[dataset]\nname = "x"\nomit = 2', "more than all", "omit"),
        ('[dataset]\nname = "x"\nkeep_sum = 1', "keep_sum", "true or false"),
    ],
)
def test_every_mistake_is_named_with_what_is_known(text: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_policy(text)
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_columns_must_exist_in_the_table() -> None:
    with pytest.raises(UsageError) as caught:
        parse_policy(EXAMPLE, headings=("运单号", "收件人电话"))
    assert "重量kg" in caught.value.message
    assert "运单号, 收件人电话" in caught.value.hint
    check_columns(parse_policy(COLUMN + 'role = "text"'), ("a", "b"))


def test_a_version_depends_on_name_headings_and_text() -> None:
    base = default_policy_version("a", ["x", "y"], "t")
    assert base == default_policy_version("a", ("x", "y"), "t")
    assert (
        len({base, default_policy_version("b", ["x", "y"], "t"), default_policy_version("a", ["xy"], "t")})
        == 3
    )


@pytest.mark.parametrize(
    ("written", "amount", "unit"),
    [
        (0.02, 0.02, "absolute"),
        ("0.5", 0.5, "absolute"),
        ("30s", 30.0, "time"),
        ("2 min", 120.0, "time"),
        ("1%", 0.01, "share"),
    ],
)
def test_tolerances(written: str | float, amount: float, unit: str) -> None:
    found = tolerance_of(written)
    assert (found.amount, found.unit) == (amount, unit)
    assert found.span.total_seconds() == amount


def waybills(count: int = 400) -> dict[str, list[str | None]]:
    rng = random.Random(5)
    weights = [rng.uniform(1, 20) for _ in range(count)]

    def draw(make: Callable[[Callable[[int], int]], str]) -> list[str | None]:
        return [make(rng.randrange) for _ in range(count)]

    return {
        "运单号": draw(lambda below: f"YT{below(10**13):013d}"),
        "寄件人": draw(lambda below: "王李张刘"[below(4)] + "伟芳"[below(2)]),
        "收件人姓名": draw(lambda below: "王李张刘"[below(4)] + "伟芳娜敏"[below(4)]),
        "收件人电话": draw(lambda below: f"138{below(10**8):08d}"),
        "收件地址": draw(lambda below: f"杭州市文一西路{below(9999)}号{below(30)}幢{below(99)}室"),
        "重量kg": [f"{weight:.2f}" for weight in weights],
        "重量g": [f"{round(weight, 2) * 1000:.0f}" for weight in weights],
        "运费": draw(lambda below: f"{below(3000) / 100:.2f}"),
        "下单时间": draw(
            lambda below: f"2024-05-{below(27) + 1:02d} {below(24):02d}:{below(60):02d}:{below(60):02d}"
        ),
        "到期日期": draw(lambda below: f"2024-05-{below(27) + 1:02d}"),
        "年龄": draw(lambda below: str(18 + below(60))),
    }


ROLES = dict(
    zip(
        waybills(1),
        [
            "waybill_no",
            "name",
            "name",
            "phone",
            "address",
            "measure",
            "measure",
            "money",
            "time",
            "date",
            "age",
        ],
        strict=True,
    )
)


def test_the_proposal_is_conservative() -> None:
    sample = waybills()
    policy = propose_policy("waybills", list(sample), ROLES, sample)
    assert policy.anchors == (("运单号",), ("收件人电话",), ("收件人姓名", "收件地址"))
    marked = {heading: column.mark for heading, column in policy.columns.items() if column.mark}
    assert marked == {"收件地址": "text", "下单时间": "time"}  # the weights can be computed from one another
    alone = {heading: column for heading, column in sample.items() if heading != "重量g"}
    policy = propose_policy("waybills", list(alone), ROLES, alone)
    assert policy.columns["重量kg"].mark == "number"
    assert policy.columns["重量kg"].tolerance == 0.02 or policy.columns["重量kg"].tolerance == 0.09
    assert parse_policy(policy.text) == policy
    bits = {heading: bits_of(policy.columns[heading], alone[heading]) for heading in alone}
    assert {heading for heading, each in bits.items() if each > 0} == {"收件地址", "下单时间", "重量kg"}
    assert bits["下单时间"] == pytest.approx(5.93)


def test_sums_and_products_are_not_marked() -> None:
    rng = random.Random(1)
    one = [rng.randrange(100, 999) / 100 for _ in range(50)]
    two = [rng.randrange(100, 999) / 100 for _ in range(50)]
    sample: dict[str, list[str | None]] = {
        "a": [f"{each:.2f}" for each in one],
        "b": [f"{each:.2f}" for each in two],
        "sum": [f"{x + y:.2f}" for x, y in zip(one, two, strict=True)],
        "product": [f"{x * y:.2f}" for x, y in zip(one, two, strict=True)],
    }
    policy = propose_policy("t", list(sample), dict.fromkeys(sample, "measure"), sample)
    assert policy.columns["sum"].mark is None
    assert policy.columns["product"].mark is None


def test_values_without_room_are_not_marked() -> None:
    assert number_tolerance(["1.00", "2.50", "3.00", "4.50", "5.00"] * 10) is None
    assert number_tolerance(["1", "2", "3", "4", "7"] * 10) is None
    assert number_tolerance(["x", "y"]) is None
    assert number_tolerance([f"{number}.{number % 10}{number % 7}" for number in range(40, 90)]) == 0.09
    assert number_tolerance([str(number * 13) for number in range(900, 990)]) == 9.0
    assert time_tolerance(["2024-05-03", "2024-05-04"]) is None
    assert time_tolerance(["2024-05-03 12:00:00"] * 50) is None
    assert time_tolerance([f"2024-05-03 {number:02d}:{number:02d}" for number in range(20)]) == "60s"
    assert time_tolerance([f"2024-05-03 {number:02d}:{number:02d}:00" for number in range(20)]) is None


def test_bits_follow_the_tolerance() -> None:
    column = ColumnPolicy("measure", "number", "1%")
    assert bits_of(column, ["100.0", "200.0", "300.0"]) == pytest.approx(5.36)
    assert bits_of(column, [None, "x"]) == 0.0
    assert bits_of(ColumnPolicy("measure"), ["1"]) == 0.0
    assert bits_of(ColumnPolicy("other", "surrogate"), ["1"]) == 0.0
    assert bits_of(ColumnPolicy("time", "time", "30s"), ["x"]) == 0.0
    assert (
        bits_of(ColumnPolicy("address", "text", None, "en_address"), ["12 Main Street, Apt 3", None]) == 1.5
    )


def test_an_english_table_gets_the_english_grammar() -> None:
    sample: dict[str, list[str | None]] = {
        "address": [f"{number} Main Street, Apt {number}" for number in range(20)]
    }
    policy = propose_policy("t", ["address"], {"address": "address"}, sample)
    assert policy.columns["address"].grammar == "en_address"
    assert policy.anchors == ()
    assert propose_policy("t", ["a"], {}, {}).columns["a"].role == "other"


def test_the_canonical_text_reads_back() -> None:
    policy = parse_policy(EXAMPLE)
    again = parse_policy(write_policy(policy))
    assert (again.columns, again.ranges, again.anchors) == (policy.columns, policy.ranges, policy.anchors)
    assert write_policy(again) == again.text
