"""Which columns of a row speak of the same person: sender, recipient, patient, emergency contact …"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from canary.fields.roles import PERSONAL

MAIN = "self"
NUMBERED = frozenset({"account_no"})  # personal, yet drawn like a number of the record
_WORDS: Mapping[str, tuple[str, ...]] = {
    "recipient": ("收件", "收货", "收方", "recipient", "receiver", "consignee", "ship_to", "deliver"),
    "sender": ("寄件", "发件", "寄方", "发货", "寄货", "sender", "shipper", "consignor", "ship_from"),
    "emergency": ("紧急", "emergency"),
    "spouse": ("配偶", "spouse"),
    "father": ("父亲", "father"),
    "mother": ("母亲", "mother"),
    "guardian": ("监护", "家长", "guardian", "parent"),
    "guarantor": ("担保", "guarantor"),
    "referrer": ("推荐", "介绍人", "referrer", "referee"),
    "beneficiary": ("受益", "beneficiary"),
    "insured": ("被保险", "insured"),
    "staff": ("医生", "经办", "业务员", "快递员", "司机", "doctor", "physician", "agent", "courier", "driver"),
}  # fmt: skip


@dataclass(slots=True)
class Party:
    """One person of a row: the headings of each personal role, in column order."""

    name: str
    columns: dict[str, list[str]] = field(default_factory=dict)

    def add(self, role: str, heading: str) -> None:
        """Give the party another column."""
        self.columns.setdefault(role, []).append(heading)

    def first(self, role: str) -> str | None:
        """Give the party's first column of a role."""
        return self.columns.get(role, [None])[0]


def parties_of(headings: Sequence[str], roles: Mapping[str, str]) -> list[Party]:
    """Group the personal columns of a table by the person they speak of."""
    personal = [heading for heading in headings if roles.get(heading) in PERSONAL - NUMBERED]
    marked = {heading: _marker(heading) for heading in personal}
    named = {party for heading, party in marked.items() if party and party != "staff"}
    owner = MAIN
    if named and not any(roles[each] in ("name", "phone") and marked[each] is None for each in personal):
        owner = "recipient" if "recipient" in named else next(p for p in marked.values() if p in named)
    parties: dict[str, Party] = {}
    current: dict[str, str] = {}
    for heading in personal:
        base = marked[heading] or owner
        name = current.get(base, base)
        if roles[heading] == "name" and name in parties and parties[name].first("name"):
            name = current[base] = f"{base}{len(parties) + 1}"
        parties.setdefault(name, Party(name)).add(roles[heading], heading)
    return list(parties.values())


def _marker(heading: str) -> str | None:
    text = heading.casefold().replace(" ", "_")
    return next((party for party, words in _WORDS.items() if any(word in text for word in words)), None)
