"""A drafted canary: its row, and its identifying fields with the bits of their draws."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from canary.fields.address import canonical_address
from canary.fields.canonical import canonical, canonical_name
from canary.fields.roles import FORMS
from canary.generators.parties import Party
from canary.generators.phones import phone_digits
from canary.generators.profile import HostProfile
from canary.generators.safety import is_masked
from canary.model.canary import CanaryField
from canary.model.record import Persona

Row = Mapping[str, str | None]
PERSON_ROLES = ("phone", "email", "resident_id")


@dataclass(frozen=True, slots=True)
class Draft:
    """A canary before it is issued: it stands before real row `position`; `note` is what a person should know."""

    position: int
    row: Row
    fields: tuple[CanaryField, ...]
    note: str = ""


def field_of(
    role: str, column: str, value: str | None, bits: float, *, shared: bool = False
) -> CanaryField | None:
    """Make an identifying field, None where the value is empty, masked or identifies nothing."""
    return fields_of(role, column, [value], [bits], shared=shared)[0]


def fields_of(
    role: str, column: str, values: Sequence[str | None], bits: Sequence[float], *, shared: bool = False
) -> list[CanaryField | None]:
    """Make the identifying fields of a column, each None where its value is empty, masked or identifies nothing."""
    if role not in FORMS:
        return [None] * len(values)
    masked = _masked(role)
    if masked("\n".join(filter(None, values))):  # hardly any column has one
        values = [None if value and masked(value) else value for value in values]
    forms = [_form(role, value) if value else None for value in values]
    return [
        CanaryField(role, column, value, form, each, shared) if value and form else None
        for value, form, each in zip(values, forms, bits, strict=True)
    ]


def _masked(role: str) -> Callable[[str], bool]:
    return (lambda value: "*" in value) if role == "email" else partial(is_masked, least=2)


def name_address_of(
    name: str | None, home: CanaryField | None, persona: Persona, *, mailed: bool
) -> CanaryField | None:
    """Make the field of a name with its address; a name adds nothing where an alias spells it (`mailed`).

    Its bits include those of the address alone: the two are one draw and are never counted together.
    """
    if home is None or not name or is_masked(name, 1):
        return None
    who = canonical_name(name)
    bits = persona.bits.get("address", 0.0) + (0.0 if mailed else persona.bits.get("name", 0.0))
    text, form = f"{name}|{home.value}", f"{who}|{home.canonical}"
    return CanaryField("name_address", home.column, text, form, round(bits, 2)) if who else None


@dataclass(frozen=True, slots=True)
class Known:
    """The canonical identifying values of a sample of real rows; `homes` are the addresses beside each name."""

    values: frozenset[tuple[str, str]]
    homes: Mapping[str, Collection[str]]

    @classmethod
    def of(cls, profile: HostProfile, parties: Sequence[Party]) -> Known:
        """Collect the phones, ids, mails, and names with addresses of the sample."""
        found = {
            (FORMS[role], _form(role, value) or value)
            for heading, role in profile.roles.items()
            if role in PERSON_ROLES
            for value in set(profile.column(heading))
        }
        homes: dict[str, set[str]] = {}
        for party in parties:
            named, where = (profile.cells(party.first(role) or "") for role in ("name", "address"))
            for who, home in zip(named, where, strict=False):  # either may be no column of the party
                if who and home:
                    homes.setdefault(canonical_name(who), set()).add(home)
        return cls(frozenset(found), homes)

    def holds(self, fields: Sequence[CanaryField]) -> bool:
        """Tell whether a draft coincides with a real row; a phone of our pool is nobody's, wherever it stands."""
        return any(self._has(each) for each in fields if not _pooled(each))

    def _has(self, each: CanaryField) -> bool:
        if each.role != "name_address":
            return (FORMS[each.role], each.canonical) in self.values
        name, _, home = each.canonical.partition("|")
        return any(canonical_address(other) == home for other in self.homes.get(name, ()))


def _pooled(each: CanaryField) -> bool:
    """Tell whether a value is a phone of our pool, which no real row can share but by error."""
    return each.shared and each.role == "phone"


def _form(role: str, value: str) -> str | None:
    """Give the canonical form of a value, the quick way where there is one."""
    return phone_digits(value) if role == "phone" else canonical(role, value)


def compared(draft: Draft) -> set[str]:
    """Give the columns of a draft that must not have the cell of a real row."""
    return {each.column for each in draft.fields if not _pooled(each)}


def clashes(draft: Draft, column: str, row: Row) -> bool:
    """Tell whether a draft and a real row share an identifying value of a column; an address needs its name too."""
    for each in draft.fields:
        if each.column != column:
            continue
        if each.role in ("address", "name_address"):
            if any(
                value and row.get(name) == value
                for name, value in draft.row.items()
                if name != column and _named(draft, name)
            ):
                return True
        elif row.get(column) == each.value:
            return True
    return False


def _named(draft: Draft, heading: str) -> bool:
    """Tell whether a column is the name of a name_address field of the draft."""
    return any(
        each.role == "name_address" and each.value.partition("|")[0] == draft.row.get(heading)
        for each in draft.fields
    )
