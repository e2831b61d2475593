"""Copies: marks stand where they should, values stay correct, and copies are read back."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pytest

from canary.errors import OutsideError, UsageError
from canary.fields.address import canonical_address
from canary.fields.policy import parse_policy
from canary.fingerprint.attacks import ATTACKS, BESIDE, COLLUSIONS
from canary.fingerprint.attacks import rows_of as height
from canary.fingerprint.capacity import bits_per_row, capacities
from canary.fingerprint.close import view_of
from canary.fingerprint.embed import mark, merged, prepare
from canary.fingerprint.learn import make_plan
from canary.fingerprint.plan import read_plan, write_plan
from canary.fingerprint.score import score
from tests.markslab import keys_of, lab, objects, rows_of

ONE, TWO, THREE = keys_of(3)
TAKES_ALL = {
    ("second marking", 1.0)
}  # every cell says what a stranger's keys say; only the original shows more


def numbers(cells):
    return np.array([float(text) for text in cells])


def moments(cells):
    return np.array([np.datetime64(text.replace(" ", "T")) for text in cells])


def test_values_stay_correct(parcels):
    copy = parcels.copy(ONE)
    assert set(copy) == set(parcels.table)
    for name in ("number", "phone", "name"):
        assert copy[name] is parcels.table[name]
    assert (np.abs(numbers(copy["kg"]) - numbers(parcels.table["kg"])) <= 0.5 + 1e-9).all()
    assert all(re.fullmatch(r"\d+\.\d\d", text) for text in copy["kg"])
    assert np.abs((moments(copy["at"]) - moments(parcels.table["at"])).astype(int)).max() <= 30
    pairs = list(zip(parcels.table["address"], copy["address"], strict=True))
    assert all(canonical_address(old) == canonical_address(new) for old, new in pairs)
    assert sum(old != new for old, new in pairs) > 0.9 * len(pairs)


def test_a_copy_is_the_same_again_and_another_recipients_is_not(parcels):
    one, again, two = parcels.copy(ONE), parcels.copy(ONE), parcels.copy(TWO)
    assert all((one[name] == again[name]).all() for name in one)
    assert all((one[name] != two[name]).mean() > 0.5 for name in ("kg", "at", "address"))


def test_batches_make_the_same_copy(parcels):
    whole = parcels.copy(ONE)
    for start in range(0, 600, 250):
        batch = {name: cells[start : start + 250] for name, cells in parcels.table.items()}
        made = mark(prepare(parcels.seen, batch), ONE).columns
        assert all((made[name] == whole[name][start : start + 250]).all() for name in made)


def test_arrow_comes_out_as_it_went_in(parcels):
    plain = parcels.copy(ONE)
    for kind in (pa.string(), pa.large_string()):
        table = {name: pa.array(cells.tolist(), kind) for name, cells in parcels.table.items()}
        table["kg"] = pa.chunked_array([table["kg"][:100], table["kg"][100:]])
        table["address"] = pa.array([None, *parcels.table["address"][1:].tolist()], kind)
        made = mark(prepare(parcels.seen, table), ONE).columns
        assert made["kg"].type == kind
        assert made["kg"].to_pylist()[1:] == plain["kg"].tolist()[1:]
        assert made["address"].to_pylist() == [None, *plain["address"][1:].tolist()]


def test_the_report_tells_what_was_changed(parcels):
    batches = [mark(parcels.prepared, key) for key in (ONE, TWO)]
    report = {one.column: one for one in merged(batch.report for batch in batches)}
    copies = [numbers(parcels.copy(key)["kg"]) - numbers(parcels.table["kg"]) for key in (ONE, TWO)]
    moved = np.concatenate(copies)
    assert report["kg"].changed == (moved != 0).sum()
    assert report["kg"].largest == pytest.approx(np.abs(moved).max())
    assert report["kg"].moved == pytest.approx(np.abs(moved).sum())
    assert report["kg"].shift == pytest.approx(moved.sum())
    assert report["kg"].mean == pytest.approx(np.abs(moved).mean(), rel=0.1)
    assert batches[0].cells == sum(one.changed for one in batches[0].report)


def test_omitted_rows_differ_between_recipients(parcels):
    one, two = (mark(parcels.prepared, key).keep for key in (ONE, TWO))
    assert 0 < (~one).sum() < 40
    assert (one != two).any()


def test_a_plan_reads_back(parcels):
    assert read_plan(write_plan(parcels.plan)) == parcels.plan
    for damaged in ("{", "{}", '{"version":2}', write_plan(parcels.plan).replace('"slot"', '"slut"')):
        with pytest.raises(OutsideError):
            read_plan(damaged)


def test_parts_of_a_column_go_to_different_anchors(parcels):
    for heading in ("kg", "address"):
        anchors = [parcels.plan.channels[number].anchor for number in parcels.plan.of_column(heading)]
        assert len(set(anchors)) == min(3, len(anchors))


def test_an_anchor_is_not_marked():
    text = '[dataset]\nname = "d"\nanchors = [["kg"]]\n[columns.kg]\nrole = "measure"\nmark = "number"\ntolerance = 1'
    with pytest.raises(UsageError, match="anchor"):
        make_plan(parse_policy(text), {"kg": objects(["1", "2"])}, b"s" * 32)


def test_the_marked_read_back_whole(parcels):
    read = parcels.read(parcels.copy(ONE))
    assert read.rows == read.recognised == 600
    view = view_of(read, [ONE, TWO])
    kept = mark(parcels.prepared, ONE).keep
    channels = np.array([bool(one.column) for one in parcels.plan.channels])[view.read.channel]
    assert view.hits[0][channels].mean() > 0.96
    assert view.hits[1][channels].mean() < 0.45
    assert view.hits[0][~channels].mean() == pytest.approx(kept.mean())


@pytest.mark.parametrize("rows", [3, 8])
def test_a_handful_of_rows_names(parcels, rows):
    leak = rows_of(parcels.copy(ONE), np.arange(rows) * 37)
    found = score(parcels.read(leak), [TWO, ONE, THREE, *keys_of(40, seed=2)], population=1000)
    assert found.log2_m.argmax() == 1
    assert found.log2_m[1] > 37 * rows / 8
    assert np.delete(found.log2_m, 1).max() < 10
    assert {one.column for one in found.explained[1]} == {"kg", "at", "address", ""}


@pytest.mark.parametrize("collusion", sorted(COLLUSIONS))
def test_colluders_are_named_and_nobody_else(parcels, collusion):
    rng = np.random.default_rng(5)
    keys = [*keys_of(3), *keys_of(20, seed=9)]
    leak = COLLUSIONS[collusion]([rows_of(parcels.copy(key), np.arange(200)) for key in keys[:3]], rng)
    found = score(parcels.read(leak), keys, population=100_000).log2_m
    assert found[3:].max() < 12
    assert (found[:3] >= 36.6).sum() >= {"erase where different": 0}.get(collusion, 3)


@pytest.mark.parametrize("attack", sorted(ATTACKS))
def test_attacks_on_one_copy(parcels, attack):
    make, strengths = ATTACKS[attack]
    keys = [ONE, *keys_of(10, seed=9)]
    for strength in {strengths[0], strengths[-1]}:
        rng = np.random.default_rng(11)
        copy = rows_of(parcels.copy(ONE), np.arange(250))
        leak = make(parcels.plan, copy, strength, rng)
        assert height(leak) > 0
        found = score(parcels.read(leak), keys, population=100_000).log2_m
        assert found[1:].max() < 12
        assert found[0] >= 36.6 or (attack, strength) in TAKES_ALL


def test_rows_of_two_exports_alone_name_their_recipient(parcels):
    """The marks of a row are the same in each export, so that comparing them shows none."""
    rng, copy = np.random.default_rng(2), parcels.copy(ONE)
    earlier = rows_of(copy, np.arange(300))
    fresh = {**rows_of(copy, np.arange(200, 500))}
    both = BESIDE["successive exports"][0](fresh, earlier, 0.5, rng)
    assert height(both) == 100
    keys = [TWO, ONE, *keys_of(10, seed=9)]
    mixed = BESIDE["mix-and-match"][0](both, parcels.table, 0.5, rng)
    for leak in (both, mixed):
        found = score(parcels.read(leak), keys, population=100_000).log2_m
        assert found[1] >= 36.6
        assert np.delete(found, 1).max() < 12


def test_clean_and_foreign_tables_name_nobody(parcels):
    other = lab(rows=500, seed=99)
    keys = keys_of(500, seed=4)
    for leak in (
        parcels.table,
        other.copy(ONE),
        {},
        {name: cells[:0] for name, cells in parcels.table.items()},
    ):
        assert score(parcels.read(leak), keys).log2_m.max() < 14
    nothing = score(parcels.read({"kg": parcels.table["kg"]}), keys)
    assert (nothing.log2_m == 0).all()


def test_rounding_leaves_the_second_scale(parcels):
    copy = parcels.copy(ONE)
    rounded = {**copy, "kg": objects([f"{float(text):.1f}" for text in copy["kg"]])}
    found = score(parcels.read(rounded), [ONE, TWO])
    counts = {(one.column, one.part): one for one in found.explained[0]}
    assert ("kg", "fine") not in counts
    assert counts["kg", "coarse"].agreeing >= 0.9 * counts["kg", "coarse"].read


def test_the_canonical_form_is_an_erasure(parcels):
    copy = parcels.copy(ONE)
    bare = {**copy, "address": objects([canonical_address(text) for text in copy["address"]])}
    found = score(parcels.read(bare), [ONE])
    assert not any(one.column == "address" for one in found.explained[0])
    uniform = {**copy, "address": objects([re.sub("号楼|幢|栋", "栋", text) for text in copy["address"]])}
    parts = {one.part for one in score(parcels.read(uniform), [ONE]).explained[0] if one.column == "address"}
    assert "building" not in parts
    assert "room" in parts


def test_sums_are_kept_where_the_policy_says_so():
    kept = lab(rows=300, dataset="keep_sum = true")
    for key in (ONE, TWO, THREE):
        copy = kept.copy(key)
        assert numbers(copy["kg"]).sum() == pytest.approx(numbers(kept.table["kg"]).sum(), abs=1e-6)
        assert np.abs(numbers(copy["kg"]) - numbers(kept.table["kg"])).max() <= 0.5 + 1e-9
        assert score(kept.read(copy), [key]).log2_m[0] > 100


def test_heaps_batches_and_rising_columns_stay():
    rng = np.random.default_rng(3)
    rows = 400
    table = lab(rows=rows).table
    heaped = np.where(rng.random(rows) < 0.5, np.rint(rng.uniform(1, 20, rows)), rng.uniform(1, 20, rows))
    times = np.datetime64("2026-03-01T00:00:00") + np.sort(rng.integers(0, 10**6, rows))
    times[:40] = times[0]
    table = {
        **table,
        "kg": objects([f"{value:.2f}" for value in heaped]),
        "at": objects([str(one).replace("T", " ") for one in times]),
    }
    made = lab(rows=rows, table=table)
    copy = made.copy(ONE)
    on_heap = np.array([text.endswith(".00") for text in table["kg"]])
    assert (copy["kg"][on_heap] == table["kg"][on_heap]).all()
    assert (copy["kg"] != table["kg"]).mean() > 0.4
    assert (copy["at"][:40] == table["at"][:40]).all()


def test_rows_of_one_moment_stay_together(parcels):
    """Where pairs of rows share their moment far more often than chance would have it, no copy takes them apart."""
    start = np.datetime64("2026-03-01T00:00:00")
    moments = start + np.random.default_rng(6).integers(0, 10**7, 600)
    moments[:200] = np.repeat(moments[:100], 2)
    pairs = lab(
        rows=600, table={**parcels.table, "at": objects([str(one).replace("T", " ") for one in moments])}
    )
    assert pairs.plan.column("at").tied
    assert not parcels.plan.column("at").tied
    copy = pairs.copy(ONE)
    assert (copy["at"][:200:2] == copy["at"][1:200:2]).all()
    assert (copy["at"][200:] != pairs.table["at"][200:]).mean() > 0.9


def test_values_on_many_rows_are_no_anchors():
    shared = lab(rows=300, phones=20)
    found = shared.prepared.anchors[1]
    assert found is None or not found.valid.any()
    empty = lab(rows=60, table={**lab(rows=60).table, "phone": objects([""] * 60)})
    assert empty.prepared.anchors[1] is None or not empty.prepared.anchors[1].valid.any()


def test_capacity_is_told_honestly(parcels):
    measured = {one.column: one for one in capacities(parcels.prepared, THREE)}
    assert measured["kg"].is_proposed
    assert measured["kg"].kept > 0.8 * measured["kg"].nominal
    assert measured["address"].readable == pytest.approx(measured["address"].nominal, rel=0.1)
    assert bits_per_row(list(measured.values()))[2] > 12
    row = np.arange(600)
    smooth = {**parcels.table, "kg": objects([f"{5 + 0.001 * one:.2f}" for one in row])}
    ordered = lab(rows=600, table=smooth, columns="", tolerance="0.05")
    told = {one.column: one for one in capacities(ordered.prepared, THREE)}
    assert "kg" not in told or not told["kg"].is_proposed


def test_capacity_counts_inputs_and_not_rows(parcels):
    """A phone on three rows gives one symbol: what it serves counts a third, here and in a leak."""
    shared = lab(
        rows=600, phones=None, table={**parcels.table, "phone": np.repeat(parcels.table["phone"][:200], 3)}
    )
    alone, beside = (
        {one.column: one for one in capacities(each.prepared, THREE)} for each in (parcels, shared)
    )
    for column in ("kg", "address"):
        served = [shared.plan.channels[number] for number in shared.plan.of_column(column)]
        left = sum(np.log2(one.q) / (3 if one.anchor == 1 else 1) for one in served) / sum(
            np.log2(one.q) for one in served
        )
        assert any(one.anchor == 1 for one in served)
        assert beside[column].readable == pytest.approx(left * alone[column].readable, rel=0.1)
        assert beside[column].kept <= beside[column].readable


def test_surrogates_categories_and_invisible_characters():
    columns = """
[columns.customer]
role = "other"
mark = "surrogate"
[columns.goods]
role = "category"
mark = "category"
[columns.note]
role = "text"
mark = "invisible"
"""
    rng = np.random.default_rng(8)
    rows = 500
    table = {
        **lab(rows=rows).table,
        "customer": objects([f"c{one}" for one in range(rows)]),
        "goods": objects(rng.choice(["书", "衣", "鞋"], rows, p=[0.5, 0.3, 0.2]).tolist()),
        "note": objects(["请尽快"] * rows),
    }
    rich = lab(rows=rows, table=table, columns=columns)
    copy = rich.copy(ONE)
    assert len(set(copy["customer"].tolist())) == rows
    assert 0 < (copy["goods"] != table["goods"]).sum() <= 0.01 * rows + 5
    assert all(len(text) == 4 for text in copy["note"])
    read = rich.read({name: cells[7:8] for name, cells in copy.items()})
    surrogate = read.chosen(np.isin(read.channel, rich.plan.of_column("customer")))
    found = score(surrogate, [TWO, ONE]).log2_m
    assert found[1] > 36
    assert found[0] < 5


def test_categories_change_to_what_stands_beside_their_neighbours():
    """No city goes to another province, few cells change, and what changed still tells whose copy it is."""
    rows, rng = 6000, np.random.default_rng(4)
    cities = {"浙江": ["杭州", "宁波"], "江苏": ["南京", "苏州"], "广东": ["广州", "深圳"]}
    provinces = rng.choice(list(cities), rows)
    table = {
        **lab(rows=rows).table,
        "province": objects(provinces.tolist()),
        "city": objects(
            [cities[one][int(at)] for one, at in zip(provinces, rng.integers(0, 2, rows), strict=True)]
        ),
        "paid": objects(rng.choice(["现付", "到付"], rows).tolist()),
    }
    columns = '[columns.city]\nrole = "city"\nmark = "category"\n'
    made = lab(rows=rows, table=table, columns=columns)
    assert made.plan.column("city").beside == ("province", "paid")
    changed = 0
    for key in (ONE, TWO, THREE):
        copy = made.copy(key)
        assert all(city in cities[where] for city, where in zip(copy["city"], provinces, strict=True))
        different = (copy["city"] != table["city"]).sum()
        assert 0 < different <= 0.01 * rows
        changed += different
    assert changed < 3 * 0.005 * rows, "a sixth of those chosen fit, half of these say so already"
    read = made.read(made.copy(ONE))
    mine = read.chosen(np.isin(read.channel, made.plan.of_column("city")))
    own, other = score(mine, [ONE, TWO]).log2_m
    assert own > other + 3


@pytest.mark.parametrize("unit", ["row", "cell"])
def test_who_gave_a_tenth_of_a_mix_is_named_too(parcels, unit):
    rng, keys = np.random.default_rng(12), [ONE, TWO, *keys_of(60, seed=5)]
    one, two = parcels.copy(ONE), parcels.copy(TWO)
    rows = rng.permutation(600)[:260]
    second = rng.random(260) < 0.1
    leak = {}
    for name in one:
        second = rng.random(260) < 0.1 if unit == "cell" else second
        leak[name] = np.where(second, two[name][rows], one[name][rows])
    found = score(parcels.read(leak), keys).log2_m
    assert (found[:2] > np.log2(len(keys) / 1e-6)).all()
    assert found[2:].max() < 15


def test_numbers_are_averaged_and_what_all_copies_share_stays():
    copies = [
        {"id": objects(["0012", "0013"]), "n": objects(["10", "21"]), "t": objects(["a", "a"])},
        {"id": objects(["0012", "0013"]), "n": objects(["14", "23"]), "t": objects(["a", "a"])},
    ]
    made = COLLUSIONS["average"](copies, np.random.default_rng(1))
    assert {name: cells.tolist() for name, cells in made.items()} == {
        "id": ["0012", "0013"], "n": ["12", "22"], "t": ["a", "a"]
    }  # fmt: skip


def test_sources_whose_numbers_were_averaged_explain_the_leak_together():
    """No cell is anybody's any more: the set of both is likely all the same, so that a verdict can name them."""
    made = lab(rows=300, tolerance="0.08")
    who = {name: made.table[name] for name in ("name", "address")}
    both = [{**who, "kg": made.copy(key)["kg"]} for key in (ONE, TWO)]
    leak = COLLUSIONS["average"](both, np.random.default_rng(1))
    found = score(made.read(leak), [ONE, TWO, *keys_of(50, seed=9)])
    assert sorted(np.argsort(-found.log2_m)[:2].tolist()) == [0, 1]
    assert set(found.sets.members) >= {0, 1}
    bits = sum(1 << found.sets.members.index(one) for one in (0, 1))
    assert found.sets.log2_ratio[bits] == found.sets.log2_ratio.max() > 30
