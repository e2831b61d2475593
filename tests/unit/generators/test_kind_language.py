"""What a kind file can say beyond single columns: sums, tables, choices by another column, people, and wrong ones."""

from __future__ import annotations

import random
import re
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from canary.errors import OutsideError, SafetyError, UsageError
from canary.generators.kind_file import read_kind
from canary.generators.kinds import load_kind, rows_of_kind
from canary.generators.persona import Personas
from canary.generators.reckon import names_in, reckon
from canary.generators.rules import RULES

TODAY = date(2026, 11, 22)
ROOT = Path(__file__).resolve().parents[3]


def made(text: str, count: int = 200, locale: str = "zh_CN", seed: int = 1) -> list[dict[str, str | None]]:
    personas = Personas(locale, random.Random(seed), ["mail.example.org"], today=TODAY)
    kind = read_kind("k", text)
    return list(rows_of_kind(kind, personas, random.Random(seed), count, locale).rows)


def columns(**rules: str) -> str:
    return "\n".join(
        f'[[columns]]\nname = "{name}"\nrole = "other"\nzh = "{name}"\nen = "{name}"\nrule = {{ {rule} }}'
        for name, rule in rules.items()
    )


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1 + 2 * 3", 7), ("(1 + 2) * 3", 9), ("7 // 2", 3), ("-a", -4), ("a / 0", 0), ("0 / 0", 0), ("min(a, 2)", 2),
        ("max(a, t.b)", 5), ("floor(a / 3)", 1), ("a - t.b", -1),
    ],
)  # fmt: skip
def test_sums(text: str, wanted: float) -> None:
    assert reckon(text, {"a": 4.0, "t.b": 5.0}.__getitem__) == wanted
    whole = reckon(text, {"a": np.array([4.0, 4.0]), "t.b": np.array([5.0, 5.0])}.__getitem__)
    assert np.all(np.asarray(whole) == wanted)


@pytest.mark.parametrize(
    "text",
    [
        "", "1 +", "a ** 9", "__import__('os')", "open('x')", "a if a else 1", "a.b.c", "'a'", "[1]", "True", "1j",
        "min(1)", "min(a=1, b=2)", "lambda: 1", "floor(1, 2)", "a @ a", "+a",
        "(" * 150 + "1" + ")" * 150, "1+" * 200 + "1",
    ],
)  # fmt: skip
def test_what_is_no_sum_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        names_in(text)
    assert caught.value.hint


def test_names_of_a_sum() -> None:
    assert names_in("min(a, t.b) * 3 - today") == {"a", "t.b", "today"}


def test_columns_refer_to_each_other_in_any_order() -> None:
    text = columns(
        total='reckon = "fee * 2 + extra", decimals = 1', fee="count = [1, 9]", extra='choice = ["0.5"]'
    )
    for row in made(text):
        assert float(str(row["total"])) == 2 * int(str(row["fee"])) + 0.5


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"a": 'reckon = "b"', "b": 'reckon = "a"'}, "refer to each other: a, b, a"),
        ({"a": 'reckon = "a + 1"'}, "refer to each other: a, a"),
        ({"a": 'pattern = "{a}"'}, "refer to each other"),
        ({"a": 'reckon = "sex_zh"'}, "holds no numbers"),
        ({"a": 'after = "b", days = 1', "b": "count = [1, 2]"}, "column 'b' holds no times"),
        ({"a": 'choice = { "x" = ["1"] }, by = "b"', "b": 'choice = ["y"]'}, "no choice for 'y'"),
        ({"a": 'choice = { "5" = ["1"] }, by = "b"', "b": "count = [1, 4]"}, "no choice for"),
        ({"a": 'choice = ["x", "y"], weights = [1]'}, "2 choices have 1 weights"),
    ],
)
def test_what_only_drawing_shows_is_said(rules: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        made(columns(**rules))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (columns(a='take = "t.x"'), "refers to 't.x', which is not there"),
        (columns(a='choice = { "1" = ["x"] }, by = "age_"'), "refers to 'age_'"),
        (columns(a='pattern = "{other}"'), "refers to 'other'"),
        (columns(a='count = [1, "b"]'), "refers to 'b'"),
        (columns(a='after = "b", days = 1'), "refers to 'b'"),
        (columns(a='count = [1, 2], wieghts = [1]'), "rule 'count' knows no wieghts"),
        ('[tables.t]\ncolumns = ["x"]\nrows = [["1", "2"]]\n' + columns(a="count = [1, 2]"), "another length"),
        ('[tables.t]\ncolumns = ["x"]\nrows = []\n' + columns(a="count = [1, 2]"), "another length"),
        ('[tables.t]\ncolumns = ["x"]\nrows = [["1"]]\nweights = [1, 2]\n' + columns(a="count = [1, 2]"), "2 weights"),
        ('[tables.t]\ncolumns = "x"\n' + columns(a="count = [1, 2]"), "where a list belongs"),
        ('[tables]\nt = 3\n' + columns(a="count = [1, 2]"), "are not tables"),
        ('columns = 3\n', "are not tables"),
        ('[people.neighbour]\nsexes = "F"\n' + columns(a="count = [1, 2]"), "unknown keys: neighbour"),
        ('[people.persona]\nsexes = "X"\n' + columns(a="count = [1, 2]"), "have the sexes 'X'"),
        ('[people.persona]\nages = [40, 20]\n' + columns(a="count = [1, 2]"), "no ages from first to last"),
        ('[people.persona]\nages = ["a", 20]\n' + columns(a="count = [1, 2]"), "where a number belongs"),
        ('[[given]]\nname = "a"\nrule = { count = [1, 2] }\n' + columns(a="count = [1, 2]"), "names a column twice"),
        ('[[given]]\nname = "a"\nrole = "name"\nrule = { count = [1, 2] }\n', "unknown keys: role"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_before_anything_is_drawn(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        read_kind("k", text)
    assert caught.value.hint


def test_minors_are_refused_whatever_the_file_says() -> None:
    with pytest.raises(SafetyError, match="minors"):
        read_kind("k", "[people.persona]\nages = [17, 30]\n" + columns(a="count = [1, 2]"))
    young = '[[columns]]\nname = "a"\nrole = "age"\nrule = { count = [3, 12] }\n'
    with pytest.raises(SafetyError, match="under 18"):
        made(young)


def test_people_are_of_the_sex_and_age_that_is_asked_for() -> None:
    text = '[people.persona]\nsexes = "F"\nages = [30, 31]\n' + columns(
        a='persona = "age"', s='persona = "sex"'
    )
    found = made(text, 400)
    assert {row["s"] for row in found} == {"F"}
    assert {row["a"] for row in found} == {"30", "31"}


def test_what_comes_from_a_table_comes_from_one_row_of_it() -> None:
    text = '[tables.t]\ncolumns = ["x", "y"]\nrows = [["a", 1], ["b", 2], ["c", 3]]\nweights = [1, 1, 0]\n'
    found = made(text + columns(p='take = "t.x"', q='take = "t.y"', r='reckon = "t.y * 10"'))
    assert {(row["p"], row["q"], row["r"]) for row in found} == {("a", "1", "10"), ("b", "2", "20")}


def test_a_choice_goes_by_a_cell_or_by_the_number_below() -> None:
    text = columns(
        n="count = [0, 9]", word='choice = { "0" = ["low"], "4" = ["mid"], "8" = ["high"] }, by = "n"',
        pair='choice = { "low" = ["l"], "mid" = ["m"], "high" = ["h"] }, by = "word"',
    )  # fmt: skip
    for row in made(text):
        wanted = "low" if int(str(row["n"])) < 4 else "mid" if int(str(row["n"])) < 8 else "high"
        assert (row["word"], row["pair"]) == (wanted, wanted[0])


def test_patterns_weave_other_columns_in() -> None:
    text = columns(a='choice = ["2024-09-01"]', b='pattern = "N{a:4}-{2d}[x-z]"', c='sequence = "{a:4}{4d}"')
    for row in made(text):
        assert re.fullmatch(r"N2024-\d\d[xyz]", str(row["b"]))
        assert re.fullmatch(r"2024\d{4}", str(row["c"]))


def test_months_later_ends_with_the_month() -> None:
    text = columns(a='date = [0, 1500], unit = "date"', b='after = "a", months = 1, unit = "date"')
    for row in made(text, 1500):
        start, end = (date.fromisoformat(str(row[key])) for key in "ab")
        assert (end.year * 12 + end.month) - (start.year * 12 + start.month) == 1
        assert end.day == start.day or ((end + timedelta(days=1)).day == 1 and end.day < start.day)


def test_a_wait_never_ends_before_it_begins() -> None:
    text = columns(
        a="time = 9", b='after = "a", minutes = [5, "-100"]', c='after = "a", days = [3, 1], hours = [8, 9]'
    )
    for row in made(text):
        assert 0 < (np.datetime64(str(row["b"])) - np.datetime64(str(row["a"]))).astype(int) <= 300
        assert str(row["c"])[11:13] == "08"


def test_belongings_of_foreigners_are_empty() -> None:
    text = columns(p='persona = "plate"', e='persona = "employer"', c='persona = "chain"')
    assert {tuple(row.values()) for row in made(text, 20, "en_US")} == {("", "", "")}


def test_a_kind_is_loaded_by_the_path_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(columns(a="count = [1, 2]"), "utf-8")
    assert load_kind(str(path)).name == "mine"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="not UTF-8"):
        load_kind(str(path))
    path.write_bytes(b"#" * 1_000_001)
    with pytest.raises(UsageError, match="too large"):
        load_kind(str(path))
    with pytest.raises(OutsideError, match="cannot read"):
        load_kind(str(tmp_path / "none.toml"))
    with pytest.raises(OutsideError, match="cannot read"):
        load_kind(str(tmp_path.with_suffix(".toml")))


def test_the_howto_names_every_rule_and_option() -> None:
    text = (ROOT / "docs" / "howto" / "add-a-kind.md").read_text("utf-8")
    for name, rule in RULES.items():
        assert re.search(rf"`[^`]*\b{name}\b = ", text), name
        for option in rule.options:
            assert re.search(rf"`[^`]*\b{option}\b", text), option
