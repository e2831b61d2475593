"""Personas of other locales: names, streets and towns by Faker, house numbers by draws that are counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache

from canary.errors import UsageError
from canary.generators.draws import bits_of, integers
from canary.generators.emails import latin_letters
from canary.generators.people import Drawn, Wish

HOUSES, APARTMENTS = 8900, 400
POOL = 400  # names and streets that one locale's pool holds
TOWNS = 120
POOL_SEED = 20_260  # a pool only lists what Faker knows; which entry is taken is drawn


@dataclass(frozen=True, slots=True)
class Town:
    """A town with the division it lies in and its postcode."""

    region: str
    name: str
    postcode: str


@dataclass(frozen=True, slots=True)
class Pool:
    """What Faker knows of one locale, as lists to draw from."""

    given: dict[str, tuple[str, ...]]
    surnames: tuple[str, ...]
    streets: tuple[str, ...]
    towns: tuple[Town, ...]
    surname_first: bool


@lru_cache(maxsize=8)
def pool(locale: str) -> Pool:
    """List what Faker knows of a locale; raises UsageError where it does not know the locale."""
    from faker import Faker

    try:
        fake = Faker(locale)
    except (AttributeError, ValueError, ImportError):
        raise UsageError(
            f"unknown locale {locale!r}", "use zh_CN or a locale of Faker such as en_US, en_GB, de_DE, ja_JP"
        ) from None
    fake.seed_instance(POOL_SEED)
    given = {"M": _many(fake.first_name_male, POOL), "F": _many(fake.first_name_female, POOL)}
    towns = tuple(_town(fake) for _ in range(TOWNS))
    return Pool(
        given,
        _many(fake.last_name, POOL),
        _many(fake.street_name, POOL),
        towns,
        locale[:2] in {"ja", "ko", "zh", "hu"},
    )


def _many(draw: Callable[[], object], count: int) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(draw()) for _ in range(count)))


def _town(fake: object) -> Town:
    region, short = "", ""
    if hasattr(fake, "state_abbr") and hasattr(fake, "postcode_in_state"):
        short = str(fake.state_abbr(include_territories=False, include_freely_associated_states=False))
        return Town(short, str(_call(fake, "city")), str(fake.postcode_in_state(short)))
    for name in ("administrative_unit", "state", "prefecture", "province", "region", "county"):
        if hasattr(fake, name):
            region = str(_call(fake, name))
            break
    return Town(region, str(_call(fake, "city")), str(_call(fake, "postcode")))


def _call(fake: object, name: str) -> object:
    return getattr(fake, name)()


class FakerPeople(Drawn):
    """Personas of one Faker locale; they have no identity numbers."""

    def __init__(self, seed: int, count: int, today: date, wish: Wish, locale: str) -> None:
        super().__init__(seed, count, today, wish)
        self._pool = pool(locale)

    def _take(self, column: int, texts: Sequence[str]) -> list[str]:
        return [texts[index] for index in integers(self.gen(column), self.count, len(texts))]

    @cached_property
    def names(self) -> list[str]:
        """Draw names that fit the sex."""
        surnames = self._take(3, self._pool.surnames)
        men, women = (self._take(4, self._pool.given[sex]) for sex in "MF")
        given = [man if sex == "M" else woman for man, woman, sex in zip(men, women, self.sexes, strict=True)]
        if self._pool.surname_first:
            return [f"{last} {first}" for first, last in zip(given, surnames, strict=True)]
        return [f"{first} {last}" for first, last in zip(given, surnames, strict=True)]

    @property
    def name_bits(self) -> list[float]:
        """Give 0: Faker's weights are not ours to count."""
        return [0.0] * self.count

    @property
    def letters(self) -> list[tuple[str, str]]:
        """Spell the names for aliases."""
        return [latin_letters(name) for name in self.names]

    @property
    def id_numbers(self) -> list[str]:
        """Give '': no identity number of another country is known to be safe."""
        return [""] * self.count

    @property
    def id_bits(self) -> list[float]:
        """Give 0."""
        return [0.0] * self.count

    @cached_property
    def _towns(self) -> list[Town]:
        return [self._pool.towns[index] for index in integers(self.gen(2), self.count, len(self._pool.towns))]

    @cached_property
    def streets(self) -> list[str]:
        """Draw house, street and apartment."""
        gen = self.gen(6)
        houses, flats = integers(gen, self.count, HOUSES), integers(gen, self.count, APARTMENTS)
        names = self._take(7, self._pool.streets)
        return [
            f"{house + 100} {name} Apt {flat + 1}"
            for house, name, flat in zip(houses, names, flats, strict=True)
        ]

    @property
    def address_bits(self) -> list[float]:
        """Give the min-entropy of house and apartment numbers, street and town being known."""
        return [bits_of(HOUSES, APARTMENTS)] * self.count

    @cached_property
    def addresses(self) -> list[str]:
        """Write whole addresses."""
        return [
            f"{street}, {town.name}, {town.region} {town.postcode}".replace(",  ", ", ")
            for street, town in zip(self.streets, self._towns, strict=True)
        ]

    @property
    def provinces(self) -> list[str]:
        """Give states or their like."""
        return [town.region for town in self._towns]

    @property
    def cities(self) -> list[str]:
        """Give towns."""
        return [town.name for town in self._towns]

    @property
    def districts(self) -> list[str]:
        """Give '': Faker knows no districts that belong to its towns."""
        return [""] * self.count

    @property
    def postcodes(self) -> list[str]:
        """Give postcodes of the towns."""
        return [town.postcode for town in self._towns]
