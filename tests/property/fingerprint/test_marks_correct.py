"""Values stay correct: texts keep their canonical form, numbers their tolerance, untouched cells their bytes."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canary.fields.address import canonical_address
from canary.fields.canonical import canonical
from canary.fields.policy import GRAMMARS
from canary.fields.times import TimeFormat
from canary.fingerprint import anchors, lattice, numbers, texts, times
from canary.fingerprint.anchors import canonical_column, digest_anchor, numbers_of_address
from canary.fingerprint.columns import flat, texts_of
from canary.fingerprint.grammar import grammar_names, load_grammar
from canary.fingerprint.plan import AnchorPlan, ColumnPlan
from canary.fingerprint.prf import dataset_keys, siphash24

CN = st.text("浙江省杭州市西湖区文三路号幢栋楼单元室房门至到~12345 -,.#'Ab一二十門號", max_size=24)
HOUSE = st.builds(
    lambda p, c, road, a, b, u, r, e: f"{p}{c}西湖区{road}{a}号{b}{u}{r}{e}",
    st.sampled_from(["浙江省", "浙江", "", "江苏省"]), st.sampled_from(["杭州市", "南京市", ""]),
    st.sampled_from(["文三路", "八一路", "中山东路12弄", "延安路5至9号"]), st.integers(1, 999),
    st.sampled_from(["3号楼", "12幢", "4栋", "A座", ""]), st.sampled_from(["2单元", "1门", ""]),
    st.integers(1, 3000), st.sampled_from(["室", "房", "号房", "", "室 (后门)"]),
)  # fmt: skip
EN = st.builds(
    lambda n, name, way, unit, rest: f"{n} {name} {way}{unit}{rest}",
    st.integers(1, 9999), st.sampled_from(["Main", "ELM", "St. Louis", "oak", "O'Neil"]),
    st.sampled_from(["Street", "St", "St.", "AVE", "rd", "Boulevard", "Plaza", "Drive"]),
    st.sampled_from(["", " Apt 4", ", Apt. 12B", " #7", ", Suite 3", " APT 9"]),
    st.sampled_from(["", ", Springfield, IL 62704", ",NYC", " , X"]),
)  # fmt: skip
FREE = st.text(
    "放在门口驿站,，、()（）[]:：;；2024-03-01/.5kg公斤千克cm件个元块谢谢!请先打电话易碎品 aB", max_size=30
)


def rewritten(values, grammar, form):
    column = texts_of(values)
    found = texts.find_spellings(column, grammar)
    sizes = np.array([axis.q for axis in grammar.axes])
    made = texts.write_forms(found, grammar, np.tile(form % sizes, (len(values), 1)))
    return made, found.open


@pytest.mark.parametrize(
    ("name", "strategy"), [("cn_address", CN), ("cn_address", HOUSE), ("en_address", EN)]
)
def test_addresses_keep_their_canonical_form(name, strategy):
    grammar = load_grammar(name)

    @settings(max_examples=60, deadline=None)
    @given(st.lists(strategy, min_size=1, max_size=12), st.integers(0, 3))
    def check(values, form):
        made, able = rewritten(values, grammar, form)
        for row, value in enumerate(values):
            assert canonical_address(made.text(row)) == canonical_address(value)
            if not able[row].any():
                assert made.text(row) == value

    check()


@pytest.mark.parametrize("name", grammar_names())
def test_what_is_written_reads_back(name):
    grammar = load_grammar(name)
    strategy = {"cn_address": HOUSE, "en_address": EN}.get(name, FREE)

    @settings(max_examples=40, deadline=None)
    @given(st.lists(strategy, min_size=1, max_size=10), st.integers(0, 3))
    def check(values, form):
        made, able = rewritten(values, grammar, form)
        read = texts.read_forms(texts.find_spellings(made, grammar), grammar)
        for number, axis in enumerate(grammar.axes):
            wanted = -1 if form % axis.q in axis.erased else form % axis.q
            there = read[able[:, number], number]
            assert (
                np.isin(there, [wanted, -1]).all()
                if name in ("dates", "punctuation", "remarks", "units")
                else (there == wanted).all()
            )

    check()


def test_policies_know_all_grammars():
    assert set(grammar_names()) == set(GRAMMARS)


def test_every_province_before_every_city():
    """All pairs of the grammar's province axis, so that leaving 省 out never changes the canonical form."""
    axis = next(axis for axis in load_grammar("cn_address").axes if axis.name == "province")
    for number, (full, bare) in enumerate(axis.groups):
        for city in axis.follow[number % 5 :: 5]:
            assert canonical_address(f"{full}{city}文三路5号") == canonical_address(f"{bare}{city}文三路5号")


@settings(max_examples=120, deadline=None)
@given(st.lists(st.one_of(CN, HOUSE, EN), min_size=1, max_size=20))
def test_anchors_take_the_numbers_of_the_canonical_address(values):
    made = canonical_column(texts_of(values), "address", alone=False)
    assert [made.text(row) for row in range(len(values))] == [
        numbers_of_address(text) or "" for text in values
    ]


PHONES = st.builds(
    lambda lead, digits: lead + digits,
    st.sampled_from(["", "0", "00", "86", "0086", "+86", "138", "86138", "0138", "120", "44"]),
    st.text("0123456789", max_size=13) | st.text("0123456789 -+()转", max_size=8),
)


CODES = st.builds(
    lambda head, tail: head + tail,
    st.sampled_from(["", "YT", "yt", "SF-", "A" * 60, "号", "\x1f", "@", "["]),
    st.text("0123456789AZaz:/@[`{ é号", max_size=20) | st.text("0123456789AZ", max_size=20),
)


@pytest.mark.parametrize("native", [True, False])
@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["phone", "waybill_no", "bank_card"]),
    st.lists(PHONES | CODES | st.none(), min_size=1, max_size=20),
)
def test_anchors_take_the_canonical_phone_or_code(native, role, values):
    keys = dataset_keys(bytes(32), "d")
    with mock.patch.object(anchors, "is_native", return_value=native):
        found = digest_anchor(keys, AnchorPlan(("a",), (role,)), {"a": texts_of(values)})
    wanted = [canonical(role, text) or "" if text else "" for text in values]
    digests = siphash24(keys.digest, *plain(flat([text.encode() for text in wanted])))
    assert found.valid.tolist() == [bool(text) for text in wanted]
    assert (found.digests == digests)[found.valid].all()


def plain(texts):
    return texts.data, texts.offsets


PLANS = st.builds(
    lambda tolerance, base, kept, heap: ColumnPlan(
        "c", "number", tolerance=tolerance, heap=heap, keep_sum=kept,
        **dict(zip(("modulus", "base"), lattice.modulus_of(tolerance, base, keep_sum=kept), strict=True)),
    ),
    st.integers(1, 400), st.sampled_from([0, 10, 60]), st.booleans(), st.sampled_from([0, 0, 5, 50]),
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(PLANS, st.lists(st.integers(-2000, 10**7), min_size=1, max_size=30), st.integers(0, 10**6))
def test_numbers_move_within_their_tolerance_to_their_class(plan, values, seed):
    values = np.array(values, np.int64)
    sizes = np.array([q for _, q in lattice.sizes(plan)])
    targets = np.random.default_rng(seed).integers(-1, 10**6, (len(values), len(sizes)))
    targets = np.where(targets < 0, -1, targets % sizes)
    room = lattice.reach(values, plan)
    able = lattice.is_open(values, plan)
    made = lattice.moved(values, targets, plan, able, values - room, values + room)
    assert (np.abs(made - values) <= plan.tolerance).all()
    assert (np.sign(made) == np.sign(values)).all()
    assert (made[~able] == values[~able]).all()
    classes = lattice.classes_of(made, plan)
    free = able & (np.abs(values) > 2 * plan.tolerance) & (targets >= 0).all(axis=1)
    assert (classes[free] == targets[free]).all()
    if plan.keep_sum:
        kept = lattice.balanced(values, made, plan, values - room, values + room)
        assert kept.sum() == values.sum()
        assert (np.abs(kept - values) <= plan.tolerance).all()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.decimals(-(10**6), 10**6, places=3), min_size=1, max_size=20),
    st.integers(0, 3),
    st.integers(0, 3),
)
def test_numbers_are_written_as_they_are_read(values, places, least):
    least = min(least, places)
    spelt = [f"{value:.{places}f}" for value in values] + [
        "1e3",
        "007",
        "",
        "1.",
        "-",
        "1,000",
        "٣",
        "9" * 30,
    ]
    column = texts_of(spelt)
    read, decimals = numbers.read_numbers(column, places)
    assert (decimals[len(values) :] == -1).all()
    assert [int(one) for one in read[: len(values)]] == [
        int(text.replace(".", "")) for text in spelt[: len(values)]
    ]
    plain = numbers.is_plain(decimals, read, places, least)
    made = numbers.write_numbers(column, read, plain, places, least)
    same = [made.text(row) == text for row, text in enumerate(spelt) if not re.fullmatch(r"-0(\.0*)?", text)]
    assert all(same)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(
        ["%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M", "%d.%m.%Y %H:%M:%S", "%Y年%m月%d日 %H时%M分%S秒",
         "%Y-%-m-%-d %-H:%M:%S",
         "%Y-%m-%dT%H:%M:%S%z", "%s", "%Y-%m-%d %I:%M:%S %p", "%Y-%m-%d %H:%M:%S.%3f"]
    ),
    st.lists(st.datetimes(datetime(1971, 1, 1), datetime(2190, 1, 1)), min_size=1, max_size=8),
    st.integers(-90, 90),
)  # fmt: skip
def test_moments_are_read_moved_and_written(template, moments, steps):
    spelling = TimeFormat(template)
    step = max(1, int(spelling.step.total_seconds()))
    aware = [one.replace(tzinfo=UTC) if "%z" in template else one for one in moments]
    spelt = [spelling.format(one) for one in aware]
    column = texts_of([*spelt, "never", ""])
    values, good = times.read_times(column, template, step)
    reads = [spelling.reads(text) for text in [*spelt, "never", ""]]
    assert good.tolist() == reads
    made = times.write_times(column, values + steps, good, template, step)
    for row, text in enumerate(spelt):
        if reads[row]:
            assert made.text(row) == spelling.format(spelling.parse(text) + timedelta(seconds=steps * step))


def test_kernels_do_the_same_interpreted():
    """The compiled kernels against the same functions run by Python itself."""
    values = [
        "浙江省杭州市文三路12号3幢2单元501室",
        "ELM ST #12, X",
        "1.50",
        "",
        "2024-02-29 23:59:59",
        "张三",
        "13800138000",
    ]
    column = texts_of(values)
    for kernel in (numbers.parse_kernel, times.parse_kernel, texts.find_kernel):
        assert callable(kernel.plain)
    plain, fast = np.zeros((2, 7), np.int64), np.zeros((2, 7), np.int64)
    numbers.parse_kernel.plain(column.data, column.offsets, 2, plain[0], plain[1])
    numbers.parse_kernel(column.data, column.offsets, 2, fast[0], fast[1])
    assert (plain == fast).all()
    grammar = load_grammar("cn_address")
    found = [np.zeros((200, 4), np.int64) for _ in range(2)]
    for one, kernel in zip(found, (texts.find_kernel.plain, texts.find_kernel), strict=True):
        kernel(
            column.data,
            column.offsets,
            grammar.step,
            grammar.pattern,
            grammar.rules,
            texts.byte_classes(),
            one,
        )
    assert (found[0] == found[1]).all()
    assert found[0].any()
