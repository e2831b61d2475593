"""Casting personas for a host's rows and dressing them in the host's spelling."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random

from canary.fields.roles import FORMS
from canary.generators import dress
from canary.generators.drafts import field_of
from canary.generators.dress import Sample
from canary.generators.ids import masked_source
from canary.generators.parties import Party
from canary.generators.people import Wish
from canary.generators.persona import Personas
from canary.generators.profile import HostProfile, Row
from canary.model.canary import CanaryField
from canary.model.record import Persona

HIDE = 0.05  # share of empty cells in which a missing resident id does not stand out
ALWAYS = frozenset(
    {"phone", "name", "address"}
)  # filled whatever the template lacks, where most rows have them
MOSTLY = 0.5


class Wardrobe:
    """Knows how the personal columns of a profile are spelt."""

    def __init__(
        self, profile: HostProfile, personas: Personas, rng: Random, samples: dict[str, Sample]
    ) -> None:
        self.profile, self.personas, self.rng = profile, personas, rng
        self.samples = samples
        self._plans: dict[str, list[tuple[str, str, int, bool, str | None]]] = {}

    def sample(self, heading: str) -> Sample:
        """Give the filled values of a column."""
        if heading not in self.samples:
            self.samples[heading] = Sample(self.profile.column(heading))
        return self.samples[heading]

    def cast(self, party: Party, templates: Sequence[Row]) -> list[Persona]:
        """Draw a persona for each template: of the host's sexes, living where the template's city is."""
        sexes = party.first("sex")
        number = party.first("resident_id")
        wish = Wish(
            [self._where(party, template) for template in templates] if self.personas.chinese else (),
            "".join(sorted(dress.sexes_of(self.sample(sexes)))) if sexes else "MF",
            number is not None and self._shows_ids(number),
            frozenset({"email", "resident_id"} - party.columns.keys()),
        )
        return self.personas.draw(len(templates), wish)

    def _where(self, party: Party, template: Row) -> tuple[int, ...]:
        """Give the counties of the template's city (else its province); the district is drawn anew."""
        province, city = (template.get(party.first(role) or "") or "" for role in ("province", "city"))
        if not province and not city:
            address = template.get(party.first("address") or "") or ""
            province, city, _ = dress.divisions_of(address)
        for names in ((province, city), ("", city), (province, "")):
            found = self.personas.counties(*names, "")
            if found:
                return found
        return ()

    def _shows_ids(self, heading: str) -> bool:
        """Tell whether an identity number must be there: the host shows it whole and leaves hardly any out."""
        column = self.profile.columns[heading]
        whole = not self.sample(heading).is_masked
        return self.personas.chinese and whole and column.nulls + column.empties < HIDE

    def wear(
        self, party: Party, persona: Persona, template: Row
    ) -> tuple[dict[str, str | None], list[CanaryField | None]]:
        """Dress a persona: the cells of its columns, and their identifying fields."""
        row: dict[str, str | None] = {}
        fields: list[CanaryField | None] = []
        for role, heading, nth, always, empty in self._plan(party):
            text, bits = self._cell(role, heading, persona, nth)
            row[heading] = (text or empty) if always or template.get(heading) else template.get(heading)
            if role in FORMS:
                shared = role == "phone" and not self.personas.phones.inert
                fields.append(field_of(role, heading, row[heading], bits, shared=shared))
        return row, fields

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

    def _cell(self, role: str, heading: str, persona: Persona, nth: int) -> tuple[str, float]:
        """Give the text of one cell and the bits of its draw; a second phone or mail is another one."""
        sample = self.sample(heading)
        if role == "phone":
            text = persona.phone if nth == 0 else self.personas.calls(1)[0]
            return dress.phone(text, sample, self.rng), self.personas.phones.bits
        if role == "email":
            text = persona.email if nth == 0 else self.personas.again(persona)
            return dress.mail(text, sample), self.personas.aliases.bits
        if role == "resident_id":
            return self._number(heading, persona), persona.bits.get("resident_id", 0.0)
        if role == "address":
            return dress.address(persona, sample), persona.bits.get("address", 0.0)
        if role == "plate":
            return dress.plate(self.rng, sample), dress.PLATE_BITS
        return _PLAIN[role](self, heading, persona, sample), 0.0

    def _number(self, heading: str, persona: Persona) -> str:
        sample = self.sample(heading)
        if sample.is_masked:
            county = dress.county_of(persona)
            code = county.code if county else "110101"
            whole = masked_source(code, persona.birth_date, persona.sex, self.rng.randrange(10_000))
            return dress.masked_text(whole, sample, self.rng)
        return persona.id_number if self._shows_ids(heading) else ""


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
