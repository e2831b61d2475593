"""Record numbers, times and patterns: read, written, and learned from samples."""

from __future__ import annotations

import random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from canary.errors import UsageError
from canary.generators.clocks import learn_clock
from canary.generators.codes import draw_pattern, luhn_check, parts_of, pattern_bits, s10_check, with_digits
from canary.generators.draws import Weighted, bits_of, generator
from canary.generators.masks import KeyMask, learn_mask, learn_shape


def test_the_check_digit_of_the_standard_example():
    assert s10_check("47312482") == "9"
    assert {s10_check(f"{serial:08d}") for serial in range(40)} == set("0123456789")


@given(st.integers(0, 10**15))
def test_luhn_agrees_with_the_judge(number):
    assert luhn_check(str(number)) == luhn.calc_check_digit(str(number))


PATTERNS = {
    "YT{13d}": r"YT\d{13}",
    "7[3-68]{12d}": r"7[3-68]\d{12}",
    "SF1{12d}": r"SF1\d{12}",
    "P{1A}{11d}": r"P[A-Z]\d{11}",
    "{8X}-{4X}": r"[0-9A-F]{8}-[0-9A-F]{4}",
    "R{1A}{s10}CN": r"R[A-Z]\d{9}CN",
    "{20d}": r"\d{20}",
}


@pytest.mark.parametrize(("pattern", "shape"), PATTERNS.items())
def test_patterns_of_carriers_are_drawn(pattern, shape):
    import re

    texts = draw_pattern(np.random.default_rng(1), pattern, 200)
    assert all(re.fullmatch(shape, text) for text in texts)
    assert len(set(texts)) > 190
    assert pattern_bits(pattern) > 20


def test_bits_of_a_pattern_are_those_of_its_free_places():
    assert pattern_bits("A[BC]{2d}") == bits_of(2, 100)
    assert pattern_bits("{s10}") == bits_of(10**8)


@pytest.mark.parametrize("pattern", ["", "{13z}", "A{2d", "[a"])
def test_a_strange_pattern_is_refused(pattern):
    with pytest.raises(UsageError, match="cannot be read"):
        parts_of(pattern)


def test_a_number_is_written_into_a_pattern():
    assert with_digits("YT{5d}X", 42) == "YT00042X"
    assert with_digits("RX{s10}CN", 47312482) == "RX473124829CN"


def test_equal_texts_share_their_weight():
    table = Weighted.of(["a", "b", "a"], [1, 1, 2])
    assert table.texts == ("a", "b")
    assert table.peak == 0.75
    assert set(table.draw(generator(random.Random(1)), 200)) == {"a", "b"}


MASKED = [
    (["YT0001", "YT0010", "YT0999"], KeyMask("YT", "", 4)),
    (["7", "12", "300"], KeyMask()),
    (["A-1-X", "A-22-X"], KeyMask("A-", "-X")),
    ([f"62220210000000{at:05d}" for at in range(20)], KeyMask("6", "", 18)),
    (["20240101001", "20240131007", "20231201003"], KeyMask("", "", 11, 3)),
    (["S240101001", "S240131007"], KeyMask("S", "", 9, 3)),
    (["20240101001", "20240101002"], KeyMask()),
    (["N10", "N99"], KeyMask("N")),
]


@pytest.mark.parametrize(("values", "mask"), MASKED)
def test_a_mask_is_learned_and_reads_what_it_writes(values, mask):
    assert learn_mask(values) == mask
    numbers, fits = mask.read_all(pa.array(values))
    assert fits.all()
    assert [mask.write(int(number)) for number in numbers] == values
    assert [mask.read(value) for value in values] == numbers.tolist()


@pytest.mark.parametrize(
    "values",
    [
        [],
        [None, ""],
        ["abc"],
        ["1a2b"],
        ["007", "12"],
        ["x1", "y2", "z3"],
        [f"{at:030d}" for at in range(0, 10**25, 10**23)],
        ["1" * 20, "22"],
    ],
)
def test_what_is_no_row_of_digits_has_no_mask(values):
    assert learn_mask(values) is None


def test_odd_cells_are_told_from_numbers_of_the_mask():
    mask = KeyMask("YT", "C", 4)
    column = pa.array(["YT0001C", None, "", "YT001C", "XX0001C", "YT00a1C", "YT0001D", "合计"])
    numbers, fits = mask.read_all(column)
    assert fits.tolist() == [True] + [False] * 7
    assert numbers[0] == 1
    assert mask.read("YT001C") is None
    assert mask.read("YT00１1C") is None


def test_a_sign_is_no_digit():
    _, fits = KeyMask().read_all(pa.array(["5", "-5", "7"]))
    assert fits.tolist() == [True, False, True]


def test_check_digits_are_learned_only_from_many_values():
    serials = [f"{47312482 + at * 131:08d}" for at in range(80)]
    values = [f"RX{serial}{s10_check(serial)}CN" for serial in serials]
    assert learn_mask(values) == KeyMask("RX", "CN", 8, None, "s10")
    assert learn_mask(values[:10]).check == ""
    mask = learn_mask([serial + luhn_check(serial) for serial in serials])
    assert mask == KeyMask("", "", 8, None, "luhn")
    assert mask.read(serials[0] + "x") is None


def test_codes_of_another_make_are_drawn_place_by_place():
    values = [f"{letter}{at:02d}-{'0123456789abcdef'[at % 16]}Z" for at in range(60) for letter in "AB"]
    shape = learn_shape(values)
    assert shape is not None
    text = shape.draw(random.Random(1))
    assert text[0] in "AB"
    assert text[3] == "-"
    assert text[5] == "Z"
    assert shape.bits == bits_of(2, 10, 10, 16) or shape.bits > 10


def test_codes_of_many_lengths_change_their_digits():
    shape = learn_shape(["ab-12345/x", "c-99", "word"])
    assert shape is not None
    assert shape.bits == bits_of(10, 10)
    assert {shape.draw(random.Random(seed))[:2] for seed in range(20)} == {"ab", "c-"}
    assert learn_shape([]) is None
    assert learn_shape(["same", "same"]) is None
    assert learn_shape(["word", "words"]) is None


CLOCKS = [
    (["2024-01-02 03:04:05", "2024-12-31 23:59:59"], 1_000_000, True),
    (["2024/1/2 3:04", "2024/12/31 23:59"], 60_000_000, True),
    (["2024-01-02", "2024-12-31"], 86_400_000_000, True),
    (["20240102", "20241231"], 86_400_000_000, True),
    (["1700000000", "1700000060"], 1_000_000, True),
    (["1700000000123", "1700000060456"], 1_000, True),
    (["2024-01-02T03:04:05+08:00", "2024-12-31T23:59:59+08:00"], 1_000_000, True),
    (["2024-01-02T03:04:05+08:00", "2024-12-31T23:59:59-01:00"], 1_000_000, False),
    (["2024-01-02 03:04:05.123", "2024-12-31 23:59:59.456"], 1_000, False),
    (["2024年1月2日", "2024年12月31日"], 86_400_000_000, True),
]


@pytest.mark.parametrize(("values", "micros", "fast"), CLOCKS)
def test_times_are_read_and_written_to_the_character(values, micros, fast):
    clock = learn_clock(values)
    assert clock is not None
    assert (clock.micros, clock.fast) == (micros, fast)
    if fast or "+" not in values[0]:
        assert [clock.write(clock.read(value) or 0) for value in values] == values
    if fast:
        numbers, fits = clock.read_all(pa.array([*values, None, "?"]))
        assert fits.tolist() == [True, True, False, False]
        assert numbers.tolist()[:2] == [clock.read(value) for value in values]


def test_times_on_whole_minutes_step_by_minutes():
    clock = learn_clock([f"2024-01-02 03:{at:02d}:00" for at in range(60)])
    assert clock is not None
    assert clock.micros == 60_000_000
    assert clock.block(7) == 0
    assert clock.read("noon") is None
    numbers, fits = clock.read_all(pa.array(["2024-01-02 03:07:00"]))
    assert fits.all()
    assert clock.write(int(numbers[0])) == "2024-01-02 03:07:00"


def test_what_is_no_time_has_no_clock():
    assert learn_clock(["a", "b"]) is None
    assert learn_clock([]) is None


def test_no_alias_can_be_made_without_letters():
    from canary.generators.emails import latin_letters

    assert latin_letters("藤井 知実") == ("user", "u")
    assert latin_letters("José Núñez") == ("jose.nunez", "jnunez")


def test_bits_are_never_rounded_up():
    assert bits_of(3) == 1.58
    assert bits_of() == 0
    assert bits_of(1, 0) == 0
