"""The one gate: every value that is issued passes here, or SafetyError says why it does not."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache, lru_cache
from typing import cast

from canary.errors import SafetyError
from canary.generators.data import people_table
from canary.generators.doubts import doubtful_dates, doubtful_ids
from canary.generators.ids import (
    FIRST_CARDS,
    OLD_BIRTHS,
    YOUNG_BIRTHS,
    check_digit,
    is_safe_code,
    withdrawn_codes,
)
from canary.generators.phones import in_inert_block, outside_inert_blocks, phone_digits
from canary.generators.places import places

ADULT = 18
MASKS = "*＊•●×#?"
LEAST_X = 3
HIDDEN_DIGITS = 4  # fewest hidden ones that make a number a masked one
HIDDEN_OF_ID = 6
_ID = re.compile(r"\d{17}[\dX]")
_DATE = re.compile(r"(\d{4})\D{0,2}(\d{1,2})\D{0,2}(\d{1,2})")
_UNREAL_PLATE = re.compile(r"[IO]")


@dataclass(frozen=True, slots=True)
class Owned:
    """What is the organisation's own: mail domains, canonical phones, and ranges of numbers by role."""

    today: date
    domains: frozenset[str] = frozenset()
    phones: Container[str] = frozenset()
    ranges: Mapping[str, tuple[int, int]] = field(default_factory=dict)


def check(role: str, value: str, owned: Owned) -> None:
    """Pass a value of a role, or raise SafetyError with the reason; empty values pass."""
    rule = _RULES.get(role)
    if value and rule is not None:
        rule(value, owned)
    if value and role in owned.ranges:
        _check_range(role, value, owned.ranges[role])


def check_all(role: str, values: Iterable[str | None], owned: Owned) -> None:
    """Pass a column of values, or raise SafetyError with the reason; empty values pass."""
    if role in _RULES or role in owned.ranges:
        for value in _told_apart(role, values, owned):
            check(role, value, owned)


def _told_apart(role: str, values: Iterable[str | None], owned: Owned) -> Iterable[str]:
    """Give the values a rule may judge differently: of mails on one domain one, and none that are plainly good."""
    filled = list(filter(None, values))
    if role in owned.ranges:
        return filled
    if role == "email":
        return {value[value.rfind("@") :]: value for value in filled}.values()
    if role == "phone":
        return outside_inert_blocks(filled)
    doubtful = {"resident_id": doubtful_ids, "birth_date": doubtful_dates}.get(role)
    return doubtful(filled, _latest(owned.today)) if doubtful else filled


def is_masked(value: str, least: int = HIDDEN_DIGITS) -> bool:
    """Tell whether at least so many characters are hidden by mask signs in a row."""
    return _masks(least).search(value) is not None


@cache
def _masks(least: int) -> re.Pattern[str]:
    spelt = rf"(?<![A-Za-z])[xX]{{{max(least, LEAST_X)},}}(?![A-Za-z])"  # a lone x is a letter
    return re.compile(rf"[{re.escape(MASKS)}]{{{least},}}|{spelt}")


def is_public_provider(domain: str) -> bool:
    """Tell whether a mail domain is a public provider's, or lies below one."""
    parts = domain.lower().split(".")
    return any(".".join(parts[start:]) in _providers() for start in range(len(parts) - 1))


@cache
def _providers() -> frozenset[str]:
    return frozenset(cast("list[str]", people_table("mail_providers")["domains"]))


def _refuse(reason: str, hint: str) -> SafetyError:
    return SafetyError(reason, hint)


def _check_phone(value: str, owned: Owned) -> None:
    if in_inert_block(value) or value in owned.phones or is_masked(value):
        return
    digits = phone_digits(value)
    if digits is None or not (digits in owned.phones or in_inert_block(digits)):
        raise _refuse("a phone is neither owned nor inert", "add the number with canary contact add phone")


def _check_email(value: str, owned: Owned) -> None:
    domain = value.rpartition("@")[2].lower()
    if is_public_provider(domain):
        raise _refuse(f"mail on the public provider {domain}", "use a domain of your own")
    if "@" not in value or domain not in owned.domains:
        raise _refuse("mail on a domain that is not owned", "add it with canary contact add email-domain")


def _check_id(value: str, owned: Owned) -> None:
    if not value[:-1].isdigit() and is_masked(value, HIDDEN_OF_ID):
        return
    number = value.strip().upper()
    if not _ID.fullmatch(number):
        raise _refuse("a resident id that is not 18 characters long", "leave the column empty or masked")
    code, birth = number[:6], number[6:14]
    if number[0] == "9" or number[:2] in {"81", "82", "83"}:
        raise _refuse("a resident id of a permit's series", "leave the column empty or masked")
    _check_code(code, int(birth[:4]))
    _check_birth(birth, owned)
    if check_digit(number[:17]) != number[17]:
        raise _refuse("a resident id with a wrong check digit", "leave the column empty or masked")


@lru_cache(maxsize=16384)
def _check_code(code: str, year: int) -> None:
    if code in places().current or code not in withdrawn_codes():
        raise _refuse("a resident id whose county code may be in use", "leave the column empty or masked")
    if OLD_BIRTHS < year < YOUNG_BIRTHS:
        raise _refuse("a resident id of a birth from 1981 to 1985", "leave the column empty or masked")
    if not is_safe_code(code, year):
        when = f"before {FIRST_CARDS}" if year <= OLD_BIRTHS else "five years before the birth"
        raise _refuse(
            f"a resident id whose county code was not withdrawn {when}", "leave the column empty or masked"
        )


@cache
def _latest(today: date) -> str:
    """Give the last birth date of a grown person, as eight digits."""
    last = today.replace(year=today.year - ADULT, day=min(today.day, 28))
    return f"{last:%Y%m%d}"


def _check_birth(value: str, owned: Owned) -> None:
    ordered = (len(value) == 10 and value[4] == value[7] == "-") or (len(value) == 8 and value.isdigit())
    if ordered and value.replace("-", "") <= _latest(owned.today):
        return  # written as ISO dates are, in whose order days stand
    found = _DATE.match(value)
    if found is None:
        return  # a masked or odd spelling names no day
    year, month, day = (int(part) for part in found.groups())
    if (year + ADULT, month, day) > (owned.today.year, owned.today.month, owned.today.day):
        raise _refuse("a persona under 18", "personas are adults")


def _check_age(value: str, _: Owned) -> None:
    digits = re.search(r"\d+", value)
    if digits is not None and int(digits[0]) < ADULT:
        raise _refuse("a persona under 18", "personas are adults")


def _check_card(value: str, _: Owned) -> None:
    if sum(map(str.isdigit, value)) > 10 or not is_masked(value):
        raise _refuse("a bank card that is not masked", "mask it or leave it empty")


def _check_plate(value: str, _: Owned) -> None:
    if not is_masked(value, 2) and not _UNREAL_PLATE.search(value[2:].upper()):
        raise _refuse("a number plate that may be on the road", "leave it empty or masked")


def _check_range(role: str, value: str, bounds: tuple[int, int]) -> None:
    digits = re.sub(r"\D", "", value)
    if not digits or not bounds[0] <= int(digits) <= bounds[1]:
        raise _refuse(f"a {role} outside the reserved range", "widen the range or use the host's gaps")


_RULES: Mapping[str, Callable[[str, Owned], None]] = {
    "phone": _check_phone,
    "email": _check_email,
    "resident_id": _check_id,
    "bank_card": _check_card,
    "birth_date": _check_birth,
    "age": _check_age,
    "plate": _check_plate,
}
