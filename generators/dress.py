"""Writing a persona's values as the host spells them: separators, masks, dates, short or whole names of places."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from functools import cached_property, lru_cache
from random import Random

from canary.generators.clocks import Clock
from canary.generators.draws import bits_of
from canary.generators.places import County, places, short
from canary.generators.safety import MASKS, is_masked
from canary.model.record import Persona

MOST = 0.5
_HIDDEN = re.compile(rf"[{re.escape(MASKS)}]+|[xX]{{3,}}")
_PAIRS = (
    ("男", "女"), ("男性", "女性"), ("M", "F"), ("m", "f"), ("Male", "Female"), ("male", "female"), ("MALE", "FEMALE"),
    ("1", "2"), ("1", "0"), ("先生", "女士"), ("Mr", "Ms"),
)  # fmt: skip
_DIVISIONS = re.compile(
    r"(?P<p>[^省市区县\d]{2,7}?(?:省|自治区|市))?"
    r"\s*(?P<c>[^省市区县\d]{2,10}?(?:市|州|盟|地区))?\s*(?P<d>[^省市区县\d]{1,10}?[区县旗市])?"
)
_DIVISION = r"(?:省|市|区|县|自治州|盟|旗)$"


class Sample:
    """The filled values of one host column, and what has been asked about them."""

    def __init__(self, values: Sequence[str]) -> None:
        self.values = tuple(values)
        self.distinct = frozenset(values)
        self._shares: dict[str, bool] = {}

    def mostly(self, pattern: str) -> bool:
        """Tell whether most values hold a pattern."""
        if pattern not in self._shares:
            found = re.compile(pattern)
            self._shares[pattern] = sum(map(bool, map(found.search, self.values))) > MOST * len(self.values)
        return self._shares[pattern]

    @cached_property
    def masked(self) -> tuple[str, ...]:
        """Give the values that are masked."""
        return tuple(value for value in self.values if is_masked(value, 1))

    @cached_property
    def is_masked(self) -> bool:
        """Tell whether the column is mostly masked."""
        return sum(is_masked(value, 2) for value in self.values) > MOST * len(self.values)

    @cached_property
    def style(self) -> str:
        """Tell how much stands before the road in addresses: full, short, city, district or street."""
        table = places()
        provinces = {county.province for county in table.counties}
        tests = {
            "full": tuple(provinces),
            "short": tuple(short(province) for province in provinces),
            "city": tuple({county.city for county in table.counties}),
            "district": tuple({county.district for county in table.counties}),
        }
        votes = [
            next((style for style, names in tests.items() if value.startswith(names)), "street")
            for value in self.values[:300]
        ]
        return max(sorted(set(votes)), key=votes.count) if votes else "full"


def phone(text: str, sample: Sample, rng: Random) -> str:
    """Write a phone with the separators, country code or mask of some value of the sample."""
    digits = re.sub(r"\D", "", text)
    if not text or not sample.values:
        return text
    for _ in range(8):
        shape = rng.choice(sample.values)
        dressed = _into_shape(digits, shape)
        if dressed is not None:
            return dressed
    return text if text.startswith("(") and sample.mostly(r"^\(") else digits


def _into_shape(digits: str, shape: str) -> str | None:
    """Put digits into the digit and mask places of a shape, from the right; None where they do not fit."""
    if shape.isdigit() and len(shape) == len(digits):
        return digits
    cells = [at for at, letter in enumerate(shape) if letter.isdigit() or letter in MASKS + "xX"]
    country = re.match(r"\s*(?:\+|00)?86", shape) if len(cells) > 11 else None
    spare = len(cells) - len(digits)
    if spare == -1 and digits[0] == "1" and not country:
        digits, spare = digits[1:], 0  # a North American number without its country code
    keep = (spare in (2, 4) and country is not None) or (spare == 1 and shape.lstrip("+(").startswith("1"))
    if spare < 0 or (spare > 0 and not keep):
        return None
    letters = list(shape)
    for at, digit in zip(cells[spare:], digits, strict=True):
        letters[at] = digit if shape[at].isdigit() else shape[at]
    return "".join(letters)


def hidden_part(shape: str) -> tuple[int, int]:
    """Give the ends of the longest hidden part of a masked value, (0, 0) where nothing is hidden."""
    runs = [found.span() for found in _HIDDEN.finditer(shape)]
    return max(runs, key=lambda run: run[1] - run[0], default=(0, 0))


def masked_text(text: str, sample: Sample, rng: Random) -> str:
    """Hide the part of a text that a masked value of the sample hides, counted from both ends."""
    if not sample.masked or not text:
        return text
    shape = rng.choice(sample.masked)
    start, end = hidden_part(shape)
    tail = len(shape) - end
    length = max(len(text), len(shape)) - start - tail
    return text[:start] + shape[start] * max(1, length) + (text[len(text) - tail :] if tail else "")


def name(persona: Persona, sample: Sample, rng: Random) -> str:
    """Write a name as the host does: masked, with a form of address, in capitals, surname first."""
    if sample.is_masked or sample.mostly(r"[*＊]"):
        return masked_text(persona.name, sample, rng)
    if sample.mostly(r"(?:先生|女士|小姐)$"):
        return persona.name[:1] + ("先生" if persona.sex == "M" else "女士")
    text = persona.name
    if " " in text and sample.mostly(r"^[^,]+, \S"):
        first, _, last = text.rpartition(" ")
        text = f"{last}, {first}"
    return text.upper() if sample.mostly(r"^[^a-z]*[A-Z][^a-z]*$") else text


def sex(persona: Persona, sample: Sample) -> str:
    """Write a sex with the host's pair of words."""
    seen = sample.distinct
    for man, woman in _PAIRS:
        if seen and seen <= {man, woman}:
            return man if persona.sex == "M" else woman
    for man, woman in _PAIRS:
        if {man, woman} & seen:
            return man if persona.sex == "M" else woman
    return "男" if persona.sex == "M" else "女"


def sex_of(text: str, sample: Sample) -> str:
    """Read a sex spelt with the host's pair of words, '' where it is none of them."""
    pairs = [pair for pair in _PAIRS if set(pair) & sample.distinct]
    man, woman = next(
        (pair for pair in pairs if sample.distinct <= set(pair)), pairs[0] if pairs else ("", "")
    )
    return "M" if text and text == man else "F" if text and text == woman else ""


def sexes_of(sample: Sample) -> frozenset[str]:
    """Tell which sexes a column holds; both where it is not known."""
    men = {man for man, _ in _PAIRS} & sample.distinct
    women = {woman for _, woman in _PAIRS} & sample.distinct
    known = ({"M"} if men else set()) | ({"F"} if women else set())
    return frozenset(known) if len(sample.values) >= 20 and known else frozenset("MF")


def birth_date(persona: Persona, clock: Clock | None, sample: Sample) -> str:
    """Write a birth date as the host does."""
    if clock is not None:
        return clock.spelling.format(datetime(*persona.birth_date.timetuple()[:3]))
    if sample.mostly(r"^\d{4}$"):
        return str(persona.birth_date.year)
    return persona.birth_date.isoformat()


def age(persona: Persona, today: date, sample: Sample) -> str:
    """Write an age in years with the host's word around it."""
    born = persona.birth_date
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    around = next((value for value in sample.values if re.fullmatch(r"\D*\d{1,3}\D*", value)), "0")
    return re.sub(r"\d{1,3}", str(years), around, count=1)


def division(text: str, sample: Sample) -> str:
    """Write a province or city whole or without its suffix, as the host does."""
    return text if not sample.values or sample.mostly(_DIVISION) else short(text)


def address(persona: Persona, sample: Sample) -> str:
    """Write an address with as much before the road as the host has."""
    chain = (persona.province, persona.city if persona.city != persona.province else "", persona.district)
    street = persona.address.removeprefix("".join(chain))
    if street == persona.address:  # not a Chinese one
        alone = sample.values and not sample.mostly(",")
        return persona.address.partition(",")[0] if alone else persona.address
    gap = " " if sample.mostly(r"^\S{2,12}[省市区] ") else ""
    return gap.join([*filter(None, _before_road(sample.style, chain)), street])


def _before_road(style: str, chain: tuple[str, str, str]) -> tuple[str, ...]:
    """Give what stands before the road in one style of addresses."""
    province, city, district = chain
    if style == "short":
        return short(province), short(city), district
    kept = {"full": chain, "city": (city or province, district), "district": (district,)}
    return kept.get(style, ())


@lru_cache(maxsize=8192)
def divisions_of(text: str) -> tuple[str, str, str]:
    """Read province, city and district off the front of a Chinese address ('' where they are not there)."""
    found = _DIVISIONS.match(text)
    return (found["p"] or "", found["c"] or "", found["d"] or "") if found else ("", "", "")


def mail(text: str, sample: Sample) -> str:
    """Write an alias as the host does: masked where the host masks, else as it is."""
    if not text or not sample.mostly(r"^[^@]*\*\*[^@]*@"):
        return text
    local, _, domain = text.partition("@")
    return f"{local[0]}***{local[-1]}@{domain}"


PLATE_BITS = bits_of(10**4, 2 * 5)  # four digits, and I or O at one of five places


def plate(rng: Random, sample: Sample) -> str:
    """Draw a number plate that was never given out: its serial has an I or O, which no serial has."""
    prefix = rng.choice(sample.values)[:2] if sample.values else "京A"
    length = (
        max(5, min(6, len(re.sub(r"[^0-9A-Za-z]", "", rng.choice(sample.values))) - 1))
        if sample.values
        else 5
    )
    serial = [rng.choice("0123456789") for _ in range(length)]
    serial[rng.randrange(length)] = rng.choice("IO")
    dot = "·" if sample.mostly("·") else ""
    return prefix + dot + "".join(serial)


def card(rng: Random, sample: Sample) -> str:
    """Draw a masked bank card: the host's mask where it has one, its last four digits drawn."""
    masked = [value for value in sample.masked if is_masked(value)]
    if not masked:
        return "622202*********" + f"{rng.randrange(10_000):04d}"
    shape = rng.choice(masked)
    cut = shape[hidden_part(shape)[1] :]
    return shape[: len(shape) - len(cut)] + re.sub(r"\d", lambda _: rng.choice("0123456789"), cut)


def county_of(persona: Persona) -> County | None:
    """Give the county a persona lives in."""
    found = places().find(persona.province, persona.city, persona.district)
    return places().counties[found[0]] if found else None
