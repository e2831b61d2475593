"""Errors that a writer of a kind file can make, and rules at their edges."""

from __future__ import annotations

import random
from datetime import date

import pytest

from canary.errors import SafetyError, UsageError
from canary.generators.draws import generator
from canary.generators.kind_file import read_kind
from canary.generators.kinds import rows_of_kind
from canary.generators.persona import Personas
from canary.generators.phones import PhoneDraw, inert_blocks

TODAY = date(2026, 11, 22)
COLUMN = '[[columns]]\nname = "a"\nrole = "{role}"\nzh = "甲"\nen = "a"\nrule = {rule}\n'


def column(rule: str, role: str = "other") -> str:
    return COLUMN.format(role=role, rule=rule)


def drawn(text: str, count: int = 30, locale: str = "zh_CN") -> list[str | None]:
    personas = Personas(locale, random.Random(1), ["mail.example.org"], today=TODAY)
    return [
        row["甲"]
        for row in rows_of_kind(read_kind("k", text), personas, random.Random(2), count, locale).rows
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("not toml", "is not TOML"),
        ("", "has no columns"),
        ('colour = "red"\n' + column('{ persona = "name" }'), "unknown keys: colour"),
        (column('{ persona = "name" }') * 2, "names a column twice"),
        (column('{ persona = "name" }') + 'size = 3\n', "unknown keys: size"),
        ('[[columns]]\nname = "a"\n', "lacks role, rule"),
        (column('"name"'), "lacks a rule table"),
        (column("{ }"), "no known rule in an empty rule"),
        (column('{ magic = 1 }'), "no known rule in magic"),
        (column('{ persona = "name" }', "colour"), "unknown role"),
    ],
)  # fmt: skip
def test_a_wrong_file_says_what_is_wrong(text, said):
    with pytest.raises(UsageError, match=said) as caught:
        read_kind("k", text)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ('{ persona = "shoe_size" }', "no 'shoe_size'"),
        ('{ after = "b", minutes = [1, 2] }', "refers to 'b'"),
        ('{ time = 3, unit = "fortnight" }', "unknown unit"),
        ('{ pattern = "{3q}" }', "cannot be read"),
    ],
)
def test_a_wrong_rule_says_what_is_wrong(rule, said):
    with pytest.raises(UsageError, match=said):
        drawn(column(rule))


def test_an_unsafe_rule_is_refused():
    with pytest.raises(SafetyError, match="neither owned nor inert"):
        drawn(column('{ pattern = "138{8d}" }', "phone"))


def test_numbers_stay_in_their_bounds():
    assert all(
        3.5 <= float(str(cell)) <= 60 and float(str(cell)) % 0.5 == 0
        for cell in drawn(column("{ money = [3.5, 60.0, 0.5] }"))
    )
    assert all(
        0.1 <= float(str(cell)) <= 2 and len(str(cell)) == 5
        for cell in drawn(column("{ measure = [0.1, 2.0, 3] }"))
    )
    assert {int(str(cell)) for cell in drawn(column("{ count = [1, 3] }"), 200)} == {1, 2, 3}
    assert set(drawn(column('{ choice = ["x", "y"] }'), 100)) == {"x", "y"}
    assert set(drawn(column('{ choice = ["x", "y"], weights = [1, 0] }'), 100)) == {"x"}


def test_dates_lie_before_today():
    days = [date.fromisoformat(str(cell)) for cell in drawn(column("{ date = [2, 5] }", "date"), 200)]
    assert {(TODAY - day).days for day in days} == {2, 3, 4, 5}


def test_some_cells_are_empty_where_the_rule_says_so():
    cells = drawn(column('{ persona = "age", empty = 0.5 }', "age"), 400)
    assert 120 < cells.count("") < 280


def test_a_sequence_starts_where_it_is_told():
    assert drawn(column('{ sequence = "N{4d}", from = [7, 7] }'), 3) == ["N0008", "N0009", "N0010"]


def test_an_unknown_locale_is_said():
    with pytest.raises(UsageError, match="unknown locale 'xx_YY'"):
        Personas("xx_YY", random.Random(1), today=TODAY).draw(1)
    with pytest.raises(UsageError, match="cannot draw -1"):
        Personas("zh_CN", random.Random(1), today=TODAY).draw(-1)


def test_every_owned_phone_is_used_before_any_twice():
    draw = PhoneDraw(["13900000001", "13900000002", "13900000003"], "CN")
    phones = draw.draw(generator(random.Random(1)), 7)
    assert sorted(phones[:3]) == sorted(phones[3:6]) == sorted(draw.owned)
    assert not draw.inert


def test_phones_of_a_region_without_inert_blocks_are_empty():
    draw = PhoneDraw([], "XX")
    assert draw.draw(generator(random.Random(1)), 2) == ["", ""]
    assert draw.bits == 0
    assert PhoneDraw(["13900000001", "13900000002"], "CN", pool=1).bits == 0


def test_a_small_block_may_repeat():
    found = inert_blocks("GB")
    assert found is not None
    draw = PhoneDraw([], "GB")
    phones = draw.draw(generator(random.Random(1)), 600) + draw.draw(generator(random.Random(2)), 600)
    assert len(set(phones)) < 1200
    assert draw.inert


def test_a_second_alias_of_a_persona_is_another_one():
    personas = Personas("zh_CN", random.Random(1), ["mail.example.org"], today=TODAY)
    (persona,) = personas.draw(1)
    again = personas.again(persona)
    assert again != persona.email
    assert again.endswith("@mail.example.org")


@pytest.mark.parametrize("locale", ["ja_JP", "fr_FR", "en_GB", "hu_HU"])
def test_other_locales_have_whole_personas(locale):
    (persona,) = Personas(locale, random.Random(1), ["mail.example.org"], today=TODAY).draw(1)
    assert persona.name
    assert persona.city
    assert persona.email.isascii()
