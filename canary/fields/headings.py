"""What a heading says about its column: Chinese and English words of config/headings.toml."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from importlib import resources

from canary.fields.fold import compact, fold
from canary.fields.roles import check_role
from canary.patterns import late

_CAMEL = late(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=[\u3400-\u9fff])")
_NUMBER = late(r"(?<=[^\W\d])\d{1,2}$")


@lru_cache(maxsize=1)
def heading_words() -> dict[str, str]:
    """Give the known headings, folded and without blanks, and the role of each."""
    text = resources.files("canary").joinpath("config", "headings.toml").read_text("utf-8")
    roles: dict[str, list[str]] = tomllib.loads(text)["roles"]
    return {compact(word): check_role(role) for role, words in roles.items() for word in words}


def role_of_heading(heading: str) -> str | None:
    """Give the role a heading names, None where it names none."""
    words = heading_words()
    whole = compact(heading)
    bare = _NUMBER.sub("", compact(re.sub(r"[(（\[].*?[)）\]]", "", heading)))
    for text in (whole, bare):
        if text in words:
            return words[text]
    return _role_of_part(heading, words)


def _role_of_part(heading: str, words: dict[str, str]) -> str | None:
    parts = [*_latin_parts(heading), *_han_parts(heading)]
    known = [(end, len(part), words[part]) for part, end in parts if part in words]
    return max(known)[2] if known else None  # the word that ends last is the noun the others describe


def _latin_parts(heading: str) -> list[tuple[str, int]]:
    """Give every run of whole Latin words, joined, with the place of its end."""
    spaced = _CAMEL.sub(" ", heading)
    tokens = re.findall(r"[a-z]+|\d+", fold(spaced))
    spans = [(start, end) for end in range(1, len(tokens) + 1) for start in range(max(0, end - 3), end)]
    return [("".join(tokens[start:end]), end) for start, end in spans if "".join(tokens[start:end]).isalpha()]


def _han_parts(heading: str) -> list[tuple[str, int]]:
    """Give every piece of at least two Chinese characters, with the place of its end."""
    text = re.sub(r"[^\u3400-\u9fff]+", " ", fold(heading))
    ends = range(2, len(text) + 1)
    pieces = [(text[start:end], end) for end in ends for start in range(max(0, end - 8), end - 1)]
    return [(piece, end) for piece, end in pieces if " " not in piece]
