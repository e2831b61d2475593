"""What single values look like: contacts, personal numbers, names, dates and plain numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from math import floor
from typing import Final

from canary.fields.address import canonical_address, is_chinese
from canary.fields.canonical import canonical_email, canonical_phone
from canary.fields.fold import fold
from canary.patterns import late

# Formats of Chinese waybill numbers by carrier, as their public pages state them.
WAYBILLS: Final = {
    "YTO": r"YT\d{13}",
    "ZTO": r"7[3-68]\d{12}",
    "STO": r"(?:77|43)\d{12,15}",
    "YUNDA": r"[34]\d{14}|5\d{12}",
    "SF": r"SF\d{13}",
    "JD": r"JD[A-Z0-9]{2}\d{11}",
    "EMS": r"[189]\d{12}|P[A-Z]\d{11}",
}
_WAYBILL = late("|".join(WAYBILLS.values()), re.I)
_S10 = late(r"[A-Z]{2}(\d{8})(\d)[A-Z]{2}", re.I)
_S10_WEIGHTS: Final = (8, 6, 4, 2, 3, 5, 9, 7)  # UPU S10
_RESIDENT_ID = late(r"[1-9]\d{5}(?:18|19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[0-9Xx]")
MASKED_IDS: Final = (15, 18)  # lengths of old and new ones: a masked bank card has 16 or 19 signs
_RESIDENT_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643
_PLATE = late(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][·•\s]?[A-Z0-9]{5,6}", re.I
)
_MOBILE = late(r"(?:\+?86|0086)?[\s-]?1[3-9]\d(?:[\s-]?\d{4}){2}(?:\.0)?")
_MASKED_PHONE = late(r"1[3-9]\d\*{4}\d{4}")
_LANDLINE = late(r"\(?0\d{2,3}\)?[\s-]?\d{7,8}")
_URL = late(r"(?:https?|ftp)://\S+|www\.\S+", re.I)
_NUMBER = late(r"[+-]?(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d+)?(?:[eE][+-]?\d+)?")

SURNAMES: Final = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭"
    "陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常汤康易乔赖文葛章齐庄"
    "裴申樊殷翟邢施伍耿关焦岳左柳甄倪鲁房毕祝温俞涂单季甘宫饶欧霍牛柴骆尚安路冉辛靳管包聂游梅阮盛谷费童翁舒凌宁穆"
    "应纪成符项詹阎华车饶代储卓席冀鲍解娄沙苗艾边卞查褚晏池丛党狄佟窦滕仇晋井蓝臧蒲荣桑屈阳喻宗佘苟连邬曲司栾闵明颜"
    "尤卫和娜古景普米巩邝鄢巫揭岑植商邸牟隋燕刁麦简全时冷窦占原祁丰缪楚虞雍冼揣阚匡巴胥逯敖迟桂庞苑丘胥伏仲步郎满"
)  # fmt: skip
COMPOUND_SURNAMES: Final = frozenset(
    {
        "欧阳",
        "上官",
        "司马",
        "诸葛",
        "皇甫",
        "令狐",
        "慕容",
        "司徒",
        "尉迟",
        "东方",
        "夏侯",
        "端木",
        "公孙",
        "长孙",
        "宇文",
    }
)
_HAN_NAME = late(r"[\u4e00-\u9fff]{2,4}|[\u4e00-\u9fff]{1,10}[·•][\u4e00-\u9fff]{1,10}")
_STREET = late(
    r"\d+\w?\s+\w.*\b(?:st|street|ave|avenue|rd|road|blvd|drive|dr|lane|ln|court|ct|way|place|pl|square|sq|apt|unit|hwy)\b"
)
_LATIN_NAME = late(r"[A-Za-z][A-Za-z'’.\-]{0,24}(?:[ ,]+[A-Za-z][A-Za-z'’.\-]{0,24}){1,3}")


def share(values: Sequence[str], test: Callable[[str], bool]) -> float:
    """Give the share of values that pass a test, 0 where there are none."""
    return sum(map(test, values)) / len(values) if values else 0.0


def mostly(values: Sequence[str], test: Callable[[str], bool], least: float) -> bool:
    """Tell whether a share of the values passes a test; stops as soon as too many have failed."""
    spare = floor(len(values) * (1 - least) + 1e-9)
    for value in values:
        if not test(value):
            spare -= 1
            if spare < 0:
                return False
    return bool(values)


def is_phone(text: str) -> bool:
    """Tell whether a value is surely a phone number: a Chinese mobile, a land line, or written with '+'."""
    text = fold(text)
    if _MOBILE.fullmatch(text) or _MASKED_PHONE.fullmatch(text) or _LANDLINE.fullmatch(text):
        return True
    return is_dialled(text) and (text.startswith(("+", "(", "tel:")) or len(re.findall(r"\d+", text)) >= 3)


def is_dialled(text: str) -> bool:
    """Tell whether a value could be dialled at all: 5 to 15 digits and separators."""
    return canonical_phone(text) is not None and "." not in text.removesuffix(".0") and not is_date(text)


def is_email(text: str) -> bool:
    """Tell whether a value is a mail address."""
    return "@" in fold(text) and canonical_email(text) is not None


def is_resident_id(text: str) -> bool:
    """Tell whether a value is a Chinese resident ID with a right check digit, or a masked one."""
    text = text.strip()
    if len(text) in MASKED_IDS and re.fullmatch(r"\d{3,6}\*{6,12}[\dXx*]{2,4}", text):
        return True
    return _RESIDENT_ID.fullmatch(text) is not None and resident_check(text[:17]) == text[17].upper()


def resident_check(digits: str) -> str:
    """Compute the check digit of 17 digits of a resident ID (ISO 7064 MOD 11-2)."""
    return "10X98765432"[sum(int(d) * w for d, w in zip(digits, _RESIDENT_WEIGHTS, strict=True)) % 11]


def is_waybill(text: str) -> bool:
    """Tell whether a value has the format of a carrier's waybill number (UPU S10 with its check digit)."""
    text = text.strip()
    found = _S10.fullmatch(text)
    if found:
        return s10_check(found[1]) == found[2]
    return _WAYBILL.fullmatch(text) is not None


def s10_check(digits: str) -> str:
    """Compute the check digit of the 8 digits of a UPU S10 number."""
    rest = 11 - sum(int(d) * w for d, w in zip(digits, _S10_WEIGHTS, strict=True)) % 11
    return {10: "0", 11: "5"}.get(rest, str(rest))


def is_bank_card(text: str) -> bool:
    """Tell whether a value is a card number: 15 to 19 digits that pass the Luhn check."""
    digits = re.sub(r"[\s-]", "", text)
    return digits.isascii() and digits.isdigit() and len(digits) in range(15, 20) and luhn(digits)


def luhn(digits: str) -> bool:
    """Tell whether digits pass the Luhn check (ISO/IEC 7812)."""
    doubled = (int(d) * (1 + place % 2) for place, d in enumerate(reversed(digits)))
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def is_plate(text: str) -> bool:
    """Tell whether a value is a Chinese number plate."""
    return _PLATE.fullmatch(text.strip()) is not None


def is_url(text: str) -> bool:
    """Tell whether a value is a web address."""
    return _URL.fullmatch(text.strip()) is not None


def is_number(text: str) -> bool:
    """Tell whether a value is a plain number, thousands separators allowed."""
    return _NUMBER.fullmatch(text.strip()) is not None


def is_integer(text: str) -> bool:
    """Tell whether a value is a whole number without a leading zero."""
    return re.fullmatch(r"-?(?:0|[1-9]\d{0,18})(?:\.0)?", text.strip()) is not None


def is_date(text: str) -> bool:
    """Tell whether a value is a date or a moment in a spelling that is surely one."""
    return re.match(r"\s*\d{4}\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2}", text) is not None


def is_han_name(text: str) -> bool:
    """Tell whether a value is a Chinese name: 2–4 characters from a surname on, or with a middle dot."""
    text = text.strip().replace("*", "某")
    if _HAN_NAME.fullmatch(text) is None:
        return False
    return "·" in text or "•" in text or text[0] in SURNAMES or text[:2] in COMPOUND_SURNAMES


def is_latin_name(text: str) -> bool:
    """Tell whether a value could be a Latin name: two to four words that start with a capital."""
    text = text.strip()
    return _LATIN_NAME.fullmatch(text) is not None and all(
        word[0].isupper() for word in re.findall(r"[A-Za-z]+", text)[:2]
    )


def is_name(text: str) -> bool:
    """Tell whether a value could be a person's name."""
    return is_han_name(text) or is_latin_name(text)


def is_address(text: str) -> bool:
    """Tell whether a value looks like a postal address: words of a street and, at least mostly, numbers."""
    folded = fold(text)
    if is_chinese(folded):
        return (
            len(folded) >= 6
            and re.search(r"[省市区县镇乡村路街道巷弄号楼栋幢座室]", folded) is not None
            and (
                re.search(r"\d", folded) is not None
                or re.search(r"[省市区县].*[路街镇乡村道]", folded) is not None
            )
        )
    return _STREET.search(folded) is not None and canonical_address(text) is not None
