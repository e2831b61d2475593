"""Many personas as columns; each column is drawn when it is first asked for, by randomness of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import zip_longest
from operator import add
from typing import TYPE_CHECKING, Protocol

from canary.generators.addresses import draw_streets, street_tables
from canary.generators.draws import integers
from canary.generators.emails import Ways, chinese_letters_of
from canary.generators.ids import OLD_BIRTHS, draw_ids
from canary.generators.likeness import Home, Named
from canary.generators.names import draw_given, name_tables
from canary.generators.places import County, county_column, places

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from canary.generators.ids import Days

EPOCH = date(1970, 1, 1).toordinal()  # the first day of numpy's calendar
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
    def birth_texts(self) -> Sequence[str]: ...
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
        if not self.wish.sex:
            return drawn
        return [given or own for given, own in zip_longest(self.wish.sex, drawn)]

    @cached_property
    def births(self) -> list[date]:
        """Draw birth dates of people of 18 to 80 or of the ages wished for, most in the middle years."""
        births: list[date] = self.days.tolist()
        return births

    @cached_property
    def days(self) -> Days:
        """Give the birth dates as days of numpy."""
        import numpy as np

        last, span = self._birth_days()
        shares = self.gen(1).beta(1.7, 2.6, self.count)
        days = (last - EPOCH - (shares * span).astype(np.int64)).astype("datetime64[D]")
        if self.wish.born:
            born = zip_longest(self.wish.born, days.tolist())
            days = np.array([given or own for given, own in born], "datetime64[D]")
        if self.wish.with_id:
            days = np.array([_with_id(birth) for birth in days.tolist()], "datetime64[D]")
        return days

    @cached_property
    def years(self) -> list[int]:
        """Give the years of birth."""
        years: list[int] = (self.days.astype("datetime64[Y]").astype(int) + 1970).tolist()
        return years

    @property
    def birth_texts(self) -> list[str]:
        """Write the birth dates as ISO 8601 does."""
        import numpy as np

        texts: list[str] = np.datetime_as_string(self.days, "D").tolist()
        return texts

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
    def places(self) -> NDArray[np.intp]:
        """Draw the county (its index) each persona lives in: out of the counties asked for, else by population."""
        gen = self.gen(2)
        drawn = places().draw(gen, self.count)
        if self.wish.where:
            dice = gen.random(self.count).tolist()
            for row, choices in enumerate(self.wish.where):
                drawn[row] = choices[int(dice[row] * len(choices))] if choices else drawn[row]
        return drawn

    @property
    def counties(self) -> list[County]:
        """Give the county each persona lives in."""
        counties = places().counties
        return [counties[index] for index in self.places.tolist()]

    def _county(self, field: str) -> list[str]:
        texts: list[str] = county_column(field)[self.places].tolist()
        return texts

    @cached_property
    def _surnames(self) -> list[str]:
        return name_tables().surnames.draw(self.gen(3), self.count)

    @cached_property
    def _given(self) -> list[str]:
        return draw_given(self.gen(4), self.years, self.sexes)

    @cached_property
    def names(self) -> list[str]:
        """Draw names that fit sex and birth generation."""
        return list(map(add, *self._parts))

    @cached_property
    def _parts(self) -> tuple[list[str], list[str]]:
        """Give surnames and given names."""
        named = self.wish.named
        if named and all(named):
            return [one.surname for one in named if one], [one.given for one in named if one]
        surnames, given = self._surnames, self._given
        for row, one in enumerate(named):
            if one:
                surnames[row], given[row] = one.surname, one.given
        return surnames, given

    @property
    def name_bits(self) -> list[float]:
        """Give the min-entropy of each name, sex and birth year being known."""
        own = self._own_name_bits()
        if not self.wish.named:
            return own
        return [one.bits if one else bits for one, bits in zip_longest(self.wish.named, own)]

    def _own_name_bits(self) -> list[float]:
        tables = name_tables()
        known = {(year, sex): tables.bits(year, sex) for year in set(self.years) for sex in "MF"}
        return [known[pair] for pair in zip(self.years, self.sexes, strict=True)]

    @property
    def letters(self) -> list[tuple[str, str]]:
        """Spell the names for aliases."""
        return chinese_letters_of(*self._parts)

    @cached_property
    def _ids(self) -> tuple[list[str], list[float]]:
        return draw_ids(self.gen(5), self.days, self.sexes, self._county("code"))

    @property
    def id_numbers(self) -> list[str]:
        """Draw safe resident identity numbers, '' where none exists."""
        return self._ids[0]

    @property
    def id_bits(self) -> list[float]:
        """Give the min-entropy of each number, birth date, sex and province being known."""
        return self._ids[1]

    @cached_property
    def _streets(self) -> tuple[list[str], NDArray[np.intp]]:
        return draw_streets(self.gen(6), self.places)

    @property
    def streets(self) -> list[str]:
        """Draw addresses without province, city and district."""
        return self._streets[0]

    @property
    def address_bits(self) -> list[float]:
        """Give the min-entropy of each address by its form, divisions and road being known."""
        tables = street_tables()
        known = [tables.bits(form) for form in tables.forms.texts]
        own = [known[form] for form in self._streets[1].tolist()]
        if not self.wish.homes:
            return own
        # half of the chance is for the host's own way of drawing
        return [home.bits if home else max(0.0, bits - 1) for home, bits in zip_longest(self.wish.homes, own)]

    @cached_property
    def addresses(self) -> list[str]:
        """Write whole addresses; a municipality stands once."""
        own = list(map(add, self._county("chain"), self.streets))
        if not self.wish.homes:
            return own
        return [home.text if home else text for home, text in zip_longest(self.wish.homes, own)]

    @property
    def provinces(self) -> list[str]:
        """Give provinces."""
        return self._county("province")

    @property
    def cities(self) -> list[str]:
        """Give cities (of a municipality: its own name)."""
        return self._county("city")

    @property
    def districts(self) -> list[str]:
        """Give districts and counties."""
        return self._county("district")

    @property
    def postcodes(self) -> list[str]:
        """Give postcodes of the counties."""
        return self._county("postcode")


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
