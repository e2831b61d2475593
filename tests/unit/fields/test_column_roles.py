"""Roles of columns from headings and values."""

from __future__ import annotations

import random

import pytest

from canary.fields import values
from canary.fields.guess import guess_role, guess_roles, is_key
from canary.fields.headings import heading_words, role_of_heading
from canary.fields.roles import ROLES


@pytest.mark.parametrize(
    ("heading", "role"),
    [
        ("收件人电话", "phone"),
        ("寄件人手机", "phone"),
        ("收件人手机号码", "phone"),
        ("recipientPhone", "phone"),
        ("mobile_no", "phone"),
        ("运单号", "waybill_no"),
        ("tracking number", "waybill_no"),
        ("订单号", "order_no"),
        ("OrderID", "order_no"),
        ("order_id", "order_no"),
        ("病历号", "record_no"),
        ("身份证号", "resident_id"),
        ("姓名", "name"),
        ("ReceiverName", "name"),
        ("收件人详细地址", "address"),
        ("bill_to_address", "address"),
        ("下单时间", "time"),
        ("created_at", "time"),
        ("重量kg", "measure"),
        ("重量(kg)", "measure"),
        ("金额", "money"),
        ("支付金额（元）", "money"),
        ("e-mail", "email"),
        ("customer_email", "email"),
        ("plate", "plate"),
        ("phone2", "phone"),
        ("id", "key"),
        ("foo", None),
        ("", None),
    ],
)
def test_headings(heading: str, role: str | None) -> None:
    assert role_of_heading(heading) == role


def test_every_word_of_the_data_names_a_known_role() -> None:
    assert set(heading_words().values()) <= ROLES
    assert len(heading_words()) > 500


def column(make: object, count: int = 60) -> list[str | None]:
    rng = random.Random(3)
    return [make(rng, number) for number in range(count)]  # type: ignore[operator]


COLUMNS = {
    "phone": column(lambda rng, _: f"138{rng.randrange(10**8):08d}"),
    "email": column(lambda rng, number: f"a{number}@qq.com"),
    "waybill_no": column(lambda rng, _: f"YT{rng.randrange(10**13):013d}"),
    "key": column(lambda _, number: str(number + 7)),
    "time": column(
        lambda rng, _: (
            f"2024-05-{rng.randrange(1, 28):02d} {rng.randrange(24):02d}:{rng.randrange(60):02d}:11"
        )
    ),
    "date": column(lambda rng, _: f"2024/5/{rng.randrange(1, 28)}"),
    "measure": column(lambda rng, _: f"{rng.uniform(0, 9):.2f}"),
    "count": column(lambda rng, _: str(rng.randrange(1, 5))),
    "code": column(lambda rng, _: str(rng.randrange(10**6, 10**7) // 9 * 7)),
    "record_no": column(lambda rng, _: f"BL-{rng.randrange(10**9):09d}"),
    "sex": column(lambda rng, _: rng.choice("男女")),
    "address": column(lambda rng, _: f"杭州市文一西路{rng.randrange(999)}号"),
    "name": column(
        lambda rng, _: rng.choice("王李张刘陈") + rng.choice("伟芳娜敏静丽强") + rng.choice("伟芳娜敏静丽强")
    ),
    "category": column(lambda rng, _: rng.choice(["已签收", "运输中"])),
    "url": column(lambda _, number: f"https://x.org/{number}"),
    "plate": column(lambda rng, _: f"京A{rng.randrange(10**5):05d}"),
    "text": column(lambda rng, number: f"请在下午送来谢谢您的包裹已经到了 {number}"),
    "bank_card": ["6222021234567890128", "4111111111111111", "5500005555555559"],
    "other": ["", None],
}


@pytest.mark.parametrize("role", COLUMNS)
def test_values_alone_tell_the_role(role: str) -> None:
    assert guess_role("a1", COLUMNS[role]) == role


def test_latin_names_and_streets_are_seen() -> None:
    assert guess_role("a1", ["John Smith", "Mary Ann Jones", "Ada King"]) == "name"
    assert guess_role("a1", ["12 Main Street, Apt 3", "9 Oak Ave", "77 Hill Road"]) == "address"


def test_values_decide_between_conflicting_headings() -> None:
    assert guess_role("电话", COLUMNS["email"]) == "email"
    assert guess_role("姓名", COLUMNS["phone"]) == "phone"
    assert guess_role("手机品牌", ["华为", "小米"] * 20) == "category"
    assert guess_role("客户", [str(number) for number in range(30)]) == "account_no"
    assert guess_role("id", ["a1b2-c3d4", "b2c3-d4e5"]) == "record_no"
    assert guess_role("时间", ["很久", "以前"]) == "other"
    assert guess_role("出生日期", ["1990-01-02", "1980-12-31"]) == "birth_date"
    assert guess_role("日期", COLUMNS["time"]) == "time"
    assert guess_role("订单号", COLUMNS["phone"]) == "order_no"
    assert guess_role("身份证号", ["110101********1234", "330106********0011"]) == "resident_id"
    assert guess_role("电话", []) == "phone"


def test_both_parties_keep_their_roles() -> None:
    headings = ["收件人姓名", "收件人电话", "寄件人姓名", "寄件人电话", "备注"]
    sample = dict(zip(headings, [COLUMNS["name"], COLUMNS["phone"]] * 2, strict=False))
    assert list(guess_roles(headings, sample).values()) == ["name", "phone", "name", "phone", "text"]


def test_keys_are_dense_or_rising() -> None:
    assert is_key([5, 9, 1000])
    assert is_key([3, 1, 2, 4])
    assert not is_key([3, 1, 900])
    assert not is_key([1, 1, 2])
    assert not is_key([1, 2])


def test_check_digits() -> None:
    assert values.is_resident_id("11010519491231002X")
    assert not values.is_resident_id("110105194912310021")
    assert values.s10_check("47312482") == "9"
    assert values.is_waybill("RR473124829CN")
    assert not values.is_waybill("RR473124828CN")
    assert values.is_waybill("SF1234567890123")
    assert values.is_bank_card("4111 1111 1111 1111")
    assert not values.is_bank_card("4111111111111112")
    assert values.is_phone("(0571)88888888")
    assert values.is_phone("+44 20 7183 8750")
    assert not values.is_phone("2024-05-03")
    assert not values.is_phone("12.5")
    assert all(map(values.is_han_name, ("欧阳修", "张*", "买买提·艾力")))
    assert not values.is_han_name("已签收了吗呢")
    assert values.is_name("Ada King")
    assert values.share([], str.isdigit) == 0.0
    assert not values.is_address("一二三")
    assert values.is_address("浙江省杭州市西湖区文一西路")
