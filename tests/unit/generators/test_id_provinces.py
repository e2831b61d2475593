"""How far the provinces of canaries' resident numbers are from a table's own."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from canary.generators.ids import check_digit, code_pool, draw_ids, province_skew
from canary.steps.inspect import judged


def numbers(codes, year=1970):
    bodies = [f"{code}{year}0101{100 + at:03d}" for at, code in enumerate(codes)]
    return [body + check_digit(body) for body in bodies]


def test_a_province_with_withdrawn_codes_keeps_most_of_its_people():
    home = max(code_pool(1970).by_province.items(), key=lambda pair: len(pair[1]))[0]
    assert 0 < province_skew(numbers([f"{home}0101"] * 50)) < 0.25


def test_a_province_without_codes_shows_in_every_canary():
    pool = code_pool(1970)
    without = next(f"{head:02d}" for head in range(11, 66) if f"{head:02d}" not in pool.by_province)
    assert province_skew(numbers([f"{without}0101"] * 50)) == pytest.approx(1.0)


def test_it_is_what_drawing_gives():
    homes = ["330106", "510107", "110101", "440305"] * 2_000
    ids, _ = draw_ids(np.random.default_rng(1), [date(1970, 1, 1)] * len(homes), ["M"] * len(homes), homes)
    real, made = [home[:2] for home in homes], [one[:2] for one in ids]
    seen = sum(abs(real.count(one) - made.count(one)) for one in {*real, *made}) / (2 * len(homes))
    assert province_skew(numbers(homes[:4])) == pytest.approx(seen, abs=0.02)


def test_who_has_no_safe_number_does_not_count():
    assert province_skew(numbers(["330106"] * 5, year=1983)) == 0
    assert province_skew([]) == 0


def test_inspect_tells_it_of_whole_numbers_alone():
    whole = numbers(["330106"] * 40)
    masked = [one[:6] + "********" + one[-4:] for one in whole]
    for values, told in ((whole, 1), (masked, 0), (whole[:10], 0)):
        found = judged("people", ["身份证号"], {"身份证号": list(values)}, len(values), (), {})
        assert sum("another province" in one for one in found.warnings) == told
