"""What a linked row says once more: the person of the row it belongs to, as often as real rows do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from canary.fields.canonical import canonical
from canary.fields.roles import FORMS, PERSONAL, form_of
from canary.generators.drafts import field_of
from canary.generators.dress import divisions_of
from canary.generators.parties import Party, parties_of
from canary.model.canary import Canary, CanaryField
from canary.steps.live_model import Row

LEADS = ("name", "phone", "email", "account_no", "address")  # by which a person is the same one
DIVISIONS = ("province", "city", "district")
LEAST_SIGNS = 4  # of a number that two rows share and that is no chance


@dataclass(frozen=True, slots=True)
class Source:
    """A real row, the canary row made after it with its identifying fields, and the roles of its columns."""

    real: Row
    made: Row
    roles: Mapping[str, str]
    fields: tuple[CanaryField, ...] = ()


@dataclass(frozen=True)
class Copier:
    """Knows the persons of one linked table; `own` columns (its key and what refers) are never copied."""

    roles: Mapping[str, str]
    parties: Sequence[Party]
    own: frozenset[str]

    @classmethod
    def of(cls, roles: Mapping[str, str], own: frozenset[str]) -> Copier:
        """Make one for a table whose columns have these roles."""
        return cls(roles, parties_of([name for name in roles if name not in own], roles), own)

    def copied(self, real: Row, sources: Sequence[Source]) -> dict[str, str]:
        """Give the cells that a canary row has from others, where the real row has them from the like ones."""
        found: dict[str, str] = {}
        for party in self.parties:
            found |= self._person(party, real, sources)
        for name, role in self.roles.items():
            number = role in FORMS and (role not in PERSONAL or role == "account_no")
            if number and name not in self.own and len(real.get(name) or "") >= LEAST_SIGNS:
                found |= _first(name, role, real, sources)
        return found

    def _person(self, party: Party, real: Row, sources: Sequence[Source]) -> dict[str, str]:
        """Copy a person whole: only where the leads (name, phone, …) are another row's, all else that is too."""
        leads = {role: name for role in LEADS if (name := party.first(role)) and real.get(name)}
        same = [each for each in sources if _same_person(leads, real, each)]
        if not same:
            return {}
        found: dict[str, str] = {}
        for name in (each for columns in party.columns.values() for each in columns):
            found |= _first(name, self.roles[name], real, same)
        address = party.first("address")
        return {**self._divisions(party, found[address]), **found} if address in found and address else found

    def _divisions(self, party: Party, address: str) -> dict[str, str]:
        """Read province, city and district off an address that is copied, for columns that no other row has."""
        told = zip(DIVISIONS, divisions_of(address), strict=True)
        return {name: text for role, text in told if text and (name := party.first(role))}

    def worn(self, canary: Canary, copied: Mapping[str, str], sources: Sequence[Source]) -> Canary:
        """Write copied cells into a canary; what is copied has the bits of its one draw, and is marked as shared."""
        row = {**canary.row, **copied}
        kept = [each for each in canary.fields if each.column not in copied and each.role != "name_address"]
        bits = {(form_of(one.role), one.canonical): one.bits for each in sources for one in each.fields}
        copies = [
            replace(made, bits=bits.get((form_of(made.role), made.canonical), 0.0))
            for name, text in copied.items()
            if (made := field_of(self.roles[name], name, text, 0.0, shared=True))
        ]
        before = {each.column: each for each in canary.fields if each.role == "name_address"}
        whole = [
            field for party in self.parties if (field := _who_where(party, row, copied, before, kept, bits))
        ]
        fields = (*kept, *copies, *whole)
        return replace(canary, row=row, fields=fields)


def _who_where(
    party: Party,
    row: Row,
    copied: Mapping[str, str],
    before: Mapping[str, CanaryField],
    fresh: Sequence[CanaryField],
    bits: Mapping[tuple[str | None, str], float],
) -> CanaryField | None:
    """Give the field of a name with its address: as drawn, as copied whole, or with a fresh address's bits."""
    name, address = party.first("name"), party.first("address")
    drawn = before.get(address or "")
    if name is None or address is None or not {name, address} & copied.keys():
        return drawn
    text = f"{row.get(name) or ''}|{row.get(address) or ''}"
    form = canonical("name_address", text)
    if form is None or any(mark in text for mark in "*＊"):
        return None
    if ("name_address", form) in bits:
        return CanaryField("name_address", address, text, form, bits["name_address", form], shared=True)
    own = [each.bits for each in fresh if each.column == address]  # of an address that is copied: none
    return CanaryField("name_address", address, text, form, own[0] if own else 0.0, shared=not own)


def _same_person(leads: Mapping[str, str], real: Row, source: Source) -> bool:
    """Tell whether a row speaks of the same person: two leads agree, or the only one that both rows have."""
    told = {role for name, role in source.roles.items() if source.real.get(name)}
    shared = [(name, role) for role, name in leads.items() if role in told]
    agreeing = sum(1 for name, role in shared if _first(name, role, real, [source]))
    return agreeing >= min(2, len(shared)) > 0


def _first(name: str, role: str, real: Row, sources: Sequence[Source]) -> dict[str, str]:
    """Give the cell of the first source that has, in a column of the same role, what the real row has."""
    text = real.get(name)
    if not text:
        return {}
    return next(({name: str(each.made[other])} for each in sources for other in _alike(each, role, text)), {})


def _alike(source: Source, role: str, text: str) -> Iterator[str]:
    return (
        other
        for other, its in source.roles.items()
        if its == role and source.real.get(other) == text and source.made.get(other)
    )
