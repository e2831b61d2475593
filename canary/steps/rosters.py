"""Small tables a person hands in: recipients, contacts, lists of ids (CSV or JSON Lines)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from canary.errors import OutsideError, UsageError


def read_roster(path: Path, needed: tuple[str, ...]) -> Iterator[Mapping[str, str]]:
    """Yield the rows of a CSV or JSONL file as text by column; raises where a needed column is missing."""
    text = _text(path)
    rows = _json_rows(path, text) if text.lstrip()[:1] == "{" else _csv_rows(text)
    for number, row in enumerate(rows, 1):
        missing = [name for name in needed if not row.get(name)]
        if missing:
            raise UsageError(
                f"{path.name}: row {number} has no {missing[0]!r}", f"needed columns: {', '.join(needed)}"
            )
        yield row


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise OutsideError(f"cannot read {path}: {error.strerror}", "check the path") from None
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise OutsideError(f"{path} is not text", "give a CSV or JSONL file in UTF-8 or GB18030")


def _csv_rows(text: str) -> Iterator[Mapping[str, str]]:
    for row in csv.DictReader(io.StringIO(text, newline="")):
        yield {
            key.strip(): (value or "").strip()
            for key, value in row.items()
            if isinstance(key, str) and not isinstance(value, list)
        }


def _json_rows(path: Path, text: str) -> Iterator[Mapping[str, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            row = None
        if not isinstance(row, dict):
            raise UsageError(
                f"{path.name}: line {number} is not a JSON object", "write one JSON object a line"
            )
        yield {str(key): _plain(value) for key, value in row.items()}


def _plain(value: object) -> str:
    if value is None:
        return ""
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def truth(text: str) -> bool:
    """Read yes or no as people write it; empty is no."""
    lowered = text.strip().lower()
    if lowered in {"", "0", "no", "false", "n", "否"}:
        return False
    if lowered in {"1", "yes", "true", "y", "是"}:
        return True
    raise UsageError(f"{text!r} is neither yes nor no", "write yes or no")
