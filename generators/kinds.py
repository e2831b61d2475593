"""Record kinds are data: one TOML file each, found by its name, or by the entry-point group canary.kinds."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from random import Random
from typing import NamedTuple

from canary.errors import UsageError
from canary.fields.roles import FORMS, PERSONAL, check_role
from canary.generators.data import config_folder
from canary.generators.persona import Personas
from canary.generators.rules import Filler, rule_name
from canary.model.record import Kind, KindColumn

GROUP = "canary.kinds"
BATCH = 8192  # rows drawn at once
TABLE = "table"  # the kind of rows that fit no known one
LEAST_SHARED = 0.5  # share of roles in common
_FILE_KEYS = {"summary", "language", "columns"}
_COLUMN_KEYS = {"name", "role", "zh", "en", "rule"}


class KindRows(NamedTuple):
    """Records of a kind: headings, rows as they are drawn, and the role of each heading."""

    headings: tuple[str, ...]
    rows: Iterator[dict[str, str | None]]
    roles: Mapping[str, str]


def kind_names() -> list[str]:
    """List the record kinds by file name and entry point, without loading them."""
    files = {
        entry.name.removesuffix(".toml")
        for entry in config_folder("kinds").iterdir()
        if entry.name.endswith(".toml")
    }
    return sorted(files | set(_outside()))


def _outside() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def load_kind(name: str) -> Kind:
    """Load a record kind; raises UsageError that lists the known ones."""
    known = kind_names()
    if name not in known:
        raise UsageError(f"unknown kind {name!r}", "known kinds: " + ", ".join(known))
    return _load(name)


@lru_cache(maxsize=64)
def _load(name: str) -> Kind:
    file = config_folder("kinds") / f"{name}.toml"
    if file.is_file():
        return parse_kind(name, file.read_text("utf-8"))
    made = _outside()[name].load()
    found = made() if callable(made) else made
    if not isinstance(found, Kind):
        raise UsageError(
            f"entry point {name!r} gives no record kind",
            f"let {GROUP} name a Kind or a function that returns one",
        )
    return found


def parse_kind(name: str, text: str) -> Kind:
    """Read a record kind from TOML text; raises UsageError that says what is wrong with it."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"kind {name!r} is not TOML: {error}", "see config/kinds/waybill.toml") from None
    _only(table, _FILE_KEYS, f"kind {name!r}")
    columns = tuple(_column(name, column) for column in table.get("columns", ()))
    if not columns:
        raise UsageError(
            f"kind {name!r} has no columns", "give it [[columns]] with name, role, zh, en and rule"
        )
    if len({column.name for column in columns}) < len(columns):
        raise UsageError(f"kind {name!r} names a column twice", "give every column a name of its own")
    return Kind(name, str(table.get("summary", "")), str(table.get("language", "zh")), columns)


def _column(kind: str, column: Mapping[str, object]) -> KindColumn:
    _only(column, _COLUMN_KEYS, f"a column of kind {kind!r}")
    missing = {"name", "role", "rule"} - column.keys()
    rule = column.get("rule")
    if missing or not isinstance(rule, dict):
        wanted = ", ".join(sorted(missing)) or "a rule table"
        raise UsageError(f"a column of kind {kind!r} lacks {wanted}", 'write rule = { persona = "name" }')
    name, role = str(column["name"]), check_role(str(column["role"]))
    rule_name(rule)
    headings = {"zh": str(column.get("zh", name)), "en": str(column.get("en", name))}
    return KindColumn(name, role, headings, rule)


def _only(table: Mapping[str, object], known: set[str], what: str) -> None:
    strange = sorted(table.keys() - known)
    if strange:
        raise UsageError(
            f"{what} has unknown keys: {', '.join(strange)}", "known keys: " + ", ".join(sorted(known))
        )


def best_kind(roles: Iterable[str]) -> str:
    """Give the kind whose identifying and personal roles a table shares most, "table" where none is near."""
    wanted = Counter(role for role in roles if role in PERSONAL | FORMS.keys())
    best, found = TABLE, LEAST_SHARED
    for name in kind_names():
        have = Counter(
            column.role for column in load_kind(name).columns if column.role in PERSONAL | FORMS.keys()
        )
        shared = (wanted & have).total() / max(1, (wanted | have).total())
        if shared > found:
            best, found = name, shared
    return best


def headings_of(kind: Kind, locale: str) -> tuple[str, ...]:
    """Give the headings of a kind in the language of a locale; a kind in English keeps English ones."""
    language = "zh" if kind.language == "zh" and locale.startswith("zh") else "en"
    return tuple(column.headings[language] for column in kind.columns)


def rows_of_kind(kind: Kind, personas: Personas, rng: Random, count: int, locale: str) -> KindRows:
    """Draw `count` records of a kind, a batch at a time; every value has passed the safety gate."""
    headings = headings_of(kind, locale)
    roles = {heading: column.role for heading, column in zip(headings, kind.columns, strict=True)}
    return KindRows(headings, _rows(kind, headings, personas, rng, count), roles)


def _rows(
    kind: Kind, headings: tuple[str, ...], personas: Personas, rng: Random, count: int
) -> Iterator[dict[str, str | None]]:
    filler = Filler(kind, personas, rng, count)
    for start in range(0, count, BATCH):
        columns = filler.fill(min(BATCH, count - start))
        for row in zip(*columns, strict=True):
            yield dict(zip(headings, row, strict=False))  # of one length: both go by the columns
