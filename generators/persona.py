"""Consistent fake persons of any locale, none of them anybody real."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING

from canary.errors import UsageError
from canary.generators.draws import generator
from canary.generators.emails import NAME_LETTERS, AliasDraw, Ways
from canary.generators.foreign import FakerPeople
from canary.generators.people import ChinesePeople, People, Wish
from canary.generators.phones import PhoneDraw
from canary.generators.places import places
from canary.generators.safety import Owned, check_all
from canary.model.record import Persona
from canary.uncollected import uncollected

if TYPE_CHECKING:
    import numpy as np

OWN_LOCALE = "zh_CN"
ANY = Wish()
REGION_OF_LANGUAGE = {"zh": "CN", "en": "US", "fr": "FR"}


class Personas:
    """Draws personas of a locale from the randomness, domains and phones handed in.

    `phones` are canonical digits, each used once before any is used again (`pool`: how many they were drawn
    from); without them phones are inert. Without `domains` there is no mail.
    """

    def __init__(
        self,
        locale: str,
        rng: Random,
        domains: Sequence[str] = (),
        phones: Sequence[str] = (),
        *,
        today: date,
        pool: int | None = None,
    ) -> None:
        self.locale, self.today, self.domains = locale, today, tuple(domains)
        self._rng = rng
        self.aliases = AliasDraw(domains)
        self._domain_shares: Sequence[float] | None = None
        language, _, region = locale.partition("_")
        self.phones = PhoneDraw(phones, region or REGION_OF_LANGUAGE.get(language, ""), pool)
        self.owned = Owned(today, frozenset(self.aliases.domains), frozenset(self.phones.owned))

    @property
    def chinese(self) -> bool:
        """Tell whether these are personas of China."""
        return self.locale == OWN_LOCALE

    def people(self, count: int, wish: Wish = ANY) -> People:
        """Draw personas as columns."""
        seed = self._rng.getrandbits(128)
        if self.chinese:
            return ChinesePeople(seed, count, self.today, wish)
        return FakerPeople(seed, count, self.today, wish, self.locale)

    def mails(self, people: People, ways: Ways | None = None) -> list[str]:
        """Draw an alias for each person, in the ways of a host if handed in; '' without a domain of our own."""
        if not self.domains:
            return [""] * len(people.sexes)
        letters = people.letters
        whole, heads = [name for name, _ in letters], [head for _, head in letters]
        gen = generator(self._rng)
        if ways is None:
            return self.aliases.draw(gen, whole, heads)
        return self.aliases.like(gen, whole, heads, ways, self._shares(gen, ways, len(whole)))

    def _shares(self, gen: np.random.Generator, ways: Ways, aliases: int) -> Sequence[float]:
        """Give the shares of our domains among aliases like a host's: settled once, so that all draws add up."""
        if self._domain_shares is None:
            self._domain_shares = ways.shares(gen, len(self.aliases.domains), aliases)
        return self._domain_shares

    def again(self, persona: Persona, ways: Ways | None = None) -> str:
        """Draw one more alias for a persona."""
        head, _, _ = persona.email.partition("@")
        letters = (
            "".join(letter for letter in head.partition(".")[0] if letter.isalpha())[:NAME_LETTERS] or "user"
        )
        gen = generator(self._rng)
        if ways is None:
            return self.aliases.draw(gen, [letters], [letters[:2]])[0]
        return self.aliases.like(gen, [letters], [letters[:2]], ways, self._shares(gen, ways, 1))[0]

    def calls(self, count: int) -> list[str]:
        """Draw phones, '' where none is owned and the region has no inert block."""
        return self.phones.draw(generator(self._rng), count)

    def draw(self, count: int, wish: Wish = ANY) -> list[Persona]:
        """Draw personas one by one in every field; raises SafetyError rather than give an unsafe one."""
        if count < 0:
            raise UsageError(f"cannot draw {count} personas", "give a number of 0 or more")
        with uncollected():
            return self._drawn(count, wish)

    def _drawn(self, count: int, wish: Wish) -> list[Persona]:
        people = self.people(count, wish)
        none = [""] * count
        mails = none if "email" in wish.without else self.mails(people, wish.ways)
        phones, (numbers, id_bits) = self.calls(count), self._ids(people, wish)
        gate = (
            ("email", mails), ("phone", phones), ("resident_id", numbers), ("birth_date", people.birth_texts),
        )  # fmt: skip
        for role, column in gate:
            check_all(role, column, self.owned)
        columns = zip(
            people.names, people.sexes, people.births, numbers, people.provinces, people.cities,
            people.districts, people.addresses, people.postcodes, mails, phones, mails,
            self._bits(people, id_bits, wish), strict=True,
        )  # fmt: skip
        return list(map(Persona._make, columns))

    def _ids(self, people: People, wish: Wish) -> tuple[Sequence[str], Sequence[float]]:
        if "resident_id" in wish.without:
            return [""] * len(people.sexes), [0.0] * len(people.sexes)
        return people.id_numbers, people.id_bits

    def _bits(self, people: People, id_bits: Sequence[float], wish: Wish) -> list[dict[str, float]]:
        email, phone = self.aliases.bits(wish.ways), self.phones.bits
        bits = list(zip(people.name_bits, id_bits, people.address_bits, strict=True))
        known = {
            each: {
                "name": each[0],
                "resident_id": each[1],
                "address": each[2],
                "email": email,
                "phone": phone,
            }
            for each in set(bits)
        }
        return [known[each] for each in bits]

    def counties(self, province: str, city: str, district: str) -> tuple[int, ...]:
        """Give the counties that lie in the divisions named, for a wish; none for other locales."""
        return _counties(province, city, district) if self.chinese else ()


@lru_cache(maxsize=8192)
def _counties(province: str, city: str, district: str) -> tuple[int, ...]:
    return places().find(province, city, district)
