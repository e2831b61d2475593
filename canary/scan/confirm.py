"""From candidates that the index knows to hits: each field of each canary is checked against its record."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from canary.fields.canonical import canonical_name
from canary.fields.fold import compact, fold, visible
from canary.fields.headings import role_of_heading
from canary.fields.roles import form_of
from canary.model.canary import Canary, CanaryField
from canary.patterns import late
from canary.scan.hashes import BY_LENGTH, hashed_forms

DECIDING = frozenset({"name", "address", "name_address"})

_MASK = r"*＊●•×xX#"
_MASKED = late(
    rf"[0-9A-Za-z\u3400-\u9fff@.]{{0,40}}[{re.escape(_MASK)}]{{2,40}}[0-9A-Za-z\u3400-\u9fff@.]{{0,40}}|[\u3400-\u9fff][*＊某×][\u3400-\u9fff]?"
)
_TOKEN = late(r"[\u3400-\u9fff·•]+|[a-z][a-z'\-]*")
_PREFIXED = late(r"[(\s]*(?:\+|00|86)")
KNOWN_OF_MASKED = 3  # characters a mask must leave of a number, 1 of a name


@dataclass(frozen=True, slots=True)
class Spelt:
    """A candidate that the index knows: what it is, where, how it was spelt, and whose it may be."""

    form: str
    canonical: str
    start: int
    end: int
    text: str
    transform: str  # "plain" or the decoder that gave it
    serials: tuple[int, ...]


@dataclass(slots=True)
class Found:
    """One canary found in one record: role → transform, and where."""

    canary: Canary
    start: int
    roles: dict[str, str] = field(default_factory=dict)
    shapes: set[tuple[str, str]] = field(
        default_factory=set
    )  # (form, canonical) of its fields that were found


def narrowed(spelt: Sequence[Spelt]) -> dict[int, list[Spelt]]:
    """Give what of a record belongs to each canary; a shared value only where another value decides, if any does."""
    owned: dict[int, list[Spelt]] = {}
    for each in spelt:
        for serial in each.serials:
            owned.setdefault(serial, []).append(each)
    several = {
        serial for serial, each in owned.items() if len({(one.form, one.canonical) for one in each}) > 1
    }
    for each in spelt:
        if len(each.serials) > 1 and several.intersection(each.serials):
            for serial in set(each.serials) - several:
                owned[serial] = [one for one in owned[serial] if one is not each]
    return {serial: each for serial, each in owned.items() if each}


def confirm(canaries: Iterable[Canary], spelt: Sequence[Spelt], record: str, *, cells: bool) -> list[Found]:
    """Check every field of the opened canaries against a record; where a name or address decides, drop others."""
    known: dict[tuple[str, str], Spelt] = {}
    for each in spelt:
        known.setdefault((each.form, each.canonical), each)
        if _rank(each.transform) < _rank(known[each.form, each.canonical].transform):
            known[each.form, each.canonical] = each
    found = [one for canary in canaries if (one := _fields_found(canary, known)) is not None]
    if found:
        surroundings = Surroundings(record, cells=cells)
        for one in found:
            _complete(one, surroundings)
    return _decided(found)


def _rank(transform: str) -> int:
    return 0 if transform == "plain" else 1


def _fields_found(canary: Canary, known: Mapping[tuple[str, str], Spelt]) -> Found | None:
    found: Found | None = None
    for each in canary.fields:
        hit = _spelt_field(each, known)
        if hit is None:
            continue
        spelt, transform = hit
        found = found or Found(canary, spelt.start)
        found.start = min(found.start, spelt.start)
        if found.roles.get(each.role, "") != "plain":
            found.roles[each.role] = transform
        found.shapes.add((form_of(each.role) or each.role, each.canonical))
    return found


def _spelt_field(each: CanaryField, known: Mapping[tuple[str, str], Spelt]) -> tuple[Spelt, str] | None:
    form = form_of(each.role)
    if form is None:
        return None
    spelt = known.get((form, each.canonical))
    if spelt is not None:
        return spelt, transform_of(spelt, each)
    if any(one == "hash" for one, _ in known):
        for digest in hashed_forms(each.role, each.canonical, each.value):
            if ("hash", digest) in known:
                return known["hash", digest], BY_LENGTH[len(digest)]
    return None


def transform_of(spelt: Spelt, each: CanaryField) -> str:
    """Name how a value was spelt, seen from how it was planted."""
    if spelt.transform != "plain":
        return spelt.transform
    text, value = spelt.text, each.value
    if text in (value, each.canonical):
        return "plain"
    if text.casefold() in (value.casefold(), each.canonical.casefold()):
        return "case"
    if visible(text) != text:
        return "zero_width"
    if spelt.form == "phone" and _PREFIXED.match(text) and not _PREFIXED.match(value):
        return "prefix"
    return "plain" if text in value or value in text else "separators"


class Surroundings:
    """A record's folded text, and the names and masks in it."""

    def __init__(self, record: str, *, cells: bool) -> None:
        self._raw = record
        self.folded = fold(record)
        self._cells = cells
        self._tokens = [found[0] for found in _TOKEN.finditer(self.folded)]
        self._masked = [found[0].lower() for found in _MASKED.finditer(record)]

    def holds_name(self, name: str) -> bool:
        """Tell whether a name stands in the record: in tables as a short cell or at its ends, in prose anywhere."""
        wanted = canonical_name(name)
        if not wanted:
            return False
        if wanted.isascii():
            words = [word.strip("'-") for word in self._tokens if word.isascii()]
            size = len(wanted.split())
            return any(sorted(words[at : at + size]) == wanted.split() for at in range(len(words)))
        if not self._cells:
            return wanted in compact(self._raw)
        short = (canonical_name(token) for token in self._tokens if len(token) <= 6)
        return any(token.startswith(wanted) or token.endswith(wanted) for token in short)

    def masked(self, form: str | None, canonical: str) -> bool:
        """Tell whether a masked value of the record agrees with a value."""
        return any(
            _agrees(mask, canonical.lower(), 1 if form is None else KNOWN_OF_MASKED) for mask in self._masked
        )

    def spelling_of(self, text: str) -> str:
        """Name how free text is spelt that is known to stand here."""
        return (
            "plain"
            if text in self._raw
            else "case"
            if text.casefold() in self._raw.casefold()
            else "separators"
        )


def _agrees(mask: str, value: str, least: int) -> bool:
    """Tell whether a masked text shows the beginning and end of a value and nothing else."""
    parts = re.split(rf"[{re.escape(_MASK)}某]+", mask)
    before, after = parts[0], parts[-1]
    hidden = len(value) - len(before) - len(after)
    if len(parts) != 2 or hidden < 1 or len(before) + len(after) < least:
        return False
    return value.startswith(before) and value.endswith(after)


def _complete(found: Found, near: Surroundings) -> None:
    """Add what stands beside the fields that were looked up: the name, and masked values."""
    name = name_of(found.canary)
    if name and near.holds_name(name):
        found.roles.setdefault("name", near.spelling_of(name))
        if "address" in found.roles:
            found.roles.setdefault("name_address", found.roles["address"])
    elif name and near.masked(None, fold(name)):
        found.roles.setdefault("name", "masked")
    for each in found.canary.fields:
        form = form_of(each.role)
        if (
            form in ("phone", "email", "code")
            and each.role not in found.roles
            and near.masked(form, each.canonical)
        ):
            found.roles[each.role] = "masked"


def name_of(canary: Canary) -> str | None:
    """Give the name that stands in a canary's row, None where it has none."""
    for each in canary.fields:
        if each.role == "name":
            return each.value
        if each.role == "name_address":
            return each.value.partition("|")[0]
    return next(
        (text for heading, text in canary.row.items() if text and role_of_heading(heading) == "name"), None
    )


def _decided(found: Sequence[Found]) -> list[Found]:
    """Among canaries found by the same shared value alone, keep those that a name or address decides for."""
    groups: dict[frozenset[tuple[str, str]], list[Found]] = {}
    for one in found:
        groups.setdefault(frozenset(one.shapes), []).append(one)
    kept: list[Found] = []
    for group in groups.values():
        best = max(_weight(one) for one in group)
        kept += [one for one in group if _weight(one) == best] if best else group
    return kept


def _weight(found: Found) -> int:
    """Weigh what decides between canaries that share a value: a plain name or address more than a masked one."""
    return sum(
        2 if transform != "masked" else 1
        for role, transform in found.roles.items()
        if role in DECIDING or transform == "masked"
    )
