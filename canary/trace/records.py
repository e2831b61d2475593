"""From scan hits to the roles found in each record: the only way evidence enters the bound."""

from __future__ import annotations

from collections.abc import Iterable

from canary.model.evidence import Hit

WEAK_TRANSFORMS = ("masked",)


def is_weak(transform: str) -> bool:
    """Tell whether a transform loses so much of the value that a hit never enters the bound."""
    return any(
        part.startswith(WEAK_TRANSFORMS) for part in transform.replace("+", " ").replace("-", " ").split()
    )


def records_of(hits: Iterable[Hit]) -> dict[str, tuple[frozenset[str], ...]]:
    """Give, for each canary, the distinct sets of unmasked roles found together in one record.

    Canary → sets.
    """
    places: dict[tuple[str, str, str | None, int], set[str]] = {}
    for hit in hits:
        roles = {role for role, transform in hit.roles.items() if not is_weak(transform)}
        if roles:
            places.setdefault((hit.canary, hit.file, hit.member, hit.record), set()).update(roles)
    found: dict[str, set[frozenset[str]]] = {}
    for (canary, *_), roles in places.items():
        found.setdefault(canary, set()).add(frozenset(roles))
    return {canary: tuple(sorted(sets, key=sorted)) for canary, sets in sorted(found.items())}
