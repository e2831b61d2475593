"""What a persona has besides itself: a number plate and an employer, neither of which exists."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from canary.generators.data import people_table, words
from canary.generators.draws import integers
from canary.generators.people import ChinesePeople, People
from canary.generators.places import short

PLATE_LETTERS = "ABCDE"  # the towns of every province have these
SERIAL = 5
UNREAL = "IO"  # no serial that was given out has one of them (GA 36)
_HEADS = {
    "11": "京", "12": "津", "13": "冀", "14": "晋", "15": "蒙", "21": "辽", "22": "吉", "23": "黑",
    "31": "沪", "32": "苏", "33": "浙", "34": "皖", "35": "闽", "36": "赣", "37": "鲁", "41": "豫",
    "42": "鄂", "43": "湘", "44": "粤", "45": "桂", "46": "琼", "50": "渝", "51": "川", "52": "贵",
    "53": "云", "54": "藏", "61": "陕", "62": "甘", "63": "青", "64": "宁", "65": "新",
}  # fmt: skip


def plates(people: People) -> Sequence[str]:
    """Draw a number plate of each one's province that was never given out; '' outside China."""
    if not isinstance(people, ChinesePeople):
        return [""] * len(people.sexes)
    gen, count = people.gen(20), people.count
    letters, serials = integers(gen, count, len(PLATE_LETTERS)), integers(gen, count, 10 ** (SERIAL - 1))
    signs, spots = integers(gen, count, len(UNREAL)), integers(gen, count, SERIAL)
    return [
        f"{_HEADS[county.code[:2]]}{PLATE_LETTERS[letter]}{_with(f'{serial:04d}', UNREAL[sign], spot)}"
        for county, letter, serial, sign, spot in zip(
            people.counties, letters, serials, signs, spots, strict=True
        )
    ]


def _with(digits: str, sign: str, spot: int) -> str:
    return digits[:spot] + sign + digits[spot:]


def employers(people: People) -> Sequence[str]:
    """Draw an employer in each one's town, by a name that no company can be registered under; '' outside China."""
    if not isinstance(people, ChinesePeople):
        return [""] * len(people.sexes)
    gen, count = people.gen(21), people.count
    parts = (
        [texts[index] for index in integers(gen, count, len(texts))]
        for texts in map(_employer_words, ("brands", "trades", "forms"))
    )
    towns = [_town(county.city, county.province) for county in people.counties]
    return ["".join(row) for row in zip(towns, *parts, strict=True)]


def _town(city: str, province: str) -> str:
    return short(province) if city.endswith("自治州") else short(city)


@cache
def _employer_words(key: str) -> tuple[str, ...]:
    return words(people_table("employers_zh"), key)


def chains(people: People) -> Sequence[str]:
    """Give how each one's address begins: province, city and district; '' outside China."""
    if not isinstance(people, ChinesePeople):
        return [""] * len(people.sexes)
    return [county.chain for county in people.counties]
