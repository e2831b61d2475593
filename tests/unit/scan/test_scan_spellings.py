"""Every class of spelling is found, and named for what it is."""

from __future__ import annotations

import base64
import hashlib

import pytest

from tests.scanlab import ADDRESS, MAIL, NAME, OTHER_ADDRESS, OTHER_NAME, OTHER_PHONE, PHONE, WAYBILL, Lab


def _hex(algorithm: str, text: str) -> str:
    return hashlib.new(algorithm, text.encode()).hexdigest()


def _base64(text: str, times: int = 1) -> str:
    for _ in range(times):
        text = base64.b64encode(text.encode()).decode()
    return text


@pytest.mark.parametrize(
    ("spelling", "transform"),
    [
        (OTHER_PHONE, "plain"),
        ("154-1234-5699", "separators"),
        ("154 1234 5699", "separators"),
        ("154.1234.5699", "separators"),
        ("(154)1234-5699", "separators"),
        ("[154] 1234/5699", "separators"),
        ("154,1234,5699", "separators"),
        ("154·1234·5699", "separators"),
        ("1 5 4 1 2 3 4 5 6 9 9", "separators"),
        ("+8615412345699", "prefix"),
        ("+86 154 1234 5699", "prefix"),
        ("0086-154-1234-5699", "prefix"),
        ("8615412345699", "prefix"),
        ("(+86) 15412345699", "prefix"),
        ("tel:+86-154-1234-5699", "prefix"),
        ("sms:15412345699", "plain"),
        ("TEL;TYPE=CELL:15412345699", "plain"),
        ("15412345699.0", "plain"),
        ("n15412345699", "plain"),
        ("电话15412345699转", "plain"),
        ("１５４１２３４５６９９", "fullwidth"),
        ("①⑤④①②③④⑤⑥⑨⑨", "fullwidth"),
        ("١٥٤١٢٣٤٥٦٩٩", "fullwidth"),
        ("𝟏𝟓𝟒𝟏𝟐𝟑𝟒𝟓𝟔𝟗𝟗", "fullwidth"),
        ("一五四一二三四五六九九", "numerals"),
        ("幺伍肆壹贰叁肆伍陆玖玖", "numerals"),
        ("一五四12三四5699", "numerals"),
        ("154\u200b1234\u200b5699", "zero_width"),
        ("\u2060".join(OTHER_PHONE), "zero_width"),
        ("".join(f"&#{ord(sign)};" for sign in OTHER_PHONE), "html"),
        ("".join(f"&#x{ord(sign):x};" for sign in OTHER_PHONE), "html"),
        ("".join(f"\\u{ord(sign):04x}" for sign in OTHER_PHONE), "json"),
        ("1541234\\u0035699", "json"),
        ("".join(f"%{ord(sign):02X}" for sign in OTHER_PHONE), "percent"),
        ("1541234=\r\n5699", "quoted_printable"),
        ("=31=35=34=31=32=33=34=35=36=39=39", "quoted_printable"),
        (_base64(OTHER_PHONE), "base64"),
        (_base64(OTHER_PHONE, 2), "base64"),
        (_base64(OTHER_PHONE, 3), "base64"),
        (_base64(f"phone={OTHER_PHONE}&x=1").rstrip("="), "base64"),
        (_hex("md5", OTHER_PHONE), "md5"),
        (_hex("sha1", "+86" + OTHER_PHONE).upper(), "sha1"),
        (_hex("sha256", "86" + OTHER_PHONE), "sha256"),
        ("％31％35".replace("％", "%") + "412345699", "percent"),
    ],
)
def test_a_phone_is_found_in_every_spelling(lab: Lab, spelling: str, transform: str) -> None:
    found = lab.found(f"call {spelling} today")
    assert found == {"c-second": {"phone": transform}}


@pytest.mark.parametrize(
    ("spelling", "transform"),
    [
        (MAIL, "plain"),
        (MAIL.upper(), "case"),
        ("mailto:" + MAIL, "plain"),
        ("Lin.Mq82@Mail.Acme.cn", "case"),
        ("lin.mq82 [at] mail.acme.cn", "at_dot"),
        ("lin.mq82(at)mail.acme(dot)cn", "at_dot"),
        ("lin.mq82 at mail.acme dot cn", "at_dot"),
        ("lin.mq82 @ mail.acme.cn", "at_dot"),
        ("lin.mq82{at}mail[dot]acme[dot]cn", "at_dot"),
        ("lin.mq82%40mail.acme.cn", "percent"),
        ("%B7lin.mq82@mail.acme.cn", "percent"),
        ("lin.mq82&#64;mail.acme.cn", "html"),
        ("lin.mq82&commat;mail.acme.cn", "html"),
        ("\\nlin.mq82@mail.acme.cn", "json"),
        ("lin\\.mq82\\@mail\\.acme.cn", "json"),
        ("_lin.mq82@mail.acme.cn_", "plain"),
        ("lin.mq82=40mail.acme.cn", "quoted_printable"),
        ("lin.mq82@mail.ac=\nme.cn", "quoted_printable"),
        ("ｌｉｎ．ｍｑ８２＠ｍａｉｌ．ａｃｍｅ．ｃｎ", "fullwidth"),
        ("lin.mq82@mail\u200b.acme.cn", "zero_width"),
        (_base64(MAIL), "base64"),
        (_hex("md5", MAIL), "md5"),
        (_hex("sha256", MAIL.upper()), "sha256"),
    ],
)
def test_a_mail_address_is_found_in_every_spelling(lab: Lab, spelling: str, transform: str) -> None:
    assert lab.found(f"write {spelling} now") == {"c-first": {"email": transform}}


@pytest.mark.parametrize(
    ("spelling", "transform"),
    [
        (WAYBILL, "plain"),
        (WAYBILL.lower(), "case"),
        ("YT 7112345678901", "separators"),
        ("YT-7112-3456-78901", "separators"),
        ("ＹＴ７１１２３４５６７８９０１", "fullwidth"),
        (_hex("sha1", WAYBILL.lower()), "sha1"),
    ],
)
def test_a_waybill_is_found_in_every_spelling(lab: Lab, spelling: str, transform: str) -> None:
    assert lab.found(f"no. {spelling}!") == {"c-first": {"waybill_no": transform}}


@pytest.mark.parametrize(
    "spelling",
    [
        ADDRESS,
        "西湖区文一西路998号海创园18号楼2单元501",
        "浙江杭州西湖区文一西路９９８号海创园18栋二单元501室",
        "杭州市西湖區文一西路998號海創園18幢2單元501室",
        "文一西路998号 海创园18-2-501",
    ],
)
@pytest.mark.parametrize(
    "text",
    ["{name}，{address}，谢谢", "收件人{name} 地址：{address}", "1\t{name}\t{address}\n2\t王五\t某路1号\n"],
)
def test_a_name_with_its_address_is_found_in_every_spelling(lab: Lab, spelling: str, text: str) -> None:
    found = lab.found(text.format(name=NAME, address=spelling))
    assert found["c-first"].keys() == {"name_address", "name"}


def test_two_spellings_at_once_are_found(lab: Lab) -> None:
    assert "c-second" in lab.found("＋８６ １５４－１２３４－５６９９")
    assert "c-second" in lab.found("".join(f"&#{ord(sign)};" for sign in "１５４１２３４５６９９"))
    assert "c-second" in lab.found("%5Cu0031%5Cu0035%5Cu0034" + "12345699")
    assert "c-second" in lab.found(_base64("一五四一二三四五六九九"))


def test_a_masked_value_counts_only_beside_another_field(lab: Lab) -> None:
    assert lab.found("张* 140****5678") == {}
    found = lab.found(f"张*,{MAIL},140****5678\n王*,a@b.cn,138****0000\n赵*,b@b.cn,139****0000\n")
    assert found == {"c-first": {"email": "plain", "name": "masked", "phone": "masked"}}


def test_a_shared_phone_gives_every_canary_unless_the_record_decides(lab: Lab) -> None:
    assert set(lab.found(f"tel {PHONE}")) == {"c-first", "c-second"}
    assert set(lab.found(f"{OTHER_NAME},{PHONE}\n王五,13900000000\n赵六,13900000001\n")) == {"c-second"}
    assert set(lab.found(f"{PHONE} {WAYBILL}")) == {"c-first"}
    assert set(lab.found(f"{OTHER_NAME},{PHONE},{OTHER_ADDRESS}\n")) == {"c-second"}


def test_innocent_text_gives_nothing(lab: Lab) -> None:
    text = "张伟,13800138000,a@mail.acme.cn,YT7112345678902,北京市朝阳区建国路88号\n" * 3
    findings = lab.scan(text)
    assert findings.hits == ()
    assert findings.errors == ()
    assert findings.candidates.single["phone"] >= 1
