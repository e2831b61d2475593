"""Every reason for which the gate refuses a value."""

from __future__ import annotations

from datetime import date

import pytest

from canary.errors import SafetyError
from canary.generators.ids import check_digit, code_pool
from canary.generators.phones import in_inert_block
from canary.generators.safety import Owned, check, check_all, is_masked, is_public_provider

OWNED = Owned(
    date(2026, 11, 22),
    frozenset({"mail.example.org", "gmail.com"}),
    frozenset({"13912345678"}),
    {"waybill_no": (7_000_000_000_000, 7_000_000_000_999)},
)


def number(code: str, birth: str, order: str = "013") -> str:
    return code + birth + order + check_digit(code + birth + order)


OLD = code_pool(1970).codes[0]
YOUNG = code_pool(1995).codes[-1]


@pytest.mark.parametrize(
    ("role", "value", "reason"),
    [
        ("phone", "13800138000", "neither owned nor inert"),
        ("phone", "+86 138 0013 8000", "neither owned nor inert"),
        ("phone", "not a phone", "neither owned nor inert"),
        ("phone", "12125551234", "neither owned nor inert"),
        ("email", "wang@qq.com", "public provider"),
        ("email", "wang@vip.qq.com", "public provider"),
        ("email", "wang@gmail.com", "public provider"),
        ("email", "wang@other.example", "not owned"),
        ("email", "nobody", "not owned"),
        ("resident_id", number("330106", "19700615"), "may be in use"),
        ("resident_id", number("999999", "19700615"), "permit"),
        ("resident_id", number("810000", "19700615"), "permit"),
        ("resident_id", number("820000", "19700615"), "permit"),
        ("resident_id", number("830000", "19700615"), "permit"),
        ("resident_id", number("123456", "19700615"), "may be in use"),
        ("resident_id", number(OLD, "19830615"), "1981 to 1985"),
        ("resident_id", number(YOUNG, "19700615"), "before 1984"),
        ("resident_id", number(code_pool(2005).codes[-1], "19880615"), "five years before"),
        ("resident_id", number(OLD, "20150615"), "under 18"),
        ("resident_id", "330106700615001", "18 characters"),
        ("birth_date", "2015-06-15", "under 18"),
        ("birth_date", "20081123", "under 18"),
        ("age", "17", "under 18"),
        ("age", "9岁", "under 18"),
        ("bank_card", "6222021234567890123", "not masked"),
        ("plate", "浙A12345", "on the road"),
        ("waybill_no", "YT7000000001000", "outside the reserved range"),
        ("waybill_no", "none", "outside the reserved range"),
    ],
)
def test_it_refuses_and_says_why(role, value, reason):
    with pytest.raises(SafetyError, match=reason) as caught:
        check(role, value, OWNED)
    assert caught.value.exit_status == 4
    assert caught.value.hint
    assert value not in caught.value.message


def test_a_wrong_check_digit_is_refused():
    good = number(OLD, "19700615")
    wrong = good[:-1] + ("0" if good[-1] != "0" else "1")
    with pytest.raises(SafetyError, match="wrong check digit"):
        check("resident_id", wrong, OWNED)


@pytest.mark.parametrize(
    ("role", "value"),
    [
        ("phone", "13912345678"),
        ("phone", "+86 139-1234-5678"),
        ("phone", "14012345678"),
        ("phone", "138****5678"),
        ("phone", "(212) 555-0142"),
        ("email", "a.b@Mail.Example.org"),
        ("resident_id", number(OLD, "19700615")),
        ("resident_id", number(YOUNG, "19950615")),
        ("resident_id", number(OLD, "19700615").lower()),
        ("resident_id", "330106********123X"),
        ("birth_date", "2008-11-22"),
        ("birth_date", "unknown"),
        ("age", "18"),
        ("age", "adult"),
        ("bank_card", "6222*********1234"),
        ("plate", "浙A12I45"),
        ("plate", "浙A***45"),
        ("waybill_no", "YT7000000000999"),
        ("name", "anybody"),
        ("phone", ""),
    ],
)
def test_it_lets_what_is_safe_pass(role, value):
    check(role, value, OWNED)
    check_all(role, [value], OWNED)


def test_a_masked_value_hides_enough():
    assert is_masked("138****5678")
    assert is_masked("138xxxx5678")
    assert not is_masked("138**345678")
    assert not is_masked("maxxxine")


def test_domains_below_a_provider_are_the_providers():
    assert is_public_provider("QQ.com")
    assert is_public_provider("a.b.163.com")
    assert not is_public_provider("notqq.com")
    assert not is_public_provider("example.org")


@pytest.mark.parametrize(
    "digits", ["14012345678", "15499999999", "12125550199", "2125550100", "447700900123", "07700900123"]
)
def test_inert_blocks_are_known(digits):
    assert in_inert_block(digits)


@pytest.mark.parametrize(
    "digits", ["13812345678", "1401234567", "140123456789", "12125550200", "447700901123", ""]
)
def test_other_numbers_are_not_inert(digits):
    assert not in_inert_block(digits)
