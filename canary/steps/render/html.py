"""A document as one HTML page: nothing is loaded from anywhere, no script, every text escaped."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files

from canary.steps.render.document import Document


def to_html(document: Document, lang: str) -> str:
    """Write a document as a self-contained page whose policy allows its own style sheet and nothing else."""
    from jinja2 import Environment, StrictUndefined

    folder = files("canary.steps.render")
    style = (folder / "report.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    template = environment.from_string((folder / "report.html.j2").read_text("utf-8"))
    return template.render(
        document=document, lang={"zh": "zh-CN"}.get(lang, lang), style=style, digest=digest
    )
