"""From hits to matches: how strong each is, and how many such hits chance would give in the whole input."""

from __future__ import annotations

import math
from collections.abc import Mapping

from canary.fields.roles import form_of
from canary.model.canary import Canary, CanaryField
from canary.model.evidence import Findings, Hit
from canary.model.sight import Match
from canary.scan.index import Index
from canary.scan.tally import shape_of

STRONG = 1e-6  # expected chance hits of a field that is strong alone
NEVER_ALONE = frozenset({"phone", "address", "name"})  # people pass these on, dial them, live there
PERSON = frozenset({"name", "address", "name_address"})  # one thing: who lives where
MOST_BITS = 1000.0

_TRUST = ("email", "code", "name_address", "phone", "address", "name")


def matches_of(findings: Findings, index: Index, canaries: Mapping[str, Canary]) -> list[tuple[Hit, Match]]:
    """Judge every hit whose canary is known, in the order of the hits."""
    return [
        (hit, _match(hit, canaries[hit.canary], findings, index))
        for hit in findings.hits
        if hit.canary in canaries
    ]


def _match(hit: Hit, canary: Canary, findings: Findings, index: Index) -> Match:
    expected = {role: expected_chance_hits(role, canary, findings, index) for role in hit.roles}
    parts = {"name", "address"} if "name_address" in hit.roles else set()
    ranked = sorted(
        hit.roles,
        key=lambda role: (hit.roles[role] == "masked", role in parts, expected[role], _trust(role), role),
    )
    best = ranked[0]
    strong = _strong_alone(hit, expected) or _independent(hit) >= 2
    return Match(
        canary=canary.id,
        field=best,
        fields=tuple(ranked),
        transform=hit.roles[best],
        strength="strong" if strong else "weak",
        member=hit.member,
        offset=hit.offset,
        expected_chance_hits=expected[best],
    )


def _trust(role: str) -> int:
    form = form_of(role) or role
    return _TRUST.index(form) if form in _TRUST else len(_TRUST)


def expected_chance_hits(role: str, canary: Canary, findings: Findings, index: Index) -> float:
    """Give candidates of the form in this input × issued of the form ÷ size of its space."""
    field = next((each for each in canary.fields if each.role == role), None)
    if field is None and role == "name_address":  # an address that was found, with the name beside it
        address = next((each for each in canary.fields if each.role == "address"), None)
        pairs = findings.candidates.pair.get(("name", "address"), 1)
        return _expected(pairs, "address", address, index)
    form = form_of(role) or role
    return _expected(_candidates(form, field, findings), form, field, index)


def _expected(seen: int, form: str, field: CanaryField | None, index: Index) -> float:
    bits = field.bits if field is not None else index.bits.get(form, 0.0)
    return max(seen, 1) * max(index.issued.get(form, 1), 1) * math.pow(2.0, -min(max(bits, 0.0), MOST_BITS))


def _candidates(form: str, field: CanaryField | None, findings: Findings) -> int:
    """Count the candidates that could have been this value: of its shape, else of its form, and digests of it."""
    counted = findings.candidates
    shape = shape_of(form, field.canonical) if field is not None else form
    return counted.shaped.get((shape,), counted.single.get(form, 0)) + counted.shaped.get(("hash",), 0)


def _strong_alone(hit: Hit, expected: Mapping[str, float]) -> bool:
    return any(
        transform != "masked" and (form_of(role) or role) not in NEVER_ALONE and expected[role] <= STRONG
        for role, transform in hit.roles.items()
    )


def _independent(hit: Hit) -> int:
    """Count the fields of a record that say something on their own: unmasked, who-lives-where once."""
    plain = {role for role, transform in hit.roles.items() if transform != "masked"}
    person = 1 if plain & PERSON else 0
    return person + sum(1 for role in plain - PERSON if form_of(role) is not None)
