"""The case of an incident, written for a person or a program."""

from __future__ import annotations

from pathlib import Path

from canary.errors import UsageError
from canary.steps import cases
from canary.steps.outputs import write_text
from canary.steps.tools import Tools

FORMATS = ("text", "md", "html", "json")
LANGUAGES = ("zh", "en")


def report(tools: Tools, incident: str, format: str, lang: str) -> str:
    """Render the case of an incident from its last trace, or from a first one."""
    from canary.steps.render import render

    if format not in FORMATS:
        raise UsageError(f"{format!r} is not a report format", f"formats: {', '.join(FORMATS)}")
    if lang not in LANGUAGES:
        raise UsageError(f"{lang!r} is not a report language", f"languages: {', '.join(LANGUAGES)}")
    return render(cases.report_of(tools, incident), format, lang)


def write(text: str, path: Path, *, force: bool) -> None:
    """Write a report into a file."""
    write_text(text if text.endswith("\n") else text + "\n", path, force=force)
