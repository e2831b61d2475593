"""Speech: results on standard output, talk on standard error, lower case, no full stop."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from canary.steps.tools import Tools

CONTROLS = dict.fromkeys((*range(32), *range(127, 160), *range(8234, 8239), *range(8294, 8298)), "�")
del CONTROLS[9]


def clean(text: object) -> str:
    """Make outside text safe for a terminal: no control characters, escapes or direction marks."""
    return str(text).translate(CONTROLS)


def tell(text: str) -> None:
    """Say a line of talk on standard error."""
    print(clean(text), file=sys.stderr)


def tell_error(message: str, hint: str) -> None:
    """Say an error and what to do."""
    tell(f"error: {' '.join(message.split())}")
    tell(f"hint: {' '.join(hint.split())}")


def plain(value: Any) -> Any:
    """Turn nouns into what JSON knows."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(inner) for inner in value]
    return str(value) if isinstance(value, Path) else value


def emit(value: Any) -> None:
    """Write one JSON value, and nothing else, on standard output."""
    print(json.dumps(plain(value), ensure_ascii=False, allow_nan=False))


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows in columns; nothing but the headings where there is no row."""
    cells = [[clean("" if cell is None else cell) for cell in row] for row in rows]
    widths = [max([_width(head), *(_width(row[at]) for row in cells)]) for at, head in enumerate(headings)]
    for row in [list(headings), *cells]:
        print(
            "  ".join(
                cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)
            ).rstrip()
        )


def _width(text: str) -> int:
    from unicodedata import east_asian_width

    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)


def when(ms: int | None) -> str:
    """Write a time in milliseconds as RFC 3339 in UTC."""
    from datetime import UTC, datetime

    if ms is None:
        return ""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class _Bar:
    """A progress bar on a terminal, nothing in a pipe; made at the first step that takes part."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._tasks: dict[str, Any] = {}

    def __call__(self, label: str, done: int, total: int | None) -> None:
        if not sys.stderr.isatty():
            return
        if self._bar is None:
            from rich.console import Console
            from rich.progress import Progress

            self._bar = Progress(console=Console(stderr=True), transient=True)
            self._bar.start()
        if label not in self._tasks:
            self._tasks[label] = self._bar.add_task(label, total=total)
        self._bar.update(self._tasks[label], completed=done, total=total)

    def stop(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()


@contextmanager
def opened(home: Path | None) -> Iterator[Tools]:
    """Open the tools of a home for one command."""
    from canary import wiring

    bar = _Bar()
    tools = wiring.open_tools(wiring.home_folder(home), progress=bar)
    try:
        yield tools
    finally:
        bar.stop()
        tools.registry.close()
