"""CHECK constraints as three databases spell them, read as far as they are simple."""

from __future__ import annotations

import pytest

from canary.steps.live_checks import rules_of
from canary.steps.live_model import Check

POSTGRESQL_SEX = "((s)::text = ANY ((ARRAY['男'::character varying, '女'::character varying])::text[]))"


def passes(sql: str, **row: str | None) -> bool:
    rules = rules_of([Check("c", sql)])
    assert rules, "the constraint was not understood at all"
    return all(rule.holds(row) for rule in rules)


@pytest.mark.parametrize(
    ("sql", "good", "bad"),
    [
        ("code::text ~ '^A'::text AND length(code::text) < 5", {"code": "A12"}, {"code": "B12"}),
        ("code::text ~ '^A'::text AND length(code::text) < 5", {"code": "A12"}, {"code": "A1234"}),
        ("(`code` regexp '^A' and char_length(`code`) < 5)", {"code": "A12"}, {"code": "A1234"}),
        ("n >= 0::numeric AND n <= 100::numeric", {"n": "100.00"}, {"n": "100.5"}),
        ("n between 1 and 5 and e in ('a','b')", {"n": "3", "e": "a"}, {"n": "3", "e": "c"}),
        ("n between 1 and 5 and e in ('a','b')", {"n": "5", "e": "b"}, {"n": "6", "e": "b"}),
        ("e = ANY (ARRAY['a'::text, 'b'::text])", {"e": "b"}, {"e": "c"}),
        (POSTGRESQL_SEX, {"s": "男"}, {"s": "M"}),
        ("grade IN (1, 2)", {"grade": "2.0"}, {"grade": "3"}),
        ("email LIKE '%@%.example'", {"email": "a@b.example"}, {"email": "a@bexample"}),
        ("email::text ~~ '_@%'::text", {"email": "a@b"}, {"email": "aa@b"}),
        ("birth >= '1900-01-01'", {"birth": "1950-02-03"}, {"birth": "1899-12-31"}),
        ("0 <= n", {"n": "0"}, {"n": "-1"}),
        ("(n > 0) AND (m <> 0)", {"n": "1", "m": "2"}, {"n": "1", "m": "0"}),
        ('length("姓名") >= 2', {"姓名": "王五"}, {"姓名": "王"}),
        ("length(`a`) between 2 and 3", {"a": "xyz"}, {"a": "x"}),
        ("note <> 'it''s'", {"note": "its"}, {"note": "it's"}),
        ("'a' = kind", {"kind": "a"}, {"kind": "b"}),
    ],
)
def test_simple_constraints_tell_good_from_bad(sql: str, good: dict[str, str], bad: dict[str, str]) -> None:
    assert passes(sql, **good)
    assert not passes(sql, **bad)


@pytest.mark.parametrize(
    "sql",
    [
        "n > 0 OR e = 'a'",
        "a + b > 3",
        "lower(a) = a",
        "n IS NULL",
        "NOT n > 3",
        "e NOT IN ('a')",
        "e IN (SELECT x FROM y)",
        "code ~ '[unclosed'",
        "a < b",
        "",
        "json_valid(`j`)",
    ],
)
def test_what_is_not_simple_is_left_to_the_database(sql: str) -> None:
    assert rules_of([Check("c", sql)]) == ()


def test_null_satisfies_every_constraint() -> None:
    assert passes("n > 5", n=None)
    assert passes("n > 5")


def test_a_clause_that_is_understood_counts_although_its_neighbour_is_not() -> None:
    assert not passes("lower(a) = a AND n < 3", a="X", n="4")
