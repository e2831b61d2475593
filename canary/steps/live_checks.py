"""Simple CHECK constraints as tests of a row: IN lists, ranges, lengths, LIKE and regular expressions.

What is not understood passes: the database has the last word, and another row is tried then.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from canary.steps.live_model import Check, Row

_CAST: Final = r"""::\s*(?:"[^"]+"|\w+(?:\s+(?:varying|precision|with(?:out)?\ time\ zone))?)"""
_TOKEN: Final = re.compile(
    rf"""
      (?P<cast>{_CAST}(?:\(\d+(?:,\s*\d+)?\))?(?:\[\])?)
    | (?P<text>(?:_\w+)?'(?:[^']|'')*')
    | (?P<name>"(?:[^"]|"")+"|`(?:[^`]|``)+`)
    | (?P<number>-?\d+(?:\.\d+)?)
    | (?P<word>\w+)
    | (?P<mark><=|>=|<>|!=|!~~|~~|!~|[~<>=(),])
    | (?P<space>\s+)
    | (?P<odd>.)
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "<>": operator.ne,
    "!=": operator.ne,
}
_MIRROR: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "<>": "<>", "!=": "!="}
_LENGTHS: Final = frozenset({"length", "char_length", "character_length"})

Test = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a constraint: kind name, text, number, word or mark."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One understood clause: the test that a column's cell passes; NULL always does."""

    constraint: str
    column: str
    test: Test

    def holds(self, row: Row) -> bool:
        """Tell whether a row satisfies the clause."""
        cell = row.get(self.column)
        return cell is None or self.test(cell)


def rules_of(checks: Sequence[Check]) -> tuple[Rule, ...]:
    """Read the clauses of constraints as far as they are simple."""
    return tuple(rule for check in checks for rule in _rules(check))


def _rules(check: Check) -> Iterator[Rule]:
    for clause in _clauses(_bare(list(_tokens(check.sql)))):
        understood = _understood(_bare(clause))
        if understood is not None:
            yield Rule(check.name, *understood)


def _tokens(sql: str) -> Iterator[Token]:
    for found in _TOKEN.finditer(sql):
        kind, text = str(found.lastgroup), found[0]
        if kind in {"space", "cast"}:
            continue
        if kind == "text":
            yield Token(kind, text[text.index("'") + 1 : -1].replace("''", "'"))
        elif kind == "name":
            yield Token(kind, text[1:-1].replace(text[0] * 2, text[0]))
        else:
            yield Token(kind, text)


def _bare(tokens: list[Token]) -> list[Token]:
    """Take away parentheses that enclose everything, and those around a single word."""
    while len(tokens) > 2 and tokens[0].text == "(" and _closing(tokens, 0) == len(tokens) - 1:
        tokens = tokens[1:-1]
    at = 0
    while at + 2 < len(tokens):
        lone = tokens[at].text == "(" and tokens[at + 2].text == ")" and tokens[at].kind == "mark"
        called = at > 0 and tokens[at - 1].kind == "word"
        if lone and not called:
            tokens = [*tokens[:at], tokens[at + 1], *tokens[at + 3 :]]
        at += 1
    return tokens


def _closing(tokens: Sequence[Token], start: int) -> int:
    depth = 0
    for at in range(start, len(tokens)):
        if tokens[at].kind == "mark":
            depth += {"(": 1, ")": -1}.get(tokens[at].text, 0)
        if depth == 0:
            return at
    return -1


def _clauses(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """Split at every AND that stands outside parentheses and belongs to no BETWEEN; nothing where OR does."""
    clause: list[Token] = []
    clauses: list[list[Token]] = []
    depth, between = 0, False
    for token in tokens:
        word = token.text.lower() if token.kind == "word" else ""
        depth += {"(": 1, ")": -1}.get(token.text, 0) if token.kind == "mark" else 0
        if depth == 0 and word in {"or", "xor"}:
            return
        if depth == 0 and word == "and" and not between:
            clauses.append(clause)
            clause = []
            continue
        between = (between or word == "between") and not (word == "and" and depth == 0)
        clause.append(token)
    yield from (*clauses, clause)


def _understood(clause: Sequence[Token]) -> tuple[str, Test] | None:
    if not clause:
        return None
    measured = _measured(clause)
    if measured is not None:
        column, rest, size = measured
        test = _ranged(rest, length=True) if size else _tested(rest)
        return None if test is None else (column, test)
    if len(clause) == 3 and clause[0].kind in {"number", "text"} and clause[1].text in _MIRROR:
        return _understood([clause[2], Token("mark", _MIRROR[clause[1].text]), clause[0]])
    return None


def _measured(clause: Sequence[Token]) -> tuple[str, Sequence[Token], bool] | None:
    """Split a clause into its column, the rest, and whether the column's length is meant."""
    if (
        len(clause) > 4
        and clause[0].text.lower() in _LENGTHS
        and clause[1].text == "("
        and clause[3].text == ")"
    ):
        return clause[2].text, clause[4:], True
    if clause[0].kind in {"name", "word"} and len(clause) > 1 and clause[1].text != "(":
        return clause[0].text, clause[1:], False
    return None


def _tested(rest: Sequence[Token]) -> Test | None:
    word = rest[0].text.lower()
    if word == "in" and len(rest) > 3:
        return _listed(rest[2:-1])
    if word == "=" and len(rest) > 4 and [token.text.lower() for token in rest[1:3]] == ["any", "("]:
        return _listed(
            [token for token in rest[3:] if token.text.lower() != "array" and token.text not in "()[]"]
        )
    if len(rest) == 2 and rest[1].kind == "text":
        pattern = _pattern(word, rest[1].text)
        if pattern is not None:
            return pattern
    return _ranged(rest, length=False)


def _listed(tokens: Sequence[Token]) -> Test | None:
    if any(token.kind not in {"text", "number"} and token.text != "," for token in tokens):
        return None
    allowed = {token.text for token in tokens if token.kind != "mark"}
    numbers = {number for text in allowed if (number := _number(text)) is not None}
    return lambda cell: cell in allowed or _number(cell) in numbers


def _pattern(word: str, text: str) -> Test | None:
    if word in {"like", "~~"}:
        text = "".join({"%": ".*", "_": "."}.get(char, re.escape(char)) for char in text)
        liked = re.compile(text, re.DOTALL | re.IGNORECASE)
        return lambda cell: liked.fullmatch(cell) is not None
    if word in {"~", "regexp", "rlike"}:
        with suppress(re.error):
            found = re.compile(text)
            return lambda cell: found.search(cell) is not None
    return None


def _ranged(rest: Sequence[Token], *, length: bool) -> Test | None:
    if len(rest) == 2 and rest[0].text in _COMPARE and rest[1].kind in {"number", "text"}:
        return _compared(rest[0].text, rest[1].text, length=length)
    words = [token.text.lower() for token in rest]
    if len(rest) == 4 and (words[0], words[2]) == ("between", "and"):
        least = _compared(">=", rest[1].text, length=length)
        most = _compared("<=", rest[3].text, length=length)
        return lambda cell: least(cell) and most(cell)
    return None


def _compared(mark: str, text: str, *, length: bool) -> Test:
    """Compare as numbers where both are, else as text, as dates in ISO form may be."""
    bound, compare = _number(text), _COMPARE[mark]

    def test(cell: str) -> bool:
        value = Decimal(len(cell)) if length else _number(cell)
        return compare(cell, text) if value is None or bound is None else compare(value, bound)

    return test


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None
