"""The canonical form of an address: the same for every equivalent spelling, Chinese or English.

It keeps the names of road and community and the numbers in their order. Province, city and district,
the words of the units (号楼 幢 栋 座 单元 室, Street, Apt) and all marks fall away: exporters vary them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from canary.fields.fold import fold
from canary.fields.places import CITIES, ODD_DISTRICTS, PROVINCES
from canary.patterns import late

_HAN = late(r"[\u3400-\u9fff]")
_WAY = "路街道巷弄村镇乡号园苑厦楼幢栋座室院场庄坊桥"  # what no division's name holds before its suffix
_BARE_NAMES: Final = frozenset({*PROVINCES, *CITIES})
_ODD_NAMES = (*ODD_DISTRICTS, *(f"{name}市" for name in CITIES if set(name) & set(_WAY)))
_ODD = late(
    rf"(?=[{''.join({name[0] for name in _ODD_NAMES})}])(?:{'|'.join(sorted(_ODD_NAMES, key=len, reverse=True))})"
    r"(?!场|民中|民广|政府)"
)
_SUFFIXED = late(
    rf"中国(?=[^{_WAY}\d]{{2,}}[省市区])|"
    rf"[^{_WAY}\d]{{1,11}}?(?:特别行政区|自治区|自治州|自治县|自治旗|地区|省|盟(?=[^{_WAY}\d]))|"
    rf"[^{_WAY}\d]{{1,7}}?市(?![场民政中])|"
    rf"[^{_WAY}\d]{{1,7}}?(?<![小社校厂景片宅活商工])区(?![{_WAY}])|"
    rf"[^{_WAY}\d]{{1,7}}?[县旗](?![{_WAY}])"
)
_BARE_END = late(rf"(?![东西南北中]?[大里省市区县旗盟地{_WAY}])(?=[\u3400-\u9fff]{{2}})")
_SIGNS: Final = ("零〇", "一", "二两", *"三四五六七八九")
_DIGITS: Final = {sign: digit for digit, signs in enumerate(_SIGNS) for sign in signs}
_NUMERAL = late(r"[零〇一二两三四五六七八九十百]+(?=[号幢栋座室楼层弄期组队房户]|单元)")
_UNIT = late(
    r"号(?<=[0-9]号)[楼院房幢]?|[幢栋座门室房户楼层弄](?<=[0-9].)|单元(?<=[0-9]单元)|"
    r"[幢栋座室楼](?<=[^a-z][a-z].)|(?:号楼|单元)(?<=[^a-z][a-z]..)"
)
# What an address needs besides numbers and units.
_OWN_NAME = late(r"[^\W\d_号楼幢栋座单元室门房户层弄院期组]")
_RANGE = late(r"(?<=[0-9])[至到](?=[0-9])")
_MARKS = late(r"[^0-9a-z〇\u3400-\u9fff]+")
_LOOSE = late(r"(?<![0-9a-z])-|-(?![0-9a-z])|(?<=[a-z])-(?=[a-z])")
_SHORT: Final = """
street=st str=st avenue=ave av=ave road=rd boulevard=blvd drive=dr lane=ln court=ct place=pl square=sq
terrace=ter highway=hwy parkway=pkwy circle=cir trail=trl north=n south=s east=e west=w northeast=ne
northwest=nw southeast=se southwest=sw saint=st mount=mt fort=ft building=bldg floor=fl
"""
_STREET: Final = dict(pair.split("=") for pair in _SHORT.split())
_UNIT_WORDS: Final = frozenset(
    {"apartment", "apt", "unit", "suite", "ste", "flat", "room", "rm", "no", "number"}
)


def is_chinese(text: str) -> bool:
    """Tell whether an address is written in Chinese characters."""
    return _HAN.search(text) is not None


@lru_cache(maxsize=4096)
def canonical_address(text: str) -> str | None:
    """Give the canonical form of an address, None where the text holds no letter; idempotent."""
    folded = fold(text)
    found = _settle(folded) if is_chinese(folded) else folded
    if not is_chinese(found):
        found = _english(found)
    return found if any(map(str.isalpha, found)) else None


def _settle(text: str) -> str:
    """Apply the Chinese rules until nothing changes; each shortens the text or takes out a numeral."""
    text = _chinese(text)
    while _division_end(text) or _UNIT.search(text) or _NUMERAL.search(text) or _RANGE.search(text):
        before, text = text, _chinese(text)
        if before == text:
            break
    return text


def _chinese(text: str) -> str:
    text = without_divisions(_MARKS.sub("-", text.replace(" ", "").replace("#", "号")))
    text = _RANGE.sub("-", _NUMERAL.sub(lambda found: str(number_of(found[0])), text))
    text = _LOOSE.sub("", re.sub(r"-+", "-", _UNIT.sub("-", text)))
    return text.strip("-")


def without_divisions(text: str) -> str:
    """Take province, city and district, suffixed or not, off the front of a folded Chinese address."""
    before = None
    while before != text:
        before = text
        rest = text[_division_end(text) :].lstrip("-")
        text = rest if _OWN_NAME.search(rest) else text
    return text


def _division_end(text: str) -> int:
    """Give where the first division at the front of an address ends, 0 where there is none."""
    found = _ODD.match(text) or _SUFFIXED.match(text)
    if found:
        return found.end()
    ends = (end for end in (4, 3, 2) if text[:end] in _BARE_NAMES and _BARE_END.match(text, end))
    return next(ends, 0)


def number_of(numeral: str) -> int:
    """Read a Chinese numeral below a thousand, positional (一〇二) or not (一百零二)."""
    if "十" not in numeral and "百" not in numeral:
        return int("".join(str(_DIGITS[sign]) for sign in numeral))
    total, digit = 0, 0
    for sign in numeral:
        if sign in "十百":
            total += (digit or 1) * (10 if sign == "十" else 100)
            digit = 0
        else:
            digit = _DIGITS[sign]
    return total + digit


def _english(text: str) -> str:
    words = re.findall(r"[^\W_]+", text.replace("'", "").replace(".", " " if " " not in text else ""))
    return " ".join(_STREET.get(word, word) for word in words if word not in _UNIT_WORDS)
