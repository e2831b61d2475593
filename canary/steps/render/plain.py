"""A document as plain text and as Markdown."""

from __future__ import annotations

import re

from canary.steps.render.document import Document, Section, Table

SPECIAL = re.compile(
    r"([\\`*_\[\]<>|~&$@]|:(?=//)|(?<=www)\.)|^(\s*)([#+\-=]|\d+[.)](?=\s|$))", re.IGNORECASE
)


def to_text(document: Document) -> str:
    """Write a document as plain text: tables as one block a row."""
    parts = [document.title, "=" * 60, document.subtitle]
    for section in document.sections:
        parts += ["", section.heading, "-" * 60, *section.paragraphs]
        parts += [f"- {point}" for point in section.points]
        if section.table:
            parts.append("\n\n".join(_block(section.table, row) for row in section.table.rows))
    return "\n".join(parts) + "\n"


def _block(table: Table, row: tuple[str, ...]) -> str:
    filled = [(heading, cell) for heading, cell in zip(table.headings, row, strict=True) if cell]
    return "\n".join(
        f"{'  ' if number else ''}{heading}: {cell}" for number, (heading, cell) in enumerate(filled)
    )


def to_markdown(document: Document) -> str:
    """Write a document as CommonMark with tables of GitHub's kind; every text is escaped."""
    parts = [f"# {escape(document.title)}", "", escape(document.subtitle)]
    for section in document.sections:
        parts += ["", f"## {escape(section.heading)}", "", *_markdown_body(section)]
    return "\n".join(parts) + "\n"


def _markdown_body(section: Section) -> list[str]:
    parts = [line for text in section.paragraphs for line in (escape(text), "")]
    parts += [f"- {escape(point)}" for point in section.points]
    if section.table:
        parts.append(_row(section.table.headings))
        parts.append("|" + " --- |" * len(section.table.headings))
        parts += [_row(row) for row in section.table.rows]
    return parts if parts[-1:] != [""] else parts[:-1]


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(escape(cell) for cell in cells) + " |"


def escape(text: str) -> str:
    """Escape what Markdown or GitHub would read as markup, a link or HTML."""
    return SPECIAL.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    special, space, start = found.groups()
    if start:
        return f"{space}{start[:-1]}\\{start[-1]}"
    return f"\\{special}"
