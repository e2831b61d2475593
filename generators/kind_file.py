"""Reading a kind file: columns, columns nobody sees, tables of facts, and who plays a part."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence

from canary.errors import SafetyError, UsageError
from canary.fields.roles import check_role
from canary.generators.kind_check import check_references
from canary.generators.rules import check_rule
from canary.generators.safety import ADULT
from canary.model.record import Kind, KindColumn, KindPeople, KindTable

_FILE = {"summary", "language", "columns", "given", "tables", "people"}
_COLUMN = {"name", "role", "zh", "en", "rule"}
_TABLE = {"columns", "rows", "weights"}
_PEOPLE = {"sexes", "ages"}
_PARTS = {"persona", "second"}


def read_kind(name: str, text: str) -> Kind:
    """Read a record kind from TOML text; raises UsageError that says what is wrong with it."""
    try:
        file = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"kind {name!r} is not TOML: {error}", "see config/kinds/waybill.toml") from None
    _only(file, _FILE, f"kind {name!r}")
    columns = tuple(_column(name, column) for column in _tables_in(file, "columns", name))
    given = tuple(_given(name, column) for column in _tables_in(file, "given", name))
    if not columns:
        raise UsageError(
            f"kind {name!r} has no columns", "give it [[columns]] with name, role, zh, en and rule"
        )
    if len({column.name for column in (*columns, *given)}) < len(columns) + len(given):
        raise UsageError(f"kind {name!r} names a column twice", "give every column a name of its own")
    tables = {key: _table(name, key, table) for key, table in _named(file, "tables", name).items()}
    people = {who: _people(name, who, one) for who, one in _named(file, "people", name).items()}
    summary, language = str(file.get("summary", "")), str(file.get("language", "zh"))
    kind = Kind(name, summary, language, columns, given, tables, people)
    check_references(kind)
    return kind


def _column(kind: str, column: Mapping[str, object]) -> KindColumn:
    _only(column, _COLUMN, f"a column of kind {kind!r}")
    rule = _rule(kind, column, {"name", "role", "rule"})
    name, role = str(column["name"]), check_role(str(column["role"]))
    headings = {"zh": str(column.get("zh", name)), "en": str(column.get("en", name))}
    return KindColumn(name, role, headings, rule)


def _given(kind: str, column: Mapping[str, object]) -> KindColumn:
    _only(column, {"name", "rule"}, f"a given column of kind {kind!r}")
    return KindColumn(str(column.get("name")), "other", {}, _rule(kind, column, {"name", "rule"}))


def _rule(kind: str, column: Mapping[str, object], needed: set[str]) -> Mapping[str, object]:
    missing, rule = needed - column.keys(), column.get("rule")
    if missing or not isinstance(rule, dict):
        wanted = ", ".join(sorted(missing)) or "a rule table"
        raise UsageError(f"a column of kind {kind!r} lacks {wanted}", 'write rule = { persona = "name" }')
    check_rule(rule)
    return rule


def _table(kind: str, name: str, table: Mapping[str, object]) -> KindTable:
    what = f"table {name!r} of kind {kind!r}"
    _only(table, _TABLE, what)
    columns, rows, weights = (_list(table.get(key, []), what) for key in ("columns", "rows", "weights"))
    cells = tuple(tuple(str(cell) for cell in _list(row, what)) for row in rows)
    if not cells or {len(row) for row in cells} != {len(columns)}:
        raise UsageError(
            f"{what} has rows of another length than its columns", "give each row a cell a column"
        )
    if weights and len(weights) != len(cells):
        raise UsageError(f"{what} has {len(weights)} weights for {len(cells)} rows", "give each row a weight")
    return KindTable(tuple(map(str, columns)), cells, tuple(_number(one, what) for one in weights))


def _people(kind: str, who: str, table: Mapping[str, object]) -> KindPeople:
    what = f"people of kind {kind!r}"
    _only({who: table}, _PARTS, what)
    _only(table, _PEOPLE, what)
    sexes, ages = str(table.get("sexes", "MF")), table.get("ages")
    if not sexes or set(sexes) - set("MF"):
        raise UsageError(f"{what} have the sexes {sexes!r}", 'write sexes = "M", "F" or "MF"')
    if ages is None:
        return KindPeople(sexes)
    bounds = [int(_number(one, what)) for one in _list(ages, what)]
    if len(bounds) != 2 or bounds[0] > bounds[1]:
        raise UsageError(f"{what} have no ages from first to last", "write ages = [20, 44]")
    if bounds[0] < ADULT:
        raise SafetyError(f"{what} would be minors", f"personas are adults: begin at {ADULT}")
    return KindPeople(sexes, (bounds[0], bounds[1]))


def _list(found: object, what: str) -> Sequence[object]:
    if not isinstance(found, list):
        raise UsageError(f"{what} has {found!r} where a list belongs", "see config/kinds/hotel_stay.toml")
    return found


def _number(found: object, what: str) -> float:
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise UsageError(f"{what} has {found!r} where a number belongs", "write it without quotes")
    return float(found)


def _named(file: Mapping[str, object], key: str, kind: str) -> Mapping[str, Mapping[str, object]]:
    found = file.get(key, {})
    if not isinstance(found, dict) or not all(isinstance(one, dict) for one in found.values()):
        raise UsageError(f"{key} of kind {kind!r} are not tables", f"write [{key}.NAME]")
    return found


def _tables_in(file: Mapping[str, object], key: str, kind: str) -> Sequence[Mapping[str, object]]:
    found = file.get(key, [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise UsageError(f"{key} of kind {kind!r} are not tables", f"write [[{key}]]")
    return found


def _only(table: Mapping[str, object], known: set[str], what: str) -> None:
    strange = sorted(table.keys() - known)
    if strange:
        raise UsageError(
            f"{what} has unknown keys: {', '.join(strange)}", "known keys: " + ", ".join(sorted(known))
        )
