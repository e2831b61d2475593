"""The quick ways give what the plain ways give."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from canary.errors import SafetyError
from canary.fields.canonical import canonical
from canary.fields.times import TimeFormat
from canary.generators.clocks import EPOCH, Clock
from canary.generators.names import name_tables, pinyin
from canary.generators.phones import phone_digits
from canary.generators.safety import Owned, check_all


def test_given_names_are_spelt_as_the_library_spells_them():
    from pypinyin import lazy_pinyin

    names = {name for table in name_tables().given.values() for name in table.texts[::40]}
    assert len(names) > 100
    assert {name: pinyin(name) for name in names} == {name: tuple(lazy_pinyin(name)) for name in names}


@pytest.mark.parametrize("template", ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y/%m/%d %H:%M:%S"])
@pytest.mark.parametrize("number", [0, 1_763_800_215, -86_400 * 365])
def test_times_are_written_in_their_spelling(template, number):
    spelling = TimeFormat(template)
    clock = Clock(spelling, 1_000_000)
    assert clock.write(number) == spelling.format(EPOCH + timedelta(seconds=number))
    assert clock.read(clock.write(number)) == number


@pytest.mark.parametrize(
    "text", ["13812345678", "86 138 1234 5678", "１３８１２３４５６７８", "12345678901", "x"]
)
def test_plain_mobiles_are_their_own_digits(text):
    assert phone_digits(text) == canonical("phone", text)


@pytest.mark.parametrize(
    ("role", "values"),
    [
        ("email", ["a@mail.example.org", "b@mail.example.org", "mail.example.org"]),
        ("email", ["a@mail.example.org", "b@qq.com"]),
        ("email", ["a@mail.example.org", "b@other.example"]),
        ("phone", ["14012345678", None, "13812345678"]),
        ("waybill_no", ["YT5", "YT11"]),
    ],
)
def test_one_bad_value_in_a_column_is_refused(role, values):
    owned = Owned(date(2026, 11, 22), frozenset({"mail.example.org"}), ranges={"waybill_no": (1, 10)})
    check_all(role, values[:1], owned)
    with pytest.raises(SafetyError):
        check_all(role, values, owned)
