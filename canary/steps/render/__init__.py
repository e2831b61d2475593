"""The case of an incident as text, Markdown, HTML or JSON, in Chinese or English: pure, from one `Report`."""

from __future__ import annotations

from canary.errors import UsageError
from canary.steps.render.report import LedgerState, MatchedCanary, Report, matched_canaries

__all__ = ["FORMATS", "LANGUAGES", "LedgerState", "MatchedCanary", "Report", "matched_canaries", "render"]

FORMATS = ("text", "md", "html", "json")
LANGUAGES = ("zh", "en")


def render(report: Report, format: str, lang: str) -> str:
    """Write a report in one of the formats text, md, html, json and languages zh, en; UsageError otherwise."""
    if format not in FORMATS:
        raise UsageError(f"{format!r} is not a report format", f"formats: {', '.join(FORMATS)}")
    if lang not in LANGUAGES:
        raise UsageError(f"{lang!r} is not a report language", f"languages: {', '.join(LANGUAGES)}")
    if format == "json":
        from canary.steps.render.structured import to_json

        return to_json(report, lang)
    from canary.steps.render.compose import compose

    document = compose(report, lang)
    if format == "html":
        from canary.steps.render.html import to_html

        return to_html(document, lang)
    from canary.steps.render.plain import to_markdown, to_text

    return to_markdown(document) if format == "md" else to_text(document)
