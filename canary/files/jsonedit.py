"""Values of one JSON object written anew; every other character of it stays."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from json.decoder import JSONDecoder

from canary.errors import OutsideError

_BLANKS = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?")
_DECODER = JSONDecoder()


def with_values(text: str, changes: Mapping[str, str], *, escape: bool) -> str:
    """Give an object's text with some members' values changed: strings stay strings, numbers stay numbers.

    Raises OutsideError where a text cannot stand for a number.
    """
    pieces, done = [], 0
    at = _skip(text, text.index("{") + 1)
    while text[at] != "}":
        key, at = _DECODER.raw_decode(text, at)
        at = _skip(text, _skip(text, at) + 1)
        _, end = _DECODER.raw_decode(text, at)
        if key in changes:
            pieces += [text[done:at], _token(text[at:end], changes[key], key, escape=escape)]
            done = end
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return "".join([*pieces, text[done:]])


def _skip(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return found.end() if found else at


def _token(old: str, new: str, key: str, *, escape: bool) -> str:
    if old[0] == '"':
        return json.dumps(new, ensure_ascii=escape)
    if _NUMBER.fullmatch(new):
        return new
    raise OutsideError(
        f"a marked value of {key!r} is no number any more", "take the column's mark out of the policy"
    )
