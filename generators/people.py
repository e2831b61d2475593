"""Many personas as columns; each column is drawn when it is first asked for, by randomness of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import zip_longest
from typing import TYPE_CHECKING, Protocol

from canary.generators.addresses import draw_streets, street_tables
from canary.generators.draws import integers
from canary.generators.emails import Ways, chinese_letters
from canary.generators.ids import OLD_BIRTHS, draw_ids
from canary.generators.likeness import Home, Named
from canary.generators.names import draw_given, name_tables
from canary.generators.places import County, places

if TYPE_CHECKING:
    import numpy as np

YOUNGEST, OLDEST = 18, 80
PLENTY = 1988  # first birth year of the young with hundreds of safe county codes


class People(Protocol):
    """Columns of one batch of personas, all of one length; `*_bits` go with the column of that name."""

    # ruff: noqa: D102

    @property
    def sexes(self) -> Sequence[str]: ...
    @property
    def births(self) -> Sequence[date]: ...
    @property
    def names(self) -> Sequence[str]: ...
    @property
    def name_bits(self) -> Sequence[float]: ...
    @property
    def id_numbers(self) -> Sequence[str]: ...
    @property
    def id_bits(self) -> Sequence[float]: ...
    @property
    def provinces(self) -> Sequence[str]: ...
    @property
    def cities(self) -> Sequence[str]: ...
    @property
    def districts(self) -> Sequence[str]: ...
    @property
    def streets(self) -> Sequence[str]: ...
    @property
    def addresses(self) -> Sequence[str]: ...
    @property
    def address_bits(self) -> Sequence[float]: ...
    @property
    def postcodes(self) -> Sequence[str]: ...
    @property
    def letters(self) -> Sequence[tuple[str, str]]: ...


@dataclass(frozen=True, slots=True)
class Wish:
    """What personas are to be: the counties (indexes) each may live in, their sexes, born when a safe id exists.

    `ages` are the least and greatest in whole years (None: 18 to 80); `without` names what nobody needs of them
    ('email', 'resident_id'): it is not drawn and stays empty. `sex`, `born`, `named` and `homes` hold, row by row,
    what is settled already ('' or None: drawn); `ways` are the shapes of aliases (None: our own).
    """

    where: Sequence[Sequence[int]] = ()
    sexes: str = "MF"
    with_id: bool = False
    without: frozenset[str] = frozenset()
    ages: tuple[int, int] | None = None
    sex: Sequence[str] = ()
    born: Sequence[date | None] = ()
    named: Sequence[Named | None] = ()
    homes: Sequence[Home | None] = ()
    ways: Ways | None = None


class Drawn:
    """What personas of every locale have in common: a seed, a length, sexes and birth dates."""

    def __init__(self, seed: int, count: int, today: date, wish: Wish) -> None:
        self.seed, self.count, self.today, self.wish = seed, count, today, wish

    def gen(self, column: int) -> np.random.Generator:
        """Give the randomness of one column."""
        import numpy as np

        return np.random.default_rng([self.seed, column])

    @cached_property
    def sexes(self) -> list[str]:
        """Draw sexes evenly out of those wished for."""
        drawn = [self.wish.sexes[word] for word in integers(self.gen(0), self.count, len(self.wish.sexes))]
        return [given or own for given, own in zip_longest(self.wish.sex, drawn)]

    @cached_property
    def births(self) -> list[date]:
        """Draw birth dates of people of 18 to 80 or of the ages wished for, most in the middle years."""
        last, span = self._birth_days()
        shares = self.gen(1).beta(1.7, 2.6, self.count)
        births = [date.fromordinal(last - int(share * span)) for share in shares.tolist()]
        births = [given or own for given, own in zip_longest(self.wish.born, births)]
        return [_with_id(birth) for birth in births] if self.wish.with_id else births

    def _birth_days(self) -> tuple[int, int]:
        """Give the last day of birth as an ordinal, and how many days there are up to it."""
        if self.wish.ages is None:
            last = _years_before(self.today, YOUNGEST).toordinal()
            return last, last - _years_before(self.today, OLDEST).toordinal() + 1
        youngest, oldest = self.wish.ages
        last = _years_before(self.today, youngest).toordinal()
        return last, last - _years_before(self.today, oldest + 1).toordinal()


class ChinesePeople(Drawn):
    """Personas of China: every column agrees with every other."""

    @cached_property
    def counties(self) -> list[County]:
        """Draw the county each persona lives in: out of the counties asked for, else by population."""
        gen, table = self.gen(2), places()
        drawn = table.draw(gen, self.count)
        if self.wish.where:
            dice = gen.random(self.count).tolist()
            for row, choices in enumerate(self.wish.where):
                drawn[row] = choices[int(dice[row] * len(choices))] if choices else drawn[row]
        return [table.counties[index] for index in drawn]

    @cached_property
    def _surnames(self) -> list[str]:
        return name_tables().surnames.draw(self.gen(3), self.count)

    @cached_property
    def _given(self) -> list[str]:
        return draw_given(self.gen(4), [birth.year for birth in self.births], self.sexes)

    @cached_property
    def names(self) -> list[str]:
        """Draw names that fit sex and birth generation."""
        return [surname + given for surname, given in self._parts]

    @cached_property
    def _parts(self) -> list[tuple[str, str]]:
        if self.wish.named and all(self.wish.named):
            return [(one.surname, one.given) for one in self.wish.named if one]
        pairs = zip(self._surnames, self._given, strict=True)
        return [(one.surname, one.given) if one else own for one, own in zip_longest(self.wish.named, pairs)]

    @property
    def name_bits(self) -> list[float]:
        """Give the min-entropy of each name, sex and birth year being known."""
        own = self._own_name_bits()
        return [one.bits if one else bits for one, bits in zip_longest(self.wish.named, own)]

    def _own_name_bits(self) -> list[float]:
        tables = name_tables()
        known = {
            (year, sex): tables.bits(year, sex)
            for year in {birth.year for birth in self.births}
            for sex in "MF"
        }
        return [known[birth.year, sex] for birth, sex in zip(self.births, self.sexes, strict=True)]

    @property
    def letters(self) -> list[tuple[str, str]]:
        """Spell the names for aliases."""
        return [chinese_letters(*parts) for parts in self._parts]

    @cached_property
    def _ids(self) -> tuple[list[str], list[float]]:
        return draw_ids(self.gen(5), self.births, self.sexes, [county.code for county in self.counties])

    @property
    def id_numbers(self) -> list[str]:
        """Draw safe resident identity numbers, '' where none exists."""
        return self._ids[0]

    @property
    def id_bits(self) -> list[float]:
        """Give the min-entropy of each number, birth date, sex and province being known."""
        return self._ids[1]

    @cached_property
    def _streets(self) -> tuple[list[str], list[str]]:
        return draw_streets(self.gen(6), self.counties)

    @property
    def streets(self) -> list[str]:
        """Draw addresses without province, city and district."""
        return self._streets[0]

    @property
    def address_bits(self) -> list[float]:
        """Give the min-entropy of each address by its form, divisions and road being known."""
        known = {form: street_tables().bits(form) for form in set(self._streets[1])}
        own = (known[form] for form in self._streets[1])
        either = 1.0 if self.wish.homes else 0.0  # half of the chance is for the host's own way of drawing
        return [
            home.bits if home else max(0.0, bits - either) for home, bits in zip_longest(self.wish.homes, own)
        ]

    @cached_property
    def addresses(self) -> list[str]:
        """Write whole addresses; a municipality stands once."""
        own = (county.chain + street for county, street in zip(self.counties, self.streets, strict=True))
        return [home.text if home else text for home, text in zip_longest(self.wish.homes, own)]

    @property
    def provinces(self) -> list[str]:
        """Give provinces."""
        return [county.province for county in self.counties]

    @property
    def cities(self) -> list[str]:
        """Give cities (of a municipality: its own name)."""
        return [county.city for county in self.counties]

    @property
    def districts(self) -> list[str]:
        """Give districts and counties."""
        return [county.district for county in self.counties]

    @property
    def postcodes(self) -> list[str]:
        """Give postcodes of the counties."""
        return [county.postcode for county in self.counties]


def _with_id(birth: date) -> date:
    """Move a birth for which no safe number exists to the nearest year that has one in plenty."""
    if not OLD_BIRTHS < birth.year < PLENTY:
        return birth
    year = OLD_BIRTHS if birth.year - OLD_BIRTHS < PLENTY - birth.year else PLENTY
    return birth.replace(year=year, day=min(birth.day, 28))


def _years_before(today: date, years: int) -> date:
    try:
        return today.replace(year=today.year - years)
    except ValueError:  # 29 February
        return today.replace(year=today.year - years, day=28)
