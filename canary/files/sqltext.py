"""SQL literals of MySQL, PostgreSQL and SQLite as text and back, and the lines of COPY."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from canary.files.sqlgrammar import cells_of

_ESCAPES = {"0": "\0", "b": "\b", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a", "f": "\f", "v": "\v"}
_WITH_BACKSLASH = re.compile(
    r"\\(?:u(?P<hex>[0-9a-fA-F]{4})|x(?P<short>[0-9a-fA-F]{1,2})|(?P<octal>[0-7]{3})|(?P<plain>.))", re.DOTALL
)
_MYSQL_BACKSLASH = re.compile(r"\\(?P<plain>.)(?P<hex>)(?P<short>)(?P<octal>)", re.DOTALL)
_STRING = re.compile(r"((?:[NnEe]|_[A-Za-z0-9]+\s*)?)'((?:[^'\\]|''|\\.)*+)'(.*)", re.DOTALL)
_PLAIN_STRING = re.compile(r"((?:[NnEe]|_[A-Za-z0-9]+\s*)?)'((?:[^']|'')*+)'(.*)", re.DOTALL)
_REPLACED = re.compile(r"replace\((.*),'(\\[nr])',char\((10|13)\)\)", re.DOTALL | re.IGNORECASE)
_UNISTR = re.compile(r"unistr\((.*)\)", re.DOTALL | re.IGNORECASE)
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_BARE = re.compile(r"(?i:true|false)|" + _NUMBER.pattern)
_COPY = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f", "\v": "\\v"}
_COPY_BACKSLASH = re.compile(r"\\(?:x([0-9a-fA-F]{1,2})|([0-7]{1,3})|(.))", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Habit:
    """How one column's literals are written: quoted or bare, with what before and behind the quotes."""

    quoted: bool = True
    before: str = ""
    behind: str = ""


def value_of(literal: str, backslash: bool) -> str | None:
    """Give a literal as the text of a cell, None for NULL; what is neither string nor number stays as written."""
    text = literal.strip()
    if text.upper() in ("NULL", "DEFAULT"):
        return None
    if text[:8].lower() == "replace(" and (found := _REPLACED.fullmatch(text)):
        inner = value_of(found[1], backslash)
        return None if inner is None else inner.replace(found[2], chr(int(found[3])))
    if text[:7].lower() == "unistr(" and (found := _UNISTR.fullmatch(text)):
        return _unescape(value_of(found[1], backslash=False) or "", _WITH_BACKSLASH)
    found = (_STRING if backslash or text[:2] in ("E'", "e'") else _PLAIN_STRING).fullmatch(text)
    if found is None or (found[3] and not found[3].lstrip().startswith("::")):
        return text
    body = found[2].replace("''", "'") if "''" in found[2] else found[2]
    if "\\" in body and (backslash or found[1] in ("E", "e")):
        return _unescape(body, _MYSQL_BACKSLASH if backslash else _WITH_BACKSLASH)
    return body


def _unescape(body: str, pattern: re.Pattern[str]) -> str:
    return pattern.sub(_unescape_one, body)


def _unescape_one(found: re.Match[str]) -> str:
    code = found["hex"] or found["short"]
    if code:
        return chr(int(code, 16))
    if found["octal"]:
        return chr(int(found["octal"], 8))
    plain = found["plain"]
    return "\\" + plain if plain in "%_" else _ESCAPES.get(plain, plain)


def literal_of(text: str | None, habit: Habit, backslash: bool) -> str:
    """Write a cell as a literal, as its column's habit is."""
    if text is None:
        return "NULL"
    if not habit.quoted and _BARE.fullmatch(text):
        return text
    if backslash or habit.before in ("E", "e"):
        escaped = text.replace("\\", "\\\\").replace("'", "\\'" if backslash else "''")
        body = escaped.replace("\n", "\\n").replace("\r", "\\r").replace("\0", "\\0")
    else:
        body = text.replace("'", "''")
    return f"{habit.before}'{body}'{habit.behind}"


def habit_of(literals: Sequence[str]) -> Habit:
    """Learn a column's habit from some of its literals."""
    seen = [text for literal in literals if (text := literal.strip()).upper() != "NULL"]
    strings = [found for text in seen if (found := _PLAIN_STRING.match(text))]
    if not seen or len(strings) * 2 > len(seen):
        found = strings[0] if strings else None
        plain = found is None or not found[3].lstrip().startswith("::")
        return Habit(True, found[1] if found else "", "" if plain or found is None else found[3])
    return Habit(quoted=False)


def native_of_literals(literals: Sequence[str]) -> str:
    """Name the kind of a column by some of its literals: integer, float, boolean or text."""
    seen = [text for literal in literals if (text := literal.strip()).upper() != "NULL"]
    if not seen or habit_of(seen).quoted:
        return "text"
    if all(re.fullmatch(r"[-+]?\d+", text) for text in seen):
        return "integer"
    if all(_NUMBER.fullmatch(text) for text in seen):
        return "float"
    return "boolean" if all(text.lower() in ("true", "false") for text in seen) else "text"


def copy_cells(line: str) -> list[str | None]:
    """Split a line of COPY into its cells."""
    return [_copy_cell(cell) for cell in line.rstrip("\r\n").split("\t")]


def _copy_cell(cell: str) -> str | None:
    if cell == "\\N":
        return None
    return _COPY_BACKSLASH.sub(_copy_unescape, cell) if "\\" in cell else cell


def _copy_unescape(found: re.Match[str]) -> str:
    if found[1]:
        return chr(int(found[1], 16))
    if found[2]:
        return chr(int(found[2], 8))
    return {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}.get(found[3], found[3])


def copy_line(cells: Sequence[str | None]) -> str:
    """Write cells as a line of COPY, without its end."""
    return "\t".join(
        "\\N" if cell is None else "".join(_COPY.get(letter, letter) for letter in cell) for cell in cells
    )


def changed_line(line: str, changes: Mapping[int, str]) -> str:
    """Write some cells of a line of COPY anew; its end and the other cells stay."""
    body = line.rstrip("\r\n")
    cells = body.split("\t")
    for place, text in changes.items():
        cells[place] = copy_line([text])
    return "\t".join(cells) + line[len(body) :]


def changed_tuple(text: str, changes: Mapping[int, str], cell: re.Pattern[str], *, backslash: bool) -> str:
    """Write some literals of a tuple anew, quoted where they were; the others stay as they are, blanks and all."""
    literals = cells_of(text, cell)
    for place, fresh in changes.items():
        old = literals[place]
        lead, tail = old[: len(old) - len(old.lstrip())], old[len(old.rstrip()) :]
        literals[place] = lead + literal_of(fresh, habit_of([old]), backslash) + tail
    return "(" + ",".join(literals) + ")"
