"""Casting personas for a host's rows and dressing them in the host's spelling."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import repeat, zip_longest
from random import Random

from canary.fields.roles import FORMS
from canary.generators import dress
from canary.generators.aliases import AliasWays
from canary.generators.copying import crowd
from canary.generators.drafts import fields_of, name_address_of
from canary.generators.dress import Sample
from canary.generators.emails import chinese_letters, latin_letters
from canary.generators.ids import masked_source
from canary.generators.likeness import Home, Homes, Named, Names, split_name, spread
from canary.generators.parties import Party, parties_of
from canary.generators.people import Wish
from canary.generators.persona import Personas
from canary.generators.profile import HostProfile, Row
from canary.generators.returning import Visit, visits_of
from canary.generators.safety import ADULT
from canary.model.canary import CanaryField
from canary.model.record import Persona

HIDE = 0.05  # share of empty cells in which a missing resident id does not stand out
ALWAYS = frozenset(
    {"phone", "name", "address"}
)  # filled whatever the template lacks, where most rows have them
MOSTLY = 0.5
NEAR = (
    30  # days between a date of birth and that of the row it is modelled on: what hangs on an age stays true
)
CROWDED = 8  # rows of the sample that share a date of birth, from which it is nobody's own
OLDEST_SEEN = 100
TRIES = 20
MOST_AGAIN = 0.4  # of canaries that may have the person of another


def _cut(address: str) -> int:
    """Give how many letters at the front of an address name its divisions."""
    return sum(map(len, dress.divisions_of(address)))


@dataclass(frozen=True, slots=True)
class Worn:
    """A persona in the host's spelling: its cells, and their identifying fields (None: a cell that names nobody)."""

    row: Mapping[str, str | None]
    fields: Sequence[CanaryField | None]


class Wardrobe:
    """Knows how the personal columns of a profile are spelt."""

    def __init__(
        self,
        profile: HostProfile,
        personas: Personas,
        rng: Random,
        samples: dict[str, Sample],
        learned: dict[tuple[str, str], object],
    ) -> None:
        self.profile, self.personas, self.rng = profile, personas, rng
        self.samples, self.learned = samples, learned
        self.parties = parties_of(profile.headings, profile.roles)
        self._plans: dict[str, list[tuple[str, str, int, bool, str | None]]] = {}

    def sample(self, heading: str) -> Sample:
        """Give the filled values of a column."""
        if heading not in self.samples:
            self.samples[heading] = Sample(self.profile.column(heading))
        return self.samples[heading]

    def cast(self, party: Party, templates: Sequence[Row]) -> list[Persona]:
        """Draw a persona for each template: of its sex, birth year and county, named as the host's are."""
        sexes = [self._sex(party, template) for template in templates]
        number = party.first("resident_id")
        wish = Wish(
            [self._where(party, template) for template in templates] if self.personas.chinese else (),
            "".join(sorted(dress.sexes_of(self.sample(party.first("sex") or ""))))
            if party.first("sex")
            else "MF",
            number is not None and self._shows_ids(number),
            frozenset({"email", "resident_id"} - party.columns.keys()),
            sex=sexes,
            born=[self._born(party, template) for template in templates],
            named=[self._named(party, sex) for sex in sexes],
            homes=[self._home(party, template) for template in templates],
            ways=self._ways(party),
        )
        return self.personas.draw(len(templates), wish)

    def returning(self, party: Party) -> float:
        """Estimate the share of rows whose person stands in an earlier one too, by the phones, else by the names.

        Persons who get an alias or an inert phone come once: those are theirs alone.
        """
        heading = party.first("phone") or party.first("resident_id")
        sole = party.columns.keys() & {"email", "account_no", "plate", "bank_card"}
        if heading is None or sole or self.sample(heading).is_masked:
            return 0.0
        again = crowd(Counter(self.sample(heading).values), self.profile.rows)
        return min(MOST_AGAIN, returning_share(again))

    def visits(self, party: Party) -> Sequence[Visit]:
        """Give where in the sample persons come again, and after how many rows."""
        heading = party.first("phone") or party.first("resident_id") or ""
        if ("visits", heading) not in self.learned:
            cells = zip(self.profile.numbers, self.profile.cells(heading), strict=False)
            self.learned["visits", heading] = visits_of((number, value) for number, value in cells if value)
        found = self.learned["visits", heading]
        return found if isinstance(found, list) else ()

    def _sex(self, party: Party, template: Row) -> str:
        heading = party.first("sex")
        return dress.sex_of(template.get(heading) or "", self.sample(heading)) if heading else ""

    def _born(self, party: Party, template: Row) -> date | None:
        """Give a birth date some days from the template's, or of its age; None where it tells none of a grown person.

        A date that many rows have (one that is put where none is known) is nobody's own, and stays.
        """
        heading, aged, today = party.first("birth_date"), party.first("age"), self.personas.today
        if heading and (clock := self.profile.columns[heading].clock):
            number = clock.read(template.get(heading) or "")
            born = None if number is None else clock.moment(number).date()
            if born and self._crowded(heading)[template.get(heading) or ""] < CROWDED:
                born += timedelta(self.rng.randint(1, NEAR) * (1 if self.rng.random() < 0.5 else -1))
        else:
            found = re.search(r"\d{1,3}", template.get(aged) or "") if aged else None
            year = today.year - int(found[0]) if found else 0
            born = date(year, 1, 1) + timedelta(self.rng.randrange(365)) if year > 0 else None
        grown = today.replace(year=today.year - ADULT, day=min(today.day, 28))
        return born if born and today.year - OLDEST_SEEN <= born.year and born <= grown else None

    def _crowded(self, heading: str) -> Counter[str]:
        """Count the values of a column in the sample."""
        known = self.learned.get(("counts", heading))
        if not isinstance(known, Counter):
            known = self.learned["counts", heading] = Counter(self.sample(heading).values)
        return known

    def _named(self, party: Party, sex: str) -> Named | None:
        names = self._names(party) if self.personas.chinese else None
        return names.draw(sex, self.rng) if names else None

    def _home(self, party: Party, template: Row) -> Home | None:
        heading = party.first("address")
        homes = self._homes(heading) if heading and self.personas.chinese else None
        if homes is None or heading is None:
            return None
        shape = template.get(heading) or self.rng.choice(self.sample(heading).values)
        return homes.draw(shape, self.rng)

    def _ways(self, party: Party) -> AliasWays | None:
        """Give the shapes of the host's aliases, None where it has none to learn from, or masks them."""
        heading, named = party.first("email"), party.first("name") or ""
        if heading is None or not self.personas.domains:
            return None
        if ("ways", heading) not in self.learned:
            rows = spread([row for row in self.profile.sample if "@" in (row.get(heading) or "")])
            shown = [str(row[heading]) for row in rows]
            spelt = [self._spelt(row.get(named) or "") for row in rows]
            self.learned["ways", heading] = (
                None if any("*" in one for one in shown) else AliasWays.of(shown, spelt)
            )
        found = self.learned["ways", heading]
        return found if isinstance(found, AliasWays) else None

    def _spelt(self, name: str) -> tuple[str, str]:
        return chinese_letters(*split_name(name)) if self.personas.chinese and name else latin_letters(name)

    def _names(self, party: Party) -> Names | None:
        heading, sexes = party.first("name"), party.first("sex")
        if heading is None:
            return None
        if ("names", heading) not in self.learned:
            told = zip_longest(self.profile.cells(heading), self.profile.cells(sexes or ""))
            named = [(name, sex or "") for name, sex in told if name]
            sample = self.sample(sexes) if sexes else None
            known = [dress.sex_of(sex, sample) if sample else "" for _, sex in named]
            self.learned["names", heading] = Names.of([name for name, _ in named], known, self.profile.rows)
        found = self.learned["names", heading]
        return found if isinstance(found, Names) else None

    def _homes(self, heading: str) -> Homes | None:
        if ("homes", heading) not in self.learned:
            self.learned["homes", heading] = Homes.of(self.sample(heading).values, _cut, self.profile.rows)
        found = self.learned["homes", heading]
        return found if isinstance(found, Homes) else None

    def _where(self, party: Party, template: Row) -> tuple[int, ...]:
        """Give the county of the template, else those of its city, else of its province."""
        province, city, district = (
            template.get(party.first(role) or "") or "" for role in ("province", "city", "district")
        )
        if not (province or city or district):
            address = template.get(party.first("address") or "") or ""
            province, city, district = dress.divisions_of(address)
        for names in (
            (province, city, district), ("", city, district), (province, city, ""), ("", city, ""), (province, "", ""),
        ):  # fmt: skip
            found = self.personas.counties(*names) if any(names) else ()
            if found:
                return found
        return ()

    def _shows_ids(self, heading: str) -> bool:
        """Tell whether an identity number must be there: the host shows it whole and leaves hardly any out."""
        column = self.profile.columns[heading]
        whole = not self.sample(heading).is_masked
        return self.personas.chinese and whole and column.nulls + column.empties < HIDE

    def wear(self, party: Party, personas: Sequence[Persona], templates: Sequence[Row]) -> list[Worn]:
        """Dress personas, each by its template: the cells of the party's columns, and their identifying fields."""
        cells: dict[str, list[str | None]] = {}
        fields: dict[str, list[CanaryField | None]] = {}
        for role, heading, nth, always, empty in self._plan(party):
            texts, bits = self._column(party, role, heading, nth, personas, templates)
            cells[heading] = [
                (text or empty) if always or template.get(heading) else template.get(heading)
                for text, template in zip(texts, templates, strict=True)
            ]
            if role in FORMS:
                shared = role == "phone" and not self.personas.phones.inert
                fields[heading] = fields_of(role, heading, cells[heading], bits, shared=shared)
        name, address, mailed = party.first("name"), party.first("address"), "email" in party.columns
        if name is not None and address is not None:
            pairs = zip(cells[name], fields[address], personas, strict=True)
            fields["name_address"] = [name_address_of(*each, mailed=mailed) for each in pairs]
        rows = zip(*cells.values(), strict=True)
        found = zip(*fields.values(), strict=True) if fields else repeat(())
        return [
            Worn(dict(zip(cells, row, strict=True)), each) for row, each in zip(rows, found, strict=False)
        ]

    def _plan(self, party: Party) -> list[tuple[str, str, int, bool, str | None]]:
        """Give role, heading, rank within the role, whether always filled, and the empty cell of each column."""
        if party.name not in self._plans:
            self._plans[party.name] = [
                (role, heading, nth, self._always(role, heading), self._empty(heading))
                for role, headings in party.columns.items()
                for nth, heading in enumerate(headings)
            ]
        return self._plans[party.name]

    def _always(self, role: str, heading: str) -> bool:
        """Tell whether a cell is filled though the template's is empty: an alias always is, it is what names."""
        column = self.profile.columns[heading]
        return role == "email" or (role in ALWAYS and column.nulls + column.empties < MOSTLY)

    def _empty(self, heading: str) -> str | None:
        return None if self.profile.columns[heading].nulls > 0 else ""

    def _column(
        self,
        party: Party,
        role: str,
        heading: str,
        nth: int,
        personas: Sequence[Persona],
        templates: Sequence[Row],
    ) -> tuple[list[str], list[float]]:
        """Give the texts of a column and the bits of their draws; a second phone or mail is another one."""
        sample, count, pairs = self.sample(heading), len(personas), zip(personas, templates, strict=True)
        if role == "phone":
            calls = [one.phone for one in personas] if nth == 0 else self.personas.calls(count)
            return [dress.phone(call, sample, self.rng) for call in calls], [
                self.personas.phones.bits
            ] * count
        if role == "email":
            ways = self._ways(party)
            mails = [one.email if nth == 0 else self.personas.again(one, ways) for one in personas]
            return [dress.mail(mail, sample) for mail in mails], [self.personas.aliases.bits(ways)] * count
        if role == "resident_id":
            numbers = [self._number(heading, *pair) for pair in pairs]
            return numbers, [one.bits.get("resident_id", 0.0) for one in personas]
        if role == "address":
            as_it_is = self.personas.chinese and self._homes(heading) is not None
            homes = [one.address if as_it_is else dress.address(one, sample) for one in personas]
            return homes, [one.bits.get("address", 0.0) for one in personas]
        if role == "plate":
            return [dress.plate(self.rng, sample) for _ in personas], [dress.PLATE_BITS] * count
        texts = [
            str(template[heading])
            if role == "age" and _grown(template.get(heading))
            else _PLAIN[role](self, heading, one, sample)
            for one, template in pairs
        ]
        return texts, [0.0] * count

    def _number(self, heading: str, persona: Persona, template: Row) -> str:
        sample = self.sample(heading)
        if sample.is_masked:
            county = dress.county_of(persona)
            shown = re.match(r"[1-9]\d{5}", template.get(heading) or "")  # a county is nobody's own
            code = shown[0] if shown else county.code if county else "110101"
            whole = masked_source(code, persona.birth_date, persona.sex, self.rng.randrange(10_000))
            return self._tail_of(heading, dress.masked_text(whole, sample, self.rng), template)
        return persona.id_number if self._shows_ids(heading) else ""

    def _tail_of(self, heading: str, text: str, template: Row) -> str:
        """End a masked number as the host ends them: like that of another row of the template's sex."""
        party = next(each for each in self.parties if heading in each.columns.get("resident_id", ()))
        sex = party.first("sex")
        for _ in range(TRIES):
            row = self.rng.choice(self.profile.sample)
            shape = row.get(heading) or ""
            if len(shape) == len(text) and (sex is None or row.get(sex) == template.get(sex)):
                end = dress.hidden_part(shape)[1]
                return text[:end] + shape[end:] if 0 < end == dress.hidden_part(text)[1] else text
        return text


def returning_share(others: float) -> float:
    """Give the share of rows whose person stands in another one too, where a row has so many others of its person.

    Each visit is followed by another one with the same odds: with m more visits a person, a row's has 2 m others.
    """
    return others / (2 + others)


def _grown(age: str | None) -> bool:
    found = re.search(r"\d+", age or "")
    return found is not None and int(found[0]) >= ADULT


_Plain = Callable[[Wardrobe, str, Persona, Sample], str]
_PLAIN: Mapping[str, _Plain] = {
    "name": lambda self, _, persona, sample: dress.name(persona, sample, self.rng),
    "sex": lambda _, __, persona, sample: dress.sex(persona, sample),
    "birth_date": lambda self, heading, persona, sample: dress.birth_date(
        persona, self.profile.columns[heading].clock, sample
    ),
    "age": lambda self, _, persona, sample: dress.age(persona, self.personas.today, sample),
    "province": lambda _, __, persona, sample: dress.division(persona.province, sample),
    "city": lambda _, __, persona, sample: dress.division(persona.city, sample),
    "district": lambda _, __, persona, ___: persona.district,
    "postcode": lambda _, __, persona, ___: persona.postcode,
    "bank_card": lambda self, _, __, sample: dress.card(self.rng, sample),
}
