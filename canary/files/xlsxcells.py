"""Rows of a sheet's XML: cells read as text, canary rows written like the row above, rows renumbered."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from functools import cache
from xml.sax.saxutils import escape

from canary.files.xlsxbook import Book
from canary.files.xmlparts import attributes, find_bytes, find_text, plain_text, unescape

_NUMBERED = re.compile(rb"(<(?:\w+:)?(?:row|c)\b[^>]*?\sr=[\"'])([A-Z]*)(\d+)(?=[\"'])")
# a cell as nearly all writers have it; whatever looks otherwise is read part by part
_PLAIN_CELL = re.compile(
    rb'<c r="([A-Z]+)\d+"(?: s="(\d+)")?(?: t="(\w+)")?\s?'
    rb'(?:/>|>(?:<v>([^<]*)</v>|<is><t(?: xml:space="preserve")?>([^<]*)</t></is>)?</c>)'
)
_ANY_CELL = re.compile(rb"<(\w+:)?c(?=[\s/>])[^>]*?(?:/>|>.*?</(?:\w+:)?c>)", re.DOTALL)
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
_PLACE = re.compile(r"([A-Z]+)(\d+)")
_PLAIN_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_LITERAL = re.compile("_(?=x[0-9A-Fa-f]{4}_)")  # would be read as a character's code
_BAD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\r\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its column (0-based), style, type and value as text; `kind` is the native type of the value."""

    column: int
    style: int
    type: str
    text: str | None
    kind: str


@cache
def column_of(letters: str) -> int:
    """Give the number of a column (A: 0)."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def letters_of(column: int) -> str:
    """Give the letters of a column (0: A)."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def row_number(given: bytes, before: int) -> int:
    """Give the number of a row by its attributes; one without a number follows the row before it."""
    found = attributes(given.decode()).get("r")
    return int(found) if found else before + 1


def read_cells(row: bytes, book: Book) -> list[Cell]:
    """Read the cells of a row element."""
    plain = _PLAIN_CELL.findall(row)
    if not plain or len(plain) != row.count(b"<c"):
        return _read_any_cells(row, book)
    return [_plain_cell(*parts, book=book) for parts in plain]


@cache
def _name(written: bytes) -> str:
    return written.decode()


def _plain_cell(
    letters: bytes, number: bytes, kind: bytes, value: bytes, inline: bytes, *, book: Book
) -> Cell:
    style, name = int(number or 0), _name(kind)
    return Cell(column_of(_name(letters)), style, name, *_plain_value(name, value, inline, style, book))


def _plain_value(kind: str, value: bytes, inline: bytes, style: int, book: Book) -> tuple[str | None, str]:
    if kind == "inlineStr":
        return unescape(inline.decode()), "text"
    return _value_of(kind, unescape(value.decode()), style, book) if value else (None, "text")


def _read_any_cells(row: bytes, book: Book) -> list[Cell]:
    """Read cells however they are written: prefixes, missing places, rich text, formulas."""
    cells: list[Cell] = []
    for found in find_bytes(row, "c"):
        given = attributes(found.given.decode())
        place = _PLACE.fullmatch(given.get("r", ""))
        column = column_of(place[1]) if place else (cells[-1].column + 1 if cells else 0)
        style, kind = int(given.get("s", "0")), given.get("t", "")
        cells.append(Cell(column, style, kind, *_value(found.inner.decode(), kind, style, book)))
    return cells


def _value(inner: str, kind: str, style: int, book: Book) -> tuple[str | None, str]:
    """Give a cell's value as text, and its native type."""
    if kind == "inlineStr":
        return plain_text(inner), "text"
    found = next(find_text(inner, "v"), None)
    if found is None:
        return None, "text"
    return _value_of(kind, unescape(found.inner), style, book)


def _value_of(kind: str, raw: str, style: int, book: Book) -> tuple[str | None, str]:
    """Give the value of a cell that is not inline."""
    if kind == "s":
        place = int(raw)
        return (book.strings[place] if 0 <= place < len(book.strings) else None), "text"
    if kind == "b":
        return ("true" if raw.strip() in ("1", "true") else "false"), "boolean"
    if kind in ("str", "e", "d"):
        return raw, "text"
    moment = book.moment(raw, style)
    if moment is not None:
        return moment, "date" if len(moment) == len("2000-01-01") else "timestamp"
    text = number_text(raw)
    return text, "float" if "." in text else "integer"


def number_text(raw: str) -> str:
    """Give a number as a person would write it: no exponent, no trailing noise of binary fractions."""
    text = raw.strip()
    if _PLAIN_NUMBER.fullmatch(text) and len(text) <= 15:
        return text
    try:
        value = Decimal(repr(float(text)))
    except (ValueError, InvalidOperation):
        return text
    return format(value.to_integral_value() if value == value.to_integral_value() else value, "f")


def shifted(xml: bytes, by: int) -> bytes:
    """Move rows down: every row and cell number grows."""
    if not by:
        return xml
    return _NUMBERED.sub(lambda found: b"%b%b%d" % (found[1], found[2], int(found[3]) + by), xml)


@dataclass(frozen=True, slots=True)
class CellWriter:
    """Writes canary rows: every column as its real cells are, text inline unless the book shares it already."""

    book: Book
    native: Mapping[str, str]
    columns: Mapping[str, int]
    known: Mapping[str, int]
    styles: Mapping[int, int]

    def row(self, template: bytes, number: int, values: Mapping[str, str | None]) -> bytes:
        """Write a row element of the given number in the style of a template row (may be empty)."""
        tag = next(find_bytes(template, "row"), None)
        prefix = tag.prefix.decode() if tag else ""
        given = (
            re.sub(r"""\s+r=(?:"[^"]*"|'[^']*')""", "", f" {tag.given.decode().strip()}").rstrip()
            if tag
            else ""
        )
        above = {cell.column: cell for cell in read_cells(template, self.book)}
        by_column = {self.columns[heading]: heading for heading in self.columns}
        cells = [
            self._cell(prefix, column, number, above.get(column), by_column.get(column), values)
            for column in sorted(above.keys() | by_column.keys())
        ]
        return f'<{prefix}row r="{number}"{given}>{"".join(cells)}</{prefix}row>'.encode()

    def changed(self, row: bytes, number: int, texts: Mapping[int, str]) -> bytes:
        """Write some cells (by column) of a row anew, each in the type that it has; a formula stays."""
        cells = read_cells(row, self.book)
        found = list(_ANY_CELL.finditer(row))
        if len(found) != len(cells):
            return row
        pieces, done = [], 0
        for cell, place in zip(cells, found, strict=True):
            if cell.column in texts and not _FORMULA.search(place[0]):
                own = replace(self, native={"": cell.kind})
                prefix = place[1].decode() if place[1] else ""
                text = own._cell(prefix, cell.column, number, cell, "", {"": texts[cell.column]})
                pieces += [row[done : place.start()], text.encode()]
                done = place.end()
        return b"".join([*pieces, row[done:]])

    def _cell(
        self,
        prefix: str,
        column: int,
        number: int,
        above: Cell | None,
        heading: str | None,
        values: Mapping[str, str | None],
    ) -> str:
        text = values.get(heading) if heading is not None else None
        empty = above is None or (above.text is None and text is not None)
        number_style = self.styles.get(column, 0) if empty else above.style if above else 0
        style = f' s="{number_style}"' if number_style else ""
        start = f'<{prefix}c r="{letters_of(column)}{number}"{style}'
        if text is None:
            return f"{start}/>" if style and above else ""
        native = self.native.get(heading or "", "text")
        plain = ' t="n"' if above and above.type == "n" else ""
        if native in ("integer", "float") and _PLAIN_NUMBER.fullmatch(text):
            return f"{start}{plain}><{prefix}v>{text}</{prefix}v></{prefix}c>"
        if native == "boolean" and text in ("true", "false"):
            return f'{start} t="b"><{prefix}v>{int(text == "true")}</{prefix}v></{prefix}c>'
        if native in ("timestamp", "date") and (serial := self.book.serial(text)) is not None:
            return f"{start}{plain}><{prefix}v>{serial}</{prefix}v></{prefix}c>"
        return self._text_cell(start, prefix, text, above)

    def _text_cell(self, start: str, prefix: str, text: str, above: Cell | None) -> str:
        if text in self.known and (above is None or above.type != "inlineStr"):
            return f'{start} t="s"><{prefix}v>{self.known[text]}</{prefix}v></{prefix}c>'
        body = _BAD.sub(lambda found: f"_x{ord(found[0]):04X}_", _LITERAL.sub("_x005F_", escape(text)))
        space = ' xml:space="preserve"' if text != text.strip() or "\n" in text else ""
        return (
            f'{start} t="inlineStr"><{prefix}is><{prefix}t{space}>{body}</{prefix}t></{prefix}is></{prefix}c>'
        )


def native_of_cells(cells: Sequence[Cell]) -> str:
    """Name the commonest kind of a column's cells."""
    kinds = [cell.kind for cell in cells if cell.text is not None]
    if set(kinds) == {"integer", "float"}:
        return "float"
    return max(sorted(set(kinds)), key=kinds.count) if kinds else "text"


def commonest_style(cells: Sequence[Cell]) -> int:
    """Give the commonest style among a column's cells that have a value."""
    styles = [cell.style for cell in cells if cell.text is not None]
    return max(sorted(set(styles)), key=styles.count) if styles else 0
