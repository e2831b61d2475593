"""Canonical forms: one text for all spellings of one identifying value; all idempotent."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from canary.fields.address import canonical_address
from canary.fields.fold import fold, simplified, visible
from canary.fields.roles import FORMS, check_role
from canary.patterns import late

__all__ = ["canonical", "canonical_name", "fold", "name_address"]

PHONE_DIGITS = range(5, 16)  # E.164 allows 15; service numbers have 5
CODE_LENGTH = 64

_SCHEME = late(r"^(?:tel|sms|smsto|callto|mobile|phone|fax|mailto)\s*:\s*(?://)?", re.I)
_EXTENSION = late(r"\s*(?:;|,|转|#|x|ext\.?|extension)\s*(?:ext=)?\d{1,6}$", re.I)
_PHONE_MARKS = late(r"[\s\-.()/·•_\[\]{}|\\*<>'\",:~+–—‐‑−]+")
_EMAIL = late(r"[^\s@<>()\[\],;:\"\\]{1,64}@[^\s@<>()\[\],;:\"\\/]{1,190}\.[^\W\d_][\w-]{0,61}[^\W_]\Z")
_PLAIN_MAIL = late(r"[A-Za-z0-9][A-Za-z0-9._%+@-]*[A-Za-z0-9]")  # nothing to fold but its case
_MOBILE = late(r"1[3-9]\d{9}\Z")
_FLOAT = late(r"(\d{4,})\.0+\Z")
_EXPONENT = late(r"\d(?:\.\d+[eE]\+?|[eE]\+)\d{1,2}\Z")


def canonical(role: str, text: str) -> str | None:
    """Give the canonical form of a value, None where it is none of this role; UsageError on unknown roles."""
    form = FORMS.get(role)
    if form is None:
        check_role(role)
        return fold(text) or None
    if form == "phone":
        return canonical_phone(text)
    if form == "email":
        return canonical_email(text)
    if form == "code":
        return canonical_code(text)
    return canonical_address(text) if form == "address" else _split_name_address(text)


def canonical_phone(text: str) -> str | None:
    """Give the digits of a phone: 11 for a Chinese mobile, else national as written or E.164 without '+'."""
    text = _SCHEME.sub("", _plain(text))
    text = _EXTENSION.sub("", text) if len(text) > 11 else text
    digits = _PHONE_MARKS.sub("", text)
    if not digits.isascii() or not digits.isdigit():
        return None
    international = text.lstrip(" ([").startswith("+")
    digits = _national(digits, international)
    return digits if len(digits) in PHONE_DIGITS else None


def _national(digits: str, international: bool) -> str:
    while digits.startswith("00") and len(digits) > len("00") + 4:
        digits, international = digits[2:], True
    rest = digits[2:]
    if digits.startswith("86") and _MOBILE.match(rest):
        return rest
    if international and digits.startswith("86") and len(rest) in (9, 10, 11) and rest[0] not in "01":
        return "0" + rest
    if digits.startswith("0") and _MOBILE.match(digits[1:]):
        return digits[1:]
    return digits


def canonical_email(text: str) -> str | None:
    """Give a mail address in lower case and NFKC."""
    plain = _PLAIN_MAIL.fullmatch(text)
    text = text.lower() if plain else _SCHEME.sub("", fold(text)).strip(" <>\"'.,;")
    return text if _EMAIL.match(text) else None


def canonical_code(text: str) -> str | None:
    """Give the letters and digits of a code in upper case; a code has at least one digit."""
    text = _plain(text)
    code = text.upper()
    if not (code.isascii() and code.isalnum()):
        code = _upper_letters(text)
    return code if 0 < len(code) <= CODE_LENGTH and any(map(str.isdigit, code)) else None


def _upper_letters(text: str) -> str:
    before = None
    while before != text:
        before = text
        text = "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text.upper())))
    return text


@lru_cache(maxsize=4096)
def canonical_name(text: str) -> str:
    """Give a name without blanks and marks; the words of a Latin name in alphabetical order."""
    folded = fold(text)
    if folded.isascii():
        return " ".join(sorted(re.findall(r"[a-z0-9]+", folded)))
    return "".join(filter(str.isalnum, folded))


def name_address(name: str, address: str) -> str | None:
    """Give the canonical form of a name with its address, None where either is missing."""
    who, where = canonical_name(name), canonical_address(address)
    return f"{who}|{where}" if who and where else None


def _split_name_address(text: str) -> str | None:
    name, mark, address = text.partition("|")
    return name_address(name, address) if mark else None


def _plain(text: str) -> str:
    """Fold width and drop what is invisible; undo the float or exponent a spreadsheet made of a number."""
    if not text.isascii():
        text = visible(unicodedata.normalize("NFKC", simplified(text)))
    text = text.strip()
    whole = _FLOAT.match(text)
    if whole:
        return whole[1]
    return _expanded(text) if _EXPONENT.match(text) else text


def _expanded(text: str) -> str:
    try:
        value = Decimal(text)
    except InvalidOperation:  # pragma: no cover - the pattern admits numbers alone
        return text
    return str(int(value)) if value == value.to_integral_value() and value < 10**20 else text
