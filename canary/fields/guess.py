"""The role of every column: from its heading, and from its values where these contradict it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from canary.fields import values
from canary.fields.canonical import canonical_code
from canary.fields.headings import role_of_heading
from canary.fields.times import TimeFormat, detect_format
from canary.fields.values import mostly

SAMPLE = 1000  # values looked at, a column
SURE = 0.8  # share of values that overrules a heading
FAIR = 0.5  # share of values that a heading needs
DENSE = 4  # a key column's span is at most so many times its length

_QUANTITY = re.compile(r"[¥￥$€£]?\s*[+-]?[\d,]+(?:\.\d+)?\s*(?:%|[A-Za-z]{1,3}|[\u4e00-\u9fff㎡]{1,3})?")
_SEXES = frozenset({"男", "女", "男性", "女性", "m", "f", "male", "female", "未知"})
_NUMERIC = frozenset({"money", "measure", "count", "age"})
_CODES = frozenset({"resident_id", "waybill_no", "order_no", "record_no", "bank_card", "plate"})


def guess_roles(headings: Sequence[str], sample: Mapping[str, Sequence[str | None]]) -> dict[str, str]:
    """Give every heading a role ("other" at worst)."""
    return {heading: guess_role(heading, sample.get(heading, ())) for heading in headings}


def guess_role(heading: str, column: Sequence[str | None]) -> str:
    """Give the role of one column."""
    filled = [value.strip() for value in column[:SAMPLE] if value is not None and value.strip()]
    named = role_of_heading(heading)
    if not filled:
        return named or "other"
    return _sure_role(filled, named) or _fitting(named, filled) or _role_of_values(filled)


def _sure_role(filled: Sequence[str], named: str | None) -> str | None:
    """Give the role that the values alone make certain."""
    tests: tuple[tuple[str, Callable[[str], bool]], ...] = (
        ("email", values.is_email),
        ("url", values.is_url),
        ("plate", values.is_plate),
        ("resident_id", values.is_resident_id),
    )
    for role, test in tests:
        if mostly(filled, test, SURE):
            return role
    if named not in _CODES | {"key", "date", "time"} and mostly(filled, values.is_phone, SURE):
        return "phone"
    return None


def _fitting(named: str | None, filled: Sequence[str]) -> str | None:
    """Give the role the heading names, or one near it that the values fit; None where they contradict it."""
    if named in ("date", "time", "birth_date"):
        return _time_role(named, detect_format(filled, SURE))
    if named == "key":
        return "key" if mostly(filled, values.is_integer, SURE) else _code_or_none(filled)
    if named in ("name", "account_no") and mostly(filled, values.is_integer, SURE):
        return "account_no"
    if named is not None and mostly(filled, _test_of(named), FAIR):
        return named
    return None


def _time_role(named: str, found: TimeFormat | None) -> str | None:
    if found is None:
        return None
    if named == "birth_date":
        return named
    return "time" if found.has_clock else "date"


def _code_or_none(filled: Sequence[str]) -> str | None:
    return "record_no" if mostly(filled, is_code, SURE) else None


def _test_of(role: str) -> Callable[[str], bool]:
    if role == "phone":
        return lambda text: values.is_dialled(text) or "*" in text
    if role == "email":
        return lambda text: "@" in text
    if role in _CODES:
        return lambda text: canonical_code(text) is not None and not values.is_date(text)
    if role in _NUMERIC:
        return lambda text: _QUANTITY.fullmatch(text) is not None
    if role in ("name", "address", "employer", "school", "company"):
        return lambda text: not values.is_number(text) and not values.is_date(text)
    return lambda _: True


def is_code(text: str) -> bool:
    """Tell whether a value looks like a code: one word of 4 to 64 letters and digits, with a digit."""
    return re.fullmatch(r"(?=.*\d)[A-Za-z0-9][A-Za-z0-9_\-./]{3,63}", text) is not None


def _role_of_values(filled: Sequence[str]) -> str:
    found = detect_format(filled, SURE)
    if found is not None:
        return "time" if found.has_clock else "date"
    distinct = len(set(filled)) / len(filled)
    if distinct > FAIR and mostly(filled, values.is_waybill, SURE):
        return "waybill_no"
    if distinct > FAIR and mostly(filled, values.is_bank_card, 0.95):
        return "bank_card"
    if mostly(filled, values.is_number, SURE):
        return _role_of_numbers(filled)
    return _role_of_words(filled, distinct)


def _role_of_numbers(filled: Sequence[str]) -> str:
    if not mostly(filled, values.is_integer, SURE):
        return (
            "measure"
            if mostly(filled, values.is_number, SURE) and not all(map(str.isdigit, filled))
            else "code"
        )
    numbers = [int(float(text)) if "." in text else int(text) for text in filled if values.is_integer(text)]
    if is_key(numbers):
        return "key"
    longest = max(map(len, filled))
    if longest >= 6:
        return "code"
    return "count" if len(set(numbers)) > 1 else "category"


def is_key(numbers: Sequence[int]) -> bool:
    """Tell whether whole numbers are a key: at least three, all different, and dense or rising."""
    if len(numbers) < 3 or len(set(numbers)) < len(numbers):
        return False
    rising = all(before < after for before, after in pairwise(numbers))
    return rising or max(numbers) - min(numbers) < DENSE * len(numbers)


def _role_of_words(filled: Sequence[str], distinct: float) -> str:
    if {text.lower() for text in filled} <= _SEXES:
        return "sex"
    if mostly(filled, values.is_address, FAIR):
        return "address"
    if mostly(filled, is_code, SURE):
        return "record_no" if distinct > 0.95 else "code"
    if distinct > 0.3 and mostly(filled, values.is_han_name, SURE):
        return "name"
    if distinct <= 0.2 and len(filled) >= 10:
        return "category"
    if distinct > FAIR and mostly(filled, values.is_latin_name, SURE):
        return "name"
    return "text" if mostly(filled, lambda text: len(text) > 12, FAIR) else "other"
