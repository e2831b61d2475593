"""policy.toml: read with every mistake named, written in one canonical form that reads back the same."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from canary.errors import UsageError
from canary.fields.quantity import tolerance_of
from canary.fields.roles import check_role
from canary.model.data import ColumnPolicy, Policy

MARKS: Final = ("number", "time", "text", "surrogate", "category", "invisible")
GRAMMARS: Final = ("cn_address", "en_address", "units", "punctuation", "dates", "remarks")
ORDERS: Final = ("free", "kept")
_DATASET_KEYS: Final = ("name", "anchors", "canaries", "group_canaries", "omit", "keep_sum", "ranges")
_COLUMN_KEYS: Final = ("role", "mark", "tolerance", "grammar", "order", "range")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+\Z")
_KEY_LIMIT = 10**64


def parse_policy(text: str, headings: Sequence[str] | None = None) -> Policy:
    """Read a policy; UsageError lists what is known where a word, or a column of `headings`, is not."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(
            f"the policy is not TOML: {str(error).lower()}", "compare with the output of canary inspect"
        ) from None
    _check_words("table", document, ("dataset", "columns"))
    dataset, columns = _table(document, "dataset"), _table(document, "columns")
    _check_words("key of [dataset]", dataset, _DATASET_KEYS)
    read = {heading: _column(heading, _table(columns, heading)) for heading in columns}
    policy = Policy(
        dataset=_name(dataset.get("name")),
        columns=read,
        anchors=_anchors(dataset.get("anchors", [])),
        canaries=_canaries(dataset.get("canaries")),
        group_canaries=_share("group_canaries", dataset.get("group_canaries", 0.0)),
        omit=_share("omit", dataset.get("omit", 0.0)),
        keep_sum=_flag(dataset.get("keep_sum", False)),
        ranges=_ranges(dataset, columns),
        text=text,
        sha256=hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
    )
    if headings is not None:
        check_columns(policy, headings)
    return policy


def check_columns(policy: Policy, headings: Sequence[str]) -> None:
    """Raise UsageError where the policy names a column the table does not have."""
    named = [*policy.columns, *policy.ranges, *(column for anchor in policy.anchors for column in anchor)]
    _check_words("column of the policy", named, headings)


def default_policy_version(dataset: str, headings: Sequence[str], policy_text: str) -> str:
    """Give the SHA-256 that names a dataset version: of its name, ordered headings and policy text."""
    whole = json.dumps([dataset, list(headings), policy_text], ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(whole.encode()).hexdigest()


def write_policy(policy: Policy) -> str:
    """Write a policy in its canonical form; parse_policy gives it back."""
    lines = ["[dataset]", f"name = {_quoted(policy.dataset)}"]
    if policy.anchors:
        lines.append("anchors = [" + ", ".join(_list(anchor) for anchor in policy.anchors) + "]")
    if policy.canaries is not None:
        lines.append(f"canaries = {_number(policy.canaries)}")
    lines.append(f"group_canaries = {_number(policy.group_canaries)}")
    lines.append(f"omit = {_number(policy.omit)}")
    lines.append(f"keep_sum = {str(policy.keep_sum).lower()}")
    if policy.ranges:
        lines += ["", "[dataset.ranges]"]
        lines += [f"{_key(column)} = [{low}, {high}]" for column, (low, high) in policy.ranges.items()]
    for heading, column in policy.columns.items():
        lines += ["", f"[columns.{_quoted(heading)}]", *_column_lines(column)]
    return "\n".join(lines) + "\n"


def _column_lines(column: ColumnPolicy) -> Iterable[str]:
    yield f"role = {_quoted(column.role)}"
    if column.mark is not None:
        yield f"mark = {_quoted(column.mark)}"
    if column.tolerance is not None:
        text = column.tolerance
        yield f"tolerance = {_quoted(text) if isinstance(text, str) else _number(text)}"
    if column.grammar is not None:
        yield f"grammar = {_quoted(column.grammar)}"
    if column.order is not None:
        yield f"order = {_quoted(column.order)}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(text: str) -> str:
    return text if _BARE_KEY.match(text) else _quoted(text)


def _list(words: Iterable[str]) -> str:
    return "[" + ", ".join(map(_quoted, words)) + "]"


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else repr(float(value))


def _table(parent: Mapping[str, object], name: str) -> dict[str, object]:
    found = parent.get(name, {})
    if not isinstance(found, dict):
        raise UsageError(f"{name!r} of the policy is not a table", f"write it as [{name}]")
    return found


def _check_words(what: str, words: Iterable[str], known: Sequence[str]) -> None:
    for word in words:
        if word not in known:
            raise UsageError(f"unknown {what} {word!r}", f"known: {', '.join(known)}")


def _column(heading: str, table: Mapping[str, object]) -> ColumnPolicy:
    _check_words(f"key of column {heading!r}:", table, _COLUMN_KEYS)
    mark = _word(heading, table, "mark", MARKS)
    grammar = _word(heading, table, "grammar", GRAMMARS)
    role = check_role(_text(heading, "role", table.get("role", "other")))
    if mark == "text" and grammar is None:
        raise UsageError(
            f"column {heading!r} has mark text and no grammar", f"known grammars: {', '.join(GRAMMARS)}"
        )
    return ColumnPolicy(
        role,
        mark,
        _tolerance(heading, table.get("tolerance"), mark),
        grammar,
        _word(heading, table, "order", ORDERS),
    )


def _word(heading: str, table: Mapping[str, object], key: str, known: Sequence[str]) -> str | None:
    if key not in table:
        return None
    word = _text(heading, key, table[key])
    _check_words(f"{key} of column {heading!r}:", [word], known)
    return word


def _text(heading: str, key: str, value: object) -> str:
    if isinstance(value, str):
        return value
    raise UsageError(f"{key} of column {heading!r} is {value!r}, not a text", f'write {key} = "…"')


def _tolerance(heading: str, value: object, mark: str | None) -> str | float | None:
    if value is None:
        if mark in ("number", "time"):
            raise UsageError(
                f"column {heading!r} has mark {mark} and no tolerance",
                'write tolerance = 0.02, "30s" or "1%"',
            )
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise UsageError(
            f"tolerance of column {heading!r} is {value!r}", 'write tolerance = 0.02, "30s" or "1%"'
        )
    tolerance_of(value)
    return value


def _name(value: object) -> str:
    if isinstance(value, str) and value.strip():
        return value
    raise UsageError("the policy has no dataset name", 'write name = "…" under [dataset]')


def _anchors(value: object) -> tuple[tuple[str, ...], ...]:
    if isinstance(value, list) and all(
        isinstance(anchor, list) and anchor and all(isinstance(column, str) for column in anchor)
        for anchor in value
    ):
        return tuple(tuple(anchor) for anchor in value)
    raise UsageError(
        "anchors of the policy are not lists of columns", 'write anchors = [["运单号"], ["姓名", "地址"]]'
    )


def _real(key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise UsageError(f"{key} of the policy is {value!r}, not a number from 0 up", f"write {key} = 0.002")
    return value


def _canaries(value: object) -> float | None:
    if value is None:
        return None
    number = _real("canaries", value)
    if number >= 1 and number != int(number):
        raise UsageError(
            f"canaries of the policy is {number}, neither a share nor a count",
            "write a number below 1, or a whole one",
        )
    return number


def _share(key: str, value: object) -> float:
    number = _real(key, value)
    if number > 1:
        raise UsageError(
            f"{key} of the policy is {number}, more than all", f"write a share from 0 to 1: {key} = 0.01"
        )
    return number


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise UsageError(f"keep_sum of the policy is {value!r}", "write keep_sum = true or false")


def _ranges(dataset: Mapping[str, object], columns: Mapping[str, object]) -> dict[str, tuple[int, int]]:
    """Read the key ranges reserved for canaries, from [dataset.ranges] or `range` of a column."""
    given = dict(_table(dataset, "ranges"))
    for heading in columns:
        column = _table(columns, heading)
        if "range" in column:
            given[heading] = column["range"]
    return {heading: _range(heading, value) for heading, value in given.items()}


def _range(heading: str, value: object) -> tuple[int, int]:
    if (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(end, int) and not isinstance(end, bool) for end in value)
    ):
        low, high = value
        if 0 <= low < high < _KEY_LIMIT:
            return low, high
    raise UsageError(
        f"range of column {heading!r} is {value!r}", "write range = [low, high], whole numbers, low < high"
    )
