"""The shape of SQL dumps as patterns: statements, tuples, cells; strings with or without backslashes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

_FLAGS = re.IGNORECASE | re.DOTALL
_IDENTIFIER = r'(?:`(?:[^`]|``)+`|"(?:[^"]|"")+"|\[[^\]]+\]|[\w$%HIGH%]+)'
_NAME = rf"{_IDENTIFIER}(?:\s*\.\s*{_IDENTIFIER})*"
_COLUMNS = r'\((?:[^()"`]++|"[^"]*+"|`[^`]*+`)*+\)'
_COMMENT = r"--[^\n]*\n|/\*.*?\*/"
_DOLLAR = r"\$(?P<tag>\w*)\$.*?\$(?P=tag)\$"
_NOT_TABLE = re.compile(
    r"(?:PRIMARY|UNIQUE|KEY|INDEX|CONSTRAINT|FOREIGN|CHECK|FULLTEXT|SPATIAL|EXCLUDE|LIKE|PERIOD)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Grammar:
    """Patterns over the shape of a dump (bytes), and over the text of one tuple."""

    gap: re.Pattern[bytes]
    insert: re.Pattern[bytes]
    copy: re.Pattern[bytes]
    create: re.Pattern[bytes]
    whole: re.Pattern[bytes]  # a region in which ; does not end a statement: trigger, routine, psql command
    half: re.Pattern[bytes]  # the beginning of such a region
    rest: re.Pattern[bytes]  # up to and with the ; that ends a statement
    tuple: re.Pattern[bytes]
    line: re.Pattern[bytes]
    cell: re.Pattern[str]
    body: re.Pattern[str]  # the definitions of a CREATE TABLE, comments left out
    remark: re.Pattern[str]  # a comment, or in group 1 what may look like one


@cache
def grammar(backslash: bool) -> Grammar:
    """Build the patterns; `backslash`: whether it escapes within strings, as MySQL has it."""
    comment = _COMMENT + (r"|#[^\n]*\n" if backslash else "")
    body = r"(?:[^'\\]++|''|\\.)*+" if backslash else r"(?:[^']++|'')*+"
    string = f"'{body}'" if backslash else rf"'{body}'|[eE]'(?:[^'\\]++|''|\\.)*+'"
    double = r'"(?:[^"\\]++|""|\\.)*+"' if backslash else r'"(?:[^"]++|"")*+"'
    quoted = rf"{string}|{double}|`[^`]*+`"
    plain = r"[^()'\"`,]++" if backslash else r"[^()'\"`eE,]++|[eE](?!')"
    item = f"(?:{plain}|,|{quoted})"
    nested = rf"\((?:{item}|\((?:{item}|\({item}*+\))*+\))*+\)"
    other = r"[^;'\"`/#-]++" if backslash else rf"[^;'\"`$/eE-]++|[eE](?!')|\$(?!\w*\$)|{_DOLLAR}"
    rest = rf"(?:{other}|/(?!\*)|-(?!-)|{quoted}|{comment})*+;"
    return Grammar(
        gap=_bytes(rf"(?:\s++|{comment})*+"),
        insert=_bytes(
            r"(?:INSERT|REPLACE)\s+(?:(?:IGNORE|LOW_PRIORITY|HIGH_PRIORITY|DELAYED|OR\s+\w+)\s+)*(?:INTO\s+)?"
            rf"(?P<name>{_NAME})\s*(?P<columns>{_COLUMNS})?\s*(?:OVERRIDING\s+\w+\s+VALUE\s+)?VALUES\s*(?=\()"
        ),
        copy=_bytes(
            rf"COPY\s+(?P<name>{_NAME})\s*(?P<columns>{_COLUMNS})?\s*FROM\s+stdin(?P<options>[^;]*);[ \t]*\r?\n"
        ),
        create=_bytes(rf"CREATE\s+(?:\w+\s+){{0,3}}?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(?P<name>{_NAME})\s*\("),
        whole=_bytes(
            r"DELIMITER\s+(?!;\s)\S+[^\n]*\n.*?\nDELIMITER\s+;[^\n]*(?:\n|\Z)|\\[^\n]*\n"
            r"|CREATE\s[^;]*?\bTRIGGER\b[^;]*?\bBEGIN\b.*?\bEND\s*;"
        ),
        half=_bytes(
            r"DELIMITER\s+(?!;\s)\S+|\\|CREATE\s[^;]*?\bTRIGGER\b[^;]*?\bBEGIN\b|COPY\s[^;]*;[ \t\r]*\Z"
        ),
        rest=_bytes(rest),
        tuple=_bytes(nested),
        line=_bytes(r"[ \t]*\r?\n"),
        cell=re.compile(rf"(?:{plain}|{quoted}|{nested})*+", _FLAGS),
        body=re.compile(nested, _FLAGS),
        remark=re.compile(rf"({quoted})|{comment}", _FLAGS),
    )


def _bytes(pattern: str) -> re.Pattern[bytes]:
    return re.compile(pattern.replace("%HIGH%", r"\x80-\xff").encode(), _FLAGS)


def cells_of(text: str, cell: re.Pattern[str]) -> list[str]:
    """Split the text of a tuple, its parentheses included, into literals with the blanks around them."""
    cells, at, end = [], 1, len(text) - 1
    while at <= end:
        found = cell.match(text, at, end)
        assert found is not None  # the pattern matches nothing too  # noqa: S101
        cells.append(found[0])
        at = found.end() + 1
    return cells


_SIMPLE = r"\s*+(?:'[^'\\]*+'|[-+.\w]++)\s*+"
_SIMPLE_ROW = re.compile(rf"\({_SIMPLE}(?:,{_SIMPLE})*+\)")
_SIMPLE_CELL = re.compile(r"'([^'\\]*)'|([-+.\w]+)")


def simple_values(text: str) -> list[str | None] | None:
    """Give the values of a tuple that holds only plain strings, numbers and NULL; None for any other."""
    if _SIMPLE_ROW.fullmatch(text) is None:
        return None
    return [
        string if not bare else None if bare.upper() in ("NULL", "DEFAULT") else bare
        for string, bare in _SIMPLE_CELL.findall(text)
    ]


def plain_name(name: str) -> str:
    """Give a table's name without quotes, schema and name joined by a dot."""
    parts = re.findall(r'`((?:[^`]|``)+)`|"((?:[^"]|"")+)"|\[([^\]]+)\]|([^\s.`"\[\]]+)', name)
    return ".".join(
        (one[0].replace("``", "`") or one[1].replace('""', '"') or one[2] or one[3]) for one in parts
    )


def column_names(columns: str) -> tuple[str, ...]:
    """Give the names in a list of columns, its parentheses included."""
    found = re.findall(r'`((?:[^`]|``)+)`|"((?:[^"]|"")+)"|\[([^\]]+)\]|([^\s,`"()\[\]]+)', columns)
    return tuple(one[0].replace("``", "`") or one[1].replace('""', '"') or one[2] or one[3] for one in found)


def created_columns(text: str, rules: Grammar) -> tuple[str, ...]:
    """Give the names of the columns that a CREATE TABLE defines (`text` from its parenthesis on)."""
    found = rules.body.match(rules.remark.sub(lambda one: one[1] or " ", text))
    names: list[str] = []
    for definition in cells_of(found[0] if found else "()", rules.cell):
        definition = definition.strip()
        if definition and not _NOT_TABLE.match(definition):
            names += column_names(definition)[:1]
    return tuple(names)
